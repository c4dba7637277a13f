//! Kills a lake at random moments, with flushes, merges and deletions under way, and checks after each kill that
//! every acknowledged row is there exactly once. `GLASSHOUSE_CRASH_ROUNDS` says how often (`cargo xtask crash-test`).

#![allow(clippy::unwrap_used, reason = "only tests use it")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use glasshouse_lake::{Lake, LakeConfig, LakeError};
use glasshouse_tables::ports::Ingest;
use glasshouse_tables::{SnapshotSource, Table};

use support::{decoder, numbers, request};

/// Rows of each request.
const ROWS: u32 = 30;
const SENDERS: u32 = 4;
/// Says to a copy of this program that it is the one to be killed, and where its lake is.
const CHILD: &str = "GLASSHOUSE_CRASH_CHILD";
/// The first request that the child sends.
const FIRST: &str = "GLASSHOUSE_CRASH_FIRST";

/// A lake that flushes, merges and deletes all the time.
fn config(folder: &Path) -> LakeConfig {
    LakeConfig {
        flush_bytes: 128 << 10,
        flush_age: Duration::from_millis(50),
        flush_idle: Duration::from_millis(20),
        grace: Duration::from_millis(200),
        ..LakeConfig::new(folder)
    }
}

#[test]
fn acknowledged_rows_survive_being_killed_and_are_there_once() {
    if let Some(folder) = std::env::var_os(CHILD) {
        let first = std::env::var(FIRST).unwrap().parse().unwrap();
        return run_until_killed(Path::new(&folder), first);
    }
    let rounds = std::env::var("GLASSHOUSE_CRASH_ROUNDS").map_or(5, |rounds| rounds.parse().unwrap());
    let folder = support::folder();
    let mut requests = Requests::default();
    for round in 0..rounds {
        let mut child = start(folder.path(), requests.next);
        let mut output = BufReader::new(child.stdout.take().unwrap());
        // The kill comes at any moment after the first answer, or, now and then, while the lake still opens.
        if round % 5 != 4 {
            requests.listen(&mut output);
        }
        let killer = std::thread::spawn(move || kill_soon(child));
        while requests.listen(&mut output) {}
        killer.join().unwrap();
        requests.next += 100_000;
        check(folder.path(), &requests, round);
    }
    println!("{rounds} rounds, {} requests acknowledged", requests.acknowledged.len());
    assert!(rounds < 2 || requests.acknowledged.len() > 10);
}

#[derive(Debug, Default)]
struct Requests {
    acknowledged: Vec<u32>,
    /// The first one of the next child.
    next: u32,
}

impl Requests {
    /// Takes in an answer of the child; false when it has ended.
    fn listen(&mut self, output: &mut impl BufRead) -> bool {
        let mut line = String::new();
        while output.read_line(&mut line).unwrap() > 0 {
            // The test harness writes to the same place.
            if let Some(number) = line.strip_prefix("acknowledged ").and_then(|rest| rest.strip_suffix('\n')) {
                self.acknowledged.push(number.parse().unwrap());
                return true;
            }
            line.clear();
        }
        false
    }
}

fn start(folder: &Path, first: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["acknowledged_rows_survive", "--nocapture"])
        .env(CHILD, folder)
        .env(FIRST, first.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

fn kill_soon(mut child: Child) {
    let random = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().subsec_nanos();
    let moment = Duration::from_micros(u64::from(random / 1000 % 700_000));
    // Not waiting for anything: the point is that the moment is any.
    std::thread::park_timeout(moment);
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Opens what the killed one left, reads everything, and leaves in one of the ways there are.
fn check(folder: &Path, requests: &Requests, round: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let lake = Lake::open(config(folder), decoder()).await.unwrap();
        compare(&lake, requests, round);
        match round % 3 {
            0 => lake.settle().await.unwrap(),
            1 => lake.flush().await.unwrap(),
            _ => {}
        }
        compare(&lake, requests, round);
        lake.shutdown(Duration::from_secs(30)).await.unwrap();
        let report = glasshouse_lake::check(&config(folder), false).await.unwrap();
        assert!(report.is_healthy(), "{report}");
    });
}

fn compare(lake: &Lake, requests: &Requests, round: u32) {
    for table in [Table::Spans, Table::Logs] {
        // The lake goes on flushing and merging; what this snapshot holds may be deleted after the short grace.
        let found = loop {
            let snapshot = lake.snapshot();
            match tokio::task::block_in_place(|| numbers(lake.store(), &snapshot, table)) {
                Ok(found) => break found,
                Err(glasshouse_files::FilesError::Missing { .. }) if snapshot.id != lake.snapshot().id => {}
                Err(error) => panic!("round {round}: {error}"),
            }
        };
        for (number, times) in &found {
            assert_eq!(*times, 1, "round {round}: row {number} of {table:?}");
            let first = number / ROWS * ROWS;
            assert!(
                (first..first + ROWS).all(|row| found.contains_key(&row)),
                "round {round}: half of request {first}"
            );
        }
        for request in &requests.acknowledged {
            assert!(found.contains_key(&(request * ROWS)), "round {round}: request {request} of {table:?} is lost");
        }
    }
}

fn run_until_killed(folder: &Path, first: u32) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let lake = match Lake::open(config(folder), decoder()).await {
            Ok(lake) => Arc::new(lake),
            Err(error @ LakeError::Locked { .. }) => panic!("the former lake is gone: {error}"),
            Err(error) => panic!("{error}"),
        };
        let next = Arc::new(AtomicU32::new(first));
        for _ in 0..SENDERS {
            let (lake, next) = (Arc::clone(&lake), Arc::clone(&next));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    lake.submit(request(number * ROWS, ROWS)).await.unwrap();
                    // Some senders do not hear the answer and send again.
                    if number % 7 == 0 {
                        lake.submit(request(number * ROWS, ROWS)).await.unwrap();
                    }
                    let mut output = std::io::stdout().lock();
                    // Nobody listens any more when the test itself was ended.
                    writeln!(output, "acknowledged {number}")
                        .and_then(|()| output.flush())
                        .unwrap_or_else(|_| std::process::exit(1));
                }
            });
        }
        // Requests of the former process, sent again by senders that did not hear the answer.
        for number in first.saturating_sub(100_000)..first.saturating_sub(100_000) + 5 {
            if first > 0 {
                lake.submit(request(number * ROWS, ROWS)).await.unwrap();
            }
        }
        loop {
            lake.settle().await.unwrap();
        }
    });
}
