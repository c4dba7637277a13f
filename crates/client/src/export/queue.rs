//! What waits to be sent.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::target::{Answer, Target};
use crate::core::Core;
use crate::error::FlushError;
use crate::signal::{PerSignal, Signal};

/// Between the first attempt and the second, twice as long each time …
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Records for a request.
#[derive(Debug)]
pub(super) struct Batch {
    pub signal: Signal,
    /// Fields of `ScopeSpans`, `ScopeLogs` or `ScopeMetrics`.
    pub records: Vec<u8>,
    /// How many.
    pub count: u64,
}

impl Batch {
    pub fn new(signal: Signal) -> Self {
        Self { signal, records: Vec::new(), count: 0 }
    }
}

#[derive(Debug)]
pub(super) struct Queue {
    core: Arc<Core>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Batches with their numbers, ascending.
    batches: VecDeque<(u64, Batch)>,
    bytes: usize,
    /// Of signals that the server did not take last time.
    retries: PerSignal<Option<Retry>>,
    /// The number of the one that is being sent.
    sending: Option<u64>,
    /// The number of the last one.
    last_number: u64,
    /// Flushes that were asked for.
    asked: u64,
    /// Of those that all was collected for, the last, and the last batch then.
    collected: (u64, u64),
    phase: Phase,
    /// What was given up at the end.
    given_up: Option<FlushError>,
    /// What the last attempt met with.
    last: Option<String>,
}

/// When a signal is tried again.
#[derive(Debug, Clone, Copy)]
struct Retry {
    at: Instant,
    /// How long after that, at least, should it fail again.
    pause: Duration,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    #[default]
    Open,
    /// No more batches come.
    Ended,
    /// Everything was sent, or nobody waits for the rest.
    Finished,
}

