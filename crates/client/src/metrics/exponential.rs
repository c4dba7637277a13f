//! Histograms whose buckets grow by a factor, so that any range of values is told with the same relative error
//! ([data model](https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram)).

/// Buckets of each sign; when values need more, two and two become one.
const MOST: usize = 160;
/// Where it begins: buckets that grow by less than a thousandth.
const FINEST: i32 = 10;

/// A histogram.
#[derive(Debug, Clone)]
pub(super) struct Exponential {
    pub count: u64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    pub zeros: u64,
    /// A bucket ends at 2^(2^-scale) times where it begins.
    pub scale: i32,
    pub positive: Buckets,
    pub negative: Buckets,
}

/// Buckets that follow each other.
#[derive(Debug, Clone, Default)]
pub(super) struct Buckets {
    /// Number of the first: that of number 0 begins above 1.
    pub first: i32,
    pub counts: Vec<u64>,
}

impl Default for Exponential {
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            zeros: 0,
            scale: FINEST,
            positive: Buckets::default(),
            negative: Buckets::default(),
        }
    }
}

impl Exponential {
    /// Values that are no number are left out.
    pub fn record(&mut self, value: f64) {
        if !value.is_finite() {
            return;
        }
        self.count += 1;
        self.sum += value;
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        if value == 0.0 {
            self.zeros += 1;
            return;
        }
        let bucket = bucket(value.abs(), self.scale);
        let buckets = if value > 0.0 { &mut self.positive } else { &mut self.negative };
        let coarser = buckets.coarser_for(bucket, bucket);
        if coarser > 0 {
            self.coarsen(coarser);
        }
        let buckets = if value > 0.0 { &mut self.positive } else { &mut self.negative };
        *buckets.count_mut(bucket >> coarser) += 1;
    }

    /// Adds what another one has.
    pub fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.zeros += other.zeros;
        let mut other = other.clone();
        let scale = self.scale.min(other.scale);
        self.coarsen((self.scale - scale) as u32);
        other.coarsen((other.scale - scale) as u32);
        let coarser = |mine: &Buckets, other: &Buckets| match other.last() {
            Some(last) => mine.coarser_for(other.first, last),
            None => 0,
        };
        let coarser = coarser(&self.positive, &other.positive).max(coarser(&self.negative, &other.negative));
        self.coarsen(coarser);
        other.coarsen(coarser);
        self.positive.add(&other.positive);
        self.negative.add(&other.negative);
    }

    /// Halves how fine it is, so often.
    fn coarsen(&mut self, times: u32) {
        if times > 0 {
            self.scale -= times as i32;
            self.positive.coarsen(times);
            self.negative.coarsen(times);
        }
    }
}

impl Buckets {
    fn last(&self) -> Option<i32> {
        (!self.counts.is_empty()).then(|| self.first + self.counts.len() as i32 - 1)
    }

    /// How often it must become half as fine to hold these buckets as well.
    fn coarser_for(&self, first: i32, last: i32) -> u32 {
        let mut first = if self.counts.is_empty() { first } else { first.min(self.first) };
        let mut last = self.last().map_or(last, |known| last.max(known));
        let mut times = 0;
        while last - first >= MOST as i32 {
            first >>= 1;
            last >>= 1;
            times += 1;
        }
        times
    }

    fn coarsen(&mut self, times: u32) {
        let old = std::mem::take(self);
        for (number, count) in (old.first..).zip(old.counts) {
            if count > 0 {
                *self.count_mut(number >> times) += count;
            }
        }
    }

    fn add(&mut self, other: &Self) {
        for (number, count) in (other.first..).zip(&other.counts) {
            if *count > 0 {
                *self.count_mut(number) += count;
            }
        }
    }

    fn count_mut(&mut self, number: i32) -> &mut u64 {
        if self.counts.is_empty() {
            self.first = number;
        }
        if number < self.first {
            let more = (self.first - number) as usize;
            self.counts.splice(0..0, std::iter::repeat_n(0, more));
            self.first = number;
        }
        let at = (number - self.first) as usize;
        if at >= self.counts.len() {
            self.counts.resize(at + 1, 0);
        }
        &mut self.counts[at]
    }
}

/// The bucket of a value above 0: those of number n are above base^n, up to base^(n + 1), where base is 2^(2^-scale).
fn bucket(value: f64, scale: i32) -> i32 {
    let number = value.log2() * f64::from(scale).exp2();
    // What is a bound belongs below it.
    number.ceil() as i32 - 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(values: &[f64]) -> Exponential {
        let mut histogram = Exponential::default();
        for value in values {
            histogram.record(*value);
        }
        histogram
    }

    /// Where a bucket ends.
    fn end(number: i32, scale: i32) -> f64 {
        (f64::from(number + 1) / f64::from(scale).exp2()).exp2()
    }

    fn check(histogram: &Exponential, values: &[f64]) {
        assert_eq!(histogram.count, values.len() as u64);
        assert_eq!(histogram.zeros, values.iter().filter(|value| **value == 0.0).count() as u64);
        for (buckets, sign) in [(&histogram.positive, 1.0), (&histogram.negative, -1.0)] {
            assert!(buckets.counts.len() <= MOST);
            let mut sorted: Vec<f64> = values.iter().map(|value| value * sign).filter(|value| *value > 0.0).collect();
            sorted.sort_by(f64::total_cmp);
            assert_eq!(buckets.counts.iter().sum::<u64>(), sorted.len() as u64);
            let mut below = 0;
            for (number, count) in (buckets.first..).zip(&buckets.counts) {
                below += *count as usize;
                let end = end(number, histogram.scale);
                // The logarithm of a bound may be told a little wrong.
                assert!(below == 0 || sorted[below - 1] <= end * 1.000_001, "{} {end}", sorted[below - 1]);
                assert!(below == sorted.len() || sorted[below] >= end * 0.999_999, "{} {end}", sorted[below]);
            }
        }
    }

    proptest! {
        #[test]
        fn every_value_is_in_its_bucket(values in prop::collection::vec(
            prop_oneof![Just(0.0), -1e3..1e6, 1e-9..1e-3, Just(f64::MAX), Just(f64::MIN_POSITIVE), Just(5e-324), Just(1.0)], 0..300,
        ), split in 0_usize..300) {
            let histogram = of(&values);
            check(&histogram, &values);
            let (one, other) = values.split_at(split.min(values.len()));
            let mut sum = of(one);
            sum.add(&of(other));
            check(&sum, &values);
            prop_assert_eq!(sum.scale, histogram.scale);
            prop_assert_eq!((sum.min, sum.max), (histogram.min, histogram.max));
        }
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        assert_eq!(of(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY]).count, 0);
    }
}
