use glasshouse_model::{Attributes, DurationNs, ProcessId, SpanId, Timestamp, TraceId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::KeyValue;
use crate::processes::decimal;

/// Metrics, by name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MetricList {
    /// The metrics.
    pub metrics: Vec<Metric>,
    /// How many more there are.
    pub hidden_metric_count: u32,
}

/// What is known of a metric.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Metric {
    /// Its name.
    pub name: String,
    /// Unit (UCUM); empty when not said.
    pub unit: String,
    /// What it measures; empty when not said.
    pub description: String,
    /// `GAUGE`, `SUM`, `HISTOGRAM`, `EXPONENTIAL_HISTOGRAM` or `SUMMARY`.
    pub kind: String,
    /// Data points.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub point_count: u64,
    /// When the first interval of a sum or histogram began, Unix nanoseconds; absent when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub start_time: Option<Timestamp>,
    /// When the first point was taken.
    #[schema(value_type = String)]
    pub first_time: Timestamp,
    /// When the last was taken.
    #[schema(value_type = String)]
    pub last_time: Timestamp,
}

/// Values of a metric over time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MetricSeriesList {
    /// How much time a value stands for, in nanoseconds.
    #[schema(value_type = String)]
    pub step_ns: DurationNs,
    /// What each value of a point is: `value`, `rate` (per second), `average` (of observations), or percentiles of
    /// observations such as `p50` and `p99.9`.
    pub columns: Vec<String>,
    /// The series with the greatest values: on average of a gauge, in all of a counter, by the number of observations of a
    /// histogram; of the first thousand that come.
    pub series: Vec<MetricSeries>,
    /// How many more there are; no more than about a million are counted.
    pub hidden_series_count: u32,
    /// Points that are left out, because they are of another kind of metric with the name.
    pub skipped_point_count: u64,
}

/// The values of one process and one set of attributes, or of several that are put together.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MetricSeries {
    /// The process; absent where series are put together.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub process_id: Option<ProcessId>,
    /// Instrumentation scope; empty when not said, and where series are put together.
    pub scope_name: String,
    /// Attributes of the points, or what keeps apart those that are put together: absent where a series has none.
    #[schema(value_type = Vec<KeyValue>)]
    pub attributes: Attributes,
    /// How many series it is made of.
    pub series_count: u64,
    /// The values, earliest first. Where no point was sent, there is none.
    pub points: Vec<MetricValues>,
}

/// Values at a moment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MetricValues {
    /// The middle of the step, Unix nanoseconds.
    #[schema(value_type = String)]
    pub time: Timestamp,
    /// As `columns` says; null where there is none.
    pub values: Vec<Option<f64>>,
}

/// What tells the series of a metric apart.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MetricAttributeList {
    /// The keys: those with several values first, then by name.
    pub attributes: Vec<MetricAttribute>,
    /// How many series were looked at.
    pub series_count: u64,
    /// Whether those are all.
    pub is_complete: bool,
}

/// A key of attributes, or `service_name`, `process_id` or `scope_name`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MetricAttribute {
    /// The key.
    pub key: String,
    /// Its values, those of most series first.
    pub values: Vec<MetricAttributeValue>,
    /// How many more there are.
    pub hidden_value_count: u64,
}

/// A value of a key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MetricAttributeValue {
    /// The value as text.
    pub value: String,
    /// In how many series it is.
    pub series_count: u64,
}

/// Observations behind a metric.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MetricExemplarList {
    /// The exemplars, earliest first.
    pub exemplars: Vec<MetricExemplar>,
}

/// An observation with the span in which it was made.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MetricExemplar {
    /// When it was made, Unix nanoseconds.
    #[schema(value_type = String)]
    pub time: Timestamp,
    /// What was observed.
    pub value: f64,
    /// The trace.
    #[schema(value_type = String)]
    pub trace_id: TraceId,
    /// The span; absent when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub span_id: Option<SpanId>,
    /// `service.name` of who made it.
    pub service_name: String,
}
