//! What works and what does not, and how much was done: for the readiness answer and for Prometheus.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use glasshouse_tables::ports::PartState;

/// A part of the lake that can fail on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Wal,
    Catalog,
    ObjectStore,
    Compaction,
}

impl Part {
    const ALL: [Self; 4] = [Self::Wal, Self::Catalog, Self::ObjectStore, Self::Compaction];

    fn name(self) -> &'static str {
        match self {
            Self::Wal => "wal",
            Self::Catalog => "catalog",
            Self::ObjectStore => "object_store",
            Self::Compaction => "compaction",
        }
    }
}

/// The present problem of each part.
#[derive(Debug, Default)]
pub(crate) struct Health {
    problems: Mutex<[Option<String>; Part::ALL.len()]>,
}

impl Health {
    /// Notes a problem; it is logged when it is new.
    pub(crate) fn failed(&self, part: Part, problem: String) {
        let mut problems = self.problems.lock().expect("nothing that may panic runs under this lock");
        let slot = &mut problems[part as usize];
        if slot.as_ref() != Some(&problem) {
            tracing::error!(part = part.name(), "{problem}");
            *slot = Some(problem);
        }
    }

    /// Notes that a part works.
    pub(crate) fn works(&self, part: Part) {
        let mut problems = self.problems.lock().expect("nothing that may panic runs under this lock");
        if problems[part as usize].take().is_some() {
            tracing::info!(part = part.name(), "works again");
        }
    }

    pub(crate) fn is_working(&self, part: Part) -> bool {
        self.problems.lock().expect("nothing that may panic runs under this lock")[part as usize].is_none()
    }

    pub(crate) fn parts(&self) -> Vec<PartState> {
        let problems = self.problems.lock().expect("nothing that may panic runs under this lock");
        Part::ALL
            .into_iter()
            .zip(problems.iter())
            .map(|(part, problem)| PartState {
                part: part.name(),
                // What is accepted is in the log; everything else may come later.
                is_needed_to_accept: part == Part::Wal,
                problem: problem.clone(),
            })
            .collect()
    }
}

/// A figure that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, amount: u64) {
        self.0.fetch_add(amount, Ordering::Relaxed);
    }

    /// Adds a time, in nanoseconds.
    pub(crate) fn add_time(&self, time: Duration) {
        self.add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What was done since the start.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub requests: Counter,
    pub redelivered: Counter,
    pub rows: Counter,
    pub wal_bytes: Counter,
    pub wal_syncs: Counter,
    pub wal_failures: Counter,
    pub wal_damages: Counter,
    pub flushes: Counter,
    pub flush_failures: Counter,
    pub flush_nanos: Counter,
    pub flushed_rows: Counter,
    pub flushed_bytes: Counter,
    pub merges: Counter,
    pub merge_nanos: Counter,
    pub merged_rows: Counter,
    pub merged_bytes: Counter,
    pub duplicates: Counter,
    pub expired_files: Counter,
    pub deleted_files: Counter,
}
