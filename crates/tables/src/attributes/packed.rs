use std::borrow::Cow;

use glasshouse_model::{Attributes, Value};

use super::json::write_value;

/// Deepest nesting of arrays and maps that a value may have.
pub const MAX_DEPTH: usize = 32;

/// A value in packed attributes, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ValueRef<'a> {
    /// No value.
    Empty,
    /// Text.
    String(&'a str),
    /// A boolean.
    Bool(bool),
    /// A 64-bit signed integer.
    Int(i64),
    /// A 64-bit float.
    Double(f64),
    /// Raw bytes.
    Bytes(&'a [u8]),
    /// The bytes of an OTLP `ArrayValue` message.
    Array(&'a [u8]),
    /// The bytes of an OTLP `KeyValueList` message.
    Map(&'a [u8]),
}

/// A [`ValueRef`] whose text is not looked at: checking that it is UTF-8 takes longer than all else.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum RawValue<'a> {
    /// The bytes of a text.
    String(&'a [u8]),
    /// A value that is no text.
    Other(ValueRef<'a>),
}

impl<'a> RawValue<'a> {
    #[inline]
    fn from_any_value(bytes: &'a [u8]) -> Self {
        // What nearly every sender writes: one field, shorter than 128 bytes.
        match bytes {
            [0x0a, len @ ..0x80, text @ ..] if text.len() == usize::from(*len) => Self::String(text),
            [0x10, value @ ..0x80] => Self::Other(ValueRef::Bool(*value != 0)),
            [0x18, value @ ..0x80] => Self::Other(ValueRef::Int(i64::from(*value))),
            _ => Self::from_fields(bytes),
        }
    }

    fn from_fields(bytes: &'a [u8]) -> Self {
        let mut value = Self::Other(ValueRef::Empty);
        for (field, wire) in Fields(bytes) {
            value = Self::Other(match (field, wire) {
                (1, Wire::Bytes(text)) => {
                    value = Self::String(text);
                    continue;
                }
                (2, Wire::Varint(v)) => ValueRef::Bool(v != 0),
                (3, Wire::Varint(v)) => ValueRef::Int(v as i64),
                (4, Wire::Fixed64(v)) => ValueRef::Double(f64::from_bits(v)),
                (5, Wire::Bytes(b)) => ValueRef::Array(b),
                (6, Wire::Bytes(b)) => ValueRef::Map(b),
                (7, Wire::Bytes(b)) => ValueRef::Bytes(b),
                _ => continue,
            });
        }
        value
    }
}

impl<'a> From<RawValue<'a>> for ValueRef<'a> {
    fn from(raw: RawValue<'a>) -> Self {
        match raw {
            RawValue::String(text) => Self::String(str::from_utf8(text).unwrap_or_default()),
            RawValue::Other(value) => value,
        }
    }
}

impl<'a> ValueRef<'a> {
    /// Reads the bytes of an OTLP `AnyValue` message.
    pub fn from_any_value(bytes: &'a [u8]) -> Self {
        RawValue::from_any_value(bytes).into()
    }

    /// The value as text: strings as they are, bytes as base64, arrays and maps as JSON;
    /// `None` when there is no value.
    pub fn to_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Empty => None,
            Self::String(text) => Some(Cow::Borrowed(text)),
            Self::Bytes(bytes) => {
                use base64::Engine;
                Some(Cow::Owned(base64::engine::general_purpose::STANDARD.encode(bytes)))
            }
            Self::Double(value) if !value.is_finite() => Some(Cow::Owned(value.to_string())),
            other => Some(Cow::Owned(other.to_json())),
        }
    }

    /// The value as JSON text, in the form that [`crate::attributes`] describes.
    pub fn to_json(self) -> String {
        let mut text = String::new();
        write_value(self, &mut text);
        text
    }

    /// Appends the value as JSON text, as [`ValueRef::to_json`] gives it.
    pub fn write_json(self, out: &mut String) {
        write_value(self, out);
    }

    /// The items of an array; none for other values.
    pub fn items(self) -> impl Iterator<Item = ValueRef<'a>> {
        let bytes = if let Self::Array(bytes) = self { bytes } else { &[] };
        Fields(bytes).filter_map(|(field, wire)| match (field, wire) {
            (1, Wire::Bytes(b)) => Some(ValueRef::from_any_value(b)),
            _ => None,
        })
    }

    /// The entries of a map; none for other values.
    pub fn entries(self) -> impl Iterator<Item = (&'a str, ValueRef<'a>)> {
        let bytes = if let Self::Map(bytes) = self { bytes } else { &[] };
        Fields(bytes).filter_map(|(field, wire)| match (field, wire) {
            (1, Wire::Bytes(b)) => {
                let (key, value) = key_value(b);
                Some((str::from_utf8(key).unwrap_or_default(), value.into()))
            }
            _ => None,
        })
    }

    /// The value, owned.
    pub fn to_model(self) -> Value {
        match self {
            Self::Empty => Value::Empty,
            Self::String(text) => Value::String(text.to_owned()),
            Self::Bool(value) => Value::Bool(value),
            Self::Int(value) => Value::Int(value),
            Self::Double(value) => Value::Double(value),
            Self::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
            Self::Array(_) => Value::Array(self.items().map(ValueRef::to_model).collect()),
            Self::Map(_) => {
                Value::Map(Attributes(self.entries().map(|(key, value)| (key.to_owned(), value.to_model())).collect()))
            }
        }
    }
}

