use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use glasshouse_model::{Attributes, Value};
use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::packed::{self, PackedWriter, ValueRef};

/// The text is not attributes as JSON.
#[derive(Debug, thiserror::Error)]
#[error("not attributes as JSON: {0}")]
pub struct JsonError(#[from] serde_json::Error);

/// Writes packed attributes as a JSON object.
pub fn packed_to_json(attributes: &[u8], out: &mut String) {
    let mut object = JsonObject::new(out);
    for (key, value) in packed::iter(attributes) {
        object.push(key, value);
    }
    object.finish();
}

/// Writes a JSON object of attributes, one by one, at the end of a text.
#[derive(Debug)]
pub struct JsonObject<'a> {
    out: &'a mut String,
    is_empty: bool,
}

impl<'a> JsonObject<'a> {
    /// Begins an object.
    pub fn new(out: &'a mut String) -> Self {
        out.push('{');
        Self { out, is_empty: true }
    }

    /// Adds an attribute.
    pub fn push(&mut self, key: &str, value: ValueRef<'_>) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(',');
        }
        write_string(key, self.out);
        self.out.push(':');
        write_value(value, self.out);
    }

    /// Whether there is no attribute yet.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Ends the object.
    pub fn finish(self) {
        self.out.push('}');
    }
}

/// Appends the attributes of a JSON object to `out`.
pub fn json_to_packed(json: &str, out: &mut PackedWriter) -> Result<(), JsonError> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let attributes = serde::Deserializer::deserialize_map(&mut deserializer, TopLevel)?;
    deserializer.end()?;
    for (key, value) in &attributes.0 {
        out.push(key, value);
    }
    Ok(())
}

/// The first value of a key in a JSON object of attributes; `None` when the key is absent.
pub fn json_get(json: &str, key: &str) -> Option<Value> {
    struct Find<'a>(&'a str);
    impl<'de> Visitor<'de> for Find<'_> {
        type Value = Option<Value>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object of attributes")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<Value>, A::Error> {
            let mut found = None;
            while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
                if found.is_none() && key == self.0 {
                    found = Some(map.next_value_seed(AnyValue)?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    serde::Deserializer::deserialize_map(&mut deserializer, Find(key)).ok().flatten()
}

pub(super) fn write_value(value: ValueRef<'_>, out: &mut String) {
    match value {
        ValueRef::Empty => out.push_str("null"),
        ValueRef::String(text) => write_string(text, out),
        ValueRef::Bool(value) => out.push_str(if value { "true" } else { "false" }),
        ValueRef::Int(value) => write!(out, "{value}").expect("writing to a String cannot fail"),
        ValueRef::Double(value) if value.is_finite() => {
            // serde_json writes the shortest text that reads back as the same double, with a '.' or an 'e'.
            out.push_str(&serde_json::Number::from_f64(value).expect("the value is finite").to_string());
        }
        ValueRef::Double(value) => {
            let name = if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "Infinity"
            } else {
                "-Infinity"
            };
            write!(out, "{{\"$double\":\"{name}\"}}").expect("writing to a String cannot fail");
        }
        ValueRef::Bytes(bytes) => {
            out.push_str("{\"$bytes\":\"");
            BASE64.encode_string(bytes, out);
            out.push_str("\"}");
        }
        ValueRef::Array(_) => {
            out.push('[');
            for (i, item) in value.items().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        ValueRef::Map(_) => {
            out.push('{');
            for (i, (key, value)) in value.entries().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                if key.starts_with('$') {
                    write_string(&format!("${key}"), out);
                } else {
                    write_string(key, out);
                }
                out.push(':');
                write_value(value, out);
            }
            out.push('}');
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\t' => out.push_str("\\t"),
            b'\r' => out.push_str("\\r"),
            byte => write!(out, "\\u{byte:04x}").expect("writing to a String cannot fail"),
        }
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
    out.push('"');
}

struct TopLevel;

impl<'de> Visitor<'de> for TopLevel {
    type Value = Attributes;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object of attributes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
        let mut attributes = Attributes::default();
        while let Some(key) = map.next_key::<String>()? {
            attributes.0.push((key, map.next_value_seed(AnyValue)?));
        }
        Ok(attributes)
    }
}

