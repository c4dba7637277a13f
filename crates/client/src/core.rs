//! What the threads of a program share of a tracer.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
use std::thread::Thread;

use rtrb::{Consumer, Producer, RingBuffer};

use crate::clock::TickClock;
use crate::sampling::Decide;
use crate::tracer::{Limits, Statistics, TracerNumber};

/// Tracers by number, for spans that end on a thread that does not know theirs. Thread-locals have to find them somehow.
static TRACERS: RwLock<Vec<Weak<Core>>> = RwLock::new(Vec::new());
static LAST_NUMBER: AtomicU32 = AtomicU32::new(0);

/// What a tracer's spans need.
pub(crate) struct Core {
    pub number: TracerNumber,
    pub clock: TickClock,
    pub sampling: Decide,
    pub limits: Limits,
    pub counters: Counters,
    /// The ring of threads that have none of their own.
    shared_ring: Mutex<Producer<u8>>,
    /// Ends of new rings that the collector has not taken yet.
    new_rings: Mutex<Vec<Consumer<u8>>>,
    /// Rings that there are.
    rings: AtomicUsize,
    /// The number of the last thread.
    last_thread: AtomicU64,
    made: Mutex<Made>,
    collector: OnceLock<Thread>,
    /// Whether the collector was told to look.
    is_woken: AtomicBool,
    is_stopped: AtomicBool,
    is_finished: AtomicBool,
    process: u32,
}

/// What became of spans.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// There was no room in the ring.
    pub overflowed: AtomicU64,
    /// Accepted by the server.
    pub sent: AtomicU64,
    /// Refused by the server.
    pub rejected: AtomicU64,
    /// Collected, but not kept until they could be sent.
    pub discarded: AtomicU64,
}

/// Counts of what threads made.
#[derive(Debug, Default)]
struct Made {
    threads: Vec<Arc<AtomicU64>>,
    /// By threads that are gone.
    before: u64,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("number", &self.number).field("counters", &self.counters).finish_non_exhaustive()
    }
}

impl Core {
    pub fn new(sampling: Decide, limits: Limits) -> Arc<Self> {
        let limits = limits.within_reason();
        let (shared_ring, consumer) = RingBuffer::new(limits.ring_bytes);
        let core = Arc::new(Self {
            number: TracerNumber(LAST_NUMBER.fetch_add(1, Ordering::Relaxed)),
            clock: TickClock::new(),
            sampling,
            limits,
            counters: Counters::default(),
            shared_ring: Mutex::new(shared_ring),
            new_rings: Mutex::new(vec![consumer]),
            rings: AtomicUsize::new(0),
            last_thread: AtomicU64::new(0),
            made: Mutex::default(),
            collector: OnceLock::new(),
            is_woken: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
            is_finished: AtomicBool::new(false),
            process: std::process::id(),
        });
        let mut tracers = TRACERS.write().unwrap_or_else(PoisonError::into_inner);
        tracers.retain(|tracer| tracer.strong_count() > 0);
        tracers.push(Arc::downgrade(&core));
        core
    }

    /// A tracer that still is.
    pub fn find(number: TracerNumber) -> Option<Arc<Self>> {
        let tracers = TRACERS.read().unwrap_or_else(PoisonError::into_inner);
        tracers.iter().filter_map(Weak::upgrade).find(|core| core.number == number)
    }

    /// The ring of threads that have none of their own.
    pub fn shared_ring(&self) -> MutexGuard<'_, Producer<u8>> {
        self.shared_ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A ring for a thread; `None` when there are as many as memory is for, or it is too late.
    pub fn new_ring(&self) -> Option<Producer<u8>> {
        let most = self.limits.rings();
        let more = |rings: usize| (rings < most && !self.is_stopped()).then_some(rings + 1);
        self.rings.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        let (producer, consumer) = RingBuffer::new(self.limits.ring_bytes);
        self.rings_to_take().push(consumer);
        Some(producer)
    }

    fn rings_to_take(&self) -> MutexGuard<'_, Vec<Consumer<u8>>> {
        self.new_rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rings that are new.
    pub fn take_rings(&self) -> Vec<Consumer<u8>> {
        std::mem::take(&mut self.rings_to_take())
    }

    /// A ring is no more.
    pub fn ring_is_gone(&self) {
        self.rings.fetch_sub(1, Ordering::Relaxed);
    }

    /// A number that no other thread has, and that is not 0.
    pub fn next_thread(&self) -> u64 {
        self.last_thread.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Where a thread counts what it makes.
    pub fn new_thread(&self) -> Arc<AtomicU64> {
        let count = Arc::new(AtomicU64::new(0));
        self.made_by_threads().threads.push(Arc::clone(&count));
        count
    }

    /// A thread makes no more.
    pub fn thread_is_gone(&self, count: &Arc<AtomicU64>) {
        let mut made = self.made_by_threads();
        made.threads.retain(|known| !Arc::ptr_eq(known, count));
        made.before += count.load(Ordering::Relaxed);
    }

    /// How many records were made.
    pub fn made(&self) -> u64 {
        let made = self.made_by_threads();
        made.before + made.threads.iter().map(|count| count.load(Ordering::Relaxed)).sum::<u64>()
    }

    fn made_by_threads(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is woken.
    pub fn set_collector(&self, thread: Thread) {
        self.collector.get_or_init(|| thread);
    }

    /// Tells the collector to look.
    pub fn wake(&self) {
        if !self.is_woken.swap(true, Ordering::AcqRel)
            && let Some(collector) = self.collector.get()
        {
            collector.unpark();
        }
    }

    /// The collector looks.
    pub fn looks(&self) {
        self.is_woken.swap(false, Ordering::AcqRel);
    }

    pub fn stop(&self) {
        self.is_stopped.store(true, Ordering::Release);
        self.wake();
    }

    pub fn is_stopped(&self) -> bool {
        self.is_stopped.load(Ordering::Acquire)
    }

    /// Nothing is sent any more.
    pub fn finish(&self) {
        self.is_finished.store(true, Ordering::Release);
    }

    pub fn is_finished(&self) -> bool {
        self.is_finished.load(Ordering::Acquire)
    }

    /// Whether this is a child of the process that has the threads in the background.
    pub fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    /// What became of the records so far.
    pub fn statistics(&self) -> Statistics {
        let count = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        let is_finished = self.is_finished();
        let (sent, rejected) = (count(&self.counters.sent), count(&self.counters.rejected));
        let mut dropped = count(&self.counters.overflowed) + count(&self.counters.discarded);
        // This is counted last, so that it is not less than the sum of the others.
        let recorded = self.made();
        let mut waiting = recorded.saturating_sub(sent + rejected + dropped);
        if is_finished {
            dropped += std::mem::take(&mut waiting);
        }
        Statistics { recorded, sent, rejected, dropped, waiting }
    }
}
