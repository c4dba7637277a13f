//! Quantiles of durations in little memory.

use std::collections::BTreeMap;

use crate::DurationNs;

/// Buckets whose bounds grow by this factor: a quantile is off by at most one per cent of its value.
const GROWTH: f64 = 1.02;

/// Durations counted in buckets of about equal ratio, so that quantiles can be told, and sketches be put together, without
/// the durations: each quantile lies within 1 % of the duration that an exact computation gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DurationSketch {
    /// Durations of 0 and less.
    nothing: u64,
    buckets: BTreeMap<i32, u64>,
}

impl DurationSketch {
    /// Counts a duration.
    pub fn add(&mut self, duration: DurationNs) {
        if duration.nanos() <= 0 {
            self.nothing += 1;
        } else {
            *self.buckets.entry((duration.nanos() as f64).log(GROWTH).ceil() as i32).or_default() += 1;
        }
    }

    /// Adds what another has counted.
    pub fn merge(&mut self, other: &Self) {
        self.nothing += other.nothing;
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.nothing + self.buckets.values().sum::<u64>()
    }

    /// The duration at the rank `ceil(q * count)`, of those in ascending order; `None` when there are none. `q` is between
    /// 0 and 1.
    pub fn quantile(&self, q: f64) -> Option<DurationNs> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = ((q * count as f64).ceil() as u64).clamp(1, count);
        let mut seen = self.nothing;
        if seen >= rank {
            return Some(DurationNs::ZERO);
        }
        for (bucket, count) in &self.buckets {
            seen += count;
            if seen >= rank {
                // Between the bounds, at the same ratio to both.
                let middle = GROWTH.powi(*bucket) * 2.0 / (GROWTH + 1.0);
                return Some(DurationNs::from_nanos(middle.round() as i64));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_a_hundredth_of_exact_ones() {
        let mut state = 7u64;
        let mut exact: Vec<i64> = (0..10_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (1i64 << (state >> 59)) | ((state >> 40) as i64 % 1000)
            })
            .collect();
        let mut halves = [DurationSketch::default(), DurationSketch::default()];
        for (number, nanos) in exact.iter().enumerate() {
            halves[number % 2].add(DurationNs::from_nanos(*nanos));
        }
        let [mut sketch, other] = halves;
        sketch.merge(&other);
        exact.sort_unstable();
        assert_eq!(sketch.count(), 10_000);
        for q in [0.0, 0.001, 0.5, 0.9, 0.99, 1.0] {
            let rank = ((q * 10_000.0_f64).ceil() as usize).max(1);
            let (told, expected) = (sketch.quantile(q).expect("a value").nanos() as f64, exact[rank - 1] as f64);
            assert!((told - expected).abs() <= expected * 0.01 + 0.5, "{q}: {told} for {expected}");
        }
    }

    #[test]
    fn nothing_and_the_longest_have_quantiles() {
        let mut sketch = DurationSketch::default();
        assert_eq!(sketch.quantile(0.5), None);
        for nanos in [-5, 0, i64::MAX] {
            sketch.add(DurationNs::from_nanos(nanos));
        }
        assert_eq!(sketch.quantile(0.5), Some(DurationNs::ZERO));
        assert!(sketch.quantile(1.0).is_some_and(|longest| longest.nanos() > i64::MAX / 100 * 98));
    }
}