/// The keys and values of packed attributes, in the sender's order.
pub fn iter(packed: &[u8]) -> impl Iterator<Item = (&str, ValueRef<'_>)> {
    raw_iter(packed).map(|(key, value)| (str::from_utf8(key).unwrap_or_default(), value.into()))
}

/// The same without a look at the text, for those who read every attribute of every row.
#[inline]
pub fn raw_iter(packed: &[u8]) -> impl Iterator<Item = (&[u8], RawValue<'_>)> {
    let mut rest = packed;
    std::iter::from_fn(move || {
        let len = match *rest {
            [len @ ..0x80, ref after @ ..] => {
                rest = after;
                usize::from(len)
            }
            _ => usize::try_from(read_varint(&mut rest)?).ok()?,
        };
        let (message, after) = rest.split_at_checked(len)?;
        rest = after;
        Some(key_value(message))
    })
}

/// The first value of a key.
pub fn get<'a>(packed: &'a [u8], key: &str) -> Option<ValueRef<'a>> {
    raw_iter(packed).find(|(k, _)| *k == key.as_bytes()).map(|(_, value)| value.into())
}

/// The attributes, owned.
pub fn to_model(packed: &[u8]) -> Attributes {
    Attributes(iter(packed).map(|(key, value)| (key.to_owned(), value.to_model())).collect())
}

/// Checks the bytes of an OTLP `KeyValue` message that came from outside: well-formed fields, valid
/// UTF-8, nesting of at most 32. Everything else in this module trusts what passed here.
pub fn validate(key_value: &[u8]) -> Result<(), &'static str> {
    validate_message(key_value, Message::KeyValue, 0)
}

#[derive(Clone, Copy)]
enum Message {
    KeyValue,
    AnyValue,
    Array,
    Map,
}

fn validate_message(bytes: &[u8], message: Message, depth: usize) -> Result<(), &'static str> {
    if depth > MAX_DEPTH {
        return Err("attribute value nested more than 32 deep");
    }
    let mut fields = Fields(bytes);
    for (field, wire) in fields.by_ref() {
        let (text, nested) = match (message, field) {
            (Message::KeyValue | Message::AnyValue, 1) => (true, None),
            (Message::KeyValue, 2) | (Message::Array, 1) => (false, Some(Message::AnyValue)),
            (Message::AnyValue, 5) => (false, Some(Message::Array)),
            (Message::AnyValue, 6) => (false, Some(Message::Map)),
            (Message::Map, 1) => (false, Some(Message::KeyValue)),
            (Message::AnyValue, 2 | 3) if !matches!(wire, Wire::Varint(_)) => {
                return Err("wrong wire type in attribute");
            }
            (Message::AnyValue, 4) if !matches!(wire, Wire::Fixed64(_)) => return Err("wrong wire type in attribute"),
            (Message::AnyValue, 7) if !matches!(wire, Wire::Bytes(_)) => return Err("wrong wire type in attribute"),
            _ => continue,
        };
        let Wire::Bytes(inner) = wire else { return Err("wrong wire type in attribute") };
        if text && str::from_utf8(inner).is_err() {
            return Err("text in attribute is not UTF-8");
        }
        if let Some(nested) = nested {
            validate_message(inner, nested, depth + usize::from(matches!(nested, Message::AnyValue)))?;
        }
    }
    if fields.0.is_empty() { Ok(()) } else { Err("malformed protobuf in attribute") }
}

#[inline]
fn key_value(bytes: &[u8]) -> (&[u8], RawValue<'_>) {
    // What nearly every sender writes: the key, then the value, both shorter than 128 bytes.
    if let [0x0a, key_len @ ..0x80, rest @ ..] = bytes
        && let Some((key, [0x12, len @ ..0x80, value @ ..])) = rest.split_at_checked(usize::from(*key_len))
        && value.len() == usize::from(*len)
    {
        return (key, RawValue::from_any_value(value));
    }
    key_value_fields(bytes)
}

