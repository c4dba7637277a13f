use glasshouse_model::{SpanId, SpanKind, StatusCode, Timestamp, TraceId};
use glasshouse_tables::attributes::PackedWriter;
use glasshouse_tables::ports::{DecodeError, Decoded};
use glasshouse_tables::{
    Batches, EventRow, LinkRow, SpanEventsBuilder, SpanLinksBuilder, SpanRow, SpansBuilder, Table,
};

use super::envelope::{Scope, read_request};
use super::{attributes, time};
use crate::outcome::Outcome;
use crate::process::{Process, Processes};
use crate::sampling::sample_weight;
use crate::thread::thread;
use crate::wire::{Message, Result};

/// Decodes an `ExportTraceServiceRequest`.
pub(crate) fn decode_traces(body: &[u8], received: Timestamp) -> Result<Decoded, DecodeError> {
    let mut processes = Processes::default();
    let mut traces = Traces {
        spans: SpansBuilder::with_capacity(count_spans(body)?.min(MAX_CAPACITY)),
        events: SpanEventsBuilder::default(),
        links: SpanLinksBuilder::default(),
        outcome: Outcome::default(),
        scratch: Scratch::default(),
    };
    read_request(body, &mut processes, |process, scope, mut items| {
        while let Some(tag) = items.tag()? {
            match tag.field() {
                2 => traces.read(items.message(tag)?, process, scope)?,
                _ => items.skip(tag)?,
            }
        }
        Ok(())
    })?;
    let mut batches = Batches::default();
    batches.set(Table::Processes, processes.finish(received));
    batches.set(Table::Spans, traces.spans.finish(received));
    batches.set(Table::SpanEvents, traces.events.finish(received));
    batches.set(Table::SpanLinks, traces.links.finish(received));
    Ok(traces.outcome.decoded(batches))
}

/// Spans that memory is taken for before they are read: more cannot be told from hostile bytes.
const MAX_CAPACITY: usize = 1 << 14;

/// Memory that a row takes beside its texts and attributes, roughly.
const SPAN_ROW: usize = 256;
const EVENT_ROW: usize = 128;
const LINK_ROW: usize = 160;

/// Spans in a request: builders of the right size neither grow nor waste.
fn count_spans(body: &[u8]) -> Result<usize> {
    let mut count = 0;
    let mut request = Message::new(body);
    while let Some(tag) = request.tag()? {
        if tag.field() != 1 {
            request.skip(tag)?;
            continue;
        }
        let mut group = request.message(tag)?;
        while let Some(tag) = group.tag()? {
            if tag.field() != 2 {
                group.skip(tag)?;
                continue;
            }
            let mut items = group.message(tag)?;
            while let Some(tag) = items.tag()? {
                count += usize::from(tag.field() == 2);
                items.skip(tag)?;
            }
        }
    }
    Ok(count)
}

struct Traces<'a> {
    spans: SpansBuilder,
    events: SpanEventsBuilder,
    links: SpanLinksBuilder,
    outcome: Outcome,
    scratch: Scratch<'a>,
}

/// Memory that is used again for each span.
#[derive(Default)]
struct Scratch<'a> {
    attributes: PackedWriter,
    nested: PackedWriter,
    events: Vec<Message<'a>>,
    links: Vec<Message<'a>>,
}

/// A span as it was sent.
#[derive(Default)]
struct WireSpan<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    parent_span_id: &'a [u8],
    trace_state: &'a str,
    flags: u32,
    name: &'a str,
    kind: i32,
    start: u64,
    end: u64,
    dropped_attributes: u32,
    dropped_events: u32,
    dropped_links: u32,
    status_message: &'a str,
    status_code: i32,
    /// Whether there may be attributes that the thread columns show.
    has_thread: bool,
}

