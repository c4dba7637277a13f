//! The same rows by another way: OTLP decoded by prost into generated structs, then converted.
//! Slow and plain; the walker must agree with it. Fuzz targets include this file.

mod metrics;
mod same;

use std::collections::HashMap;

use glasshouse_formats::process_id;
use glasshouse_model::{Attributes, ProcessId, Severity, SpanId, SpanKind, StatusCode, Timestamp, TraceId, Value};
use glasshouse_tables::attributes::{PackedWriter, ValueRef, get};
use glasshouse_tables::ports::{Decoded, Rejection};
use glasshouse_tables::{
    Batches, EventRow, LinkRow, LogRow, LogsBuilder, ProcessRow, ProcessesBuilder, SpanEventsBuilder, SpanLinksBuilder,
    SpanRow, SpansBuilder, Table,
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Wire;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

pub use metrics::metrics;
pub use same::assert_same;

/// What a request of some signal should decode to.
pub type Oracle = fn(&[u8], Timestamp) -> Result<Decoded, prost::DecodeError>;

pub fn traces(body: &[u8], received: Timestamp) -> Result<Decoded, prost::DecodeError> {
    let request = ExportTraceServiceRequest::decode(body)?;
    let mut rows = Rows::default();
    let (mut spans, mut events, mut links) =
        (SpansBuilder::with_capacity(0), SpanEventsBuilder::default(), SpanLinksBuilder::default());
    for group in &request.resource_spans {
        let process = rows.process(group.resource.as_ref());
        for scoped in &group.scope_spans {
            let scope = scoped.scope.clone().unwrap_or_default();
            for span in &scoped.spans {
                let (name, version) = (&scope.name, &scope.version);
                let kept = keep_span(span, &process, name, version, &mut spans, &mut events, &mut links);
                rows.item(&process, kept);
            }
        }
    }
    let mut batches = rows.batches(received);
    batches.set(Table::Spans, spans.finish(received));
    batches.set(Table::SpanEvents, events.finish(received));
    batches.set(Table::SpanLinks, links.finish(received));
    Ok(rows.decoded(batches))
}

fn keep_span(
    span: &Span,
    process: &Process,
    scope_name: &str,
    scope_version: &str,
    spans: &mut SpansBuilder,
    events: &mut SpanEventsBuilder,
    links: &mut SpanLinksBuilder,
) -> Result<Timestamp, &'static str> {
    let parent_span_id = match span.parent_span_id.len() {
        0 => None,
        8 => SpanId::from_slice(&span.parent_span_id),
        _ => return Err("parent_span_id is not 8 bytes"),
    };
    if span.start_time_unix_nano == 0 {
        return Err("start_time_unix_nano is missing");
    }
    let trace_id = TraceId::from_slice(&span.trace_id).ok_or("trace_id is not 16 bytes, or all zeros")?;
    let span_id = SpanId::from_slice(&span.span_id).ok_or("span_id is not 8 bytes, or all zeros")?;
    let start_time = time(span.start_time_unix_nano).ok_or("start_time_unix_nano is past the year 2262")?;
    let end_time = match span.end_time_unix_nano {
        0 => None,
        end => Some(time(end).ok_or("end_time_unix_nano is past the year 2262")?),
    };
    let (process_id, service_name) = (process.id, process.service_name.as_str());
    let (mut dropped_events_count, mut dropped_links_count) = (span.dropped_events_count, span.dropped_links_count);
    for event in &span.events {
        let time = if event.time_unix_nano == 0 { Some(start_time) } else { time(event.time_unix_nano) };
        let Some(time) = time else {
            dropped_events_count = dropped_events_count.saturating_add(1);
            continue;
        };
        events.push(&EventRow {
            trace_id,
            span_id,
            process_id,
            service_name,
            time,
            name: &event.name,
            attributes: packed(&event.attributes).packed(),
            dropped_attributes_count: event.dropped_attributes_count,
        });
    }
    for link in &span.links {
        let linked = (TraceId::from_slice(&link.trace_id), SpanId::from_slice(&link.span_id));
        let (Some(linked_trace_id), Some(linked_span_id)) = linked else {
            dropped_links_count = dropped_links_count.saturating_add(1);
            continue;
        };
        links.push(&LinkRow {
            trace_id,
            span_id,
            process_id,
            service_name,
            start_time,
            linked_trace_id,
            linked_span_id,
            trace_state: &link.trace_state,
            attributes: packed(&link.attributes).packed(),
            flags: link.flags,
            dropped_attributes_count: link.dropped_attributes_count,
        });
    }
    let attributes = packed(&span.attributes);
    let thread_id = match get(attributes.packed(), "thread.id") {
        Some(ValueRef::Int(id)) => Some(id),
        Some(ValueRef::String(text)) => text.parse().ok(),
        _ => None,
    };
    let thread_name = match get(attributes.packed(), "thread.name") {
        Some(ValueRef::String(name)) => Some(name),
        _ => None,
    };
    let status = span.status.clone().unwrap_or_default();
    spans.push(&SpanRow {
        trace_id,
        span_id,
        parent_span_id,
        process_id,
        service_name,
        name: &span.name,
        kind: SpanKind::from_otlp(i64::from(span.kind)),
        start_time,
        end_time,
        status_code: StatusCode::from_otlp(i64::from(status.code)),
        status_message: &status.message,
        thread_id,
        thread_name,
        scope_name,
        scope_version,
        trace_state: &span.trace_state,
        flags: span.flags,
        attributes: attributes.packed(),
        dropped_attributes_count: span.dropped_attributes_count,
        dropped_events_count,
        dropped_links_count,
        // Its own tests cover the sampling threshold; here tracestates have none.
        sample_weight: 1.0,
    });
    Ok(start_time)
}

