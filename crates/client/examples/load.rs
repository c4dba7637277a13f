//! Makes spans on several threads as fast as it can, and tells what became of them: `load URL THREADS SPANS [SECONDS [END]]`.
//! With SECONDS, so many spans are made evenly in that time. END says how the program ends: by `shutdown` (the usual
//! one), or without a word to the tracer by `return`, `exit` or `panic`; then what was not sent is told by the metric
//! `glasshouse.client.records`.

use std::error::Error;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use glasshouse_client::Tracer;

static TRACER: OnceLock<Tracer> = OnceLock::new();

#[expect(clippy::disallowed_methods, reason = "these threads are no runtime's")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, threads, spans, more @ ..] = &arguments[..] else {
        return Err("usage: load URL THREADS SPANS [SECONDS [END]]".into());
    };
    let (threads, spans): (u64, u64) = (threads.parse()?, spans.parse()?);
    let seconds: f64 = more.first().map_or(Ok(0.0), |seconds| seconds.parse())?;
    let end = more.get(1).map_or("shutdown", String::as_str);
    let tracer = Tracer::builder(url).service("load").connect()?;
    // Never dropped.
    let tracer = TRACER.get_or_init(|| tracer);
    let begun = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            scope.spawn(move || {
                for i in (thread..spans).step_by(threads as usize) {
                    let due = Duration::from_secs_f64(seconds * i as f64 / spans as f64);
                    // Sleeps are not exact: a thread that is late does not sleep until it has caught up.
                    thread::sleep(due.saturating_sub(begun.elapsed()));
                    tracer
                        .span("work")
                        .with_attribute("i", i as i64)
                        .with_attribute("thread", thread as i64)
                        .start()
                        .end();
                }
            });
        }
    });
    let made = begun.elapsed();
    match end {
        "shutdown" => {}
        "return" => return Ok(()),
        "exit" => std::process::exit(3),
        "panic" => panic!("as was asked for"),
        _ => return Err(format!("{end:?} is no way to end").into()),
    }
    let ended = tracer.shutdown(Duration::from_mins(2));
    println!("made in {made:.2?}, over in {:.2?}: {:?}", begun.elapsed(), tracer.statistics().spans);
    println!("peak memory: {}", peak_memory().unwrap_or_default());
    Ok(ended?)
}

/// On Linux.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    Some(status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().to_owned())
}
