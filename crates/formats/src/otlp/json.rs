//! OTLP/JSON (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>), rewritten as the
//! protobuf bytes that say the same, so that both encodings mean the same by construction.
//!
//! The rules are those of proto3 JSON with OTLP's exceptions: ids are hex digits, field names
//! lowerCamelCase (the `.proto` names are accepted too), integers numbers or strings, enums numbers (names
//! are accepted too), bytes base64; unknown fields are ignored and `null` is the same as absent.

use std::fmt::{self, Write as _};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use glasshouse_tables::ports::DecodeError;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor};

use super::attributes::{MAX_DEPTH, TOO_DEEP};
use super::messages::{ANY_VALUE, FieldType, Kind, MessageType};
use crate::json_error::json_error;

/// Standard alphabet, padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Rewrites a request of this message type as protobuf.
pub(crate) fn to_protobuf(body: &[u8], message: &'static MessageType) -> Result<Vec<u8>, DecodeError> {
    let mut writer = Writer { out: Vec::with_capacity(body.len() / 2), path: Vec::new(), value_depth: 0 };
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let read =
        deserializer.deserialize_map(MessageFields { writer: &mut writer, message }).and_then(|()| deserializer.end());
    match read {
        Ok(()) => Ok(writer.out),
        Err(error) => Err(json_error(&error, &writer.path())),
    }
}

/// The bytes so far and where in the request the next value stands. After an error, the path is where
/// it happened.
struct Writer {
    out: Vec<u8>,
    path: Vec<Segment>,
    /// Attribute values around the present place.
    value_depth: u32,
}

enum Segment {
    Field(&'static str),
    Index(usize),
}

impl Writer {
    fn path(&self) -> String {
        let mut path = String::new();
        for segment in &self.path {
            match segment {
                Segment::Field(name) if path.is_empty() => path.push_str(name),
                Segment::Field(name) => write!(path, ".{name}").expect("writing to a String cannot fail"),
                Segment::Index(index) => write!(path, "[{index}]").expect("writing to a String cannot fail"),
            }
        }
        path
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.out.push(value as u8);
    }

    fn tag(&mut self, field: &FieldType, wire_type: u32) {
        self.varint(u64::from(field.number << 3 | wire_type));
    }

    fn bytes(&mut self, field: &FieldType, bytes: &[u8]) {
        self.tag(field, 2);
        self.varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    fn fixed64(&mut self, field: &FieldType, bits: u64) {
        self.tag(field, 1);
        self.out.extend_from_slice(&bits.to_le_bytes());
    }

    /// Writes an integer as the field's kind wants it; `false` when it is out of range.
    fn integer(&mut self, field: &FieldType, value: i128) -> bool {
        match field.kind {
            Kind::Int64 | Kind::Sfixed64 => {
                let Ok(value) = i64::try_from(value) else { return false };
                if matches!(field.kind, Kind::Sfixed64) {
                    self.fixed64(field, value as u64);
                } else {
                    self.tag(field, 0);
                    self.varint(value as u64);
                }
            }
            Kind::Uint64 | Kind::Fixed64 => {
                let Ok(value) = u64::try_from(value) else { return false };
                if matches!(field.kind, Kind::Fixed64) {
                    self.fixed64(field, value);
                } else {
                    self.tag(field, 0);
                    self.varint(value);
                }
            }
            Kind::Fixed32 => {
                let Ok(value) = u32::try_from(value) else { return false };
                self.tag(field, 5);
                self.out.extend_from_slice(&value.to_le_bytes());
            }
            Kind::Uint32 => {
                let Ok(value) = u32::try_from(value) else { return false };
                self.tag(field, 0);
                self.varint(u64::from(value));
            }
            Kind::Sint32 => {
                let Ok(value) = i32::try_from(value) else { return false };
                self.tag(field, 0);
                self.varint(u64::from((value << 1 ^ value >> 31) as u32));
            }
            Kind::Enum(_) => {
                let Ok(value) = i32::try_from(value) else { return false };
                self.tag(field, 0);
                self.varint(i64::from(value) as u64);
            }
            _ => return false,
        }
        true
    }

    /// Begins a message of unknown length: most need one byte to tell it.
    fn begin(&mut self, field: &FieldType) -> usize {
        self.tag(field, 2);
        self.out.push(0);
        self.out.len()
    }

    /// Ends the message that began at `start`.
    fn end(&mut self, start: usize) {
        let len = self.out.len() - start;
        if len < 0x80 {
            self.out[start - 1] = len as u8;
            return;
        }
        let end = self.out.len();
        self.varint(len as u64);
        let extra = self.out.len() - end - 1;
        let mut prefix = [0; 10];
        prefix[..=extra].copy_from_slice(&self.out[end..]);
        self.out.truncate(end + extra);
        self.out.copy_within(start..end, start + extra);
        self.out[start - 1..start + extra].copy_from_slice(&prefix[..=extra]);
    }
}

/// An object that is a message.
struct MessageFields<'w> {
    writer: &'w mut Writer,
    message: &'static MessageType,
}

impl<'de> Visitor<'de> for MessageFields<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a JSON object ({})", self.message.name)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key_seed(Key(self.message))? {
            let Some(field) = field else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            self.writer.path.push(Segment::Field(field.json_name));
            map.next_value_seed(FieldValue { writer: self.writer, field, within_list: false })?;
            self.writer.path.pop();
        }
        Ok(())
    }
}

/// The field that a key stands for; `None` when it is unknown.
struct Key(&'static MessageType);

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<&'static FieldType>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<&'static FieldType>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field name")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.fields.iter().find(|field| field.json_name == key || field.proto_name == key))
    }
}

