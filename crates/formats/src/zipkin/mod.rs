//! Zipkin v2 JSON (<https://zipkin.io/zipkin-api/>): a list of spans.
//!
//! Tags and endpoints become attributes as the OpenTelemetry specification maps them
//! (<https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/>), the other way round.

mod shared;
mod wire;

use glasshouse_model::{SpanKind, StatusCode, Timestamp};
use glasshouse_tables::attributes::PackedWriter;
use glasshouse_tables::ports::{DecodeError, Decoded};
use glasshouse_tables::{Batches, EventRow, SpanEventsBuilder, SpanRow, SpansBuilder, Table};
use serde::de::DeserializeSeed;

use self::shared::SharedSpans;
use self::wire::{Endpoint, ZipkinSpan, read};
use crate::json_error::json_error;
use crate::json_items::EachItem;
use crate::outcome::Outcome;
use crate::process::{Processes, SERVICE_NAME, UNKNOWN_SERVICE};

/// Decodes a list of spans.
pub(crate) fn decode_zipkin(body: &[u8], received: Timestamp) -> Result<Decoded, DecodeError> {
    // Once for the ids that both sides of a call share, once for the spans: they are not held in between.
    let mut shared = SharedSpans::default();
    each_span(body, |json| {
        if let Ok(span) = read(json) {
            shared.add(&span);
        }
        Ok(())
    })?;
    shared.finish();
    let mut zipkin = Zipkin {
        shared,
        processes: Processes::default(),
        spans: SpansBuilder::with_capacity(0),
        events: SpanEventsBuilder::default(),
        attributes: PackedWriter::new(),
        resource: PackedWriter::new(),
    };
    let mut outcome = Outcome::default();
    each_span(body, |json| {
        match read(json).and_then(|span| Ok((Times::of(&span)?, span))) {
            Ok((times, span)) => {
                let names = span.service_name().map_or(UNKNOWN_SERVICE.len(), str::len) * (1 + span.annotations.len());
                outcome.spend(SPAN_ROW + EVENT_ROW * span.annotations.len() + names + json.len())?;
                zipkin.keep(&span, times)?;
                outcome.accept();
            }
            Err(reason) => outcome.reject(reason),
        }
        Ok(())
    })?;
    let mut batches = Batches::default();
    batches.set(Table::Processes, zipkin.processes.finish(received));
    batches.set(Table::Spans, zipkin.spans.finish(received));
    batches.set(Table::SpanEvents, zipkin.events.finish(received));
    Ok(outcome.decoded(batches))
}

/// Memory that rows take beside their texts and attributes, roughly.
const SPAN_ROW: usize = 256;
const EVENT_ROW: usize = 128;

fn each_span<'a>(body: &'a [u8], each: impl FnMut(&'a str) -> Result<(), &'static str>) -> Result<(), DecodeError> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let read = EachItem(each).deserialize(&mut deserializer).and_then(|()| deserializer.end());
    read.map_err(|error| json_error(&error, ""))
}

struct Zipkin {
    shared: SharedSpans,
    processes: Processes,
    spans: SpansBuilder,
    events: SpanEventsBuilder,
    attributes: PackedWriter,
    resource: PackedWriter,
}

/// What the tags of a span say about columns of their own.
#[derive(Default)]
struct FromTags<'a> {
    status_code: StatusCode,
    status_message: &'a str,
    scope_name: &'a str,
    scope_version: &'a str,
}

/// When a span and its annotations happened.
struct Times {
    start_time: Timestamp,
    end_time: Option<Timestamp>,
    annotations: Vec<Timestamp>,
}

impl Times {
    /// The times of a span, or why it is refused.
    fn of(span: &ZipkinSpan<'_>) -> Result<Self, String> {
        let start_time = match (span.timestamp, span.annotations.iter().map(|annotation| annotation.timestamp).min()) {
            (Some(micros), _) | (None, Some(micros)) => nanos(micros)?,
            (None, None) => return Err("timestamp is missing".to_owned()),
        };
        // Zipkin's spans without a duration are not finished.
        let end_time = match span.duration {
            Some(micros) => {
                let end = nanos(micros)?.nanos().checked_add(start_time.nanos());
                Some(Timestamp::from_nanos(end.ok_or("the span ends past the year 2262")?))
            }
            None => None,
        };
        let annotations = span.annotations.iter().map(|a| nanos(a.timestamp)).collect::<Result<_, _>>()?;
        Ok(Self { start_time, end_time, annotations })
    }
}

