//! The same rows by another way: OTLP decoded by prost into generated structs, then converted.
//! Slow and plain; the walker must agree with it. Fuzz targets include this file.

use std::collections::HashMap;

use arrow::array::AsArray;
use glasshouse_formats::process_id;
use glasshouse_model::{Attributes, ProcessId, Severity, SpanId, SpanKind, StatusCode, Timestamp, TraceId, Value};
use glasshouse_tables::attributes::{self, PackedWriter, ValueRef, get};
use glasshouse_tables::ports::{Decoded, Rejection};
use glasshouse_tables::{
    Batches, EventRow, ExemplarRow, ExponentialRow, LinkRow, LogRow, LogsBuilder, MetricRow, MetricsBuilder,
    ProcessRow, ProcessesBuilder, SpanEventsBuilder, SpanLinksBuilder, SpanRow, SpansBuilder, Table,
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Wire;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, SummaryDataPoint, exemplar,
    metric, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;

/// What a request of some signal should decode to.
pub type Oracle = fn(&[u8], Timestamp) -> Result<Decoded, prost::DecodeError>;

pub fn traces(body: &[u8], received: Timestamp) -> Result<Decoded, prost::DecodeError> {
    let request = ExportTraceServiceRequest::decode(body)?;
    let mut rows = Rows::default();
    let (mut spans, mut events, mut links) =
        (SpansBuilder::with_capacity(0), SpanEventsBuilder::default(), SpanLinksBuilder::default());
    for group in &request.resource_spans {
        let process = rows.process(group.resource.as_ref());
        for scoped in &group.scope_spans {
            let scope = scoped.scope.clone().unwrap_or_default();
            for span in &scoped.spans {
                let (name, version) = (&scope.name, &scope.version);
                let kept = keep_span(span, &process, name, version, &mut spans, &mut events, &mut links);
                rows.item(&process, kept);
            }
        }
    }
    let mut batches = rows.batches(received);
    batches.set(Table::Spans, spans.finish(received));
    batches.set(Table::SpanEvents, events.finish(received));
    batches.set(Table::SpanLinks, links.finish(received));
    Ok(rows.decoded(batches))
}

fn keep_span(
    span: &Span,
    process: &Process,
    scope_name: &str,
    scope_version: &str,
    spans: &mut SpansBuilder,
    events: &mut SpanEventsBuilder,
    links: &mut SpanLinksBuilder,
) -> Result<Timestamp, &'static str> {
    let parent_span_id = match span.parent_span_id.len() {
        0 => None,
        8 => SpanId::from_slice(&span.parent_span_id),
        _ => return Err("parent_span_id is not 8 bytes"),
    };
    if span.start_time_unix_nano == 0 {
        return Err("start_time_unix_nano is missing");
    }
    let trace_id = TraceId::from_slice(&span.trace_id).ok_or("trace_id is not 16 bytes, or all zeros")?;
    let span_id = SpanId::from_slice(&span.span_id).ok_or("span_id is not 8 bytes, or all zeros")?;
    let start_time = time(span.start_time_unix_nano).ok_or("start_time_unix_nano is past the year 2262")?;
    let end_time = match span.end_time_unix_nano {
        0 => None,
        end => Some(time(end).ok_or("end_time_unix_nano is past the year 2262")?),
    };
    let (process_id, service_name) = (process.id, process.service_name.as_str());
    let (mut dropped_events_count, mut dropped_links_count) = (span.dropped_events_count, span.dropped_links_count);
    for event in &span.events {
        let time = if event.time_unix_nano == 0 { Some(start_time) } else { time(event.time_unix_nano) };
        let Some(time) = time else {
            dropped_events_count = dropped_events_count.saturating_add(1);
            continue;
        };
        events.push(&EventRow {
            trace_id,
            span_id,
            process_id,
            service_name,
            time,
            name: &event.name,
            attributes: packed(&event.attributes).packed(),
            dropped_attributes_count: event.dropped_attributes_count,
        });
    }
    for link in &span.links {
        let linked = (TraceId::from_slice(&link.trace_id), SpanId::from_slice(&link.span_id));
        let (Some(linked_trace_id), Some(linked_span_id)) = linked else {
            dropped_links_count = dropped_links_count.saturating_add(1);
            continue;
        };
        links.push(&LinkRow {
            trace_id,
            span_id,
            process_id,
            service_name,
            start_time,
            linked_trace_id,
            linked_span_id,
            trace_state: &link.trace_state,
            attributes: packed(&link.attributes).packed(),
            flags: link.flags,
            dropped_attributes_count: link.dropped_attributes_count,
        });
    }
    let attributes = packed(&span.attributes);
    let thread_id = match get(attributes.packed(), "thread.id") {
        Some(ValueRef::Int(id)) => Some(id),
        Some(ValueRef::String(text)) => text.parse().ok(),
        _ => None,
    };
    let thread_name = match get(attributes.packed(), "thread.name") {
        Some(ValueRef::String(name)) => Some(name),
        _ => None,
    };
    let status = span.status.clone().unwrap_or_default();
    spans.push(&SpanRow {
        trace_id,
        span_id,
        parent_span_id,
        process_id,
        service_name,
        name: &span.name,
        kind: SpanKind::from_otlp(i64::from(span.kind)),
        start_time,
        end_time,
        status_code: StatusCode::from_otlp(i64::from(status.code)),
        status_message: &status.message,
        thread_id,
        thread_name,
        scope_name,
        scope_version,
        trace_state: &span.trace_state,
        flags: span.flags,
        attributes: attributes.packed(),
        dropped_attributes_count: span.dropped_attributes_count,
        dropped_events_count,
        dropped_links_count,
        // Its own tests cover the sampling threshold; here tracestates have none.
        sample_weight: 1.0,
    });
    Ok(start_time)
}

