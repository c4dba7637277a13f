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
    pub(crate) value: Option<f64>,
    /// Observations, their sum when it was told, and how they are spread, by upper bound.
    pub(crate) count: i64,
    pub(crate) sum: Option<f64>,
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
#[derive(Debug)]
struct Part {
    /// Values, and how many.
    values: f64,
    points: u32,
    /// Growth, and in how many seconds.
    growth: f64,
    seconds: f64,
    /// Observations, their sum unless it is not known, and how they are spread: by upper bound.
    count: i64,
    sum: Option<f64>,
    spread: Option<BTreeMap<Key, Bucket>>,
}

impl Default for Part {
    fn default() -> Self {
        let spread = Some(BTreeMap::new());
        Self { values: 0.0, points: 0, growth: 0.0, seconds: 0.0, count: 0, sum: Some(0.0), spread }
    }
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

    /// Adds a point; gives how many more buckets are remembered. Points come in order of time.
    pub(crate) fn add(&mut self, point: Point) -> usize {
        let value = point.value.filter(|value| value.is_finite());
        let is_counted = matches!(self.shown, Shown::Distribution | Shown::Average);
        if !is_counted && value.is_none() {
            return 0;
        }
        let part = || point.time.nanos().div_euclid(self.step.nanos());
        if self.shown == Shown::Value {
            let part = self.parts.entry(part()).or_default();
            part.values += value.unwrap_or_default();
            part.points += 1;
            return 0;
        }
        let last = self.last.as_ref();
        // What was sent again adds nothing.
        if last.is_some_and(|last| last.start_time == point.start_time && last.time >= point.time) {
            return 0;
        }
        // What it grew by, and since when.
        let grew = |last: &&Point| last.value <= point.value && last.count <= point.count;
        let before = last.filter(|last| !point.is_delta && last.start_time == point.start_time).filter(grew);
        let since = if point.is_delta { point.start_time.or(last.map(|last| last.time)) } else { None };
        let since = since.or(before.map(|last| last.time)).or(point.start_time);
        // The first of a counter tells of its whole life, most of which may lie elsewhere.
        let is_known = point.is_delta || before.is_some() || since.is_some_and(|since| since >= self.from);
        let mut new = 0;
        if is_known {
            let part = self.parts.entry(part()).or_default();
            let had = before.and_then(|last| last.value).unwrap_or_default();
            part.growth += value.unwrap_or_default() - had;
            part.seconds += since.map_or(0.0, |since| (point.time - since).nanos().max(0) as f64 / 1e9);
            part.count = part.count.saturating_add(point.count.saturating_sub(before.map_or(0, |last| last.count)));
            let had = before.map_or(Some(0.0), |last| last.sum);
            let sum = point.sum.filter(|sum| sum.is_finite());
            part.sum = part.sum.zip(sum.zip(had)).map(|(total, (sum, had))| total + (sum - had));
            let had = before.map_or(&[][..], |last| &last.buckets);
            if !add_difference(&mut part.spread, &point.buckets, had, &mut new) {
                // It tells things apart otherwise than before: how they are spread in this step is not known.
                part.spread = None;
            }
        }
        self.last = Some(point);
        new
    }

    /// How great its values are: what the greatest are chosen by.
    pub(crate) fn weight(&self) -> f64 {
        let of = |part: &Part| match self.shown {
            Shown::Value => part.values.abs() / f64::from(part.points.max(1)),
            Shown::Rate => part.growth.abs(),
            Shown::Distribution | Shown::Average => part.count as f64,
        };
        let all: f64 = self.parts.values().map(of).sum();
        if self.shown == Shown::Value { all / self.parts.len().max(1) as f64 } else { all }
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
        let average = part.sum.and_then(|sum| per(sum, part.count as f64));
        let observed = per(part.count as f64, part.seconds);
        match self.shown {
            Shown::Value => vec![per(part.values, part.points.into())],
            Shown::Rate => vec![per(part.growth, part.seconds)],
            Shown::Average => vec![average, observed],
            Shown::Distribution => {
                let spread = part.spread.as_ref();
                let quantile = |fraction| spread.and_then(|spread| quantile(spread.values(), fraction));
                vec![quantile(0.5), quantile(0.9), quantile(0.99), average, observed]
            }
        }
    }
}

/// Adds what buckets hold more than earlier ones, both in order of their bounds; counts those that are new. Gives whether
/// all that was observed earlier is in buckets of the same bounds.
fn add_difference(
    spread: &mut Option<BTreeMap<Key, Bucket>>,
    buckets: &[Bucket],
    earlier: &[Bucket],
    new: &mut usize,
) -> bool {
    let Some(spread) = spread else { return true };
    let mut earlier = earlier.iter().filter(|bucket| bucket.count > 0).peekable();
    for bucket in buckets {
        let had = match earlier.peek() {
            Some(before) if before.upper < bucket.upper => return false,
            Some(before) if before.upper.total_cmp(&bucket.upper).is_eq() => {
                if before.lower.total_cmp(&bucket.lower).is_ne() || before.count > bucket.count {
                    return false;
                }
                let had = before.count;
                earlier.next();
                had
            }
            _ => 0,
        };
        if bucket.count > had {
            let known = spread.entry(Key(bucket.upper)).or_insert_with(|| {
                *new += 1;
                Bucket { count: 0, ..*bucket }
            });
            known.count = known.count.saturating_add(bucket.count - had);
        }
    }
    earlier.next().is_none()
}

