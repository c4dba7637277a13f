//! The log: what a restart brings back.

use super::*;

fn segments(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(folder.join("wal"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "wal"))
        .collect();
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_crash() {
    let folder = support::folder();
    for round in 0..4 {
        let lake = reopen(config(folder.path())).await;
        assert_rows(&lake, round * 20);
        lake.submit(request(round * 20, 10)).await.unwrap();
        if round % 2 == 1 {
            lake.flush().await.unwrap();
        }
        lake.submit(request(round * 20 + 10, 10)).await.unwrap();
    }
    let lake = reopen(config(folder.path())).await;
    assert_rows(&lake, 80);
    lake.flush().await.unwrap();
    assert_rows(&lake, 80);
    assert_eq!(segments(folder.path()), [] as [std::path::PathBuf; 0], "flushed rows need no log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_larger_than_memory_is_brought_back() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    for first in 0..300 {
        lake.submit(request(first * 100, 100)).await.unwrap();
    }
    drop(lake);
    let small = LakeConfig { memory_limit: 2 << 20, flush_bytes: 256 << 10, ..config(folder.path()) };
    let lake = reopen(small).await;
    assert_rows(&lake, 30_000);
    assert!(figure(&lake, "glasshouse_ingest_memory_bytes") <= 1 << 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_sent_again_is_kept_once() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    lake.submit(request(0, 10)).await.unwrap();
    lake.submit(request(0, 10)).await.unwrap();
    assert_rows(&lake, 10);
    drop(lake);
    let lake = reopen(config(folder.path())).await;
    lake.submit(request(0, 10)).await.unwrap();
    assert_rows(&lake, 10);
    lake.flush().await.unwrap();
    lake.submit(request(0, 10)).await.unwrap();
    drop(lake);
    let lake = reopen(config(folder.path())).await;
    lake.submit(request(0, 10)).await.unwrap();
    assert_rows(&lake, 10);
    assert_eq!(figure(&lake, "glasshouse_requests_redelivered_total"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_forgotten_after_the_window() {
    let folder = support::folder();
    let clock = HandClock::at(1_700_000_000);
    let lake = Lake::open(LakeConfig { clock: clock.clone(), ..config(folder.path()) }, decoder()).await.unwrap();
    lake.submit(request(0, 10)).await.unwrap();
    clock.advance(601);
    lake.submit(request(0, 10)).await.unwrap();
    let found = tokio::task::block_in_place(|| numbers(lake.store(), &lake.snapshot(), Table::Logs)).unwrap();
    assert!(found.values().all(|times| *times == 2), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_costs_only_what_it_hit() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    lake.submit(request(0, 10)).await.unwrap();
    lake.submit(request(1000, 10)).await.unwrap();
    lake.submit(request(10, 10)).await.unwrap();
    drop(lake);
    let path = &segments(folder.path())[0];
    let mut bytes = std::fs::read(path).unwrap();
    let body = bytes.windows(5).position(|window| window == b"1000 ").unwrap();
    bytes[body] ^= 1;
    bytes.extend_from_slice(b"half a reco");
    std::fs::write(path, bytes).unwrap();

    let lake = reopen(config(folder.path())).await;
    assert_rows(&lake, 20);
    assert_eq!(figure(&lake, "glasshouse_wal_damages_total"), 2);
    lake.submit(request(20, 10)).await.unwrap();
    lake.flush().await.unwrap();
    assert_rows(&lake, 30);
    lake.shutdown(Duration::from_secs(10)).await.unwrap();
    let report = crate::check(&config(folder.path()), false).await.unwrap().to_string();
    assert_eq!(report.matches("that an earlier start could not read").count(), 2, "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_segment_that_cannot_be_read_at_all_is_kept_aside() {
    let folder = support::folder();
    let lake = open(folder.path()).await;
    lake.submit(request(0, 10)).await.unwrap();
    drop(lake);
    let path = &segments(folder.path())[0];
    let mut bytes = std::fs::read(path).unwrap();
    bytes[0] = b'X';
    std::fs::write(path, &bytes).unwrap();
    let lake = reopen(config(folder.path())).await;
    assert_rows(&lake, 0);
    lake.submit(request(0, 10)).await.unwrap();
    assert_rows(&lake, 10);
    let aside = path.with_file_name("00000000000000000001-0.damaged");
    assert_eq!(std::fs::read(aside).unwrap(), bytes);
}
