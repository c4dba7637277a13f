//! OTLP protobuf, walked by hand straight into column builders
//! (<https://github.com/open-telemetry/opentelemetry-proto>, v1).
//!
//! Field numbers stand in the code as the `.proto` files have them. Fields may come in any order, so each
//! level is read twice: once for what its items need (resource, scope), once for the items.

mod attributes;
mod envelope;
mod json;
mod logs;
mod messages;
mod metrics;
mod points;
mod spans;

pub(crate) use attributes::MAX_DEPTH;
pub(crate) use json::to_protobuf;
pub(crate) use logs::decode_logs;
pub(crate) use messages::{LOGS_REQUEST, METRICS_REQUEST, TRACES_REQUEST};
pub(crate) use metrics::decode_metrics;
pub(crate) use spans::decode_traces;

use glasshouse_model::Timestamp;

/// A wire time; `None` when it is past the year 2262, which the tables cannot hold.
#[inline]
fn time(nanos: u64) -> Option<Timestamp> {
    Timestamp::from_unix_nanos(nanos)
}
