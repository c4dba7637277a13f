//! What picante tells by `tracing`.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::state;

/// Where picante tells of queries.
const TARGET: &str = "picante::ingredient::derived";
/// What tells that the layer is there.
const PROBE: &str = "glasshouse: is anybody there?";

/// Lets [`Queries`](crate::Queries) know what happens in queries. It sees those events of picante only, and keeps nothing from other
/// layers.
pub fn layer<S: Subscriber + for<'l> LookupSpan<'l>>() -> impl Layer<S> {
    Listener.with_filter(filter_fn(|metadata: &Metadata<'_>| metadata.target() == TARGET))
}

/// Makes the layer tell that it is there.
pub(crate) fn ask() {
    tracing::trace!(target: TARGET, "{PROBE}");
}

struct Listener;

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        state::change(|state| {
            let mut told = Told::default();
            event.record(&mut told);
            let key = (told.kind, told.key);
            match &*told.message {
                "derived dep" => state.asks(key),
                "revalidate: start" => state.revalidates(key),
                "wait on running cell" | "inflight: follower, waiting for leader" => state.waits(),
                "compute: start" => state.computes(key),
                "compute: ok" => state.computed(key, None),
                "compute: err" => state.computed(key, Some("the query failed")),
                "compute: panic" => state.computed(key, Some("the query panicked")),
                PROBE => state.told(),
                _ => {}
            }
        });
    }
}

/// Fields of an event.
#[derive(Default)]
struct Told {
    message: String,
    kind: u32,
    key: u64,
}

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "key_hash" => self.key = u64::from_str_radix(&format!("{value:?}"), 16).unwrap_or_default(),
            _ => {}
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "kind" {
            self.kind = u32::try_from(value).unwrap_or_default();
        }
    }
}
