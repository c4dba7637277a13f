//! Files: merging, expiry, deletion, other writers, and what `check` finds.

use std::sync::atomic::AtomicU32;

use super::*;
use crate::{Retention, RetentionLimit, check};

fn parquet_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.join("data")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name != "lake_id") {
                found.push(path);
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_become_one_for_each_partition() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    for first in 0..5 {
        lake.submit(request(first * 20, 20)).await.unwrap();
        lake.flush().await.unwrap();
    }
    let before = lake.snapshot().files.len();
    lake.settle().await.unwrap();
    let snapshot = lake.snapshot();
    let partitions: std::collections::HashSet<_> =
        snapshot.files.iter().map(|file| file.path.rsplit_once('/').unwrap().0.to_owned()).collect();
    assert_eq!(snapshot.files.len(), partitions.len(), "from {before}");
    assert_rows(&lake, 100);
    let processes = snapshot.files.iter().filter(|file| file.table == Table::Processes);
    assert_eq!(processes.map(|file| file.rows).sum::<u64>(), 3, "the latest state of each process");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn readers_never_see_a_row_twice_or_miss_one() {
    let folder = support::folder();
    let config = LakeConfig { flush_bytes: 64 << 10, ..config(folder.path()) };
    let lake = Arc::new(Lake::open(config, decoder()).await.unwrap());
    let acknowledged = Arc::new(AtomicU32::new(0));
    let sender = {
        let (lake, acknowledged) = (Arc::clone(&lake), Arc::clone(&acknowledged));
        tokio::spawn(async move {
            for step in 0..60 {
                lake.submit(request(step * 50, 50)).await.unwrap();
                acknowledged.store(step * 50 + 50, Ordering::SeqCst);
                if step % 17 == 0 {
                    lake.settle().await.unwrap();
                }
            }
        })
    };
    let mut looks = 0;
    while !sender.is_finished() {
        let acknowledged = acknowledged.load(Ordering::SeqCst);
        let snapshot = lake.snapshot();
        for table in [Table::Spans, Table::Logs] {
            let found = tokio::task::block_in_place(|| numbers(lake.store(), &snapshot, table)).unwrap();
            assert!(found.values().all(|times| *times == 1), "a row twice: {found:?}");
            let whole = found.len() as u32;
            assert!(whole >= acknowledged && whole.is_multiple_of(50), "{whole} rows, {acknowledged} acknowledged");
            assert_eq!(found.into_keys().max().map_or(0, |last| last + 1), whole, "a row is missing");
        }
        looks += 1;
    }
    sender.await.unwrap();
    assert!(looks > 3);
    assert_rows(&lake, 3000);
    assert!(figure(&lake, "glasshouse_merges_total") > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_snapshot_can_be_read_until_the_grace_is_over() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    lake.submit(request(0, 20)).await.unwrap();
    lake.flush().await.unwrap();
    let before = lake.snapshot();
    lake.submit(request(20, 20)).await.unwrap();
    lake.settle().await.unwrap();
    let earlier = lake.snapshot_at(before.id).await.unwrap();
    let found = tokio::task::block_in_place(|| numbers(lake.store(), &earlier, Table::Logs)).unwrap();
    assert_eq!(found.len(), 20);
    lake.snapshot_at(1_000_000).await.unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_read_is_kept() {
    let folder = support::folder();
    let clock = HandClock::at(1_700_010_000);
    let config = LakeConfig { grace: Duration::ZERO, clock: clock.clone(), ..config(folder.path()) };
    let lake = Lake::open(config, decoder()).await.unwrap();
    lake.submit(request(0, 20)).await.unwrap();
    lake.flush().await.unwrap();
    let read = lake.snapshot();
    for first in [20, 40] {
        lake.submit(request(first, 20)).await.unwrap();
        lake.flush().await.unwrap();
        lake.settle().await.unwrap();
    }
    let is_there = |file: &Arc<glasshouse_tables::DataFile>| folder.path().join("data").join(&file.path).exists();
    eventually("what nobody reads is deleted", || {
        clock.advance(1);
        figure(&lake, "glasshouse_files_deleted_total") > 0
    })
    .await;
    assert!(read.files.iter().all(is_there));
    let found = tokio::task::block_in_place(|| numbers(lake.store(), &read, Table::Logs)).unwrap();
    assert_eq!(found.len(), 20);
    let files = Vec::clone(&read.files);
    drop(read);
    eventually("they are deleted when nobody reads them", || {
        clock.advance(1);
        !files.iter().any(is_there)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_rows_are_dropped_and_their_files_deleted() {
    let folder = support::folder();
    let clock = HandClock::at(1_700_010_000);
    let day = RetentionLimit { age: Some(Duration::from_hours(24)), bytes: None };
    let config = LakeConfig {
        retention: Retention { traces: day, logs: day, metrics: day },
        grace: Duration::ZERO,
        clock: clock.clone(),
        ..config(folder.path())
    };
    let lake = Lake::open(config.clone(), decoder()).await.unwrap();
    lake.submit(request(0, 20)).await.unwrap();
    lake.flush().await.unwrap();
    assert_rows(&lake, 20);
    clock.advance(3 * 24 * 3600);
    lake.shutdown(Duration::from_secs(10)).await.unwrap();
    // Files are expired and deleted at the start, too.
    let lake = Lake::open(config, decoder()).await.unwrap();
    eventually("old files leave the lake", || lake.snapshot().files.is_empty()).await;
    eventually("their files are gone", || {
        clock.advance(1);
        parquet_files(folder.path()).is_empty()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_share_a_catalog_see_each_others_rows() {
    let folder = support::folder();
    let shared = |name: &str| LakeConfig {
        catalog_url: Some(format!("sqlite:{}", folder.path().join("shared.sqlite").display())),
        object_store: Some(url::Url::from_directory_path(folder.path().join("data")).unwrap()),
        ..config(&folder.path().join(name))
    };
    let one = Lake::open(shared("one"), decoder()).await.unwrap();
    let two = Lake::open(shared("two"), decoder()).await.unwrap();
    one.submit(request(0, 20)).await.unwrap();
    two.submit(request(20, 20)).await.unwrap();
    let (first, second) = tokio::join!(one.flush(), two.flush());
    first.unwrap();
    second.unwrap();
    let rows =
        |lake: &Lake| lake.snapshot().files.iter().filter(|f| f.table == Table::Logs).map(|f| f.rows).sum::<u64>();
    eventually("each sees all rows", || rows(&one) == 40 && rows(&two) == 40).await;
    let (first, second) = tokio::join!(one.settle(), two.settle());
    first.unwrap();
    second.unwrap();
    eventually("both see the merged files", || one.snapshot().id == two.snapshot().id).await;
    assert_rows(&one, 40);
    assert_rows(&two, 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_file_is_named_and_the_rest_goes_on() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    for first in 0..3 {
        lake.submit(request(first * 20, 20)).await.unwrap();
        lake.flush().await.unwrap();
    }
    let missing = Arc::clone(lake.snapshot().files.iter().find(|file| file.table == Table::Logs).unwrap());
    std::fs::remove_file(folder.path().join("data").join(&missing.path)).unwrap();
    lake.settle().await.unwrap();
    assert!(problem(&lake, "compaction").unwrap().contains(&missing.path));
    let snapshot = lake.snapshot();
    let spans = tokio::task::block_in_place(|| numbers(lake.store(), &snapshot, Table::Spans)).unwrap();
    assert_eq!(spans.len(), 60);
    let error = tokio::task::block_in_place(|| numbers(lake.store(), &snapshot, Table::Logs)).unwrap_err();
    assert!(error.to_string().contains(&missing.path), "{error}");
    let report = check(&config(folder.path()), false).await.unwrap();
    assert!(!report.is_healthy());
    assert!(report.findings.iter().any(|finding| finding.message.contains(&missing.path)), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_of_a_good_lake_finds_nothing_wrong_and_repair_removes_orphans() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    lake.submit(request(0, 20)).await.unwrap();
    lake.flush().await.unwrap();
    lake.submit(request(20, 20)).await.unwrap();
    let report = check(&config(folder.path()), false).await.unwrap();
    assert!(report.is_healthy(), "{report}");
    assert_eq!((report.rows, report.wal_segments, report.wal_records), (43 - 2, 1, 1), "{report}");
    let error = check(&config(folder.path()), true).await.unwrap_err().to_string();
    assert!(error.contains("in use by process"), "{error}");
    lake.shutdown(Duration::from_secs(10)).await.unwrap();

    let orphan = folder.path().join("data/spans").join(format!("{}.parquet.tmp", uuid::Uuid::now_v7()));
    std::fs::write(&orphan, "half a file").unwrap();
    let report = check(&config(folder.path()), true).await.unwrap();
    assert!(report.to_string().contains("(repaired)") && !orphan.exists(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_are_deleted_at_the_start() {
    let folder = support::folder();
    open(folder.path()).await.shutdown(Duration::from_secs(10)).await.unwrap();
    let orphan = folder.path().join("data/spans").join(format!("{}.parquet", uuid::Uuid::now_v7()));
    let foreign = folder.path().join("data/spans/notes.txt");
    std::fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    std::fs::write(&orphan, "not catalogued").unwrap();
    std::fs::write(&foreign, "not ours").unwrap();
    let _lake = open(folder.path()).await;
    eventually("the orphan is deleted", || !orphan.exists()).await;
    assert!(foreign.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn files_and_log_of_one_lake_are_safe_from_the_catalog_of_another() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    lake.submit(request(0, 20)).await.unwrap();
    lake.flush().await.unwrap();
    lake.submit(request(20, 20)).await.unwrap();
    drop(lake);
    let lake = reopen(config(folder.path())).await;
    drop(lake);
    let refused = async |config: LakeConfig| loop {
        match Lake::open(config.clone(), decoder()).await {
            Err(crate::LakeError::Locked { .. }) => tokio::task::yield_now().await,
            opened => break opened.map(drop).unwrap_err().to_string(),
        }
    };
    let files = parquet_files(folder.path());
    assert!(!files.is_empty());

    // A catalog that was made by mistake, as when its own is named by a flag that was forgotten.
    let other = format!("sqlite:{}", folder.path().join("other.sqlite").display());
    let mistaken = LakeConfig { catalog_url: Some(other), ..config(folder.path()) };
    let error = refused(mistaken.clone()).await;
    assert!(error.contains("the data folder") && error.contains("not of one lake"), "{error}");
    let error = check(&mistaken, true).await.unwrap_err().to_string();
    assert!(error.contains("not of one lake"), "{error}");

    // The files beside a new folder, as when the machine was lost but not the store.
    let store = Some(url::Url::from_directory_path(folder.path().join("data")).unwrap());
    let new = folder.path().join("new");
    let error = refused(LakeConfig { object_store: store.clone(), ..config(&new) }).await;
    assert!(error.contains("the store"), "{error}");
    assert!(!new.join("lake_id").exists(), "the folder may be used with the right catalog");
    // Even if the store does not say whose it is.
    std::fs::remove_file(folder.path().join("data/lake_id")).unwrap();
    let newer = folder.path().join("newer");
    let error = refused(LakeConfig { object_store: store, ..config(&newer) }).await;
    assert!(error.contains("of which the catalog knows none"), "{error}");

    assert_eq!(parquet_files(folder.path()), files);
    let lake = reopen(config(folder.path())).await;
    assert_rows(&lake, 40);
    assert!(folder.path().join("data/lake_id").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_makes_no_catalog() {
    let folder = support::folder();
    let error = check(&config(folder.path()), false).await.unwrap_err().to_string();
    assert!(error.contains("open the catalog"), "{error}");
    assert!(!folder.path().join("catalog.sqlite").exists());
}
