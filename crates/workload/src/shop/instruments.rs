//! The services' metrics: one of every kind that OpenTelemetry knows.

use std::collections::BTreeMap;

use glasshouse_model::Timestamp;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram,
    HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint,
    exemplar, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use rand::Rng;
use rand::rngs::SmallRng;

use super::service::Service;
use crate::otlp::{int, text, unix_nanos};

/// Upper bounds in seconds that the semantic conventions advise for request durations.
const BOUNDS: [f64; 14] = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Base of the exponential buckets is 2^(2^-SCALE).
const SCALE: i32 = 3;

/// Durations of a server's requests since the shop opened.
#[derive(Default)]
struct Requests {
    durations: Vec<f64>,
    bucket_counts: [u64; BOUNDS.len() + 1],
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
    exemplar: Option<Exemplar>,
}

pub(super) struct Instruments {
    opened: Timestamp,
    collected: Timestamp,
    /// By service and span name.
    requests: BTreeMap<(usize, String), Requests>,
    orders: i64,
    failed_orders: i64,
}

impl Instruments {
    pub fn new(now: Timestamp) -> Self {
        Self { opened: now, collected: now, requests: BTreeMap::new(), orders: 0, failed_orders: 0 }
    }

    /// Takes note of a span that ended.
    pub fn observe(&mut self, service: Service, span: &Span) {
        if span.kind != SpanKind::Server as i32 {
            return;
        }
        let is_error = span.status.is_some();
        if span.name == "shop.Checkout/PlaceOrder" {
            self.orders += i64::from(!is_error);
            self.failed_orders += i64::from(is_error);
        }
        let seconds = (span.end_time_unix_nano - span.start_time_unix_nano) as f64 / 1e9;
        let requests = self.requests.entry((service as usize, span.name.clone())).or_default();
        requests.bucket_counts[BOUNDS.partition_point(|bound| *bound < seconds)] += 1;
        requests.min = if requests.count == 0 { seconds } else { requests.min.min(seconds) };
        requests.max = requests.max.max(seconds);
        requests.count += 1;
        requests.sum += seconds;
        requests.durations.push(seconds);
        requests.exemplar = Some(Exemplar {
            time_unix_nano: span.end_time_unix_nano,
            span_id: span.span_id.clone(),
            trace_id: span.trace_id.clone(),
            value: Some(exemplar::Value::AsDouble(seconds)),
            ..Default::default()
        });
    }

    /// All points at `now`. Delta points cover the time since the last call.
    pub fn collect(
        &mut self,
        random: &mut SmallRng,
        resources: &[Resource],
        now: Timestamp,
    ) -> ExportMetricsServiceRequest {
        let resource_metrics = Service::ALL
            .iter()
            .zip(resources)
            .map(|(service, resource)| ResourceMetrics {
                resource: Some(resource.clone()),
                scope_metrics: vec![ScopeMetrics {
                    scope: Some(service.scope()),
                    metrics: self.metrics_of(*service, random, now),
                    ..Default::default()
                }],
                schema_url: super::SCHEMA_URL.to_owned(),
            })
            .collect();
        self.collected = now;
        for requests in self.requests.values_mut() {
            requests.durations.clear();
        }
        ExportMetricsServiceRequest { resource_metrics }
    }

    fn metrics_of(&self, service: Service, random: &mut SmallRng, now: Timestamp) -> Vec<Metric> {
        let since_open = (unix_nanos(self.opened), unix_nanos(now));
        let since_last = (unix_nanos(self.collected), unix_nanos(now));
        let memory = 60 + service as i64 * 11 + random.random_range(0..8);
        let cpu = vec![number(
            (0, since_open.1),
            number_data_point::Value::AsDouble(random.random_range(0.01..0.35)),
            Vec::new(),
        )];
        let resident = vec![number(since_open, number_data_point::Value::AsInt(memory << 20), Vec::new())];
        let mut metrics = vec![
            metric("process.cpu.utilization", "1", "Share of one processor", Data::Gauge(Gauge { data_points: cpu })),
            metric("process.memory.usage", "By", "Resident memory", sum(resident, false)),
            metric("gc.pause", "s", "Pauses of the garbage collector", gc_pauses(random, since_open)),
        ];
        if service == Service::Checkout {
            let order = |count, outcome| {
                number(since_open, number_data_point::Value::AsInt(count), vec![text("outcome", outcome)])
            };
            let points = vec![order(self.orders, "placed"), order(self.failed_orders, "failed")];
            metrics.push(metric("shop.orders", "{order}", "Orders by outcome", sum(points, true)));
        }
        let requests = || self.requests.iter().filter(|((of, _), _)| *of == service as usize);
        if requests().next().is_some() {
            let data_points = requests().map(|((_, name), requests)| requests.histogram(name, since_open)).collect();
            let aggregation_temporality = AggregationTemporality::Cumulative as i32;
            let data = Data::Histogram(Histogram { data_points, aggregation_temporality });
            metrics.push(metric("server.request.duration", "s", "Durations of requests", data));
            let data_points = requests().map(|((_, name), requests)| requests.exponential(name, since_last)).collect();
            let aggregation_temporality = AggregationTemporality::Delta as i32;
            let data = Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality });
            metrics.push(metric("server.request.duration.exponential", "s", "Durations of requests, finer", data));
        }
        metrics
    }
}

