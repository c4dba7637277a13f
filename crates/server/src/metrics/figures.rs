//! Points of metrics become values over time, which are few however many points there are.
//!
//! A gauge is averaged, a counter becomes a rate per second, a histogram becomes rate, average and quantiles. What is
//! cumulative is told apart by the start of its interval: a counter that begins again does not jump back. Several
//! series are put together step by step, each counting once in a step however often it was sent.

use std::collections::BTreeMap;

use glasshouse_model::Timestamp;

use super::buckets::{Bucket, Spread, add_difference, quantile};
use super::shape::{Combine, Percentile, Shape, Shown};

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

/// Values at a moment, in the order of [`Shape::columns`]; `None` where there is none.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Values {
    pub(crate) time: Timestamp,
    pub(crate) values: Vec<Option<f64>>,
}

/// A series while its points come: those of one process, scope and set of attributes.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    last: Option<Point>,
    step: i64,
    current: Step,
}

/// What the points of a series came to in a step.
#[derive(Debug, Default)]
struct Step {
    /// Values, and how many.
    values: f64,
    points: u32,
    /// Growth, of the value and of the number of observations, and in how many seconds.
    growth: f64,
    observed: i64,
    seconds: f64,
    is_delta: bool,
}

impl Tracker {
    /// Adds a point to its group; gives how many buckets more are remembered. Points come in order of time.
    pub(crate) fn add(&mut self, point: Point, shown: Shown, shape: &Shape, group: &mut Group) -> isize {
        let value = point.value.filter(|value| value.is_finite());
        let is_counted = matches!(shown, Shown::Distribution | Shown::Average);
        if !is_counted && value.is_none() {
            return 0;
        }
        let step = point.time.nanos().div_euclid(shape.step.nanos());
        if step != self.step {
            self.finish(shown, shape, group);
            self.step = step;
        }
        if shown == Shown::Value {
            self.current.values += value.unwrap_or_default();
            self.current.points += 1;
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
        // The first of a counter tells of its whole life, most of which may lie elsewhere: unknown starts are sent as the
        // time of the point.
        let is_known = point.is_delta
            || before.is_some()
            || since.is_some_and(|since| since >= shape.range.from && since < point.time);
        let mut buckets = point.buckets.len() as isize - last.map_or(0, |last| last.buckets.len()) as isize;
        if is_known {
            let had = before.and_then(|last| last.value).unwrap_or_default();
            let observed = point.count.saturating_sub(before.map_or(0, |last| last.count));
            self.current.growth += value.unwrap_or_default() - had;
            self.current.seconds += since.map_or(0.0, |since| (point.time - since).nanos().max(0) as f64 / 1e9);
            self.current.observed = self.current.observed.saturating_add(observed);
            self.current.is_delta |= point.is_delta;
            if is_counted {
                buckets += group.part(step).observe(&point, before, observed);
            }
        }
        self.last = Some(point);
        buckets
    }

    /// Adds what the present step came to; no point of it may follow.
    pub(crate) fn finish(&mut self, shown: Shown, shape: &Shape, group: &mut Group) {
        let Step { values, points, growth, observed, seconds, is_delta } = std::mem::take(&mut self.current);
        // Deltas are left out where nothing changed: that is part of the time too, when others fill it.
        let whole_step = if is_delta && shape.is_together { shape.step.nanos() as f64 / 1e9 } else { 0.0 };
        let seconds = if seconds > 0.0 { seconds.max(whole_step) } else { seconds };
        let value = match shown {
            Shown::Value => per(values, points.into()),
            Shown::Rate => per(growth, seconds),
            Shown::Distribution | Shown::Average => per(observed as f64, seconds),
        };
        if let Some(value) = value {
            group.part(self.step).add(value, growth);
        }
    }
}

fn per(amount: f64, by: f64) -> Option<f64> {
    Some(amount / by).filter(|value| by > 0.0 && value.is_finite())
}

/// Series that are put together.
#[derive(Debug, Default)]
pub(crate) struct Group {
    parts: BTreeMap<i64, Part>,
}

/// What the series of a group came to in a step.
#[derive(Debug)]
struct Part {
    /// Of the series' values: sum, number, growth where they grow, least and greatest.
    total: f64,
    series: u32,
    growth: f64,
    least: f64,
    most: f64,
    /// Observations, their sum unless it is not known, and how they are spread unless that is not known.
    count: i64,
    sum: Option<f64>,
    spread: Option<Spread>,
}

impl Part {
    fn new() -> Self {
        let (least, most) = (f64::INFINITY, f64::NEG_INFINITY);
        Self { total: 0.0, series: 0, growth: 0.0, least, most, count: 0, sum: Some(0.0), spread: Some(Spread::new()) }
    }

