//! A Perfetto trace of one process with all spans, over HTTP: how fast, how soon, in how much memory, and what happens
//! when its reader stops or goes away.

use std::time::{Duration, Instant};

use futures::StreamExt as _;
use glasshouse_api::{PerfettoInfo, ProcessList};
use glasshouse_export::PacketCounter;
use serde::Serialize;

use super::process::Usage;
use super::server::Server;
use crate::client::{Client, ClientError, success};
use crate::failure::Failure;

const WHAT: &str = "cannot measure the export";
/// How long a reader stops, and how long it is watched after it went away.
const WATCHED: Duration = Duration::from_secs(2);
/// How often memory is looked at.
const LOOK: Duration = Duration::from_millis(20);

#[derive(Debug, Serialize)]
pub struct PerfettoReport {
    pub spans: u64,
    pub bytes: u64,
    pub packets: u64,
    pub seconds: f64,
    pub server_cpu_seconds: f64,
    pub spans_per_cpu_second: f64,
    pub first_byte_ms: f64,
    /// Time to count what there is.
    pub info_ms: f64,
    /// Bytes that were estimated before.
    pub estimated_bytes: u64,
    /// Most memory beyond that of the idle server: of one export, …
    pub extra_rss_bytes: u64,
    /// … of two at once, …
    pub extra_rss_of_two_bytes: u64,
    /// … and while a reader does not read.
    pub extra_rss_stalled_bytes: u64,
    /// Processor time that the server used in a second, one second after a reader went away.
    pub cpu_after_abandoned: f64,
    /// What is wrong, when something is.
    pub problem: Option<String>,
}

/// What one reader got.
struct Read {
    first_byte: Duration,
    bytes: u64,
    counter: PacketCounter,
}

/// Measures exports of the only process.
pub async fn measure(server: &Server) -> Result<PerfettoReport, Failure> {
    let failed = |error: ClientError| Failure::new(WHAT, error);
    let client = server.client();
    let processes = client.get("/api/processes").send().await.map_err(ClientError::from).map_err(failed)?;
    let processes: ProcessList = processes.json().await.map_err(|error| failed(error.into()))?;
    let [process] = processes.processes.as_slice() else {
        return Err(Failure::new(WHAT, format!("there are {} processes instead of one", processes.processes.len())));
    };
    let base = format!("/api/perfetto/{}", process.process_id);

    let path = format!("{base}/trace");
    let idle = server.usage().await?;
    let begun = Instant::now();
    let (read, peak) = watched(server, read(client, &path)).await?;
    let read = read.map_err(failed)?;
    let seconds = begun.elapsed().as_secs_f64();
    let cpu = server.usage().await?.cpu_seconds - idle.cpu_seconds;

    let begun = Instant::now();
    let info = client.get(&format!("{base}/info")).send().await.map_err(ClientError::from).map_err(failed)?;
    let info: PerfettoInfo = success(info).await.map_err(failed)?.json().await.map_err(|error| failed(error.into()))?;
    let info_ms = begun.elapsed().as_secs_f64() * 1e3;
    let spans = info.counts.thread + info.counts.asynchronous;

    let other = client.another_connection();
    let both = async { tokio::join!(self::read(client, &path), self::read(&other, &path)) };
    let (two, peak_of_two) = watched(server, both).await?;
    let two = [two.0.map_err(failed)?, two.1.map_err(failed)?];

    let answer = other.get(&path).send().await.map_err(ClientError::from).map_err(failed)?;
    let mut stopped = answer.bytes_stream();
    let first = stopped.next().await;
    let ((), peak_stalled) = watched(server, tokio::time::sleep(WATCHED)).await?;
    drop((first, stopped, other));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let abandoned = server.usage().await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let cpu_after_abandoned = server.usage().await?.cpu_seconds - abandoned.cpu_seconds;

    let counts = info.counts;
    let expected = 2 * spans - counts.open + counts.events + counts.links + counts.logs;
    let is_whole = |read: &Read| read.counter.is_whole() && read.counter.packets() >= expected;
    let problem = match two.iter().chain([&read]).find(|read| !is_whole(read)) {
        Some(read) => Some(format!("{} packets came instead of {expected} or more", read.counter.packets())),
        None if two.iter().any(|other| other.bytes != read.bytes) => Some("exports differ".to_owned()),
        None => None,
    };
    let extra = |peak: u64| peak.saturating_sub(idle.rss_bytes);
    Ok(PerfettoReport {
        spans,
        bytes: read.bytes,
        packets: read.counter.packets(),
        seconds,
        server_cpu_seconds: cpu,
        spans_per_cpu_second: spans as f64 / cpu,
        first_byte_ms: read.first_byte.as_secs_f64() * 1e3,
        info_ms,
        estimated_bytes: info.estimated_bytes,
        extra_rss_bytes: extra(peak),
        extra_rss_of_two_bytes: extra(peak_of_two),
        extra_rss_stalled_bytes: extra(peak_stalled),
        cpu_after_abandoned,
        problem,
    })
}

async fn read(client: &Client, path: &str) -> Result<Read, ClientError> {
    let begun = Instant::now();
    let mut chunks = success(client.get(path).send().await?).await?.bytes_stream();
    let mut read = Read { first_byte: Duration::ZERO, bytes: 0, counter: PacketCounter::default() };
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        if read.bytes == 0 {
            read.first_byte = begun.elapsed();
        }
        read.bytes += chunk.len() as u64;
        read.counter.push(&chunk);
    }
    Ok(read)
}

/// Does something and looks at the server's memory meanwhile: gives the most.
async fn watched<T>(server: &Server, work: impl Future<Output = T>) -> Result<(T, u64), Failure> {
    let mut work = std::pin::pin!(work);
    let mut most = 0;
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            done = &mut work => return Ok((done, most)),
            _ = look.tick() => {
                let Usage { rss_bytes, .. } = server.usage().await?;
                most = most.max(rss_bytes);
            }
        }
    }
}