pub fn logs(body: &[u8], received: Timestamp) -> Result<Decoded, prost::DecodeError> {
    let request = ExportLogsServiceRequest::decode(body)?;
    let mut rows = Rows::default();
    let mut logs = LogsBuilder::default();
    for group in &request.resource_logs {
        let process = rows.process(group.resource.as_ref());
        for scoped in &group.scope_logs {
            let scope = scoped.scope.clone().unwrap_or_default();
            for log in &scoped.log_records {
                let (Some(sent), Some(observed)) = (time(log.time_unix_nano), time(log.observed_time_unix_nano)) else {
                    rows.item(&process, Err("time_unix_nano or observed_time_unix_nano is past the year 2262"));
                    continue;
                };
                let observed_time = (log.observed_time_unix_nano != 0).then_some(observed);
                let time = if log.time_unix_nano == 0 { observed_time.unwrap_or(received) } else { sent };
                let body = PackedWriter::from(&Attributes(vec![("body".into(), value(log.body.as_ref()))]));
                logs.push(&LogRow {
                    time,
                    observed_time,
                    process_id: process.id,
                    service_name: &process.service_name,
                    severity: Severity(log.severity_number),
                    severity_text: &log.severity_text,
                    scope_name: &scope.name,
                    scope_version: &scope.version,
                    event_name: &log.event_name,
                    body: get(body.packed(), "body").unwrap(),
                    trace_id: TraceId::from_slice(&log.trace_id),
                    span_id: SpanId::from_slice(&log.span_id),
                    flags: log.flags,
                    attributes: packed(&log.attributes).packed(),
                    dropped_attributes_count: log.dropped_attributes_count,
                });
                rows.item(&process, Ok(time));
            }
        }
    }
    let mut batches = rows.batches(received);
    batches.set(Table::Logs, logs.finish(received));
    Ok(rows.decoded(batches))
}

pub fn metrics(body: &[u8], received: Timestamp) -> Result<Decoded, prost::DecodeError> {
    let request = ExportMetricsServiceRequest::decode(body)?;
    let mut rows = Rows::default();
    let mut metrics = MetricsBuilder::default();
    for group in &request.resource_metrics {
        let process = rows.process(group.resource.as_ref());
        for scoped in &group.scope_metrics {
            let scope = scoped.scope.clone().unwrap_or_default();
            for metric in &scoped.metrics {
                for point in points(metric) {
                    let kept =
                        keep_point(&point, metric, &process, [&scope.name, &scope.version], received, &mut metrics);
                    rows.item(&process, kept);
                }
            }
        }
    }
    let mut batches = rows.batches(received);
    batches.set(Table::Metrics, metrics.finish(received));
    Ok(rows.decoded(batches))
}