    fn add(&mut self, value: f64, growth: f64) {
        self.total += value;
        self.growth += growth;
        self.series += 1;
        self.least = self.least.min(value);
        self.most = self.most.max(value);
    }

    /// Adds what was observed since the point before; gives how many buckets more are remembered.
    fn observe(&mut self, point: &Point, before: Option<&Point>, observed: i64) -> isize {
        self.count = self.count.saturating_add(observed);
        let had = before.map_or(Some(0.0), |last| last.sum);
        let sum = point.sum.filter(|sum| sum.is_finite());
        self.sum = self.sum.zip(sum.zip(had)).map(|(total, (sum, had))| total + (sum - had));
        let had = before.map_or(&[][..], |last| &last.buckets);
        let mut new = 0;
        if !add_difference(&mut self.spread, &point.buckets, had, &mut new) {
            // It tells things apart otherwise than before: how they are spread in this step is not known.
            self.spread = None;
        }
        new as isize
    }

    fn combined(&self, combine: Combine) -> Option<f64> {
        let value = match combine {
            Combine::Sum => self.total,
            Combine::Average => self.total / f64::from(self.series),
            Combine::Min => self.least,
            Combine::Max => self.most,
        };
        (self.series > 0 && value.is_finite()).then_some(value)
    }

    fn values(&self, shown: Shown, shape: &Shape) -> Vec<Option<f64>> {
        if matches!(shown, Shown::Value | Shown::Rate) {
            return vec![self.combined(shape.combine)];
        }
        let spread = self.spread.as_ref();
        let percentile = |&Percentile(number): &Percentile| spread.and_then(|spread| quantile(spread, number / 100.0));
        let percentiles = shape.percentiles.iter().filter(|_| shown == Shown::Distribution).map(percentile);
        let average = self.sum.and_then(|sum| per(sum, self.count as f64));
        percentiles.chain([average, self.combined(Combine::Sum)]).collect()
    }
}

impl Group {
    fn part(&mut self, step: i64) -> &mut Part {
        self.parts.entry(step).or_insert_with(Part::new)
    }

    /// How many steps it has values in.
    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    /// How great its values are: what the greatest are chosen by.
    pub(crate) fn weight(&self, shown: Shown, shape: &Shape) -> f64 {
        let of = |part: &Part| match shown {
            Shown::Value => part.combined(shape.combine).unwrap_or_default().abs(),
            Shown::Rate => part.growth.abs(),
            Shown::Distribution | Shown::Average => part.count as f64,
        };
        let all: f64 = self.parts.values().map(of).sum();
        if shown == Shown::Value { all / self.parts.len().max(1) as f64 } else { all }
    }

    /// Whether a step lies within what is looked at from end to end.
    fn is_whole(number: i64, shape: &Shape) -> bool {
        let begin = Timestamp::from_nanos(number.saturating_mul(shape.step.nanos()));
        begin >= shape.range.from && begin + shape.step <= shape.range.to
    }

