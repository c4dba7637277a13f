//! What the lake costs from wire bytes to settled files, without a network: decode, log, flush, merge.
//! `cargo bench -p glasshouse-lake [-- SPANS]` prints spans per processor second, bytes per span and memory.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints and may panic")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use glasshouse_formats::Formats;
use glasshouse_lake::{Lake, LakeConfig};
use glasshouse_model::{Clock, DurationNs, SystemClock};
use glasshouse_tables::SnapshotSource;
use glasshouse_tables::ports::{Decoder, Ingest, Submission, SubmitError, WireFormat};
use glasshouse_workload::bench::{Config, Generator};

/// The server's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SENDERS: usize = 4;

fn main() {
    let spans = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(2_000_000);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(run(spans));
}

async fn run(spans: u64) {
    let over = DurationNs::from_secs(60);
    let from = SystemClock.now() - over;
    let requests: Arc<Vec<_>> = Arc::new(
        Generator::new(Config { spans, seed: 1, from, over, spans_per_request: 1000, one_process: false }).collect(),
    );
    let wire: usize = requests.iter().map(|request| request.body.len()).sum();
    println!("{spans} spans in {} requests, {} bytes/span on the wire", requests.len(), wire as u64 / spans);

    let folder = tempfile::tempdir().unwrap();
    let config = LakeConfig::new(folder.path());
    let lake = Arc::new(Lake::open(config.clone(), Arc::new(Formats)).await.unwrap());
    let (memory_before, cpu_before, begun) = (memory(), cpu(), Instant::now());
    let next = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> =
        (0..SENDERS).map(|_| tokio::spawn(send(Arc::clone(&lake), Arc::clone(&requests), Arc::clone(&next)))).collect();
    let mut latencies = Vec::new();
    for sender in senders {
        latencies.extend(sender.await.unwrap());
    }
    let (sent, cpu_sent) = (begun.elapsed(), cpu().saturating_sub(cpu_before));
    lake.settle().await.unwrap();
    let (settled, cpu_settled) = (begun.elapsed(), cpu().saturating_sub(cpu_before));
    latencies.sort_unstable();
    let at = |part: usize| latencies[(latencies.len() - 1) * part / 100];
    let rate = |time: Duration| (spans as f64 / time.as_secs_f64()) as u64;
    println!("accepted       {:>9} spans/s, {:>9} spans per processor second", rate(sent), rate(cpu_sent));
    println!("settled        {:>9} spans/s, {:>9} spans per processor second", rate(settled), rate(cpu_settled));
    println!("request        p50 {:?}, p99 {:?}", at(50), at(99));
    let snapshot = lake.snapshot();
    let bytes: u64 = snapshot.files.iter().map(|file| file.bytes).sum();
    println!("on disk        {:.1} bytes/span in {} files", bytes as f64 / spans as f64, snapshot.files.len());
    println!("memory         {} MiB at most, {} MiB of it requests", memory() >> 20, memory_before >> 20);

    lake.shutdown(Duration::from_secs(10)).await.unwrap();
    drop(lake);
    let begun = Instant::now();
    let lake = Lake::open(config, Arc::new(Formats)).await.unwrap();
    println!("opened again   in {:?}", begun.elapsed());
    lake.shutdown(Duration::from_secs(10)).await.unwrap();
}

async fn send(
    lake: Arc<Lake>,
    requests: Arc<Vec<glasshouse_workload::bench::Request>>,
    next: Arc<AtomicUsize>,
) -> Vec<Duration> {
    let mut latencies = Vec::new();
    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        let begun = Instant::now();
        loop {
            let received = SystemClock.now();
            let format = WireFormat::OtlpTracesProtobuf;
            let batches = Formats.decode(format, &request.body, received).unwrap().batches;
            match lake.submit(Submission { format, body: request.body.clone(), received, batches }).await {
                Ok(()) => break,
                Err(SubmitError::Overloaded { retry_after, .. }) => tokio::time::sleep(retry_after).await,
                Err(error) => panic!("{error}"),
            }
        }
        latencies.push(begun.elapsed());
    }
    latencies
}

/// Processor time of this process so far.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

/// Most memory that this process ever had, in bytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}