/// A data point of any kind; what the kind lacks is absent.
#[derive(Default)]
struct Point<'a> {
    kind: &'static str,
    temporality: i32,
    is_monotonic: Option<bool>,
    time: u64,
    start: u64,
    flags: u32,
    attributes: &'a [KeyValue],
    exemplars: &'a [Exemplar],
    value: (Option<f64>, Option<i64>),
    count: Option<u64>,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    bounds: &'a [f64],
    counts: &'a [u64],
    exponential: Option<(i32, u64, f64, Buckets, Buckets)>,
    quantiles: Option<Vec<(f64, f64)>>,
}

fn points(metric: &Metric) -> Vec<Point<'_>> {
    match &metric.data {
        Some(metric::Data::Gauge(data)) => data.data_points.iter().map(|p| number(p, "GAUGE")).collect(),
        Some(metric::Data::Sum(data)) => {
            let point = |p| Point {
                temporality: data.aggregation_temporality,
                is_monotonic: Some(data.is_monotonic),
                ..number(p, "SUM")
            };
            data.data_points.iter().map(point).collect()
        }
        Some(metric::Data::Histogram(data)) => {
            data.data_points.iter().map(|p| histogram(p, data.aggregation_temporality)).collect()
        }
        Some(metric::Data::ExponentialHistogram(data)) => {
            data.data_points.iter().map(|p| exponential(p, data.aggregation_temporality)).collect()
        }
        Some(metric::Data::Summary(data)) => data.data_points.iter().map(summary).collect(),
        None => vec![],
    }
}

fn number<'a>(p: &'a NumberDataPoint, kind: &'static str) -> Point<'a> {
    Point {
        kind,
        time: p.time_unix_nano,
        start: p.start_time_unix_nano,
        flags: p.flags,
        attributes: &p.attributes,
        exemplars: &p.exemplars,
        value: match p.value {
            Some(number_data_point::Value::AsInt(v)) => (Some(v as f64), Some(v)),
            Some(number_data_point::Value::AsDouble(v)) => (Some(v), None),
            None => (None, None),
        },
        ..Point::default()
    }
}

fn histogram(p: &HistogramDataPoint, temporality: i32) -> Point<'_> {
    Point {
        kind: "HISTOGRAM",
        temporality,
        time: p.time_unix_nano,
        start: p.start_time_unix_nano,
        flags: p.flags,
        attributes: &p.attributes,
        exemplars: &p.exemplars,
        count: Some(p.count),
        sum: p.sum,
        min: p.min,
        max: p.max,
        bounds: &p.explicit_bounds,
        counts: &p.bucket_counts,
        ..Point::default()
    }
}

fn exponential(p: &ExponentialHistogramDataPoint, temporality: i32) -> Point<'_> {
    let (positive, negative) = (p.positive.clone().unwrap_or_default(), p.negative.clone().unwrap_or_default());
    Point {
        kind: "EXPONENTIAL_HISTOGRAM",
        temporality,
        time: p.time_unix_nano,
        start: p.start_time_unix_nano,
        flags: p.flags,
        attributes: &p.attributes,
        exemplars: &p.exemplars,
        count: Some(p.count),
        sum: p.sum,
        min: p.min,
        max: p.max,
        exponential: Some((p.scale, p.zero_count, p.zero_threshold, positive, negative)),
        ..Point::default()
    }
}

fn summary(p: &SummaryDataPoint) -> Point<'_> {
    Point {
        kind: "SUMMARY",
        time: p.time_unix_nano,
        start: p.start_time_unix_nano,
        flags: p.flags,
        attributes: &p.attributes,
        count: Some(p.count),
        sum: Some(p.sum),
        quantiles: Some(p.quantile_values.iter().map(|q| (q.quantile, q.value)).collect()),
        ..Point::default()
    }
}

