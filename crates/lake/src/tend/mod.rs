//! Keeps the files in order: merges small ones, drops what is too old, deletes what no reader can know any more.

mod expiry;
mod plan;
mod sweep;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use glasshouse_catalog::{Catalog, CatalogError, Commit};
use glasshouse_files::{FileCache, FileColumns, FilesError, Merged, WriteOptions, choose_merged, merge};
use glasshouse_model::{Clock, DurationNs};
use glasshouse_tables::{ColumnIds, DataFile};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::curator::Changes;
use crate::flush::blocking;
use crate::health::{Counters, Health, Part};
use crate::view::View;
use crate::{LakeError, Retention};
use expiry::expired;
use plan::{Quiet, next_merge};
pub(crate) use sweep::{Sweeper, delete_orphans, orphans, written};

/// How often is looked whether there is something to merge.
const TICK: Duration = Duration::from_secs(1);
/// How often files are expired and deleted; more often when the grace is short.
const HOUSEKEEPING: Duration = Duration::from_secs(10);
/// Pause after a merge failed.
const PAUSE: Duration = Duration::from_secs(10);
/// A file that left the lake is not kept for its readers for longer.
const LONGEST_READ: Duration = Duration::from_hours(24);
/// Nice value of the threads that merge: senders and readers go first.
const NICE: i32 = 10;

/// Someone who waits until there is nothing left to merge.
pub(crate) type Settled = oneshot::Sender<Result<(), LakeError>>;

/// The task's state.
#[derive(Debug)]
pub(crate) struct Tender {
    /// Opens the files that are merged: a cache of its own, so that merging does not displace what readers use.
    pub cache: FileCache,
    pub catalog: Catalog,
    pub changes: Changes,
    pub view: Arc<View>,
    pub retention: Retention,
    pub grace: DurationNs,
    pub idle: DurationNs,
    pub age: DurationNs,
    pub settle: mpsc::Receiver<Settled>,
    pub health: Arc<Health>,
    pub counters: Arc<Counters>,
    pub clock: Arc<dyn Clock>,
    pub stop: CancellationToken,
    /// Cancelled when orphans are deleted: only then may new files be begun.
    pub swept: CancellationToken,
    /// Files that cannot be read, by id: they are left alone so that the others go on.
    pub broken: HashSet<i64>,
}

