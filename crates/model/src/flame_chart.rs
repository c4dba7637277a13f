//! The spans of a process as they are drawn over time.

use crate::{DurationNs, SpanId, Timestamp, TraceId};

/// What threads and asynchronous work did over time. Spans too short to be seen are put together, so its size does not
/// depend on how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlameChart {
    /// Names of slices, cut when they are very long.
    pub names: Vec<String>,
    /// Threads in the order of their ids, then what is asynchronous.
    pub tracks: Vec<FlameTrack>,
    /// Spans that are drawn, alone or together.
    pub span_count: u64,
    /// Spans for which there was no row left.
    pub hidden_span_count: u64,
    /// The earliest and the latest moment that spans tell of.
    pub range: Option<(Timestamp, Timestamp)>,
}

/// A thread, or what a process does asynchronously.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlameTrack {
    /// The thread's id and name; `None` for what is asynchronous.
    pub thread: Option<(i64, String)>,
    /// Spans shorter than this are put together with their neighbours: a power of two of nanoseconds.
    pub resolution: DurationNs,
    /// Its rows, in order of lane and depth.
    pub rows: Vec<FlameRow>,
}

/// Slices that do not overlap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlameRow {
    /// The lane: slices of a lane are within those of the rows above.
    pub lane: usize,
    /// How many slices of the lane they are in.
    pub depth: usize,
    /// In order of start.
    pub slices: Vec<FlameSlice>,
}

/// A span, or several that are too short to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlameSlice {
    /// When the first started.
    pub start: Timestamp,
    /// When the last ended; `None` while it is open.
    pub end: Option<Timestamp>,
    /// Which of the chart's names: that of the longest.
    pub name: u32,
    /// How long the longest took.
    pub longest: DurationNs,
    /// How long all took together.
    pub total: DurationNs,
    /// How many they are.
    pub count: u64,
    /// How many of them ended with an error.
    pub error_count: u64,
    /// The span, when it is one.
    pub span: Option<(TraceId, SpanId)>,
}