/// The quantile of buckets in order, values being spread evenly in each; where one has no end, its other end.
fn quantile<'a>(buckets: impl Iterator<Item = &'a Bucket> + Clone, fraction: f64) -> Option<f64> {
    let total: f64 = buckets.clone().map(|bucket| bucket.count.max(0) as f64).sum();
    let wanted = fraction * total;
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
/// (OpenTelemetry metrics data model, "`ExponentialHistogram`"), in order of their bounds.
pub(crate) fn exponential_buckets(scale: i32, offset: i32, counts: &[i64], is_negative: bool) -> Vec<Bucket> {
    let bound = |index: i64| (index as f64 * (-f64::from(scale)).exp2()).exp2();
    let mut buckets: Vec<_> = (i64::from(offset)..)
        .zip(counts)
        .filter(|(_, count)| **count > 0)
        .map(|(index, count)| {
            let (near, far) = (bound(index), bound(index + 1));
            let (lower, upper) = if is_negative { (-far, -near) } else { (near, far) };
            Bucket { lower, upper, count: *count }
        })
        .collect();
    if is_negative {
        buckets.reverse();
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn point(seconds: i64, start: Option<i64>, value: impl Into<Option<f64>>) -> Point {
        let at = |seconds: i64| Timestamp::from_nanos(seconds * SECOND);
        Point { time: at(seconds), start_time: start.map(at), value: value.into(), ..Point::default() }
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
            sum: Some(counts.iter().sum::<i64>() as f64 * 2.0),
            buckets: explicit_buckets(&[10.0, 20.0], &counts),
            ..point(seconds, Some(0), None)
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
    fn what_was_sent_again_adds_nothing() {
        let points = vec![point(10, Some(0), 10.0), point(10, Some(0), 10.0), point(20, Some(0), 30.0)];
        check(Shown::Rate, 0, points, &[(10, &[Some(1.0)]), (20, &[Some(2.0)])]);
    }

    #[test]
    fn what_is_not_there_is_not_zero() {
        let points = vec![point(1, None, None), point(2, None, f64::NAN), point(3, None, 5.0)];
        check(Shown::Value, 0, points, &[(0, &[Some(5.0)])]);
        let counted = |seconds, sum| Point { count: seconds, sum, ..point(seconds, Some(0), None) };
        let points = vec![counted(10, None), counted(20, Some(7.0))];
        check(Shown::Average, 0, points, &[(10, &[None, Some(1.0)]), (20, &[None, Some(1.0)])]);
        // Without a start, a delta is of the time since the one before.
        let delta = |seconds, value| Point { is_delta: true, ..point(seconds, None, value) };
        check(Shown::Rate, 0, vec![delta(10, 5.0), delta(20, 30.0)], &[(20, &[Some(3.0)])]);
    }

    #[test]
    fn a_histogram_that_changes_its_bounds_has_no_quantiles_for_once() {
        let scaled = |seconds, scale, offset, counts: &[i64]| Point {
            count: counts.iter().sum(),
            sum: Some(0.0),
            buckets: exponential_buckets(scale, offset, counts, false),
            ..point(seconds, Some(0), None)
        };
        let points = vec![scaled(5, 1, 2, &[1000]), scaled(15, 0, 1, &[1000, 10]), scaled(25, 0, 1, &[1000, 20])];
        let mut series = Series::new(Shown::Distribution, DurationNs::from_secs(10), Timestamp::from_nanos(0));
        for point in points {
            series.add(point);
        }
        let medians: Vec<_> = series.values().iter().map(|values| values.values[0]).collect();
        assert_eq!(medians[1..], [None, Some(6.0)]);
        assert_eq!(series.values()[1].values[4], Some(1.0), "how many there were is known");
    }

    #[test]
    fn counts_beyond_all_bounds_do_not_overflow() {
        let huge = |seconds| Point {
            count: i64::MAX,
            sum: Some(f64::MAX),
            is_delta: true,
            buckets: explicit_buckets(&[1.0], &[i64::MAX, i64::MAX]),
            ..point(seconds, Some(0), None)
        };
        let mut series = Series::new(Shown::Distribution, DurationNs::from_secs(10), Timestamp::from_nanos(0));
        for point in [huge(1), huge(2), huge(3)] {
            series.add(point);
        }
        assert_eq!(series.values().len(), 1);
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
