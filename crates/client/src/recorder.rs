//! Where a thread puts what it recorded: a ring of its own, so that no thread waits for another.

use std::cell::RefCell;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Ticks;
use crate::core::Core;
use crate::ids::{Ids, seeds};
use crate::ring::{Full, Record, Writer};
use crate::signal::{PerSignal, Signal};
use crate::span::Span;
use crate::thread::ThreadAttributes;
use crate::tracer::TracerNumber;

/// Spans, and buffers of log records, that are kept to be used again.
const SPARE: usize = 32;
/// One that took more memory than this is not used again.
pub(crate) const SPARE_BYTES: usize = 4 << 10;

/// What a thread has of a tracer.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub core: Arc<Core>,
    pub ids: Ids,
    thread: Arc<ThreadAttributes>,
    /// `None` while there are too many threads.
    ring: Option<Writer>,
    may_have_ring: bool,
    /// What was made here, whatever became of it. Only this thread writes it.
    made: Arc<PerSignal<AtomicU64>>,
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // Nobody collects, and what is locked stays so.
        if self.core.is_forked() {
            return;
        }
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
    spans: Vec<Box<Span>>,
    buffers: Vec<Vec<u8>>,
    is_ending: bool,
}

thread_local! {
    static LOCAL: RefCell<Local> =
        const { RefCell::new(Local { recorders: Vec::new(), spans: Vec::new(), buffers: Vec::new(), is_ending: false }) };
}

impl Recorder {
    fn new(core: &Arc<Core>, may_have_ring: bool) -> Self {
        // A process that was forked has another number, and so other ids.
        let seeds = seeds((process::id(), std::thread::current().id(), core.clock.anchor()));
        Self {
            core: Arc::clone(core),
            ids: Ids::new(seeds),
            thread: Arc::new(ThreadAttributes::current()),
            ring: None,
            may_have_ring,
            made: core.new_thread(),
        }
    }

    /// Hands on a record, whose fields are these. Whether it is of this thread is told by attributes.
    #[inline]
    pub fn record(&mut self, signal: Signal, is_here: bool, record: Record, fields: &mut Vec<u8>) {
        let made = self.made.of(signal);
        made.store(made.load(Ordering::Relaxed) + 1, Ordering::Release);
        let pushed = match &mut self.ring {
            Some(ring) => ring.push(record, fields),
            None => self.push_slowly(signal, is_here, record, fields),
        };
        if !matches!(pushed, Ok(false)) {
            self.is_filling(signal, pushed.is_err());
        }
    }

    /// There is little room, or none.
    #[cold]
    fn is_filling(&self, signal: Signal, is_full: bool) {
        if is_full {
            self.core.counters.of(signal).overflowed.fetch_add(1, Ordering::Release);
        }
        self.core.nudge();
    }

    /// The same without a ring: there may be room for one by now.
    #[cold]
    fn push_slowly(
        &mut self,
        signal: Signal,
        is_here: bool,
        mut record: Record,
        fields: &mut Vec<u8>,
    ) -> Result<bool, Full> {
        self.ring = if self.may_have_ring { self.core.new_ring(&self.thread) } else { None };
        if let Some(ring) = &mut self.ring {
            return ring.push(record, fields);
        }
        if is_here {
            fields.extend_from_slice(self.thread.attributes(signal));
            record.set_fields(fields.len());
        }
        self.core.shared_ring().ok_or(Full)?.push(record, fields)
    }
}

impl Local {
    #[inline]
    fn recorder(&mut self, core: &Arc<Core>) -> &mut Recorder {
        let known = self.recorders.iter().position(|recorder| recorder.core.number == core.number);
        let known = known.unwrap_or_else(|| self.add(core));
        &mut self.recorders[known]
    }

    #[cold]
    fn add(&mut self, core: &Arc<Core>) -> usize {
        // Tracers that are gone are forgotten.
        self.recorders.retain(|recorder| !recorder.core.is_stopped());
        self.recorders.push(Recorder::new(core, !self.is_ending));
        self.recorders.len() - 1
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

#[inline]
fn with_local<R>(with: impl FnOnce(&mut Local) -> R) -> R {
    let mut with = Some(with);
    let done = LOCAL.try_with(|local| with.take().map(|with| with(&mut local.borrow_mut())));
    done.ok().flatten().unwrap_or_else(|| {
        // A thread that is ending has nothing any more.
        let with = with.take().expect("it was not called");
        with(&mut Local { is_ending: true, ..Local::default() })
    })
}

/// Uses what this thread has of a tracer.
#[inline]
pub(crate) fn with<R>(core: &Arc<Core>, with: impl FnOnce(&mut Recorder) -> R) -> R {
    with_local(|local| with(local.recorder(core)))
}

/// The time by a tracer's clock; `None` when the tracer is gone.
#[inline]
pub(crate) fn now(tracer: TracerNumber) -> Option<Ticks> {
    with_local(|local| local.known(tracer).map(|recorder| recorder.core.clock.now()))
}

/// A span with an id of its own, in memory that was used before or that is new.
#[inline]
pub(crate) fn new_span(core: &Arc<Core>) -> Box<Span> {
    with_local(|local| {
        let mut span = local.spans.pop().unwrap_or_else(Span::new);
        span.context.span = local.recorder(core).ids.span_id();
        span
    })
}

/// Hands on a span that is over, if that is wanted, and keeps its memory.
#[inline]
pub(crate) fn finish(mut span: Box<Span>, hand_on: Option<fn(&mut Span, &mut Recorder)>) {
    with_local(|local| {
        if let Some(hand_on) = hand_on
            && let Some(recorder) = local.known(span.tracer)
        {
            hand_on(&mut span, recorder);
        }
        if local.spans.len() < SPARE && span.is_small() {
            local.spans.push(span);
        }
    });
}

/// A buffer that was used before, or a new one.
pub(crate) fn spare_buffer() -> Vec<u8> {
    with_local(|local| local.buffers.pop()).unwrap_or_default()
}

/// Hands on what is in a buffer, and keeps that.
#[inline]
pub(crate) fn hand_on(core: &Arc<Core>, mut buffer: Vec<u8>, hand_on: impl FnOnce(&mut Vec<u8>, &mut Recorder)) {
    with_local(|local| {
        hand_on(&mut buffer, local.recorder(core));
        buffer.clear();
        if local.buffers.len() < SPARE && buffer.capacity() <= SPARE_BYTES {
            local.buffers.push(buffer);
        }
    });
}
