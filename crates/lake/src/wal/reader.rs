//! Reads a segment: pure, over its bytes, and safe on any bytes at all.

use std::ops::Range;

use super::record::{RECORD_HEADER, RecordHeader, SEGMENT_HEADER, SegmentHeader, SegmentHeaderError};

/// What stands in a segment, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry<'a> {
    /// An intact record and its body.
    Record(RecordHeader, &'a [u8]),
    /// Bytes that are no record, with intact records after them: the disk or someone damaged them.
    Corrupt(Range<usize>),
    /// Bytes at the end that are no record: the write was cut off, so it was never acknowledged.
    Torn(Range<usize>),
}

/// Goes through a segment's entries.
#[derive(Debug)]
pub(crate) struct SegmentReader<'a> {
    bytes: &'a [u8],
    header: SegmentHeader,
    position: usize,
    next_sequence: u64,
}

impl<'a> SegmentReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, SegmentHeaderError> {
        let header = SegmentHeader::decode(bytes)?;
        Ok(Self { bytes, header, position: SEGMENT_HEADER, next_sequence: header.first_sequence })
    }

    fn record_at(&self, position: usize) -> Option<(RecordHeader, &'a [u8])> {
        let (record, body) = RecordHeader::decode(&self.bytes[position..], self.header.salt)?;
        // Sequences grow by one; after damage some are missing.
        (record.sequence >= self.next_sequence).then_some((record, body))
    }
}

impl<'a> Iterator for SegmentReader<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let start = self.position;
        if start >= self.bytes.len() {
            return None;
        }
        if let Some((record, body)) = self.record_at(start) {
            self.position += RECORD_HEADER + body.len();
            self.next_sequence = record.sequence + 1;
            return Some(Entry::Record(record, body));
        }
        // A record's checksum is computed only where a header is plausible, so the search is quick.
        let next = (start + 1..self.bytes.len()).find(|&position| self.record_at(position).is_some());
        self.position = next.unwrap_or(self.bytes.len());
        let range = start..self.position;
        Some(if next.is_some() { Entry::Corrupt(range) } else { Entry::Torn(range) })
    }
}

#[cfg(test)]
mod tests {
    use glasshouse_model::Timestamp;
    use glasshouse_tables::ports::WireFormat;
    use proptest::prelude::*;

    use super::super::record::{body_checksum, content_hash};
    use super::*;

    const SALT: u64 = 0x5a17;

    fn append(bytes: &mut Vec<u8>, sequence: u64, format: WireFormat, body: &[u8]) {
        let header = RecordHeader {
            format,
            sequence,
            received: Timestamp::from_nanos(1_700_000_000_000_000_000 + sequence as i64),
            hash: content_hash(format, body),
        };
        bytes.extend_from_slice(&header.encode(body.len() as u32, body_checksum(body), SALT));
        bytes.extend_from_slice(body);
    }

