//! Attributes of OTLP messages. What arrives in canonical form, which is what every SDK sends, is copied
//! as it is after one look at each byte; the rest (fields repeated or unknown) is merged as protobuf
//! demands and written anew.

use glasshouse_model::{Attributes, Value};
use glasshouse_tables::attributes::{PackedWriter, ValueRef, get};

use crate::wire::{Message, Result};

/// Deepest nesting of a value, the outermost one counted.
pub(crate) const MAX_DEPTH: u32 = 32;
/// What a value of more than [`MAX_DEPTH`] is refused with.
pub(super) const TOO_DEEP: &str = "attribute value nested more than 32 deep";

/// Largest message that is merged and written anew: in between it takes many times its bytes.
const MAX_MERGED: usize = 1 << 20;

/// Adds a `KeyValue` message to packed attributes and gives its key.
#[inline]
pub(super) fn push<'a>(message: Message<'a>, out: &mut PackedWriter) -> Result<&'a [u8]> {
    let ascii = message.remaining().is_ascii();
    if let (true, Some(key)) = (ascii, short_text(message.remaining())) {
        out.push_key_value(message.remaining());
        return Ok(key);
    }
    if let Some(key) = canonical_key_value(message, ascii, 1)? {
        out.push_key_value(message.remaining());
        return Ok(key);
    }
    let (key, value) = merged_key_value(message)?;
    out.push(key, &value);
    Ok(key.as_bytes())
}

/// The key when the message is what most are: a key, then a text, both shorter than 128 bytes.
#[inline]
fn short_text(key_value: &[u8]) -> Option<&[u8]> {
    let [0x0a, key_len @ ..0x80, rest @ ..] = key_value else { return None };
    let (key, [0x12, value_len @ ..0x80, 0x0a, text_len @ ..0x80, text @ ..]) =
        rest.split_at_checked(usize::from(*key_len))?
    else {
        return None;
    };
    (text.len() == usize::from(*text_len) && text.len() + 2 == usize::from(*value_len)).then_some(key)
}

/// Checks a `KeyValue` message of which nothing is kept.
pub(super) fn check(message: Message<'_>) -> Result<()> {
    if canonical_key_value(message, message.remaining().is_ascii(), 1)?.is_none() {
        merged_key_value(message)?;
    }
    Ok(())
}

/// Reads a message in which fields are repeated or unknown.
fn merged_key_value(message: Message<'_>) -> Result<(&str, Value)> {
    check_size(&message)?;
    key_value(message, 1)
}

fn check_size(message: &Message<'_>) -> Result<()> {
    if message.remaining().len() > MAX_MERGED {
        return Err(message.malformed("attribute of more than 1 MiB that repeats fields or has unknown ones"));
    }
    Ok(())
}

/// The value of a singular `AnyValue` field, from all its occurrences.
#[derive(Debug, Default)]
pub(super) enum AnyValue<'a> {
    #[default]
    Absent,
    /// In canonical form.
    Whole(Message<'a>),
    Merged(Value),
}

impl<'a> AnyValue<'a> {
    /// Reads an occurrence over the earlier ones.
    pub fn merge(&mut self, message: Message<'a>) -> Result<()> {
        let canonical = canonical_any_value(message, message.remaining().is_ascii(), 1)?;
        let mut value = match std::mem::take(self) {
            Self::Absent if canonical => {
                *self = Self::Whole(message);
                return Ok(());
            }
            Self::Absent => Value::Empty,
            Self::Whole(first) => {
                check_size(&first)?;
                let mut value = Value::Empty;
                merge_any_value(&mut value, first, 1)?;
                value
            }
            Self::Merged(value) => value,
        };
        check_size(&message)?;
        merge_any_value(&mut value, message, 1)?;
        *self = Self::Merged(value);
        Ok(())
    }

    /// The value; `scratch` holds it when it had to be written anew.
    pub fn read<'s>(&'s self, scratch: &'s mut PackedWriter) -> ValueRef<'s> {
        match self {
            Self::Absent => ValueRef::Empty,
            Self::Whole(message) => ValueRef::from_any_value(message.remaining()),
            Self::Merged(value) => {
                scratch.clear();
                scratch.push("", value);
                get(scratch.packed(), "").unwrap_or(ValueRef::Empty)
            }
        }
    }
}

