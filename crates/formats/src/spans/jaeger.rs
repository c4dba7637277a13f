//! Traces as Jaeger's web app loads and saves them: `{"data":[trace…]}`, times in microseconds.
//! <https://github.com/jaegertracing/jaeger/blob/main/internal/uimodel/model.go>

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use glasshouse_model::{
    Attributes, ProcessId, Span, SpanEvent, SpanId, SpanKind, SpanLink, StatusCode, Timestamp, TraceId, TraceProcess,
    Value,
};
use glasshouse_tables::attributes::PackedWriter;
use glasshouse_tables::ports::DecodeError;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::{Processes, SpanWriter, attributes, extra_tags, otlp, tag, text, write_json};
use crate::json_error::json_error;
use crate::process::{SERVICE_NAME, UNKNOWN_SERVICE, process_id};

/// Says of a span that it has no end yet, for which Jaeger has no form.
const OPEN: &str = "glasshouse.open";
/// Keys of a log's fields that name what happened.
const EVENT: &str = "event";
/// Spans of an OTLP request.
const REQUEST_SPANS: usize = 2048;

#[derive(Serialize, Deserialize)]
struct JaegerSpan<'a> {
    #[serde(rename = "traceID", borrow)]
    trace_id: Cow<'a, str>,
    #[serde(rename = "spanID", borrow)]
    span_id: Cow<'a, str>,
    #[serde(rename = "parentSpanID", borrow, default, skip_serializing_if = "Option::is_none")]
    parent_span_id: Option<Cow<'a, str>>,
    #[serde(default)]
    flags: Option<u32>,
    #[serde(rename = "operationName", borrow, default)]
    operation_name: Cow<'a, str>,
    #[serde(borrow, default)]
    references: Option<Vec<Reference<'a>>>,
    #[serde(rename = "startTime")]
    start_time: i64,
    duration: i64,
    #[serde(borrow, default)]
    tags: Option<Vec<Tag<'a>>>,
    #[serde(borrow, default)]
    logs: Option<Vec<Log<'a>>>,
    #[serde(rename = "processID", borrow, default)]
    process_id: Cow<'a, str>,
    #[serde(default, skip_deserializing)]
    warnings: Option<()>,
}

#[derive(Serialize, Deserialize)]
struct Reference<'a> {
    #[serde(rename = "refType", borrow)]
    kind: Cow<'a, str>,
    #[serde(rename = "traceID", borrow)]
    trace_id: Cow<'a, str>,
    #[serde(rename = "spanID", borrow)]
    span_id: Cow<'a, str>,
}

#[derive(Serialize, Deserialize)]
struct Tag<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    value: Json,
}

#[derive(Serialize, Deserialize)]
struct Log<'a> {
    timestamp: i64,
    #[serde(borrow, default)]
    fields: Vec<Tag<'a>>,
}

#[derive(Serialize, Deserialize)]
struct Process<'a> {
    #[serde(rename = "serviceName", borrow, default)]
    service_name: Cow<'a, str>,
    #[serde(borrow, default)]
    tags: Option<Vec<Tag<'a>>>,
}

/// Writes traces one after the other. Spans that come together are grouped by trace; a trace whose spans do not come
/// together is written in parts, unless it is the only one.
#[derive(Debug, Default)]
pub(super) struct Writer {
    has_begun: bool,
    trace: Option<TraceId>,
    /// Of the present trace: what its processes are called, and how they are written.
    names: HashMap<ProcessId, String>,
    processes: Vec<u8>,
}

