//! Native JSON: `{"spans":[…]}` with plain attributes and decimal times. A span without `end_time` is
//! open; sending it again with one completes it.

mod wire;

use std::collections::{HashMap, HashSet};

use glasshouse_model::{Attributes, Timestamp, Value};
use glasshouse_tables::attributes::{PackedWriter, ValueRef, iter, json_to_packed, to_model};
use glasshouse_tables::ports::{DecodeError, Decoded};
use glasshouse_tables::{
    Batches, EventRow, LinkRow, SpanEventsBuilder, SpanLinksBuilder, SpanRow, SpansBuilder, Table,
};
use serde::Deserializer as _;
use serde_json::value::RawValue;

use self::wire::{NativeSpan, SpansOf, TopLevel};
use crate::json_error::{json_error, reason};
use crate::json_items::EachItem;
use crate::otlp::MAX_DEPTH;
use crate::outcome::Outcome;
use crate::process::{Processes, SERVICE_NAME};
use crate::sampling::sample_weight;
use crate::thread::thread;

/// Memory that rows take beside their texts and attributes, roughly.
const SPAN_ROW: usize = 256;
const EVENT_ROW: usize = 128;
const LINK_ROW: usize = 160;

/// Decodes `{"spans":[…], "resource"?: {…}}`.
pub(crate) fn decode_native(body: &[u8], received: Timestamp) -> Result<Decoded, DecodeError> {
    let top: TopLevel<'_> = serde_json::from_slice(body).map_err(|error| json_error(&error, ""))?;
    let resource =
        pack(top.resource, "resource").map_err(|what| DecodeError { what, place: "the top level".to_owned() })?;
    let mut native = Native {
        resource: to_model(resource.packed()),
        by_own: HashMap::new(),
        processes: Processes::default(),
        spans: SpansBuilder::with_capacity(0),
        events: SpanEventsBuilder::default(),
        links: SpanLinksBuilder::default(),
    };
    let mut outcome = Outcome::default();
    let each = EachItem(|item| {
        match native.keep(item, &mut outcome) {
            Ok(()) => outcome.accept(),
            Err(Refused::Span(reason)) => outcome.reject(reason),
            Err(Refused::Request(what)) => return Err(what),
        }
        Ok(())
    });
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    deserializer.deserialize_map(SpansOf(each)).map_err(|error| json_error(&error, ""))?;
    let mut batches = Batches::default();
    batches.set(Table::Processes, native.processes.finish(received));
    batches.set(Table::Spans, native.spans.finish(received));
    batches.set(Table::SpanEvents, native.events.finish(received));
    batches.set(Table::SpanLinks, native.links.finish(received));
    Ok(outcome.decoded(batches))
}

/// Why a span is not kept.
enum Refused {
    /// It is wrong by itself.
    Span(String),
    /// The request asks for too much.
    Request(&'static str),
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Self::Span(reason)
    }
}

struct Native {
    /// The resource that all spans of the request share.
    resource: Attributes,
    /// Positions of processes by what spans say of them: their service and their own resource.
    by_own: HashMap<(String, String), usize>,
    processes: Processes,
    spans: SpansBuilder,
    events: SpanEventsBuilder,
    links: SpanLinksBuilder,
}