impl Queue {
    pub fn new(core: Arc<Core>) -> Self {
        Self { core, state: Mutex::default(), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for all that was recorded to be sent; gives the number of the wish.
    pub fn ask(&self) -> u64 {
        let mut state = self.state();
        state.asked += 1;
        state.asked
    }

    pub fn asked(&self) -> u64 {
        self.state().asked
    }

    /// What was recorded before a wish is queued.
    pub fn set_collected(&self, asked: u64) {
        let mut state = self.state();
        state.collected = (asked, state.last_number);
        self.changed.notify_all();
    }

    /// Tells of something that is wrong.
    pub fn set_problem(&self, problem: String) {
        self.state().last = Some(problem);
    }

    /// What the last attempt to send met with.
    pub fn last_problem(&self) -> Option<String> {
        self.state().last.clone()
    }

    /// Queues a batch. When there is no room, the oldest goes of what is least important.
    pub fn push(&self, mut batch: Batch) {
        // It may wait for long, and what it does not use is for others.
        batch.records.shrink_to_fit();
        let mut state = self.state();
        state.last_number += 1;
        let number = state.last_number;
        self.insert(&mut state, number, batch);
        self.changed.notify_all();
    }

    /// Queues a batch where its number belongs, and makes room.
    fn insert(&self, state: &mut State, number: u64, batch: Batch) {
        state.bytes += batch.records.capacity();
        let at = state.batches.partition_point(|(known, _)| *known < number);
        state.batches.insert(at, (number, batch));
        let most = self.core.limits.memory_bytes / 2;
        while state.bytes > most
            && let Some(least) = state.batches.iter().map(|(_, batch)| batch.signal).max()
            && let Some(oldest) = state.batches.iter().position(|(_, batch)| batch.signal == least)
            && let Some((_, oldest)) = state.batches.remove(oldest)
        {
            state.bytes -= oldest.records.capacity();
            self.core.counters.of(least).discarded.fetch_add(oldest.count, Ordering::Release);
        }
    }

    /// No more batches come.
    pub fn end(&self) {
        self.enter(Phase::Ended);
    }

    fn enter(&self, phase: Phase) {
        let mut state = self.state();
        state.phase = state.phase.max(phase);
        if state.phase == Phase::Finished {
            self.core.finish();
        }
        self.changed.notify_all();
    }

    /// Waits until the server has answered for what was recorded before a wish.
    pub fn wait_for(&self, number: u64, deadline: Duration) -> Result<(), FlushError> {
        self.wait_until(deadline, |state| {
            let (collected, last) = state.collected;
            let first = state.sending.or(state.batches.front().map(|(number, _)| *number));
            collected >= number && first.is_none_or(|first| first > last)
        })
    }

    /// Waits until all is sent. After the deadline the rest is given up.
    pub fn wait_for_end(&self, deadline: Duration) -> Result<(), FlushError> {
        let waited = self.wait_until(deadline, |_| false);
        if let Err(error) = &waited {
            self.state().given_up.get_or_insert_with(|| error.clone());
            self.enter(Phase::Finished);
        }
        waited
    }

    /// Waits until something is done, or everything is.
    fn wait_until(&self, deadline: Duration, is_done: impl Fn(&State) -> bool) -> Result<(), FlushError> {
        let mut done = false;
        let waited = self.changed.wait_timeout_while(self.state(), deadline, |state| {
            done = state.phase == Phase::Finished || is_done(state);
            !done
        });
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        match (&state.given_up, done) {
            (Some(error), _) => Err(error.clone()),
            (None, true) => Ok(()),
            (None, false) => Err(FlushError { deadline, waiting: self.core.waiting(), last: state.last.clone() }),
        }
    }

    /// Sends batches until no more come.
    pub fn send_all(&self, target: &Target) {
        while let Some((number, batch)) = self.next() {
            let answer = target.send(batch.signal, &target.body(&batch.records));
            let mut state = self.state();
            state.sending = None;
            self.take_answer(&mut state, number, batch, answer);
            self.changed.notify_all();
        }
        self.enter(Phase::Finished);
    }

    /// The first batch of a signal that does not pause; `None` at the end.
    fn next(&self) -> Option<(u64, Batch)> {
        let mut state = self.state();
        loop {
            if state.phase == Phase::Finished || state.phase == Phase::Ended && state.batches.is_empty() {
                return None;
            }
            let now = Instant::now();
            let State { batches, retries, .. } = &*state;
            let pause = |batch: &Batch| retries.of(batch.signal).map_or(Duration::ZERO, |retry| retry.at - now);
            let pauses = batches.iter().map(|(_, batch)| pause(batch)).enumerate();
            match pauses.min_by_key(|(_, pause)| *pause) {
                Some((first, Duration::ZERO)) => {
                    let (number, batch) = state.batches.remove(first)?;
                    state.bytes -= batch.records.capacity();
                    state.sending = Some(number);
                    return Some((number, batch));
                }
                Some((_, pause)) => {
                    let waited = self.changed.wait_timeout(state, pause);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    /// Counts what became of a batch, or queues it again. Other signals do not wait for one that is not taken.
    fn take_answer(&self, state: &mut State, number: u64, batch: Batch, answer: Answer) {
        let counters = self.core.counters.of(batch.signal);
        let (rejected, message) = match answer {
            Answer::Accepted { rejected, message } => (rejected.min(batch.count), message),
            Answer::Refused(message) => (batch.count, message),
            Answer::Later { after, message } => {
                let pause = state.retries.of(batch.signal).map_or(FIRST_PAUSE, |retry| retry.pause);
                // Programs that began together shall not come back together.
                let jitter = self.core.clock.now().unix_nanos(0) % 512;
                let wait = pause.mul_f64(0.75 + jitter as f64 / 1024.0).max(after.unwrap_or_default());
                let retry = Retry { at: Instant::now() + wait, pause: (pause * 2).min(LONGEST_PAUSE) };
                *state.retries.of_mut(batch.signal) = Some(retry);
                state.last = Some(message);
                return self.insert(state, number, batch);
            }
        };
        *state.retries.of_mut(batch.signal) = None;
        counters.rejected.fetch_add(rejected, Ordering::Release);
        counters.sent.fetch_add(batch.count - rejected, Ordering::Release);
        if rejected > 0 {
            state.last = Some(message);
        }
    }
}
