//! Points of a metric become values over time, which are few however many points there are.
//!
//! A gauge is averaged, a counter becomes a rate per second, a histogram becomes rate, average and quantiles. What is
//! cumulative is told apart by the start of its interval: a counter that begins again does not jump back.

use std::collections::BTreeMap;

use glasshouse_model::{DurationNs, Timestamp};

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

    /// What each value is called.
    pub(crate) fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Value => &["value"],
            Self::Rate => &["rate"],
            Self::Distribution => &["p50", "p90", "p99", "average", "rate"],
            Self::Average => &["average", "rate"],
        }
    }
}

/// A bucket of a histogram: observations above `lower`, up to `upper`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
    pub(crate) count: i64,
}

/// A point as it was sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Point {
    pub(crate) time: Timestamp,
    pub(crate) start_time: Option<Timestamp>,
    pub(crate) is_delta: bool,
    pub(crate) value: f64,
    /// Observations, their sum, and how they are spread.
    pub(crate) count: i64,
    pub(crate) sum: f64,
    pub(crate) buckets: Vec<Bucket>,
}

/// Values at a moment, in the order of [`Shown::columns`]; `None` where there is none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Values {
    pub(crate) time: Timestamp,
    pub(crate) values: Vec<Option<f64>>,
}

/// The points of one process and one set of attributes.
#[derive(Debug)]
pub(crate) struct Series {
    shown: Shown,
    step: DurationNs,
    /// Where what is looked at begins: growth before it is not counted.
    from: Timestamp,
    last: Option<Point>,
    parts: BTreeMap<i64, Part>,
}

/// What the points of a step came to.
#[derive(Debug, Default)]
struct Part {
    /// Values, and how many.
    values: f64,
    points: u32,
    /// Growth, and in how many seconds.
    growth: f64,
    seconds: f64,
    /// Observations, their sum, and how they are spread: by upper bound.
    count: i64,
    sum: f64,
    spread: BTreeMap<Key, Bucket>,
}

/// A bound in order of size.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Key(f64);

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Series {
    pub(crate) fn new(shown: Shown, step: DurationNs, from: Timestamp) -> Self {
        Self { shown, step, from, last: None, parts: BTreeMap::new() }
    }

    /// Adds a point. They come in order of time.
    pub(crate) fn add(&mut self, point: Point) {
        let part = self.parts.entry(point.time.nanos().div_euclid(self.step.nanos())).or_default();
        if self.shown == Shown::Value {
            part.values += point.value;
            part.points += 1;
            return;
        }
        // What it grew by, and since when.
        let before = self.last.as_ref().filter(|last| last.start_time == point.start_time && last.time < point.time);
        let before = before.filter(|last| last.value <= point.value && last.count <= point.count);
        let since = if point.is_delta { point.start_time } else { before.map(|last| last.time).or(point.start_time) };
        let before = before.filter(|_| !point.is_delta);
        // The first of a counter tells of its whole life, most of which may lie elsewhere.
        let is_known = point.is_delta || before.is_some() || since.is_some_and(|since| since >= self.from);
        if is_known {
            part.growth += point.value - before.map_or(0.0, |last| last.value);
            part.seconds += since.map_or(0.0, |since| (point.time - since).nanos().max(0) as f64 / 1e9);
            part.count += point.count - before.map_or(0, |last| last.count);
            part.sum += point.sum - before.map_or(0.0, |last| last.sum);
            for bucket in &point.buckets {
                let same = |last: &&Bucket| last.upper.total_cmp(&bucket.upper).is_eq();
                let had = before.and_then(|last| last.buckets.iter().find(same)).map_or(0, |last| last.count);
                let known = part.spread.entry(Key(bucket.upper)).or_insert(Bucket { count: 0, ..*bucket });
                known.count += bucket.count - had;
            }
        }
        self.last = Some(point);
    }

    /// How much there is of it: what the most interesting are chosen by.
    pub(crate) fn weight(&self) -> f64 {
        let of = |part: &Part| part.values.abs() + part.growth.abs() + part.count as f64;
        self.parts.values().map(of).sum()
    }

    /// The values, earliest first, each at the middle of its step.
    pub(crate) fn values(&self) -> Vec<Values> {
        let half = self.step.nanos() / 2;
        let at = |number: i64| Timestamp::from_nanos(number.saturating_mul(self.step.nanos()).saturating_add(half));
        let parts = self.parts.iter().map(|(number, part)| Values { time: at(*number), values: self.of(part) });
        parts.filter(|values| values.values.iter().any(Option::is_some)).collect()
    }

    fn of(&self, part: &Part) -> Vec<Option<f64>> {
        let per = |amount: f64, by: f64| Some(amount / by).filter(|value| by > 0.0 && value.is_finite());
        let average = per(part.sum, part.count as f64);
        let observed = per(part.count as f64, part.seconds);
        match self.shown {
            Shown::Value => vec![per(part.values, part.points.into())],
            Shown::Rate => vec![per(part.growth, part.seconds)],
            Shown::Average => vec![average, observed],
            Shown::Distribution => {
                let quantile = |fraction| quantile(part.spread.values(), fraction);
                vec![quantile(0.5), quantile(0.9), quantile(0.99), average, observed]
            }
        }
    }
}

