//! The trace index: where the rows of each trace are in a file that is sorted by trace id within time
//! windows. It lies in the Parquet file between the last row group and the footer, where other readers never look;
//! the footer's key-value metadata says where ([`KEY`]: `VERSION:OFFSET:LENGTH`, decimal).
//!
//! Rows with equal trace ids that follow each other are a run; a trace that crosses a window has more than one.
//! Version 1, all numbers little-endian, `n` entries, one for each run, ascending by hash, then by row:
//!
//! ```text
//! magic    8 bytes  "GLHTRACE"
//! n        u32      entries
//! hashes   n × u32  upper 32 bits of XXH3-64 of the trace id's 16 bytes
//! rows     n × u32  first row of the run, counted from the file's first row
//! lengths  n × u16  rows of the run, at most 65,535: a longer run is several entries
//! crc      u32      CRC-32C of all bytes before it
//! ```
//!
//! A hash is looked up by bisection, in the bytes as they were read: opening
//! costs the checksum, and no memory but the bytes.

use std::ops::Range;

use bytes::Bytes;
use glasshouse_model::TraceId;
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use xxhash_rust::xxh3::xxh3_64;

/// Key of the Parquet metadata entry.
pub(crate) const KEY: &str = "glasshouse.trace_index";
const VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"GLHTRACE";
const HEADER: usize = MAGIC.len() + 4;
const ENTRY: usize = 4 + 4 + 2;
const CRC: usize = 4;

/// Where the rows of each trace are in a file.
#[derive(Debug, Clone)]
pub struct TraceIndex {
    bytes: Bytes,
    entries: usize,
}

impl TraceIndex {
    /// Where a file's index is; `None` when it has none of this version.
    pub(crate) fn locate(metadata: &ParquetMetaData) -> Option<Range<u64>> {
        let entries = metadata.file_metadata().key_value_metadata()?;
        let place = entries.iter().find(|entry| entry.key == KEY)?.value.as_deref()?;
        let (offset, length) = place.strip_prefix("1:")?.split_once(':')?;
        let offset: u64 = offset.parse().ok()?;
        let length: u64 = length.parse().ok()?;
        Some(offset..offset.checked_add(length)?)
    }

    /// Reads an index; the error says what is wrong with the bytes.
    pub fn parse(bytes: Bytes) -> Result<Self, &'static str> {
        let (content, crc) = bytes.split_last_chunk::<CRC>().ok_or("trace index is cut short")?;
        if crc32c::crc32c(content) != u32::from_le_bytes(*crc) {
            return Err("trace index has a wrong checksum");
        }
        let content = content.strip_prefix(MAGIC).ok_or("trace index has a wrong beginning")?;
        let (entries, columns) = content.split_first_chunk::<4>().ok_or("trace index is cut short")?;
        let entries = u32::from_le_bytes(*entries) as usize;
        if columns.len() != entries * ENTRY {
            return Err("trace index has a wrong length");
        }
        Ok(Self { bytes, entries })
    }

    /// The runs of rows that may be of a trace: about one in four billion is of another, so compare the
    /// trace ids of what you read.
    pub fn runs(&self, trace_id: TraceId) -> impl Iterator<Item = Range<u64>> + '_ {
        let wanted = hash(trace_id.as_bytes());
        let hashes = self.hashes();
        let first = hashes.partition_point(|hash| u32::from_le_bytes(*hash) < wanted);
        (first..self.entries).take_while(move |&i| u32::from_le_bytes(hashes[i]) == wanted).map(|i| self.run(i))
    }

    /// How many runs there are.
    pub fn len(&self) -> usize {
        self.entries
    }

    /// Whether the file has no rows.
    pub fn is_empty(&self) -> bool {
        self.entries == 0
    }

    /// Bytes it takes in memory.
    pub(crate) fn memory(&self) -> usize {
        self.bytes.len()
    }

    fn hashes(&self) -> &[[u8; 4]] {
        self.bytes[HEADER..][..4 * self.entries].as_chunks().0
    }

    fn run(&self, entry: usize) -> Range<u64> {
        let rows = &self.bytes[HEADER + 4 * self.entries..];
        let row = u64::from(u32::from_le_bytes(rows.as_chunks().0[entry]));
        let length = u64::from(u16::from_le_bytes(rows[4 * self.entries..].as_chunks().0[entry]));
        row..row + length
    }
}

