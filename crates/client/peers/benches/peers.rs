//! What a span costs the thread that makes it, with several libraries in one run. Each records and buffers all of them: in
//! bursts for which there is room, between which, out of the measure, what was recorded is taken away and thrown away.

use std::collections::HashMap;
use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::local::LocalSpan;
use glasshouse_client::{Sampler, Tracer};
use micromegas_tracing::event::EventSink;
use micromegas_tracing::guards::{TracingSystemGuard, TracingThreadGuard};
use micromegas_tracing::levels::{LevelFilter, set_max_level};
use micromegas_tracing::span_scope;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter,
};
use tracing_subscriber::layer::SubscriberExt as _;

/// Spans for which each has room.
const BURST: u64 = 1000;

type Group<'a> = BenchmarkGroup<'a, WallTime>;

/// Measures bursts; `between` takes away what was recorded.
fn bench(group: &mut Group<'_>, name: &str, mut burst: impl FnMut(u64), between: impl Fn()) {
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|spans| {
            let (mut rest, mut spent) = (spans, Duration::ZERO);
            while rest > 0 {
                let now = rest.min(BURST);
                let begun = Instant::now();
                burst(now);
                spent += begun.elapsed();
                rest -= now;
                between();
            }
            spent
        });
    });
}

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

fn glasshouse(criterion: &mut Criterion) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(|| discard(stream));
        }
    });
    let tracer = Tracer::builder(&url).sampler(Sampler::Always).connect().expect("the address is one");
    let flush = || tracer.flush(Duration::from_secs(10)).expect("the listener takes all");
    let mut group = criterion.benchmark_group("glasshouse");
    let root = tracer.span("root").start();
    let _current = root.enter();
    bench(&mut group, "span", |n| (0..n).for_each(|_| tracer.span("work").start().end()), flush);
    bench(
        &mut group,
        "span with 3 attributes",
        |n| {
            for _ in 0..n {
                let span = tracer.span("work").with_attribute("a", black_box("1")).with_attribute("b", black_box("2"));
                span.with_attribute("c", black_box("3")).start().end();
            }
        },
        flush,
    );
    bench(
        &mut group,
        "span with an event",
        |n| {
            for _ in 0..n {
                tracer.span("work").start().add_event("event", &[]);
            }
        },
        flush,
    );
    let disabled = Tracer::disabled();
    bench(&mut group, "disabled", |n| (0..n).for_each(|_| black_box(&disabled).span("work").start().end()), || ());
    group.finish();
    assert_eq!(tracer.statistics().spans.dropped, 0, "what is dropped costs less");
}

struct Discard;

static REPORTED: AtomicU64 = AtomicU64::new(0);

impl Reporter for Discard {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        REPORTED.fetch_add(spans.len() as u64, Ordering::Relaxed);
        black_box(spans);
    }
}

fn fastrace(criterion: &mut Criterion) {
    fastrace::set_reporter(Discard, Config::default());
    let mut group = criterion.benchmark_group("fastrace");
    // A local parent takes so many spans and no more: each burst has one of its own, which is part of what it costs.
    let in_root = |burst: &mut dyn FnMut()| {
        let root = fastrace::Span::root("root", SpanContext::random());
        let _guard = root.set_local_parent();
        burst();
    };
    bench(
        &mut group,
        "span",
        |n| {
            in_root(&mut || {
                for _ in 0..n {
                    let _span = LocalSpan::enter_with_local_parent("work");
                }
            });
        },
        fastrace::flush,
    );
    bench(
        &mut group,
        "span (Send)",
        |n| {
            in_root(&mut || {
                for _ in 0..n {
                    let _span = fastrace::Span::enter_with_local_parent("work");
                }
            });
        },
        fastrace::flush,
    );
    bench(
        &mut group,
        "span with 3 attributes",
        |n| {
            in_root(&mut || {
                for _ in 0..n {
                    let properties = || [("a", black_box("1")), ("b", black_box("2")), ("c", black_box("3"))];
                    let _span = LocalSpan::enter_with_local_parent("work").with_properties(properties);
                }
            });
        },
        fastrace::flush,
    );
    bench(
        &mut group,
        "span with an event",
        |n| {
            in_root(&mut || {
                for _ in 0..n {
                    let _span = LocalSpan::enter_with_local_parent("work");
                    LocalSpan::add_event(fastrace::Event::new("event"));
                }
            });
        },
        fastrace::flush,
    );
    bench(
        &mut group,
        "disabled",
        |n| {
            for _ in 0..n {
                let _span = LocalSpan::enter_with_local_parent("work");
            }
        },
        || (),
    );
    group.finish();
    assert!(REPORTED.load(Ordering::Relaxed) > BURST, "spans are recorded");
}