    /// A segment of these bodies, and where each record ends.
    fn segment(bodies: &[(WireFormat, Vec<u8>)]) -> (Vec<u8>, Vec<usize>) {
        let mut bytes = SegmentHeader { first_sequence: 10, salt: SALT }.encode().to_vec();
        let mut ends = Vec::new();
        for (sequence, (format, body)) in (10..).zip(bodies) {
            append(&mut bytes, sequence, *format, body);
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn bodies() -> impl Strategy<Value = Vec<(WireFormat, Vec<u8>)>> {
        let format = prop::sample::select(WireFormat::ALL.to_vec());
        prop::collection::vec((format, prop::collection::vec(any::<u8>(), 0..40)), 0..8)
    }

    fn records(bytes: &[u8]) -> Vec<(u64, WireFormat, Vec<u8>)> {
        SegmentReader::new(bytes)
            .unwrap()
            .filter_map(|entry| match entry {
                Entry::Record(header, body) => Some((header.sequence, header.format, body.to_vec())),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn the_golden_segment_reads_as_it_always_did() {
        let golden = include_bytes!("../../tests/golden/segment-v1.wal");
        let (bytes, _) = segment(&[
            (WireFormat::OtlpTracesProtobuf, vec![0x0a, 0x00]),
            (WireFormat::NativeSpansJson, br#"{"spans":[]}"#.to_vec()),
            (WireFormat::ZipkinV2Json, Vec::new()),
        ]);
        assert_eq!(bytes, golden, "the format changed: give it a new version and keep reading this one");
        assert_eq!(records(golden).len(), 3);
    }

    #[test]
    fn headers_that_cannot_be_read_say_why() {
        let good = SegmentHeader { first_sequence: 1, salt: 2 }.encode();
        let check = |change: &dyn Fn(&mut Vec<u8>), expected: SegmentHeaderError| {
            let mut bytes = good.to_vec();
            change(&mut bytes);
            assert_eq!(SegmentReader::new(&bytes).unwrap_err(), expected);
        };
        check(&|bytes| bytes.truncate(31), SegmentHeaderError::Short);
        check(&|bytes| bytes[0] = b'X', SegmentHeaderError::Magic);
        check(&|bytes| bytes[8] = 2, SegmentHeaderError::Version(2));
        check(&|bytes| bytes[16] ^= 1, SegmentHeaderError::Checksum);
    }

    #[test]
    fn a_body_that_contains_a_record_gives_no_record() {
        let (inner, _) = segment(&[(WireFormat::ZipkinV2Json, b"[]".to_vec())]);
        let mut bytes = SegmentHeader { first_sequence: 10, salt: SALT + 1 }.encode().to_vec();
        bytes.extend_from_slice(&inner[SEGMENT_HEADER..]);
        assert_eq!(records(&bytes), []);
    }

    proptest! {
        #[test]
        fn cut_anywhere_every_whole_record_is_read_and_the_rest_reported(bodies in bodies()) {
            let (bytes, ends) = segment(&bodies);
            for cut in SEGMENT_HEADER..=bytes.len() {
                let whole = ends.iter().filter(|end| **end <= cut).count();
                let entries: Vec<_> = SegmentReader::new(&bytes[..cut]).unwrap().collect();
                let kept_to = ends[..whole].last().copied().unwrap_or(SEGMENT_HEADER);
                prop_assert_eq!(entries.len(), whole + usize::from(kept_to < cut));
                if kept_to < cut {
                    prop_assert_eq!(entries.last(), Some(&Entry::Torn(kept_to..cut)));
                }
            }
        }

        #[test]
        fn a_flipped_bit_costs_its_record_and_no_other(bodies in bodies(), at in any::<prop::sample::Index>(), bit in 0_u32..8) {
            let (mut bytes, ends) = segment(&bodies);
            prop_assume!(!ends.is_empty());
            let at = SEGMENT_HEADER + at.index(bytes.len() - SEGMENT_HEADER);
            bytes[at] ^= 1_u8 << bit;
            let hit = ends.iter().position(|end| at < *end).unwrap();
            let sequences: Vec<_> = records(&bytes).iter().map(|(sequence, ..)| *sequence).collect();
            let expected: Vec<_> = (0..bodies.len()).filter(|i| *i != hit).map(|i| 10 + i as u64).collect();
            prop_assert_eq!(sequences, expected);
            let is_last = hit + 1 == bodies.len();
            let damage = SegmentReader::new(&bytes).unwrap().find(|entry| !matches!(entry, Entry::Record(..)));
            prop_assert_eq!(matches!(damage, Some(Entry::Torn(_))), is_last);
        }

        #[test]
        fn any_bytes_are_read_to_their_end(noise in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut bytes = SegmentHeader { first_sequence: 10, salt: SALT }.encode().to_vec();
            bytes.extend_from_slice(&noise);
            prop_assert!(SegmentReader::new(&bytes).unwrap().count() <= 1 + noise.len() / RECORD_HEADER * 2);
            let _ = SegmentReader::new(&noise).map(Iterator::count);
        }
    }
}
