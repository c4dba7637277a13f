//! What is written.

use glasshouse_model::{SpanId, SpanKind, StatusCode, TraceId};
use glasshouse_tables::attributes::{AttributeRow, Text};

/// Which of the announced processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProcessIndex(pub(crate) u32);

/// A span among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanKey {
    /// Its trace.
    pub trace: TraceId,
    /// Its id in the trace.
    pub span: SpanId,
}

/// The number of a span among all: a hash of its ids, and its own one for all that is to be expected. Never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SpanNumber(pub u64);

impl SpanKey {
    /// Span ids are unique in their trace only.
    pub(crate) fn number(&self) -> SpanNumber {
        let mut bytes = [0; 24];
        bytes[..16].copy_from_slice(self.trace.as_bytes());
        bytes[16..].copy_from_slice(self.span.as_bytes());
        SpanNumber(xxhash_rust::xxh3::xxh3_64(&bytes).max(1))
    }
}

/// A process, which becomes a group of tracks.
#[derive(Debug, Clone, Copy)]
pub struct Process<'a> {
    /// Shown as the process's name, usually the service.
    pub name: &'a str,
    /// Process id of the operating system, when known.
    pub pid: Option<i64>,
    /// Command line, when known.
    pub command_line: Option<&'a str>,
    /// When it started, in nanoseconds since the Unix epoch, when known.
    pub start_time: Option<i64>,
    /// What else tells it apart: host, instance, version.
    pub labels: &'a [&'a str],
}

/// A span. Times are nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// Its process.
    pub process: ProcessIndex,
    /// Its ids.
    pub key: SpanKey,
    /// Its parent, in the same trace.
    pub parent: Option<SpanId>,
    /// Operation.
    pub name: Text<'a>,
    /// When it started.
    pub start: i64,
    /// When it ended; `None` while it is open. Not before `start`.
    pub end: Option<i64>,
    /// The thread that it ran on from beginning to end: its id and name. Others are asynchronous.
    pub thread: Option<(i64, &'a str)>,
    /// Role in a call.
    pub kind: SpanKind,
    /// How it ended.
    pub status: StatusCode,
    /// What went wrong; empty when not said.
    pub status_message: &'a str,
    /// Instrumentation scope; empty when not said.
    pub scope: Text<'a>,
    /// By how many nanoseconds a child in another process seems to have started before this span, which only
    /// clocks that differ explain.
    pub clock_skew: Option<i64>,
    /// Attributes.
    pub attributes: Attributes<'a>,
}

/// Attributes of a span.
#[derive(Debug, Clone, Copy)]
pub enum Attributes<'a> {
    /// All of them, packed.
    Packed(&'a [u8]),
    /// Those of a row of the slice ([`crate::Writer::slice`]).
    Of {
        /// The row.
        row: AttributeRow,
        /// Those that are in none of its columns, packed.
        rest: &'a [u8],
    },
}

/// Something that happened within a span.
#[derive(Debug, Clone, Copy)]
pub struct SpanEvent<'a> {
    /// Process of the span.
    pub process: ProcessIndex,
    /// The span.
    pub span: SpanKey,
    /// When it happened.
    pub time: i64,
    /// Its name.
    pub name: &'a str,
    /// Packed attributes.
    pub attributes: &'a [u8],
}

/// A link from a span to another one that has something to do with it.
#[derive(Debug, Clone, Copy)]
pub struct SpanLink<'a> {
    /// The span linked to.
    pub to: SpanKey,
    /// Packed attributes.
    pub attributes: &'a [u8],
}

/// A log record.
#[derive(Debug, Clone, Copy)]
pub struct LogRecord<'a> {
    /// Its process.
    pub process: ProcessIndex,
    /// When it happened.
    pub time: i64,
    /// Severity, as text.
    pub severity: &'a str,
    /// Body, as text.
    pub body: &'a str,
    /// Name of the event, when the record is one.
    pub event_name: &'a str,
    /// Instrumentation scope; empty when not said.
    pub scope: &'a str,
    /// Trace and span that it belongs to.
    pub trace: Option<TraceId>,
    /// See `trace`.
    pub span: Option<SpanId>,
    /// Packed attributes.
    pub attributes: &'a [u8],
}

/// A value of a counter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CounterValue {
    /// Exact.
    Int(i64),
    /// As a float.
    Double(f64),
}

/// A point of a metric: one value of one counter.
#[derive(Debug, Clone, Copy)]
pub struct MetricPoint<'a> {
    /// Its process.
    pub process: ProcessIndex,
    /// When it was taken.
    pub time: i64,
    /// Name of the metric. Together with the attributes it tells the counter.
    pub name: &'a str,
    /// Unit (UCUM); empty when not said.
    pub unit: &'a str,
    /// What it measures; empty when not said.
    pub description: &'a str,
    /// The value.
    pub value: CounterValue,
    /// Packed attributes.
    pub attributes: &'a [u8],
}
