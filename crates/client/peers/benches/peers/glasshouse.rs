use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use criterion::Criterion;
use glasshouse_client::{Level, Sampler, Tracer, TracingLayer};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::measure::{Burst, EVENTS, bench};
use crate::opentelemetry::within_subscriber;

/// Answers every request with 200, unread.
fn discard(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        let mut head = Vec::new();
        let body = loop {
            let read = stream.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            head.extend_from_slice(&buffer[..read]);
            if let Some(end) = head.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break head.split_off(end).len() - 4;
            }
        };
        let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split('\r').next()?.parse().ok());
        let mut rest: usize = length.unwrap_or(0_usize).saturating_sub(body);
        while rest > 0 {
            let most = rest.min(buffer.len());
            rest -= stream.read(&mut buffer[..most])?;
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
    }
}

/// Within a span of the thread.
fn within<'a>(tracer: &'a Tracer, record: impl Fn(&Tracer) + 'a) -> Burst<'a> {
    let root = tracer.span("root").start();
    Box::new(move |n| {
        let _current = root.enter();
        (0..n).for_each(|_| record(tracer));
    })
}

pub fn run(criterion: &mut Criterion) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(|| discard(stream));
        }
    });
    let tracer = &Tracer::builder(&url).sampler(Sampler::Always).connect().expect("the address is one");
    let flush = || tracer.flush(Duration::from_secs(10)).expect("the listener takes all");
    let mut group = criterion.benchmark_group("glasshouse");
    bench(&mut group, "span", || within(tracer, |tracer| tracer.span("work").start().end()), flush);
    let three = |tracer: &Tracer| {
        let span = tracer.span("work").with_attribute("a", black_box("1")).with_attribute("b", black_box("2"));
        span.with_attribute("c", black_box("3")).start().end();
    };
    bench(&mut group, "span with 3 attributes", || within(tracer, three), flush);
    bench(&mut group, "span with an event", || within(tracer, |tracer| tracer.span("work").start().add_event("event", &[])), flush);
    let events = || -> Burst<'_> {
        Box::new(|n| {
            for _ in 0..n.div_ceil(EVENTS) {
                let mut span = tracer.span("work").start();
                (0..EVENTS).for_each(|_| span.add_event("event", &[]));
            }
        })
    };
    bench(&mut group, "event", events, flush);
    bench(&mut group, "log", || within(tracer, |tracer| tracer.log(Level::Info, black_box("it works")).emit()), flush);
    let counter = &tracer.metric("count").counter();
    bench(&mut group, "counter", || Box::new(|n| (0..n).for_each(|_| counter.add(black_box(1)))), || ());
    let disabled = &Tracer::disabled();
    let nothing = || -> Burst<'_> { Box::new(|n| (0..n).for_each(|_| black_box(disabled).span("work").start().end())) };
    bench(&mut group, "disabled", nothing, || ());
    let dispatch = &tracing::Dispatch::new(tracing_subscriber::registry().with(TracingLayer::new(tracer.clone())));
    let span = || drop(tracing::info_span!("work").entered());
    bench(&mut group, "span of tracing", || within_subscriber(dispatch, span), flush);
    group.finish();
    let statistics = tracer.statistics();
    assert_eq!((statistics.spans.dropped, statistics.logs.dropped), (0, 0), "what is dropped costs less");
}
