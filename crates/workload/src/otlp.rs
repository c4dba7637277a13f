//! Short ways to write OTLP messages.

use glasshouse_model::{DurationNs, Timestamp};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Status;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use rand::Rng;

/// The sampled bit of the W3C trace flags.
pub(crate) const SAMPLED: u32 = 1;

pub(crate) fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

pub(crate) fn text(key: &str, value: impl Into<String>) -> KeyValue {
    attribute(key, Value::StringValue(value.into()))
}

pub(crate) fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

pub(crate) fn double(key: &str, value: f64) -> KeyValue {
    attribute(key, Value::DoubleValue(value))
}

pub(crate) fn boolean(key: &str, value: bool) -> KeyValue {
    attribute(key, Value::BoolValue(value))
}

pub(crate) fn texts<'a>(key: &str, values: impl IntoIterator<Item = &'a str>) -> KeyValue {
    let values = values.into_iter().map(any_text).collect();
    attribute(key, Value::ArrayValue(ArrayValue { values }))
}

pub(crate) fn any_text(text: &str) -> AnyValue {
    AnyValue { value: Some(Value::StringValue(text.to_owned())) }
}

pub(crate) fn scope(name: &str, version: &str) -> InstrumentationScope {
    InstrumentationScope { name: name.to_owned(), version: version.to_owned(), ..Default::default() }
}

pub(crate) fn error_status(message: &str) -> Status {
    Status { code: StatusCode::Error as i32, message: message.to_owned() }
}

/// An OTLP time.
pub(crate) fn unix_nanos(time: Timestamp) -> u64 {
    u64::try_from(time.nanos()).expect("workloads happen after 1970")
}

pub(crate) fn milliseconds(milliseconds: f64) -> DurationNs {
    DurationNs::from_nanos((milliseconds * 1e6) as i64)
}

/// A random id without the forbidden value of all zeros.
pub(crate) fn random_id<const N: usize>(random: &mut impl Rng) -> [u8; N] {
    let mut id = [0; N];
    random.fill_bytes(&mut id);
    id[N - 1] |= 1;
    id
}

/// The text of a random (version 4) UUID.
pub(crate) fn random_uuid(random: &mut impl Rng) -> String {
    let (high, low): (u64, u64) = (random.random(), random.random());
    let variant = low >> 2 | 1 << 63;
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        variant >> 48,
        variant & 0xffff_ffff_ffff
    )
}

/// A sample of a log-normal distribution, by the Box–Muller transform.
pub(crate) fn log_normal(random: &mut impl Rng, median: f64, sigma: f64) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    let normal = radius * (std::f64::consts::TAU * random.random::<f64>()).cos();
    median * (sigma * normal).exp()
}
