//! What becomes of spans on their way to a server.

use std::collections::HashSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};

use glasshouse_client::{ConnectError, Counts, Limits, Tracer, Value};

use crate::server::{Answer, DEADLINE, Request, Server, attributes, eventually, fates, named};

#[test]
fn every_span_of_many_threads_is_counted() {
    const THREADS: u64 = 4;
    const SPANS: u64 = 50_000;
    let server = Server::new(|_| Answer::ok());
    // Rings so small that they overflow.
    let limits = Limits { ring_bytes: 64 << 10, ..Limits::default() };
    let tracer = Tracer::builder(&server.url()).limits(limits).connect().unwrap();
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let tracer = tracer.clone();
            scope.spawn(move || {
                for i in 0..SPANS {
                    tracer
                        .span("work")
                        .with_attribute("thread", thread as i64)
                        .with_attribute("i", i as i64)
                        .start()
                        .end();
                }
            });
        }
    });
    tracer.shutdown(DEADLINE).unwrap();
    let statistics = tracer.statistics().spans;
    assert_eq!(statistics.recorded, THREADS * SPANS);
    assert_eq!(statistics.sent + statistics.dropped, THREADS * SPANS);
    assert!(statistics.dropped > 0, "the rings are too small for this");
    let received = server.spans();
    assert_eq!(received.len() as u64, statistics.sent);
    let ids: HashSet<_> = received.iter().map(|span| span.span_id.clone()).collect();
    assert_eq!(ids.len(), received.len());
    // What is recorded too late is counted too.
    tracer.span("too late").start().end();
    let [recorded, sent, rejected, dropped, waiting] = fates(statistics);
    assert_eq!(fates(tracer.statistics().spans), [recorded + 1, sent, rejected, dropped + 1, waiting]);
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let begun = Instant::now();
    let server = Server::new(|number| match number {
        0 => Answer::status(503).with("retry-after", "1"),
        1 => Answer::status(429),
        2 => Answer::hang_up(),
        _ => Answer::ok(),
    });
    let tracer = Tracer::connect(&server.url()).unwrap();
    tracer.span("work").start().end();
    tracer.flush(DEADLINE).unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1), "it was asked to wait that long");
    assert_eq!(server.requests().len(), 4);
    assert_eq!(fates(tracer.statistics().spans), [1, 1, 0, 0, 0]);
}

#[test]
fn what_the_server_refuses_is_counted() {
    let server = Server::new(|number| match number {
        0 => Answer::status(400),
        _ => Answer::partial(2, "too old"),
    });
    let tracer = Tracer::connect(&server.url()).unwrap();
    tracer.span("bad").start().end();
    tracer.flush(DEADLINE).unwrap();
    assert_eq!(fates(tracer.statistics().spans), [1, 0, 1, 0, 0]);
    let problem = tracer.last_problem().unwrap();
    assert!(problem.contains("400"), "{problem}");
    for _ in 0..3 {
        tracer.span("some").start().end();
    }
    tracer.flush(DEADLINE).unwrap();
    assert_eq!(fates(tracer.statistics().spans), [4, 1, 3, 0, 0]);
    assert_eq!(tracer.last_problem().unwrap(), "too old");
}

#[test]
fn memory_is_bounded_while_nobody_answers() {
    const MEMORY: usize = 512 << 10;
    let server = Server::new(|_| Answer::status(503));
    let limits = Limits { ring_bytes: 64 << 10, memory_bytes: MEMORY, batch_bytes: 32 << 10, ..Limits::default() };
    let tracer = Tracer::builder(&server.url()).limits(limits).connect().unwrap();
    let long = "x".repeat(1000);
    // Less than a ring at once, until several times as much was made as there is memory.
    while tracer.statistics().spans.recorded * 1000 < 4 * MEMORY as u64 {
        for _ in 0..30 {
            tracer.span("work").with_attribute("long", &long).start().end();
        }
        // Nothing is sent, but all is collected.
        tracer.flush(Duration::from_millis(20)).unwrap_err();
    }
    let waiting = tracer.statistics().spans.waiting as usize * 1000;
    let problem = tracer.shutdown(Duration::from_millis(200)).unwrap_err();
    assert!(problem.to_string().contains("503"), "{problem}");
    let statistics = tracer.statistics().spans;
    assert_eq!((statistics.sent, statistics.waiting, statistics.dropped), (0, 0, statistics.recorded));
    // A half of the memory is for what waits; one request is on its way, another in the making.
    assert!((MEMORY / 4..MEMORY).contains(&waiting), "{problem}");
    // What was given up stays so.
    assert_eq!(tracer.flush(DEADLINE).unwrap_err(), problem);
    assert_eq!(tracer.shutdown(DEADLINE).unwrap_err(), problem);
}

#[test]
fn threads_without_a_ring_share_one() {
    const THREADS: u64 = 20;
    let server = Server::new(|_| Answer::ok());
    // There is memory for the rings of two threads.
    let limits = Limits { ring_bytes: 64 << 10, memory_bytes: 256 << 10, ..Limits::default() };
    let tracer = Tracer::builder(&server.url()).limits(limits).connect().unwrap();
    let barrier = Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                tracer.span("work").start().end();
                // All of them are there at once.
                barrier.wait();
            });
        }
    });
    tracer.shutdown(DEADLINE).unwrap();
    assert_eq!(fates(tracer.statistics().spans), [THREADS, THREADS, 0, 0, 0]);
}

