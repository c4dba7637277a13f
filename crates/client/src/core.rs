//! What the threads of a program share of a tracer.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, Weak};
use std::thread::Thread;

use crate::clock::TickClock;
use crate::metrics::Registry;
use crate::open::OpenSpans;
use crate::ring::{Reader, Writer, ring};
use crate::sampling::Decide;
use crate::signal::{Counters, Counts, PerSignal, Signal, Statistics};
use crate::thread::ThreadAttributes;
use crate::tracer::{Limits, TracerNumber};

/// Tracers by number, for spans that end on a thread that does not know theirs. Thread-locals have to find them somehow.
static TRACERS: RwLock<Vec<Weak<Core>>> = RwLock::new(Vec::new());
static LAST_NUMBER: AtomicU32 = AtomicU32::new(0);

/// What a tracer's spans need.
pub(crate) struct Core {
    pub number: TracerNumber,
    pub clock: TickClock,
    pub sampling: Decide,
    /// When spans that run for long are told of.
    open: Option<OpenSpans>,
    pub limits: Limits,
    pub counters: PerSignal<Counters>,
    pub registry: Registry,
    /// Data points that were made.
    points: AtomicU64,
    /// What is called before metrics are read.
    readers: Mutex<Vec<Box<dyn Fn() + Send>>>,
    /// The ring of threads that have none of their own.
    shared_ring: Mutex<Writer>,
    /// Ends of new rings that the collector has not taken yet.
    new_rings: Mutex<Vec<Reader>>,
    /// Rings that there are.
    rings: AtomicUsize,
    made: Mutex<Made>,
    collector: OnceLock<Thread>,
    /// Whether the collector was told to look.
    is_woken: AtomicBool,
    is_stopped: AtomicBool,
    is_finished: AtomicBool,
    process: u32,
}

/// Counts of what threads made.
#[derive(Debug, Default)]
struct Made {
    threads: Vec<Arc<PerSignal<AtomicU64>>>,
    /// By threads that are gone.
    before: PerSignal<u64>,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("number", &self.number).field("counters", &self.counters).finish_non_exhaustive()
    }
}

