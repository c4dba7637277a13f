//! Time from the processor's counter, on the system's clock.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Ticks that cost little to read, and what the system's clock showed at their beginning.
///
/// A span and those below it in one program share what that was, so they are ordered as they happened, and a step of the
/// system's clock changes no duration. New traces begin with what it is by then, so that clocks do not drift apart.
#[derive(Debug)]
pub(crate) struct TickClock {
    ticks: quanta::Clock,
    anchor: AtomicI64,
}

/// A moment in nanoseconds since the beginning of ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Ticks(u64);

impl TickClock {
    pub fn new() -> Self {
        let clock = Self { ticks: quanta::Clock::new(), anchor: AtomicI64::new(0) };
        clock.adjust();
        clock
    }

    #[inline]
    pub fn now(&self) -> Ticks {
        Ticks(self.ticks.delta_as_nanos(0, self.ticks.raw()))
    }

    /// What the system's clock shows at the beginning of ticks, in nanoseconds since the Unix epoch.
    #[inline]
    pub fn anchor(&self) -> i64 {
        self.anchor.load(Ordering::Relaxed)
    }

    /// Looks at the system's clock.
    pub fn adjust(&self) {
        let nanos = |time: SystemTime| time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64);
        // The thread may be interrupted between them: the closest of some attempts counts.
        let attempts = (0..5).map(|_| {
            let (before, system, after) = (self.now(), SystemTime::now(), self.now());
            let between = after.0.saturating_sub(before.0);
            (between, nanos(system) - (before.0 + between / 2) as i64)
        });
        if let Some((_, anchor)) = attempts.min() {
            self.anchor.store(anchor, Ordering::Relaxed);
        }
    }
}

impl Ticks {
    /// Nanoseconds since another moment; 0 when that is later.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Nanoseconds since the Unix epoch.
    #[inline]
    pub fn unix_nanos(self, anchor: i64) -> u64 {
        (self.0 as i64 + anchor).max(0) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_shows_what_the_system_shows() {
        let clock = TickClock::new();
        let system = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
        let (before, now, after) = (system(), clock.now().unix_nanos(clock.anchor()), system());
        // Whoever was interrupted here for longer may run it again.
        let tolerance = 1_000_000_000;
        assert!(before - tolerance <= now && now <= after + tolerance, "{before} {now} {after}");
    }

    #[test]
    fn it_never_goes_back() {
        let clock = TickClock::new();
        let times: Vec<Ticks> = (0..10_000).map(|_| clock.now()).collect();
        assert!(times.is_sorted());
    }
}
