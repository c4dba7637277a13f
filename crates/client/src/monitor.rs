//! The health of a program: what it does, and what that takes of the machine.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use crate::metrics::{Counter, Gauge, Histogram};
use crate::system::Usage;
use crate::tracer::Tracer;

/// Names that are remembered; instruments of more of them are looked for each time.
const MOST_NAMES: usize = 1000;

/// Tells how a program does, as metrics: what it takes of the machine, by itself; its actions (what it was asked to do) and
/// events (what it goes through), as it is told. They are sent each [`metrics_interval`](crate::TracerBuilder::metrics_interval)
/// of the tracer. It is cheap to clone.
///
/// ```
/// # use std::time::Duration;
/// # let tracer = glasshouse_client::Tracer::disabled();
/// use glasshouse_client::MetricsCollector;
///
/// let collector = MetricsCollector::new(&tracer);
/// collector.set_current_action(Some("import"));
/// collector.record_action("import", Duration::from_millis(12), true);
/// collector.record_event(Duration::from_micros(3), true);
/// collector.set_event_queue(17);
/// ```
///
/// | metric | kind, unit | attributes | |
/// |---|---|---|---|
/// | `process.cpu.utilization` | gauge, 1 | | share of all processors since the last time |
/// | `process.memory.usage` | gauge, By | | resident memory |
/// | `process.memory.utilization` | gauge, 1 | | of the machine's, or of what its container may have |
/// | `process.thread.count` | gauge, {thread} | | |
/// | `process.child.count` | gauge, {process} | | child processes |
/// | `glasshouse.actions` | counter, {action} | `action.name`, `outcome` | since the start; `outcome` is `ok` or `error` |
/// | `glasshouse.action.duration` | histogram, s | `action.name` | |
/// | `glasshouse.action.current` | gauge, 1 | `action.name` | 1 for the current one |
/// | `glasshouse.action.queue` | gauge, {action} | | how many wait |
/// | `glasshouse.events` | counter, {event} | `outcome` | since the start |
/// | `glasshouse.event.duration` | histogram, s | | |
/// | `glasshouse.event.queue` | gauge, {event} | | how many wait |
///
/// Counters count from the start; rates are made of them by who looks, over the time that is looked at. What the machine
/// gives is known on Linux only; elsewhere, or where the system does not tell, those metrics are not there. A program has
/// one collector.
#[derive(Clone)]
pub struct MetricsCollector {
    inner: Arc<Inner>,
}

struct Inner {
    tracer: Tracer,
    actions: RwLock<HashMap<String, Action>>,
    current: Mutex<Option<(String, Gauge)>>,
    action_queue: Gauge,
    events: Outcomes,
    event_duration: Histogram,
    event_queue: Gauge,
}

impl fmt::Debug for MetricsCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsCollector").field("tracer", &self.inner.tracer).finish_non_exhaustive()
    }
}

/// An action by name, for those who record it often.
#[derive(Debug, Clone)]
pub struct Action {
    outcomes: Outcomes,
    duration: Histogram,
}

impl Action {
    /// Records that it was done: how long that took, and whether it went well.
    pub fn record(&self, duration: Duration, ok: bool) {
        self.outcomes.of(ok).add(1);
        self.duration.record_duration(duration);
    }
}

#[derive(Debug, Clone)]
struct Outcomes {
    ok: Counter,
    error: Counter,
}

impl Outcomes {
    fn of(&self, ok: bool) -> &Counter {
        if ok { &self.ok } else { &self.error }
    }
}

impl MetricsCollector {
    /// Begins to tell by a tracer.
    pub fn new(tracer: &Tracer) -> Self {
        tell_usage(tracer);
        let events = |outcome: &str| {
            let events = tracer.metric("glasshouse.events").with_unit("{event}");
            events.with_description("Events that were processed").with_attribute("outcome", outcome).counter()
        };
        let duration = tracer.metric("glasshouse.event.duration").with_unit("s");
        let queue = |name, unit| tracer.metric(name).with_unit(unit).with_description("How many wait").gauge();
        let inner = Inner {
            tracer: tracer.clone(),
            actions: RwLock::default(),
            current: Mutex::default(),
            action_queue: queue("glasshouse.action.queue", "{action}"),
            events: Outcomes { ok: events("ok"), error: events("error") },
            event_duration: duration.with_description("How long an event took").histogram(),
            event_queue: queue("glasshouse.event.queue", "{event}"),
        };
        Self { inner: Arc::new(inner) }
    }

