//! A trace as OTLP/JSON (`TracesData` of opentelemetry-proto 1.x): enums as numbers, ids as hex, 64-bit
//! integers as decimal strings.

use std::collections::HashMap;

use glasshouse_model::{Attributes, ProcessId, Span, SpanEvent, SpanId, SpanLink, Timestamp, Trace, TraceId};
use serde::Serialize;

/// Spans grouped by process, then by scope; each group in order of start time.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TracesData<'a> {
    /// One entry for each process.
    pub resource_spans: Vec<ResourceSpans<'a>>,
}

/// Spans of one process.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceSpans<'a> {
    resource: Resource<'a>,
    scope_spans: Vec<ScopeSpans<'a>>,
}

#[derive(Debug, Serialize)]
struct Resource<'a> {
    attributes: &'a Attributes,
}

#[derive(Debug, Serialize)]
struct ScopeSpans<'a> {
    scope: Scope<'a>,
    spans: Vec<OtlpSpan<'a>>,
}

#[derive(Debug, Serialize)]
struct Scope<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    version: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OtlpSpan<'a> {
    trace_id: TraceId,
    span_id: SpanId,
    #[serde(skip_serializing_if = "str::is_empty")]
    trace_state: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<SpanId>,
    flags: u32,
    name: &'a str,
    kind: i32,
    start_time_unix_nano: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time_unix_nano: Option<Timestamp>,
    attributes: &'a Attributes,
    dropped_attributes_count: u32,
    events: Vec<Event<'a>>,
    dropped_events_count: u32,
    links: Vec<Link<'a>>,
    dropped_links_count: u32,
    status: Status<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    time_unix_nano: Timestamp,
    name: &'a str,
    attributes: &'a Attributes,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Link<'a> {
    trace_id: TraceId,
    span_id: SpanId,
    #[serde(skip_serializing_if = "str::is_empty")]
    trace_state: &'a str,
    attributes: &'a Attributes,
}

#[derive(Debug, Serialize)]
struct Status<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    code: i32,
}

impl<'a> From<&'a Trace> for TracesData<'a> {
    fn from(trace: &'a Trace) -> Self {
        static NONE: Attributes = Attributes(Vec::new());
        let resources: HashMap<ProcessId, &Attributes> =
            trace.processes.iter().map(|process| (process.process_id, &process.resource)).collect();
        let mut resource_spans: Vec<ResourceSpans<'a>> = Vec::new();
        let mut resource_index = HashMap::new();
        let mut scope_index = HashMap::new();
        for span in &trace.spans {
            let at = *resource_index.entry(span.process_id).or_insert_with(|| {
                let attributes = resources.get(&span.process_id).copied().unwrap_or(&NONE);
                resource_spans.push(ResourceSpans { resource: Resource { attributes }, scope_spans: Vec::new() });
                resource_spans.len() - 1
            });
            let scopes = &mut resource_spans[at].scope_spans;
            let (name, version) = (span.scope_name.as_str(), span.scope_version.as_str());
            let scope = *scope_index.entry((span.process_id, name, version)).or_insert_with(|| {
                scopes.push(ScopeSpans { scope: Scope { name, version }, spans: Vec::new() });
                scopes.len() - 1
            });
            scopes[scope].spans.push(span.into());
        }
        Self { resource_spans }
    }
}

impl<'a> From<&'a Span> for OtlpSpan<'a> {
    fn from(span: &'a Span) -> Self {
        Self {
            trace_id: span.trace_id,
            span_id: span.span_id,
            trace_state: &span.trace_state,
            parent_span_id: span.parent_span_id,
            flags: span.flags,
            name: &span.name,
            kind: span.kind.otlp(),
            start_time_unix_nano: span.start_time,
            end_time_unix_nano: span.end_time,
            attributes: &span.attributes,
            dropped_attributes_count: span.dropped_attributes_count,
            events: span.events.iter().map(Event::from).collect(),
            dropped_events_count: span.dropped_events_count,
            links: span.links.iter().map(Link::from).collect(),
            dropped_links_count: span.dropped_links_count,
            status: Status { message: &span.status_message, code: span.status_code.otlp() },
        }
    }
}

impl<'a> From<&'a SpanEvent> for Event<'a> {
    fn from(event: &'a SpanEvent) -> Self {
        Self { time_unix_nano: event.time, name: &event.name, attributes: &event.attributes }
    }
}

impl<'a> From<&'a SpanLink> for Link<'a> {
    fn from(link: &'a SpanLink) -> Self {
        let SpanLink { trace_id, span_id, trace_state, attributes } = link;
        Self { trace_id: *trace_id, span_id: *span_id, trace_state, attributes }
    }
}
