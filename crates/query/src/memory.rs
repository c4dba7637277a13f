//! Memory of queries: one budget for all, and a share of it for each.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::common::Result;
use datafusion::execution::memory_pool::{FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};

/// The memory of one query. Inside it, operators that can spill get equal parts; what it holds counts
/// against the memory of all queries too, and when that is used up, operators spill or the query fails.
#[derive(Debug)]
pub(crate) struct QueryPool {
    own: FairSpillPool,
    limit: usize,
    total: MemoryReservation,
    peak: AtomicUsize,
}

impl QueryPool {
    /// At most `limit` bytes, taken from `total`.
    pub(crate) fn new(limit: usize, total: &Arc<dyn MemoryPool>) -> Self {
        Self {
            own: FairSpillPool::new(limit),
            limit,
            total: MemoryConsumer::new("query").register(total),
            peak: AtomicUsize::new(0),
        }
    }

    /// Most bytes that were held at once.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::Relaxed)
    }

    fn note_peak(&self) {
        self.peak.fetch_max(self.own.reserved(), Ordering::Relaxed);
    }
}

impl MemoryPool for QueryPool {
    fn name(&self) -> &'static str {
        "query"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.own.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.own.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.own.grow(reservation, additional);
        self.total.grow(additional);
        self.note_peak();
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.own.shrink(reservation, shrink);
        self.total.shrink(shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> Result<()> {
        self.own.try_grow(reservation, additional)?;
        self.total.try_grow(additional).inspect_err(|_| self.own.shrink(reservation, additional))?;
        self.note_peak();
        Ok(())
    }

    fn reserved(&self) -> usize {
        self.own.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        MemoryLimit::Finite(self.limit)
    }
}

impl fmt::Display for QueryPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query(used: {}, limit: {})", self.own.reserved(), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    #[test]
    fn a_query_stays_within_its_share_and_the_total() {
        let total: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(100));
        let counted = Arc::new(QueryPool::new(80, &total));
        let first: Arc<dyn MemoryPool> = counted.clone();
        let second: Arc<dyn MemoryPool> = Arc::new(QueryPool::new(80, &total));
        let held = MemoryConsumer::new("a").register(&first);
        assert!(held.try_grow(90).is_err());
        held.try_grow(70).unwrap();
        let other = MemoryConsumer::new("b").register(&second);
        assert!(other.try_grow(40).is_err());
        assert_eq!((second.reserved(), total.reserved()), (0, 70));
        other.try_grow(30).unwrap();
        drop(held);
        assert_eq!(total.reserved(), 30);
        assert_eq!(counted.peak(), 70);
        drop((other, first, second, counted));
        assert_eq!(total.reserved(), 0);
    }
}
