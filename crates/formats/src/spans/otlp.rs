//! Spans as OTLP/JSON (`TracesData` of opentelemetry-proto 1.x): enums as numbers, ids as hex, 64-bit
//! integers as decimal strings.

use std::borrow::Cow;
use std::collections::HashMap;

use glasshouse_model::{Attributes, Span, SpanEvent, SpanId, SpanLink, Timestamp, TraceId};
use glasshouse_tables::ports::DecodeError;
use serde::Serialize;

use super::{Processes, SpanWriter, attributes, write_json};
use crate::otlp::{TRACES_REQUEST, to_protobuf};

/// Spans grouped by process, then by scope; each group in order of start time.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct TracesData<'a> {
    /// One entry for each process.
    resource_spans: Vec<ResourceSpans<'a>>,
}

/// Spans of one process.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ResourceSpans<'a> {
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
    attributes: Cow<'a, Attributes>,
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
    dropped_attributes_count: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Link<'a> {
    trace_id: TraceId,
    span_id: SpanId,
    #[serde(skip_serializing_if = "str::is_empty")]
    trace_state: &'a str,
    attributes: &'a Attributes,
    dropped_attributes_count: u32,
    flags: u32,
}

#[derive(Debug, Serialize)]
struct Status<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
    code: i32,
}

impl<'a> TracesData<'a> {
    fn new(spans: &'a [Span], processes: &'a Processes) -> Self {
        static NONE: Attributes = Attributes(Vec::new());
        let mut resource_spans: Vec<ResourceSpans<'a>> = Vec::new();
        let mut resource_index = HashMap::new();
        let mut scope_index = HashMap::new();
        for span in spans {
            let at = *resource_index.entry(span.process_id).or_insert_with(|| {
                let attributes = processes.get(&span.process_id).map_or(&NONE, |process| &process.resource);
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

/// Spans as an export request in protobuf. It cannot tell times before 1970, nor values nested very deep.
pub(super) fn to_request(spans: &[Span], processes: &Processes) -> Result<Vec<u8>, DecodeError> {
    let json = serde_json::to_vec(&TracesData::new(spans, processes)).expect("its keys are text");
    to_protobuf(&json, &TRACES_REQUEST)
}

/// Writes one JSON object.
#[derive(Debug, Default)]
pub(super) struct Document {
    has_begun: bool,
}

impl SpanWriter for Document {
    fn write(&mut self, spans: &[Span], processes: &Processes, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        for group in TracesData::new(spans, processes).resource_spans {
            out.extend_from_slice(if std::mem::replace(&mut self.has_begun, true) { b"," } else { BEGIN });
            write_json(&group, out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.has_begun {
            out.extend_from_slice(BEGIN);
        }
        out.extend_from_slice(b"]}");
    }
}

const BEGIN: &[u8] = b"{\"resourceSpans\":[";

/// Writes a line of JSON for some spans.
#[derive(Debug, Default)]
pub(super) struct Lines;

impl SpanWriter for Lines {
    fn write(&mut self, spans: &[Span], processes: &Processes, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        for spans in spans.chunks(LINE_SPANS) {
            write_json(&TracesData::new(spans, processes), out);
            out.push(b'\n');
        }
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<u8>) {}
}

/// Spans of a line: who reads it holds it whole.
const LINE_SPANS: usize = 512;

/// Writes protobuf: messages behind each other are one message that holds what each of them holds.
#[derive(Debug, Default)]
pub(super) struct Protobuf;

impl SpanWriter for Protobuf {
    fn write(&mut self, spans: &[Span], processes: &Processes, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        out.extend_from_slice(&to_request(spans, processes)?);
        Ok(())
    }

    fn finish(&mut self, _: &mut Vec<u8>) {}
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
            attributes: attributes(span),
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
        let SpanEvent { time, name, attributes, dropped_attributes_count } = event;
        Self { time_unix_nano: *time, name, attributes, dropped_attributes_count: *dropped_attributes_count }
    }
}

impl<'a> From<&'a SpanLink> for Link<'a> {
    fn from(link: &'a SpanLink) -> Self {
        Self {
            trace_id: link.trace_id,
            span_id: link.span_id,
            trace_state: &link.trace_state,
            attributes: &link.attributes,
            dropped_attributes_count: link.dropped_attributes_count,
            flags: link.flags,
        }
    }
}
