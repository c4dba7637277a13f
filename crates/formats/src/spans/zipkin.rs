//! Zipkin's v2 list of spans, times in microseconds (<https://zipkin.io/zipkin-api/>), as OpenTelemetry's exporter
//! writes it (<https://opentelemetry.io/docs/specs/otel/trace/sdk_exporters/zipkin/>).

use std::borrow::Cow;
use std::net::IpAddr;

use glasshouse_model::{Attributes, Span, SpanEvent, SpanKind, StatusCode, TraceId, Value};
use glasshouse_tables::ports::DecodeError;
use serde::Serialize;

use super::{Processes, SpanWriter, attributes, extra_tags, json, tag, text, write_json};
use crate::process::SERVICE_NAME;
use crate::zipkin::{LINK_TAG, LOCAL, PEER, PEER_SERVICE};

/// Writes a JSON list.
#[derive(Debug, Default)]
pub(super) struct Writer {
    has_begun: bool,
}

impl SpanWriter for Writer {
    fn write(&mut self, spans: &[Span], processes: &Processes, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        for span in spans {
            out.push(if std::mem::replace(&mut self.has_begun, true) { b',' } else { b'[' });
            let resource = processes.get(&span.process_id).map(|process| &process.resource);
            write_json(&zipkin_span(span, resource), out);
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.has_begun { b"]" } else { b"[]" });
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ZipkinSpan<'a> {
    trace_id: TraceId,
    id: glasshouse_model::SpanId,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<glasshouse_model::SpanId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    name: &'a str,
    timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration: Option<i64>,
    local_endpoint: Endpoint<'a>,
    #[serde(skip_serializing_if = "Endpoint::is_empty")]
    remote_endpoint: Endpoint<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation<'a>>,
    #[serde(serialize_with = "object")]
    tags: Vec<(Cow<'a, str>, String)>,
}

#[derive(Serialize, Default)]
#[serde(rename_all = "camelCase")]
struct Endpoint<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    service_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv4: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipv6: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
}

impl Endpoint<'_> {
    fn is_empty(&self) -> bool {
        self.service_name.is_none() && self.ipv4.is_none() && self.ipv6.is_none() && self.port.is_none()
    }
}

#[derive(Serialize)]
struct Annotation<'a> {
    timestamp: i64,
    value: Cow<'a, str>,
}

fn object<S: serde::Serializer>(tags: &[(Cow<'_, str>, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(tags.iter().map(|(key, value)| (key, value)))
}

fn zipkin_span<'a>(span: &'a Span, resource: Option<&'a Attributes>) -> ZipkinSpan<'a> {
    let micros = |nanos: i64| nanos.div_euclid(1000);
    let start = micros(span.start_time.nanos());
    let kind = match span.kind {
        SpanKind::Unspecified | SpanKind::Internal => None,
        kind => Some(kind.as_str()),
    };
    let (mut local_endpoint, mut remote_endpoint) = (Endpoint::default(), Endpoint::default());
    let mut told = read_endpoint(&span.attributes, LOCAL, &mut local_endpoint);
    told.extend(read_endpoint(&span.attributes, PEER, &mut remote_endpoint));
    local_endpoint.service_name = Some(&span.service_name);
    if let Some(Value::String(name)) = span.attributes.get(PEER_SERVICE)
        && !name.is_empty()
    {
        remote_endpoint.service_name = Some(name);
        told.push(PEER_SERVICE);
    }

    let mut tags: Vec<(Cow<'a, str>, String)> = Vec::new();
    let mut push = |key: Cow<'a, str>, value: String| {
        if !tags.iter().any(|(known, _)| *known == key) {
            tags.push((key, value));
        }
    };
    let own = attributes(span);
    let is_told = |key: &str| told.contains(&key);
    for (key, value) in own.0.iter().filter(|(key, _)| !is_told(key)) {
        push(Cow::Owned(key.clone()), text(value).into_owned());
    }
    for (key, value) in resource.into_iter().flat_map(|resource| &resource.0) {
        if key != SERVICE_NAME && !is_told(key) {
            push(Cow::Borrowed(key), text(value).into_owned());
        }
    }
    if span.status_code != StatusCode::Unset {
        push(tag::STATUS_CODE.into(), span.status_code.as_str().to_owned());
    }
    if span.status_code == StatusCode::Error {
        let reason = if span.status_message.is_empty() { "true" } else { &span.status_message };
        push(tag::ERROR.into(), reason.to_owned());
    }
    for (key, value) in extra_tags(span) {
        push(key.into(), text(&value).into_owned());
    }
    for (number, link) in span.links.iter().enumerate() {
        let attributes = json(&link.attributes);
        let (trace, span, state, dropped) =
            (link.trace_id, link.span_id, &link.trace_state, link.dropped_attributes_count);
        push(format!("{LINK_TAG}{number}").into(), format!("{trace}|{span}|{state}|{attributes}|{dropped}"));
    }
    ZipkinSpan {
        trace_id: span.trace_id,
        id: span.span_id,
        parent_id: span.parent_span_id,
        kind,
        name: &span.name,
        timestamp: start,
        // None is no duration, which has no zero.
        duration: span.end_time.map(|end| (micros(end.nanos()) - start).max(1)),
        local_endpoint,
        remote_endpoint,
        annotations: span
            .events
            .iter()
            .map(|event| Annotation { timestamp: micros(event.time.nanos()), value: annotation(event) })
            .collect(),
        tags,
    }
}

/// An event's name and, when it has some, its attributes: `"name":{…}`. A name that looks like that is written so too.
fn annotation(event: &SpanEvent) -> Cow<'_, str> {
    if event.attributes.0.is_empty() && !event.name.starts_with('"') {
        return Cow::Borrowed(&event.name);
    }
    Cow::Owned(format!("{}:{}", Json::from(event.name.as_str()), json(&event.attributes)))
}

/// Puts address and port where Zipkin has them; gives the attributes that are told so.
fn read_endpoint<'a>(
    attributes: &'a Attributes,
    [address, port]: [&'static str; 2],
    endpoint: &mut Endpoint<'a>,
) -> Vec<&'static str> {
    let mut told = Vec::new();
    if let Some(Value::String(ip)) = attributes.get(address) {
        match ip.parse() {
            Ok(IpAddr::V4(_)) => endpoint.ipv4 = Some(ip),
            Ok(IpAddr::V6(_)) => endpoint.ipv6 = Some(ip),
            Err(_) => return told,
        }
        told.push(address);
        if let Some(Value::Int(number)) = attributes.get(port)
            && let Some(number) = u16::try_from(*number).ok().filter(|number| *number != 0)
        {
            endpoint.port = Some(number);
            told.push(port);
        }
    }
    told
}

type Json = serde_json::Value;