    /// Whether it has a value of a step that is whole.
    pub(crate) fn has_whole_steps(&self, shape: &Shape) -> bool {
        self.parts.keys().any(|&number| Self::is_whole(number, shape))
    }

    /// The values, earliest first, each at the middle of its step; those of all steps, or of whole ones.
    pub(crate) fn values(&self, shown: Shown, shape: &Shape, only_whole: bool) -> Vec<Values> {
        let step = shape.step.nanos();
        let at = |number: i64| Timestamp::from_nanos(number.saturating_mul(step).saturating_add(step / 2));
        let parts = self.parts.iter().filter(|&(&number, _)| !only_whole || Self::is_whole(number, shape));
        let values = parts.map(|(&number, part)| Values { time: at(number), values: part.values(shown, shape) });
        values.filter(|values| values.values.iter().any(Option::is_some)).collect()
    }
}

#[cfg(test)]
mod tests {
    use glasshouse_model::{DurationNs, TimeRange};

    use super::*;
    use crate::metrics::buckets::{explicit_buckets, exponential_buckets};

    const SECOND: i64 = 1_000_000_000;

    fn point(seconds: i64, start: Option<i64>, value: impl Into<Option<f64>>) -> Point {
        let at = |seconds: i64| Timestamp::from_nanos(seconds * SECOND);
        Point { time: at(seconds), start_time: start.map(at), value: value.into(), ..Point::default() }
    }

    /// The values of series put together, with steps of ten seconds. Points of all come in order of time.
    fn together(shown: Shown, combine: Combine, from: i64, series: Vec<Vec<Point>>) -> Vec<Values> {
        let percentiles = [50.0, 90.0, 99.0].map(Percentile).into();
        let from = Timestamp::from_nanos(from.saturating_mul(SECOND));
        let range = TimeRange { from, to: Timestamp::MAX };
        let shape =
            Shape { combine, percentiles, step: DurationNs::from_secs(10), range, is_together: series.len() > 1 };
        let mut group = Group::default();
        let mut trackers: Vec<Tracker> = series.iter().map(|_| Tracker::default()).collect();
        let numbered = series.into_iter().enumerate();
        let mut points: Vec<_> =
            numbered.flat_map(|(at, points)| points.into_iter().map(move |point| (at, point))).collect();
        points.sort_by_key(|(_, point)| point.time);
        for (at, point) in points {
            trackers[at].add(point, shown, &shape, &mut group);
        }
        for tracker in &mut trackers {
            tracker.finish(shown, &shape, &mut group);
        }
        group.values(shown, &shape, false)
    }

