//! Reading the protobuf wire format field by field (<https://protobuf.dev/programming-guides/encoding/>).
//!
//! Rules follow what parsers must accept: fields in any order, unknown fields (groups too) skipped,
//! singular fields repeated with the last one winning, packed and unpacked lists alike.

use glasshouse_tables::ports::DecodeError;

/// Deepest nesting of groups in unknown fields.
const MAX_GROUP_DEPTH: u32 = 100;

/// The bytes are not protobuf, or not of the message that was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub what: &'static str,
    /// Byte offset in the request.
    pub at: usize,
}

impl From<Malformed> for DecodeError {
    fn from(malformed: Malformed) -> Self {
        Self { what: malformed.what.to_owned(), place: format!("byte {}", malformed.at) }
    }
}

pub(crate) type Result<T, E = Malformed> = std::result::Result<T, E>;

/// A message that is being read. It knows where in the request it stands, for errors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Message<'a> {
    /// The request up to the end of this message.
    request: &'a [u8],
    at: usize,
}

/// Number and wire type of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(u32);

const VARINT: u32 = 0;
const FIXED64: u32 = 1;
const LENGTH_DELIMITED: u32 = 2;
const START_GROUP: u32 = 3;
const END_GROUP: u32 = 4;
const FIXED32: u32 = 5;

impl Tag {
    /// The field's number.
    #[inline]
    pub fn field(self) -> u32 {
        self.0 >> 3
    }

    fn wire_type(self) -> u32 {
        self.0 & 7
    }
}

impl<'a> Message<'a> {
    pub fn new(request: &'a [u8]) -> Self {
        Self { request, at: 0 }
    }

