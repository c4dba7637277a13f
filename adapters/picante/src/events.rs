//! What picante tells of its inputs and values, as metrics.

use std::collections::HashMap;

use glasshouse_client::Counter;
use picante::{QueryKindId, Runtime, RuntimeEvent};
use tokio::sync::broadcast::error::RecvError;

use crate::Queries;

impl Queries {
    /// Counts what happens to a database until it is dropped. Spawn it.
    ///
    /// | metric | unit | what |
    /// |---|---|---|
    /// | `picante.revisions` | `{revision}` | revisions that were begun |
    /// | `picante.inputs.set`, `picante.inputs.removed` | `{input}` | inputs, by `query.name` |
    /// | `picante.queries.invalidated` | `{query}` | values that may not hold any more, by `query.name` |
    /// | `picante.queries.changed` | `{query}` | values that are new or others than before, by `query.name` |
    /// | `picante.events.missed` | `{event}` | events that came too fast to be counted |
    pub fn watch(&self, runtime: &Runtime) -> impl Future<Output = ()> + Send + 'static {
        let mut events = runtime.subscribe_events();
        let mut counters = Counters { queries: self.clone(), by_name: HashMap::new() };
        async move {
            loop {
                match events.recv().await {
                    Ok(event) => counters.count(&event),
                    Err(RecvError::Lagged(missed)) => {
                        counters.get("picante.events.missed", "{event}", None).add(missed);
                    }
                    Err(RecvError::Closed) => return,
                }
            }
        }
    }
}

/// Counters, by metric and kind of query.
struct Counters {
    queries: Queries,
    by_name: HashMap<(&'static str, Option<QueryKindId>), Counter>,
}

impl Counters {
    fn count(&mut self, event: &RuntimeEvent) {
        let (metric, unit, kind) = match event {
            RuntimeEvent::RevisionBumped { .. } => ("picante.revisions", "{revision}", None),
            RuntimeEvent::InputSet { kind, .. } => ("picante.inputs.set", "{input}", Some(*kind)),
            RuntimeEvent::InputRemoved { kind, .. } => ("picante.inputs.removed", "{input}", Some(*kind)),
            RuntimeEvent::QueryInvalidated { kind, .. } => ("picante.queries.invalidated", "{query}", Some(*kind)),
            RuntimeEvent::QueryChanged { kind, .. } => ("picante.queries.changed", "{query}", Some(*kind)),
            // A database that was loaded has not changed.
            RuntimeEvent::RevisionSet { .. } => return,
        };
        self.get(metric, unit, kind).add(1);
    }

    fn get(&mut self, metric: &'static str, unit: &str, kind: Option<QueryKindId>) -> &Counter {
        self.by_name.entry((metric, kind)).or_insert_with(|| {
            let counter = self.queries.tracer.metric(metric).with_unit(unit);
            match kind {
                Some(kind) => counter.with_attribute("query.name", self.queries.name(kind.as_u32())).counter(),
                None => counter.counter(),
            }
        })
    }
}
