//! The memory that accepted rows may take: a request is refused before the share is passed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use glasshouse_tables::ports::SubmitError;
use tokio::sync::Notify;

/// How long a request usually waits for memory before it is refused: long enough for a flush to end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(2);
/// What a refused sender is told.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Requests that wait may hold this part of the share, in addition to it.
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
        if let Some(reservation) = self.try_reserve(bytes) {
            return Ok(reservation);
        }
        let waiting = Waiting::enter(self, bytes);
        if waiting.total <= self.limit / WAITING_PART
            && let Ok(reservation) = tokio::time::timeout(self.patience, self.wait(bytes)).await
        {
            return Ok(reservation);
        }
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(SubmitError::Overloaded {
            reason: format!("accepted rows take {} of {} bytes of memory", self.used(), self.limit),
            retry_after: RETRY_AFTER,
        })
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
    async fn what_waits_is_bounded() {
        let budget = Budget::new(100, Duration::MAX);
        let _held = budget.reserve(100).await.unwrap();
        budget.reserve(50).await.expect_err("too much to wait with");
    }
}