impl SpanWriter for Writer {
    fn write(&mut self, spans: &[Span], processes: &Processes, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let mut traces: HashMap<TraceId, Vec<&Span>> = HashMap::new();
        let mut order = Vec::new();
        for span in spans {
            traces.entry(span.trace_id).or_insert_with(|| {
                order.push(span.trace_id);
                Vec::new()
            });
            traces.entry(span.trace_id).or_default().push(span);
        }
        // The trace that is being written goes on first.
        order.sort_by_key(|trace| Some(*trace) != self.trace);
        for trace in order {
            for span in &traces[&trace] {
                self.begin(trace, out);
                let process = self.process(span, processes);
                write_json(&jaeger_span(span, &process), out);
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.has_begun {
            out.extend_from_slice(b"{\"data\":[");
        }
        self.end_trace(out);
        out.extend_from_slice(b"],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}");
    }
}

impl Writer {
    /// Writes what stands before a span.
    fn begin(&mut self, trace: TraceId, out: &mut Vec<u8>) {
        if self.trace == Some(trace) {
            out.push(b',');
            return;
        }
        self.end_trace(out);
        out.extend_from_slice(if std::mem::replace(&mut self.has_begun, true) { b"," } else { b"{\"data\":[" });
        out.extend_from_slice(format!("{{\"traceID\":\"{trace}\",\"spans\":[").as_bytes());
        self.trace = Some(trace);
    }

    fn end_trace(&mut self, out: &mut Vec<u8>) {
        if self.trace.take().is_some() {
            out.extend_from_slice(b"],\"processes\":{");
            out.append(&mut self.processes);
            out.extend_from_slice(b"},\"warnings\":null}");
            self.names.clear();
        }
    }

    /// What the process of a span is called in the present trace.
    fn process(&mut self, span: &Span, processes: &Processes) -> String {
        if let Some(name) = self.names.get(&span.process_id) {
            return name.clone();
        }
        let name = format!("p{}", self.names.len() + 1);
        let resource = processes.get(&span.process_id).map(|process| &process.resource.0[..]).unwrap_or_default();
        let tags = resource.iter().filter(|(key, _)| key != SERVICE_NAME).map(|(key, value)| to_tag(key, value));
        let process = Process { service_name: Cow::Borrowed(&span.service_name), tags: Some(tags.collect()) };
        if !self.processes.is_empty() {
            self.processes.push(b',');
        }
        self.processes.extend_from_slice(format!("\"{name}\":").as_bytes());
        write_json(&process, &mut self.processes);
        self.names.insert(span.process_id, name.clone());
        name
    }
}

fn jaeger_span<'a>(span: &'a Span, process: &'a str) -> JaegerSpan<'a> {
    let start = span.start_time.nanos().div_euclid(1000);
    let end = span.end_time.map_or(start, |end| end.nanos().div_euclid(1000));
    let own = attributes(span);
    let mut tags: Vec<Tag<'static>> = own.0.iter().map(|(key, value)| to_tag(key, value).into_owned()).collect();
    let mut push = |key: &'static str, value: &Value| tags.push(to_tag(key, value).into_owned());
    if span.kind != SpanKind::Unspecified {
        push(tag::KIND, &Value::String(span.kind.as_str().to_ascii_lowercase()));
    }
    if span.status_code != StatusCode::Unset {
        push(tag::STATUS_CODE, &Value::String(span.status_code.as_str().to_owned()));
    }
    if span.status_code == StatusCode::Error && own.get(tag::ERROR).is_none() {
        push(tag::ERROR, &Value::Bool(true));
    }
    for (key, value) in extra_tags(span) {
        push(key, &value);
    }
    if span.end_time.is_none() {
        push(OPEN, &Value::Bool(true));
    }
    let reference = |kind, trace: TraceId, span: SpanId| Reference {
        kind: Cow::Borrowed(kind),
        trace_id: trace.to_string().into(),
        span_id: span.to_string().into(),
    };
    let parent = span.parent_span_id.map(|parent| reference("CHILD_OF", span.trace_id, parent));
    let links = span.links.iter().map(|link| reference("FOLLOWS_FROM", link.trace_id, link.span_id));
    let logs = span.events.iter().map(|event| {
        let name = Tag { key: EVENT.into(), kind: "string".into(), value: event.name.clone().into() };
        let fields = event.attributes.0.iter().map(|(key, value)| to_tag(key, value));
        Log { timestamp: event.time.nanos().div_euclid(1000), fields: std::iter::once(name).chain(fields).collect() }
    });
    JaegerSpan {
        trace_id: span.trace_id.to_string().into(),
        span_id: span.span_id.to_string().into(),
        parent_span_id: None,
        flags: Some(span.flags),
        operation_name: Cow::Borrowed(&span.name),
        references: Some(parent.into_iter().chain(links).collect()),
        start_time: start,
        duration: end.saturating_sub(start).max(0),
        tags: Some(tags),
        logs: Some(logs.collect()),
        process_id: Cow::Borrowed(process),
        warnings: None,
    }
}

impl Tag<'_> {
    fn into_owned(self) -> Tag<'static> {
        Tag { key: self.key.into_owned().into(), kind: self.kind.into_owned().into(), value: self.value }
    }
}

