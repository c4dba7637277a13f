//! What a Rust program adds to be seen: spans, log records and metrics, recorded at the cost of tens of nanoseconds and sent
//! in the background over OTLP, to Glasshouse or to any other back end. Nothing is lost without being counted: [`Tracer::statistics`].
//!
//! ```no_run
//! use std::time::Duration;
//! use glasshouse_client::Tracer;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let tracer = Tracer::builder("http://localhost:4318").service("checkout").connect()?;
//! {
//!     let span = tracer.span("place order").with_attribute("order.items", 3).start();
//!     let _current = span.enter();
//!     tracer.span("charge card").start().end();
//! }
//! tracer.shutdown(Duration::from_secs(5))?;
//! # Ok(())
//! # }
//! ```
//!
//! A thread puts what it records into a ring of its own, in its form for the wire: no lock, no allocation for the usual
//! span. One thread in the background collects from the rings, another sends. Memory is bounded by [`Limits`].
//!
//! After `fork`, the child has no threads in the background: what it records by a tracer from before is dropped, and
//! [`Tracer::flush`] says so. It connects anew, before it makes spans. Do not fork while another thread connects.

#[cfg(any(feature = "tracing", feature = "log"))]
mod bridge;
mod clock;
pub mod context;
mod core;
mod error;
mod export;
mod ids;
mod log;
mod metrics;
mod monitor;
mod open;
mod otlp;
pub mod propagation;
mod recorder;
mod ring;
mod sampling;
mod signal;
mod span;
mod system;
mod thread;
#[cfg(feature = "tower")]
pub mod tower;
mod tracer;
mod value;

#[cfg(feature = "log")]
pub use bridge::LogBridge;
#[cfg(feature = "tracing")]
pub use bridge::TracingLayer;
pub use context::{SpanContext, TraceFlags, WithContext};
pub use error::{ConnectError, FlushError};
pub use glasshouse_model::{Attributes, Level, Severity, SpanId, SpanKind, StatusCode, TraceId, Value};
pub use log::LogBuilder;
pub use metrics::{Counter, Gauge, Histogram, InstrumentBuilder, UpDownCounter};
pub use monitor::{Action, MetricsCollector};
pub use propagation::{Baggage, TraceState};
pub use sampling::Sampler;
pub use signal::{Counts, Statistics};
pub use span::{ActiveSpan, SpanBuilder};
pub use tracer::{Limits, SpanLimits, Tracer, TracerBuilder};
pub use value::AttributeValue;