impl Native {
    /// Appends the rows of a span, or says why it is refused. Everything is read before anything is kept.
    fn keep(&mut self, json: &str, outcome: &mut Outcome) -> Result<(), Refused> {
        let span: NativeSpan<'_> = serde_json::from_str(json).map_err(|error| reason(&error))?;
        if span.start_time < Timestamp::default() || span.end_time.is_some_and(|end| end < Timestamp::default()) {
            return Err(Refused::Span("a time is before 1970".to_owned()));
        }
        let attributes = pack(span.attributes, "attributes")?;
        let events = pack_each(&span.events, "events", |event| event.attributes)?;
        let links = pack_each(&span.links, "links", |link| link.attributes)?;
        let index = self.process_of(&span, outcome)?;
        let process = self.processes.get(index);
        let (process_id, service_name) = (process.id, process.service_name.as_str());
        let rows = SPAN_ROW + EVENT_ROW * events.len() + LINK_ROW * links.len();
        let names = service_name.len() * (1 + events.len() + links.len());
        outcome.spend(rows + names + json.len()).map_err(Refused::Request)?;

        for (event, attributes) in span.events.iter().zip(&events) {
            self.events.push(&EventRow {
                trace_id: span.trace_id,
                span_id: span.span_id,
                process_id,
                service_name,
                time: event.time,
                name: &event.name,
                attributes: attributes.packed(),
                dropped_attributes_count: event.dropped_attributes_count,
            });
        }
        for (link, attributes) in span.links.iter().zip(&links) {
            self.links.push(&LinkRow {
                trace_id: span.trace_id,
                span_id: span.span_id,
                process_id,
                service_name,
                start_time: span.start_time,
                linked_trace_id: link.trace_id,
                linked_span_id: link.span_id,
                trace_state: &link.trace_state,
                attributes: attributes.packed(),
                flags: link.flags,
                dropped_attributes_count: link.dropped_attributes_count,
            });
        }
        let (thread_id, thread_name) = thread(attributes.packed());
        self.spans.push(&SpanRow {
            trace_id: span.trace_id,
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            process_id,
            service_name,
            name: &span.name,
            kind: span.kind,
            start_time: span.start_time,
            end_time: span.end_time,
            status_code: span.status.code,
            status_message: &span.status.message,
            thread_id: span.thread_id.or(thread_id),
            thread_name: span.thread_name.as_deref().or(thread_name),
            scope_name: &span.scope_name,
            scope_version: &span.scope_version,
            trace_state: &span.trace_state,
            flags: span.flags,
            attributes: attributes.packed(),
            dropped_attributes_count: span.dropped_attributes_count,
            dropped_events_count: span.dropped_events_count,
            dropped_links_count: span.dropped_links_count,
            sample_weight: sample_weight(&span.trace_state),
        });
        process.saw(span.start_time);
        Ok(())
    }

    /// Position of the span's process.
    fn process_of(&mut self, span: &NativeSpan<'_>, outcome: &mut Outcome) -> Result<usize, Refused> {
        let own = (span.service_name.to_string(), span.resource.map(RawValue::get).unwrap_or_default().to_owned());
        if let Some(index) = self.by_own.get(&own) {
            return Ok(*index);
        }
        let resource = self.resource_of(span)?;
        let resource = PackedWriter::from(&resource);
        // Each process repeats what the request's resource says once.
        outcome.spend(4 * resource.packed().len()).map_err(Refused::Request)?;
        let index = self.processes.index_of(resource.packed()).map_err(Refused::Request)?;
        self.by_own.insert(own, index);
        Ok(index)
    }

    /// The span's own resource over the request's, with the span's service.
    fn resource_of(&self, span: &NativeSpan<'_>) -> Result<Attributes, String> {
        let own = to_model(pack(span.resource, "resource")?.packed());
        let service = (SERVICE_NAME.to_owned(), Value::String(span.service_name.to_string()));
        let mut known = HashSet::new();
        let all = std::iter::once(service).chain(own.0).chain(self.resource.0.iter().cloned());
        Ok(Attributes(all.filter(|(key, _)| known.insert(key.clone())).collect()))
    }
}

/// Packs an optional object of plain JSON values; `what` names it in errors.
fn pack(object: Option<&RawValue>, what: &str) -> Result<PackedWriter, String> {
    let mut packed = PackedWriter::new();
    if let Some(object) = object {
        json_to_packed(object.get(), &mut packed).map_err(|error| format!("{what}: {error}"))?;
        if iter(packed.packed()).any(|(_, value)| is_too_deep(value, 1)) {
            return Err(format!("{what}: value nested more than {MAX_DEPTH} deep"));
        }
    }
    Ok(packed)
}

fn pack_each<'a, T>(
    items: &[T],
    what: &str,
    attributes: impl Fn(&T) -> Option<&'a RawValue>,
) -> Result<Vec<PackedWriter>, String> {
    items.iter().enumerate().map(|(i, item)| pack(attributes(item), &format!("{what}[{i}].attributes"))).collect()
}

fn is_too_deep(value: ValueRef<'_>, depth: u32) -> bool {
    depth > MAX_DEPTH
        || value.items().any(|item| is_too_deep(item, depth + 1))
        || value.entries().any(|(_, item)| is_too_deep(item, depth + 1))
}
