//! What became of records, told as a metric.

use std::sync::Arc;

use crate::core::Core;
use crate::metrics::{Counter, InstrumentBuilder};
use crate::signal::{Counts, Signal};

/// Counts that were told, as `glasshouse.client.records` with `signal` and `outcome`.
#[derive(Debug)]
pub(super) struct Health {
    core: Arc<Core>,
    counters: Vec<Told>,
}

type Outcome = fn(&Counts) -> u64;

#[derive(Debug)]
struct Told {
    signal: Signal,
    count: Outcome,
    counter: Counter,
    before: u64,
}

impl Health {
    pub fn new(core: Arc<Core>) -> Self {
        Self { core, counters: Vec::new() }
    }

    /// Tells what is new: when there are other metrics, or when something was lost.
    pub fn tell(&mut self) {
        let of = |signal| self.core.counts(signal);
        let is_lost = |counts: Counts| counts.dropped + counts.rejected > 0;
        if self.core.registry.is_empty() && !Signal::ALL.into_iter().any(|signal| is_lost(of(signal))) {
            return;
        }
        if self.counters.is_empty() {
            self.counters = counters(&self.core);
        }
        for told in &mut self.counters {
            let now = (told.count)(&self.core.counts(told.signal));
            // What was given up at the end may have been sent all the same.
            told.counter.add(now.saturating_sub(told.before));
            told.before = told.before.max(now);
        }
    }
}

fn counters(core: &Core) -> Vec<Told> {
    let outcomes: [(&str, Outcome); 3] =
        [("sent", |counts| counts.sent), ("rejected", |counts| counts.rejected), ("dropped", |counts| counts.dropped)];
    let each = Signal::ALL.into_iter().flat_map(|signal| outcomes.map(|(outcome, count)| (signal, outcome, count)));
    let told = each.map(|(signal, outcome, count)| {
        let counter = InstrumentBuilder::own(&core.registry, "glasshouse.client.records")
            .with_unit("{record}")
            .with_description("What became of the spans, log records and data points that the program recorded")
            .with_attribute("signal", signal.name())
            .with_attribute("outcome", outcome);
        Told { signal, count, counter: counter.counter(), before: 0 }
    });
    told.collect()
}
