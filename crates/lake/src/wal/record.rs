//! Layout of segments and records, version 1. All numbers are little-endian.
//!
//! A segment begins with 32 bytes: `GLASSWAL`, version u32, crc32c u32 of the 16 bytes that follow, first
//! sequence u64, salt u64. Records follow, each 48 bytes and a body:
//!
//! | bytes | what |
//! |---|---|
//! | 0–3 | length of the body |
//! | 4–7 | crc32c of the body, bytes 0–3, bytes 8–47 and the segment's salt, in this order |
//! | 8 | version of the record, 1 |
//! | 9 | format of the body ([`WireFormat`]) |
//! | 10–15 | zero |
//! | 16–23 | sequence |
//! | 24–31 | when the request arrived, nanoseconds since the Unix epoch |
//! | 32–47 | xxh3-128 of format and body |
//!
//! The salt is random, so bytes that a sender puts into a body can never pass for a record.

use glasshouse_model::Timestamp;
use glasshouse_tables::ports::WireFormat;
use xxhash_rust::xxh3::Xxh3;

pub(crate) const SEGMENT_HEADER: usize = 32;
pub(crate) const RECORD_HEADER: usize = 48;
const MAGIC: &[u8; 8] = b"GLASSWAL";
const VERSION: u8 = 1;

/// Identifies a request by its content.
pub(crate) type ContentHash = u128;

/// The beginning of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SegmentHeader {
    /// Sequence of its first record.
    pub first_sequence: u64,
    /// Makes this segment's checksums its own.
    pub salt: u64,
}

/// Why bytes do not begin a segment that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SegmentHeaderError {
    #[error("the segment is shorter than its header")]
    Short,
    #[error("the segment does not begin as a write-ahead log does")]
    Magic,
    #[error("the segment has format version {0}, which this program does not know")]
    Version(u32),
    #[error("the segment's header is damaged")]
    Checksum,
}

/// What a record says of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordHeader {
    pub format: WireFormat,
    pub sequence: u64,
    pub received: Timestamp,
    pub hash: ContentHash,
}

impl SegmentHeader {
    pub(crate) fn encode(self) -> [u8; SEGMENT_HEADER] {
        let mut bytes = [0; SEGMENT_HEADER];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&u32::from(VERSION).to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_sequence.to_le_bytes());
        bytes[24..].copy_from_slice(&self.salt.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[16..]);
        bytes[12..16].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, SegmentHeaderError> {
        let bytes: &[u8; SEGMENT_HEADER] = bytes.first_chunk().ok_or(SegmentHeaderError::Short)?;
        if &bytes[..8] != MAGIC {
            return Err(SegmentHeaderError::Magic);
        }
        let version = u32_at(bytes, 8);
        if version != u32::from(VERSION) {
            return Err(SegmentHeaderError::Version(version));
        }
        if u32_at(bytes, 12) != crc32c::crc32c(&bytes[16..]) {
            return Err(SegmentHeaderError::Checksum);
        }
        Ok(Self { first_sequence: u64_at(bytes, 16), salt: u64_at(bytes, 24) })
    }
}

impl RecordHeader {
    /// The bytes before a body, whose length and checksum ([`body_checksum`]) are given.
    pub(crate) fn encode(&self, body_length: u32, body_checksum: u32, salt: u64) -> [u8; RECORD_HEADER] {
        let mut bytes = [0; RECORD_HEADER];
        bytes[..4].copy_from_slice(&body_length.to_le_bytes());
        bytes[8] = VERSION;
        bytes[9] = self.format as u8;
        bytes[16..24].copy_from_slice(&self.sequence.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.received.nanos().to_le_bytes());
        bytes[32..].copy_from_slice(&self.hash.to_le_bytes());
        let crc = checksum(body_checksum, &bytes, salt);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// The record at the beginning of `bytes` and its body; `None` when there is no intact one.
    pub(crate) fn decode(bytes: &[u8], salt: u64) -> Option<(Self, &[u8])> {
        let (header, rest) = bytes.split_first_chunk::<RECORD_HEADER>()?;
        if header[8] != VERSION || header[10..16] != [0; 6] {
            return None;
        }
        let format = WireFormat::from_number(header[9])?;
        let body = rest.get(..u32_at(header, 0) as usize)?;
        if u32_at(header, 4) != checksum(body_checksum(body), header, salt) {
            return None;
        }
        let hash = header[32..].try_into().expect("16 bytes are left");
        let received = i64::from_le_bytes(header[24..32].try_into().expect("8 bytes"));
        let record = Self {
            format,
            sequence: u64_at(header, 16),
            received: Timestamp::from_nanos(received),
            hash: ContentHash::from_le_bytes(hash),
        };
        Some((record, body))
    }
}

/// The part of a record's checksum that the body gives; computed before the record's turn comes.
pub(crate) fn body_checksum(body: &[u8]) -> u32 {
    crc32c::crc32c(body)
}

/// What makes two requests the same.
pub(crate) fn content_hash(format: WireFormat, body: &[u8]) -> ContentHash {
    let mut hasher = Xxh3::new();
    hasher.update(&[format as u8]);
    hasher.update(body);
    hasher.digest128()
}

fn checksum(body_checksum: u32, header: &[u8; RECORD_HEADER], salt: u64) -> u32 {
    let crc = crc32c::crc32c_append(body_checksum, &header[..4]);
    let crc = crc32c::crc32c_append(crc, &header[8..]);
    crc32c::crc32c_append(crc, &salt.to_le_bytes())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("4 bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_another_segment_is_not_taken_for_one() {
        let header = RecordHeader {
            format: WireFormat::ZipkinV2Json,
            sequence: 7,
            received: Timestamp::from_nanos(-1),
            hash: content_hash(WireFormat::ZipkinV2Json, b"[]"),
        };
        let mut bytes = header.encode(2, body_checksum(b"[]"), 1).to_vec();
        bytes.extend_from_slice(b"[]rest");
        assert_eq!(RecordHeader::decode(&bytes, 1), Some((header, &b"[]"[..])));
        assert_eq!(RecordHeader::decode(&bytes, 2), None);
    }

    #[test]
    fn content_hash_tells_formats_apart() {
        assert_ne!(content_hash(WireFormat::OtlpTracesJson, b"{}"), content_hash(WireFormat::OtlpLogsJson, b"{}"));
    }
}