#[test]
fn a_flush_waits_for_what_was_before_it_only() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    let is_over = AtomicBool::new(false);
    let mut requests = [0; 5];
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                tracer.span("noise").start().end();
            }
        });
        for requests in &mut requests {
            tracer.span("mine").start().end();
            tracer.flush(DEADLINE).unwrap();
            *requests = server.requests().len();
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let mine = |request: &Request| request.spans().iter().filter(|span| span.name == "mine").count();
    let all = server.requests();
    for (before, requests) in requests.into_iter().enumerate() {
        assert_eq!(all[..requests].iter().map(mine).sum::<usize>(), before + 1);
    }
}

#[test]
fn what_is_too_large_is_dropped() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&server.url()).unwrap();
    let large = "x".repeat(2 << 20);
    tracer.span("large").with_attribute("large", &large).start().end();
    tracer.span(large).start().end();
    tracer.span("small").start().end();
    tracer.shutdown(DEADLINE).unwrap();
    assert_eq!(fates(tracer.statistics().spans), [3, 1, 0, 2, 0]);
    // However deep a value is, servers can read it.
    let deep = (0..1000).fold(Value::Int(1), |inner, _| Value::Array(vec![inner]));
    let tracer = Tracer::connect(&server.url()).unwrap();
    tracer.span("deep").with_attribute("deep", &deep).start().end();
    tracer.shutdown(DEADLINE).unwrap();
    assert!(attributes(&named(&server.spans(), "deep").attributes).contains_key("deep"));
}

#[test]
fn what_memory_has_no_room_for_waits_on_disk() {
    const SPANS: u64 = 3000;
    let folder = tempfile::tempdir().unwrap();
    let is_away = Arc::new(AtomicBool::new(true));
    let server = {
        let is_away = Arc::clone(&is_away);
        Server::new(move |_| Answer::status(if is_away.load(Ordering::Relaxed) { 503 } else { 200 }))
    };
    let limits = Limits { memory_bytes: 256 << 10, batch_bytes: 32 << 10, ..Limits::default() };
    let connect = || Tracer::builder(&server.url()).limits(limits).spill(folder.path(), 64 << 20).connect().unwrap();
    let long = "x".repeat(1000);
    let record = |tracer: &Tracer| {
        for n in 0..SPANS {
            tracer.span("work").with_attribute("long", &long).start().end();
            if n % 15 == 0 {
                // Nothing is sent, but most is collected.
                tracer.flush(Duration::from_millis(2)).unwrap_err();
            }
        }
    };
    let tracer = connect();
    record(&tracer);
    let counts = tracer.statistics().spans;
    assert_eq!((counts.recorded, counts.sent), (SPANS, 0), "{counts:?}");
    assert!(counts.spilled > SPANS / 2, "{counts:?}");
    // A ring may have been full.
    let kept = SPANS - counts.dropped;
    // When the server is back, all arrives.
    is_away.store(false, Ordering::Relaxed);
    tracer.flush(DEADLINE).unwrap();
    assert_eq!(fates(tracer.statistics().spans), [SPANS, kept, 0, SPANS - kept, 0]);
    let ids =
        |server: &Server| server.spans().iter().map(|span| span.span_id.clone()).collect::<HashSet<_>>().len() as u64;
    assert_eq!(ids(&server), kept);
    // What is left when a program ends is sent by the next one.
    is_away.store(true, Ordering::Relaxed);
    record(&tracer);
    tracer.shutdown(Duration::from_millis(10)).unwrap_err();
    let counts = tracer.statistics().spans;
    assert_eq!((counts.waiting, counts.recorded, counts.sent), (0, 2 * SPANS, kept), "{counts:?}");
    assert_eq!(counts.spilled + counts.dropped + counts.sent, 2 * SPANS, "{counts:?}");
    assert!(counts.spilled > SPANS / 2, "{counts:?}");
    drop(tracer);
    is_away.store(false, Ordering::Relaxed);
    let next = connect();
    // The lock stays.
    let files =
        || fs::read_dir(folder.path()).unwrap().flat_map(|of| fs::read_dir(of.unwrap().path()).unwrap()).count();
    eventually("what was left is sent", || files() == 1);
    // The request that was on its way may have arrived too.
    assert!(ids(&server) >= kept + counts.spilled);
    assert_eq!(next.statistics().spans, Counts::default(), "they are not its own");
    drop(next);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left");
    let missing = Tracer::builder(&server.url()).spill(folder.path().join("file/below"), 1);
    fs::write(folder.path().join("file"), "").unwrap();
    assert!(matches!(missing.connect(), Err(ConnectError::Spill { .. })));
}

#[test]
fn requests_are_compressed_when_that_is_wanted() {
    let server = Server::new(|_| Answer::ok());
    let tracer = Tracer::builder(&server.url()).gzip().connect_checked().unwrap();
    for n in 0..100 {
        tracer.span("work").with_attribute("n", n).start().end();
    }
    tracer.shutdown(DEADLINE).unwrap();
    assert_eq!(server.spans().len(), 100);
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.header("content-encoding") == Some("gzip")));
    let sent: usize =
        requests.iter().map(|request| request.header("content-length").unwrap().parse::<usize>().unwrap()).sum();
    assert!(sent < requests.iter().map(Request::len).sum::<usize>() / 2);
}
