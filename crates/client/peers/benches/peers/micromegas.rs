use std::collections::HashMap;
use std::fmt;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

use criterion::Criterion;
use micromegas_tracing::event::EventSink;
use micromegas_tracing::guards::{TracingSystemGuard, TracingThreadGuard};
use micromegas_tracing::levels::{LevelFilter, set_max_level};
use micromegas_tracing::logs::{LogBlock, LogMetadata, LogStream};
use micromegas_tracing::metrics::{MetricsBlock, MetricsStream};
use micromegas_tracing::process_info::ProcessInfo;
use micromegas_tracing::property_set::DynProperty;
use micromegas_tracing::spans::{ThreadBlock, ThreadStream};
use micromegas_tracing::{imetric, info, span_scope};

use crate::measure::{Burst, bench};

static BLOCKS: AtomicU64 = AtomicU64::new(0);

/// What was recorded, of any kind.
type Block = Box<dyn Send>;

/// Gives blocks to another thread, which throws them away.
struct Sink(mpsc::Sender<Block>);

impl Sink {
    fn take<T: Send + Sync + 'static>(&self, block: Arc<T>) {
        BLOCKS.fetch_add(1, Ordering::Relaxed);
        // The last one comes when nobody waits.
        let _ = self.0.send(Box::new(block));
    }
}

impl EventSink for Sink {
    fn on_startup(&self, _: Arc<ProcessInfo>) {}
    fn on_shutdown(&self) {}
    fn on_log_enabled(&self, _: &LogMetadata) -> bool {
        true
    }
    fn on_log(&self, _: &LogMetadata, _: &[DynProperty<'_>], _: i64, _: fmt::Arguments<'_>) {}
    fn on_init_log_stream(&self, _: &LogStream) {}
    fn on_process_log_block(&self, block: Arc<LogBlock>) {
        self.take(block);
    }
    fn on_init_metrics_stream(&self, _: &MetricsStream) {}
    fn on_process_metrics_block(&self, block: Arc<MetricsBlock>) {
        self.take(block);
    }
    fn on_init_thread_stream(&self, _: &ThreadStream) {}
    fn on_process_thread_block(&self, block: Arc<ThreadBlock>) {
        self.take(block);
    }
    fn is_busy(&self) -> bool {
        false
    }
}

/// On a thread that is known.
fn known(record: impl Fn() + 'static) -> Burst<'static> {
    let guard = TracingThreadGuard::new();
    Box::new(move |n| {
        let _known = &guard;
        (0..n).for_each(|_| record());
    })
}

pub fn run(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("micromegas-tracing");
    let span = || {
        span_scope!("work");
    };
    bench(&mut group, "disabled", || Box::new(move |n| (0..n).for_each(|_| span())), || ());
    let (sender, blocks) = mpsc::channel();
    thread::spawn(move || blocks.iter().for_each(drop));
    let sink: Arc<dyn EventSink> = Arc::new(Sink(sender));
    let _system =
        TracingSystemGuard::new(10 << 20, 1 << 20, 10 << 20, sink, HashMap::new(), true).expect("it is the first");
    set_max_level(LevelFilter::Trace);
    bench(&mut group, "span", || known(span), || ());
    let three = || {
        let _span = span_scope!(name = "work", a = "1", b = "2", c = "3");
    };
    bench(&mut group, "span with 3 attributes", || known(three), || ());
    bench(&mut group, "log", || known(|| info!("{}", black_box("it works"))), || ());
    bench(&mut group, "counter", || known(|| imetric!("count", "count", black_box(1))), || ());
    group.finish();
    assert!(BLOCKS.load(Ordering::Relaxed) > 1, "spans are recorded");
}
