//! Spans decoded in a second of one core: requests of 1,000 spans with 10 attributes each.
//! `cargo bench -p glasshouse-formats`
#![allow(missing_docs, reason = "criterion's macros make a public function")]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use glasshouse_formats::Formats;
use glasshouse_model::Timestamp;
use glasshouse_tables::ports::{Decoder, WireFormat};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use prost::Message;

/// The server's allocator: decoding allocates enough for it to matter.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SPANS: usize = 1000;
const RECEIVED: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

fn span(i: usize) -> Span {
    let start = 1_700_000_000_000_000_000 + i as u64 * 1_000_003;
    Span {
        trace_id: (i as u128 / 20 * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835 + 1).to_be_bytes().to_vec(),
        span_id: (i as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1).to_be_bytes().to_vec(),
        parent_span_id: if i.is_multiple_of(20) { vec![] } else { (i as u64).to_be_bytes().to_vec() },
        name: format!("GET /api/orders/{}", i % 10),
        kind: 1 + (i % 5) as i32,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 1_234_567,
        flags: 257,
        status: i.is_multiple_of(100).then(|| Status { code: 2, message: "timeout".to_owned() }),
        attributes: vec![
            text("http.request.method", "GET"),
            text("http.route", "/api/orders/{id}"),
            attribute("http.response.status_code", Value::IntValue(200 + (i % 5) as i64 * 100)),
            text("url.path", format!("/api/orders/{i}")),
            text("server.address", "orders.shop.svc.cluster.local"),
            attribute("server.port", Value::IntValue(8080)),
            text("user.id", format!("user-{:08}", i * 7919 % 100_000)),
            attribute("retry", Value::BoolValue(i.is_multiple_of(7))),
            attribute("queue.seconds", Value::DoubleValue(i as f64 * 0.001)),
            text("network.protocol.version", "1.1"),
        ],
        ..Span::default()
    }
}

fn request() -> ExportTraceServiceRequest {
    let resource = Resource {
        attributes: vec![
            text("service.name", "orders"),
            text("service.instance.id", "2f1c1f9e-6f4c-4f2e-9a55-0c9c6f5b1a77"),
            text("host.name", "node-7"),
        ],
        ..Resource::default()
    };
    let scope = InstrumentationScope {
        name: "http".to_owned(),
        version: "1.2.3".to_owned(),
        ..InstrumentationScope::default()
    };
    let scope_spans = ScopeSpans { scope: Some(scope), spans: (0..SPANS).map(span).collect(), ..ScopeSpans::default() };
    let group = ResourceSpans { resource: Some(resource), scope_spans: vec![scope_spans], ..ResourceSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![group] }
}

fn decode(c: &mut Criterion) {
    let request = request();
    let protobuf = request.encode_to_vec();
    let json = serde_json::to_vec(&request).expect("generated structs serialize");
    eprintln!("{} bytes a span in protobuf, {} in JSON", protobuf.len() / SPANS, json.len() / SPANS);
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(SPANS as u64)).measurement_time(Duration::from_secs(5));
    for (name, format, body) in
        [("protobuf", WireFormat::OtlpTracesProtobuf, &protobuf), ("json", WireFormat::OtlpTracesJson, &json)]
    {
        group.bench_function(name, |b| {
            b.iter(|| Formats.decode(black_box(format), black_box(body), RECEIVED).expect("the request is valid"));
        });
    }
    group.bench_function("prost structs alone", |b| {
        b.iter(|| ExportTraceServiceRequest::decode(black_box(protobuf.as_slice())).expect("the request is valid"));
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
