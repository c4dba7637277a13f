//! What is made of the points of a metric.

use glasshouse_model::{DurationNs, TimeRange};

/// What the values of a metric are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// One value: the average.
    Value,
    /// One value: growth per second.
    Rate,
    /// Quantiles, average and rate of observations.
    Distribution,
    /// Average and rate of observations.
    Average,
}

impl Shown {
    pub(crate) fn of(kind: &str, is_monotonic: bool, is_delta: bool) -> Self {
        match kind {
            "HISTOGRAM" | "EXPONENTIAL_HISTOGRAM" => Self::Distribution,
            "SUMMARY" => Self::Average,
            // What changes by so much adds up over time; how much there is was never said.
            "SUM" if is_monotonic || is_delta => Self::Rate,
            _ => Self::Value,
        }
    }
}

/// How the values of several series become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Combine {
    Sum,
    Average,
    Min,
    Max,
}

/// A percentile from 0 to 100.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Percentile(pub(crate) f64);

impl std::str::FromStr for Percentile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim().parse() {
            Ok(number) if (0.0..=100.0).contains(&number) => Ok(Self(number)),
            _ => Err(format!("{text:?} is not a number from 0 to 100")),
        }
    }
}

/// What is made of points.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    pub(crate) combine: Combine,
    pub(crate) percentiles: Vec<Percentile>,
    /// How much time a value stands for.
    pub(crate) step: DurationNs,
    /// What is looked at: growth before it is not counted.
    pub(crate) range: TimeRange,
    /// Whether series are put together: then only steps are told in which all can have points.
    pub(crate) is_together: bool,
}

impl Shape {
    /// What each value is called.
    pub(crate) fn columns(&self, shown: Shown) -> Vec<String> {
        let rest = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        match shown {
            Shown::Value => rest(&["value"]),
            Shown::Rate => rest(&["rate"]),
            Shown::Average => rest(&["average", "rate"]),
            Shown::Distribution => {
                let percentiles = self.percentiles.iter().map(|Percentile(number)| format!("p{number}"));
                percentiles.chain(rest(&["average", "rate"])).collect()
            }
        }
    }
}
