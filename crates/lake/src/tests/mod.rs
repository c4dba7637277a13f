//! The lake's behaviour, through its ports.

mod faults;
mod files;
mod log;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;
use glasshouse_model::{Clock, Timestamp};
use glasshouse_tables::ports::{Ingest, Status};
use glasshouse_tables::{SnapshotSource, Table};

use crate::{Lake, LakeConfig};
use support::{decoder, numbers, request};

/// A lake that flushes only when told to.
fn config(folder: &Path) -> LakeConfig {
    LakeConfig {
        flush_age: Duration::from_hours(1),
        flush_idle: Duration::from_hours(1),
        catalog_poll: Duration::from_millis(20),
        ..LakeConfig::new(folder)
    }
}

async fn open(folder: &Path) -> Lake {
    Lake::open(config(folder), decoder()).await.unwrap()
}

/// Opens a folder whose former lake was dropped: its thread may take a moment to let go of the lock.
async fn reopen(config: LakeConfig) -> Lake {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match Lake::open(config.clone(), decoder()).await {
            Err(crate::LakeError::Locked { .. }) if Instant::now() < deadline => tokio::task::yield_now().await,
            opened => return opened.unwrap(),
        }
    }
}

/// Asserts that exactly the rows `0..count` are there, each once, as spans and as logs.
#[track_caller]
fn assert_rows(lake: &Lake, count: u32) {
    let snapshot = lake.snapshot();
    for table in [Table::Spans, Table::Logs] {
        let found = tokio::task::block_in_place(|| numbers(lake.store(), &snapshot, table)).unwrap();
        assert!(found.values().all(|times| *times == 1), "{table:?} twice: {found:?}");
        assert_eq!(found.into_keys().collect::<Vec<_>>(), (0..count).collect::<Vec<_>>(), "{table:?}");
    }
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn problem(lake: &Lake, part: &str) -> Option<String> {
    lake.parts().into_iter().find(|state| state.part == part).unwrap().problem
}

fn figure(lake: &Lake, name: &str) -> u64 {
    lake.figures().iter().filter(|figure| figure.name == name).map(|figure| figure.value as u64).sum()
}

/// A clock that is set by hand.
#[derive(Debug)]
struct HandClock(AtomicI64);

impl HandClock {
    fn at(seconds: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(seconds * 1_000_000_000)))
    }

    fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000_000, Ordering::Relaxed);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(self.0.load(Ordering::Relaxed))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_seen_at_once_and_after_every_step() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    lake.submit(request(0, 10)).await.unwrap();
    assert_rows(&lake, 10);
    lake.flush().await.unwrap();
    assert!(lake.snapshot().hot.is_empty());
    assert_rows(&lake, 10);
    lake.submit(request(10, 10)).await.unwrap();
    assert_rows(&lake, 20);
    lake.settle().await.unwrap();
    assert_rows(&lake, 20);
    lake.shutdown(Duration::from_secs(10)).await.unwrap();
    let lake = open(folder.path()).await;
    assert_rows(&lake, 20);
    lake.shutdown(Duration::from_secs(10)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_flushed_when_nothing_more_comes() {
    let folder = support::folder();
    let config = LakeConfig { flush_idle: Duration::from_millis(10), ..config(folder.path()) };
    let lake = Lake::open(config, decoder()).await.unwrap();
    lake.submit(request(0, 10)).await.unwrap();
    eventually("rows go to files by themselves", || lake.snapshot().hot.is_empty()).await;
    assert_rows(&lake, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_flushed_when_they_are_many() {
    let folder = support::folder();
    let config = LakeConfig { flush_bytes: 64 << 10, ..config(folder.path()) };
    let lake = Lake::open(config, decoder()).await.unwrap();
    for first in 0..100 {
        lake.submit(request(first * 100, 100)).await.unwrap();
    }
    eventually("many rows go to files", || figure(&lake, "glasshouse_flushes_total") > 0).await;
    assert_rows(&lake, 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_lake_on_the_same_folder_is_refused() {
    let folder = support::folder();
    let _lake = open(folder.path()).await;
    let error = Lake::open(config(folder.path()), decoder()).await.unwrap_err().to_string();
    assert!(error.contains("in use by process"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn subscribers_get_what_is_accepted_and_never_hold_up_ingest() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    let mut quick = lake.subscribe();
    let mut slow = lake.subscribe();
    for first in 0..200 {
        lake.submit(request(first, 1)).await.unwrap();
        assert_eq!(quick.recv().await.unwrap().get(Table::Spans).unwrap().num_rows(), 1);
    }
    assert!(matches!(slow.recv().await, Err(tokio::sync::broadcast::error::RecvError::Lagged(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_that_is_shut_down_refuses_and_releases_the_folder() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    lake.submit(request(0, 10)).await.unwrap();
    lake.shutdown(Duration::from_secs(10)).await.unwrap();
    assert_rows(&lake, 10);
    let error = lake.submit(request(10, 10)).await.unwrap_err().to_string();
    assert!(error.contains("shutting down"), "{error}");
    let again = open(folder.path()).await;
    assert!(again.snapshot().hot.is_empty(), "everything was flushed");
    assert_rows(&again, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn small_requests_cost_little_memory_and_few_batches() {
    let folder = support::folder();
    let lake = Arc::new(open(folder.path()).await);
    let senders: Vec<_> = (0..8)
        .map(|sender| {
            let lake = Arc::clone(&lake);
            tokio::spawn(async move {
                for number in 0..250 {
                    lake.submit(request(sender * 250 + number, 1)).await.unwrap();
                }
            })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap();
    }
    assert_rows(&lake, 2000);
    let snapshot = lake.snapshot();
    assert!(snapshot.hot.len() < 40, "{} batches", snapshot.hot.len());
    let held: usize = snapshot.hot.iter().map(|batches| batches.memory()).sum();
    assert!(held < 4 << 20, "{held} bytes");
    assert_eq!(snapshot.hot_batches(Table::Processes).map(RecordBatch::num_rows).sum::<usize>(), 3);
}
