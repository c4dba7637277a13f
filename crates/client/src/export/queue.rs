//! What waits to be sent.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::target::{Answer, Target};
use crate::core::Core;
use crate::error::FlushError;

/// Between the first attempt and the second, twice as long each time …
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// … up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Records for a request.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Fields of `ScopeSpans`.
    pub spans: Vec<u8>,
    /// How many.
    pub count: u64,
}

#[derive(Debug)]
pub(super) struct Queue {
    core: Arc<Core>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    batches: VecDeque<Batch>,
    bytes: usize,
    is_sending: bool,
    /// Flushes that were asked for; those that all was collected for.
    asked: u64,
    collected: u64,
    phase: Phase,
    /// What the last attempt met with.
    last: Option<String>,
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

    pub fn collected(&self) -> u64 {
        self.state().collected
    }

    /// What was recorded before a wish is queued.
    pub fn set_collected(&self, asked: u64) {
        let mut state = self.state();
        if state.collected < asked {
            state.collected = asked;
            self.changed.notify_all();
        }
    }

    /// Queues a batch; what is oldest goes when there is no room.
    pub fn push(&self, batch: Batch) {
        let mut state = self.state();
        state.bytes += batch.spans.len();
        state.batches.push_back(batch);
        let most = self.core.limits.memory_bytes / 2;
        while state.bytes > most
            && let Some(oldest) = state.batches.pop_front()
        {
            state.bytes -= oldest.spans.len();
            self.core.counters.discarded.fetch_add(oldest.count, Ordering::Relaxed);
        }
        self.changed.notify_all();
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

    /// Waits until what was recorded before a wish is sent.
    pub fn wait_for(&self, number: u64, deadline: Duration) -> Result<(), FlushError> {
        let is_done = |state: &State| {
            state.phase == Phase::Finished
                || (state.collected >= number && state.batches.is_empty() && !state.is_sending)
        };
        self.wait_until(deadline, is_done).map(drop)
    }

    /// Waits until all is sent and the threads have ended. After the deadline the rest is given up.
    pub fn wait_for_end(&self, deadline: Duration) -> Result<(), FlushError> {
        let waited = self.wait_until(deadline, |state| state.phase == Phase::Finished).map(drop);
        if waited.is_err() {
            self.enter(Phase::Finished);
        }
        waited
    }

    fn wait_until(
        &self,
        deadline: Duration,
        is_done: impl Fn(&State) -> bool,
    ) -> Result<MutexGuard<'_, State>, FlushError> {
        let waited = self.changed.wait_timeout_while(self.state(), deadline, |state| !is_done(state));
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if is_done(&state) {
            return Ok(state);
        }
        Err(FlushError { deadline, waiting: self.core.statistics().waiting, last: state.last.clone() })
    }

    /// Sends batches until no more come.
    pub fn send_all(&self, target: &Target) {
        while let Some(batch) = self.next() {
            let answer = self.send(target, &batch);
            let counters = &self.core.counters;
            match answer {
                Some(rejected) => {
                    let rejected = rejected.min(batch.count);
                    counters.rejected.fetch_add(rejected, Ordering::Relaxed);
                    counters.sent.fetch_add(batch.count - rejected, Ordering::Relaxed);
                }
                None => {
                    counters.discarded.fetch_add(batch.count, Ordering::Relaxed);
                }
            }
            self.state().is_sending = false;
            self.changed.notify_all();
        }
        self.enter(Phase::Finished);
    }

    fn next(&self) -> Option<Batch> {
        let is_idle = |state: &mut State| state.batches.is_empty() && state.phase == Phase::Open;
        let waited = self.changed.wait_while(self.state(), is_idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.phase == Phase::Finished {
            return None;
        }
        let batch = state.batches.pop_front()?;
        state.bytes -= batch.spans.len();
        state.is_sending = true;
        Some(batch)
    }

    /// Sends a batch, as often as it takes: gives how many spans were rejected. `None` when it was given up.
    fn send(&self, target: &Target, batch: &Batch) -> Option<u64> {
        let body = target.body(&batch.spans);
        let mut pause = FIRST_PAUSE;
        loop {
            let (wait, problem) = match target.send(&body) {
                Answer::Accepted { rejected: 0, .. } => return Some(0),
                Answer::Accepted { rejected, message } => {
                    self.state().last = Some(message);
                    return Some(rejected);
                }
                Answer::Refused(message) => {
                    self.state().last = Some(message);
                    return Some(batch.count);
                }
                Answer::Later { after, message } => (after, message),
            };
            // Programs that began together shall not come back together.
            let jitter = self.core.clock.now().unix_nanos(0) % 512;
            let wait = wait.unwrap_or_else(|| pause.mul_f64(0.75 + jitter as f64 / 1024.0));
            pause = (pause * 2).min(LONGEST_PAUSE);
            let mut state = self.state();
            state.last = Some(problem);
            let waited = self.changed.wait_timeout_while(state, wait, |state| state.phase != Phase::Finished);
            let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
            if state.phase == Phase::Finished {
                return None;
            }
        }
    }
}