impl Core {
    pub fn new(sampling: Decide, limits: Limits, open: Option<OpenSpans>) -> Arc<Self> {
        let limits = limits.within_reason();
        let (shared_ring, reader) = ring(limits.ring_bytes, Arc::default());
        let clock = TickClock::new();
        let started = clock.now().unix_nanos(clock.anchor());
        let core = Arc::new(Self {
            number: TracerNumber(LAST_NUMBER.fetch_add(1, Ordering::Relaxed)),
            clock,
            sampling,
            open,
            limits,
            counters: PerSignal::default(),
            registry: Registry::new(started),
            points: AtomicU64::new(0),
            readers: Mutex::default(),
            shared_ring: Mutex::new(shared_ring),
            new_rings: Mutex::new(vec![reader]),
            rings: AtomicUsize::new(0),
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

    /// The ring of threads that have none of their own; `None` in a child, where it may be locked for ever.
    pub fn shared_ring(&self) -> Option<MutexGuard<'_, Writer>> {
        (!self.is_forked()).then(|| self.shared_ring.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A ring for a thread; `None` when there are as many as memory is for, or it is too late, or nobody collects.
    pub fn new_ring(&self, thread: &Arc<ThreadAttributes>) -> Option<Writer> {
        if self.is_forked() {
            return None;
        }
        let most = self.limits.rings();
        let more = |rings: usize| (rings < most && !self.is_stopped()).then_some(rings + 1);
        self.rings.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        let (writer, reader) = ring(self.limits.ring_bytes, Arc::clone(thread));
        self.rings_to_take().push(reader);
        Some(writer)
    }

    fn rings_to_take(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.new_rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rings that are new.
    pub fn take_rings(&self) -> Vec<Reader> {
        std::mem::take(&mut self.rings_to_take())
    }

    /// A ring is no more.
    pub fn ring_is_gone(&self) {
        self.rings.fetch_sub(1, Ordering::Relaxed);
    }

    /// Where a thread counts what it makes.
    pub fn new_thread(&self) -> Arc<PerSignal<AtomicU64>> {
        let count = Arc::<PerSignal<AtomicU64>>::default();
        if !self.is_forked() {
            self.made_by_threads().threads.push(Arc::clone(&count));
        }
        count
    }

    /// A thread makes no more.
    pub fn thread_is_gone(&self, count: &Arc<PerSignal<AtomicU64>>) {
        let mut made = self.made_by_threads();
        made.threads.retain(|known| !Arc::ptr_eq(known, count));
        for signal in Signal::ALL {
            *made.before.of_mut(signal) += count.of(signal).load(Ordering::Relaxed);
        }
    }

    /// How many records were made.
    fn made(&self, signal: Signal) -> u64 {
        let made = self.made_by_threads();
        let by_threads: u64 = made.threads.iter().map(|count| count.of(signal).load(Ordering::Relaxed)).sum();
        let points = if signal == Signal::Metrics { self.points.load(Ordering::Relaxed) } else { 0 };
        made.before.of(signal) + by_threads + points
    }

    fn made_by_threads(&self) -> MutexGuard<'_, Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who is woken.
    pub fn set_collector(&self, thread: Thread) {
        self.collector.get_or_init(|| thread);
    }

    /// Tells the collector to look, unless it is told already. Should that be missed, because it looks just now, it looks
    /// again after a while.
    #[inline]
    pub fn nudge(&self) {
        if !self.is_woken.load(Ordering::Relaxed) {
            self.wake();
        }
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

    /// Spans that run, when they are told of. A child has none: what is locked there stays so.
    #[inline]
    pub fn open(&self) -> Option<&OpenSpans> {
        self.open.as_ref().filter(|_| !self.is_forked())
    }

    /// Whether this is a child of the process that has the threads in the background.
    pub fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }

    /// Lets something be called before metrics are read.
    pub fn add_reader(&self, reader: Box<dyn Fn() + Send>) {
        if !self.is_forked() {
            self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        }
    }

    /// Calls what wants to be called before metrics are read, which may add more meanwhile. What panics is not called again;
    /// gives how many did.
    pub fn call_readers(&self) -> usize {
        let readers = || self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut called = std::mem::take(&mut *readers());
        let before = called.len();
        called.retain(|reader| catch_unwind(AssertUnwindSafe(reader)).is_ok());
        let panicked = before - called.len();
        let mut readers = readers();
        called.append(&mut readers);
        *readers = called;
        panicked
    }

    /// Nothing is called any more.
    pub fn forget_readers(&self) {
        let readers = std::mem::take(&mut *self.readers.lock().unwrap_or_else(PoisonError::into_inner));
        // What they have is dropped when nothing is locked.
        drop(readers);
    }

    /// Data points are about to be sent.
    pub fn count_points(&self, points: u64) {
        self.points.fetch_add(points, Ordering::Release);
    }

    /// What became of the records of a signal so far. A child knows of none: those are its parent's.
    pub fn counts(&self, signal: Signal) -> Counts {
        if self.is_forked() {
            return Counts::default();
        }
        self.counters.of(signal).counts(self.is_finished(), || self.made(signal))
    }

    /// What became of all records so far.
    pub fn statistics(&self) -> Statistics {
        let [spans, logs, metrics] = [Signal::Spans, Signal::Logs, Signal::Metrics].map(|signal| self.counts(signal));
        Statistics { spans, logs, metrics }
    }

    /// How many records are still to be sent.
    pub fn waiting(&self) -> u64 {
        let Statistics { spans, logs, metrics } = self.statistics();
        [spans, logs, metrics].iter().map(|counts| counts.waiting + counts.spilled).sum()
    }
}
