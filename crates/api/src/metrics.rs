use glasshouse_model::{Attributes, DurationNs, ProcessId, Timestamp};
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
    /// What each value of a point is: `value` (the average), `rate` (per second), `average` (of observations), `p50`, `p90`
    /// or `p99` (quantiles of observations).
    pub columns: Vec<String>,
    /// The series with the greatest values: on average of a gauge, in all of a counter, by the number of observations of a
    /// histogram; of the first thousand that come.
    pub series: Vec<MetricSeries>,
    /// How many more there are; no more than about a million are counted.
    pub hidden_series_count: u32,
    /// Points that are left out, because they are of another kind of metric with the name.
    pub skipped_point_count: u64,
}

/// The values of one process and one set of attributes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct MetricSeries {
    /// The process.
    #[schema(value_type = String)]
    pub process_id: ProcessId,
    /// Instrumentation scope; empty when not said.
    pub scope_name: String,
    /// Attributes of the points.
    #[schema(value_type = Vec<KeyValue>)]
    pub attributes: Attributes,
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
