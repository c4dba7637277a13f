//! Where a thread puts what it recorded: a ring of its own, so that no thread waits for another.

use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use rtrb::Producer;

use crate::clock::Ticks;
use crate::core::Core;
use crate::ids::Ids;
use crate::otlp::{NESTED, attribute, nested, set_length};
use crate::span::Span;
use crate::tracer::TracerNumber;

/// Spans that ended and are kept to be used again.
const SPARE: usize = 32;
/// OTLP's field of a span's attributes.
const ATTRIBUTES: u32 = 9;

/// What a thread has of a tracer.
#[derive(Debug)]
pub(crate) struct Recorder {
    core: Arc<Core>,
    pub ids: Ids,
    /// Number of the thread among those of the tracer, from 1.
    pub thread: u64,
    /// Records that are being made: of a span of this thread, and of one that is of none.
    of_thread: Record,
    of_none: Record,
    /// `None` while there are too many threads.
    ring: Option<Producer<u8>>,
    /// Records that were made here, whatever became of them. Only this thread writes it.
    made: Arc<AtomicU64>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.core.thread_is_gone(&self.made);
        // Another thread may have the memory.
        self.ring = None;
        self.core.wake();
    }
}

#[derive(Debug, Default)]
struct Local {
    recorders: Vec<Recorder>,
    #[expect(clippy::vec_box, reason = "they go from here to whoever runs them, and a span is large")]
    spare: Vec<Box<Span>>,
}

thread_local! {
    static LOCAL: RefCell<Local> = const { RefCell::new(Local { recorders: Vec::new(), spare: Vec::new() }) };
}

/// A record in the making. What is the same in all of them stays there from one to the next.
#[derive(Debug)]
struct Record {
    /// The field of `ScopeSpans`: its tag and length, the head of the span, and its thread's attributes.
    bytes: Vec<u8>,
    /// How many of them stay.
    len: usize,
}

/// Memory of a record that is not kept for the next.
const LARGE: usize = 64 << 10;

/// Bytes of a span that are of the same length always.
pub(crate) const HEAD: usize = 54;

impl Record {
    fn new(thread_attributes: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(512);
        nested(&mut bytes, 2, |out| out.extend_from_slice(&[0; HEAD]));
        bytes.extend_from_slice(thread_attributes);
        Self { len: bytes.len(), bytes }
    }

    #[inline]
    fn make(&mut self, head: &[u8; HEAD], write: impl FnOnce(&mut Vec<u8>)) -> &[u8] {
        if self.bytes.capacity() > LARGE {
            self.bytes.shrink_to(LARGE);
        }
        self.bytes.truncate(self.len);
        self.bytes[NESTED..NESTED + HEAD].copy_from_slice(head);
        write(&mut self.bytes);
        set_length(&mut self.bytes, NESTED);
        &self.bytes
    }
}

impl Recorder {
    fn new(core: &Arc<Core>) -> Self {
        let mut attributes = Vec::new();
        if let Some(id) = system_thread_id() {
            attribute(&mut attributes, ATTRIBUTES, "thread.id", id.into());
        }
        if let Some(name) = thread::current().name() {
            attribute(&mut attributes, ATTRIBUTES, "thread.name", name.into());
        }
        // A process that was forked has another number, and so other ids.
        let seed = RandomState::new().hash_one((process::id(), thread::current().id(), core.clock.anchor()));
        Self {
            core: Arc::clone(core),
            ids: Ids::new(seed),
            thread: core.next_thread(),
            of_thread: Record::new(&attributes),
            of_none: Record::new(&[]),
            ring: core.new_ring(),
            made: core.new_thread(),
        }
    }

