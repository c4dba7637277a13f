//! Makes spans on several threads as fast as it can, and tells what became of them: `load URL THREADS SPANS [SECONDS]`.
//! With SECONDS, so many spans are made evenly in that time.

use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use glasshouse_client::Tracer;

#[expect(clippy::disallowed_methods, reason = "these threads are no runtime's")]
fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, threads, spans, seconds @ ..] = &arguments[..] else {
        return Err("usage: load URL THREADS SPANS [SECONDS]".into());
    };
    let (threads, spans): (u64, u64) = (threads.parse()?, spans.parse()?);
    let seconds: f64 = seconds.first().map_or(Ok(0.0), |seconds| seconds.parse())?;
    let tracer = Tracer::builder(url).service("load").connect()?;
    let begun = Instant::now();
    thread::scope(|scope| {
        for thread in 0..threads {
            let tracer = &tracer;
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