/// The quantile of buckets in order, values being spread evenly in each; where one has no end, its other end.
fn quantile<'a>(buckets: impl Iterator<Item = &'a Bucket> + Clone, fraction: f64) -> Option<f64> {
    let total: i64 = buckets.clone().map(|bucket| bucket.count.max(0)).sum();
    let wanted = fraction * total as f64;
    let mut below = 0.0;
    for bucket in buckets.filter(|bucket| bucket.count > 0) {
        let count = bucket.count as f64;
        if below + count >= wanted {
            let Bucket { lower, upper, .. } = *bucket;
            return Some(match (lower.is_finite(), upper.is_finite()) {
                (true, true) => lower + (upper - lower) * ((wanted - below) / count),
                (false, true) => upper,
                (true, false) => lower,
                (false, false) => return None,
            });
        }
        below += count;
    }
    None
}

/// Buckets of a histogram with explicit bounds. The first begins at 0 when its bound is positive.
pub(crate) fn explicit_buckets(bounds: &[f64], counts: &[i64]) -> Vec<Bucket> {
    let upper = bounds.iter().copied().chain([f64::INFINITY]);
    let first = if bounds.first().is_some_and(|bound| *bound > 0.0) { 0.0 } else { f64::NEG_INFINITY };
    let lower = [first].into_iter().chain(bounds.iter().copied());
    lower.zip(upper).zip(counts).map(|((lower, upper), count)| Bucket { lower, upper, count: *count }).collect()
}

