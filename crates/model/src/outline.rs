//! A trace without what its spans carry: small enough that one of a million spans can be drawn.

use crate::{SpanId, SpanKind, StatusCode, Timestamp, TraceId};

/// The shape of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceOutline {
    /// The trace's id.
    pub trace_id: TraceId,
    /// Services that spans name by their position, each once.
    pub services: Vec<String>,
    /// Names that spans and events name by their position, each once.
    pub names: Vec<String>,
    /// The spans, in order of start, then of id.
    pub spans: Vec<OutlineSpan>,
    /// What happened within them, in order of span, then of time.
    pub events: Vec<OutlineEvent>,
}

/// A span as it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutlineSpan {
    /// The span's id.
    pub span_id: SpanId,
    /// The span that caused it; it may not be part of the outline.
    pub parent_span_id: Option<SpanId>,
    /// When it began.
    pub start_time: Timestamp,
    /// When it ended; `None` while it is open.
    pub end_time: Option<Timestamp>,
    /// Position in [`TraceOutline::services`].
    pub service: u32,
    /// Position in [`TraceOutline::names`].
    pub name: u32,
    /// Role in a call.
    pub kind: SpanKind,
    /// How it ended.
    pub status_code: StatusCode,
}

/// A moment of a span. Equal ones are shown once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OutlineEvent {
    /// Position of the span in [`TraceOutline::spans`].
    pub span: u32,
    /// When it happened.
    pub time: Timestamp,
    /// Position in [`TraceOutline::names`].
    pub name: u32,
}
