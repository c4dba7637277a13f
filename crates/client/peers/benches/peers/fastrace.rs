use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use criterion::Criterion;
use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::local::LocalSpan;

use crate::measure::{Burst, EVENTS, bench};

struct Discard;

static REPORTED: AtomicU64 = AtomicU64::new(0);

impl Reporter for Discard {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        REPORTED.fetch_add(spans.len() as u64, Ordering::Relaxed);
        black_box(spans);
    }
}

/// A local parent takes so many spans and no more: each burst has one of its own, which is part of what it costs.
fn within(record: impl Fn() + 'static) -> Burst<'static> {
    Box::new(move |n| {
        let root = fastrace::Span::root("root", SpanContext::random());
        let _guard = root.set_local_parent();
        (0..n).for_each(|_| record());
    })
}

pub fn run(criterion: &mut Criterion) {
    fastrace::set_reporter(Discard, Config::default());
    let mut group = criterion.benchmark_group("fastrace");
    let flush = fastrace::flush;
    bench(&mut group, "span", || within(|| drop(LocalSpan::enter_with_local_parent("work"))), flush);
    bench(&mut group, "span (Send)", || within(|| drop(fastrace::Span::enter_with_local_parent("work"))), flush);
    let three = || {
        let properties = || [("a", black_box("1")), ("b", black_box("2")), ("c", black_box("3"))];
        let _span = LocalSpan::enter_with_local_parent("work").with_properties(properties);
    };
    bench(&mut group, "span with 3 attributes", || within(three), flush);
    let event = || {
        let _span = LocalSpan::enter_with_local_parent("work");
        LocalSpan::add_event(fastrace::Event::new("event"));
    };
    bench(&mut group, "span with an event", || within(event), flush);
    let events = || -> Burst<'_> {
        Box::new(|n| {
            let root = fastrace::Span::root("root", SpanContext::random());
            let _guard = root.set_local_parent();
            for _ in 0..n.div_ceil(EVENTS) {
                let _span = LocalSpan::enter_with_local_parent("work");
                (0..EVENTS).for_each(|_| LocalSpan::add_event(fastrace::Event::new("event")));
            }
        })
    };
    bench(&mut group, "event", events, flush);
    let nothing = || -> Burst<'_> {
        Box::new(|n| (0..n).for_each(|_| drop(LocalSpan::enter_with_local_parent("work"))))
    };
    bench(&mut group, "disabled", nothing, || ());
    group.finish();
    assert!(REPORTED.load(Ordering::Relaxed) > 1000, "spans are recorded");
}
