//! `glasshouse bench`: measures a server on this machine, and checks that it answers right.
//!
//! The workload is made and encoded before the clock starts. It is sent over keep-alive connections; then
//! the lake is waited for until it is quiet; then the questions that people ask are asked, warm, and cold
//! after restarts. How figures are meant: `docs/performance.md`.

mod answers;
mod machine;
mod perfetto;
mod process;
mod questions;
mod report;
mod send;
mod server;
mod settle;

use std::time::Duration;

use glasshouse_model::{Clock as _, DurationNs, SystemClock};
use glasshouse_workload::bench::{Answers, Config, Generator};

use crate::cli::BenchArguments;
use crate::failure::Failure;
use report::{Ingest, Report, Storage};
use send::Plan;
use server::Server;

/// Spans of a request.
const SPANS_PER_REQUEST: usize = 1000;

/// Time that the spans cover when they are sent as fast as can be.
const OVER: DurationNs = DurationNs::from_secs(60);

/// Spans a second of a busy process.
const PROCESS_RATE: u64 = 10_000;

/// Runs the command.
pub async fn run(arguments: BenchArguments) -> Result<(), Failure> {
    if arguments.spans == 0 || arguments.connections == 0 || arguments.rate == Some(0) {
        return Err(Failure::wrong_use("nothing to measure", "--spans, --connections and --rate must be above 0"));
    }
    machine::check_memory(arguments.spans)?;
    eprintln!("making {} spans in memory", arguments.spans);
    let mut workload = Workload::new(&arguments);
    let mut server = Server::start(&arguments).await?;
    let outcome = measure(&arguments, &mut workload, &mut server).await;
    server.end().await;
    let report = outcome?;
    print!("{report}");
    if let Some(path) = &arguments.json {
        let cannot = |error: std::io::Error| Failure::new(format!("cannot write {}", path.display()), error);
        let json = serde_json::to_vec_pretty(&report).map_err(|error| cannot(error.into()))?;
        std::fs::write(path, json).map_err(cannot)?;
    }
    report.verdict()
}

/// What is sent, and what must be answered afterwards.
struct Workload {
    plan: Plan,
    answers: Answers,
}

impl Workload {
    fn new(arguments: &BenchArguments) -> Self {
        // At a given rate the spans' own clock runs with it, else they cover the last minute; a process is busy longer.
        let at_rate = |rate: u64| DurationNs::from_nanos((arguments.spans as f64 / rate as f64 * 1e9) as i64);
        let begun = std::time::Instant::now();
        let (from, over) = if let Some(rate) = arguments.rate {
            (SystemClock.now(), at_rate(rate))
        } else {
            let over = if arguments.perfetto { at_rate(PROCESS_RATE) } else { OVER };
            (SystemClock.now() - over, over)
        };
        let config = Config {
            spans: arguments.spans,
            seed: arguments.seed,
            from,
            over,
            spans_per_request: SPANS_PER_REQUEST,
            one_process: arguments.perfetto,
        };
        let mut generator = Generator::new(config);
        let requests: Vec<_> = generator.by_ref().collect();
        let plan = Plan::new(requests, arguments.connections, arguments.rate);
        eprintln!("{} of OTLP in {:.1} s", crate::units::Size(plan.bytes), begun.elapsed().as_secs_f64());
        Self { plan, answers: generator.into_answers() }
    }
}

async fn measure(arguments: &BenchArguments, workload: &mut Workload, server: &mut Server) -> Result<Report, Failure> {
    let before = answers::count(server.client()).await?;
    let started = server.usage().await?;
    eprintln!("sending over {} connections", arguments.connections);
    let sent = workload.plan.send(server.client()).await?;
    let after_sending = server.usage().await?;
    // The requests' memory is of no use any more, and the machine may need it for the page cache.
    workload.plan.forget();

    eprintln!("waiting until the lake is quiet");
    let settled = settle::wait(server).await?;
    let storage = Storage::measure(server, workload.answers.spans()).await?;

    eprintln!("checking that every span is there");
    let lost = answers::count(server.client()).await?.missing(&before, &workload.answers);
    let mut report = Report {
        machine: machine::describe(),
        version: env!("CARGO_PKG_VERSION"),
        spans: workload.answers.spans(),
        seed: arguments.seed,
        connections: arguments.connections,
        rate: arguments.rate,
        ingest: Ingest::new(&sent, &started, &after_sending, &settled),
        storage,
        lost,
        ready_ms: Vec::new(),
        page_cache_dropped: None,
        questions: Vec::new(),
        perfetto: None,
        peak_rss_bytes: server.usage().await?.peak_rss_bytes,
    };
    if arguments.perfetto {
        eprintln!("exporting");
        report.perfetto = Some(perfetto::measure(server).await?);
        report.note_peak(&server.usage().await?);
        return Ok(report);
    }
    if arguments.rate.is_some() {
        return Ok(report);
    }

    let questions = questions::all(&workload.answers);
    eprintln!("asking warm");
    report.questions = questions::ask_warm(server.client(), &questions, &workload.answers).await?;
    report.note_peak(&server.usage().await?);
    if server.is_own() {
        eprintln!("asking cold");
        questions::ask_cold(server, &questions, &workload.answers, &mut report).await?;
    }
    Ok(report)
}

/// Waits until `condition` gives something, asking every `every`.
async fn until<T>(
    what: &str,
    within: Duration,
    every: Duration,
    mut condition: impl AsyncFnMut() -> Result<Option<T>, Failure>,
) -> Result<T, Failure> {
    let deadline = tokio::time::Instant::now() + within;
    loop {
        if let Some(found) = condition().await? {
            return Ok(found);
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(Failure::new(what, format!("not after {} s", within.as_secs())));
        }
        tokio::time::sleep(every).await;
    }
}