fn hash(trace_id: &[u8; 16]) -> u32 {
    (xxh3_64(trace_id) >> 32) as u32
}

/// Builds an index while rows are written.
#[derive(Debug, Default)]
pub(crate) struct TraceIndexBuilder {
    entries: Vec<Entry>,
    last: Option<[u8; 16]>,
    rows: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    hash: u32,
    row: u32,
    length: u16,
}

impl TraceIndexBuilder {
    /// Adds the next row.
    pub fn push(&mut self, trace_id: &[u8; 16]) {
        match (self.last == Some(*trace_id)).then(|| self.entries.last_mut()).flatten() {
            Some(entry) if entry.length < u16::MAX => entry.length += 1,
            _ => {
                self.last = Some(*trace_id);
                self.entries.push(Entry { hash: hash(trace_id), row: self.rows, length: 1 });
            }
        }
        self.rows += 1;
    }

    /// The bytes of the index.
    pub fn finish(mut self) -> Vec<u8> {
        self.entries.sort_unstable();
        let mut bytes = Vec::with_capacity(HEADER + self.entries.len() * ENTRY + CRC);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&(self.entries.len() as u32).to_le_bytes());
        bytes.extend(self.entries.iter().flat_map(|entry| entry.hash.to_le_bytes()));
        bytes.extend(self.entries.iter().flat_map(|entry| entry.row.to_le_bytes()));
        bytes.extend(self.entries.iter().flat_map(|entry| entry.length.to_le_bytes()));
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }
}

/// The metadata entry that tells where an index is.
pub(crate) fn metadata_entry(offset: u64, length: usize) -> KeyValue {
    KeyValue::new(KEY.to_owned(), format!("{VERSION}:{offset}:{length}"))
}

#[cfg(test)]
#[expect(clippy::single_range_in_vec_init, reason = "a range is one element here")]
mod tests {
    use super::*;

    fn id(n: u32) -> TraceId {
        let mut bytes = [0xab; 16];
        bytes[..4].copy_from_slice(&n.to_be_bytes());
        TraceId::from_bytes(bytes).unwrap()
    }

    fn index_of(ids: impl IntoIterator<Item = u32>) -> TraceIndex {
        let mut builder = TraceIndexBuilder::default();
        for n in ids {
            builder.push(id(n).as_bytes());
        }
        TraceIndex::parse(builder.finish().into()).unwrap()
    }

    #[test]
    fn runs_are_found() {
        let index = index_of([1, 1, 2, 3, 3, 3, 1]);
        let runs = |n| index.runs(id(n)).collect::<Vec<_>>();
        assert_eq!(runs(1), [0..2, 6..7]);
        assert_eq!(runs(2), [2..3]);
        assert_eq!(runs(3), [3..6]);
        assert_eq!(runs(4), []);
        assert_eq!(index.len(), 4);
        assert_eq!(index_of([]).runs(id(1)).count(), 0);
    }

    #[test]
    fn long_runs_take_several_entries() {
        let index = index_of(std::iter::repeat_n(7, 150_000).chain([8]));
        assert_eq!(index.runs(id(7)).map(|run| run.end - run.start).sum::<u64>(), 150_000);
        assert_eq!(index.runs(id(8)).collect::<Vec<_>>(), [150_000..150_001]);
    }

    #[test]
    fn damage_is_noticed() {
        let mut builder = TraceIndexBuilder::default();
        builder.push(id(1).as_bytes());
        let bytes = builder.finish();
        for i in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[i] ^= 0x10;
            assert!(TraceIndex::parse(damaged.into()).is_err(), "byte {i}");
            assert!(TraceIndex::parse(bytes[..i].to_vec().into()).is_err(), "length {i}");
        }
    }

    /// The bytes of version 1 never change: files in the field have them.
    #[test]
    fn golden_file() {
        let mut builder = TraceIndexBuilder::default();
        for n in [5, 5, 6, 5, 9, 9, 9] {
            builder.push(id(n).as_bytes());
        }
        let golden = include_bytes!("../tests/golden/trace-index-v1.bin");
        assert_eq!(builder.finish(), golden);
        let index = TraceIndex::parse(Bytes::from_static(golden)).unwrap();
        assert_eq!(index.runs(id(5)).collect::<Vec<_>>(), [0..2, 3..4]);
        assert_eq!(index.runs(id(9)).collect::<Vec<_>>(), [4..7]);
    }
}