#[derive(Debug)]
struct DiscardSpans;

static EXPORTED: AtomicU64 = AtomicU64::new(0);

impl SpanExporter for DiscardSpans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        EXPORTED.fetch_add(batch.len() as u64, Ordering::Relaxed);
        black_box(batch);
        Ok(())
    }
}

fn opentelemetry(criterion: &mut Criterion) {
    let config = BatchConfigBuilder::default().with_max_queue_size(1 << 16).build();
    let processor = BatchSpanProcessor::builder(DiscardSpans).with_batch_config(config).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
    let flush = || provider.force_flush().expect("nothing is in the way");
    let mut group = criterion.benchmark_group("tracing-opentelemetry");
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        let root = tracing::info_span!("root");
        let _root = root.enter();
        bench(
            &mut group,
            "span",
            |n| {
                for _ in 0..n {
                    let _span = tracing::info_span!("work").entered();
                }
            },
            flush,
        );
        bench(
            &mut group,
            "span with 3 attributes",
            |n| {
                for _ in 0..n {
                    let (a, b, c) = (black_box("1"), black_box("2"), black_box("3"));
                    let _span = tracing::info_span!("work", a, b, c).entered();
                }
            },
            flush,
        );
        bench(
            &mut group,
            "span with an event",
            |n| {
                for _ in 0..n {
                    let _span = tracing::info_span!("work").entered();
                    tracing::info!("event");
                }
            },
            flush,
        );
    });
    bench(
        &mut group,
        "disabled",
        |n| {
            for _ in 0..n {
                let _span = tracing::info_span!("work").entered();
            }
        },
        || (),
    );
    group.finish();
    assert!(EXPORTED.load(Ordering::Relaxed) > BURST, "spans are recorded");
}

mod micromegas {
    use std::fmt;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Arc, mpsc};

    use micromegas_tracing::event::EventSink;
    use micromegas_tracing::logs::{LogBlock, LogMetadata, LogStream};
    use micromegas_tracing::metrics::{MetricsBlock, MetricsStream};
    use micromegas_tracing::process_info::ProcessInfo;
    use micromegas_tracing::property_set::DynProperty;
    use micromegas_tracing::spans::{ThreadBlock, ThreadStream};

    pub static BLOCKS: AtomicU64 = AtomicU64::new(0);

    /// Gives blocks to another thread, which throws them away.
    pub struct Sink(pub mpsc::Sender<Arc<ThreadBlock>>);

    impl EventSink for Sink {
        fn on_startup(&self, _: Arc<ProcessInfo>) {}
        fn on_shutdown(&self) {}
        fn on_log_enabled(&self, _: &LogMetadata) -> bool {
            true
        }
        fn on_log(&self, _: &LogMetadata, _: &[DynProperty<'_>], _: i64, _: fmt::Arguments<'_>) {}
        fn on_init_log_stream(&self, _: &LogStream) {}
        fn on_process_log_block(&self, _: Arc<LogBlock>) {}
        fn on_init_metrics_stream(&self, _: &MetricsStream) {}
        fn on_process_metrics_block(&self, _: Arc<MetricsBlock>) {}
        fn on_init_thread_stream(&self, _: &ThreadStream) {}
        fn on_process_thread_block(&self, block: Arc<ThreadBlock>) {
            BLOCKS.fetch_add(1, Ordering::Relaxed);
            // The last one comes when nobody waits.
            let _ = self.0.send(block);
        }
        fn is_busy(&self) -> bool {
            false
        }
    }
}

fn micromegas(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("micromegas-tracing");
    bench(
        &mut group,
        "disabled",
        |n| {
            for _ in 0..n {
                span_scope!("work");
            }
        },
        || (),
    );
    let (sender, blocks) = std::sync::mpsc::channel();
    thread::spawn(move || blocks.iter().for_each(drop));
    let sink: Arc<dyn EventSink> = Arc::new(micromegas::Sink(sender));
    let _system = TracingSystemGuard::new(10 << 20, 1 << 20, 10 << 20, sink, HashMap::new(), true).expect("it is the first");
    set_max_level(LevelFilter::Trace);
    let _thread = TracingThreadGuard::new();
    bench(
        &mut group,
        "span",
        |n| {
            for _ in 0..n {
                span_scope!("work");
            }
        },
        || (),
    );
    bench(
        &mut group,
        "span with 3 attributes",
        |n| {
            for _ in 0..n {
                let _span = span_scope!(name = "work", a = "1", b = "2", c = "3");
            }
        },
        || (),
    );
    group.finish();
    assert!(micromegas::BLOCKS.load(Ordering::Relaxed) > 1, "spans are recorded");
}

criterion_group!(benches, glasshouse, fastrace, opentelemetry, micromegas);
criterion_main!(benches);
