//! A worker that takes jobs from a queue, and tells how it does: actions, events, how many wait, what it takes of the
//! machine. Each job goes on with the trace of who queued it. A job that runs for longer than half a second is told of
//! while it runs. `worker [URL] [JOBS [STUCK]]`: the job with the number STUCK never ends.

use std::collections::VecDeque;
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use glasshouse_client::{MetricsCollector, SpanContext, SpanKind, StatusCode, Tracer};

struct Job {
    number: u32,
    /// The span that queued it.
    from: Option<SpanContext>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().unwrap_or_else(|| "http://localhost:4318".to_owned());
    let jobs: u32 = arguments.next().map_or(Ok(100), |jobs| jobs.parse())?;
    let stuck: Option<u32> = arguments.next().map(|stuck| stuck.parse()).transpose()?;
    let tracer = Tracer::builder(&url)
        .service("worker")
        .metrics_interval(Duration::from_secs(1))
        .report_open_spans(Duration::from_millis(500))
        .connect_checked()?;
    let collector = MetricsCollector::new(&tracer);

    let request = tracer.span("request").with_kind(SpanKind::Producer).start();
    let queue = |number| Job { number, from: request.context().cloned() };
    let mut queue: VecDeque<Job> = (0..jobs).map(queue).collect();
    drop(request);

    while let Some(job) = queue.pop_front() {
        collector.set_action_queue(queue.len());
        collector.set_event_queue(queue.len());
        collector.set_current_action(Some("resize"));
        let begun = Instant::now();
        let span = tracer.span("resize").with_kind(SpanKind::Consumer).with_attribute("job", job.number);
        let mut span = match &job.from {
            Some(from) => span.with_parent(from),
            None => span,
        }
        .start();
        while stuck == Some(job.number) {
            thread::park();
        }
        let ok = resize(&job);
        if !ok {
            span.set_status(StatusCode::Error, "not an image");
        }
        collector.record_action("resize", begun.elapsed(), ok);
        collector.record_event(begun.elapsed(), ok);
    }
    collector.set_current_action(None);
    tracer.shutdown(Duration::from_secs(5))?;
    println!("{:?}", tracer.statistics());
    Ok(())
}

/// Takes a moment; every tenth job is none.
fn resize(job: &Job) -> bool {
    let until = Instant::now() + Duration::from_millis(u64::from(job.number % 5));
    while Instant::now() < until {
        thread::yield_now();
    }
    job.number % 10 != 9
}