fn key_value_fields(bytes: &[u8]) -> (&[u8], RawValue<'_>) {
    let mut key: &[u8] = &[];
    let mut value = RawValue::Other(ValueRef::Empty);
    for (field, wire) in Fields(bytes) {
        match (field, wire) {
            (1, Wire::Bytes(b)) => key = b,
            (2, Wire::Bytes(b)) => value = RawValue::from_any_value(b),
            _ => {}
        }
    }
    (key, value)
}

enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Bytes(&'a [u8]),
    Fixed32,
}

/// Fields of a protobuf message; ends early, with bytes left over, where they are malformed.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Wire<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.0;
        let tag = read_varint(&mut rest)?;
        let wire = match tag & 7 {
            0 => Wire::Varint(read_varint(&mut rest)?),
            1 => {
                let (bytes, after) = rest.split_first_chunk::<8>()?;
                rest = after;
                Wire::Fixed64(u64::from_le_bytes(*bytes))
            }
            2 => {
                let len = usize::try_from(read_varint(&mut rest)?).ok()?;
                let (bytes, after) = rest.split_at_checked(len)?;
                rest = after;
                Wire::Bytes(bytes)
            }
            5 => {
                rest = rest.split_first_chunk::<4>()?.1;
                Wire::Fixed32
            }
            _ => return None,
        };
        self.0 = rest;
        Some((tag >> 3, wire))
    }
}

#[inline]
fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for (i, &byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            *bytes = &bytes[i + 1..];
            return Some(value);
        }
    }
    None
}

/// Builds packed attributes from keys and values.
#[derive(Debug, Default)]
pub struct PackedWriter {
    packed: Vec<u8>,
    scratch: Vec<u8>,
}

impl PackedWriter {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// The attributes written so far.
    pub fn packed(&self) -> &[u8] {
        &self.packed
    }

    /// Forgets what was written; keeps the memory.
    pub fn clear(&mut self) {
        self.packed.clear();
    }

    /// Adds the bytes of an OTLP `KeyValue` message that passed [`validate`].
    pub fn push_key_value(&mut self, message: &[u8]) {
        write_varint(message.len() as u64, &mut self.packed);
        self.packed.extend_from_slice(message);
    }

    /// Adds a key and its value.
    pub fn push(&mut self, key: &str, value: &Value) {
        self.scratch.clear();
        write_key_value(key, value, &mut self.scratch);
        write_varint(self.scratch.len() as u64, &mut self.packed);
        self.packed.extend_from_slice(&self.scratch);
    }

    /// Adds a key with a text value.
    pub fn push_str(&mut self, key: &str, value: &str) {
        self.scratch.clear();
        write_bytes(1, key.as_bytes(), &mut self.scratch);
        let len = 1 + varint_len(value.len() as u64) + value.len();
        write_varint(2 << 3 | 2, &mut self.scratch);
        write_varint(len as u64, &mut self.scratch);
        write_bytes(1, value.as_bytes(), &mut self.scratch);
        write_varint(self.scratch.len() as u64, &mut self.packed);
        self.packed.extend_from_slice(&self.scratch);
    }
}

impl From<&Attributes> for PackedWriter {
    fn from(attributes: &Attributes) -> Self {
        let mut writer = Self::new();
        for (key, value) in &attributes.0 {
            writer.push(key, value);
        }
        writer
    }
}

fn write_key_value(key: &str, value: &Value, out: &mut Vec<u8>) {
    write_bytes(1, key.as_bytes(), out);
    let mut nested = Vec::new();
    write_any_value(value, &mut nested);
    write_bytes(2, &nested, out);
}

pub(crate) fn write_any_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Empty => {}
        Value::String(text) => write_bytes(1, text.as_bytes(), out),
        Value::Bool(value) => out.extend_from_slice(&[2 << 3, u8::from(*value)]),
        Value::Int(value) => {
            out.push(3 << 3);
            write_varint(*value as u64, out);
        }
        Value::Double(value) => {
            out.push(4 << 3 | 1);
            out.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        Value::Array(values) => {
            let mut nested = Vec::new();
            let mut item = Vec::new();
            for value in values {
                item.clear();
                write_any_value(value, &mut item);
                write_bytes(1, &item, &mut nested);
            }
            write_bytes(5, &nested, out);
        }
        Value::Map(entries) => {
            let mut nested = Vec::new();
            let mut entry = Vec::new();
            for (key, value) in &entries.0 {
                entry.clear();
                write_key_value(key, value, &mut entry);
                write_bytes(1, &entry, &mut nested);
            }
            write_bytes(6, &nested, out);
        }
        Value::Bytes(bytes) => write_bytes(7, bytes, out),
    }
}

fn write_bytes(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    out.push(field << 3 | 2);
    write_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn write_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn varint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}
