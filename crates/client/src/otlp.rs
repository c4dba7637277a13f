//! OTLP's protobuf ([opentelemetry-proto](https://github.com/open-telemetry/opentelemetry-proto)), written straight into
//! bytes: what a span records is in its form for the wire from the beginning.

use std::io::Write as _;
use std::ops::Range;

use glasshouse_model::Value;

use crate::value::AttributeValue;

/// Bytes that a length takes where it is written before it is known: enough for 256 MiB.
const LENGTH: usize = 4;
/// How deep values are nested; what is deeper is left empty, for servers refuse it.
const MAX_DEPTH: usize = 16;
/// OTLP's field of a span's attributes.
pub(crate) const SPAN_ATTRIBUTES: u32 = 9;
/// OTLP's field of a log record's attributes.
pub(crate) const LOG_ATTRIBUTES: u32 = 6;

/// Protobuf that is appended to.
pub(crate) trait Wire {
    fn varint(&mut self, value: u64);
    fn bytes_field(&mut self, field: u32, bytes: &[u8]);

    /// The tag of a field of a wire type.
    fn tag(&mut self, field: u32, wire_type: u32) {
        self.varint(u64::from(field << 3 | wire_type));
    }

    fn varint_field(&mut self, field: u32, value: u64) {
        self.tag(field, 0);
        self.varint(value);
    }
}

impl Wire for Vec<u8> {
    #[inline]
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.push(value as u8);
    }

    #[inline]
    fn bytes_field(&mut self, field: u32, bytes: &[u8]) {
        self.tag(field, 2);
        self.varint(bytes.len() as u64);
        self.extend_from_slice(bytes);
    }
}

/// A field of eight bytes.
#[inline]
pub(crate) fn fixed64_field(out: &mut Vec<u8>, field: u32, value: u64) {
    out.tag(field, 1);
    out.extend_from_slice(&value.to_le_bytes());
}

/// A field of four bytes.
#[inline]
pub(crate) fn fixed32_field(out: &mut Vec<u8>, field: u32, value: u32) {
    out.tag(field, 5);
    out.extend_from_slice(&value.to_le_bytes());
}

/// A nested message. Should it break off, because what it is made of panics, it ends there.
#[inline]
pub(crate) fn nested(out: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    struct Nested<'a> {
        out: &'a mut Vec<u8>,
        at: usize,
    }
    impl Drop for Nested<'_> {
        fn drop(&mut self) {
            set_length(self.out, self.at);
        }
    }
    out.tag(field, 2);
    out.extend_from_slice(&[0; LENGTH]);
    let nested = Nested { at: out.len(), out };
    write(nested.out);
}

/// Tells how long the nested message is that begins at a place and ends where the bytes do.
#[inline]
fn set_length(out: &mut [u8], at: usize) {
    let len = out.len() - at;
    debug_assert!(len < 1 << (7 * LENGTH), "a record is smaller than its ring");
    // Every byte but the last says that more come, so a length may be written longer than it need be.
    let length = [len | 0x80, len >> 7 | 0x80, len >> 14 | 0x80, len >> 21 & 0x7f].map(|byte| byte as u8);
    out[at - LENGTH..at].copy_from_slice(&length);
}

/// Attributes whose lengths are a byte each: of a key and a text that are no longer together.
const SHORT: usize = 0x7f - 6;

/// `KeyValue`, as a field of what has attributes.
#[inline]
pub(crate) fn attribute(out: &mut Vec<u8>, field: u32, key: &str, value: AttributeValue<'_>) {
    match value {
        AttributeValue::String(text) if key.len() + text.len() <= SHORT && field < 0x10 => {
            out.reserve(SHORT + 8);
            let (key_len, text_len) = (key.len() as u8, text.len() as u8);
            out.extend_from_slice(&[(field << 3 | 2) as u8, key_len + text_len + 6, 0x0a, key_len]);
            out.extend_from_slice(key.as_bytes());
            out.extend_from_slice(&[0x12, text_len + 2, 0x0a, text_len]);
            out.extend_from_slice(text.as_bytes());
        }
        value => any_attribute(out, field, key, value),
    }
}

/// The same for any key and value.
fn any_attribute(out: &mut Vec<u8>, field: u32, key: &str, value: AttributeValue<'_>) {
    let Some(len) = value_len(value) else {
        return nested(out, field, |out| {
            out.bytes_field(1, key.as_bytes());
            nested(out, 2, |out| any_value(out, value));
        });
    };
    let of_field = |len: usize| 1 + varint_len(len as u64) + len;
    out.tag(field, 2);
    out.varint((of_field(key.len()) + of_field(len)) as u64);
    out.bytes_field(1, key.as_bytes());
    out.tag(2, 2);
    out.varint(len as u64);
    any_value(out, value);
}