impl Tender {
    /// Works until stopped.
    pub(crate) async fn run(mut self) {
        tokio::select! {
            () = self.stop.cancelled() => return,
            () = self.swept.cancelled() => {}
        }
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let housekeeping = Duration::from_nanos((self.grace.nanos() / 10) as u64).clamp(TICK, HOUSEKEEPING);
        let mut last_housekeeping = None;
        let mut paused_until = None;
        let stop = self.stop.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                settled = self.settle.recv() => {
                    let Some(settled) = settled else { return };
                    let result = self.merge_all(true).await;
                    // Who asked may have gone away.
                    let _ = settled.send(result);
                }
                _ = ticks.tick() => {
                    if last_housekeeping.is_none_or(|at: Instant| at.elapsed() >= housekeeping) {
                        self.keep_house().await;
                        last_housekeeping = Some(Instant::now());
                    }
                    if paused_until.is_none_or(|until| Instant::now() >= until) {
                        match self.merge_all(false).await {
                            Ok(()) => paused_until = None,
                            Err(LakeError::ShuttingDown) => return,
                            Err(error) => {
                                self.health.failed(Part::Compaction, error.to_string());
                                paused_until = Some(Instant::now() + PAUSE);
                            }
                        }
                    }
                }
            }
        }
    }

    /// Merges until there is nothing to merge.
    async fn merge_all(&mut self, settle: bool) -> Result<(), LakeError> {
        loop {
            if self.stop.is_cancelled() {
                return Err(LakeError::ShuttingDown);
            }
            let waiting = self.view.waiting();
            // Flushing is behind: it needs the processor more.
            if waiting.frozen > 1 && !settle {
                return Ok(());
            }
            let is_idle = waiting.frozen == 0 && waiting.active_since.is_none();
            let quiet = if settle { Quiet::Now } else { Quiet::usual(self.clock.now(), is_idle, self.idle, self.age) };
            let (_, files) = self.view.files();
            let Some(inputs) = next_merge(&files, quiet, &self.broken) else { return Ok(()) };
            drop(files);
            match self.merge(&inputs).await {
                Ok(()) if self.broken.is_empty() => self.health.works(Part::Compaction),
                Ok(()) => {}
                Err(LakeError::Catalog(CatalogError::Gone(_))) => {
                    // Another writer was faster; the curator's next look shows what it made.
                    tokio::time::sleep(TICK).await;
                }
                Err(LakeError::Files(error)) => {
                    let (FilesError::Missing { path } | FilesError::Damaged { path, .. }) = &error else {
                        return Err(error.into());
                    };
                    let Some(broken) = inputs.iter().find(|file| file.path == *path) else { return Err(error.into()) };
                    self.broken.insert(broken.id);
                    self.health.failed(Part::Compaction, error.to_string());
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn merge(&self, inputs: &[Arc<DataFile>]) -> Result<(), LakeError> {
        let Some(table) = inputs.first().map(|file| file.table) else { return Ok(()) };
        let started = Instant::now();
        let (cache, sample) = (self.cache.clone(), inputs.to_vec());
        let wanted = blocking(move || choose_merged(&cache, &sample)).await?;
        let ids: Arc<ColumnIds> = self.catalog.ensure_shredded(table, &wanted).await?;
        let columns = FileColumns::new(table, &wanted, &ids)?;
        let (cache, sources) = (self.cache.clone(), inputs.to_vec());
        let merging = on_nice_thread(move || merge(&cache, &sources, &columns, &WriteOptions::merge()));
        let merged: Merged = tokio::select! {
            merged = merging => merged??,
            // The thread goes on for a moment; what it writes is swept at the next start.
            () = self.stop.cancelled() => return Err(LakeError::ShuttingDown),
        };
        let made: Vec<String> = merged.files.iter().map(|file| file.path.clone()).collect();
        let rows = merged.files.iter().map(|file| file.rows).sum();
        let bytes = merged.files.iter().map(|file| file.bytes).sum();
        let commit = Commit { add: merged.files, remove: inputs.iter().map(|file| file.id).collect(), watermark: None };
        if let Err(error) = self.changes.commit(commit).await {
            // After any other error the commit may have been made all the same; then the files are no orphans.
            if matches!(error, LakeError::Catalog(CatalogError::Gone(_))) {
                let store = self.cache.store().clone();
                // What cannot be deleted now is an orphan, which the next start sweeps.
                let _ = blocking(move || made.iter().try_for_each(|path| store.delete(path))).await;
            }
            return Err(error);
        }
        for file in inputs {
            self.cache.forget(&file.path);
        }
        self.counters.merges.add(1);
        self.counters.merge_nanos.add_time(started.elapsed());
        self.counters.merged_rows.add(rows);
        self.counters.merged_bytes.add(bytes);
        self.counters.duplicates.add(merged.dropped);
        Ok(())
    }

    /// Drops what is too old and deletes files whose time has come.
    async fn keep_house(&mut self) {
        if let Err(error) = self.expire().await {
            self.health.failed(Part::Catalog, error.to_string());
        }
        match self.delete_due().await {
            Ok(()) => {}
            Err(LakeError::Files(error)) => self.health.failed(Part::ObjectStore, error.to_string()),
            Err(error) => self.health.failed(Part::Catalog, error.to_string()),
        }
        let (_, files) = self.view.files();
        self.broken.retain(|id| files.iter().any(|file| file.id == *id));
    }

    async fn expire(&self) -> Result<(), LakeError> {
        let (_, files) = self.view.files();
        let remove = expired(&files, &self.retention, self.clock.now());
        drop(files);
        if remove.is_empty() {
            return Ok(());
        }
        let dropped = remove.len() as u64;
        self.changes.commit(Commit { add: Vec::new(), remove, watermark: None }).await?;
        self.counters.expired_files.add(dropped);
        Ok(())
    }

    /// A file that left the lake is kept for half the grace as part of earlier snapshots, then for the other half
    /// for those who read such a snapshot elsewhere; and as long as an export of this process reads it, within reason.
    /// A query in SQL keeps no snapshot: it ends within its timeout.
    async fn delete_due(&self) -> Result<(), LakeError> {
        let before = self.clock.now() - DurationNs::from_nanos(self.grace.nanos() / 2);
        self.catalog.expire(before).await?;
        let mut due = self.catalog.due_deletions(before).await?;
        if due.is_empty() {
            return Ok(());
        }
        let used = self.view.in_use(&due);
        if !used.is_empty() {
            let overdue = self.catalog.due_deletions(before - DurationNs::from(LONGEST_READ)).await?;
            due.retain(|path| !used.contains(path) || overdue.contains(path));
        }
        let (store, paths) = (self.cache.store().clone(), due.clone());
        blocking(move || paths.iter().try_for_each(|path| store.delete(path))).await?;
        self.catalog.deleted(&due).await?;
        self.counters.deleted_files.add(due.len() as u64);
        Ok(())
    }
}

/// Runs work on a thread of low priority.
async fn on_nice_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, LakeError> {
    let (done, result) = oneshot::channel();
    std::thread::Builder::new()
        .name("lake-merge".into())
        .spawn(move || {
            // On Linux this is a property of the thread. Without it merging still works, only less politely.
            #[cfg(target_os = "linux")]
            let _ = rustix::process::setpriority_process(None, NICE);
            // Who waits for it may be gone: then the lake is being shut down.
            let _ = done.send(work());
        })
        .map_err(|error| LakeError::Interrupted(error.to_string()))?;
    result.await.map_err(|_| LakeError::Interrupted("the merging thread panicked".into()))
}
