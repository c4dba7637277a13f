//! All instruments of a tracer, and what they tell in its form for the wire: OTLP's `Metric`.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use glasshouse_model::Value;

use super::cells::{Distribution, Last, Sum};
use super::exponential::{Buckets, Exponential};
use crate::otlp::{Wire as _, attribute, fixed64_field, nested};
use crate::value::AttributeValue;

/// Points of one metric: when there are more, the rest is told together, as
/// [OpenTelemetry](https://opentelemetry.io/docs/specs/otel/metrics/sdk/#cardinality-limits) wants it.
const MOST_SERIES: usize = 2000;
/// Metrics: instruments of more tell nothing.
const MOST_METRICS: usize = 1000;
/// OTLP's temporality of values that count from the beginning.
const CUMULATIVE: u64 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Counter,
    UpDownCounter,
    Gauge,
    Histogram,
}

/// Fields of data points differ between numbers and histograms.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct AttributeBytes {
    of_number: Vec<u8>,
    of_histogram: Vec<u8>,
}

impl AttributeBytes {
    pub fn new(key: &str, value: AttributeValue<'_>) -> Self {
        let text;
        // What is the same has the same bytes.
        let value = match value {
            AttributeValue::Formatted(formatted) => {
                text = formatted.to_string();
                (&text).into()
            }
            AttributeValue::Value(Value::String(text)) => text.into(),
            AttributeValue::Value(Value::Bool(value)) => (*value).into(),
            AttributeValue::Value(Value::Int(value)) => (*value).into(),
            AttributeValue::Value(Value::Double(value)) => (*value).into(),
            AttributeValue::Value(Value::Bytes(bytes)) => bytes.as_slice().into(),
            other => other,
        };
        let bytes = |field| {
            let mut bytes = Vec::new();
            attribute(&mut bytes, field, key, value);
            bytes
        };
        Self { of_number: bytes(7), of_histogram: bytes(1) }
    }

    fn of(&self, kind: Kind) -> &[u8] {
        if kind == Kind::Histogram { &self.of_histogram } else { &self.of_number }
    }
}

/// Where an instrument's values are.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Sum(Arc<Sum>),
    Last(Arc<Last>),
    Distribution(Arc<Distribution>),
}

impl Cell {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Counter | Kind::UpDownCounter => Self::Sum(Arc::default()),
            Kind::Gauge => Self::Last(Arc::default()),
            Kind::Histogram => Self::Distribution(Arc::default()),
        }
    }

    pub fn sum(self) -> Option<Arc<Sum>> {
        if let Self::Sum(sum) = self { Some(sum) } else { None }
    }

    pub fn last(self) -> Option<Arc<Last>> {
        if let Self::Last(last) = self { Some(last) } else { None }
    }

    pub fn distribution(self) -> Option<Arc<Distribution>> {
        if let Self::Distribution(values) = self { Some(values) } else { None }
    }
}

/// All instruments.
#[derive(Debug)]
pub(crate) struct Registry {
    metrics: Mutex<Vec<Metric>>,
    /// When the counters were 0, in nanoseconds since the Unix epoch.
    started: u64,
    /// Instruments for which there was no room.
    refused: AtomicU64,
}

/// A metric with all that its instruments tell. A clone tells the same.
#[derive(Debug, Clone)]
pub(crate) struct Metric {
    kind: Kind,
    name: Arc<str>,
    unit: Arc<str>,
    description: Arc<str>,
    started: u64,
    /// By attributes, for the wire.
    series: HashMap<Arc<[u8]>, Cell>,
}

impl Registry {
    pub fn new(started: u64) -> Self {
        Self { metrics: Mutex::default(), started, refused: AtomicU64::new(0) }
    }

