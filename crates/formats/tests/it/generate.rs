//! Random OTLP requests, as prost's structs.

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric,
    NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, exemplar, metric,
    number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::collection::vec;
use proptest::prelude::*;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z.]{1,12}", "\\PC{0,8}"]
}

fn bytes(len: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![20 => vec(any::<u8>(), len), 1 => Just(vec![]), 1 => Just(vec![0; len]), 1 => vec(any::<u8>(), 0..20)]
}

/// No negative zero: prost's JSON leaves it out as if it were zero.
fn double() -> impl Strategy<Value = f64> {
    any::<f64>().prop_map(|value| value + 0.0)
}

fn nanos() -> impl Strategy<Value = u64> {
    prop_oneof![10 => 1..4_000_000_000_000_000_000_u64, 1 => Just(0), 1 => any::<u64>()]
}

fn value() -> impl Strategy<Value = AnyValue> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::StringValue),
        1 => any::<bool>().prop_map(Value::BoolValue),
        1 => any::<i64>().prop_map(Value::IntValue),
        1 => double().prop_map(Value::DoubleValue),
        1 => vec(any::<u8>(), 0..12).prop_map(Value::BytesValue),
    ];
    let some = leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| {
                let values = values.into_iter().map(|value| AnyValue { value: Some(value) }).collect();
                Value::ArrayValue(ArrayValue { values })
            }),
            vec((text(), inner), 0..4).prop_map(|entries| {
                let entry = |(key, value)| KeyValue {
                    key,
                    value: Some(AnyValue { value: Some(value) }),
                    ..KeyValue::default()
                };
                Value::KvlistValue(KeyValueList { values: entries.into_iter().map(entry).collect() })
            }),
        ]
    });
    proptest::option::weighted(0.95, some).prop_map(|value| AnyValue { value })
}

fn attributes() -> impl Strategy<Value = Vec<KeyValue>> {
    let key = prop_oneof![
        6 => text(),
        1 => Just("service.name".to_owned()),
        1 => Just("service.instance.id".to_owned()),
        1 => Just("thread.id".to_owned()),
        1 => Just("thread.name".to_owned()),
    ];
    let entry = (key, proptest::option::weighted(0.95, value()));
    vec(entry.prop_map(|(key, value)| KeyValue { key, value, ..KeyValue::default() }), 0..5)
}

fn resource() -> impl Strategy<Value = Option<Resource>> {
    proptest::option::weighted(0.9, attributes().prop_map(|attributes| Resource { attributes, ..Resource::default() }))
}

fn scope() -> impl Strategy<Value = Option<InstrumentationScope>> {
    proptest::option::of((text(), text(), attributes()).prop_map(|(name, version, attributes)| InstrumentationScope {
        name,
        version,
        attributes,
        ..InstrumentationScope::default()
    }))
}

fn event() -> impl Strategy<Value = Event> {
    (nanos(), text(), attributes(), any::<u32>()).prop_map(|(time_unix_nano, name, attributes, dropped)| Event {
        time_unix_nano,
        name,
        attributes,
        dropped_attributes_count: dropped,
    })
}

fn link() -> impl Strategy<Value = Link> {
    (bytes(16), bytes(8), text(), attributes(), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, flags)| Link {
            trace_id,
            span_id,
            trace_state,
            attributes,
            flags,
            dropped_attributes_count: flags / 2,
        },
    )
}

fn span() -> impl Strategy<Value = Span> {
    let parent = prop_oneof![Just(vec![]), bytes(8)];
    let status = proptest::option::of((text(), -1..4).prop_map(|(message, code)| Status { message, code }));
    (
        (bytes(16), bytes(8), parent, text(), -1..8_i32, nanos(), nanos()),
        (attributes(), vec(event(), 0..3), vec(link(), 0..3), status, any::<u32>()),
    )
        .prop_map(
            |(
                (trace_id, span_id, parent_span_id, name, kind, start, end),
                (attributes, events, links, status, flags),
            )| Span {
                trace_id,
                span_id,
                parent_span_id,
                trace_state: name.clone(),
                name,
                kind,
                start_time_unix_nano: start,
                end_time_unix_nano: end,
                attributes,
                events,
                links,
                status,
                flags,
                dropped_attributes_count: flags,
                dropped_events_count: flags,
                dropped_links_count: flags.wrapping_add(1),
            },
        )
}

pub fn traces() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scoped = (scope(), vec(span(), 0..4), text()).prop_map(|(scope, spans, schema_url)| ScopeSpans {
        scope,
        spans,
        schema_url,
    });
    let group = (resource(), vec(scoped, 0..3)).prop_map(|(resource, scope_spans)| ResourceSpans {
        resource,
        scope_spans,
        ..ResourceSpans::default()
    });
    vec(group, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}

fn log() -> impl Strategy<Value = LogRecord> {
    (
        nanos(),
        nanos(),
        -1..30_i32,
        text(),
        proptest::option::of(value()),
        attributes(),
        bytes(16),
        bytes(8),
        any::<u32>(),
    )
        .prop_map(|(time, observed, severity_number, text, body, attributes, trace_id, span_id, flags)| {
            LogRecord {
                time_unix_nano: time,
                observed_time_unix_nano: observed,
                severity_number,
                severity_text: text.clone(),
                event_name: text,
                body,
                attributes,
                trace_id,
                span_id,
                flags,
                dropped_attributes_count: flags,
            }
        })
}

