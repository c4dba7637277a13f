use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use glasshouse_files::FileCache;
use glasshouse_model::{LogRecord, Trace, TraceFilter, TraceId, TracePage};
use glasshouse_tables::SnapshotSource;
use glasshouse_tables::ports::{QueryError, TraceStore};

use crate::error::Failure;
use crate::processes::Processes;
use crate::search::search;
use crate::source::Absent;
use crate::{logs, spans, trace};

/// Answers the point questions from the present snapshot of a lake.
#[derive(Clone)]
pub struct Traces {
    snapshots: Arc<dyn SnapshotSource>,
    files: FileCache,
    processes: Arc<Processes>,
    absent: Arc<Absent>,
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").finish_non_exhaustive()
    }
}

impl Traces {
    /// Reads the lake's files through `files`.
    pub fn new(snapshots: Arc<dyn SnapshotSource>, files: FileCache) -> Self {
        Self { snapshots, files, processes: Arc::default(), absent: Arc::default() }
    }
}

#[async_trait]
impl TraceStore for Traces {
    async fn find_traces(&self, filter: &TraceFilter) -> Result<TracePage, QueryError> {
        let (this, filter, snapshot) = (self.clone(), filter.clone(), self.snapshots.snapshot());
        blocking(move |stop| search(&snapshot, &this.files, &this.processes, &this.absent, &filter, stop)).await
    }

    async fn trace(&self, trace_id: TraceId) -> Result<Option<Trace>, QueryError> {
        let snapshot = self.snapshots.snapshot();
        // Decoding the columns takes nearly all the time, so two threads share them.
        let rows = |columns| {
            let (this, snapshot) = (self.clone(), Arc::clone(&snapshot));
            blocking(move |stop| trace::rows(&snapshot, &this.files, trace_id, columns, stop))
        };
        let details = {
            let (this, snapshot) = (self.clone(), Arc::clone(&snapshot));
            blocking(move |stop| trace::details(&snapshot, &this.files, trace_id, stop))
        };
        let (found, attributes, details) = tokio::try_join!(rows(spans::COLUMNS), rows(spans::ATTRIBUTES), details)?;
        if found.is_empty() {
            return Ok(None);
        }
        let this = self.clone();
        blocking(move |_| {
            let spans = spans::load(&found, &attributes)?;
            trace::assemble(trace_id, spans, details, |ids| this.processes.find(&snapshot, &this.files, ids)).map(Some)
        })
        .await
    }

    async fn trace_logs(&self, trace_id: TraceId, limit: usize) -> Result<Vec<LogRecord>, QueryError> {
        let (this, snapshot) = (self.clone(), self.snapshots.snapshot());
        blocking(move |stop| logs::of_trace(&snapshot, &this.files, trace_id, limit, stop)).await
    }
}

/// Set when nobody waits for the answer any more.
#[derive(Debug, Default)]
pub(crate) struct Stop(AtomicBool);

impl Stop {
    /// Fails when the work should end.
    pub fn check(&self) -> Result<(), Failure> {
        if self.0.load(Ordering::Relaxed) { Err(Failure::Stopped) } else { Ok(()) }
    }
}

/// Runs work where it may block; when the caller goes away, the work is told to stop.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce(&Stop) -> Result<T, Failure> + Send + 'static,
) -> Result<T, QueryError> {
    struct StopOnDrop(Arc<Stop>);
    impl Drop for StopOnDrop {
        fn drop(&mut self) {
            self.0.0.store(true, Ordering::Relaxed);
        }
    }
    let guard = StopOnDrop(Arc::default());
    let stop = Arc::clone(&guard.0);
    let done = tokio::task::spawn_blocking(move || work(&stop)).await;
    match done {
        Ok(answer) => answer.map_err(|failure| QueryError::Failed(failure.to_string())),
        Err(panic) => Err(QueryError::Failed(format!("the search failed: {panic}"))),
    }
}