    /// An action by name.
    pub fn action(&self, name: &str) -> Action {
        let known = self.inner.actions.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        known.unwrap_or_else(|| self.add_action(name))
    }

    fn add_action(&self, name: &str) -> Action {
        let tracer = &self.inner.tracer;
        let actions = |outcome: &str| {
            let actions = tracer.metric("glasshouse.actions").with_unit("{action}");
            let actions = actions.with_description("Actions that were done").with_attribute("action.name", name);
            actions.with_attribute("outcome", outcome).counter()
        };
        let duration = tracer.metric("glasshouse.action.duration").with_unit("s");
        let duration = duration.with_description("How long an action took").with_attribute("action.name", name);
        let action = Action {
            outcomes: Outcomes { ok: actions("ok"), error: actions("error") },
            duration: duration.histogram(),
        };
        let mut known = self.inner.actions.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() < MOST_NAMES {
            known.insert(name.to_owned(), action.clone());
        }
        action
    }

    /// Records that an action was done: how long that took, and whether it went well.
    pub fn record_action(&self, name: &str, duration: Duration, ok: bool) {
        self.action(name).record(duration, ok);
    }

    /// Records that an event was processed: how long that took, and whether it went well.
    pub fn record_event(&self, duration: Duration, ok: bool) {
        self.inner.events.of(ok).add(1);
        self.inner.event_duration.record_duration(duration);
    }

    /// Tells what the program does now.
    pub fn set_current_action(&self, name: Option<&str>) {
        let mut current = self.current();
        if current.as_ref().map(|(known, _)| known.as_str()) == name {
            return;
        }
        if let Some((_, before)) = current.take() {
            before.set(f64::NAN);
        }
        *current = name.map(|name| {
            let gauge = self.inner.tracer.metric("glasshouse.action.current").with_unit("1");
            let gauge = gauge.with_description("The action that is being done").with_attribute("action.name", name);
            let gauge = gauge.gauge();
            gauge.set(1.0);
            (name.to_owned(), gauge)
        });
    }

    fn current(&self) -> MutexGuard<'_, Option<(String, Gauge)>> {
        self.inner.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells how many actions wait.
    pub fn set_action_queue(&self, waiting: usize) {
        self.inner.action_queue.set(waiting as f64);
    }

    /// Tells how many events wait.
    pub fn set_event_queue(&self, waiting: usize) {
        self.inner.event_queue.set(waiting as f64);
    }
}

/// Tells what the process takes of the machine, each time that metrics are read.
fn tell_usage(tracer: &Tracer) {
    let gauge = |name, unit| tracer.metric(name).with_unit(unit).gauge();
    let cpu = gauge("process.cpu.utilization", "1");
    let memory = gauge("process.memory.usage", "By");
    let memory_share = gauge("process.memory.utilization", "1");
    let threads = gauge("process.thread.count", "{thread}");
    let children = gauge("process.child.count", "{process}");
    let before = Mutex::new(Usage::now());
    tracer.before_metrics(move || {
        let now = Usage::now();
        let mut before = before.lock().unwrap_or_else(PoisonError::into_inner);
        // What is not known is no value.
        let told = |value: Option<f64>| value.unwrap_or(f64::NAN);
        memory.set(told(now.memory_bytes.map(|bytes| bytes as f64)));
        memory_share.set(told(now.memory_share()));
        threads.set(told(now.threads.map(|count| count as f64)));
        children.set(told(now.children.map(|count| count as f64)));
        // A time that is too short says nothing: it goes on.
        if let Some(share) = now.cpu_share_since(&before) {
            cpu.set(share);
            *before = now;
        }
    });
}