impl<'a> Traces<'a> {
    fn read(&mut self, mut message: Message<'a>, process: &mut Process, scope: Scope<'a>) -> Result<()> {
        let scratch = &mut self.scratch;
        scratch.attributes.clear();
        scratch.events.clear();
        scratch.links.clear();
        let mut span = WireSpan::default();
        while let Some(tag) = message.tag()? {
            match tag.field() {
                1 => span.trace_id = message.bytes(tag)?,
                2 => span.span_id = message.bytes(tag)?,
                3 => span.trace_state = message.text(tag)?,
                4 => span.parent_span_id = message.bytes(tag)?,
                5 => span.name = message.text(tag)?,
                6 => span.kind = message.uint32(tag)? as i32,
                7 => span.start = message.fixed64(tag)?,
                8 => span.end = message.fixed64(tag)?,
                9 => {
                    let key = attributes::push(message.message(tag)?, &mut scratch.attributes)?;
                    span.has_thread |= key.starts_with(b"thread.");
                }
                10 => span.dropped_attributes = message.uint32(tag)?,
                11 => {
                    self.outcome.spend(EVENT_ROW).map_err(|what| message.malformed(what))?;
                    scratch.events.push(message.message(tag)?);
                }
                12 => span.dropped_events = message.uint32(tag)?,
                13 => {
                    self.outcome.spend(LINK_ROW).map_err(|what| message.malformed(what))?;
                    scratch.links.push(message.message(tag)?);
                }
                14 => span.dropped_links = message.uint32(tag)?,
                15 => read_status(message.message(tag)?, &mut span)?,
                16 => span.flags = message.fixed32(tag)?,
                _ => message.skip(tag)?,
            }
        }
        self.keep(&span, process, scope, message)
    }

    /// Appends the rows of a span, its events and links, or says why it is refused.
    fn keep(&mut self, span: &WireSpan<'a>, process: &mut Process, scope: Scope<'a>, end: Message<'a>) -> Result<()> {
        let identity = Identity::of(span);
        let lost_events = self.keep_events(identity.as_ref().ok(), process)?;
        let lost_links = self.keep_links(identity.as_ref().ok(), process)?;
        let identity = match identity {
            Ok(identity) => identity,
            Err(reason) => {
                self.outcome.reject(reason);
                return Ok(());
            }
        };
        let attributes = self.scratch.attributes.packed();
        let names = process.service_name.len() + scope.name.len() + scope.version.len() + span.name.len();
        let own = attributes.len() + span.status_message.len() + span.trace_state.len();
        self.outcome.spend(SPAN_ROW + names + own).map_err(|what| end.malformed(what))?;
        let (thread_id, thread_name) = if span.has_thread { thread(attributes) } else { (None, None) };
        self.spans.push(&SpanRow {
            trace_id: identity.trace_id,
            span_id: identity.span_id,
            parent_span_id: identity.parent_span_id,
            process_id: process.id,
            service_name: &process.service_name,
            name: span.name,
            kind: SpanKind::from_otlp(i64::from(span.kind)),
            start_time: identity.start_time,
            end_time: identity.end_time,
            status_code: StatusCode::from_otlp(i64::from(span.status_code)),
            status_message: span.status_message,
            thread_id,
            thread_name,
            scope_name: scope.name,
            scope_version: scope.version,
            trace_state: span.trace_state,
            flags: span.flags,
            attributes,
            dropped_attributes_count: span.dropped_attributes,
            dropped_events_count: span.dropped_events.saturating_add(lost_events),
            dropped_links_count: span.dropped_links.saturating_add(lost_links),
            sample_weight: sample_weight(span.trace_state),
        });
        process.saw(identity.start_time);
        self.outcome.accept();
        Ok(())
    }

    /// Appends the span's events, when the span is kept, and counts those that cannot be kept: they are
    /// shown as dropped.
    fn keep_events(&mut self, span: Option<&Identity>, process: &Process) -> Result<u32> {
        let mut lost = 0;
        for message in &self.scratch.events {
            let attributes = &mut self.scratch.nested;
            let event = read_event(*message, attributes)?;
            let Some(span) = span else { continue };
            let texts = process.service_name.len() + event.name.len() + attributes.packed().len();
            self.outcome.spend(texts).map_err(|what| message.malformed(what))?;
            // An event without a time happened when the span did.
            let time = if event.time == 0 { Some(span.start_time) } else { time(event.time) };
            let Some(time) = time else {
                lost += 1;
                continue;
            };
            self.events.push(&EventRow {
                trace_id: span.trace_id,
                span_id: span.span_id,
                process_id: process.id,
                service_name: &process.service_name,
                time,
                name: event.name,
                attributes: attributes.packed(),
                dropped_attributes_count: event.dropped_attributes,
            });
        }
        Ok(lost)
    }

