//! Whole records as views show them. Ingest and queries never build these row by row; they are for
//! the one trace, the one span, the few log lines that a person looks at, and for exports.

use serde::Serialize;

use crate::{Attributes, DurationNs, ProcessId, Severity, SpanId, SpanKind, StatusCode, Timestamp, TraceId, Value};

/// A span with all it carries.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "fields are OpenTelemetry's, see docs/reference/tables.md")]
pub struct Span {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub parent_span_id: Option<SpanId>,
    pub process_id: ProcessId,
    pub service_name: String,
    pub name: String,
    pub kind: SpanKind,
    pub start_time: Timestamp,
    /// `None` while the span is open.
    pub end_time: Option<Timestamp>,
    pub status_code: StatusCode,
    pub status_message: String,
    pub thread_id: Option<i64>,
    pub thread_name: Option<String>,
    pub scope_name: String,
    pub scope_version: String,
    pub trace_state: String,
    pub flags: u32,
    pub attributes: Attributes,
    pub dropped_attributes_count: u32,
    pub dropped_events_count: u32,
    pub dropped_links_count: u32,
    pub events: Vec<SpanEvent>,
    pub links: Vec<SpanLink>,
}

impl Span {
    /// Time from start to end; `None` while open.
    pub fn duration(&self) -> Option<DurationNs> {
        self.end_time.map(|end| end - self.start_time)
    }
}

/// Something that happened at one moment of a span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "fields are OpenTelemetry's")]
pub struct SpanEvent {
    pub time: Timestamp,
    pub name: String,
    pub attributes: Attributes,
    pub dropped_attributes_count: u32,
}

/// A reference from a span to another span.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "fields are OpenTelemetry's")]
pub struct SpanLink {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub trace_state: String,
    pub attributes: Attributes,
    pub dropped_attributes_count: u32,
    pub flags: u32,
}

/// A log record.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "fields are OpenTelemetry's")]
pub struct LogRecord {
    pub time: Timestamp,
    pub observed_time: Option<Timestamp>,
    pub process_id: ProcessId,
    pub service_name: String,
    pub severity: Severity,
    pub severity_text: String,
    pub scope_name: String,
    pub event_name: String,
    pub body: Value,
    pub trace_id: Option<TraceId>,
    pub span_id: Option<SpanId>,
    pub flags: u32,
    pub attributes: Attributes,
}

/// A trace: every known span of one trace id, each (trace id, span id) once, in order of start time,
/// then of span id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trace {
    /// The trace's id.
    pub trace_id: TraceId,
    /// The spans, earliest first.
    pub spans: Vec<Span>,
    /// The processes that the spans belong to.
    pub processes: Vec<TraceProcess>,
}

/// A process as a trace shows it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TraceProcess {
    /// The process's id.
    pub process_id: ProcessId,
    /// `service.name` of its resource.
    pub service_name: String,
    /// All resource attributes.
    pub resource: Attributes,
}
