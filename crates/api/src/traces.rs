use glasshouse_model as model;
use glasshouse_model::{
    Attributes, Cursor, DurationNs, ProcessId, Severity, SpanId, SpanKind, StatusCode, Timestamp, TraceId, TraceKind,
    Value,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{AnyValue, KeyValue, LevelCounts};

/// A page of traces, newest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TraceList {
    /// The traces.
    pub traces: Vec<TraceSummary>,
    /// `cursor` of the next page; absent on the last.
    #[serde(serialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub next_cursor: Option<Cursor>,
}

/// One trace in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TraceSummary {
    /// 32 lower-case hex digits.
    #[schema(value_type = String)]
    pub trace_id: TraceId,
    /// Service of the root span.
    pub root_service: String,
    /// Name of the root span.
    pub root_name: String,
    /// Start of the earliest span, Unix nanoseconds.
    #[schema(value_type = String)]
    pub start_time: Timestamp,
    /// From the earliest start to the latest end, nanoseconds.
    #[schema(value_type = String)]
    pub duration_ns: DurationNs,
    /// Distinct spans.
    pub span_count: u32,
    /// Spans whose status is ERROR.
    pub error_count: u32,
    /// Services that take part, in alphabetical order.
    pub services: Vec<String>,
    /// What the trace is mainly about.
    #[schema(value_type = TraceKindSchema)]
    pub kind: TraceKind,
}

/// A whole trace.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Trace {
    /// 32 lower-case hex digits.
    #[schema(value_type = String)]
    pub trace_id: TraceId,
    /// The processes that the spans belong to.
    pub processes: Vec<TraceProcess>,
    /// The spans, earliest first.
    pub spans: Vec<Span>,
}

/// A process as a trace shows it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TraceProcess {
    /// UUID.
    #[schema(value_type = String)]
    pub process_id: ProcessId,
    /// `service.name` of the resource.
    pub service_name: String,
    /// All resource attributes.
    #[schema(value_type = Vec<KeyValue>)]
    pub resource: Attributes,
}

/// A span with all it carries.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Span {
    /// 32 lower-case hex digits.
    #[schema(value_type = String)]
    pub trace_id: TraceId,
    /// 16 lower-case hex digits.
    #[schema(value_type = String)]
    pub span_id: SpanId,
    /// Parent span; absent for a root.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub parent_span_id: Option<SpanId>,
    /// UUID of the process that sent it.
    #[schema(value_type = String)]
    pub process_id: ProcessId,
    /// `service.name` of the process.
    pub service_name: String,
    /// Operation.
    pub name: String,
    /// Role in a call.
    #[schema(value_type = SpanKindSchema)]
    pub kind: SpanKind,
    /// Unix nanoseconds.
    #[schema(value_type = String)]
    pub start_time: Timestamp,
    /// Unix nanoseconds; absent while the span is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub end_time: Option<Timestamp>,
    /// Nanoseconds; absent while the span is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub duration_ns: Option<DurationNs>,
    /// How it ended.
    #[schema(value_type = StatusCodeSchema)]
    pub status_code: StatusCode,
    /// What went wrong; empty when not said.
    pub status_message: String,
    /// Operating system thread id.
    #[serde(serialize_with = "optional_text", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub thread_id: Option<i64>,
    /// Name of the thread.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub thread_name: Option<String>,
    /// Instrumentation scope.
    pub scope_name: String,
    /// Version of the instrumentation scope.
    pub scope_version: String,
    /// W3C `tracestate`.
    pub trace_state: String,
    /// OTLP span flags; the lowest 8 bits are the W3C trace flags.
    pub flags: u32,
    /// Attributes with their types.
    #[schema(value_type = Vec<KeyValue>)]
    pub attributes: Attributes,
    /// Events, in the sender's order.
    pub events: Vec<SpanEvent>,
    /// Links to other spans.
    pub links: Vec<SpanLink>,
    /// Attributes the sender dropped.
    pub dropped_attributes_count: u32,
    /// Events the sender dropped.
    pub dropped_events_count: u32,
    /// Links the sender dropped.
    pub dropped_links_count: u32,
}

/// Something that happened at one moment of a span.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SpanEvent {
    /// Unix nanoseconds.
    #[schema(value_type = String)]
    pub time: Timestamp,
    /// Name of the event.
    pub name: String,
    /// Attributes with their types.
    #[schema(value_type = Vec<KeyValue>)]
    pub attributes: Attributes,
}

/// A reference to another span.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SpanLink {
    /// 32 lower-case hex digits.
    #[schema(value_type = String)]
    pub trace_id: TraceId,
    /// 16 lower-case hex digits.
    #[schema(value_type = String)]
    pub span_id: SpanId,
    /// W3C `tracestate` of the link.
    pub trace_state: String,
    /// Attributes with their types.
    #[schema(value_type = Vec<KeyValue>)]
    pub attributes: Attributes,
}

/// Log records, earliest first.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LogList {
    /// The records.
    pub logs: Vec<LogRecord>,
}

/// A page of log records.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LogPage {
    /// The records, in the order asked for.
    pub logs: Vec<LogRecord>,
    /// `cursor` of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
}

/// Numbers of log records over time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LogHistogram {
    /// How much time a bucket covers, in nanoseconds; absent when there are no records and no time was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub step_ns: Option<DurationNs>,
    /// The buckets that have records, earliest first.
    pub buckets: Vec<LogBucket>,
    /// All records together.
    pub levels: LevelCounts,
}