struct AnyValue;

impl<'de> DeserializeSeed<'de> for AnyValue {
    type Value = Value;
    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an attribute's value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Empty)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value).map(Value::Int).map_err(|_| E::custom("integer above 2^63"))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Double(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element_seed(AnyValue)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut entries = Attributes::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "$bytes" => {
                    let text: String = map.next_value()?;
                    return BASE64.decode(text).map(Value::Bytes).map_err(A::Error::custom);
                }
                "$double" => {
                    return Ok(Value::Double(match map.next_value::<String>()?.as_str() {
                        "Infinity" => f64::INFINITY,
                        "-Infinity" => f64::NEG_INFINITY,
                        _ => f64::NAN,
                    }));
                }
                _ => {
                    let key = key.strip_prefix('$').map_or(key.as_str(), |rest| rest).to_owned();
                    entries.0.push((key, map.next_value_seed(AnyValue)?));
                }
            }
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::attributes::{get, iter, to_model, validate};

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Empty),
            any::<String>().prop_map(Value::String),
            "\\$[a-z]{0,6}".prop_map(Value::String),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_filter("NaN is not equal to itself", |v| !v.is_nan()).prop_map(Value::Double),
            proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::Array),
                proptest::collection::vec(("\\$?[a-z]{0,5}|\\$bytes|\\$double", inner), 0..5)
                    .prop_map(|entries| Value::Map(Attributes(entries))),
            ]
        })
    }

    proptest! {
        #[test]
        fn packed_and_json_hold_the_same(entries in proptest::collection::vec((any::<String>(), value()), 0..6)) {
            let attributes = Attributes(entries);
            let packed = PackedWriter::from(&attributes);
            prop_assert_eq!(&to_model(packed.packed()), &attributes);
            let mut json = String::new();
            packed_to_json(packed.packed(), &mut json);
            let mut back = PackedWriter::new();
            json_to_packed(&json, &mut back).unwrap();
            prop_assert_eq!(back.packed(), packed.packed());
            for (key, _) in &attributes.0 {
                let first = get(packed.packed(), key).unwrap().to_model();
                prop_assert_eq!(json_get(&json, key), Some(first));
            }
        }

        #[test]
        fn bytes_from_outside_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = validate(&bytes);
            for (_, value) in iter(&bytes) {
                value.to_text();
                value.to_model();
            }
        }
    }

    #[test]
    fn every_type_has_a_form_of_its_own() {
        let check = |value: Value, expected: &str| {
            let packed = PackedWriter::from(&Attributes(vec![("k".into(), value)]));
            let mut json = String::new();
            packed_to_json(packed.packed(), &mut json);
            assert_eq!(json, format!("{{\"k\":{expected}}}"));
        };
        check(Value::Int(1), "1");
        check(Value::Double(1.0), "1.0");
        check(Value::Double(f64::NAN), r#"{"$double":"NaN"}"#);
        check(Value::Bytes(vec![0, 255]), r#"{"$bytes":"AP8="}"#);
        check(Value::String("\u{1}\"\\".into()), r#""\u0001\"\\""#);
        check(Value::Map(Attributes(vec![("$bytes".into(), Value::Empty)])), r#"{"$$bytes":null}"#);
    }

    #[test]
    fn nesting_is_bounded() {
        let mut value = Value::Int(1);
        for _ in 0..40 {
            value = Value::Array(vec![value]);
        }
        let mut writer = PackedWriter::new();
        writer.push("k", &value);
        let (_, message) = writer.packed().split_at(2);
        assert!(validate(message).is_err());
    }
}