fn to_tag<'a>(key: &'a str, value: &Value) -> Tag<'a> {
    let (kind, value) = match value {
        Value::Bool(value) => ("bool", Json::Bool(*value)),
        Value::Int(value) => ("int64", Json::from(*value)),
        Value::Double(value) if value.is_finite() => ("float64", Json::from(*value)),
        Value::Bytes(bytes) => ("binary", Json::String(BASE64.encode(bytes))),
        other => ("string", Json::String(text(other).into_owned())),
    };
    Tag { key: Cow::Borrowed(key), kind: Cow::Borrowed(kind), value }
}

impl Tag<'_> {
    fn to_value(&self) -> Value {
        match (&self.value, self.kind.as_ref()) {
            (Json::String(text), "int64") => text.parse().map_or_else(|_| Value::String(text.clone()), Value::Int),
            (Json::String(text), "float64") => text.parse().map_or_else(|_| Value::String(text.clone()), Value::Double),
            (Json::String(text), "bool") => text.parse().map_or_else(|_| Value::String(text.clone()), Value::Bool),
            (Json::String(text), "binary") => {
                BASE64.decode(text).map_or_else(|_| Value::String(text.clone()), Value::Bytes)
            }
            (Json::String(text), _) => Value::String(text.clone()),
            (Json::Bool(value), _) => Value::Bool(*value),
            (Json::Number(number), "float64") => Value::Double(number.as_f64().unwrap_or_default()),
            (Json::Number(number), _) => match number.as_i64() {
                Some(value) => Value::Int(value),
                None => Value::Double(number.as_f64().unwrap_or_default()),
            },
            (Json::Null, _) => Value::Empty,
            (other, _) => Value::String(other.to_string()),
        }
    }
}

/// What is read of a file: what the query API answers, or one trace.
#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow, default)]
    data: Option<Vec<Trace<'a>>>,
    #[serde(borrow, default)]
    spans: Vec<JaegerSpan<'a>>,
    #[serde(borrow, default)]
    processes: HashMap<Cow<'a, str>, Process<'a>>,
}

#[derive(Deserialize)]
struct Trace<'a> {
    #[serde(borrow)]
    spans: Vec<JaegerSpan<'a>>,
    #[serde(borrow, default)]
    processes: HashMap<Cow<'a, str>, Process<'a>>,
}

/// Turns traces of Jaeger (`{"data":[…]}` or a single trace) into requests of OTLP in protobuf. The error tells what
/// is wrong and where.
pub fn jaeger_to_otlp(json: &[u8]) -> Result<Vec<Vec<u8>>, DecodeError> {
    let file: File<'_> = serde_json::from_slice(json).map_err(|error| json_error(&error, ""))?;
    let traces = file.data.unwrap_or_else(|| vec![Trace { spans: file.spans, processes: file.processes }]);
    let mut requests = Vec::new();
    let (mut spans, mut processes) = (Vec::new(), Processes::new());
    for (at, trace) in traces.iter().enumerate() {
        for (position, span) in trace.spans.iter().enumerate() {
            let process = process_of(span, trace);
            let read = read(span, &process);
            spans.push(read.map_err(|what| DecodeError { what, place: format!("data[{at}].spans[{position}]") })?);
            processes.insert(process.process_id, process);
            if spans.len() == REQUEST_SPANS {
                requests.push(otlp::to_request(&std::mem::take(&mut spans), &processes)?);
            }
        }
    }
    if !spans.is_empty() {
        requests.push(otlp::to_request(&spans, &processes)?);
    }
    Ok(requests)
}

fn process_of(span: &JaegerSpan<'_>, trace: &Trace<'_>) -> TraceProcess {
    let process = trace.processes.get(&span.process_id);
    let service_name = process.map(|process| process.service_name.as_ref()).filter(|name| !name.is_empty());
    let service_name = service_name.unwrap_or(UNKNOWN_SERVICE).to_owned();
    let mut resource = Attributes(vec![(SERVICE_NAME.to_owned(), Value::String(service_name.clone()))]);
    let tags = process.and_then(|process| process.tags.as_ref()).into_iter().flatten();
    resource.0.extend(tags.map(|tag| (tag.key.clone().into_owned(), tag.to_value())));
    let process_id = process_id(PackedWriter::from(&resource).packed());
    TraceProcess { process_id, service_name, resource }
}

