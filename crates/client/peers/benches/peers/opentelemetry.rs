use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use criterion::Criterion;
use opentelemetry::logs::{LogRecord as _, Logger as _, LoggerProvider as _, Severity};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{
    BatchConfigBuilder as LogConfig, BatchLogProcessor, LogBatch, LogExporter, SdkLoggerProvider,
};
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::measure::{Burst, EVENTS, Group, bench};

#[derive(Debug)]
struct Discard;

static EXPORTED: AtomicU64 = AtomicU64::new(0);

impl SpanExporter for Discard {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        EXPORTED.fetch_add(batch.len() as u64, Ordering::Relaxed);
        black_box(batch);
        Ok(())
    }
}

impl LogExporter for Discard {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        black_box(batch.iter().count());
        Ok(())
    }
}

impl PushMetricExporter for Discard {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        black_box(metrics);
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Cumulative
    }
}

pub fn run(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tracing-opentelemetry");
    spans(&mut group);
    logs(&mut group);
    let provider = SdkMeterProvider::builder().with_reader(PeriodicReader::builder(Discard).build()).build();
    let counter = &provider.meter("bench").u64_counter("count").build();
    bench(&mut group, "counter", || Box::new(|n| (0..n).for_each(|_| counter.add(black_box(1), &[]))), || ());
    let nothing = || -> Burst<'_> {
        Box::new(|n| (0..n).for_each(|_| drop(tracing::info_span!("work").entered())))
    };
    bench(&mut group, "disabled", nothing, || ());
    group.finish();
    assert!(EXPORTED.load(Ordering::Relaxed) > 1000, "spans are recorded");
}

/// Within a span of the thread.
pub fn within_subscriber<'a>(dispatch: &'a tracing::Dispatch, record: impl Fn() + 'a) -> Burst<'a> {
    Box::new(move |n| {
        tracing::dispatcher::with_default(dispatch, || {
            let root = tracing::info_span!("root");
            let _root = root.enter();
            (0..n).for_each(|_| record());
        });
    })
}

fn spans(group: &mut Group<'_>) {
    let config = BatchConfigBuilder::default().with_max_queue_size(1 << 16).build();
    let processor = BatchSpanProcessor::builder(Discard).with_batch_config(config).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
    let dispatch = &tracing::Dispatch::new(tracing_subscriber::registry().with(layer));
    let flush = || provider.force_flush().expect("nothing is in the way");
    bench(group, "span", || within_subscriber(dispatch, || drop(tracing::info_span!("work").entered())), flush);
    let three = || {
        let (a, b, c) = (black_box("1"), black_box("2"), black_box("3"));
        let _span = tracing::info_span!("work", a, b, c).entered();
    };
    bench(group, "span with 3 attributes", || within_subscriber(dispatch, three), flush);
    let event = || {
        let _span = tracing::info_span!("work").entered();
        tracing::info!("event");
    };
    bench(group, "span with an event", || within_subscriber(dispatch, event), flush);
    let events = || -> Burst<'_> {
        Box::new(|n| {
            tracing::dispatcher::with_default(dispatch, || {
                for _ in 0..n.div_ceil(EVENTS) {
                    let _span = tracing::info_span!("work").entered();
                    (0..EVENTS).for_each(|_| tracing::info!("event"));
                }
            });
        })
    };
    bench(group, "event", events, flush);
}

fn logs(group: &mut Group<'_>) {
    let config = LogConfig::default().with_max_queue_size(1 << 16).build();
    let processor = BatchLogProcessor::builder(Discard).with_batch_config(config).build();
    let provider = SdkLoggerProvider::builder().with_log_processor(processor).build();
    let logger = &provider.logger("bench");
    let record = || -> Burst<'_> {
        Box::new(|n| {
            for _ in 0..n {
                let mut record = logger.create_log_record();
                record.set_severity_number(Severity::Info);
                record.set_body(black_box("it works").into());
                logger.emit(record);
            }
        })
    };
    bench(group, "log", record, || provider.force_flush().expect("nothing is in the way"));
}