fn keep_point(
    point: &Point<'_>,
    metric: &Metric,
    process: &Process,
    [scope_name, scope_version]: [&str; 2],
    received: Timestamp,
    rows: &mut MetricsBuilder,
) -> Result<Timestamp, &'static str> {
    let at = if point.time == 0 { Some(received) } else { time(point.time) };
    let at = at.ok_or("time_unix_nano is past the year 2262")?;
    let start_time = match point.start {
        0 => None,
        start => Some(time(start).ok_or("start_time_unix_nano is past the year 2262")?),
    };
    let (scale, zero_count, zero_threshold, positive, negative) = point.exponential.clone().unwrap_or_default();
    let too_large = "a bucket count is not below 2^63";
    let counts = integers(point.counts).ok_or(too_large)?;
    let positive_counts = integers(&positive.bucket_counts).ok_or(too_large)?;
    let negative_counts = integers(&negative.bucket_counts).ok_or(too_large)?;
    let count = point.count.map(i64::try_from).transpose().map_err(|_| "count is not below 2^63")?;
    let zero_count = i64::try_from(zero_count).map_err(|_| "zero_count is not below 2^63")?;
    let packs: Vec<_> = point.exemplars.iter().map(|e| packed(&e.filtered_attributes)).collect();
    let exemplars: Vec<_> = point
        .exemplars
        .iter()
        .zip(&packs)
        .map(|(exemplar, attributes)| ExemplarRow {
            time: if exemplar.time_unix_nano == 0 { at } else { time(exemplar.time_unix_nano).unwrap_or(at) },
            value: exemplar.value.map(|v| match v {
                exemplar::Value::AsDouble(v) => v,
                exemplar::Value::AsInt(v) => v as f64,
            }),
            value_int: match exemplar.value {
                Some(exemplar::Value::AsInt(v)) => Some(v),
                _ => None,
            },
            trace_id: TraceId::from_slice(&exemplar.trace_id),
            span_id: SpanId::from_slice(&exemplar.span_id),
            attributes: attributes.packed(),
        })
        .collect();
    let recorded = point.flags & 1 == 0;
    let bucketed = recorded && !(counts.is_empty() && point.bounds.is_empty());
    let attributes = packed(point.attributes);
    rows.push(&MetricRow {
        time: at,
        start_time,
        process_id: process.id,
        service_name: &process.service_name,
        name: &metric.name,
        unit: &metric.unit,
        description: &metric.description,
        kind: point.kind,
        temporality: match point.temporality {
            1 => Some("DELTA"),
            2 => Some("CUMULATIVE"),
            _ => None,
        },
        is_monotonic: point.is_monotonic,
        value: point.value.0.filter(|_| recorded),
        value_int: point.value.1.filter(|_| recorded),
        count: count.filter(|_| recorded),
        sum: point.sum.filter(|_| recorded),
        min: point.min.filter(|_| recorded),
        max: point.max.filter(|_| recorded),
        bucket_bounds: bucketed.then_some(point.bounds),
        bucket_counts: bucketed.then_some(&counts),
        exponential: (recorded && point.exponential.is_some()).then_some(ExponentialRow {
            scale,
            zero_count,
            zero_threshold,
            positive_offset: positive.offset,
            positive_counts: &positive_counts,
            negative_offset: negative.offset,
            negative_counts: &negative_counts,
        }),
        quantiles: point.quantiles.as_deref().filter(|_| recorded),
        exemplars: &exemplars,
        flags: point.flags,
        scope_name,
        scope_version,
        attributes: attributes.packed(),
    });
    Ok(start_time.map_or(at, |start| start.min(at)))
}

fn integers(counts: &[u64]) -> Option<Vec<i64>> {
    counts.iter().map(|count| i64::try_from(*count).ok()).collect()
}

fn time(nanos: u64) -> Option<Timestamp> {
    i64::try_from(nanos).ok().map(Timestamp::from_nanos)
}

fn packed(attributes: &[KeyValue]) -> PackedWriter {
    PackedWriter::from(&model(attributes))
}

fn model(attributes: &[KeyValue]) -> Attributes {
    Attributes(attributes.iter().map(|entry| (entry.key.clone(), value(entry.value.as_ref()))).collect())
}

fn value(value_: Option<&AnyValue>) -> Value {
    match value_.and_then(|any| any.value.as_ref()) {
        None | Some(Wire::StringValueStrindex(_)) => Value::Empty,
        Some(Wire::StringValue(text)) => Value::String(text.clone()),
        Some(Wire::BoolValue(value)) => Value::Bool(*value),
        Some(Wire::IntValue(value)) => Value::Int(*value),
        Some(Wire::DoubleValue(value)) => Value::Double(*value),
        Some(Wire::BytesValue(bytes)) => Value::Bytes(bytes.clone()),
        Some(Wire::ArrayValue(array)) => Value::Array(array.values.iter().map(|item| value(Some(item))).collect()),
        Some(Wire::KvlistValue(map)) => Value::Map(model(&map.values)),
    }
}

