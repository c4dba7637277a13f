//! What a span costs the thread that makes it: recorded and buffered. After so many spans as the buffer has room for, it is
//! waited, out of the measure, until they are sent to a listener that throws them away; so none is dropped, which would cost
//! less.
#![allow(missing_docs, reason = "criterion's macros make a public function")]

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use criterion::{Criterion, criterion_group, criterion_main};
use glasshouse_client::{Sampler, Tracer};

/// Spans that a thread's buffer has room for.
const BURST: u64 = 2000;

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

fn spans(criterion: &mut Criterion) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away is none of our business.
            thread::spawn(|| discard(stream));
        }
    });
    let tracer = |sampler| Tracer::builder(&url).sampler(sampler).connect().expect("the address is one");
    let kept = tracer(Sampler::Always);
    let mut group = criterion.benchmark_group("span");
    let mut bench = |name: &str, tracer: &Tracer, span: &dyn Fn()| {
        group.bench_function(name, |bencher| bencher.iter_custom(|spans| in_bursts(tracer, spans, span)));
    };
    bench("start and end", &kept, &|| kept.span(black_box("work")).start().end());
    bench("child of the current span", &kept, &{
        let root = kept.span("root").start();
        let kept = &kept;
        move || {
            let _current = root.enter();
            kept.span(black_box("work")).start().end();
        }
    });
    bench("three attributes", &kept, &|| {
        let span = kept.span(black_box("work")).with_attribute("http.request.method", black_box("GET"));
        let span = span.with_attribute("http.response.status_code", black_box(200));
        span.with_attribute("cache.hit", black_box(true)).start().end();
    });
    bench("event", &kept, &|| {
        let mut span = kept.span(black_box("work")).start();
        span.add_event(black_box("thing"), &[("n", black_box(3).into())]);
    });
    assert_eq!(kept.statistics().spans.dropped, 0, "what is dropped costs less");
    let never = tracer(Sampler::Never);
    bench("not kept", &never, &|| never.span(black_box("work")).start().end());
    group.finish();
    let disabled = Tracer::disabled();
    criterion
        .bench_function("span/disabled", |bencher| bencher.iter(|| disabled.span(black_box("work")).start().end()));
}

fn in_bursts(tracer: &Tracer, spans: u64, span: &dyn Fn()) -> Duration {
    let mut spent = Duration::ZERO;
    let mut rest = spans;
    while rest > 0 {
        let burst = rest.min(BURST);
        let begun = Instant::now();
        for _ in 0..burst {
            span();
        }
        spent += begun.elapsed();
        rest -= burst;
        tracer.flush(Duration::from_secs(10)).expect("the listener takes all");
    }
    spent
}

criterion_group!(benches, spans);
criterion_main!(benches);
