//! Zipkin v2 JSON (<https://zipkin.io/zipkin-api/>): a list of spans.
//!
//! Tags and endpoints become attributes as the OpenTelemetry specification maps them
//! (<https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/>), the other way round.

mod shared;
mod wire;

use glasshouse_model::{SpanId, SpanKind, StatusCode, Timestamp, TraceId};
use glasshouse_tables::attributes::{PackedWriter, json_to_packed};
use glasshouse_tables::ports::{DecodeError, Decoded};
use glasshouse_tables::{
    Batches, EventRow, LinkRow, SpanEventsBuilder, SpanLinksBuilder, SpanRow, SpansBuilder, Table,
};
use serde::de::DeserializeSeed;

use self::shared::SharedSpans;
use self::wire::{Endpoint, ZipkinSpan, read};
use crate::json_error::json_error;
use crate::json_items::EachItem;
use crate::outcome::Outcome;
use crate::process::{Processes, SERVICE_NAME, UNKNOWN_SERVICE};
use crate::spans::tag;
use crate::thread::thread;

/// Attributes of the address and port of who reports a span, and of its peer.
pub(crate) const LOCAL: [&str; 2] = ["network.local.address", "network.local.port"];
pub(crate) const PEER: [&str; 2] = ["network.peer.address", "network.peer.port"];
/// The attribute of the peer's name.
pub(crate) const PEER_SERVICE: &str = "peer.service";
/// Tags of links begin so: `otlp.link.0` is `trace id|span id|trace state|attributes as JSON|dropped attributes`.
pub(crate) const LINK_TAG: &str = "otlp.link.";

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
        links: SpanLinksBuilder::default(),
        attributes: PackedWriter::new(),
        nested: PackedWriter::new(),
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
    batches.set(Table::SpanLinks, zipkin.links.finish(received));
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
    links: SpanLinksBuilder,
    attributes: PackedWriter,
    nested: PackedWriter,
    resource: PackedWriter,
}

/// What the tags of a span say about columns of their own.
#[derive(Default)]
struct FromTags<'a> {
    status_code: StatusCode,
    status_message: &'a str,
    scope_name: &'a str,
    scope_version: &'a str,
    trace_state: &'a str,
    dropped_attributes: u32,
    dropped_events: u32,
    dropped_links: u32,
    links: Vec<Link<'a>>,
}

/// A link that a tag tells.
struct Link<'a> {
    trace_id: TraceId,
    span_id: SpanId,
    trace_state: &'a str,
    attributes: &'a str,
    dropped_attributes: u32,
}

impl<'a> Link<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (trace_id, rest) = text.split_once('|')?;
        let (span_id, rest) = rest.split_once('|')?;
        let (rest, dropped) = rest.rsplit_once('|')?;
        // There may be bars in the state and in the attributes.
        let mut divisions = rest.match_indices("|{").map(|(bar, _)| (&rest[..bar], &rest[bar + 1..]));
        let is_attributes = |json: &str| json_to_packed(json, &mut PackedWriter::new()).is_ok();
        let (trace_state, attributes) = divisions.find(|(_, json)| is_attributes(json))?;
        Some(Self {
            trace_id: trace_id.parse().ok()?,
            span_id: span_id.parse().ok()?,
            trace_state,
            attributes,
            dropped_attributes: dropped.parse().ok()?,
        })
    }
}

