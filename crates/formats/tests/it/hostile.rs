//! Few bytes that stand for much memory: the request is refused before the memory is taken.

use glasshouse_tables::Table;
use glasshouse_tables::ports::WireFormat;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{
    Histogram, HistogramDataPoint, Metric, ResourceMetrics, ScopeMetrics, metric,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use prost::bytes::BufMut;

use crate::rows::{decode, rejections, try_decode};

const TOO_LARGE: &str = "the request expands to more than 256 MiB of rows";

fn span(id: u64) -> Span {
    Span { trace_id: vec![1; 16], span_id: id.to_be_bytes().to_vec(), start_time_unix_nano: 1, ..Span::default() }
}

fn resource_spans(service: String, spans: Vec<Span>) -> ResourceSpans {
    let value = Some(AnyValue { value: Some(Value::StringValue(service)) });
    let attributes = vec![KeyValue { key: "service.name".to_owned(), value, ..KeyValue::default() }];
    ResourceSpans {
        resource: Some(Resource { attributes, ..Resource::default() }),
        scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
        ..ResourceSpans::default()
    }
}

fn refused(format: WireFormat, body: &[u8]) -> String {
    try_decode(format, body).unwrap_err().what
}

#[test]
fn a_long_service_name_on_many_spans() {
    let group = resource_spans("s".repeat(4 << 20), (1..100).map(span).collect());
    let body = ExportTraceServiceRequest { resource_spans: vec![group] }.encode_to_vec();
    assert_eq!(refused(WireFormat::OtlpTracesProtobuf, &body), TOO_LARGE);
}

#[test]
fn many_empty_events() {
    let mut span = span(1).encode_to_vec();
    for _ in 0..3_000_000 {
        span.put_slice(&[11 << 3 | 2, 0]);
    }
    let mut body = Vec::new();
    let mut scope_spans = Vec::new();
    let mut resource_spans = Vec::new();
    prost::encoding::bytes::encode(2, &span, &mut scope_spans);
    prost::encoding::bytes::encode(2, &scope_spans, &mut resource_spans);
    prost::encoding::bytes::encode(1, &resource_spans, &mut body);
    assert_eq!(refused(WireFormat::OtlpTracesProtobuf, &body), TOO_LARGE);
}

#[test]
fn many_resources() {
    let resource_spans = (0..=65_536).map(|i| resource_spans(i.to_string(), vec![])).collect();
    let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
    assert_eq!(refused(WireFormat::OtlpTracesProtobuf, &body), "more than 65536 resources in a request");
}

#[test]
fn many_buckets() {
    let point = |buckets| HistogramDataPoint { bucket_counts: vec![0; buckets], ..HistogramDataPoint::default() };
    let data_points = vec![point(65_536), point(65_537)];
    let data = Some(metric::Data::Histogram(Histogram { data_points, ..Histogram::default() }));
    let scope = ScopeMetrics { metrics: vec![Metric { data, ..Metric::default() }], ..ScopeMetrics::default() };
    let group = ResourceMetrics { scope_metrics: vec![scope], ..ResourceMetrics::default() };
    let body = ExportMetricsServiceRequest { resource_metrics: vec![group] }.encode_to_vec();
    let decoded = decode(WireFormat::OtlpMetricsProtobuf, body);
    assert_eq!(rejections(&decoded), [(1, "more than 65536 buckets, quantiles or exemplars")]);
    assert_eq!(decoded.accepted, 1);
}

#[test]
fn a_large_resource_for_many_services() {
    let span = |i: u32| {
        format!(
            r#"{{"trace_id":"{i:032x}","span_id":"0000000000000001","name":"n","service_name":"{i}","start_time":1}}"#
        )
    };
    let spans: Vec<_> = (1..200).map(span).collect();
    let body = format!(r#"{{"resource":{{"k":"{}"}},"spans":[{}]}}"#, "v".repeat(1 << 20), spans.join(","));
    assert_eq!(refused(WireFormat::NativeSpansJson, body.as_bytes()), TOO_LARGE);
}

#[test]
fn many_tiny_items() {
    for (format, body) in [
        (WireFormat::ZipkinV2Json, format!("[{}1]", "1,".repeat(100_000))),
        (WireFormat::NativeSpansJson, format!(r#"{{"spans":[{}1]}}"#, "1,".repeat(100_000))),
    ] {
        let decoded = decode(format, body);
        assert_eq!((decoded.accepted, decoded.rejected), (0, 100_001));
        assert!(decoded.batches.get(Table::Spans).is_none());
    }
}

#[test]
fn long_texts_are_not_quoted_whole() {
    let name = "x".repeat(1 << 20);
    let error = refused(WireFormat::OtlpTracesJson, format!(r#"{{"resourceSpans":"{name}"}}"#).as_bytes());
    assert!(error.len() < 400, "{error}");
    let decoded = decode(WireFormat::ZipkinV2Json, format!(r#"[{{"traceId":"{name}","id":"1"}}]"#));
    assert!(decoded.rejections[0].reason.len() < 400);
}
