//! Spans in the forms of other tools. That they come back the same is tested in `glasshouse-export`.

use glasshouse_formats::{Processes, jaeger_to_otlp, span_writer};
use glasshouse_model::{
    Attributes, ProcessId, Span, SpanEvent, SpanId, SpanKind, SpanLink, StatusCode, Timestamp, TraceId, TraceProcess,
    Value,
};
use glasshouse_tables::Table;
use glasshouse_tables::ports::{SpanFormat, WireFormat};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use crate::rows::{decode, rows};

const START: i64 = 1_750_000_000_000_000_123;

fn attributes(entries: &[(&str, Value)]) -> Attributes {
    Attributes(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
}

fn processes() -> Processes {
    let process_id = ProcessId(Uuid::from_u128(1));
    let name = Value::String("shop".to_owned());
    let resource = attributes(&[("service.name", name), ("process.pid", Value::Int(42))]);
    Processes::from([(process_id, TraceProcess { process_id, service_name: "shop".to_owned(), resource })])
}

fn span(number: u8, start: i64, end: Option<i64>, thread: Option<i64>) -> Span {
    let trace_id = TraceId::from_slice(&[7; 16]).unwrap();
    Span {
        trace_id,
        span_id: SpanId::from_slice(&[number; 8]).unwrap(),
        parent_span_id: SpanId::from_slice(&[99; 8]),
        process_id: ProcessId(Uuid::from_u128(1)),
        service_name: "shop".to_owned(),
        name: format!("span {number}"),
        kind: SpanKind::Server,
        start_time: Timestamp::from_nanos(START + start),
        end_time: end.map(|end| Timestamp::from_nanos(START + end)),
        status_code: StatusCode::Error,
        status_message: "no stock".to_owned(),
        thread_id: thread,
        thread_name: thread.map(|thread| format!("worker {thread}")),
        scope_name: "http".to_owned(),
        scope_version: "1".to_owned(),
        trace_state: "k=v".to_owned(),
        flags: 257,
        attributes: attributes(&[("n", Value::Int(i64::MAX)), ("d", Value::Double(f64::NAN))]),
        dropped_attributes_count: 3,
        dropped_events_count: 0,
        dropped_links_count: 0,
        events: vec![SpanEvent {
            time: Timestamp::from_nanos(START + start + 1),
            name: "hit".to_owned(),
            attributes: attributes(&[("k", Value::Bool(true))]),
            dropped_attributes_count: 0,
        }],
        links: vec![SpanLink {
            trace_id,
            span_id: SpanId::from_slice(&[98; 8]).unwrap(),
            trace_state: String::new(),
            attributes: Attributes::default(),
            dropped_attributes_count: 0,
            flags: 1,
        }],
    }
}

fn written(spans: &[Span], format: SpanFormat) -> Vec<u8> {
    let mut writer = span_writer(format);
    let mut bytes = Vec::new();
    for span in spans {
        writer.write(std::slice::from_ref(span), &processes(), &mut bytes).unwrap();
    }
    writer.finish(&mut bytes);
    bytes
}

fn written_json(spans: &[Span], format: SpanFormat) -> Json {
    serde_json::from_slice(&written(spans, format)).unwrap()
}

#[test]
fn otlp_is_what_the_official_types_read() {
    let spans = [span(1, 0, Some(10), Some(5)), span(2, 1, None, None)];
    let mut json = written_json(&spans, SpanFormat::Otlp);
    // The generated types do not read the "NaN" of protobuf's JSON mapping.
    for group in 0..2 {
        let nan = format!("/resourceSpans/{group}/scopeSpans/0/spans/0/attributes/1/value/doubleValue");
        let nan = json.pointer_mut(&nan).unwrap();
        assert_eq!(*nan, json!("NaN"));
        *nan = json!(0.5);
    }
    let request: ExportTraceServiceRequest = serde_json::from_value(json).unwrap();
    let scope_spans = &request.resource_spans[0].scope_spans[0];
    assert_eq!(scope_spans.scope.as_ref().unwrap().name, "http");
    let first = &scope_spans.spans[0];
    assert_eq!((first.kind, first.flags, first.start_time_unix_nano), (2, 257, START as u64));
    let keys: Vec<&str> = first.attributes.iter().map(|attribute| attribute.key.as_str()).collect();
    assert_eq!(keys, ["n", "d", "thread.id", "thread.name"]);
    assert_eq!((first.events.len(), first.links.len(), first.links[0].flags), (1, 1, 1));
    assert_eq!(request.resource_spans[1].scope_spans[0].spans[0].end_time_unix_nano, 0);
    let protobuf: ExportTraceServiceRequest =
        prost::Message::decode(&written(&spans, SpanFormat::OtlpProto)[..]).unwrap();
    assert_eq!(protobuf.resource_spans.len(), 2, "two messages behind each other are one");
    let lines = String::from_utf8(written(&spans, SpanFormat::OtlpJson)).unwrap();
    assert_eq!(lines.lines().count(), 2);
}

#[test]
fn nothing_is_a_whole_file_too() {
    assert_eq!(written_json(&[], SpanFormat::Otlp), json!({"resourceSpans": []}));
    assert_eq!(written_json(&[], SpanFormat::Jaeger)["data"], json!([]));
    assert_eq!(written_json(&[], SpanFormat::Zipkin), json!([]));
    assert_eq!(written_json(&[], SpanFormat::Chrome)["traceEvents"].as_array().unwrap().len(), 1);
    assert_eq!(written(&[], SpanFormat::OtlpJson), b"");
    assert_eq!(written(&[], SpanFormat::OtlpProto), b"");
}

#[test]
fn jaegers_trace_stays_one_while_it_is_written_in_pieces() {
    let jaeger = written_json(&[span(1, 0, Some(10_000), None), span(2, 1, None, None)], SpanFormat::Jaeger);
    let [trace] = &jaeger["data"].as_array().unwrap()[..] else { panic!("{jaeger}") };
    assert_eq!(trace["traceID"], "07070707070707070707070707070707");
    assert_eq!(trace["spans"].as_array().unwrap().len(), 2);
    assert_eq!(trace["processes"]["p1"]["serviceName"], "shop");
    let first = &trace["spans"][0];
    assert_eq!((&first["startTime"], &first["duration"]), (&json!(1_750_000_000_000_000_i64), &json!(10)));
    let tag = |key: &str| first["tags"].as_array().unwrap().iter().find(|tag| tag["key"] == key).unwrap().clone();
    assert_eq!(tag("span.kind"), json!({"key": "span.kind", "type": "string", "value": "server"}));
    assert_eq!(tag("error"), json!({"key": "error", "type": "bool", "value": true}));
    assert_eq!(tag("n"), json!({"key": "n", "type": "int64", "value": i64::MAX}));
}

#[test]
fn jaegers_own_traces_are_read() {
    let trace = json!({"data": [{"traceID": "abc", "spans": [{
        "traceID": "abc", "spanID": "1f", "operationName": "GET", "startTime": 1_750_000_000_000_000_i64, "duration": 7,
        "references": [
            {"refType": "CHILD_OF", "traceID": "abc", "spanID": "2"},
            {"refType": "CHILD_OF", "traceID": "abc", "spanID": "3"},
        ],
        "tags": [
            {"key": "error", "type": "bool", "value": true},
            {"key": "span.kind", "type": "string", "value": "client"},
            {"key": "n", "type": "int64", "value": "9007199254740993"},
        ],
        "logs": [{"timestamp": 1_750_000_000_000_001_i64, "fields": [
            {"key": "message", "type": "string", "value": "retry"}, {"key": "event", "type": "string", "value": "log"},
        ]}],
        "processID": "p1", "warnings": null,
    }], "processes": {"p1": {"serviceName": "shop", "tags": [{"key": "host.name", "type": "string", "value": "h"}]}}}]});
    let requests = jaeger_to_otlp(trace.to_string().as_bytes()).unwrap();
    let decoded = decode(WireFormat::OtlpTracesProtobuf, &requests[0]);
    let spans = rows(&decoded, Table::Spans, "service_name name kind status_code duration_ns attributes");
    assert_eq!(spans, ["shop|GET|CLIENT|ERROR|7000|{\"n\":9007199254740993}"]);
    let ids = rows(&decoded, Table::Spans, "trace_id span_id parent_span_id");
    assert_eq!(ids, ["00000000000000000000000000000abc|000000000000001f|0000000000000002"]);
    assert_eq!(rows(&decoded, Table::SpanLinks, "linked_span_id"), ["0000000000000003"], "a second parent is a link");
    assert_eq!(rows(&decoded, Table::SpanEvents, "name attributes"), ["log|{\"message\":\"retry\"}"]);

    let error = |json: &str| jaeger_to_otlp(json.as_bytes()).unwrap_err().to_string();
    assert!(error("{").contains("line 1 column 1"), "{}", error("{"));
    let bad_id = trace.to_string().replace("\"1f\"", "\"xyz\"");
    assert!(error(&bad_id).starts_with("spanID \"xyz\""), "{}", error(&bad_id));
    assert!(error(&bad_id).ends_with("at data[0].spans[0]"), "{}", error(&bad_id));
    let early = trace.to_string().replace("\"duration\":7", "\"duration\":-1750000000000001");
    assert!(error(&early).contains("before 1970"), "{}", error(&early));
}

#[test]
fn chromes_events_nest_or_stand_alone() {
    let spans = [
        span(1, 0, Some(100_000), Some(5)),
        span(2, 1_500, Some(50_000), Some(5)),
        // Overlaps the second in its thread.
        span(3, 10_000, Some(60_000), Some(5)),
        span(4, 20_000, None, None),
        span(5, 200_000, None, Some(5)),
    ];
    let chrome = written_json(&spans, SpanFormat::Chrome);
    assert_eq!(chrome["otherData"]["base_time_unix_nano"], START.to_string());
    let events = chrome["traceEvents"].as_array().unwrap();
    let of = |form: &str| -> Vec<&Json> { events.iter().filter(|event| event["ph"] == form).collect() };
    let names = |form: &str| -> Vec<&str> { of(form).iter().map(|event| event["name"].as_str().unwrap()).collect() };
    assert_eq!(names("M"), ["trace_format", "process_name", "thread_name"]);
    assert_eq!(names("X"), ["span 1", "span 2"]);
    assert_eq!((names("b"), names("e")), (vec!["span 3", "span 4"], vec!["span 3"]));
    assert_eq!(names("B"), ["span 5"]);
    assert_eq!((names("i").len(), names("n").len()), (3, 2));
    let second = of("X")[1];
    assert_eq!((&second["ts"], &second["dur"], &second["pid"]), (&json!(1.5), &json!(48.5), &json!(42)));
    assert_eq!(second["args"]["n"], json!(i64::MAX));
    assert_eq!(of("b")[0]["id2"], of("e")[0]["id2"]);
}