    fn known(&self) -> MutexGuard<'_, Vec<Metric>> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where an instrument's values are; `None` when there are too many metrics, but for one of our own.
    pub(super) fn cell(
        &self,
        (kind, is_own): (Kind, bool),
        name: &str,
        unit: &str,
        description: &str,
        mut attributes: Vec<(String, AttributeBytes)>,
    ) -> Option<Cell> {
        attributes.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut key: Vec<u8> = attributes.iter().flat_map(|(_, bytes)| bytes.of(kind)).copied().collect();
        let mut metrics = self.known();
        let is_it = |metric: &Metric| metric.kind == kind && *metric.name == *name && *metric.unit == *unit;
        let known = match metrics.iter().position(is_it) {
            Some(known) => known,
            None if metrics.len() >= MOST_METRICS && !is_own => {
                self.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            }
            None => {
                let (name, unit, description) = (name.into(), unit.into(), description.into());
                let started = self.started;
                metrics.push(Metric { kind, name, unit, description, started, series: HashMap::new() });
                metrics.len() - 1
            }
        };
        let series = &mut metrics[known].series;
        if series.len() >= MOST_SERIES && !series.contains_key(&*key) {
            key = AttributeBytes::new("otel.metric.overflow", true.into()).of(kind).to_vec();
        }
        Some(series.entry(key.into()).or_insert_with(|| Cell::new(kind)).clone())
    }

    /// Instruments that tell nothing, for there are too many metrics.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Whether there is anything to tell.
    pub fn is_empty(&self) -> bool {
        self.known().is_empty()
    }

    /// All metrics. What they tell is read while nobody waits for it.
    pub fn metrics(&self) -> Vec<Metric> {
        self.known().clone()
    }
}

impl Metric {
    /// Writes it as a field of `ScopeMetrics`; gives how many data points it has.
    pub fn write(&self, out: &mut Vec<u8>, now: u64) -> u64 {
        let mut points = Vec::new();
        let mut count = 0;
        for (attributes, cell) in &self.series {
            count += u64::from(write_point(&mut points, attributes, cell, self.started, now));
        }
        if count == 0 {
            return 0;
        }
        nested(out, 2, |out| {
            out.bytes_field(1, self.name.as_bytes());
            for (field, text) in [(2, &self.description), (3, &self.unit)] {
                if !text.is_empty() {
                    out.bytes_field(field, text.as_bytes());
                }
            }
            let field = match self.kind {
                Kind::Gauge => 5,
                Kind::Counter | Kind::UpDownCounter => 7,
                Kind::Histogram => 10,
            };
            nested(out, field, |out| {
                out.extend_from_slice(&points);
                if self.kind != Kind::Gauge {
                    out.varint_field(2, CUMULATIVE);
                }
                if self.kind == Kind::Counter {
                    out.varint_field(3, 1);
                }
            });
        });
        count
    }
}

/// Writes a data point, unless there is none.
fn write_point(out: &mut Vec<u8>, attributes: &[u8], cell: &Cell, started: u64, now: u64) -> bool {
    let times = |out: &mut Vec<u8>| {
        fixed64_field(out, 2, started);
        fixed64_field(out, 3, now);
        out.extend_from_slice(attributes);
    };
    match cell {
        Cell::Sum(sum) => nested(out, 1, |out| {
            times(out);
            fixed64_field(out, 6, sum.get() as u64);
        }),
        Cell::Last(last) => {
            let Some(value) = last.get() else { return false };
            nested(out, 1, |out| {
                fixed64_field(out, 3, now);
                out.extend_from_slice(attributes);
                fixed64_field(out, 4, value.to_bits());
            });
        }
        Cell::Distribution(values) => {
            let values = values.get();
            nested(out, 1, |out| {
                times(out);
                write_histogram(out, &values);
            });
        }
    }
    true
}

/// Fields of `ExponentialHistogramDataPoint`.
fn write_histogram(out: &mut Vec<u8>, values: &Exponential) {
    fixed64_field(out, 4, values.count);
    fixed64_field(out, 5, values.sum.to_bits());
    out.varint_field(6, zigzag(values.scale));
    fixed64_field(out, 7, values.zeros);
    for (field, Buckets { first, counts }) in [(8, &values.positive), (9, &values.negative)] {
        if !counts.is_empty() {
            nested(out, field, |out| {
                out.varint_field(1, zigzag(*first));
                nested(out, 2, |out| counts.iter().for_each(|count| out.varint(*count)));
            });
        }
    }
    if values.count > 0 {
        fixed64_field(out, 12, values.min.to_bits());
        fixed64_field(out, 13, values.max.to_bits());
    }
}

/// `sint32`.
fn zigzag(value: i32) -> u64 {
    u64::from(((value << 1) ^ (value >> 31)) as u32)
}
