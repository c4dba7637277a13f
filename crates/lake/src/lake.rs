use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use glasshouse_catalog::{Catalog, CatalogError, CatalogOptions};
use glasshouse_files::{FileCache, Store};
use glasshouse_tables::ports::{Decoder, Ingest, QueryError, Submission, SubmitError};
use glasshouse_tables::{Batches, Snapshot, SnapshotSource};
use tokio::runtime::Handle;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::admission::{Budget, PATIENCE};
use crate::committer::{Admitted, Committer, Order};
use crate::curator::{Curator, shared};
use crate::flush::{Flusher, Progress, blocking};
use crate::health::{Counters, Health, Part};
use crate::identity;
use crate::lock::FolderLock;
use crate::recovery::{Replay, Replayed, writer_id};
use crate::tend::{Settled, Sweeper, Tender};
use crate::view::View;
use crate::wal::{Appender, Disk, RecentRequests, SystemDisk, body_checksum, content_hash};
use crate::{LakeConfig, LakeError};

/// Requests that wait for the log's thread at most; senders wait beyond it.
const ORDERS: usize = 1024;
/// Batches that a subscriber may be behind before it loses some.
const SUBSCRIBER_LAG: usize = 64;
/// How long a start waits for the object store.
const STORE_WITHIN: Duration = Duration::from_secs(3);
/// Files open for merging: footers and indexes, in bytes.
const MERGE_CACHE: u64 = 8 << 20;

/// The durable store. Cheap to share as `Arc<Lake>`; [`Lake::shutdown`] ends it in good order, dropping it
/// leaves what is not flushed to the WAL.
#[derive(Debug)]
pub struct Lake {
    pub(crate) view: Arc<View>,
    pub(crate) budget: Arc<Budget>,
    pub(crate) health: Arc<Health>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) recent: Arc<Mutex<RecentRequests>>,
    store: Store,
    catalog: Catalog,
    orders: mpsc::Sender<Order>,
    settle: mpsc::Sender<Settled>,
    progress: watch::Receiver<Progress>,
    subscribers: broadcast::Sender<Arc<Batches>>,
    closing: AtomicBool,
    stop: CancellationToken,
    background: Mutex<Option<Background>>,
}

/// What runs beside, and the lock that it needs.
#[derive(Debug)]
struct Background {
    committer: std::thread::JoinHandle<()>,
    tasks: Vec<JoinHandle<()>>,
    lock: Arc<FolderLock>,
}

impl Lake {
    /// Takes the data folder, opens the catalog, replays the WAL through `decoder` and starts the background work.
    pub async fn open(config: LakeConfig, decoder: Arc<dyn Decoder>) -> Result<Self, LakeError> {
        Self::open_on(config, decoder, Arc::new(SystemDisk)).await
    }