    /// What is left of the message.
    pub fn remaining(&self) -> &'a [u8] {
        &self.request[self.at..]
    }

    pub fn malformed(&self, what: &'static str) -> Malformed {
        Malformed { what, at: self.at }
    }

    /// The next field's tag; `None` at the end of the message.
    #[inline]
    pub fn tag(&mut self) -> Result<Option<Tag>> {
        if self.at == self.request.len() {
            return Ok(None);
        }
        let start = self.at;
        let tag =
            u32::try_from(self.raw_varint()?).map_err(|_| Malformed { what: "field tag too large", at: start })?;
        if tag >> 3 == 0 {
            return Err(Malformed { what: "field number 0", at: start });
        }
        Ok(Some(Tag(tag)))
    }

    #[inline]
    fn expect(&self, tag: Tag, wire_type: u32) -> Result<()> {
        if tag.wire_type() == wire_type { Ok(()) } else { Err(self.malformed("field of the wrong wire type")) }
    }

    #[inline]
    fn raw_varint(&mut self) -> Result<u64> {
        match self.request.get(self.at) {
            Some(&byte) if byte < 0x80 => {
                self.at += 1;
                Ok(u64::from(byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64> {
        let mut value = 0;
        for (i, &byte) in self.remaining().iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * i);
            if byte < 0x80 {
                if i == 9 && byte > 1 {
                    return Err(self.malformed("varint of more than 64 bits"));
                }
                self.at += i + 1;
                return Ok(value);
            }
        }
        Err(self.malformed(if self.remaining().len() < 10 {
            "message ends within a varint"
        } else {
            "varint of more than 64 bits"
        }))
    }

    #[inline]
    fn raw_fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = *self
            .remaining()
            .first_chunk::<N>()
            .ok_or_else(|| self.malformed("message ends within a fixed-size field"))?;
        self.at += N;
        Ok(bytes)
    }

    #[inline]
    fn raw_message(&mut self) -> Result<Message<'a>> {
        let len = self.raw_varint()?;
        let end = usize::try_from(len)
            .ok()
            .and_then(|len| self.at.checked_add(len))
            .filter(|end| *end <= self.request.len())
            .ok_or_else(|| self.malformed("field is longer than its message"))?;
        let inner = Message { request: &self.request[..end], at: self.at };
        self.at = end;
        Ok(inner)
    }

    #[inline]
    pub fn varint(&mut self, tag: Tag) -> Result<u64> {
        self.expect(tag, VARINT)?;
        self.raw_varint()
    }

    /// A `uint32`, an enum or another varint of which the low 32 bits count.
    #[inline]
    pub fn uint32(&mut self, tag: Tag) -> Result<u32> {
        Ok(self.varint(tag)? as u32)
    }

    /// A `sint32`.
    pub fn sint32(&mut self, tag: Tag) -> Result<i32> {
        let value = self.uint32(tag)?;
        Ok((value >> 1) as i32 ^ -((value & 1) as i32))
    }

    #[inline]
    pub fn fixed32(&mut self, tag: Tag) -> Result<u32> {
        self.expect(tag, FIXED32)?;
        Ok(u32::from_le_bytes(self.raw_fixed()?))
    }

    #[inline]
    pub fn fixed64(&mut self, tag: Tag) -> Result<u64> {
        self.expect(tag, FIXED64)?;
        Ok(u64::from_le_bytes(self.raw_fixed()?))
    }

    pub fn double(&mut self, tag: Tag) -> Result<f64> {
        Ok(f64::from_bits(self.fixed64(tag)?))
    }

    #[inline]
    pub fn message(&mut self, tag: Tag) -> Result<Message<'a>> {
        self.expect(tag, LENGTH_DELIMITED)?;
        self.raw_message()
    }

    #[inline]
    pub fn bytes(&mut self, tag: Tag) -> Result<&'a [u8]> {
        Ok(self.message(tag)?.remaining())
    }

    #[inline]
    pub fn text(&mut self, tag: Tag) -> Result<&'a str> {
        let inner = self.message(tag)?;
        str::from_utf8(inner.remaining()).map_err(|_| inner.malformed("text is not UTF-8"))
    }

    /// Items of a `repeated fixed64` (or `double`, by its bits), packed or not.
    pub fn repeated_fixed64(&mut self, tag: Tag, mut item: impl FnMut(u64)) -> Result<()> {
        if tag.wire_type() != LENGTH_DELIMITED {
            item(self.fixed64(tag)?);
            return Ok(());
        }
        let mut packed = self.raw_message()?;
        while !packed.remaining().is_empty() {
            item(u64::from_le_bytes(packed.raw_fixed()?));
        }
        Ok(())
    }

    /// Items of a `repeated uint64`, packed or not.
    pub fn repeated_varint(&mut self, tag: Tag, mut item: impl FnMut(u64)) -> Result<()> {
        if tag.wire_type() != LENGTH_DELIMITED {
            item(self.varint(tag)?);
            return Ok(());
        }
        let mut packed = self.raw_message()?;
        while !packed.remaining().is_empty() {
            item(packed.raw_varint()?);
        }
        Ok(())
    }

    /// Passes over a field that is not known.
    pub fn skip(&mut self, tag: Tag) -> Result<()> {
        self.skip_nested(tag, 0)
    }

    fn skip_nested(&mut self, tag: Tag, depth: u32) -> Result<()> {
        match tag.wire_type() {
            VARINT => self.raw_varint().map(drop),
            FIXED64 => self.raw_fixed::<8>().map(drop),
            LENGTH_DELIMITED => self.raw_message().map(drop),
            FIXED32 => self.raw_fixed::<4>().map(drop),
            START_GROUP if depth < MAX_GROUP_DEPTH => {
                while let Some(inner) = self.tag()? {
                    if inner.wire_type() == END_GROUP {
                        return if inner.field() == tag.field() {
                            Ok(())
                        } else {
                            Err(self.malformed("end of a group that did not begin"))
                        };
                    }
                    self.skip_nested(inner, depth + 1)?;
                }
                Err(self.malformed("message ends within a group"))
            }
            START_GROUP => Err(self.malformed("groups nested more than 100 deep")),
            END_GROUP => Err(self.malformed("end of a group that did not begin")),
            _ => Err(self.malformed("unknown wire type")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<u32>> {
        let mut message = Message::new(bytes);
        let mut seen = Vec::new();
        while let Some(tag) = message.tag()? {
            seen.push(tag.field());
            message.skip(tag)?;
        }
        Ok(seen)
    }

    #[test]
    fn unknown_fields_of_every_wire_type_are_skipped() {
        let mut bytes = vec![0x08, 0x96, 0x01]; // 1: varint 150
        bytes.extend([0x11, 0, 0, 0, 0, 0, 0, 0, 0]); // 2: fixed64
        bytes.extend([0x1a, 2, b'a', b'b']); // 3: bytes
        bytes.extend([0x23, 0x08, 1, 0x2b, 0x2c, 0x24]); // 4: group holding a varint and an empty group 5
        bytes.extend([0x35, 0, 0, 0, 0]); // 6: fixed32
        assert_eq!(fields(&bytes), Ok(vec![1, 2, 3, 4, 6]));
    }

    #[test]
    fn malformed_bytes_say_what_and_where() {
        let check = |bytes: &[u8], what: &'static str, at: usize| {
            assert_eq!(fields(bytes), Err(Malformed { what, at }), "{bytes:x?}");
        };
        check(&[0x00], "field number 0", 0);
        check(&[0x08], "message ends within a varint", 1);
        check(&[0x08, 0x80], "message ends within a varint", 1);
        check(&[0x08, 255, 255, 255, 255, 255, 255, 255, 255, 255, 2], "varint of more than 64 bits", 1);
        check(&[0x11, 0, 0], "message ends within a fixed-size field", 1);
        check(&[0x08, 0, 0x1a, 3, 0, 0], "field is longer than its message", 4);
        check(&[0x0c], "end of a group that did not begin", 1);
        check(&[0x0b, 0x14], "end of a group that did not begin", 2);
        check(&[0x0b, 0x08, 0], "message ends within a group", 3);
        check(&[0x0e], "unknown wire type", 1);
        check(&[255, 255, 255, 255, 255, 1], "field tag too large", 0);
        check(&[0x0b; 200], "groups nested more than 100 deep", 101);
    }
}
