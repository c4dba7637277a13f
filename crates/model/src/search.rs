//! Trace search: what is asked, what is answered, and where the next page begins.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::{DurationNs, SpanKind, TimeRange, Timestamp, TraceId, TraceKind};

/// One wanted attribute: the span's or, failing that, its resource's value, compared as text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AttributeFilter {
    pub key: String,
    pub value: String,
}

/// Which traces are wanted. A trace matches when **one of its spans** meets every condition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceFilter {
    /// `service_name` of the span.
    pub service: Option<String>,
    /// Name of the span.
    pub operation: Option<String>,
    /// Role of the span in a call.
    pub kind: Option<SpanKind>,
    /// Whether the span has no parent.
    pub root: Option<bool>,
    /// Whether the span is a request: of kind SERVER or CONSUMER, or without a parent.
    pub request: Option<bool>,
    /// Words, each of which the span's name, its service, its status message or one of its attributes, written
    /// `key=value`, contains, in whatever case.
    pub text: Option<String>,
    /// Least duration of the span, inclusive. Open spans have none and do not match.
    pub min_duration: Option<DurationNs>,
    /// Greatest duration of the span, inclusive. Open spans have none and do not match.
    pub max_duration: Option<DurationNs>,
    /// Whether the span's status is ERROR.
    pub error: Option<bool>,
    /// Attributes the span has, all of them.
    pub attributes: Vec<AttributeFilter>,
    /// When the span starts.
    pub range: TimeRange,
    /// Most traces to answer.
    pub limit: usize,
    /// Where the page begins; the newest trace when `None`.
    pub cursor: Option<Cursor>,
}

/// The last trace of a page: the next page holds the traces that come after it, newest first,
/// traces of the same start time in descending order of id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Cursor {
    pub start_time: Timestamp,
    pub trace_id: TraceId,
}

/// The text is no cursor that an earlier answer gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor of an earlier answer: expected <start time in Unix nanoseconds>-<trace id>")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start_time, self.trace_id)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (time, id) = text.rsplit_once('-').ok_or(CursorError)?;
        Ok(Self {
            start_time: Timestamp::from_nanos(time.parse().map_err(|_| CursorError)?),
            trace_id: id.parse().map_err(|_| CursorError)?,
        })
    }
}

/// One trace in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceSummary {
    /// The trace's id.
    pub trace_id: TraceId,
    /// Service of the root: the earliest span without a known parent.
    pub root_service: String,
    /// Name of the root span.
    pub root_name: String,
    /// Start of the earliest span.
    pub start_time: Timestamp,
    /// From the earliest start to the latest end; open spans count up to their start.
    pub duration_ns: DurationNs,
    /// Distinct spans.
    pub span_count: u32,
    /// Spans whose status is ERROR.
    pub error_count: u32,
    /// Services that take part, in alphabetical order.
    pub services: Vec<String>,
    /// What the trace is mainly about.
    pub kind: TraceKind,
}

impl TraceSummary {
    /// The cursor of the page that follows this trace.
    pub fn cursor(&self) -> Cursor {
        Cursor { start_time: self.start_time, trace_id: self.trace_id }
    }
}

/// A page of traces, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TracePage {
    /// The traces.
    pub traces: Vec<TraceSummary>,
    /// Where the next page begins; `None` when this is the last.
    pub next_cursor: Option<Cursor>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip_and_reject_other_text() {
        let cursor = Cursor {
            start_time: Timestamp::from_nanos(-5),
            trace_id: "4bf92f3577b34da6a3ce929d0e0e4736".parse().unwrap(),
        };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "-", "5", "5-xyz", "x-4bf92f3577b34da6a3ce929d0e0e4736"] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text:?}");
        }
    }
}