/// Buckets of an exponential histogram on one side of zero: those of index `offset`, `offset + 1`, …
/// (OpenTelemetry metrics data model, "`ExponentialHistogram`").
pub(crate) fn exponential_buckets(scale: i32, offset: i32, counts: &[i64], is_negative: bool) -> Vec<Bucket> {
    let bound = |index: i64| (index as f64 * (-f64::from(scale)).exp2()).exp2();
    let buckets = (i64::from(offset)..).zip(counts).filter(|(_, count)| **count > 0).map(|(index, count)| {
        let (near, far) = (bound(index), bound(index + 1));
        let (lower, upper) = if is_negative { (-far, -near) } else { (near, far) };
        Bucket { lower, upper, count: *count }
    });
    buckets.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn point(seconds: i64, start: Option<i64>, value: f64) -> Point {
        let at = |seconds: i64| Timestamp::from_nanos(seconds * SECOND);
        Point { time: at(seconds), start_time: start.map(at), value, ..Point::default() }
    }

    /// The values of a series with steps of ten seconds, by the second where their step begins.
    fn check(shown: Shown, from: i64, points: Vec<Point>, expected: &[(i64, &[Option<f64>])]) {
        let mut series =
            Series::new(shown, DurationNs::from_secs(10), Timestamp::from_nanos(from.saturating_mul(SECOND)));
        for point in points {
            series.add(point);
        }
        let values = series.values();
        let values: Vec<_> = values.iter().map(|v| (v.time.nanos() / SECOND - 5, v.values.as_slice())).collect();
        assert_eq!(values, expected);
    }

    #[test]
    fn gauges_are_averaged_and_gaps_stay() {
        let points = vec![point(1, None, 2.0), point(3, None, 4.0), point(31, None, -1.0)];
        check(Shown::Value, 0, points, &[(0, &[Some(3.0)]), (30, &[Some(-1.0)])]);
    }

    #[test]
    fn counters_become_rates_over_the_time_they_took() {
        // Sent each minute, though a step is ten seconds.
        let points = vec![point(60, Some(0), 600.0), point(120, Some(0), 1_200.0), point(180, Some(0), 1_200.0)];
        check(Shown::Rate, 0, points, &[(60, &[Some(10.0)]), (120, &[Some(10.0)]), (180, &[Some(0.0)])]);
    }

    #[test]
    fn a_counter_that_began_before_or_begins_again_does_not_jump() {
        let points = vec![point(60, Some(0), 1e9), point(70, Some(0), 1e9 + 50.0), point(90, Some(80), 20.0)];
        check(Shown::Rate, 50, points, &[(70, &[Some(5.0)]), (90, &[Some(2.0)])]);
        // One that does not say that it began again.
        let points = vec![point(60, None, 100.0), point(70, None, 40.0), point(80, None, 50.0)];
        check(Shown::Rate, 50, points, &[(80, &[Some(1.0)])]);
    }

    #[test]
    fn deltas_add_up() {
        let delta = |seconds, start, value| Point { is_delta: true, ..point(seconds, Some(start), value) };
        let points = vec![delta(5, 0, 10.0), delta(9, 5, 8.0), delta(15, 9, 12.0)];
        check(Shown::Rate, 0, points, &[(0, &[Some(2.0)]), (10, &[Some(2.0)])]);
    }

    #[test]
    fn histograms_become_quantiles_of_what_was_observed_in_a_step() {
        let cumulative = |seconds, counts: [i64; 3]| Point {
            count: counts.iter().sum(),
            sum: counts.iter().sum::<i64>() as f64 * 2.0,
            buckets: explicit_buckets(&[10.0, 20.0], &counts),
            ..point(seconds, Some(0), 0.0)
        };
        let points = vec![cumulative(5, [100, 0, 0]), cumulative(15, [100, 10, 0]), cumulative(25, [100, 10, 4])];
        let expected: &[(i64, &[Option<f64>])] = &[
            (0, &[Some(5.0), Some(9.0), Some(9.9), Some(2.0), Some(20.0)]),
            (10, &[Some(15.0), Some(19.0), Some(19.9), Some(2.0), Some(1.0)]),
            (20, &[Some(20.0), Some(20.0), Some(20.0), Some(2.0), Some(0.4)]),
        ];
        check(Shown::Distribution, 0, points, expected);
    }

    #[test]
    fn exponential_buckets_are_where_the_data_model_says() {
        // Scale 0: powers of two.
        let bucket = |lower, upper, count| Bucket { lower, upper, count };
        assert_eq!(exponential_buckets(0, 1, &[3, 0, 1], false), [bucket(2.0, 4.0, 3), bucket(8.0, 16.0, 1)]);
        assert_eq!(exponential_buckets(0, -1, &[2], true), [bucket(-1.0, -0.5, 2)]);
        let fine = exponential_buckets(1, 2, &[1], false);
        assert!((fine[0].lower - 2.0).abs() < 1e-12 && (fine[0].upper - 8.0_f64.sqrt()).abs() < 1e-12);
    }
}
