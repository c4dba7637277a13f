//! What is sent, and how much of it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Kinds of records, the most important first: when memory is short, the last go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Signal {
    Logs,
    Metrics,
    Spans,
}

impl Signal {
    pub const ALL: [Self; 3] = [Self::Logs, Self::Metrics, Self::Spans];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::Metrics => "metrics",
            Self::Spans => "traces",
        }
    }

    /// Where OTLP over HTTP takes it.
    pub fn path(self) -> &'static str {
        match self {
            Self::Logs => "/v1/logs",
            Self::Metrics => "/v1/metrics",
            Self::Spans => "/v1/traces",
        }
    }
}

/// Something of each signal.
#[derive(Debug, Default)]
pub(crate) struct PerSignal<T>([T; 3]);

impl<T> PerSignal<T> {
    pub fn of(&self, signal: Signal) -> &T {
        &self.0[signal as usize]
    }

    pub fn of_mut(&mut self, signal: Signal) -> &mut T {
        &mut self.0[signal as usize]
    }
}

/// What became of records.
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
    /// On disk.
    pub spilled: AtomicU64,
}

/// What became of what was recorded: `recorded` is the sum of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// What was recorded: spans that ended, log records, data points of metrics.
    pub recorded: u64,
    /// Of that, what the server accepted.
    pub sent: u64,
    /// What the server refused.
    pub rejected: u64,
    /// What was not kept: there was no memory for it, or no time before the end.
    pub dropped: u64,
    /// What is on disk: it is sent when that is possible, by this tracer or by one that comes after it.
    pub spilled: u64,
    /// What is still to be sent, in memory.
    pub waiting: u64,
}

impl Counters {
    /// What is known; `recorded` is asked for last, so that it is not less than the sum of the others. After the end
    /// nothing waits any more.
    pub fn counts(&self, is_finished: bool, recorded: impl FnOnce() -> u64) -> Counts {
        let count = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        let (sent, rejected) = (count(&self.sent), count(&self.rejected));
        let mut dropped = count(&self.overflowed) + count(&self.discarded);
        let spilled = count(&self.spilled);
        let recorded = recorded();
        let mut waiting = recorded.saturating_sub(sent + rejected + dropped + spilled);
        if is_finished {
            dropped += std::mem::take(&mut waiting);
        }
        Counts { recorded, sent, rejected, dropped, spilled, waiting }
    }
}

/// What became of all that a tracer recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Statistics {
    /// Spans that ended and were kept.
    pub spans: Counts,
    /// Log records.
    pub logs: Counts,
    /// Data points of metrics.
    pub metrics: Counts,
}
