//! Disks that fail, stores that are away, memory that is full.

use std::io::{self, IoSlice};
use std::sync::atomic::AtomicBool;

use glasshouse_tables::ports::SubmitError;

use super::*;
use crate::wal::{Disk, LogFile, SystemDisk};

/// A disk that fails when told to.
#[derive(Debug, Default)]
struct FaultyDisk {
    full: Arc<AtomicBool>,
    loses_syncs: Arc<AtomicBool>,
    cannot_cut: Arc<AtomicBool>,
}

#[derive(Debug)]
struct FaultyFile {
    file: Box<dyn LogFile>,
    full: Arc<AtomicBool>,
    loses_syncs: Arc<AtomicBool>,
    cannot_cut: Arc<AtomicBool>,
}

fn fails(switch: &AtomicBool) -> io::Result<()> {
    if switch.load(Ordering::Relaxed) { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
}

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        let file = SystemDisk.create(path)?;
        let (full, loses_syncs, cannot_cut) =
            (Arc::clone(&self.full), Arc::clone(&self.loses_syncs), Arc::clone(&self.cannot_cut));
        Ok(Box::new(FaultyFile { file, full, loses_syncs, cannot_cut }))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        SystemDisk.sync_folder(path)
    }
}

impl LogFile for FaultyFile {
    /// Writes a part of what it is given before it is full.
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.full.load(Ordering::Relaxed) {
            let part = &slices[0][..slices[0].len().min(20)];
            self.file.write_vectored(&[IoSlice::new(part)])?;
            return fails(&self.full).map(|()| 0);
        }
        self.file.write_vectored(slices)
    }

    fn sync(&mut self) -> io::Result<()> {
        fails(&self.loses_syncs)?;
        self.file.sync()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        fails(&self.cannot_cut)?;
        self.file.truncate(length)
    }
}

fn set(switches: &[Arc<AtomicBool>], on: bool) {
    for switch in switches {
        switch.store(on, Ordering::Relaxed);
    }
}

/// Submits while the switches are on, and checks that nothing of it is kept and everything else is.
async fn check(switches: impl Fn(&FaultyDisk) -> Vec<Arc<AtomicBool>>) {
    for had_rows_before in [false, true] {
        let folder = support::folder();
        let disk = Arc::new(FaultyDisk::default());
        let switches = switches(&disk);
        let lake = Lake::open_on(config(folder.path()), decoder(), disk).await.unwrap();
        let mut rows = 0;
        if had_rows_before {
            lake.submit(request(0, 10)).await.unwrap();
            rows = 10;
        }
        set(&switches, true);
        for _ in 0..3 {
            let error = lake.submit(request(500, 10)).await.unwrap_err();
            assert!(matches!(error, SubmitError::Unavailable(_)), "{error}");
        }
        assert!(problem(&lake, "wal").unwrap().contains("write-ahead log"));
        assert_rows(&lake, rows);
        set(&switches, false);
        lake.submit(request(rows, 10)).await.unwrap();
        assert_eq!(problem(&lake, "wal"), None);
        assert_rows(&lake, rows + 10);
        drop(lake);
        let lake = reopen(config(folder.path())).await;
        assert_rows(&lake, rows + 10);
        lake.flush().await.unwrap();
        assert_rows(&lake, rows + 10);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_until_there_is_space() {
    check(|disk| vec![Arc::clone(&disk.full)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_sync_refuses_and_nothing_of_it_comes_back() {
    check(|disk| vec![Arc::clone(&disk.loses_syncs)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_records_that_could_not_be_cut_off_do_not_come_back() {
    check(|disk| vec![Arc::clone(&disk.loses_syncs), Arc::clone(&disk.cannot_cut)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_away_rows_stay_and_memory_is_bounded() {
    let folder = support::folder();
    let config = LakeConfig { memory_limit: 2 << 20, flush_bytes: 128 << 10, ..config(folder.path()) };
    let lake = Lake::open(config, decoder()).await.unwrap();
    lake.submit(request(0, 10)).await.unwrap();
    let data = folder.path().join("data");
    std::fs::rename(&data, folder.path().join("away")).unwrap();
    std::fs::write(&data, "in the way").unwrap();
    lake.flush().await.unwrap_err();
    assert!(problem(&lake, "object_store").is_some());

    let mut rows = 10;
    let refused = loop {
        match lake.submit(request(rows, 200)).await {
            Ok(()) => rows += 200,
            Err(error) => break error,
        }
        assert!(figure(&lake, "glasshouse_ingest_memory_bytes") <= 1 << 20);
    };
    assert!(matches!(refused, SubmitError::Overloaded { .. }), "{refused}");

    std::fs::remove_file(&data).unwrap();
    std::fs::rename(folder.path().join("away"), &data).unwrap();
    eventually("the store works again", || problem(&lake, "object_store").is_none()).await;
    lake.flush().await.unwrap();
    lake.submit(request(rows, 200)).await.unwrap();
    assert_rows(&lake, rows + 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_larger_than_the_memory_for_requests_is_told_so() {
    let folder = support::folder();
    let lake = Lake::open(LakeConfig { memory_limit: 256 << 10, ..config(folder.path()) }, decoder()).await.unwrap();
    let error = lake.submit(request(0, 10_000)).await.unwrap_err();
    assert!(matches!(error, SubmitError::TooLarge(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_are_released_although_the_list_of_requests_cannot_be_written() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    let in_the_way = folder.path().join("wal/recent.bin.new");
    std::fs::create_dir(&in_the_way).unwrap();
    lake.submit(request(0, 10)).await.unwrap();
    lake.flush().await.unwrap();
    let segments = || {
        let entries = std::fs::read_dir(folder.path().join("wal")).unwrap();
        entries.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "wal")).count()
    };
    assert_eq!(segments(), 0);
    assert!(problem(&lake, "wal").unwrap().contains("recent.bin"));
    // Nobody sends anything, and still it is noticed that the log can be written again.
    std::fs::remove_dir(&in_the_way).unwrap();
    eventually("the log works again", || problem(&lake, "wal").is_none()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_brought_back_with_less_memory_than_it_was_written_with() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    for first in 0..20 {
        lake.submit(request(first * 500, 500)).await.unwrap();
    }
    drop(lake);
    // A generation and one more request do not fit beside each other.
    let little = LakeConfig { memory_limit: 2 << 20, flush_bytes: usize::MAX, ..config(folder.path()) };
    let opened = tokio::time::timeout(Duration::from_secs(20), reopen(little)).await;
    assert_rows(&opened.expect("it does not wait for memory that only it holds"), 10_000);
}
