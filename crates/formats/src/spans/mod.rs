//! Spans in the forms of other tools.
//!
//! Each form keeps what it has a place for. OTLP keeps everything; Jaeger and Zipkin tell times in microseconds, and
//! Zipkin tells values as text and a resource as tags of its spans. What they have no field for is in tags, as
//! OpenTelemetry's specification maps it, so that it is understood when it comes back.

mod chrome;
mod jaeger;
mod otlp;
mod zipkin;

use std::borrow::Cow;
use std::collections::HashMap;

use glasshouse_model::{Attributes, ProcessId, Span, TraceProcess, Value};
use glasshouse_tables::attributes::{PackedWriter, get, packed_to_json};
use glasshouse_tables::ports::{DecodeError, SpanFormat};
use serde::Serialize;

pub use jaeger::jaeger_to_otlp;

/// Processes by their ids.
pub type Processes = HashMap<ProcessId, TraceProcess>;

/// Writes spans, whole, as they come in order of start.
pub trait SpanWriter: Send {
    /// Writes some spans at the end of `out`. `processes` has theirs, as far as known. The error says what the format
    /// cannot hold.
    fn write(&mut self, spans: &[Span], processes: &Processes, out: &mut Vec<u8>) -> Result<(), DecodeError>;

    /// Writes what comes after the last span.
    fn finish(&mut self, out: &mut Vec<u8>);
}

/// The writer of a format.
pub fn span_writer(format: SpanFormat) -> Box<dyn SpanWriter> {
    match format {
        SpanFormat::Otlp => Box::<otlp::Document>::default(),
        SpanFormat::OtlpJson => Box::<otlp::Lines>::default(),
        SpanFormat::OtlpProto => Box::<otlp::Protobuf>::default(),
        SpanFormat::Jaeger => Box::<jaeger::Writer>::default(),
        SpanFormat::Zipkin => Box::<zipkin::Writer>::default(),
        SpanFormat::Chrome => Box::<chrome::Writer>::default(),
    }
}

/// Attributes of a span; its thread is always among them.
fn attributes(span: &Span) -> Cow<'_, Attributes> {
    let thread =
        [("thread.id", span.thread_id.map(Value::Int)), ("thread.name", span.thread_name.clone().map(Value::String))];
    let mut attributes = Cow::Borrowed(&span.attributes);
    for (key, value) in thread {
        if let Some(value) = value
            && attributes.get(key).is_none()
        {
            attributes.to_mut().0.push((key.to_owned(), value));
        }
    }
    attributes
}

/// A value as text: bytes as base64, arrays and maps as JSON.
fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Empty => Cow::Borrowed(""),
        _ => {
            let mut packed = PackedWriter::new();
            packed.push("", value);
            let text = get(packed.packed(), "").and_then(|value| Some(value.to_text()?.into_owned()));
            Cow::Owned(text.unwrap_or_default())
        }
    }
}

/// Attributes as a JSON object that tells every type.
fn json(attributes: &Attributes) -> String {
    let mut json = String::new();
    packed_to_json(PackedWriter::from(attributes).packed(), &mut json);
    json
}

fn write_json(value: &impl Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("keys are text, and memory takes every byte");
}

/// What tags tell of a span that is no attribute: names of OpenTelemetry's specification
/// (<https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/>), and the W3C's.
pub(crate) mod tag {
    pub const KIND: &str = "span.kind";
    pub const STATUS_CODE: &str = "otel.status_code";
    pub const STATUS_DESCRIPTION: &str = "otel.status_description";
    pub const ERROR: &str = "error";
    pub const SCOPE_NAME: &str = "otel.scope.name";
    pub const SCOPE_VERSION: &str = "otel.scope.version";
    pub const TRACE_STATE: &str = "w3c.tracestate";
    pub const DROPPED_ATTRIBUTES: &str = "otel.dropped_attributes_count";
    pub const DROPPED_EVENTS: &str = "otel.dropped_events_count";
    pub const DROPPED_LINKS: &str = "otel.dropped_links_count";
}

/// What tags tell of a span beside its attributes, kind and status.
fn extra_tags(span: &Span) -> impl Iterator<Item = (&'static str, Value)> {
    let text = |key, text: &str| (!text.is_empty()).then(|| (key, Value::String(text.to_owned())));
    let count = |key, count: u32| (count > 0).then(|| (key, Value::Int(count.into())));
    let tags = [
        text(tag::STATUS_DESCRIPTION, &span.status_message),
        text(tag::SCOPE_NAME, &span.scope_name),
        text(tag::SCOPE_VERSION, &span.scope_version),
        text(tag::TRACE_STATE, &span.trace_state),
        count(tag::DROPPED_ATTRIBUTES, span.dropped_attributes_count),
        count(tag::DROPPED_EVENTS, span.dropped_events_count),
        count(tag::DROPPED_LINKS, span.dropped_links_count),
    ];
    tags.into_iter().flatten()
}
