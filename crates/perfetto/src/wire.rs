//! Protobuf, written forwards into one buffer.

use std::borrow::Cow;

/// A growing message. Fields are written as they are called; nested messages by [`Message::nested`].
#[derive(Debug, Default)]
pub(crate) struct Message(Vec<u8>);

impl Message {
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn take(&mut self) -> Vec<u8> {
        let capacity = self.0.capacity();
        std::mem::replace(&mut self.0, Vec::with_capacity(capacity))
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    #[inline]
    pub fn varint(&mut self, field: u32, value: u64) {
        self.append(Short::default().varint(field, value));
    }

    /// An `int32`, `int64` or enum.
    pub fn int(&mut self, field: u32, value: i64) {
        self.varint(field, value as u64);
    }

    #[inline]
    pub fn fixed64(&mut self, field: u32, value: u64) {
        self.append(Short::default().fixed64(field, value));
    }

    pub fn double(&mut self, field: u32, value: f64) {
        self.fixed64(field, value.to_bits());
    }

    pub fn text(&mut self, field: u32, text: &str) {
        self.text_bytes(field, text.as_bytes());
    }

    /// A string, as UTF-8.
    pub fn text_bytes(&mut self, field: u32, text: &[u8]) {
        self.raw_bytes(field, &without_nul(text));
    }

    /// Bytes, or a message that is written already.
    pub fn raw_bytes(&mut self, field: u32, bytes: &[u8]) {
        self.append(Short::default().length(field, bytes.len()));
        self.0.extend_from_slice(bytes);
    }

    /// Fields that are made already.
    #[inline]
    pub fn append(&mut self, Short { bytes, len }: Short) {
        let len = self.0.len() + len as usize;
        // To copy all of it is quicker than to copy a number of bytes that is not known.
        self.0.extend_from_slice(&bytes.to_le_bytes());
        self.0.truncate(len);
    }

    /// Fields that were kept.
    #[inline]
    pub fn append_kept(&mut self, kept: &Kept) {
        let len = self.0.len() + kept.len();
        self.0.extend_from_slice(&kept.0);
        self.0.truncate(len);
    }

    /// Sixteen digits, or what else is of this length.
    #[inline]
    pub fn raw<const N: usize>(&mut self, bytes: &[u8; N]) {
        self.0.extend_from_slice(bytes);
    }

    /// A nested message of fields that are made already, with a string as the last.
    #[inline]
    pub fn with_text(&mut self, field: u32, before: Short, text_field: u32, text: &[u8]) {
        self.with_clean_text(field, before, text_field, &without_nul(text));
    }

    /// The same with a string that has no NUL.
    #[inline]
    pub fn with_clean_text(&mut self, field: u32, before: Short, text_field: u32, text: &[u8]) {
        let before = before.length(text_field, text.len());
        self.append(Short::default().length(field, before.len() + text.len()));
        self.append(before);
        self.0.extend_from_slice(text);
    }

    /// A nested message, written by `write`.
    pub fn nested<R>(&mut self, field: u32, write: impl FnOnce(&mut Self) -> R) -> R {
        let nested = self.open(field);
        let written = write(self);
        self.close(nested);
        written
    }

    /// Begins a nested message, which is what is written until it is closed.
    #[inline]
    pub fn open(&mut self, field: u32) -> Nested {
        // A length of two bytes, to be told.
        self.append(Short::default().length(field, 0).raw(0, 1));
        Nested { at: self.0.len() }
    }

    #[inline]
    pub fn close(&mut self, Nested { at }: Nested) {
        let len = self.0.len() - at;
        // There is room for a length of two bytes.
        if let Ok(len @ ..0x80) = u8::try_from(len) {
            self.0[at - 2] = len;
            self.0.copy_within(at.., at - 1);
            self.0.pop();
        } else if len < 1 << 14 {
            self.0[at - 2] = len as u8 | 0x80;
            self.0[at - 1] = (len >> 7) as u8;
        } else {
            let length = Short::default().raw_varint(len as u64);
            self.0.splice(at - 2..at, length.bytes.to_le_bytes().into_iter().take(length.len as usize));
        }
    }
}

/// A nested message that is being written: where it begins.
#[derive(Debug)]
#[must_use]
pub(crate) struct Nested {
    at: usize,
}

/// A few fields, no longer than fifteen bytes. They are made in a register: a processor waits long for bytes that were
/// stored one by one when it is to load them together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Short {
    bytes: u128,
    /// How many bytes.
    len: u32,
}

