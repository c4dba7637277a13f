use glasshouse_model::{DurationNs, FlameChart, FlameSlice, FlameTrack, SpanId, Timestamp, TraceId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::processes::decimal;

/// What the threads of a process and its asynchronous work did over time. Spans too short to be seen are put together, so
/// that its size does not depend on how many there are.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Timeline {
    /// The earliest moment of the time asked for that spans tell of; absent when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub first_time: Option<Timestamp>,
    /// The latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub last_time: Option<Timestamp>,
    /// Spans that are drawn, alone or together.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub span_count: u64,
    /// Spans that are not drawn, because there were too many rows.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub hidden_span_count: u64,
    /// Names of slices; very long ones are cut.
    pub names: Vec<String>,
    /// Threads in the order of their ids, then what is asynchronous.
    pub tracks: Vec<TimelineTrack>,
}

/// A thread, or what a process does asynchronously.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TimelineTrack {
    /// The thread's id; absent for what is asynchronous.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub thread_id: Option<String>,
    /// The thread's name, when it said one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub thread_name: Option<String>,
    /// Spans shorter than this, in nanoseconds, are put together with their neighbours.
    #[schema(value_type = String)]
    pub resolution_ns: DurationNs,
    /// Rows in the order in which they stand below each other.
    pub rows: Vec<TimelineRow>,
}

/// Slices next to each other.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TimelineRow {
    /// The lane: slices are within those of the lane's rows above. Lane 0 of a thread is what it did; others hold spans that
    /// say this thread and do not nest in that.
    pub lane: u32,
    /// How many slices of the lane these are in.
    pub depth: u32,
    /// Slices in order of start.
    pub slices: Vec<TimelineSlice>,
}

/// A span, or several that are too short to be seen alone.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TimelineSlice {
    /// When the first started.
    #[schema(value_type = String)]
    pub start: Timestamp,
    /// From there to when the last ended, in nanoseconds; absent while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub duration_ns: Option<DurationNs>,
    /// Which of `names`, counted from 0: that of the longest span.
    pub name: u32,
    /// How many of the spans ended with an error.
    #[serde(default, skip_serializing_if = "is_zero", with = "decimal")]
    #[schema(value_type = String, required = false)]
    pub error_count: u64,
    /// Its trace, when it is one span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub trace_id: Option<TraceId>,
    /// Its id in the trace, when it is one span.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub span_id: Option<SpanId>,
    /// What several spans are together; absent when it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub several: Option<TimelineSpans>,
}

/// Several spans put together.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TimelineSpans {
    /// How many.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub count: u64,
    /// How long they took together, in nanoseconds.
    #[schema(value_type = String)]
    pub total_ns: DurationNs,
    /// How long the longest took, in nanoseconds.
    #[schema(value_type = String)]
    pub longest_ns: DurationNs,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl From<FlameChart> for Timeline {
    fn from(chart: FlameChart) -> Self {
        Self {
            first_time: chart.range.map(|(first, _)| first),
            last_time: chart.range.map(|(_, last)| last),
            span_count: chart.span_count,
            hidden_span_count: chart.hidden_span_count,
            names: chart.names,
            tracks: chart.tracks.into_iter().map(TimelineTrack::from).collect(),
        }
    }
}

impl From<FlameTrack> for TimelineTrack {
    fn from(track: FlameTrack) -> Self {
        let (thread_id, thread_name) = track.thread.map(|(id, name)| (id.to_string(), name)).unzip();
        let rows = track.rows.into_iter().map(|row| TimelineRow {
            lane: row.lane as u32,
            depth: row.depth as u32,
            slices: row.slices.into_iter().map(TimelineSlice::from).collect(),
        });
        let thread_name = thread_name.filter(|name| !name.is_empty());
        Self { thread_id, thread_name, resolution_ns: track.resolution, rows: rows.collect() }
    }
}

impl From<FlameSlice> for TimelineSlice {
    fn from(slice: FlameSlice) -> Self {
        let several = TimelineSpans { count: slice.count, total_ns: slice.total, longest_ns: slice.longest };
        let (trace_id, span_id) = slice.span.unzip();
        Self {
            start: slice.start,
            duration_ns: slice.end.map(|end| end - slice.start),
            name: slice.name,
            error_count: slice.error_count,
            trace_id,
            span_id,
            several: span_id.is_none().then_some(several),
        }
    }
}
