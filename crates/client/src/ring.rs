//! What a thread hands to the collector, and the ring it goes through: one writer, one reader, no lock.

use std::sync::Arc;

use glasshouse_model::{Severity, SpanKind};
use rtrb::{Consumer, Producer, RingBuffer};

use crate::ids::{SpanWord, TraceWords};
use crate::thread::ThreadAttributes;

/// What was recorded. What programs tell at any length, in its form for the wire, goes beside it.
#[derive(Debug)]
pub(crate) enum Record {
    Span(SpanRecord),
    Log(LogRecord),
}

/// A span that ended.
#[derive(Debug)]
pub(crate) struct SpanRecord {
    /// Empty when it is beside the record.
    pub name: &'static str,
    pub trace: TraceWords,
    pub span: SpanWord,
    pub parent: SpanWord,
    /// Nanoseconds since the Unix epoch, as the end.
    pub start: u64,
    pub end: u64,
    /// As OTLP has them.
    pub flags: u32,
    pub kind: SpanKind,
    /// Whether it ran on the thread that the ring is of, and nowhere else.
    pub is_of_thread: bool,
    /// Bytes beside it: fields of OTLP's `Span`.
    pub fields: u32,
}

/// A log record.
#[derive(Debug)]
pub(crate) struct LogRecord {
    /// When it happened and when it was recorded, in nanoseconds since the Unix epoch.
    pub time: u64,
    pub observed: u64,
    pub severity: Severity,
    /// The span it belongs to, with the flags of the trace.
    pub span: Option<(TraceWords, SpanWord, u8)>,
    /// Bytes beside it: fields of OTLP's `LogRecord`.
    pub fields: u32,
}

/// Rings have so many fewer, the larger they are.
const _: () = assert!(size_of::<Record>() <= 80);

impl Record {
    /// Tells how many bytes are beside it. What is too long for the number is too long for any ring.
    pub fn set_fields(&mut self, len: usize) {
        match self {
            Self::Span(span) => span.fields = len as u32,
            Self::Log(log) => log.fields = len as u32,
        }
    }

    fn fields(&self) -> usize {
        match self {
            Self::Span(span) => span.fields as usize,
            Self::Log(log) => log.fields as usize,
        }
    }
}

/// A thread's end of its ring.
#[derive(Debug)]
pub(crate) struct Writer {
    records: Producer<Record>,
    bytes: Producer<u8>,
    /// Room that there is at least, for records and for what goes beside them.
    free_records: usize,
    free_bytes: usize,
}

/// The collector's end of a ring.
#[derive(Debug)]
pub(crate) struct Reader {
    records: Consumer<Record>,
    bytes: Consumer<u8>,
    /// Who writes.
    thread: Arc<ThreadAttributes>,
}

/// There is no room in the ring.
#[derive(Debug)]
pub(crate) struct Full;

/// How many records are read before the writer has their room again.
const BLOCK: usize = 256;

/// A ring that takes so many bytes: a half for records, a half for what goes beside them.
pub(crate) fn ring(bytes: usize, thread: Arc<ThreadAttributes>) -> (Writer, Reader) {
    let (records, read_records) = RingBuffer::new(bytes / 2 / size_of::<Record>());
    let (bytes, read_bytes) = RingBuffer::new(bytes / 2);
    let (free_records, free_bytes) = (records.slots(), bytes.slots());
    let reader = Reader { records: read_records, bytes: read_bytes, thread };
    (Writer { records, bytes, free_records, free_bytes }, reader)
}

impl Writer {
    /// Hands on a record and what goes beside it: both or none. Gives whether the ring is half full, so that the collector
    /// should look.
    #[inline]
    pub fn push(&mut self, record: Record, fields: &[u8]) -> Result<bool, Full> {
        debug_assert!(record.fields() == fields.len() || fields.len() > u32::MAX as usize);
        let is_half_full = self.is_half_full(fields.len()) && self.look_for_room(&record, fields.len())?;
        self.free_records -= 1;
        if !fields.is_empty() {
            self.free_bytes -= fields.len();
            self.bytes.push_entire_slice(fields).map_err(|_| Full)?;
        }
        self.records.push(record).map_err(|_| Full)?;
        Ok(is_half_full)
    }

