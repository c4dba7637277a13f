use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;

/// The value of an attribute or a log body, with its OpenTelemetry type.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An attribute without a value.
    Empty,
    /// Text.
    String(String),
    /// A boolean.
    Bool(bool),
    /// A 64-bit signed integer.
    Int(i64),
    /// A 64-bit float.
    Double(f64),
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// An ordered list.
    Array(Vec<Value>),
    /// Keys and values, in the sender's order.
    Map(Attributes),
}

/// Keys and values in the sender's order. Keys should be unique; duplicates are kept as sent.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Attributes(pub Vec<(String, Value)>);

impl Attributes {
    /// The first value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }
}

impl Value {
    /// The text of a string value.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

/// As OTLP/JSON `AnyValue`: `{"stringValue":"…"}`, 64-bit integers as decimal strings, bytes as base64.
impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;
        struct Array<'a>(&'a [Value]);
        impl Serialize for Array<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("values", self.0)?;
                map.end()
            }
        }
        struct Map<'a>(&'a Attributes);
        impl Serialize for Map<'_> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("values", self.0)?;
                map.end()
            }
        }
        struct Float(f64);
        impl Serialize for Float {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self.0 {
                    v if v.is_finite() => serializer.serialize_f64(v),
                    v if v.is_nan() => serializer.serialize_str("NaN"),
                    v if v > 0.0 => serializer.serialize_str("Infinity"),
                    _ => serializer.serialize_str("-Infinity"),
                }
            }
        }
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Empty => {}
            Self::String(text) => map.serialize_entry("stringValue", text)?,
            Self::Bool(value) => map.serialize_entry("boolValue", value)?,
            Self::Int(value) => map.serialize_entry("intValue", &value.to_string())?,
            Self::Double(value) => map.serialize_entry("doubleValue", &Float(*value))?,
            Self::Bytes(bytes) => map.serialize_entry("bytesValue", &BASE64.encode(bytes))?,
            Self::Array(values) => map.serialize_entry("arrayValue", &Array(values))?,
            Self::Map(values) => map.serialize_entry("kvlistValue", &Map(values))?,
        }
        map.end()
    }
}

/// As OTLP/JSON: a list of `{"key":…,"value":…}`.
impl Serialize for Attributes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry<'a> {
            key: &'a str,
            value: &'a Value,
        }
        serializer.collect_seq(self.0.iter().map(|(key, value)| Entry { key, value }))
    }
}