impl Zipkin {
    /// Appends the rows of a span.
    fn keep(&mut self, span: &ZipkinSpan<'_>, times: Times) -> Result<(), &'static str> {
        let Times { start_time, end_time, annotations } = times;
        self.attributes.clear();
        let from_tags = read_tags(span, &mut self.attributes);
        if let Some(endpoint) = &span.local_endpoint {
            push_address(endpoint, ["network.local.address", "network.local.port"], &mut self.attributes);
        }
        if let Some(endpoint) = &span.remote_endpoint {
            if let Some(name) = endpoint.service_name() {
                self.attributes.push_str("peer.service", name);
            }
            push_address(endpoint, ["network.peer.address", "network.peer.port"], &mut self.attributes);
        }
        self.resource.clear();
        if let Some(name) = span.service_name() {
            self.resource.push_str(SERVICE_NAME, name);
        }
        let process = self.processes.of(self.resource.packed())?;
        let span_id = self.shared.own_id(span);

        for (time, annotation) in annotations.into_iter().zip(&span.annotations) {
            self.events.push(&EventRow {
                trace_id: span.trace_id,
                span_id,
                process_id: process.id,
                service_name: &process.service_name,
                time,
                name: &annotation.value,
                attributes: &[],
                dropped_attributes_count: 0,
            });
        }
        self.spans.push(&SpanRow {
            trace_id: span.trace_id,
            span_id,
            parent_span_id: self.shared.parent_id(span),
            process_id: process.id,
            service_name: &process.service_name,
            name: &span.name,
            kind: span.kind.unwrap_or(SpanKind::Internal),
            start_time,
            end_time,
            status_code: from_tags.status_code,
            status_message: from_tags.status_message,
            thread_id: None,
            thread_name: None,
            scope_name: from_tags.scope_name,
            scope_version: from_tags.scope_version,
            trace_state: "",
            // W3C trace flags: who reports a span has sampled it.
            flags: 1,
            attributes: self.attributes.packed(),
            dropped_attributes_count: 0,
            dropped_events_count: 0,
            dropped_links_count: 0,
            sample_weight: 1.0,
        });
        process.saw(start_time);
        Ok(())
    }
}

/// Writes tags as attributes, those aside that OpenTelemetry's exporter writes for other fields.
fn read_tags<'a>(span: &'a ZipkinSpan<'_>, attributes: &mut PackedWriter) -> FromTags<'a> {
    let mut columns = FromTags::default();
    for (key, value) in &span.tags.0 {
        match key.as_ref() {
            "otel.status_code" => {
                columns.status_code = StatusCode::from_name(value).unwrap_or(columns.status_code);
            }
            "otel.status_description" => columns.status_message = value,
            "otel.scope.name" | "otel.library.name" => columns.scope_name = value,
            "otel.scope.version" | "otel.library.version" => columns.scope_version = value,
            key => attributes.push_str(key, value),
        }
    }
    // Zipkin: a span with this tag failed, whatever the value; it may tell why. Only "false" says it did not.
    if let Some(reason) = span.tags.get("error")
        && !reason.eq_ignore_ascii_case("false")
    {
        columns.status_code = StatusCode::Error;
        if columns.status_message.is_empty() && !reason.eq_ignore_ascii_case("true") {
            columns.status_message = reason;
        }
    }
    columns
}

fn push_address(endpoint: &Endpoint<'_>, [address, port]: [&str; 2], attributes: &mut PackedWriter) {
    if let Some(ip) = endpoint.ip() {
        attributes.push_str(address, ip);
    }
    if let Some(number) = endpoint.port.filter(|number| *number != 0) {
        attributes.push(port, &glasshouse_model::Value::Int(i64::from(number)));
    }
}

fn nanos(micros: u64) -> Result<Timestamp, String> {
    micros
        .checked_mul(1000)
        .and_then(Timestamp::from_unix_nanos)
        .ok_or_else(|| format!("{micros} microseconds are past the year 2262"))
}
