//! Protobuf, written forwards into one buffer.

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

    pub fn varint(&mut self, field: u32, value: u64) {
        self.raw_varint(u64::from(field << 3));
        self.raw_varint(value);
    }

    /// An `int32`, `int64` or enum.
    pub fn int(&mut self, field: u32, value: i64) {
        self.varint(field, value as u64);
    }

    pub fn fixed64(&mut self, field: u32, value: u64) {
        self.raw_varint(u64::from(field << 3 | 1));
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub fn double(&mut self, field: u32, value: f64) {
        self.fixed64(field, value.to_bits());
    }

    pub fn text(&mut self, field: u32, text: &str) {
        self.text_bytes(field, text.as_bytes());
    }

    /// A string, as UTF-8. Trace processor ends texts at NUL, and takes what follows for the next one.
    pub fn text_bytes(&mut self, field: u32, text: &[u8]) {
        if text.contains(&0) {
            let parts: Vec<&[u8]> = text.split(|byte| *byte == 0).collect();
            self.raw_bytes(field, &parts.join("\u{2400}".as_bytes()));
        } else {
            self.raw_bytes(field, text);
        }
    }

    /// Bytes, or a message that is written already.
    pub fn raw_bytes(&mut self, field: u32, bytes: &[u8]) {
        self.raw_varint(u64::from(field << 3 | 2));
        self.raw_varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    /// A nested message of a few numbers, written by `write`: no more than [`Short::SPACE`] bytes.
    #[inline]
    pub fn short(&mut self, field: u32, write: impl FnOnce(&mut Short)) {
        let mut message = Short { bytes: [0; Short::SPACE], len: 0 };
        write(&mut message);
        self.raw_varint(u64::from(field << 3 | 2));
        self.0.push(message.len as u8);
        self.0.extend_from_slice(&message.bytes[..message.len]);
    }

    /// A nested message, written by `write`.
    pub fn nested<R>(&mut self, field: u32, write: impl FnOnce(&mut Self) -> R) -> R {
        self.raw_varint(u64::from(field << 3 | 2));
        let at = self.0.len();
        // One byte suffices for most; the message moves a little when it does not.
        self.0.push(0);
        let written = write(self);
        let len = self.0.len() - at - 1;
        if len < 0x80 {
            self.0[at] = len as u8;
        } else {
            let mut length = [0; 10];
            let bytes = encode_varint(len as u64, &mut length);
            self.0.splice(at..=at, length[..bytes].iter().copied());
        }
        written
    }

    #[inline]
    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}

/// A message that is made apart from the others.
pub(crate) struct Short {
    bytes: [u8; Self::SPACE],
    len: usize,
}

impl Short {
    /// Two numbers of ten bytes, with their fields.
    pub const SPACE: usize = 32;

    #[inline]
    pub fn varint(&mut self, field: u32, value: u64) {
        self.raw_varint(u64::from(field << 3));
        self.raw_varint(value);
    }

    #[inline]
    pub fn double(&mut self, field: u32, value: f64) {
        self.raw_varint(u64::from(field << 3 | 1));
        self.bytes[self.len..self.len + 8].copy_from_slice(&value.to_le_bytes());
        self.len += 8;
    }

    #[inline]
    fn raw_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes[self.len] = value as u8 | 0x80;
            self.len += 1;
            value >>= 7;
        }
        self.bytes[self.len] = value as u8;
        self.len += 1;
    }
}

fn encode_varint(mut value: u64, out: &mut [u8; 10]) -> usize {
    let mut len = 0;
    while value >= 0x80 {
        out[len] = value as u8 | 0x80;
        value >>= 7;
        len += 1;
    }
    out[len] = value as u8;
    len + 1
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
