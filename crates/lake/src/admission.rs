//! The memory that accepted rows may take: a request is refused before the share is passed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use glasshouse_tables::ports::SubmitError;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a request usually waits for memory before it is refused: long enough for a flush to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
/// What a refused sender is told.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Requests are slowed down when more than this part of the share is taken: less is what one generation that grows
/// and one that is flushed take.
const UNHURRIED_PART: usize = 2;
/// A flush of less than this part of the share tells nothing about the rate: it is mostly one sync and one commit.
const TELLING_PART: usize = 16;
/// The longest that a request is slowed down.
const LONGEST_DELAY: Duration = Duration::from_millis(250);
/// Requests that wait may hold this part of the share, in addition to it; a larger one may wait alone.
const WAITING_PART: usize = 8;

/// Counts the bytes that requests in flight, hot rows and rows being flushed hold.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    patience: Duration,
    used: AtomicUsize,
    waiting: AtomicUsize,
    refused: AtomicUsize,
    freed: Notify,
    pace: Mutex<Pace>,
}

/// How fast requests may come while flushing is behind: about as fast as it is, so that each waits a little, instead
/// of many for a whole generation.
#[derive(Debug)]
struct Pace {
    /// Seconds that flushing a byte took lately; 0 until known.
    seconds_per_byte: f64,
    /// When the next request may come.
    next: Instant,
}

/// Bytes of the budget, given back when dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: Arc<Budget>,
    bytes: usize,
}

impl Budget {
    pub(crate) fn new(limit: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit,
            patience,
            used: AtomicUsize::new(0),
            waiting: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            freed: Notify::new(),
            pace: Mutex::new(Pace { seconds_per_byte: 0.0, next: Instant::now() }),
        })
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    pub(crate) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// Requests refused so far.
    pub(crate) fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    /// Takes bytes; waits a little for them when others hold them.
    pub(crate) async fn reserve(self: &Arc<Self>, bytes: usize) -> Result<Reservation, SubmitError> {
        if bytes > self.limit {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(SubmitError::TooLarge(format!(
                "it takes {bytes} bytes of memory, all requests together may take {}; send less at once or raise the memory limit",
                self.limit
            )));
        }
        let delay = self.delay(bytes, Instant::now());
        if delay.is_zero()
            && let Some(reservation) = self.try_reserve(bytes)
        {
            return Ok(reservation);
        }
        let waiting = Waiting::enter(self, bytes);
        if waiting.total <= bytes.max(self.limit / WAITING_PART) {
            tokio::time::sleep(delay).await;
            if let Ok(reservation) = tokio::time::timeout(self.patience, self.wait(bytes)).await {
                return Ok(reservation);
            }
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(SubmitError::Overloaded {
            reason: format!("accepted rows take {} of {} bytes of memory", self.used(), self.limit),
            retry_after: RETRY_AFTER,
        })
    }

    /// Notes how long it took to flush so many bytes.
    pub(crate) fn flushed(&self, bytes: usize, took: Duration) {
        if bytes == 0 || bytes < self.limit / TELLING_PART {
            return;
        }
        let mut pace = self.pace();
        let latest = took.as_secs_f64() / bytes as f64;
        let known = if pace.seconds_per_byte == 0.0 { latest } else { pace.seconds_per_byte };
        pace.seconds_per_byte = known.midpoint(latest);
    }

    /// How long a request of so many bytes has to wait for its turn. The more is taken, the fewer may come: as many
    /// as are flushed when the upper part of the share is half full.
    fn delay(&self, bytes: usize, now: Instant) -> Duration {
        let unhurried = self.limit / UNHURRIED_PART;
        let above = self.used().saturating_sub(unhurried);
        if above == 0 {
            return Duration::ZERO;
        }
        let pressure = above as f64 / (self.limit - unhurried) as f64;
        let mut pace = self.pace();
        let turn = pace.next.clamp(now, now + LONGEST_DELAY);
        pace.next = turn + Duration::from_secs_f64(2.0 * pressure * bytes as f64 * pace.seconds_per_byte);
        turn - now
    }

    fn pace(&self) -> std::sync::MutexGuard<'_, Pace> {
        // Two numbers, each whole at any time.
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether so many bytes can be taken now.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.used().saturating_add(bytes) <= self.limit
    }

    /// Takes bytes however long it takes: for replay, which nobody can refuse.
    pub(crate) async fn wait(self: &Arc<Self>, bytes: usize) -> Reservation {
        let mut freed = std::pin::pin!(self.freed.notified());
        loop {
            freed.as_mut().enable();
            // What is larger than the whole budget gets through alone.
            if let Some(reservation) = self.try_reserve(bytes.min(self.limit)) {
                return reservation;
            }
            freed.as_mut().await;
            freed.set(self.freed.notified());
        }
    }

    fn try_reserve(self: &Arc<Self>, bytes: usize) -> Option<Reservation> {
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|total| *total <= self.limit)
            })
            .ok()?;
        Some(Reservation { budget: Arc::clone(self), bytes })
    }
}