/// The key when the message holds known fields only, each at most once; `None` otherwise.
/// `ascii`: all its bytes are ASCII, hence all its texts valid UTF-8.
#[inline]
fn canonical_key_value(mut message: Message<'_>, ascii: bool, depth: u32) -> Result<Option<&[u8]>> {
    let mut key = None;
    let mut has_value = false;
    while let Some(tag) = message.tag()? {
        match tag.field() {
            1 if key.is_none() => {
                key = Some(if ascii { message.bytes(tag)? } else { message.text(tag)?.as_bytes() });
            }
            2 if !has_value => {
                has_value = true;
                if !canonical_any_value(message.message(tag)?, ascii, depth)? {
                    return Ok(None);
                }
            }
            _ => return Ok(None),
        }
    }
    Ok(Some(key.unwrap_or_default()))
}

#[inline]
fn canonical_any_value(mut message: Message<'_>, ascii: bool, depth: u32) -> Result<bool> {
    check_depth(&message, depth)?;
    let Some(tag) = message.tag()? else { return Ok(true) };
    match tag.field() {
        1 if !ascii => drop(message.text(tag)?),
        1 | 7 => drop(message.bytes(tag)?),
        2 | 3 => drop(message.varint(tag)?),
        4 => drop(message.fixed64(tag)?),
        entries @ (5 | 6) => {
            let inner = message.message(tag)?;
            if !canonical_values(inner, entries == 6, ascii, depth)? {
                return Ok(false);
            }
        }
        _ => return Ok(false),
    }
    Ok(message.remaining().is_empty())
}

/// Items of an `ArrayValue`, or entries of a `KeyValueList`.
fn canonical_values(mut message: Message<'_>, entries: bool, ascii: bool, depth: u32) -> Result<bool> {
    while let Some(tag) = message.tag()? {
        if tag.field() != 1 {
            return Ok(false);
        }
        let inner = message.message(tag)?;
        let canonical = if entries {
            canonical_key_value(inner, ascii, depth + 1)?.is_some()
        } else {
            canonical_any_value(inner, ascii, depth + 1)?
        };
        if !canonical {
            return Ok(false);
        }
    }
    Ok(true)
}

fn check_depth(message: &Message<'_>, depth: u32) -> Result<()> {
    if depth > MAX_DEPTH { Err(message.malformed(TOO_DEEP)) } else { Ok(()) }
}

fn key_value(mut message: Message<'_>, depth: u32) -> Result<(&str, Value)> {
    let mut key = "";
    let mut value = Value::Empty;
    while let Some(tag) = message.tag()? {
        match tag.field() {
            1 => key = message.text(tag)?,
            2 => merge_any_value(&mut value, message.message(tag)?, depth)?,
            // A reference into the dictionary of profiles; other signals have none.
            3 => drop(message.varint(tag)?),
            _ => message.skip(tag)?,
        }
    }
    Ok((key, value))
}

/// Reads an `AnyValue` over what earlier occurrences of the same field said.
fn merge_any_value(value: &mut Value, mut message: Message<'_>, depth: u32) -> Result<()> {
    check_depth(&message, depth)?;
    while let Some(tag) = message.tag()? {
        match tag.field() {
            1 => *value = Value::String(message.text(tag)?.to_owned()),
            2 => *value = Value::Bool(message.varint(tag)? != 0),
            3 => *value = Value::Int(message.varint(tag)? as i64),
            4 => *value = Value::Double(message.double(tag)?),
            5 => {
                if !matches!(value, Value::Array(_)) {
                    *value = Value::Array(Vec::new());
                }
                if let Value::Array(items) = value {
                    merge_array(items, message.message(tag)?, depth + 1)?;
                }
            }
            6 => {
                if !matches!(value, Value::Map(_)) {
                    *value = Value::Map(Attributes::default());
                }
                if let Value::Map(entries) = value {
                    merge_map(entries, message.message(tag)?, depth + 1)?;
                }
            }
            7 => *value = Value::Bytes(message.bytes(tag)?.to_owned()),
            // A reference into the dictionary of profiles; other signals have none.
            8 => {
                message.varint(tag)?;
                *value = Value::Empty;
            }
            _ => message.skip(tag)?,
        }
    }
    Ok(())
}

fn merge_array(items: &mut Vec<Value>, mut array: Message<'_>, depth: u32) -> Result<()> {
    while let Some(tag) = array.tag()? {
        if tag.field() == 1 {
            let mut item = Value::Empty;
            merge_any_value(&mut item, array.message(tag)?, depth)?;
            items.push(item);
        } else {
            array.skip(tag)?;
        }
    }
    Ok(())
}

fn merge_map(entries: &mut Attributes, mut map: Message<'_>, depth: u32) -> Result<()> {
    while let Some(tag) = map.tag()? {
        if tag.field() == 1 {
            let (key, value) = key_value(map.message(tag)?, depth)?;
            entries.0.push((key.to_owned(), value));
        } else {
            map.skip(tag)?;
        }
    }
    Ok(())
}