pub fn logs(body: &[u8], received: Timestamp) -> Result<Decoded, prost::DecodeError> {
    let request = ExportLogsServiceRequest::decode(body)?;
    let mut rows = Rows::default();
    let mut logs = LogsBuilder::default();
    for group in &request.resource_logs {
        let process = rows.process(group.resource.as_ref());
        for scoped in &group.scope_logs {
            let scope = scoped.scope.clone().unwrap_or_default();
            for log in &scoped.log_records {
                let (Some(sent), Some(observed)) = (time(log.time_unix_nano), time(log.observed_time_unix_nano)) else {
                    rows.item(&process, Err("time_unix_nano or observed_time_unix_nano is past the year 2262"));
                    continue;
                };
                let observed_time = (log.observed_time_unix_nano != 0).then_some(observed);
                let time = if log.time_unix_nano == 0 { observed_time.unwrap_or(received) } else { sent };
                let body = PackedWriter::from(&Attributes(vec![("body".into(), value(log.body.as_ref()))]));
                logs.push(&LogRow {
                    time,
                    observed_time,
                    process_id: process.id,
                    service_name: &process.service_name,
                    severity: Severity(log.severity_number),
                    severity_text: &log.severity_text,
                    scope_name: &scope.name,
                    scope_version: &scope.version,
                    event_name: &log.event_name,
                    body: get(body.packed(), "body").unwrap(),
                    trace_id: TraceId::from_slice(&log.trace_id),
                    span_id: SpanId::from_slice(&log.span_id),
                    flags: log.flags,
                    attributes: packed(&log.attributes).packed(),
                    dropped_attributes_count: log.dropped_attributes_count,
                });
                rows.item(&process, Ok(time));
            }
        }
    }
    let mut batches = rows.batches(received);
    batches.set(Table::Logs, logs.finish(received));
    Ok(rows.decoded(batches))
}

fn time(nanos: u64) -> Option<Timestamp> {
    i64::try_from(nanos).ok().map(Timestamp::from_nanos)
}

fn packed(attributes: &[KeyValue]) -> PackedWriter {
    PackedWriter::from(&model(attributes))
}

fn model(attributes: &[KeyValue]) -> Attributes {
    Attributes(attributes.iter().map(|entry| (entry.key.clone(), value(entry.value.as_ref()))).collect())
}

fn value(value_: Option<&AnyValue>) -> Value {
    match value_.and_then(|any| any.value.as_ref()) {
        None | Some(Wire::StringValueStrindex(_)) => Value::Empty,
        Some(Wire::StringValue(text)) => Value::String(text.clone()),
        Some(Wire::BoolValue(value)) => Value::Bool(*value),
        Some(Wire::IntValue(value)) => Value::Int(*value),
        Some(Wire::DoubleValue(value)) => Value::Double(*value),
        Some(Wire::BytesValue(bytes)) => Value::Bytes(bytes.clone()),
        Some(Wire::ArrayValue(array)) => Value::Array(array.values.iter().map(|item| value(Some(item))).collect()),
        Some(Wire::KvlistValue(map)) => Value::Map(model(&map.values)),
    }
}

#[derive(Clone)]
struct Process {
    id: ProcessId,
    service_name: String,
}

/// Processes and outcomes of a request.
#[derive(Default)]
struct Rows {
    order: Vec<ProcessId>,
    latest: HashMap<ProcessId, (String, Vec<u8>, Option<Timestamp>)>,
    accepted: usize,
    rejections: Vec<Rejection>,
}

impl Rows {
    fn process(&mut self, resource: Option<&Resource>) -> Process {
        let attributes = resource.map(|resource| packed(&resource.attributes)).unwrap_or_default();
        let id = process_id(attributes.packed());
        let name = get(attributes.packed(), "service.name").and_then(ValueRef::to_text).unwrap_or_default();
        let service_name = if name.is_empty() { "unknown_service".to_owned() } else { name.into_owned() };
        let earliest = self.latest.get(&id).and_then(|known| known.2);
        if !self.order.contains(&id) {
            self.order.push(id);
        }
        self.latest.insert(id, (service_name.clone(), attributes.packed().to_vec(), earliest));
        Process { id, service_name }
    }

    fn item(&mut self, process: &Process, kept: Result<Timestamp, &'static str>) {
        match kept {
            Ok(time) => {
                self.accepted += 1;
                let earliest = &mut self.latest.get_mut(&process.id).unwrap().2;
                *earliest = Some(earliest.map_or(time, |known| known.min(time)));
            }
            Err(reason) => {
                let index = self.accepted + self.rejections.len();
                self.rejections.push(Rejection { index, reason: reason.to_owned() });
            }
        }
    }

    fn batches(&self, received: Timestamp) -> Batches {
        let mut rows = ProcessesBuilder::default();
        for id in &self.order {
            let (service_name, resource, earliest) = &self.latest[id];
            let Some(earliest) = earliest else { continue };
            rows.push(&ProcessRow {
                process_id: *id,
                service_name,
                start_time: Some(*earliest),
                first_seen: received,
                last_update_time: received,
                parent_process_id: None,
                resource,
            });
        }
        let mut batches = Batches::default();
        batches.set(Table::Processes, rows.finish(received));
        batches
    }

    fn decoded(mut self, batches: Batches) -> Decoded {
        let rejected = self.rejections.len();
        self.rejections.truncate(Decoded::MAX_REASONS);
        Decoded { batches, accepted: self.accepted, rejections: self.rejections, rejected }
    }
}
