//! Takes records from the rings of all threads.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::encode;
use super::health::Health;
use super::queue::{Batch, Queue};
use crate::core::Core;
use crate::ring::{Reader, Record};
use crate::signal::{PerSignal, Signal};

/// How often the system's clock is looked at.
const ADJUST: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Collector {
    core: Arc<Core>,
    queue: Arc<Queue>,
    rings: Vec<Reader>,
    batches: Batches,
    health: Health,
    /// How often metrics are read.
    metrics_interval: Duration,
    /// Instruments for which there was no room, as far as that was told.
    refused: u64,
    /// The last flush that all was collected for.
    collected: u64,
}

/// Batches in the making.
#[derive(Debug)]
struct Batches {
    queue: Arc<Queue>,
    /// Bytes of one.
    most: usize,
    /// With the time when its first record came.
    open: PerSignal<Option<(Instant, Batch)>>,
}

impl Batches {
    /// Adds a record that `write` writes, and that counts as so many.
    fn add(&mut self, signal: Signal, count: u64, write: impl FnOnce(&mut Vec<u8>)) {
        let (_, batch) = self.open.of_mut(signal).get_or_insert_with(|| (Instant::now(), Batch::new(signal)));
        write(&mut batch.records);
        batch.count += count;
        if batch.records.len() >= self.most {
            self.hand_on(signal);
        }
    }

    fn hand_on(&mut self, signal: Signal) {
        if let Some((_, batch)) = self.open.of_mut(signal).take() {
            self.queue.push(batch);
        }
    }

    /// Hands on those that are older, the most important first.
    fn hand_on_older(&mut self, age: Duration) {
        for signal in Signal::ALL {
            if self.open.of(signal).as_ref().is_some_and(|(since, _)| since.elapsed() >= age) {
                self.hand_on(signal);
            }
        }
    }
}

impl Collector {
    pub fn new(core: Arc<Core>, queue: Arc<Queue>, metrics_interval: Duration) -> Self {
        let most = core.limits.batch_bytes;
        let batches = Batches { queue: Arc::clone(&queue), most, open: PerSignal::default() };
        let health = Health::new(Arc::clone(&core));
        Self { core, queue, rings: Vec::new(), batches, health, metrics_interval, refused: 0, collected: 0 }
    }

    /// Collects until the tracer stops.
    pub fn run(mut self) {
        let mut adjusted = Instant::now();
        let mut read = Instant::now();
        loop {
            self.core.looks();
            // What was recorded before either of these is in the rings.
            let (asked, is_last) = (self.queue.asked(), self.core.is_stopped());
            self.collect();
            self.tell_open_spans();
            let is_wanted = is_last || asked > self.collected;
            if is_wanted || read.elapsed() >= self.metrics_interval {
                self.read_metrics();
                read = Instant::now();
            }
            self.batches.hand_on_older(if is_wanted { Duration::ZERO } else { self.core.limits.batch_time });
            if asked > self.collected {
                self.collected = asked;
                self.queue.set_collected(asked);
            }
            if is_last {
                self.core.forget_readers();
                return self.queue.end();
            }
            if adjusted.elapsed() >= ADJUST {
                self.core.clock.adjust();
                adjusted = Instant::now();
            }
            thread::park_timeout(
                (self.core.limits.batch_time / 2).min(self.metrics_interval.saturating_sub(read.elapsed())),
            );
        }
    }

    /// They are counted when they end.
    fn tell_open_spans(&mut self) {
        let Some(open) = self.core.open() else { return };
        open.take_due(self.core.clock.now(), |span, fields| {
            self.batches.add(Signal::Spans, 0, |out| encode::span(out, span, (fields, &[]), &[]));
        });
    }

    fn read_metrics(&mut self) {
        if self.core.call_readers() > 0 {
            self.queue.set_problem("what was to be called before metrics panicked, and is not called again".to_owned());
        }
        self.health.tell();
        let refused = self.core.registry.refused();
        if refused > self.refused {
            self.refused = refused;
            self.queue.set_problem(format!("{refused} instruments tell nothing, for there are too many metrics"));
        }
        let now = self.core.clock.now().unix_nanos(self.core.clock.anchor());
        let mut batch = Batch::new(Signal::Metrics);
        for metric in self.core.registry.metrics() {
            let points = metric.write(&mut batch.records, now);
            // Before they are sent, and so counted as such.
            self.core.count_points(points);
            batch.count += points;
            if batch.records.len() >= self.core.limits.batch_bytes {
                self.queue.push(std::mem::replace(&mut batch, Batch::new(Signal::Metrics)));
            }
        }
        if batch.count > 0 {
            self.queue.push(batch);
        }
    }

    fn collect(&mut self) {
        self.rings.extend(self.core.take_rings());
        let batches = &mut self.batches;
        self.rings.retain_mut(|ring| {
            // What was written before the thread ended is there when it has ended.
            let is_abandoned = ring.is_abandoned();
            ring.read(|record, fields, thread| match record {
                Record::Span(span) => {
                    let thread = thread.attributes(Signal::Spans);
                    batches.add(Signal::Spans, 1, |out| encode::span(out, &span, fields, thread));
                }
                Record::Log(log) => {
                    let thread = thread.attributes(Signal::Logs);
                    batches.add(Signal::Logs, 1, |out| encode::log(out, &log, fields, thread));
                }
            });
            if is_abandoned {
                self.core.ring_is_gone();
            }
            !is_abandoned
        });
    }
}