impl Reservation {
    /// Joins another reservation to this one.
    pub(crate) fn absorb(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }

    /// Sets how much is held: what the rows really take after they were joined with others.
    pub(crate) fn resize(&mut self, bytes: usize) {
        if bytes > self.bytes {
            self.budget.used.fetch_add(bytes - self.bytes, Ordering::Relaxed);
        } else if bytes < self.bytes {
            self.budget.used.fetch_sub(self.bytes - bytes, Ordering::Relaxed);
            self.budget.freed.notify_waiters();
        }
        self.bytes = bytes;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.resize(0);
    }
}

/// A request that waits; leaving counts also when the sender goes away.
struct Waiting<'a> {
    budget: &'a Budget,
    bytes: usize,
    total: usize,
}

impl<'a> Waiting<'a> {
    fn enter(budget: &'a Budget, bytes: usize) -> Self {
        let total = budget.waiting.fetch_add(bytes, Ordering::Relaxed) + bytes;
        Self { budget, bytes, total }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.budget.waiting.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_larger_than_everything_is_told_so() {
        let error = Budget::new(100, PATIENCE).reserve(101).await.unwrap_err();
        assert!(matches!(error, SubmitError::TooLarge(_)), "{error}");
    }

    #[tokio::test]
    async fn a_full_budget_refuses_after_a_while() {
        let budget = Budget::new(100, Duration::from_millis(1));
        let held = budget.reserve(95).await.unwrap();
        let error = budget.reserve(10).await.unwrap_err();
        assert!(matches!(error, SubmitError::Overloaded { .. }), "{error}");
        drop(held);
        assert_eq!((budget.used(), budget.refused()), (0, 1));
    }

    #[tokio::test]
    async fn who_waits_gets_what_is_freed() {
        let budget = Budget::new(100, Duration::MAX);
        let mut held = budget.reserve(95).await.unwrap();
        let (waited, ()) = tokio::join!(budget.reserve(10), async {
            tokio::task::yield_now().await;
            held.resize(90);
        });
        assert_eq!(budget.used(), 100);
        drop((waited, held));
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn requests_come_as_fast_as_rows_are_flushed() {
        let budget = Budget::new(1000, PATIENCE);
        budget.flushed(100, Duration::from_millis(1));
        let (start, millisecond) = (Instant::now(), Duration::from_millis(1));
        let _unhurried = budget.reserve(500).await.unwrap();
        assert_eq!([budget.delay(100, start), budget.delay(100, start)], [Duration::ZERO; 2]);
        let _behind = budget.reserve(250).await.unwrap();
        let delays: Vec<_> = (0..3).map(|_| budget.delay(100, start)).collect();
        assert_eq!(delays, [Duration::ZERO, millisecond, 2 * millisecond]);
        let _full = budget.try_reserve(250);
        budget.flushed(1, Duration::from_hours(1));
        let delay = budget.delay(100, start);
        assert_eq!(budget.delay(100, start), delay + 2 * millisecond, "half as many when it is full");
        budget.flushed(100, Duration::from_hours(1));
        budget.delay(100, start);
        assert_eq!(budget.delay(100, start), LONGEST_DELAY);
    }

    #[tokio::test]
    async fn what_waits_is_bounded() {
        let budget = Budget::new(100, Duration::MAX);
        let _held = budget.reserve(100).await.unwrap();
        let waits = {
            let budget = Arc::clone(&budget);
            tokio::spawn(async move { budget.reserve(50).await })
        };
        while budget.waiting.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        budget.reserve(50).await.expect_err("too much to wait with what waits already");
        assert!(!waits.is_finished(), "one alone may wait");
    }
}