    #[test]
    fn series_are_put_together_each_once_a_step() {
        let gauge =
            |points: &[(i64, f64)]| points.iter().map(|(at, value)| point(*at, None, *value)).collect::<Vec<_>>();
        let of = |combine| {
            let series =
                vec![gauge(&[(1, 10.0), (3, 20.0), (12, 8.0)]), gauge(&[(2, 5.0), (18, 2.0)]), gauge(&[(19, -1.0)])];
            let values = together(Shown::Value, combine, 0, series);
            values.into_iter().map(|values| values.values[0].unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(of(Combine::Sum), [20.0, 9.0]);
        assert_eq!(of(Combine::Average), [10.0, 3.0]);
        assert_eq!(of(Combine::Min), [5.0, -1.0]);
        assert_eq!(of(Combine::Max), [15.0, 8.0]);
        let counter = |each: f64| (0..5).map(|at| point(at * 5, Some(0), at as f64 * each)).collect::<Vec<_>>();
        let rates = together(Shown::Rate, Combine::Sum, 0, vec![counter(10.0), counter(40.0)]);
        assert_eq!(rates.iter().map(|values| values.values[0]).collect::<Vec<_>>(), [Some(10.0); 3]);
    }

    #[test]
    fn a_counter_of_unknown_start_is_not_its_whole_life() {
        let points = vec![point(60, Some(60), 1e9), point(65, Some(60), 1e9 + 50.0)];
        check(Shown::Rate, 0, points, &[(60, &[Some(10.0)])]);
    }

    #[test]
    fn deltas_that_leave_out_quiet_times_do_not_add_up_to_more_than_there_was() {
        let delta = |at| Point { is_delta: true, ..point(at + 1, Some(at), 100.0) };
        let series = (0..10).map(|at| vec![delta(at)]).collect();
        let values = together(Shown::Rate, Combine::Sum, 0, series);
        let rates: Vec<_> = values.iter().map(|values| values.values[0]).collect();
        // The last ends where the next step begins.
        assert_eq!(rates, [Some(90.0), Some(10.0)]);
    }

    #[test]
    fn steps_that_are_cut_off_are_not_told_when_series_are_put_together() {
        let range = TimeRange { from: Timestamp::from_nanos(5 * SECOND), to: Timestamp::from_nanos(35 * SECOND) };
        let step = DurationNs::from_secs(10);
        let shape = Shape { combine: Combine::Sum, percentiles: Vec::new(), step, range, is_together: true };
        let (mut group, mut tracker) = (Group::default(), Tracker::default());
        for at in [7, 12, 22, 32] {
            tracker.add(point(at, None, 1.0), Shown::Value, &shape, &mut group);
        }
        tracker.finish(Shown::Value, &shape, &mut group);
        assert!(group.has_whole_steps(&shape));
        let times: Vec<_> = group.values(Shown::Value, &shape, true).iter().map(|v| v.time.nanos() / SECOND).collect();
        assert_eq!(times, [15, 25]);
    }

    #[test]
    fn counters_that_grew_most_are_the_greatest() {
        let weight = |points: Vec<Point>| {
            let range = TimeRange { from: Timestamp::MIN, to: Timestamp::MAX };
            let step = DurationNs::from_secs(10);
            let shape = Shape { combine: Combine::Sum, percentiles: Vec::new(), step, range, is_together: false };
            let (mut group, mut tracker) = (Group::default(), Tracker::default());
            for point in points {
                tracker.add(point, Shown::Rate, &shape, &mut group);
            }
            tracker.finish(Shown::Rate, &shape, &mut group);
            group.weight(Shown::Rate, &shape)
        };
        let often = (1..7).map(|at| point(at * 10, Some(0), at as f64 * 10.0)).collect();
        assert!(weight(vec![point(60, Some(0), 300.0)]) > weight(often));
    }

    #[test]
    fn observations_of_histograms_are_put_together() {
        let cumulative = |seconds, counts: [i64; 3]| Point {
            count: counts.iter().sum(),
            sum: Some(0.0),
            buckets: explicit_buckets(&[10.0, 20.0], &counts),
            ..point(seconds, Some(0), None)
        };
        let series = vec![vec![cumulative(5, [90, 0, 0])], vec![cumulative(5, [0, 10, 0])]];
        let values = together(Shown::Distribution, Combine::Max, 0, series);
        let expected = [Some(50.0 / 9.0), Some(10.0), Some(19.0), Some(0.0), Some(20.0)];
        assert_eq!(values[0].values, expected);
    }

    /// The values of a series with steps of ten seconds, by the second where their step begins.
    fn check(shown: Shown, from: i64, points: Vec<Point>, expected: &[(i64, &[Option<f64>])]) {
        let values = together(shown, Combine::Sum, from, vec![points]);
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
        let values = together(Shown::Distribution, Combine::Sum, 0, vec![points]);
        let medians: Vec<_> = values.iter().map(|values| values.values[0]).collect();
        assert_eq!(medians[1..], [None, Some(6.0)]);
        assert_eq!(values[1].values[4], Some(1.0), "how many there were is known");
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
        let points = vec![huge(1), huge(2), huge(3)];
        assert_eq!(together(Shown::Distribution, Combine::Sum, 0, vec![points]).len(), 1);
    }
}