/// How long a value is as `AnyValue`; `None` when it is nested.
#[inline]
fn value_len(value: AttributeValue<'_>) -> Option<usize> {
    let of_bytes = |len: usize| 1 + varint_len(len as u64) + len;
    match value {
        AttributeValue::String(text) => Some(of_bytes(text.len())),
        AttributeValue::Bytes(bytes) => Some(of_bytes(bytes.len())),
        AttributeValue::Bool(_) => Some(2),
        AttributeValue::Int(value) => Some(1 + varint_len(value as u64)),
        AttributeValue::Double(_) => Some(9),
        _ => None,
    }
}

#[inline]
pub(crate) fn varint_len(value: u64) -> usize {
    (70 - (value | 1).leading_zeros() as usize) / 7
}

/// `AnyValue`.
pub(crate) fn any_value(out: &mut Vec<u8>, value: AttributeValue<'_>) {
    fn array<'a, T: Copy + Into<AttributeValue<'a>>>(out: &mut Vec<u8>, items: &[T]) {
        nested(out, 5, |out| items.iter().for_each(|item| nested(out, 1, |out| any_value(out, (*item).into()))));
    }
    match value {
        AttributeValue::String(text) => out.bytes_field(1, text.as_bytes()),
        AttributeValue::Formatted(text) => match text.as_str() {
            Some(text) => out.bytes_field(1, text.as_bytes()),
            // One that cannot be formatted says as much as it did until then.
            None => nested(out, 1, |out| drop(out.write_fmt(text))),
        },
        AttributeValue::Bool(value) => out.varint_field(2, value.into()),
        AttributeValue::Int(value) => out.varint_field(3, value as u64),
        AttributeValue::Double(value) => fixed64_field(out, 4, value.to_bits()),
        AttributeValue::Bytes(bytes) => out.bytes_field(7, bytes),
        AttributeValue::Strings(items) => array(out, items),
        AttributeValue::Bools(items) => array(out, items),
        AttributeValue::Ints(items) => array(out, items),
        AttributeValue::Doubles(items) => array(out, items),
        AttributeValue::Value(value) => nested_value(out, value, MAX_DEPTH),
    }
}

/// `AnyValue` of a value, no deeper than that.
fn nested_value(out: &mut Vec<u8>, value: &Value, depth: usize) {
    match value {
        Value::Empty => {}
        Value::String(text) => any_value(out, text.as_str().into()),
        Value::Bool(value) => any_value(out, (*value).into()),
        Value::Int(value) => any_value(out, (*value).into()),
        Value::Double(value) => any_value(out, (*value).into()),
        Value::Bytes(bytes) => any_value(out, bytes.as_slice().into()),
        Value::Array(_) | Value::Map(_) if depth == 0 => {}
        Value::Array(items) => nested(out, 5, |out| {
            for item in items {
                nested(out, 1, |out| nested_value(out, item, depth - 1));
            }
        }),
        Value::Map(entries) => nested(out, 6, |out| {
            for (key, value) in &entries.0 {
                nested(out, 1, |out| {
                    out.bytes_field(1, key.as_bytes());
                    nested(out, 2, |out| nested_value(out, value, depth - 1));
                });
            }
        }),
    }
}

/// Where an attribute is among fields that all have a length, such as those of a span's attributes, events and links.
pub(crate) fn find_attribute(bytes: &[u8], field: u32, key: &str) -> Option<Range<usize>> {
    let mut rest = fields(bytes);
    let mut from = 0;
    while let Some((number, value)) = rest.next() {
        let to = bytes.len() - rest.message.len();
        if let (true, Field::Bytes(entry)) = (number == field, value)
            && matches!(fields(entry).next(), Some((1, Field::Bytes(known))) if known == key.as_bytes())
        {
            return Some(from..to);
        }
        from = to;
    }
    None
}

/// `rejected_…` and `error_message` of a response's `partial_success`.
pub(crate) fn partial_success(response: &[u8]) -> Option<(u64, String)> {
    let partial = fields(response).find_map(|(field, value)| (field == 1).then_some(value))?;
    let Field::Bytes(partial) = partial else { return None };
    let (mut rejected, mut message) = (0, String::new());
    for field in fields(partial) {
        match field {
            (1, Field::Varint(count)) => rejected = count,
            (2, Field::Bytes(text)) => message = String::from_utf8_lossy(text).into_owned(),
            _ => {}
        }
    }
    (rejected > 0 || !message.is_empty()).then_some((rejected, message))
}

enum Field<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// The fields of a message; ends where it is not valid.
fn fields(message: &[u8]) -> Fields<'_> {
    Fields { message }
}

struct Fields<'a> {
    /// What was not read yet.
    message: &'a [u8],
}

impl Fields<'_> {
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.message.split_first()?;
            self.message = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u32, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let tag = self.varint()?;
        let value = match tag & 7 {
            0 => Field::Varint(self.varint()?),
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                let (bytes, rest) = self.message.split_at_checked(len)?;
                self.message = rest;
                Field::Bytes(bytes)
            }
            wire_type @ (1 | 5) => {
                self.message = self.message.get(if wire_type == 1 { 8 } else { 4 }..)?;
                Field::Fixed
            }
            _ => return None,
        };
        Some(((tag >> 3) as u32, value))
    }
}
