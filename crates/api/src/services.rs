use glasshouse_model::{DurationNs, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::processes::decimal;

/// Services that were active in the time asked for, in alphabetical order.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ServiceList {
    /// The services.
    pub services: Vec<Service>,
}

/// A service: rate, errors and durations of its requests, computed on read.
///
/// A request is a span of kind SERVER or CONSUMER, or a span without a parent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Service {
    /// `service.name`.
    pub name: String,
    /// Its spans.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub span_count: u64,
    /// Its requests.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub request_count: u64,
    /// Requests whose status is ERROR.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub error_count: u64,
    /// Processes that ran it.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub process_count: u64,
    /// Median duration of requests, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub p50_ns: Option<DurationNs>,
    /// 95th percentile, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub p95_ns: Option<DurationNs>,
    /// 99th percentile, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub p99_ns: Option<DurationNs>,
    /// Start of the earliest span, Unix nanoseconds.
    #[schema(value_type = String)]
    pub first_seen: Timestamp,
    /// Start of the latest span, Unix nanoseconds.
    #[schema(value_type = String)]
    pub last_seen: Timestamp,
}

/// Operations of a service, most calls first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OperationList {
    /// The operations.
    pub operations: Vec<Operation>,
}

/// Spans of one name and kind: rate, errors and durations, computed on read.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Operation {
    /// Name of the spans.
    pub name: String,
    /// Kind of the spans: `UNSPECIFIED`, `INTERNAL`, `SERVER`, `CLIENT`, `PRODUCER` or `CONSUMER`.
    pub kind: String,
    /// How many spans.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub span_count: u64,
    /// Spans whose status is ERROR.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub error_count: u64,
    /// Median duration, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub p50_ns: Option<DurationNs>,
    /// 95th percentile, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub p95_ns: Option<DurationNs>,
    /// 99th percentile, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub p99_ns: Option<DurationNs>,
    /// Longest, nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub max_ns: Option<DurationNs>,
}
