//! Data points of every kind.

use glasshouse_model::{SpanId, Timestamp, TraceId};
use glasshouse_tables::ports::Decoded;
use glasshouse_tables::{ExemplarRow, ExponentialRow, MetricRow, MetricsBuilder, Table};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogramDataPoint, HistogramDataPoint, Metric, NumberDataPoint, SummaryDataPoint, exemplar,
    metric, number_data_point,
};
use prost::Message;

use super::{Process, Rows, packed, time};

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