#[derive(Clone)]
struct Process {
    id: ProcessId,
    service_name: String,
}

/// Processes and outcomes of a request.
#[derive(Default)]
struct Rows {
    order: Vec<ProcessId>,
    latest: HashMap<ProcessId, (String, Vec<u8>, Option<Timestamp>)>,
    accepted: usize,
    rejections: Vec<Rejection>,
}

impl Rows {
    fn process(&mut self, resource: Option<&Resource>) -> Process {
        let attributes = resource.map(|resource| packed(&resource.attributes)).unwrap_or_default();
        let id = process_id(attributes.packed());
        let name = get(attributes.packed(), "service.name").and_then(ValueRef::to_text).unwrap_or_default();
        let service_name = if name.is_empty() { "unknown_service".to_owned() } else { name.into_owned() };
        let earliest = self.latest.get(&id).and_then(|known| known.2);
        if !self.order.contains(&id) {
            self.order.push(id);
        }
        self.latest.insert(id, (service_name.clone(), attributes.packed().to_vec(), earliest));
        Process { id, service_name }
    }

    fn item(&mut self, process: &Process, kept: Result<Timestamp, &'static str>) {
        match kept {
            Ok(time) => {
                self.accepted += 1;
                let earliest = &mut self.latest.get_mut(&process.id).unwrap().2;
                *earliest = Some(earliest.map_or(time, |known| known.min(time)));
            }
            Err(reason) => {
                let index = self.accepted + self.rejections.len();
                self.rejections.push(Rejection { index, reason: reason.to_owned() });
            }
        }
    }

    fn batches(&self, received: Timestamp) -> Batches {
        let mut rows = ProcessesBuilder::default();
        for id in &self.order {
            let (service_name, resource, earliest) = &self.latest[id];
            let Some(earliest) = earliest else { continue };
            rows.push(&ProcessRow {
                process_id: *id,
                service_name,
                start_time: Some(*earliest),
                first_seen: received,
                last_update_time: received,
                parent_process_id: None,
                resource,
            });
        }
        let mut batches = Batches::default();
        batches.set(Table::Processes, rows.finish(received));
        batches
    }

    fn decoded(mut self, batches: Batches) -> Decoded {
        let rejected = self.rejections.len();
        self.rejections.truncate(Decoded::MAX_REASONS);
        Decoded { batches, accepted: self.accepted, rejections: self.rejections, rejected }
    }
}

/// Panics unless two decoded requests hold the same. Attributes are compared by what they say: different
/// bytes may be the same attributes.
pub fn assert_same(ours: &Decoded, expected: &Decoded) {
    assert_eq!(ours.accepted, expected.accepted, "accepted");
    assert_eq!(ours.rejected, expected.rejected, "rejected");
    assert_eq!(ours.rejections, expected.rejections);
    for table in Table::ALL {
        let (ours, expected) = match (ours.batches.get(table), expected.batches.get(table)) {
            (Some(ours), Some(expected)) => (ours, expected),
            (None, None) => continue,
            (ours, _) => panic!("only one has rows of {}: ours has them: {}", table.name(), ours.is_some()),
        };
        assert_eq!(ours.num_rows(), expected.num_rows(), "rows of {}", table.name());
        for (column, (ours, expected)) in table.columns().iter().zip(ours.columns().iter().zip(expected.columns())) {
            let place = format!("{}.{}", table.name(), column.name);
            if let (Some(ours), Some(expected)) = (ours.as_binary_opt::<i32>(), expected.as_binary_opt::<i32>()) {
                let json = |packed: Option<&[u8]>| {
                    let mut text = String::new();
                    attributes::packed_to_json(packed.unwrap(), &mut text);
                    text
                };
                assert!(ours.iter().map(json).eq(expected.iter().map(json)), "{place}");
            } else {
                assert_eq!(ours, expected, "{place}");
            }
        }
    }
}
