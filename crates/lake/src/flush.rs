//! Writes frozen generations to files, one after the other, and lets go of their part of the log.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;
use glasshouse_catalog::{Catalog, Commit};
use glasshouse_files::{FileColumns, FilesError, Store, WriteOptions, choose_shredded, write_sorted};
use glasshouse_model::{Clock, DurationNs};
use glasshouse_tables::{NewFile, Table};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::LakeError;
use crate::admission::Budget;
use crate::committer::Order;
use crate::curator::Changes;
use crate::health::{Counters, Health, Part};
use crate::hot::Frozen;
use crate::lock::FolderLock;
use crate::view::View;
use crate::wal::{RecentRequests, Segment, release};

/// How often is looked whether rows are old enough to be flushed.
const TICK: Duration = Duration::from_millis(250);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// How often a log that failed is tried, so that its health does not depend on somebody sending.
const PROBE: Duration = Duration::from_secs(5);

/// How far flushing has come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// The last sequence whose rows are in catalogued files.
    pub watermark: u64,
    /// Attempts that failed so far.
    pub failures: u64,
    /// Why the last one failed.
    pub problem: String,
}

/// The task's state.
#[derive(Debug)]
pub(crate) struct Flusher {
    pub store: Store,
    pub catalog: Catalog,
    pub writer: Uuid,
    pub changes: Changes,
    pub view: Arc<View>,
    pub orders: mpsc::Sender<Order>,
    pub budget: Arc<Budget>,
    pub recent: Arc<Mutex<RecentRequests>>,
    pub wal_dir: PathBuf,
    pub age: DurationNs,
    pub idle: DurationNs,
    pub progress: watch::Sender<Progress>,
    pub health: Arc<Health>,
    pub counters: Arc<Counters>,
    pub clock: Arc<dyn Clock>,
    pub stop: CancellationToken,
    /// Cancelled when orphans are deleted: only then may new files be begun.
    pub swept: CancellationToken,
    /// Segments whose rows are in files, and that could not be deleted yet.
    pub unreleased: Vec<Segment>,
    /// Nobody else may have the folder while this task may delete segments from it.
    pub _lock: Arc<FolderLock>,
}

impl Flusher {
    /// Works until stopped.
    pub(crate) async fn run(mut self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut probes = tokio::time::interval_at(tokio::time::Instant::now() + PROBE, PROBE);
        probes.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        tokio::select! {
            () = self.stop.cancelled() => return,
            () = self.swept.cancelled() => {}
        }
        loop {
            if self.stop.is_cancelled() {
                return;
            }
            if let Some(frozen) = self.view.oldest_frozen() {
                self.flush_until_done(&frozen).await;
                continue;
            }
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.view.frozen.notified() => {}
                _ = ticks.tick() => self.freeze_when_due().await,
                _ = probes.tick() => {
                    if !self.health.is_working(Part::Wal) {
                        self.release_log().await;
                    }
                }
            }
        }
    }

    /// Ends the active generation when its rows have waited long enough. While older ones cannot be flushed it
    /// keeps growing: many small generations would not help.
    async fn freeze_when_due(&self) {
        let Some((first, last)) = self.view.waiting().active_since else { return };
        let now = self.clock.now();
        if now - first >= self.age || now - last >= self.idle {
            let (done, frozen) = oneshot::channel();
            if self.orders.send(Order::Freeze(done)).await.is_ok() {
                // An error means that the lake is being shut down.
                let _ = frozen.await;
            }
        }
    }

    /// Tries until it succeeds or the lake stops: the rows stay in memory and in the log meanwhile.
    async fn flush_until_done(&mut self, frozen: &Frozen) {
        let started = Instant::now();
        let mut written = Vec::new();
        let mut tables = Table::ALL.into_iter().peekable();
        let mut pause = FIRST_PAUSE;
        while let Err(error) = self.flush(frozen, &mut tables, &mut written).await {
            if matches!(error, LakeError::ShuttingDown) {
                return;
            }
            self.counters.flush_failures.add(1);
            let problem = error.to_string();
            if !matches!(error, LakeError::Catalog(_)) {
                self.health.failed(Part::ObjectStore, problem.clone());
            }
            self.progress.send_modify(|progress| {
                progress.failures += 1;
                progress.problem = problem;
            });
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
            }
        }
        self.health.works(Part::ObjectStore);
        self.counters.flushes.add(1);
        self.counters.flush_nanos.add_time(started.elapsed());
        self.budget.flushed(frozen.bytes, started.elapsed());
        self.counters.flushed_rows.add(written.iter().map(|file| file.rows).sum());
        self.counters.flushed_bytes.add(written.iter().map(|file| file.bytes).sum());
        self.unreleased.extend(frozen.segments.iter().cloned());
        self.release_log().await;
        self.progress.send_modify(|progress| progress.watermark = frozen.last_sequence);
    }

    /// One attempt. What an earlier attempt wrote is not written again.
    async fn flush(
        &self,
        frozen: &Frozen,
        tables: &mut std::iter::Peekable<impl Iterator<Item = Table>>,
        written: &mut Vec<NewFile>,
    ) -> Result<(), LakeError> {
        while let Some(table) = tables.peek().copied() {
            let batches: Vec<_> = frozen.parts.iter().filter_map(|part| part.get(table)).cloned().collect();
            if !batches.is_empty() {
                written.extend(self.write(table, batches).await?);
            }
            tables.next();
        }
        let watermark = Some((self.writer, frozen.last_sequence));
        self.changes.commit(Commit { add: written.clone(), remove: Vec::new(), watermark }).await
    }

    async fn write(&self, table: Table, batches: Vec<RecordBatch>) -> Result<Vec<NewFile>, LakeError> {
        let batches = Arc::new(batches);
        let sample = Arc::clone(&batches);
        let wanted = blocking(move || Ok(choose_shredded(table, &sample))).await?;
        let ids = self.catalog.ensure_shredded(table, &wanted).await?;
        let columns = FileColumns::new(table, &wanted, &ids)?;
        let store = self.store.clone();
        blocking(move || write_sorted(&store, &columns, &batches, &WriteOptions::flush())).await
    }

    /// The rows are in files: their segments are not needed any more, but which requests they held is.
    async fn release_log(&mut self) {
        let (recent, folder) = (Arc::clone(&self.recent), self.wal_dir.clone());
        let mut segments = std::mem::take(&mut self.unreleased);
        let released = tokio::task::spawn_blocking(move || {
            let encoded = {
                let recent = recent.lock().expect("nothing that may panic runs under this lock");
                recent.encode()
            };
            let released = release(&folder, &encoded, &mut segments);
            (released, segments)
        });
        let released = match released.await {
            Ok((released, left)) => {
                self.unreleased = left;
                released.map_err(|error| error.to_string())
            }
            // The next start finds the segments, and sees by the watermark that their rows are in files.
            Err(panic) => Err(format!("releasing segments panicked: {panic}")),
        };
        match released {
            // It wrote and synced a file beside the log, which is what the log needs.
            Ok(()) => self.health.works(Part::Wal),
            Err(problem) => self.health.failed(Part::Wal, problem),
        }
    }
}

/// Runs work on the files on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, FilesError> + Send + 'static,
) -> Result<T, LakeError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => Ok(result?),
        Err(failed) => Err(LakeError::Interrupted(failed.to_string())),
    }
}
