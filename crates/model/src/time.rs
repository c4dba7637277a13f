use std::fmt;
use std::ops::{Add, Sub};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A moment: nanoseconds since the Unix epoch, UTC. Covers the years 1677 to 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

/// A length of time in nanoseconds; negative when an end lies before its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct DurationNs(i64);

/// Why text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not a time: expected RFC 3339 (2026-01-31T12:00:00.000000001Z), \"now\", a relative time (-15m, -6h, -7d) or Unix nanoseconds"
)]
pub struct TimeError(pub String);

impl Timestamp {
    /// The earliest moment.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest moment.
    pub const MAX: Self = Self(i64::MAX);

    /// A moment this many nanoseconds after the Unix epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// A moment from an unsigned wire value; `None` past the year 2262.
    pub fn from_unix_nanos(nanos: u64) -> Option<Self> {
        i64::try_from(nanos).ok().map(Self)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Start of the window of length `width` that holds this moment, windows counted from the epoch.
    #[must_use]
    pub fn floor(self, width: DurationNs) -> Self {
        Self(self.0.div_euclid(width.0.max(1)).saturating_mul(width.0.max(1)))
    }
}

impl DurationNs {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// This many nanoseconds.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// This many whole seconds.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * 1_000_000_000)
    }

    /// The length in nanoseconds.
    pub const fn nanos(self) -> i64 {
        self.0
    }
}

impl From<Duration> for DurationNs {
    fn from(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(DurationNs::from(after).0),
            Err(before) => Self(-DurationNs::from(before.duration()).0),
        }
    }
}

impl Add<DurationNs> for Timestamp {
    type Output = Self;
    fn add(self, duration: DurationNs) -> Self {
        Self(self.0.saturating_add(duration.0))
    }
}

impl Sub<DurationNs> for Timestamp {
    type Output = Self;
    fn sub(self, duration: DurationNs) -> Self {
        Self(self.0.saturating_sub(duration.0))
    }
}

impl Sub for Timestamp {
    type Output = DurationNs;
    fn sub(self, earlier: Self) -> DurationNs {
        DurationNs(self.0.saturating_sub(earlier.0))
    }
}

macro_rules! decimal_string {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        /// JSON carries 64-bit integers as decimal strings: JavaScript would round them.
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[derive(Deserialize)]
                #[serde(untagged, expecting = "expected Unix nanoseconds, as a decimal string or an integer")]
                enum Wire {
                    Number(i64),
                    Text(String),
                }
                match Wire::deserialize(deserializer)? {
                    Wire::Number(nanos) => Ok(Self(nanos)),
                    Wire::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
                }
            }
        }
    };
}

decimal_string!(Timestamp);
decimal_string!(DurationNs);

/// A half-open range of time: `from <= t < to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeRange {
    /// First moment inside.
    pub from: Timestamp,
    /// First moment after.
    pub to: Timestamp,
}

impl TimeRange {
    /// All of time.
    pub const ALL: Self = Self { from: Timestamp::MIN, to: Timestamp::MAX };

    /// Whether the moment lies inside.
    pub fn contains(&self, time: Timestamp) -> bool {
        self.from <= time && time < self.to
    }

    /// Whether some moment of `first..=last` lies inside.
    pub fn overlaps(&self, first: Timestamp, last: Timestamp) -> bool {
        first < self.to && self.from <= last
    }
}

impl Default for TimeRange {
    fn default() -> Self {
        Self::ALL
    }
}

/// Where the present comes from: the system, or a test.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The operating system's wall clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floor_rounds_down_on_both_sides_of_the_epoch() {
        let second = DurationNs::from_secs(1);
        assert_eq!(Timestamp::from_nanos(1_999_999_999).floor(second).nanos(), 1_000_000_000);
        assert_eq!(Timestamp::from_nanos(-1).floor(second).nanos(), -1_000_000_000);
    }

    #[test]
    fn ranges_are_half_open() {
        let range = TimeRange { from: Timestamp::from_nanos(10), to: Timestamp::from_nanos(20) };
        assert!(range.contains(Timestamp::from_nanos(10)) && !range.contains(Timestamp::from_nanos(20)));
        assert!(range.overlaps(Timestamp::from_nanos(0), Timestamp::from_nanos(10)));
        assert!(!range.overlaps(Timestamp::from_nanos(20), Timestamp::from_nanos(30)));
    }
}