/// The name of an annotation; its attributes when it has some: `"name":{…}`.
fn read_annotation<'a>(value: &'a str, attributes: &mut PackedWriter) -> std::borrow::Cow<'a, str> {
    attributes.clear();
    let mut names = serde_json::Deserializer::from_str(value).into_iter::<String>();
    if value.starts_with('"')
        && let Some(Ok(name)) = names.next()
        && let Some(json) = value[names.byte_offset()..].trim_start().strip_prefix(':')
        && json_to_packed(json.trim(), attributes).is_ok()
    {
        return name.into();
    }
    attributes.clear();
    value.into()
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
            push_address(endpoint, LOCAL, &mut self.attributes);
        }
        if let Some(endpoint) = &span.remote_endpoint {
            if let Some(name) = endpoint.service_name() {
                self.attributes.push_str(PEER_SERVICE, name);
            }
            push_address(endpoint, PEER, &mut self.attributes);
        }
        self.resource.clear();
        if let Some(name) = span.service_name() {
            self.resource.push_str(SERVICE_NAME, name);
        }
        let process = self.processes.of(self.resource.packed())?;
        let span_id = self.shared.own_id(span);

        for (time, annotation) in annotations.into_iter().zip(&span.annotations) {
            let name = read_annotation(&annotation.value, &mut self.nested);
            self.events.push(&EventRow {
                trace_id: span.trace_id,
                span_id,
                process_id: process.id,
                service_name: &process.service_name,
                time,
                name: &name,
                attributes: self.nested.packed(),
                dropped_attributes_count: 0,
            });
        }
        for link in &from_tags.links {
            self.nested.clear();
            json_to_packed(link.attributes, &mut self.nested).map_err(|_| "a link's attributes are no JSON")?;
            self.links.push(&LinkRow {
                trace_id: span.trace_id,
                span_id,
                process_id: process.id,
                service_name: &process.service_name,
                start_time,
                linked_trace_id: link.trace_id,
                linked_span_id: link.span_id,
                trace_state: link.trace_state,
                attributes: self.nested.packed(),
                flags: 0,
                dropped_attributes_count: link.dropped_attributes,
            });
        }
        let (thread_id, thread_name) = thread(self.attributes.packed());
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
            thread_id,
            thread_name,
            scope_name: from_tags.scope_name,
            scope_version: from_tags.scope_version,
            trace_state: from_tags.trace_state,
            // W3C trace flags: who reports a span has sampled it.
            flags: 1,
            attributes: self.attributes.packed(),
            dropped_attributes_count: from_tags.dropped_attributes,
            dropped_events_count: from_tags.dropped_events,
            dropped_links_count: from_tags.dropped_links,
            sample_weight: 1.0,
        });
        process.saw(start_time);
        Ok(())
    }
}

/// Writes tags as attributes, those aside that OpenTelemetry's exporter writes for other fields.
fn read_tags<'a>(span: &'a ZipkinSpan<'_>, attributes: &mut PackedWriter) -> FromTags<'a> {
    let mut columns = FromTags::default();
    let has_failed = span.tags.get(tag::STATUS_CODE) == Some(StatusCode::Error.as_str());
    let description = span.tags.get(tag::STATUS_DESCRIPTION);
    let is_told = |reason: &str| has_failed && reason == description.unwrap_or("true");
    for (key, value) in &span.tags.0 {
        match key.as_ref() {
            tag::STATUS_CODE => {
                columns.status_code = StatusCode::from_name(value).unwrap_or(columns.status_code);
            }
            tag::TRACE_STATE => columns.trace_state = value,
            tag::DROPPED_ATTRIBUTES => columns.dropped_attributes = value.parse().unwrap_or_default(),
            tag::DROPPED_EVENTS => columns.dropped_events = value.parse().unwrap_or_default(),
            tag::DROPPED_LINKS => columns.dropped_links = value.parse().unwrap_or_default(),
            // What says no more than the status is no attribute of its own.
            tag::ERROR if is_told(value) => {}
            key if key.starts_with(LINK_TAG) && Link::read(value).is_some() => {
                columns.links.extend(Link::read(value));
            }
            tag::STATUS_DESCRIPTION => columns.status_message = value,
            tag::SCOPE_NAME | "otel.library.name" => columns.scope_name = value,
            tag::SCOPE_VERSION | "otel.library.version" => columns.scope_version = value,
            key => attributes.push_str(key, value),
        }
    }
    // Zipkin: a span with this tag failed, whatever the value; it may tell why. Only "false" says it did not.
    if let Some(reason) = span.tags.get(tag::ERROR)
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