impl Requests {
    fn histogram(&self, name: &str, (start, time): (u64, u64)) -> HistogramDataPoint {
        HistogramDataPoint {
            attributes: vec![text("operation", name)],
            start_time_unix_nano: start,
            time_unix_nano: time,
            count: self.count,
            sum: Some(self.sum),
            bucket_counts: self.bucket_counts.to_vec(),
            explicit_bounds: BOUNDS.to_vec(),
            exemplars: self.exemplar.iter().cloned().collect(),
            min: Some(self.min),
            max: Some(self.max),
            ..Default::default()
        }
    }

    /// The durations since the last collection (OTLP data model, "`ExponentialHistogram`").
    fn exponential(&self, name: &str, (start, time): (u64, u64)) -> ExponentialHistogramDataPoint {
        let index = |seconds: f64| (seconds.log2() * f64::from(1 << SCALE)).ceil() as i32 - 1;
        let indices: Vec<i32> = self.durations.iter().map(|seconds| index(*seconds)).collect();
        let offset = indices.iter().copied().min().unwrap_or(0);
        let length = indices.iter().map(|index| index - offset + 1).max().unwrap_or(0);
        let mut bucket_counts = vec![0; length as usize];
        for index in &indices {
            bucket_counts[(index - offset) as usize] += 1;
        }
        ExponentialHistogramDataPoint {
            attributes: vec![text("operation", name)],
            start_time_unix_nano: start,
            time_unix_nano: time,
            count: self.durations.len() as u64,
            sum: Some(self.durations.iter().sum()),
            scale: SCALE,
            positive: Some(Buckets { offset, bucket_counts }),
            exemplars: self.exemplar.iter().cloned().collect(),
            min: self.durations.iter().copied().reduce(f64::min),
            max: self.durations.iter().copied().reduce(f64::max),
            ..Default::default()
        }
    }
}

fn metric(name: &str, unit: &str, description: &str, data: Data) -> Metric {
    Metric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        description: description.to_owned(),
        data: Some(data),
        ..Default::default()
    }
}

fn number((start, time): (u64, u64), value: number_data_point::Value, attributes: Vec<KeyValue>) -> NumberDataPoint {
    NumberDataPoint {
        attributes,
        start_time_unix_nano: start,
        time_unix_nano: time,
        value: Some(value),
        ..Default::default()
    }
}

fn sum(data_points: Vec<NumberDataPoint>, is_monotonic: bool) -> Data {
    Data::Sum(Sum { data_points, aggregation_temporality: AggregationTemporality::Cumulative as i32, is_monotonic })
}

fn gc_pauses(random: &mut SmallRng, (start, time): (u64, u64)) -> Data {
    let middle = random.random_range(0.0001..0.002);
    let quantile = |quantile, factor: f64| ValueAtQuantile { quantile, value: middle * factor };
    let count = (time - start) / 2_000_000_000;
    Data::Summary(Summary {
        data_points: vec![SummaryDataPoint {
            attributes: vec![int("gc.generation", 0)],
            start_time_unix_nano: start,
            time_unix_nano: time,
            count,
            sum: middle * count as f64,
            quantile_values: vec![quantile(0.5, 1.0), quantile(0.9, 2.1), quantile(0.99, 4.7)],
            ..Default::default()
        }],
    })
}
