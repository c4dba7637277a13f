use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use glasshouse_files::FileCache;
use glasshouse_model::{
    AttributeSurvey, Differences, Heatmap, LogRecord, ServiceMap, Span, SpanId, SpanSelection, SpanSeries,
    TimelineRequest, Trace, TraceFilter, TraceId, TraceOutline, TracePage, TraceProcess,
};
use glasshouse_tables::ports::{QueryError, TraceStore};
use glasshouse_tables::{Snapshot, SnapshotSource};

use crate::error::Failure;
use crate::kind::{KindRule, KindRules};
use crate::processes::Processes;
use crate::search::search;
use crate::source::Absent;
use crate::timeline::Timeline;
use crate::{logs, outline, services, spans, spread, trace};

/// Memory for all answers together, in bytes, unless told otherwise.
const MEMORY: usize = 256 << 20;
/// Bytes that an answer takes, at last, for each byte of the columns that it is made of.
const GROWTH: usize = 3;

/// Answers the point questions from the present snapshot of a lake.
#[derive(Clone)]
pub struct Traces {
    snapshots: Arc<dyn SnapshotSource>,
    pub(crate) files: FileCache,
    pub(crate) processes: Arc<Processes>,
    pub(crate) absent: Arc<Absent>,
    pub(crate) kinds: Arc<KindRules>,
    /// Bytes that answers may still take.
    memory: Arc<AtomicUsize>,
}

impl fmt::Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").finish_non_exhaustive()
    }
}

impl Traces {
    /// Reads the lake's files through `files`.
    pub fn new(snapshots: Arc<dyn SnapshotSource>, files: FileCache) -> Self {
        let memory = Arc::new(AtomicUsize::new(MEMORY));
        Self { snapshots, files, processes: Arc::default(), absent: Arc::default(), kinds: Arc::default(), memory }
    }

    /// Sets how much memory all answers together may take, in bytes. One that needs more fails.
    #[must_use]
    pub fn with_memory(self, bytes: usize) -> Self {
        Self { memory: Arc::new(AtomicUsize::new(bytes)), ..self }
    }

    /// Adds rules that say of what kind a trace is. They come before the usual ones, and the first that fits a span
    /// counts. A trace is of the kind of its root span; when no rule fits that, of the kind of all its spans.
    #[must_use]
    pub fn with_kind_rules(self, rules: Vec<KindRule>) -> Self {
        Self { kinds: Arc::new(KindRules::new(rules)), ..self }
    }

    /// The present rows of a process or of a trace in order of time.
    pub fn timeline(&self, request: TimelineRequest) -> Timeline {
        Timeline::new(self.snapshots.snapshot(), self.files.clone(), Arc::clone(&self.processes), request)
    }