impl Short {
    #[inline]
    pub fn varint(self, field: u32, value: u64) -> Self {
        self.raw_varint(u64::from(field << 3)).raw_varint(value)
    }

    #[inline]
    pub fn fixed64(self, field: u32, value: u64) -> Self {
        self.raw_varint(u64::from(field << 3 | 1)).raw(value, 8)
    }

    /// The field of a string, bytes or a message, and how many bytes it has: they come next.
    #[inline]
    pub fn length(self, field: u32, len: usize) -> Self {
        self.raw_varint(u64::from(field << 3 | 2)).raw_varint(len as u64)
    }

    /// A string of at most four bytes; `None` when it is longer or has a NUL.
    pub fn short_text(self, field: u32, text: &[u8]) -> Option<Self> {
        let mut bytes = [0; 4];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        let is_clean = !text.contains(&0);
        is_clean.then(|| self.length(field, text.len()).raw(u32::from_le_bytes(bytes).into(), text.len() as u32))
    }

    /// A message of these fields. They may not be more than thirteen bytes.
    #[inline]
    pub fn nested(self, field: u32) -> Self {
        Self::default().length(field, self.len()).followed_by(self)
    }

    /// These fields and then others.
    #[inline]
    pub fn followed_by(self, next: Self) -> Self {
        debug_assert!(self.len + next.len <= 15, "too long to be short");
        Self { bytes: self.bytes | next.bytes << (8 * self.len), len: self.len + next.len }
    }

    pub fn len(self) -> usize {
        self.len as usize
    }

    #[inline]
    fn raw(self, bytes: u64, count: u32) -> Self {
        debug_assert!(self.len + count <= 15, "too long to be short");
        Self { bytes: self.bytes | u128::from(bytes) << (8 * self.len), len: self.len + count }
    }

    #[inline]
    fn raw_varint(self, mut value: u64) -> Self {
        let mut written = self;
        while value >= 0x80 {
            written = written.raw(value & 0x7f | 0x80, 1);
            value >>= 7;
        }
        written.raw(value, 1)
    }
}

/// A [`Short`] to be written again: its length is in the last byte.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Kept([u8; 16]);

impl Kept {
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn len(&self) -> usize {
        self.0[15].into()
    }
}

impl From<Short> for Kept {
    #[inline]
    fn from(short: Short) -> Self {
        Self((short.bytes | u128::from(short.len) << 120).to_le_bytes())
    }
}

/// Trace processor ends texts at NUL, and takes what follows for the next one.
#[inline]
fn without_nul(text: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(0, text).is_none() {
        return text.into();
    }
    let parts: Vec<&[u8]> = text.split(|byte| *byte == 0).collect();
    parts.join("\u{2400}".as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::message::Trace;

    #[test]
    fn lengths_of_every_size_are_right() {
        for len in [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 3_000_000] {
            let text = "x".repeat(len);
            let mut message = Message::default();
            message.nested(1, |packet| {
                packet.varint(8, 7);
                packet.nested(60, |track| track.text(2, &text));
            });
            let trace = Trace::decode(message.bytes()).unwrap();
            let packet = &trace.packet[0];
            assert_eq!(packet.timestamp, Some(7));
            assert_eq!(packet.track_descriptor.as_ref().unwrap().name.as_deref(), Some(text.as_str()), "{len}");
        }
    }
}
