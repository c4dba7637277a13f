//! Buckets of histograms: where they lie, what they gained, and what lies at a quantile.

use std::collections::BTreeMap;

/// A bucket of a histogram: observations above `lower`, up to `upper`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) lower: f64,
    pub(crate) upper: f64,
    pub(crate) count: i64,
}

/// How observations are spread. Buckets of several series may overlap.
pub(crate) type Spread = BTreeMap<Key, Bucket>;

/// Upper and lower bound, in order of size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Key {
    upper: f64,
    lower: f64,
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.upper.total_cmp(&other.upper).then_with(|| self.lower.total_cmp(&other.lower))
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
            let known = spread.entry(Key { upper: bucket.upper, lower: bucket.lower }).or_insert_with(|| {
                *new += 1;
                Bucket { count: 0, ..*bucket }
            });
            known.count = known.count.saturating_add(bucket.count - had);
        }
    }
    earlier.next().is_none()
}

/// The quantile of buckets, which may overlap: values are spread evenly in each; where one has no end, they are at its
/// other end.
pub(crate) fn quantile(spread: &Spread, fraction: f64) -> Option<f64> {
    /// Where the density of values changes, and values that are all at one place.
    struct Edge {
        at: f64,
        density: f64,
        values: f64,
    }
    let mut edges = Vec::with_capacity(2 * spread.len());
    let mut total = 0.0;
    for bucket in spread.values().filter(|bucket| bucket.count > 0) {
        let count = bucket.count as f64;
        let Bucket { lower, upper, .. } = *bucket;
        total += count;
        match (lower.is_finite(), upper.is_finite()) {
            (true, true) if lower < upper => {
                let density = count / (upper - lower);
                edges.push(Edge { at: lower, density, values: 0.0 });
                edges.push(Edge { at: upper, density: -density, values: 0.0 });
            }
            (_, true) => edges.push(Edge { at: upper, density: 0.0, values: count }),
            (true, false) => edges.push(Edge { at: lower, density: 0.0, values: count }),
            (false, false) => return None,
        }
    }
    edges.sort_by(|a, b| a.at.total_cmp(&b.at));
    let wanted = fraction * total;
    let (mut at, mut density, mut below) = (0.0, 0.0, 0.0);
    for edge in &edges {
        let between = density * (edge.at - at);
        if density > 0.0 && below + between >= wanted {
            return Some((at + (wanted - below) / density).min(edge.at));
        }
        below += between;
        if edge.values > 0.0 && below + edge.values >= wanted {
            return Some(edge.at);
        }
        below += edge.values;
        density += edge.density;
        at = edge.at;
    }
    // What is lost in adding up is less than a value.
    edges.last().map(|edge| edge.at)
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
    fn quantiles_of_buckets_that_overlap_grow_with_the_fraction() {
        let of = |buckets: &[Bucket], fractions: &[f64]| -> Vec<f64> {
            let key = |bucket: &Bucket| Key { upper: bucket.upper, lower: bucket.lower };
            let spread: Spread = buckets.iter().map(|bucket| (key(bucket), *bucket)).collect();
            fractions.iter().map(|fraction| (quantile(&spread, *fraction).unwrap() * 1e9).round() / 1e9).collect()
        };
        let bucket = |lower, upper, count| Bucket { lower, upper, count };
        // Of 100 values, 55 are below 10: 50 of the narrow bucket, 5 of the wide.
        let nested = [bucket(0.0, 10.0, 50), bucket(0.0, 100.0, 50)];
        assert_eq!(of(&nested, &[0.0, 0.11, 0.55, 0.775, 1.0]), [0.0, 2.0, 10.0, 55.0, 100.0]);
        let shared_end = [bucket(0.0, 100.0, 50), bucket(50.0, 100.0, 50)];
        assert_eq!(of(&shared_end, &[0.25, 0.625, 1.0]), [50.0, 75.0, 100.0]);
        let open = [bucket(f64::NEG_INFINITY, 1.0, 1), bucket(1.0, 2.0, 2), bucket(2.0, f64::INFINITY, 1)];
        assert_eq!(of(&open, &[0.1, 0.5, 0.75, 0.99]), [1.0, 1.5, 2.0, 2.0]);
        assert_eq!(quantile(&Spread::new(), 0.5), None);
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
