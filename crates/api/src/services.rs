use glasshouse_model as model;
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

/// Services and the calls between them.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ServiceMap {
    /// Services in alphabetical order, then what they call that sends no spans itself.
    pub nodes: Vec<ServiceNode>,
    /// Calls, in the order of the nodes.
    pub edges: Vec<ServiceEdge>,
}

/// A service, or something that services call.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ServiceNode {
    /// `service`; or what spans of kind CLIENT or PRODUCER name: `database` (by `db.system.name`), `messaging` (by
    /// `messaging.system`), `peer` (by `peer.service`, unless a service has this name). What is too many is `(others)`.
    pub kind: &'static str,
    /// `service.name`, or the name that callers give.
    pub name: String,
    /// Its requests: spans of kind SERVER or CONSUMER and those without a parent; of what is no service, the calls of it.
    /// Of all only those that have ended.
    #[serde(flatten)]
    pub requests: CallFigures,
}

/// Calls from one node to another.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ServiceEdge {
    /// Position of the caller in `nodes`.
    pub from: u32,
    /// Position of what is called.
    pub to: u32,
    /// The calls: spans of the called service whose parent is one of the caller, or spans that name what they call.
    #[serde(flatten)]
    pub calls: CallFigures,
}

/// How many calls, how many of them failed, and how long they took. Quantiles lie within 1 % of exact ones (nearest rank).
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CallFigures {
    /// How many.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub count: u64,
    /// Those whose status is ERROR.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub errors: u64,
    /// Median duration, nanoseconds; absent when none has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub p50_ns: Option<DurationNs>,
    /// 95th percentile, nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub p95_ns: Option<DurationNs>,
    /// 99th percentile, nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub p99_ns: Option<DurationNs>,
}

/// Figures of spans over time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SpanSeries {
    /// How much time a point covers, in nanoseconds; absent when there are no spans.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub step_ns: Option<DurationNs>,
    /// The points that have spans, earliest first.
    pub points: Vec<SpanPoint>,
}

/// Spans that start in a part of the time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SpanPoint {
    /// Where it begins, Unix nanoseconds: a multiple of the step.
    #[schema(value_type = String)]
    pub time: Timestamp,
    /// The spans.
    #[serde(flatten)]
    pub spans: CallFigures,
}

impl From<&model::CallFigures> for CallFigures {
    fn from(calls: &model::CallFigures) -> Self {
        let quantile = |q| calls.durations.quantile(q);
        Self {
            count: calls.count,
            errors: calls.error_count,
            p50_ns: quantile(0.5),
            p95_ns: quantile(0.95),
            p99_ns: quantile(0.99),
        }
    }
}

impl From<model::ServiceMap> for ServiceMap {
    fn from(map: model::ServiceMap) -> Self {
        let node = |node: model::ServiceNode| ServiceNode {
            kind: node.kind.as_str(),
            name: node.name,
            requests: (&node.requests).into(),
        };
        let edge = |edge: model::ServiceEdge| ServiceEdge { from: edge.from, to: edge.to, calls: (&edge.calls).into() };
        Self { nodes: map.nodes.into_iter().map(node).collect(), edges: map.edges.into_iter().map(edge).collect() }
    }
}

impl From<model::SpanSeries> for SpanSeries {
    fn from(series: model::SpanSeries) -> Self {
        let point =
            |(time, figures): &(Timestamp, model::CallFigures)| SpanPoint { time: *time, spans: figures.into() };
        Self {
            step_ns: (!series.points.is_empty()).then_some(series.step),
            points: series.points.iter().map(point).collect(),
        }
    }
}
