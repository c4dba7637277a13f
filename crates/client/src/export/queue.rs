//! What waits to be sent.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::spill::{LOOK, Spill, Spilled};
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
    target: Target,
    /// Where requests wait for which there is no memory; `None` when that is not wanted, and at the end. It is locked after
    /// the state, when both are.
    spill: Mutex<Option<Spill>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Batches with their numbers, ascending.
    batches: VecDeque<(u64, Batch)>,
    bytes: usize,
    /// Batches that are being put away.
    away: usize,
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
    pub fn new(core: Arc<Core>, target: Target, spill: Option<Spill>) -> Self {
        Self { core, target, spill: Mutex::new(spill), state: Mutex::default(), changed: Condvar::new() }
    }

    fn spill(&self) -> MutexGuard<'_, Option<Spill>> {
        self.spill.lock().unwrap_or_else(PoisonError::into_inner)
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
        let evicted = self.insert(&mut state, number, batch);
        self.changed.notify_all();
        drop(state);
        self.put_evicted_away(evicted);
    }

    /// Queues a batch where its number belongs; gives those for which there is no room then.
    fn insert(&self, state: &mut State, number: u64, batch: Batch) -> Vec<Batch> {
        state.bytes += batch.records.capacity();
        let at = state.batches.partition_point(|(known, _)| *known < number);
        state.batches.insert(at, (number, batch));
        let most = self.core.limits.memory_bytes / 2;
        let mut evicted = Vec::new();
        while state.bytes > most
            && let Some(least) = state.batches.iter().map(|(_, batch)| batch.signal).max()
            && let Some(oldest) = state.batches.iter().position(|(_, batch)| batch.signal == least)
            && let Some((_, oldest)) = state.batches.remove(oldest)
        {
            state.bytes -= oldest.records.capacity();
            evicted.push(oldest);
        }
        state.away += evicted.len();
        evicted
    }

    /// Puts batches away for which there was no room.
    fn put_evicted_away(&self, evicted: Vec<Batch>) {
        if evicted.is_empty() {
            return;
        }
        let count = evicted.len();
        self.put_away(evicted);
        self.state().away -= count;
        self.changed.notify_all();
    }

    /// Writes batches to disk, if that is wanted, or drops them.
    fn put_away(&self, batches: Vec<Batch>) {
        for batch in batches {
            let counters = self.core.counters.of(batch.signal);
            let written = self.spill().as_mut().map(|spill| {
                spill.write(batch.signal, batch.count, &self.target.body(&batch.records))?;
                // Before somebody else can take it.
                counters.spilled.fetch_add(batch.count, Ordering::Release);
                Ok::<_, io::Error>(())
            });
            if let Some(Ok(())) = written {
                continue;
            }
            counters.discarded.fetch_add(batch.count, Ordering::Release);
            if let Some(Err(error)) = written {
                self.set_problem(format!("cannot write to disk what waits: {error}"));
            }
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
            let is_spilled = || self.spill().as_ref().is_some_and(Spill::has_ours);
            collected >= number && first.is_none_or(|first| first > last) && state.away == 0 && !is_spilled()
        })
    }

    /// Waits until all is sent. After the deadline the rest is given up.
    pub fn wait_for_end(&self, deadline: Duration) -> Result<(), FlushError> {
        let waited = self.wait_until(deadline, |_| false);
        if let Err(error) = &waited {
            let mut state = self.state();
            state.given_up.get_or_insert_with(|| error.clone());
            let rest = std::mem::take(&mut state.batches);
            drop(state);
            // Without a disk it is counted as dropped, as is what is on its way.
            if self.spill().is_some() {
                self.put_away(rest.into_iter().map(|(_, batch)| batch).collect());
            }
            // Others may take it over.
            self.spill().take();
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
    pub fn send_all(&self) {
        while let Some(work) = self.next() {
            match work {
                Work::Batch(number, batch) => self.send_batch(number, batch),
                Work::Spilled(spilled) => self.send_spilled(spilled),
            }
            self.changed.notify_all();
        }
        self.spill().take();
        self.enter(Phase::Finished);
    }

    /// The first of a signal that does not pause: of our own first those on disk, which are older; then what others left.
    /// `None` at the end, for which only our own counts.
    fn next(&self) -> Option<Work> {
        loop {
            if let Some(spill) = &mut *self.spill() {
                spill.look_again();
            }
            let mut state = self.state();
            let now = Instant::now();
            let State { batches, retries, phase, .. } = &*state;
            let (is_open, is_ended) = (*phase == Phase::Open, *phase == Phase::Ended);
            if *phase == Phase::Finished {
                return None;
            }
            let pause = |signal: Signal| retries.of(signal).map_or(Duration::ZERO, |retry| retry.at - now);
            let is_due = |spilled: &Spilled| pause(spilled.signal).is_zero();
            let mut pauses: Vec<Duration> = batches.iter().map(|(_, batch)| pause(batch.signal)).collect();
            let first = pauses.iter().position(Duration::is_zero);
            // Who writes there tells when it has.
            let mut on_disk = self.spill.try_lock().ok();
            let mut spill = on_disk.as_mut().and_then(|spill| spill.as_mut());
            let ours = spill.as_mut().and_then(|spill| spill.take(|spilled| spilled.is_ours && is_due(spilled)));
            if let Some(spilled) = ours {
                // It is from before all that has a number.
                state.sending = Some(0);
                return Some(Work::Spilled(spilled));
            }
            if let Some(first) = first {
                let (number, batch) = state.batches.remove(first)?;
                state.bytes -= batch.records.capacity();
                state.sending = Some(number);
                return Some(Work::Batch(number, batch));
            }
            if let Some(spill) = spill {
                let left = if is_open { spill.take(|spilled| !spilled.is_ours && is_due(spilled)) } else { None };
                if let Some(spilled) = left {
                    return Some(Work::Spilled(spilled));
                }
                pauses.extend(spill.signals(|spilled| is_open || spilled.is_ours).map(pause));
                if is_open {
                    pauses.push(LOOK);
                }
            }
            drop(on_disk);
            let waited = match pauses.into_iter().min() {
                Some(pause) => self.changed.wait_timeout(state, pause).map(|(state, _)| state).ok(),
                None if is_ended && state.away == 0 => return None,
                None => self.changed.wait(state).ok(),
            };
            drop(waited);
        }
    }

    fn send_batch(&self, number: u64, batch: Batch) {
        let answer = self.target.send(batch.signal, &self.target.body(&batch.records));
        let mut state = self.state();
        state.sending = None;
        let evicted = match self.take_answer(&mut state, batch.signal, answer) {
            Some(rejected) => {
                self.count(batch.signal, batch.count, rejected);
                Vec::new()
            }
            None => self.insert(&mut state, number, batch),
        };
        drop(state);
        self.put_evicted_away(evicted);
    }

    fn send_spilled(&self, spilled: Spilled) {
        let answer = match spilled.read() {
            Ok(request) => self.target.send(spilled.signal, &request),
            Err(error) => {
                let message = format!("cannot read from disk what waited: {error}");
                Answer::Later { after: None, message }
            }
        };
        // Another one may be allowed to what this one is not.
        let is_left = !spilled.is_ours && matches!(answer, Answer::Refused { is_for_good: false, .. });
        let answered = self.take_answer(&mut self.state(), spilled.signal, answer);
        // When it is too late, the file is for others.
        if let Some(spill) = &mut *self.spill() {
            match answered {
                None => spill.put_back(spilled),
                Some(_) if is_left => spill.leave(&spilled),
                Some(rejected) => {
                    spill.remove(&spilled);
                    if spilled.is_ours {
                        // They are not counted twice meanwhile.
                        self.core.counters.of(spilled.signal).spilled.fetch_sub(spilled.count, Ordering::Release);
                        self.count(spilled.signal, spilled.count, rejected);
                    }
                }
            }
        }
        self.state().sending = None;
    }

    /// Counts what became of so many records, of which so many were rejected.
    fn count(&self, signal: Signal, count: u64, rejected: u64) {
        let (counters, rejected) = (self.core.counters.of(signal), rejected.min(count));
        counters.rejected.fetch_add(rejected, Ordering::Release);
        counters.sent.fetch_add(count - rejected, Ordering::Release);
    }

    /// How many records were rejected; `None` when they are to be sent later. Other signals do not wait for one that is not
    /// taken.
    fn take_answer(&self, state: &mut State, signal: Signal, answer: Answer) -> Option<u64> {
        let (rejected, message) = match answer {
            Answer::Accepted { rejected, message } => (rejected, message),
            Answer::Refused { message, .. } => (u64::MAX, message),
            Answer::Later { after, message } => {
                let pause = state.retries.of(signal).map_or(FIRST_PAUSE, |retry| retry.pause);
                // Programs that began together shall not come back together.
                let jitter = self.core.clock.now().unix_nanos(0) % 512;
                let wait = pause.mul_f64(0.75 + jitter as f64 / 1024.0).max(after.unwrap_or_default());
                let retry = Retry { at: Instant::now() + wait, pause: (pause * 2).min(LONGEST_PAUSE) };
                *state.retries.of_mut(signal) = Some(retry);
                state.last = Some(message);
                return None;
            }
        };
        *state.retries.of_mut(signal) = None;
        if rejected > 0 {
            state.last = Some(message);
        }
        Some(rejected)
    }
}

/// What is to be sent next.
enum Work {
    /// With its number.
    Batch(u64, Batch),
    Spilled(Spilled),
}