/// Numbers of log records in a part of the time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LogBucket {
    /// Where it begins: a multiple of the step.
    #[schema(value_type = String)]
    pub time: Timestamp,
    /// Records of each level.
    pub levels: LevelCounts,
}

/// A log record.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LogRecord {
    /// Unix nanoseconds.
    #[schema(value_type = String)]
    pub time: Timestamp,
    /// When the collection system saw it, Unix nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub observed_time: Option<Timestamp>,
    /// UUID of the process that sent it.
    #[schema(value_type = String)]
    pub process_id: ProcessId,
    /// `service.name` of the process.
    pub service_name: String,
    /// OpenTelemetry severity number, 1 to 24; 0 when not given.
    #[schema(value_type = i32)]
    pub severity_number: Severity,
    /// Severity as the sender wrote it.
    pub severity_text: String,
    /// `FATAL`, `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`; absent when no severity was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub level: Option<&'static str>,
    /// Instrumentation scope.
    pub scope_name: String,
    /// Name of the event, when the record is one.
    pub event_name: String,
    /// Body with its type.
    #[schema(value_type = AnyValue)]
    pub body: Value,
    /// 32 lower-case hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub trace_id: Option<TraceId>,
    /// 16 lower-case hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub span_id: Option<SpanId>,
    /// OTLP log record flags; the lowest 8 bits are the W3C trace flags.
    pub flags: u32,
    /// Attributes with their types.
    #[schema(value_type = Vec<KeyValue>)]
    pub attributes: Attributes,
}

impl From<model::TracePage> for TraceList {
    fn from(page: model::TracePage) -> Self {
        Self { traces: page.traces.into_iter().map(Into::into).collect(), next_cursor: page.next_cursor }
    }
}

impl From<model::TraceSummary> for TraceSummary {
    fn from(summary: model::TraceSummary) -> Self {
        let model::TraceSummary {
            trace_id,
            root_service,
            root_name,
            start_time,
            duration_ns,
            span_count,
            error_count,
            services,
            kind,
        } = summary;
        Self { trace_id, root_service, root_name, start_time, duration_ns, span_count, error_count, services, kind }
    }
}

impl From<model::TraceProcess> for TraceProcess {
    fn from(process: model::TraceProcess) -> Self {
        let model::TraceProcess { process_id, service_name, resource } = process;
        Self { process_id, service_name, resource }
    }
}

impl From<model::Span> for Span {
    fn from(span: model::Span) -> Self {
        Self {
            duration_ns: span.duration(),
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            process_id: span.process_id,
            service_name: span.service_name,
            name: span.name,
            kind: span.kind,
            start_time: span.start_time,
            end_time: span.end_time,
            status_code: span.status_code,
            status_message: span.status_message,
            thread_id: span.thread_id,
            thread_name: span.thread_name,
            scope_name: span.scope_name,
            scope_version: span.scope_version,
            trace_state: span.trace_state,
            flags: span.flags,
            attributes: span.attributes,
            events: span.events.into_iter().map(Into::into).collect(),
            links: span.links.into_iter().map(Into::into).collect(),
            dropped_attributes_count: span.dropped_attributes_count,
            dropped_events_count: span.dropped_events_count,
            dropped_links_count: span.dropped_links_count,
        }
    }
}

impl From<model::SpanEvent> for SpanEvent {
    fn from(event: model::SpanEvent) -> Self {
        let model::SpanEvent { time, name, attributes, .. } = event;
        Self { time, name, attributes }
    }
}

impl From<model::SpanLink> for SpanLink {
    fn from(link: model::SpanLink) -> Self {
        let model::SpanLink { trace_id, span_id, trace_state, attributes, .. } = link;
        Self { trace_id, span_id, trace_state, attributes }
    }
}

impl From<model::LogRecord> for LogRecord {
    fn from(record: model::LogRecord) -> Self {
        Self {
            level: record.severity.level().map(model::Level::as_str),
            time: record.time,
            observed_time: record.observed_time,
            process_id: record.process_id,
            service_name: record.service_name,
            severity_number: record.severity,
            severity_text: record.severity_text,
            scope_name: record.scope_name,
            event_name: record.event_name,
            body: record.body,
            trace_id: record.trace_id,
            span_id: record.span_id,
            flags: record.flags,
            attributes: record.attributes,
        }
    }
}

#[expect(clippy::ref_option, reason = "serde asks for it")]
fn optional_text<T: std::fmt::Display, S: serde::Serializer>(value: &Option<T>, s: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => s.collect_str(value),
        None => s.serialize_none(),
    }
}

/// Role of a span in a call.
#[derive(ToSchema)]
#[schema(as = SpanKind, rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(dead_code, reason = "describes glasshouse_model::SpanKind in OpenAPI")]
enum SpanKindSchema {
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

/// How a span ended.
#[derive(ToSchema)]
#[schema(as = StatusCode, rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(dead_code, reason = "describes glasshouse_model::StatusCode in OpenAPI")]
enum StatusCodeSchema {
    Unset,
    Ok,
    Error,
}

/// What a trace is mainly about, told by the attributes of its root span, or failing that by those of all its spans:
/// `mixed` when these tell several kinds.
#[derive(ToSchema)]
#[schema(as = TraceKind, rename_all = "snake_case")]
#[expect(dead_code, reason = "describes glasshouse_model::TraceKind in OpenAPI")]
enum TraceKindSchema {
    Http,
    Rpc,
    Query,
    Build,
    Database,
    Messaging,
    Mixed,
    Other,
}