pub fn logs() -> impl Strategy<Value = ExportLogsServiceRequest> {
    let scoped = (scope(), vec(log(), 0..5)).prop_map(|(scope, log_records)| ScopeLogs {
        scope,
        log_records,
        ..ScopeLogs::default()
    });
    let group = (resource(), vec(scoped, 0..3)).prop_map(|(resource, scope_logs)| ResourceLogs {
        resource,
        scope_logs,
        ..ResourceLogs::default()
    });
    vec(group, 0..3).prop_map(|resource_logs| ExportLogsServiceRequest { resource_logs })
}

fn exemplar() -> impl Strategy<Value = Exemplar> {
    let value =
        prop_oneof![double().prop_map(exemplar::Value::AsDouble), any::<i64>().prop_map(exemplar::Value::AsInt)];
    (nanos(), proptest::option::of(value), bytes(16), bytes(8), attributes()).prop_map(
        |(time_unix_nano, value, trace_id, span_id, filtered_attributes)| Exemplar {
            time_unix_nano,
            value,
            trace_id,
            span_id,
            filtered_attributes,
        },
    )
}

fn number() -> impl Strategy<Value = NumberDataPoint> {
    let value = prop_oneof![
        double().prop_map(number_data_point::Value::AsDouble),
        any::<i64>().prop_map(number_data_point::Value::AsInt)
    ];
    (nanos(), nanos(), proptest::option::of(value), attributes(), vec(exemplar(), 0..3), 0..3_u32).prop_map(
        |(time, start, value, attributes, exemplars, flags)| NumberDataPoint {
            time_unix_nano: time,
            start_time_unix_nano: start,
            value,
            attributes,
            exemplars,
            flags,
        },
    )
}

fn count() -> impl Strategy<Value = u64> {
    prop_oneof![20 => 0..1000_u64, 1 => any::<u64>()]
}

fn histogram() -> impl Strategy<Value = HistogramDataPoint> {
    let option = proptest::option::of::<BoxedStrategy<f64>>;
    let numbers = (option(double().boxed()), option(double().boxed()), option(double().boxed()));
    (
        (nanos(), nanos(), count(), numbers, 0..3_u32),
        (vec(count(), 0..5), vec(double(), 0..5), attributes(), vec(exemplar(), 0..2)),
    )
        .prop_map(
            |(
                (time, start, count, (sum, min, max), flags),
                (bucket_counts, explicit_bounds, attributes, exemplars),
            )| {
                HistogramDataPoint {
                    time_unix_nano: time,
                    start_time_unix_nano: start,
                    count,
                    sum,
                    min,
                    max,
                    flags,
                    bucket_counts,
                    explicit_bounds,
                    attributes,
                    exemplars,
                }
            },
        )
}

fn exponential() -> impl Strategy<Value = ExponentialHistogramDataPoint> {
    let buckets = || {
        proptest::option::of(
            (any::<i32>(), vec(count(), 0..5)).prop_map(|(offset, bucket_counts)| Buckets { offset, bucket_counts }),
        )
    };
    (histogram(), any::<i32>(), count(), buckets(), buckets()).prop_map(
        |(base, scale, zero_count, positive, negative)| ExponentialHistogramDataPoint {
            time_unix_nano: base.time_unix_nano,
            start_time_unix_nano: base.start_time_unix_nano,
            count: base.count,
            sum: base.sum,
            min: base.min,
            max: base.max,
            flags: base.flags,
            attributes: base.attributes,
            exemplars: base.exemplars,
            zero_threshold: base.sum.unwrap_or_default(),
            scale,
            zero_count,
            positive,
            negative,
        },
    )
}

fn summary() -> impl Strategy<Value = SummaryDataPoint> {
    (histogram(), vec((double(), double()), 0..4)).prop_map(|(base, quantiles)| SummaryDataPoint {
        time_unix_nano: base.time_unix_nano,
        start_time_unix_nano: base.start_time_unix_nano,
        count: base.count,
        sum: base.sum.unwrap_or_default(),
        flags: base.flags,
        attributes: base.attributes,
        quantile_values: quantiles.into_iter().map(|(quantile, value)| ValueAtQuantile { quantile, value }).collect(),
    })
}

fn data() -> impl Strategy<Value = metric::Data> {
    prop_oneof![
        vec(number(), 0..4).prop_map(|data_points| metric::Data::Gauge(Gauge { data_points })),
        (vec(number(), 0..4), 0..4, any::<bool>()).prop_map(|(data_points, aggregation_temporality, is_monotonic)| {
            metric::Data::Sum(Sum { data_points, aggregation_temporality, is_monotonic })
        }),
        (vec(histogram(), 0..4), 0..4).prop_map(|(data_points, aggregation_temporality)| {
            metric::Data::Histogram(Histogram { data_points, aggregation_temporality })
        }),
        (vec(exponential(), 0..4), 0..4).prop_map(|(data_points, aggregation_temporality)| {
            metric::Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality })
        }),
        vec(summary(), 0..4).prop_map(|data_points| metric::Data::Summary(Summary { data_points })),
    ]
}

pub fn metrics() -> impl Strategy<Value = ExportMetricsServiceRequest> {
    let metric = (text(), text(), text(), proptest::option::weighted(0.9, data()), attributes())
        .prop_map(|(name, unit, description, data, metadata)| Metric { name, unit, description, data, metadata });
    let scoped = (scope(), vec(metric, 0..4)).prop_map(|(scope, metrics)| ScopeMetrics {
        scope,
        metrics,
        ..ScopeMetrics::default()
    });
    let group = (resource(), vec(scoped, 0..3)).prop_map(|(resource, scope_metrics)| ResourceMetrics {
        resource,
        scope_metrics,
        ..ResourceMetrics::default()
    });
    vec(group, 0..3).prop_map(|resource_metrics| ExportMetricsServiceRequest { resource_metrics })
}