fn read(wire: &JaegerSpan<'_>, process: &TraceProcess) -> Result<Span, String> {
    let trace_id =
        |text: &str| TraceId::parse_hex(&format!("{text:0>32}")).map_err(|e| format!("traceID {text:?}: {e}"));
    let span_id = |text: &str| SpanId::parse_hex(&format!("{text:0>16}")).map_err(|e| format!("spanID {text:?}: {e}"));
    let time = |micros: i64| {
        let nanos = u64::try_from(micros).ok().and_then(|micros| micros.checked_mul(1000));
        let time = nanos.and_then(Timestamp::from_unix_nanos);
        time.ok_or_else(|| format!("{micros} microseconds are before 1970 or past the year 2262"))
    };
    let own_trace = trace_id(&wire.trace_id)?;
    let mut parent = wire.parent_span_id.as_deref().map(span_id).transpose()?;
    let mut links = Vec::new();
    for reference in wire.references.iter().flatten() {
        let (trace_id, span_id) = (trace_id(&reference.trace_id)?, span_id(&reference.span_id)?);
        if reference.kind == "CHILD_OF" && trace_id == own_trace && parent.is_none_or(|known| known == span_id) {
            parent = Some(span_id);
            continue;
        }
        links.push(SpanLink {
            trace_id,
            span_id,
            trace_state: String::new(),
            attributes: Attributes::default(),
            dropped_attributes_count: 0,
            flags: 0,
        });
    }
    let mut events = Vec::new();
    for log in wire.logs.iter().flatten() {
        let mut fields =
            log.fields.iter().map(|tag| (tag.key.clone().into_owned(), tag.to_value())).collect::<Vec<_>>();
        let name = fields.iter().position(|(key, _)| key == EVENT).map(|at| text(&fields.remove(at).1).into_owned());
        events.push(SpanEvent {
            time: time(log.timestamp)?,
            name: name.unwrap_or_default(),
            attributes: Attributes(fields),
            dropped_attributes_count: 0,
        });
    }
    let end = wire.start_time.checked_add(wire.duration).ok_or("the span ends past the year 2262")?;
    let mut span = Span {
        trace_id: own_trace,
        span_id: span_id(&wire.span_id)?,
        parent_span_id: parent,
        process_id: process.process_id,
        service_name: process.service_name.clone(),
        name: wire.operation_name.clone().into_owned(),
        kind: SpanKind::Unspecified,
        start_time: time(wire.start_time)?,
        end_time: Some(time(end)?),
        status_code: StatusCode::Unset,
        status_message: String::new(),
        thread_id: None,
        thread_name: None,
        scope_name: String::new(),
        scope_version: String::new(),
        trace_state: String::new(),
        flags: wire.flags.unwrap_or_default(),
        attributes: Attributes::default(),
        dropped_attributes_count: 0,
        dropped_events_count: 0,
        dropped_links_count: 0,
        events,
        links,
    };
    for tag in wire.tags.iter().flatten() {
        read_tag(tag, &mut span);
    }
    // A span with this tag failed, unless its status says otherwise; where that says so too, it says nothing of its own.
    if span.attributes.get(tag::ERROR) == Some(&Value::Bool(true)) && span.status_code != StatusCode::Ok {
        span.status_code = StatusCode::Error;
        span.attributes.0.retain(|(key, _)| key != tag::ERROR);
    }
    Ok(span)
}

fn counted(count: i64) -> u32 {
    u32::try_from(count).unwrap_or_default()
}

fn read_tag(tag: &Tag<'_>, span: &mut Span) {
    let value = tag.to_value();
    match (tag.key.as_ref(), &value) {
        (tag::KIND, Value::String(kind)) if SpanKind::from_name(&kind.to_ascii_uppercase()).is_some() => {
            span.kind = SpanKind::from_name(&kind.to_ascii_uppercase()).unwrap_or_default();
        }
        (tag::STATUS_CODE, Value::String(code)) if StatusCode::from_name(code).is_some() => {
            span.status_code = StatusCode::from_name(code).unwrap_or_default();
        }
        (tag::STATUS_DESCRIPTION, Value::String(message)) => span.status_message.clone_from(message),
        (tag::SCOPE_NAME | "otel.library.name", Value::String(name)) => span.scope_name.clone_from(name),
        (tag::SCOPE_VERSION | "otel.library.version", Value::String(version)) => span.scope_version.clone_from(version),
        (tag::TRACE_STATE, Value::String(state)) => span.trace_state.clone_from(state),
        (tag::DROPPED_ATTRIBUTES, Value::Int(count)) => span.dropped_attributes_count = counted(*count),
        (tag::DROPPED_EVENTS, Value::Int(count)) => span.dropped_events_count = counted(*count),
        (tag::DROPPED_LINKS, Value::Int(count)) => span.dropped_links_count = counted(*count),
        (OPEN, Value::Bool(true)) => span.end_time = None,
        (key, _) => span.attributes.0.push((key.to_owned(), value)),
    }
}
