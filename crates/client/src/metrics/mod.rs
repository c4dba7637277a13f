//! Metrics: instruments that programs add to, read at an interval.

mod cells;
mod exponential;
mod registry;

use std::sync::Arc;
use std::time::Duration;

pub(crate) use self::registry::Registry;

use self::cells::{Distribution, Last, Sum};
use self::registry::{Cell, Kind};
use crate::value::AttributeValue;

/// Names an instrument. What has the same name, kind and attributes is the same.
#[derive(Debug)]
#[must_use = "an instrument comes from counter(), up_down_counter(), gauge() or histogram()"]
pub struct InstrumentBuilder<'t> {
    /// `None` when tracing is disabled.
    registry: Option<&'t Registry>,
    name: String,
    unit: String,
    description: String,
    /// Whether it is of this library.
    is_own: bool,
    /// Keys with their values.
    attributes: Vec<(String, registry::AttributeBytes)>,
}

impl<'t> InstrumentBuilder<'t> {
    pub(crate) fn new(registry: Option<&'t Registry>, name: &str) -> Self {
        Self {
            registry,
            name: name.to_owned(),
            unit: String::new(),
            description: String::new(),
            is_own: false,
            attributes: Vec::new(),
        }
    }

    /// One of this library, for which there is always room.
    pub(crate) fn own(registry: &'t Registry, name: &str) -> Self {
        Self { is_own: true, ..Self::new(Some(registry), name) }
    }

    /// The unit, as [UCUM](https://ucum.org/ucum) writes it: `s`, `By`, `{order}`.
    pub fn with_unit(mut self, unit: &str) -> Self {
        unit.clone_into(&mut self.unit);
        self
    }

    /// What it tells of.
    pub fn with_description(mut self, description: &str) -> Self {
        description.clone_into(&mut self.description);
        self
    }

    /// Tells it from others of the same name.
    pub fn with_attribute<'a>(mut self, key: &str, value: impl Into<AttributeValue<'a>>) -> Self {
        let value = registry::AttributeBytes::new(key, value.into());
        self.attributes.retain(|(known, _)| known != key);
        self.attributes.push((key.to_owned(), value));
        self
    }

    fn cell(self, kind: Kind) -> Option<Cell> {
        let registry = self.registry?;
        registry.cell((kind, self.is_own), &self.name, &self.unit, &self.description, self.attributes)
    }

    /// A counter: what only grows.
    pub fn counter(self) -> Counter {
        Counter(self.cell(Kind::Counter).and_then(Cell::sum))
    }

    /// A counter that goes down as well, such as how long a queue is.
    pub fn up_down_counter(self) -> UpDownCounter {
        UpDownCounter(self.cell(Kind::UpDownCounter).and_then(Cell::sum))
    }

    /// A value that is looked at now and then, such as a temperature.
    pub fn gauge(self) -> Gauge {
        Gauge(self.cell(Kind::Gauge).and_then(Cell::last))
    }

    /// A distribution of values, such as durations: with what the values need, 160 buckets at most, so that a value is
    /// told to a tenth of a percent when all are alike, and to 9 percent at worst when they span a factor of a million.
    pub fn histogram(self) -> Histogram {
        Histogram(self.cell(Kind::Histogram).and_then(Cell::distribution))
    }
}

/// Counts what only grows. It is cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Counter(Option<Arc<Sum>>);

impl Counter {
    /// Counts so many.
    #[inline]
    pub fn add(&self, value: u64) {
        if let Some(sum) = &self.0 {
            sum.add(i64::try_from(value).unwrap_or(i64::MAX));
        }
    }
}

/// Counts what grows and shrinks. It is cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct UpDownCounter(Option<Arc<Sum>>);

impl UpDownCounter {
    /// Counts so many, or so many less.
    #[inline]
    pub fn add(&self, value: i64) {
        if let Some(sum) = &self.0 {
            sum.add(value);
        }
    }
}

/// Tells a value as it is now. It is cheap to clone; the last value counts.
#[derive(Debug, Clone)]
pub struct Gauge(Option<Arc<Last>>);

impl Gauge {
    /// Sets it. What is no number is nothing: until another value is set, none is told.
    #[inline]
    pub fn set(&self, value: f64) {
        if let Some(last) = &self.0 {
            last.set(value);
        }
    }
}

/// Tells how values are distributed. It is cheap to clone; clones count together.
#[derive(Debug, Clone)]
pub struct Histogram(Option<Arc<Distribution>>);

impl Histogram {
    /// Adds a value; what is no number is left out.
    #[inline]
    pub fn record(&self, value: f64) {
        if let Some(values) = &self.0 {
            values.record(value);
        }
    }

    /// Adds a duration in seconds.
    #[inline]
    pub fn record_duration(&self, duration: Duration) {
        self.record(duration.as_secs_f64());
    }
}