    /// The same for the span's links: one whose ids are invalid leads nowhere.
    fn keep_links(&mut self, span: Option<&Identity>, process: &Process) -> Result<u32> {
        let mut lost = 0;
        for message in &self.scratch.links {
            let attributes = &mut self.scratch.nested;
            let link = read_link(*message, attributes)?;
            let Some(span) = span else { continue };
            let texts = process.service_name.len() + link.trace_state.len() + attributes.packed().len();
            self.outcome.spend(texts).map_err(|what| message.malformed(what))?;
            let linked = (TraceId::from_slice(link.trace_id), SpanId::from_slice(link.span_id));
            let (Some(linked_trace_id), Some(linked_span_id)) = linked else {
                lost += 1;
                continue;
            };
            self.links.push(&LinkRow {
                trace_id: span.trace_id,
                span_id: span.span_id,
                process_id: process.id,
                service_name: &process.service_name,
                start_time: span.start_time,
                linked_trace_id,
                linked_span_id,
                trace_state: link.trace_state,
                attributes: attributes.packed(),
                flags: link.flags,
                dropped_attributes_count: link.dropped_attributes,
            });
        }
        Ok(lost)
    }
}

/// What a span must have to be kept.
struct Identity {
    trace_id: TraceId,
    span_id: SpanId,
    parent_span_id: Option<SpanId>,
    start_time: Timestamp,
    end_time: Option<Timestamp>,
}

impl Identity {
    fn of(span: &WireSpan<'_>) -> Result<Self, &'static str> {
        let parent_span_id = match span.parent_span_id.len() {
            0 => None,
            SpanId::LEN => SpanId::from_slice(span.parent_span_id),
            _ => return Err("parent_span_id is not 8 bytes"),
        };
        if span.start == 0 {
            return Err("start_time_unix_nano is missing");
        }
        Ok(Self {
            trace_id: TraceId::from_slice(span.trace_id).ok_or("trace_id is not 16 bytes, or all zeros")?,
            span_id: SpanId::from_slice(span.span_id).ok_or("span_id is not 8 bytes, or all zeros")?,
            parent_span_id,
            start_time: time(span.start).ok_or("start_time_unix_nano is past the year 2262")?,
            // No end: the span is still open.
            end_time: match span.end {
                0 => None,
                end => Some(time(end).ok_or("end_time_unix_nano is past the year 2262")?),
            },
        })
    }
}

struct WireEvent<'a> {
    time: u64,
    name: &'a str,
    dropped_attributes: u32,
}

fn read_event<'a>(mut message: Message<'a>, attributes: &mut PackedWriter) -> Result<WireEvent<'a>> {
    let mut event = WireEvent { time: 0, name: "", dropped_attributes: 0 };
    attributes.clear();
    while let Some(tag) = message.tag()? {
        match tag.field() {
            1 => event.time = message.fixed64(tag)?,
            2 => event.name = message.text(tag)?,
            3 => drop(attributes::push(message.message(tag)?, attributes)?),
            4 => event.dropped_attributes = message.uint32(tag)?,
            _ => message.skip(tag)?,
        }
    }
    Ok(event)
}

struct WireLink<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    trace_state: &'a str,
    flags: u32,
    dropped_attributes: u32,
}

fn read_link<'a>(mut message: Message<'a>, attributes: &mut PackedWriter) -> Result<WireLink<'a>> {
    let mut link = WireLink { trace_id: &[], span_id: &[], trace_state: "", flags: 0, dropped_attributes: 0 };
    attributes.clear();
    while let Some(tag) = message.tag()? {
        match tag.field() {
            1 => link.trace_id = message.bytes(tag)?,
            2 => link.span_id = message.bytes(tag)?,
            3 => link.trace_state = message.text(tag)?,
            4 => drop(attributes::push(message.message(tag)?, attributes)?),
            5 => link.dropped_attributes = message.uint32(tag)?,
            6 => link.flags = message.fixed32(tag)?,
            _ => message.skip(tag)?,
        }
    }
    Ok(link)
}

fn read_status<'a>(mut status: Message<'a>, span: &mut WireSpan<'a>) -> Result<()> {
    while let Some(tag) = status.tag()? {
        match tag.field() {
            2 => span.status_message = status.text(tag)?,
            3 => span.status_code = status.uint32(tag)? as i32,
            _ => status.skip(tag)?,
        }
    }
    Ok(())
}