    /// As far as is known, with so many bytes more.
    #[inline]
    fn is_half_full(&self, more: usize) -> bool {
        self.free_records <= self.records.buffer().capacity() / 2
            || self.free_bytes < self.bytes.buffer().capacity() / 2 + more
    }

    /// Looks at how much there really is, and whether the ring is half full then.
    #[cold]
    fn look_for_room(&mut self, record: &Record, bytes: usize) -> Result<bool, Full> {
        (self.free_records, self.free_bytes) = (self.records.slots(), self.bytes.slots());
        // Logs tell of what goes wrong: a part of the room is for them alone.
        let (records_of_logs, bytes_of_logs) = match record {
            Record::Span(_) => (self.records.buffer().capacity() / 8, self.bytes.buffer().capacity() / 8),
            Record::Log(_) => (0, 0),
        };
        if self.free_records > records_of_logs && self.free_bytes >= bytes + bytes_of_logs {
            Ok(self.is_half_full(bytes))
        } else {
            Err(Full)
        }
    }
}

impl Reader {
    /// Whether nobody writes any more. What was written before is there then.
    pub fn is_abandoned(&self) -> bool {
        self.records.is_abandoned()
    }

    /// Gives what there is now: a record, the fields beside it, in two parts where the ring wraps, and who wrote them.
    pub fn read(&mut self, mut take: impl FnMut(Record, (&[u8], &[u8]), &ThreadAttributes)) {
        let mut rest = self.records.slots();
        while rest > 0 {
            let count = rest.min(BLOCK);
            let records = self.records.read_chunk(count).expect("there are so many");
            for record in records {
                let fields = self.bytes.read_chunk(record.fields()).expect("they were written before the record");
                take(record, fields.as_slices(), &self.thread);
                fields.commit_all();
            }
            rest -= count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: SpanRecord = SpanRecord {
        name: "work",
        trace: TraceWords::NONE,
        span: SpanWord::NONE,
        parent: SpanWord::NONE,
        start: 1,
        end: 2,
        flags: 0,
        kind: SpanKind::Internal,
        is_of_thread: true,
        fields: 3,
    };
    const LOG: LogRecord = LogRecord { time: 1, observed: 1, severity: Severity(9), span: None, fields: 2 };

    /// Records as `s` or `l`, with what is beside them.
    fn read(reader: &mut Reader) -> Vec<String> {
        let mut read = Vec::new();
        reader.read(|record, (first, second), _| {
            let which = if matches!(record, Record::Span(_)) { "s" } else { "l" };
            read.push(format!("{which}{}", String::from_utf8_lossy(&[first, second].concat())));
        });
        read
    }

    #[test]
    fn a_ring_full_of_spans_has_room_for_logs() {
        let (mut writer, mut reader) = ring(4 << 10, Arc::default());
        let mut spans = 0;
        while writer.push(Record::Span(SPAN), b"abc").is_ok() {
            spans += 1;
        }
        let mut logs = 0;
        while writer.push(Record::Log(LOG), b"de").is_ok() {
            logs += 1;
        }
        assert!(spans > 10 && logs > 1, "{spans} {logs}");
        let read = read(&mut reader);
        assert_eq!(read, [vec!["sabc"; spans], vec!["lde"; logs]].concat());
        assert!(writer.push(Record::Span(SPAN), b"abc").is_ok(), "there is room again");
    }

    #[test]
    fn a_ring_tells_when_it_is_half_full_and_takes_all_or_nothing() {
        let (mut writer, mut reader) = ring(4 << 10, Arc::default());
        let long = [b'x'; 590];
        let span = |len: usize| Record::Span(SpanRecord { fields: len as u32, ..SPAN });
        // Of 2 KiB for what goes beside records.
        assert!(matches!(writer.push(span(590), &long), Ok(false)));
        assert!(matches!(writer.push(span(590), &long), Ok(true)));
        assert!(writer.push(span(590), &long).is_ok());
        assert!(writer.push(span(590), &long).is_err());
        assert_eq!(read(&mut reader).len(), 3);
        assert!(matches!(writer.push(span(590), &long), Ok(false)), "it knows that it was read");
        assert_eq!(read(&mut reader), [format!("s{}", "x".repeat(590))]);
        assert!(writer.push(span(4096), &[0; 4096]).is_err(), "it is too long for any ring");
        assert!(read(&mut reader).is_empty());
    }
}
