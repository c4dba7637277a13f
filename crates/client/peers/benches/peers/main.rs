//! What spans, events, log records and counters cost the threads that make them, with several libraries in one run, on one
//! thread and on two at once. Each library records and buffers all of them: in bursts for which there is room, between
//! which, out of the measure, what was recorded is taken away and thrown away.

mod fastrace;
mod glasshouse;
mod measure;
mod micromegas;
mod opentelemetry;

use criterion::{criterion_group, criterion_main};

criterion_group!(
    benches,
    glasshouse::run,
    fastrace::run,
    opentelemetry::run,
    micromegas::run
);
criterion_main!(benches);