    pub(crate) async fn open_on(
        config: LakeConfig,
        decoder: Arc<dyn Decoder>,
        disk: Arc<dyn Disk>,
    ) -> Result<Self, LakeError> {
        let lock = Arc::new(FolderLock::take(&config.data_dir)?);
        let wal_dir = config.wal_dir();
        std::fs::create_dir_all(&wal_dir).map_err(|source| LakeError::Folder { path: wal_dir.clone(), source })?;
        let writer = writer_id(&config.data_dir)?;
        let location = config.data_location();
        let store = Store::open(&location)?;
        let mut options = CatalogOptions::new(config.resolved_catalog_url(), location);
        options.clock = Arc::clone(&config.clock);
        let catalog = Catalog::open(options).await?;
        let id = catalog.identity().await?;
        identity::check_folder(&config.data_dir, id, false)?;
        let health = Arc::new(Health::default());
        // Rows can be accepted before the store is there, or answers.
        let verified = tokio::time::timeout(STORE_WITHIN, identity::check_store(&store, &catalog, id, true)).await;
        let is_verified = match verified.unwrap_or(Err(LakeError::Timeout("asking the object store whose it is"))) {
            Ok(()) => true,
            Err(error @ (LakeError::Store(_) | LakeError::Files(_) | LakeError::Timeout(_))) => {
                health.failed(Part::ObjectStore, error.to_string());
                false
            }
            Err(error) => return Err(error),
        };
        // Only now: a start with the wrong catalog must not leave its mark.
        identity::check_folder(&config.data_dir, id, true)?;
        let watermark = catalog.watermark(writer).await?.unwrap_or(0);

        let view = Arc::new(View::default());
        let live = catalog.files().await?;
        view.show_files(live.snapshot, shared(live.files), false);
        let budget = Budget::new(config.ingest_share(), PATIENCE);
        let counters = Arc::new(Counters::default());
        let recent = RecentRequests::new(config.redelivery_window.into(), config.redelivery_entries);
        let recent = Arc::new(Mutex::new(recent));
        let stop = CancellationToken::new();
        // An opening that fails or is given up takes its tasks with it.
        let abandon = stop.clone().drop_guard();
        let (orders, received_orders) = mpsc::channel(ORDERS);
        let (progress_sender, progress) = watch::channel(Progress { watermark, ..Progress::default() });
        let (curator, changes) = Curator::new(
            catalog.clone(),
            writer,
            Arc::clone(&view),
            Arc::clone(&health),
            config.catalog_poll,
            stop.clone(),
        );
        let swept = CancellationToken::new();
        let sweeper = Sweeper {
            store: store.clone(),
            catalog: catalog.clone(),
            lake: id,
            is_verified,
            deletes: config.tend,
            is_sole_writer: config.is_sole_writer(),
            swept: swept.clone(),
            stop: stop.clone(),
            health: Arc::clone(&health),
            counters: Arc::clone(&counters),
        };
        let flusher = Flusher {
            store: store.clone(),
            catalog: catalog.clone(),
            writer,
            changes: changes.clone(),
            view: Arc::clone(&view),
            orders: orders.clone(),
            budget: Arc::clone(&budget),
            recent: Arc::clone(&recent),
            wal_dir: wal_dir.clone(),
            age: config.flush_age.into(),
            idle: config.flush_idle.into(),
            progress: progress_sender,
            health: Arc::clone(&health),
            counters: Arc::clone(&counters),
            clock: Arc::clone(&config.clock),
            stop: stop.clone(),
            swept: swept.clone(),
            unreleased: Vec::new(),
            _lock: Arc::clone(&lock),
        };
        // Flushing begins before the log is read: it may hold more than fits into memory at once.
        let mut tasks = vec![tokio::spawn(curator.run()), tokio::spawn(sweeper.run()), tokio::spawn(flusher.run())];
        let replay = Replay {
            wal_dir: wal_dir.clone(),
            watermark,
            decoder,
            budget: Arc::clone(&budget),
            generation_bytes: config.generation_bytes(),
            view: Arc::clone(&view),
            recent: Arc::clone(&recent),
            counters: Arc::clone(&counters),
            clock: Arc::clone(&config.clock),
            runtime: Handle::current(),
        };
        let Replayed { generation, next_sequence } = blocking(move || Ok(replay.run())).await??;

        let (subscribers, _) = broadcast::channel(SUBSCRIBER_LAG);
        let committer = Committer {
            orders: received_orders,
            appender: Appender::new(disk, wal_dir),
            recent: Arc::clone(&recent),
            generation,
            next_sequence,
            generation_bytes: config.generation_bytes(),
            view: Arc::clone(&view),
            subscribers: subscribers.clone(),
            health: Arc::clone(&health),
            counters: Arc::clone(&counters),
            clock: Arc::clone(&config.clock),
            _lock: Arc::clone(&lock),
        };
        let committer = std::thread::Builder::new()
            .name("lake-commit".into())
            .spawn(move || committer.run())
            .map_err(|error| LakeError::Interrupted(error.to_string()))?;

        let (settle, received_settle) = mpsc::channel(1);
        if config.tend {
            let tender = Tender {
                cache: FileCache::new(store.clone(), MERGE_CACHE),
                catalog: catalog.clone(),
                changes,
                view: Arc::clone(&view),
                retention: config.retention,
                grace: config.grace.into(),
                idle: config.flush_idle.into(),
                age: config.flush_age.into(),
                settle: received_settle,
                health: Arc::clone(&health),
                counters: Arc::clone(&counters),
                clock: Arc::clone(&config.clock),
                stop: stop.clone(),
                swept,
                broken: std::collections::HashSet::new(),
            };
            tasks.push(tokio::spawn(tender.run()));
        }
        abandon.disarm();
        Ok(Self {
            view,
            budget,
            health,
            counters,
            recent,
            store,
            catalog,
            orders,
            settle,
            progress,
            subscribers,
            closing: AtomicBool::new(false),
            stop,
            background: Mutex::new(Some(Background { committer, tasks, lock })),
        })
    }

