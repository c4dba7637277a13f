//! The only one who changes the catalog and shows its files: one change after the other, so that what readers see
//! is always one snapshot of the catalog and the rows that are not in it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use glasshouse_catalog::{Catalog, CatalogError, Commit, Committed};
use glasshouse_tables::DataFile;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::LakeError;
use crate::health::{Health, Part};
use crate::view::View;

/// Pause before the catalog is asked again after a failure.
const PAUSE: Duration = Duration::from_millis(200);

/// A change that someone wants made.
#[derive(Debug)]
pub(crate) struct Change {
    commit: Commit,
    done: oneshot::Sender<Result<(), CatalogError>>,
}

/// The way to the curator.
#[derive(Debug, Clone)]
pub(crate) struct Changes(mpsc::Sender<Change>);

impl Changes {
    /// Commits a change and shows it to readers. A commit with a watermark flushes the oldest frozen generation.
    pub(crate) async fn commit(&self, commit: Commit) -> Result<(), LakeError> {
        let (done, answer) = oneshot::channel();
        self.0.send(Change { commit, done }).await.map_err(|_| LakeError::ShuttingDown)?;
        answer.await.map_err(|_| LakeError::ShuttingDown)?.map_err(LakeError::Catalog)
    }
}

/// The task's state.
#[derive(Debug)]
pub(crate) struct Curator {
    catalog: Catalog,
    writer: Uuid,
    view: Arc<View>,
    health: Arc<Health>,
    changes: mpsc::Receiver<Change>,
    poll: Duration,
    stop: CancellationToken,
    /// The connection broke during the commit of a flush: only the catalog knows whether it was made.
    is_flush_uncertain: bool,
}

impl Curator {
    pub(crate) fn new(
        catalog: Catalog,
        writer: Uuid,
        view: Arc<View>,
        health: Arc<Health>,
        poll: Duration,
        stop: CancellationToken,
    ) -> (Self, Changes) {
        let (sender, changes) = mpsc::channel(4);
        let is_flush_uncertain = false;
        (Self { catalog, writer, view, health, changes, poll, stop, is_flush_uncertain }, Changes(sender))
    }

    /// Works until stopped.
    pub(crate) async fn run(mut self) {
        let mut polls = interval(self.poll);
        polls.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                change = self.changes.recv() => {
                    let Some(change) = change else { return };
                    let result = self.make(change.commit).await;
                    // Who asked may have gone away.
                    let _ = change.done.send(result);
                }
                _ = polls.tick() => self.look_for_others().await,
            }
        }
    }

    async fn make(&mut self, commit: Commit) -> Result<(), CatalogError> {
        let flushes = commit.watermark;
        if self.is_flush_uncertain && flushes.is_none() {
            // Its snapshot might show rows in files that are still in memory too.
            return Err(CatalogError::Raced("change files while it is not known whether a flush was made"));
        }
        if let Some((_, sequence)) = flushes
            && self.is_flush_uncertain
        {
            let watermark = self.catalog.watermark(self.writer).await?;
            self.is_flush_uncertain = false;
            if watermark.is_some_and(|watermark| watermark >= sequence) {
                self.reload(true).await;
                return Ok(());
            }
        }
        let removed: HashSet<i64> = commit.remove.iter().copied().collect();
        match self.catalog.commit(commit).await {
            Ok(committed) => {
                self.health.works(Part::Catalog);
                self.show(committed, &removed, flushes.is_some()).await;
                Ok(())
            }
            Err(error) => {
                self.is_flush_uncertain |= flushes.is_some() && matches!(error, CatalogError::Database { .. });
                if !matches!(error, CatalogError::Gone(_)) {
                    self.health.failed(Part::Catalog, error.to_string());
                }
                Err(error)
            }
        }
    }

    async fn show(&self, committed: Committed, removed: &HashSet<i64>, flushed: bool) {
        let (snapshot, files) = self.view.files();
        if committed.snapshot != snapshot + 1 {
            // Another writer committed in between.
            return self.reload(flushed).await;
        }
        let added = committed.added.into_iter().map(Arc::new);
        let files = files.iter().filter(|file| !removed.contains(&file.id)).cloned().chain(added).collect();
        self.view.show_files(committed.snapshot, files, flushed);
    }

    /// Shows the catalog's newest files. Until that succeeds readers keep seeing what was before.
    async fn reload(&self, flushed: bool) {
        while !self.stop.is_cancelled() {
            match self.catalog.files().await {
                Ok(live) => {
                    self.health.works(Part::Catalog);
                    return self.view.show_files(live.snapshot, shared(live.files), flushed);
                }
                Err(error) => {
                    self.health.failed(Part::Catalog, error.to_string());
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn look_for_others(&self) {
        // Rows of an uncertain flush might be seen twice: in memory and in files.
        if self.is_flush_uncertain {
            return;
        }
        match self.catalog.current_snapshot().await {
            Ok(snapshot) => {
                self.health.works(Part::Catalog);
                if snapshot != self.view.files().0 {
                    self.reload(false).await;
                }
            }
            Err(error) => self.health.failed(Part::Catalog, error.to_string()),
        }
    }
}

/// Files as the view holds them.
pub(crate) fn shared(files: Vec<DataFile>) -> Vec<Arc<DataFile>> {
    files.into_iter().map(Arc::new).collect()
}