    /// Answers a question of one step from the present snapshot.
    async fn point<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &Snapshot, &Stop) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, QueryError> {
        let (this, snapshot) = (self.clone(), self.snapshots.snapshot());
        blocking(&self.answer(), move |stop| work(&this, &snapshot, stop)).await
    }

    fn answer(&self) -> Arc<Answer> {
        Arc::new(Answer { memory: Arc::clone(&self.memory), held: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl TraceStore for Traces {
    async fn find_traces(&self, filter: &TraceFilter) -> Result<TracePage, QueryError> {
        let filter = filter.clone();
        self.point(move |this, snapshot, stop| search(this, snapshot, &filter, stop)).await
    }

    async fn trace(&self, trace_id: TraceId) -> Result<Option<Trace>, QueryError> {
        let snapshot = self.snapshots.snapshot();
        let answer = self.answer();
        // Decoding the columns takes nearly all the time, so two threads share them.
        let rows = |columns| {
            let (this, snapshot) = (self.clone(), Arc::clone(&snapshot));
            blocking(&answer, move |stop| trace::rows(&snapshot, &this.files, trace_id, columns, stop))
        };
        let details = {
            let (this, snapshot) = (self.clone(), Arc::clone(&snapshot));
            blocking(&answer, move |stop| trace::details(&snapshot, &this.files, trace_id, stop))
        };
        let (found, attributes, details) = tokio::try_join!(rows(spans::COLUMNS), rows(spans::ATTRIBUTES), details)?;
        if found.is_empty() {
            return Ok(None);
        }
        let this = self.clone();
        blocking(&answer, move |_| {
            let spans = spans::load(&found, &attributes)?;
            trace::assemble(trace_id, spans, details, |ids| this.processes.find(&snapshot, &this.files, ids)).map(Some)
        })
        .await
    }

    async fn outline(&self, trace_id: TraceId) -> Result<Option<TraceOutline>, QueryError> {
        self.point(move |this, snapshot, stop| outline::of_trace(snapshot, &this.files, trace_id, stop)).await
    }

    async fn find_spans(&self, trace_id: TraceId, text: &str, limit: usize) -> Result<Vec<SpanId>, QueryError> {
        let text = text.to_owned();
        self.point(move |this, snapshot, stop| outline::find_spans(snapshot, &this.files, trace_id, &text, limit, stop))
            .await
    }

    async fn span(
        &self,
        trace_id: TraceId,
        span_id: SpanId,
    ) -> Result<Option<(Span, Option<TraceProcess>)>, QueryError> {
        self.point(move |this, snapshot, stop| {
            let Some(span) = trace::span(snapshot, &this.files, trace_id, span_id, stop)? else { return Ok(None) };
            let process = this.processes.find(snapshot, &this.files, &[span.process_id])?.pop();
            Ok(Some((span, process)))
        })
        .await
    }

    async fn heatmap(&self, filter: &TraceFilter, columns: usize) -> Result<Heatmap, QueryError> {
        let filter = filter.clone();
        self.point(move |this, snapshot, stop| spread::heatmap(this, snapshot, &filter, columns, stop)).await
    }

    async fn differences(
        &self,
        filter: &TraceFilter,
        selection: &SpanSelection,
        limit: usize,
    ) -> Result<Differences, QueryError> {
        let (filter, selection) = (filter.clone(), *selection);
        self.point(move |this, snapshot, stop| spread::differences(this, snapshot, &filter, &selection, limit, stop))
            .await
    }

    async fn series(&self, filter: &TraceFilter, steps: usize) -> Result<SpanSeries, QueryError> {
        let filter = filter.clone();
        self.point(move |this, snapshot, stop| spread::series(this, snapshot, &filter, steps, stop)).await
    }

    async fn service_map(&self, filter: &TraceFilter) -> Result<ServiceMap, QueryError> {
        let filter = filter.clone();
        self.point(move |this, snapshot, stop| services::map(this, snapshot, &filter, stop)).await
    }

    async fn attributes(&self, filter: &TraceFilter) -> Result<AttributeSurvey, QueryError> {
        let filter = filter.clone();
        self.point(move |this, snapshot, stop| spread::attributes(this, snapshot, &filter, stop)).await
    }

    async fn trace_logs(
        &self,
        trace_id: TraceId,
        span_id: Option<SpanId>,
        limit: usize,
    ) -> Result<Vec<LogRecord>, QueryError> {
        self.point(move |this, snapshot, stop| logs::of_trace(snapshot, &this.files, trace_id, span_id, limit, stop))
            .await
    }
}

/// What an answer holds, given back when it is done.
#[derive(Debug)]
struct Answer {
    memory: Arc<AtomicUsize>,
    held: AtomicUsize,
}

impl Answer {
    fn take(&self, bytes: usize) -> Result<(), Failure> {
        self.memory
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes))
            .map_err(|_| Failure::TooLarge)?;
        self.held.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        self.held.fetch_sub(bytes, Ordering::Relaxed);
        self.memory.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        let held = *self.held.get_mut();
        self.give_back(held);
    }
}

/// Tells work when to end: when nobody waits for the answer any more, or when it grows too large.
#[derive(Debug)]
pub(crate) struct Stop {
    is_stopped: AtomicBool,
    answer: Arc<Answer>,
}

impl Stop {
    /// Fails when the work should end.
    pub fn check(&self) -> Result<(), Failure> {
        if self.is_stopped.load(Ordering::Relaxed) { Err(Failure::Stopped) } else { Ok(()) }
    }

    /// Counts bytes of columns that the answer is made of; fails when they are too many.
    pub fn hold(&self, bytes: usize) -> Result<(), Failure> {
        self.answer.take(bytes.saturating_mul(GROWTH))
    }

    /// Counts the memory of work that comes before the answer.
    pub fn scratch(&self) -> Scratch<'_> {
        Scratch { answer: &self.answer, bytes: 0 }
    }
}

/// Memory of a part of the work, given back when that is done.
#[derive(Debug)]
pub(crate) struct Scratch<'a> {
    answer: &'a Answer,
    bytes: usize,
}

impl Scratch<'_> {
    /// Counts bytes more; fails when they are too many.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Failure> {
        self.answer.take(bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Leaves the bytes with the answer.
    pub fn keep(mut self) {
        self.bytes = 0;
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        self.answer.give_back(self.bytes);
    }
}

/// Runs work where it may block; when the caller goes away, the work is told to stop.
async fn blocking<T: Send + 'static>(
    answer: &Arc<Answer>,
    work: impl FnOnce(&Stop) -> Result<T, Failure> + Send + 'static,
) -> Result<T, QueryError> {
    struct StopOnDrop(Arc<Stop>);
    impl Drop for StopOnDrop {
        fn drop(&mut self) {
            self.0.is_stopped.store(true, Ordering::Relaxed);
        }
    }
    let stop = Stop { is_stopped: AtomicBool::new(false), answer: Arc::clone(answer) };
    let guard = StopOnDrop(Arc::new(stop));
    let stop = Arc::clone(&guard.0);
    let done = tokio::task::spawn_blocking(move || work(&stop)).await;
    match done {
        Ok(answer) => answer.map_err(QueryError::from),
        Err(panic) => Err(QueryError::Failed(format!("the search failed: {panic}"))),
    }
}
