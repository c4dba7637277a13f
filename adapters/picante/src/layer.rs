//! What picante tells by `tracing`.

use std::fmt;

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::state::{self, Told};

/// Where picante tells of queries, and of the frames that they are computed in.
const QUERIES: &str = "picante::ingredient::derived";
const FRAMES: &str = "picante::frame";
/// What tells that the layer is there.
const PROBE: &str = "glasshouse: is anybody there?";

/// Lets [`Queries`](crate::Queries) know what happens in queries. It sees those events of picante only, and keeps nothing from other
/// layers.
pub fn layer<S: Subscriber + for<'l> LookupSpan<'l>>() -> impl Layer<S> {
    Listener.with_filter(filter_fn(|metadata: &Metadata<'_>| matches!(metadata.target(), QUERIES | FRAMES)))
}

/// Makes the layer tell that it is there.
pub(crate) fn ask() {
    tracing::trace!(target: QUERIES, "{PROBE}");
}

struct Listener;

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let key = (fields.kind, fields.key);
        let told = match &*fields.message {
            "derived dep" => Told::Asks(key),
            "revalidate: start" => Told::Checks(key),
            "wait on running cell" | "inflight: follower, waiting for leader" => Told::Waits,
            "compute: start" => Told::Computes(key),
            "compute: ok" => Told::Computed(key, None),
            "compute: err" => Told::Computed(key, Some("the query failed")),
            "compute: panic" => Told::Computed(key, Some("the query panicked")),
            "pop_frame" => Told::Leaves,
            PROBE => Told::Here,
            _ => return,
        };
        state::tell(told);
    }
}

/// Fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    kind: u32,
    key: u64,
}

impl Visit for Fields {
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