    /// Records a span that runs on a thread: its head, and what `write` adds, which is no longer than `len`.
    #[inline]
    pub fn record(&mut self, thread: u64, head: &[u8; HEAD], len: usize, write: impl FnOnce(&mut Vec<u8>)) {
        self.made.store(self.made.load(Ordering::Relaxed) + 1, Ordering::Release);
        if len > self.core.limits.ring_bytes {
            // It would find no room.
            self.core.counters.overflowed.fetch_add(1, Ordering::Release);
            return;
        }
        let record = if thread == self.thread { &mut self.of_thread } else { &mut self.of_none };
        let record = record.make(head, write);
        if self.ring.is_none() {
            self.ring = self.core.new_ring();
        }
        let pushed = match &mut self.ring {
            Some(ring) => ring.push_entire_slice(record),
            None => self.core.shared_ring().push_entire_slice(record),
        };
        if pushed.is_err() {
            self.core.counters.overflowed.fetch_add(1, Ordering::Release);
            return self.core.wake();
        }
        let half = self.core.limits.ring_bytes / 2;
        // The first tells what was free some time ago, and costs nothing.
        if self.ring.as_ref().is_some_and(|ring| ring.cached_slots() < half && ring.slots() < half) {
            self.core.wake();
        }
    }
}

impl Local {
    #[inline]
    fn recorder(&mut self, core: &Arc<Core>) -> &mut Recorder {
        let known = self.recorders.iter().position(|recorder| recorder.core.number == core.number);
        let known = known.unwrap_or_else(|| {
            // Tracers that are gone are forgotten.
            self.recorders.retain(|recorder| !recorder.core.is_stopped());
            self.recorders.push(Recorder::new(core));
            self.recorders.len() - 1
        });
        &mut self.recorders[known]
    }

    #[inline]
    fn give_back(&mut self, span: Option<Box<Span>>) {
        if let Some(span) = span.filter(|span| self.spare.len() < SPARE && span.is_small()) {
            self.spare.push(span);
        }
    }

    #[inline]
    fn known(&mut self, tracer: TracerNumber) -> Option<&mut Recorder> {
        if let Some(known) = self.recorders.iter().position(|recorder| recorder.core.number == tracer) {
            return self.recorders.get_mut(known);
        }
        let core = Core::find(tracer)?;
        Some(self.recorder(&core))
    }
}

/// Uses what this thread has of a tracer.
#[inline]
pub(crate) fn with<R>(core: &Arc<Core>, mut with: impl FnMut(&mut Recorder) -> R) -> R {
    let local = LOCAL.try_with(|local| with(local.borrow_mut().recorder(core)));
    // A thread that is ending has nothing any more.
    local.unwrap_or_else(|_| with(&mut Recorder::new(core)))
}

/// Records a span by `write`.
#[inline]
pub(crate) fn record(tracer: TracerNumber, span: Box<Span>, write: impl Fn(&Span, Ticks, &mut Recorder)) {
    let record = |recorder: &mut Recorder, span: &Span| {
        let now = recorder.core.clock.now();
        write(span, now, recorder);
    };
    let mut span = Some(span);
    let local = LOCAL.try_with(|local| {
        let local = &mut *local.borrow_mut();
        if let (Some(recorder), Some(span)) = (local.known(tracer), &span) {
            record(recorder, span);
        }
        local.give_back(span.take());
    });
    // A thread that is ending has nothing any more.
    if local.is_err()
        && let (Some(core), Some(span)) = (Core::find(tracer), &span)
    {
        record(&mut Recorder::new(&core), span);
    }
}

/// The time by a tracer's clock; `None` when the tracer is gone.
pub(crate) fn now(tracer: TracerNumber) -> Option<Ticks> {
    let local = LOCAL.try_with(|local| local.borrow_mut().known(tracer).map(|recorder| recorder.core.clock.now()));
    local.unwrap_or_else(|_| Core::find(tracer).map(|core| core.clock.now()))
}

/// A span that was used before, or a new one.
#[inline]
pub(crate) fn spare_span() -> Box<Span> {
    let spare = LOCAL.try_with(|local| local.borrow_mut().spare.pop()).ok().flatten();
    spare.unwrap_or_else(Span::new)
}

/// Keeps a span to be used again.
pub(crate) fn give_back(span: Box<Span>) {
    // A thread that is ending keeps nothing.
    let _ = LOCAL.try_with(|local| local.borrow_mut().give_back(Some(span)));
}

/// The number that the system, and so every other tool, has for this thread; `None` where it cannot be had.
fn system_thread_id() -> Option<i64> {
    // "PID/task/TID", on Linux.
    std::fs::read_link("/proc/thread-self").ok()?.file_name()?.to_str()?.parse().ok()
}
