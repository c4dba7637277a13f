//! Round steps of time.

use crate::{DurationNs, TimeRange};

/// The shortest round length of time of which no more than so many make the range.
pub fn round_step(range: TimeRange, buckets: usize) -> DurationNs {
    let least = ((range.to - range.from).nanos().max(1) as u64).div_ceil(buckets as u64);
    round_up(DurationNs::from_nanos(least.min(i64::MAX as u64) as i64))
}

/// The shortest round length of time that is no less than `least`, up to a whole number of days.
pub fn round_up(least: DurationNs) -> DurationNs {
    const SECOND: u64 = 1_000_000_000;
    const CLOCK: [u64; 18] =
        [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400];
    let least = least.nanos().max(1) as u64;
    let below = (0..9).flat_map(|power| [1, 2, 5].map(|factor| factor * 10_u64.pow(power)));
    let round = below.chain(CLOCK.map(|seconds| seconds * SECOND)).find(|step| *step >= least);
    let day = 86_400 * SECOND;
    DurationNs::from_nanos(round.unwrap_or_else(|| least.div_ceil(day) * day).min(i64::MAX as u64 / day * day) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn steps_are_round_and_not_too_many() {
        let check = |seconds: f64, buckets: usize, expected: f64| {
            let to = Timestamp::from_nanos((seconds * 1e9) as i64);
            let step = round_step(TimeRange { from: Timestamp::from_nanos(0), to }, buckets);
            assert_eq!(step.nanos(), (expected * 1e9) as i64, "{seconds} s in {buckets}");
        };
        check(3_600.0, 60, 60.0);
        check(3_601.0, 60, 120.0);
        check(1.0, 60, 0.02);
        check(0.000_000_001, 60, 0.000_000_001);
        check(86_400.0 * 30.0, 60, 43_200.0);
        check(86_400.0 * 300.0, 60, 86_400.0 * 5.0);
        assert!(round_step(TimeRange::ALL, 60).nanos() > 0);
        assert!(round_step(TimeRange::ALL, 1).nanos() > 0);
    }
}
