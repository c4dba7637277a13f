//! Buckets of histograms: where they lie, what they gained, and what lies at a quantile.

use std::collections::BTreeMap;

/// A bucket of a histogram: observations above `lower`, up to `upper`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
    pub(crate) count: i64,
}

/// How observations are spread, by upper bound.
pub(crate) type Spread = BTreeMap<Key, Bucket>;

/// A bound in order of size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Key(f64);

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

/// Adds what buckets hold more than earlier ones, both in order of their bounds; counts those that are new. Gives whether
/// all that was observed earlier is in buckets of the same bounds.
pub(crate) fn add_difference(
    spread: &mut Option<Spread>,
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
pub(crate) fn quantile<'a>(buckets: impl Iterator<Item = &'a Bucket> + Clone, fraction: f64) -> Option<f64> {
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
