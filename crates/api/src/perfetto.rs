use glasshouse_model::{ProcessId, Survey, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::processes::decimal;

/// What a Perfetto trace of a process would hold.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PerfettoInfo {
    /// The process.
    #[schema(value_type = String)]
    pub process_id: ProcessId,
    /// Rows of each kind.
    pub counts: PerfettoCounts,
    /// The earliest moment that rows tell of; absent when there are no rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub begin: Option<Timestamp>,
    /// The latest moment that rows tell of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub end: Option<Timestamp>,
    /// Events of the trace, about: who reads the trace can tell by them how far it is.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub packets: u64,
    /// Size in bytes, extrapolated from the first rows.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub estimated_bytes: u64,
    /// Seconds to write it for a reader that keeps up, likewise.
    pub estimated_seconds: f64,
}

/// Exact numbers of rows, as decimal strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct PerfettoCounts {
    /// Spans that say which thread they ran on.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub thread: u64,
    /// The other spans.
    #[serde(with = "decimal", rename = "async")]
    #[schema(value_type = String)]
    pub asynchronous: u64,
    /// Of all spans, those without an end.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub open: u64,
    /// Events of spans.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub events: u64,
    /// Links of spans.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub links: u64,
    /// Log records.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub logs: u64,
    /// Metric data points.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub metrics: u64,
}

impl From<&Survey> for PerfettoCounts {
    fn from(survey: &Survey) -> Self {
        Self {
            thread: survey.thread_spans,
            asynchronous: survey.async_spans,
            open: survey.open_spans,
            events: survey.events,
            links: survey.links,
            logs: survey.logs,
            metrics: survey.points,
        }
    }
}

/// Which rows a Perfetto trace is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PerfettoRequest {
    /// Of `thread`, `async`, `logs` and `metrics`; all of them when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub kinds: Option<Vec<String>>,
    /// From this time on: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds. Spans that began before are cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub begin: Option<String>,
    /// Before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub end: Option<String>,
}

/// A line before the bytes of a generated trace.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum PerfettoProgress {
    /// Some of the files were looked at.
    Progress {
        /// Batches and files that were looked at, …
        done: u64,
        /// … of so many.
        total: u64,
        /// What they hold so far.
        counts: PerfettoCounts,
    },
    /// Everything was counted: what is about to come.
    Plan(PerfettoInfo),
    /// It failed before the trace began: the last line.
    Error {
        /// What went wrong.
        message: String,
    },
    /// The next byte is the first of the trace.
    BinaryStart,
}

/// What is in a Perfetto trace, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PerfettoValidation {
    /// Whether nothing is wrong.
    pub is_valid: bool,
    /// Packets.
    pub packets: u64,
    /// Tracks.
    pub tracks: u64,
    /// Slices that begin.
    pub slices: u64,
    /// Of them, those that never end.
    pub open_slices: u64,
    /// Points.
    pub instants: u64,
    /// Values of counters.
    pub counters: u64,
    /// Arrows.
    pub flows: u64,
    /// Of them, those that were not checked, because there were too many.
    pub flows_unchecked: u64,
    /// What is wrong; the first of it.
    pub errors: Vec<String>,
    /// How much is wrong.
    pub error_count: u64,
}