    /// The rows of each accepted request, from now on; small requests that were accepted together come as one. A
    /// slow subscriber loses the oldest (`RecvError::Lagged`); ingest never waits for it.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Batches>> {
        self.subscribers.subscribe()
    }

    /// The store that holds the data files.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Writes every row accepted so far to files.
    pub async fn flush(&self) -> Result<(), LakeError> {
        let mut progress = self.progress.clone();
        let failures = progress.borrow_and_update().failures;
        let (done, frozen) = oneshot::channel();
        self.orders.send(Order::Freeze(done)).await.map_err(|_| LakeError::ShuttingDown)?;
        let sequence = frozen.await.map_err(|_| LakeError::ShuttingDown)?;
        let reached = progress.wait_for(|now| now.watermark >= sequence || now.failures > failures).await;
        let now = reached.map_err(|_| LakeError::ShuttingDown)?;
        if now.watermark >= sequence { Ok(()) } else { Err(LakeError::NotFlushed(now.problem.clone())) }
    }

    /// Flushes, then merges until nothing is left to merge. Without the role `tend` nothing is merged.
    pub async fn settle(&self) -> Result<(), LakeError> {
        self.flush().await?;
        let (settled, answer) = oneshot::channel();
        match self.settle.send(settled).await {
            Ok(()) => answer.await.map_err(|_| LakeError::ShuttingDown)?,
            Err(_) if self.stop.is_cancelled() => Err(LakeError::ShuttingDown),
            Err(_) => Ok(()),
        }
    }

    /// Stops accepting, flushes what is held within `deadline`, ends the background work and releases the folder.
    /// What could not be flushed in time stays in the WAL for the next start.
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), LakeError> {
        let until = Instant::now() + deadline;
        self.closing.store(true, Ordering::Relaxed);
        let background = self.background.lock().expect("nothing that may panic runs under this lock").take();
        let Some(background) = background else { return Ok(()) };
        let flushed = match tokio::time::timeout_at(until, self.flush()).await {
            Ok(flushed) => flushed,
            Err(_) => Err(LakeError::Timeout("flushing")),
        };
        // When the queue is full of requests, each is answered before the thread comes to this order.
        let _ = self.orders.send(Order::Stop).await;
        let Background { committer, tasks, lock } = background;
        let committed = tokio::task::spawn_blocking(move || committer.join().is_ok()).await;
        self.stop.cancel();
        for mut task in tasks {
            if tokio::time::timeout_at(until, &mut task).await.is_err() {
                task.abort();
                // Ends at its next await; then it has let go of the folder.
                let _ = task.await;
            }
        }
        drop(lock);
        if !matches!(committed, Ok(true)) {
            return Err(LakeError::Interrupted("the log's thread panicked".into()));
        }
        flushed
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }
}

impl Drop for Lake {
    fn drop(&mut self) {
        self.stop.cancel();
        // When the queue is full, the thread ends once it has emptied it and all senders are gone.
        let _ = self.orders.try_send(Order::Stop);
    }
}

#[async_trait]
impl Ingest for Lake {
    async fn submit(&self, submission: Submission) -> Result<(), SubmitError> {
        let Submission { format, body, received, batches } = submission;
        if self.closing.load(Ordering::Relaxed) {
            return Err(stopping());
        }
        if batches.is_empty() {
            return Ok(());
        }
        if u32::try_from(body.len()).is_err() {
            return Err(SubmitError::TooLarge(format!("a record of the log cannot hold {} bytes", body.len())));
        }
        let memory = self.budget.reserve(body.len() + batches.memory()).await?;
        let (done, answer) = oneshot::channel();
        let admitted = Admitted {
            format,
            received,
            body_checksum: body_checksum(&body),
            hash: content_hash(format, &body),
            body,
            batches: Arc::new(batches),
            memory,
            done,
        };
        self.orders.send(Order::Keep(admitted)).await.map_err(|_| stopping())?;
        answer.await.map_err(|_| stopping())?
    }
}

fn stopping() -> SubmitError {
    SubmitError::Unavailable("the lake is shutting down".into())
}

#[async_trait]
impl SnapshotSource for Lake {
    fn snapshot(&self) -> Arc<Snapshot> {
        self.view.snapshot()
    }

    async fn snapshot_at(&self, id: i64) -> Result<Arc<Snapshot>, QueryError> {
        let live = self.catalog().files_at(id).await.map_err(|error| match error {
            CatalogError::NoSnapshot(_) => QueryError::Invalid(error.to_string()),
            error => QueryError::Failed(error.to_string()),
        })?;
        Ok(Arc::new(Snapshot { id: live.snapshot, hot: Vec::new(), files: Arc::new(shared(live.files)) }))
    }
}
