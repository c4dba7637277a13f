//! What readers see, and the only place where it changes: rows in memory and files are exchanged in one step, so
//! that no reader meets a row twice or misses it.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use glasshouse_model::Timestamp;
use glasshouse_tables::{Batches, DataFile, Snapshot};
use tokio::sync::Notify;

use crate::hot::{Frozen, Generation};

/// The present state of the lake in memory.
#[derive(Debug, Default)]
pub(crate) struct View {
    state: Mutex<State>,
    /// Told when a generation was frozen.
    pub frozen: Notify,
}

#[derive(Debug, Default)]
struct State {
    active: Active,
    frozen: VecDeque<Arc<Frozen>>,
    snapshot: i64,
    files: Arc<Vec<Arc<DataFile>>>,
    /// Files of earlier snapshots that someone may still read.
    earlier: Vec<Weak<Vec<Arc<DataFile>>>>,
    cached: Option<Arc<Snapshot>>,
}

#[derive(Debug, Default)]
struct Active {
    parts: Vec<Arc<Batches>>,
    bytes: usize,
    /// When the oldest and the newest of its rows were accepted.
    since: Option<(Timestamp, Timestamp)>,
}

/// How much waits in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waiting {
    /// Bytes of rows that are still being gathered.
    pub active_bytes: usize,
    /// When the oldest and the newest of those were accepted.
    pub active_since: Option<(Timestamp, Timestamp)>,
    /// Generations that are being flushed or wait for it.
    pub frozen: usize,
    /// Their bytes.
    pub frozen_bytes: usize,
}

impl View {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing that may panic runs under this lock")
    }

    /// The present.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        let mut state = self.state();
        if let Some(cached) = &state.cached {
            return Arc::clone(cached);
        }
        let frozen = state.frozen.iter().flat_map(|frozen| &frozen.parts);
        let snapshot = Arc::new(Snapshot {
            id: state.snapshot,
            hot: frozen.chain(&state.active.parts).cloned().collect(),
            files: Arc::clone(&state.files),
        });
        state.cached = Some(Arc::clone(&snapshot));
        snapshot
    }

    /// Shows what the active generation holds now.
    pub(crate) fn show_active(&self, generation: &Generation, now: Timestamp) {
        let (parts, bytes) = (generation.parts(), generation.bytes());
        let mut state = self.state();
        let first = state.active.since.map_or(now, |(first, _)| first);
        let since = (!generation.is_empty()).then_some((first, now));
        let outdated = std::mem::replace(&mut state.active, Active { parts, bytes, since });
        let outdated = (outdated, state.cached.take());
        drop(state);
        // Freeing batches takes time, which is not spent under the lock.
        drop(outdated);
    }

    /// Moves the active rows to a frozen generation.
    pub(crate) fn freeze(&self, frozen: Frozen) {
        let mut state = self.state();
        state.active = Active::default();
        state.frozen.push_back(Arc::new(frozen));
        state.cached = None;
        drop(state);
        self.frozen.notify_one();
    }

    /// The oldest generation that is not in files.
    pub(crate) fn oldest_frozen(&self) -> Option<Arc<Frozen>> {
        self.state().frozen.front().cloned()
    }

    /// Shows other files; those of the oldest frozen generation are among them when `flushed`.
    pub(crate) fn show_files(&self, snapshot: i64, files: Vec<Arc<DataFile>>, flushed: bool) {
        let mut state = self.state();
        state.snapshot = snapshot;
        let outdated_files = std::mem::replace(&mut state.files, Arc::new(files));
        state.earlier.retain(|files| files.strong_count() > 0);
        state.earlier.push(Arc::downgrade(&outdated_files));
        let flushed = if flushed { state.frozen.pop_front() } else { None };
        let outdated = (outdated_files, flushed, state.cached.take());
        drop(state);
        drop(outdated);
    }

    /// The files and the catalog's snapshot that they come from.
    pub(crate) fn files(&self) -> (i64, Arc<Vec<Arc<DataFile>>>) {
        let state = self.state();
        (state.snapshot, Arc::clone(&state.files))
    }

    /// Which of some files are shown, or read by someone as part of an earlier snapshot.
    pub(crate) fn in_use(&self, paths: &[String]) -> HashSet<String> {
        let state = self.state();
        let lists: Vec<_> = state.earlier.iter().filter_map(Weak::upgrade).chain([Arc::clone(&state.files)]).collect();
        drop(state);
        let paths: HashSet<&str> = paths.iter().map(String::as_str).collect();
        let used = lists.iter().flat_map(|files| files.iter()).filter(|file| paths.contains(file.path.as_str()));
        used.map(|file| file.path.clone()).collect()
    }

    pub(crate) fn waiting(&self) -> Waiting {
        let state = self.state();
        Waiting {
            active_bytes: state.active.bytes,
            active_since: state.active.since,
            frozen: state.frozen.len(),
            frozen_bytes: state.frozen.iter().map(|frozen| frozen.bytes).sum(),
        }
    }
}