/// The value of a field, or one item of a repeated field's list.
struct FieldValue<'w> {
    writer: &'w mut Writer,
    field: &'static FieldType,
    within_list: bool,
}

impl<'de> DeserializeSeed<'de> for FieldValue<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl FieldValue<'_> {
    fn is_list(&self) -> bool {
        self.field.repeated && !self.within_list
    }

    fn integer<E: Error>(self, value: i128, unexpected: Unexpected<'_>) -> Result<(), E> {
        match self.field.kind {
            _ if self.is_list() => return Err(E::invalid_type(unexpected, &self)),
            Kind::Text | Kind::Hex | Kind::Base64 | Kind::Bool | Kind::Message(_) => {
                return Err(E::invalid_type(unexpected, &self));
            }
            Kind::Double => {
                self.writer.fixed64(self.field, (value as f64).to_bits());
                return Ok(());
            }
            _ => {}
        }
        if self.writer.integer(self.field, value) { Ok(()) } else { Err(E::invalid_value(unexpected, &self)) }
    }
}

impl<'de> Visitor<'de> for FieldValue<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_list() {
            return f.write_str("a list");
        }
        match self.field.kind {
            Kind::Text => f.write_str("a string"),
            Kind::Hex => f.write_str("a string of hex digits"),
            Kind::Base64 => f.write_str("a string in base64"),
            Kind::Bool => f.write_str("a boolean"),
            Kind::Int64 | Kind::Sfixed64 => f.write_str("a signed 64-bit integer, as a string or a number"),
            Kind::Uint64 | Kind::Fixed64 => f.write_str("an unsigned 64-bit integer, as a string or a number"),
            Kind::Uint32 | Kind::Fixed32 => f.write_str("an unsigned 32-bit integer"),
            Kind::Sint32 => f.write_str("a signed 32-bit integer"),
            Kind::Double => f.write_str("a number, \"NaN\", \"Infinity\" or \"-Infinity\""),
            Kind::Enum(names) => write!(f, "a number or a name such as {}", names[0]),
            Kind::Message(message) => write!(f, "a JSON object ({})", message.name),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if self.within_list { Err(E::invalid_type(Unexpected::Unit, &self)) } else { Ok(()) }
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        if self.is_list() || !matches!(self.field.kind, Kind::Bool) {
            return Err(E::invalid_type(Unexpected::Bool(value), &self));
        }
        self.writer.tag(self.field, 0);
        self.writer.out.push(u8::from(value));
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.integer(i128::from(value), Unexpected::Signed(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.integer(i128::from(value), Unexpected::Unsigned(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if !self.is_list() && matches!(self.field.kind, Kind::Double) {
            self.writer.fixed64(self.field, value.to_bits());
            return Ok(());
        }
        if value.fract() == 0.0 && value.abs() < 1e19 {
            return self.integer(value as i128, Unexpected::Float(value));
        }
        Err(E::invalid_type(Unexpected::Float(value), &self))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let invalid = |this: &Self| E::invalid_value(Unexpected::Str(text), this);
        if self.is_list() {
            return Err(E::invalid_type(Unexpected::Str(text), &self));
        }
        match self.field.kind {
            Kind::Text => self.writer.bytes(self.field, text.as_bytes()),
            Kind::Hex => {
                let bytes = hex(text).ok_or_else(|| invalid(&self))?;
                self.writer.bytes(self.field, &bytes);
            }
            Kind::Base64 => {
                let standard: String = text
                    .chars()
                    .map(|c| {
                        if c == '-' {
                            '+'
                        } else if c == '_' {
                            '/'
                        } else {
                            c
                        }
                    })
                    .collect();
                let bytes = BASE64.decode(standard).map_err(|_| invalid(&self))?;
                self.writer.bytes(self.field, &bytes);
            }
            Kind::Double => {
                let value = double(text).ok_or_else(|| invalid(&self))?;
                self.writer.fixed64(self.field, value.to_bits());
            }
            Kind::Enum(names) => {
                let number = match names.iter().position(|name| *name == text) {
                    Some(number) => number as i128,
                    None => text.parse().map_err(|_| invalid(&self))?,
                };
                return self.integer(number, Unexpected::Str(text));
            }
            Kind::Bool | Kind::Message(_) => return Err(E::invalid_type(Unexpected::Str(text), &self)),
            _ => {
                let value = text.parse().map_err(|_| invalid(&self))?;
                return self.integer(value, Unexpected::Str(text));
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if !self.is_list() {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        let mut index = 0;
        loop {
            self.writer.path.push(Segment::Index(index));
            let item = FieldValue { writer: self.writer, field: self.field, within_list: true };
            let more = seq.next_element_seed(item)?;
            self.writer.path.pop();
            if more.is_none() {
                return Ok(());
            }
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Kind::Message(message) = self.field.kind else {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        };
        if self.is_list() {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        }
        let is_value = std::ptr::eq(message, &raw const ANY_VALUE);
        self.writer.value_depth += u32::from(is_value);
        if self.writer.value_depth > MAX_DEPTH {
            return Err(A::Error::custom(TOO_DEEP));
        }
        let start = self.writer.begin(self.field);
        MessageFields { writer: self.writer, message }.visit_map(map)?;
        self.writer.end(start);
        self.writer.value_depth -= u32::from(is_value);
        Ok(())
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let digit = |digit: u8| (digit as char).to_digit(16).map(|value| value as u8);
    digits.len().is_multiple_of(2).then_some(())?;
    digits.chunks_exact(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect()
}

fn double(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // Rust reads more names of these than JSON has.
        _ if text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte)) => text.parse().ok(),
        _ => None,
    }
}
