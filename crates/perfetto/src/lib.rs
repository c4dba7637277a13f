//! Spans, log records and metric points as a Perfetto trace, written as they come.
//!
//! * [`Writer`] turns [`Span`]s and what belongs to them, in order of time, into bytes of a trace. It keeps no
//!   span that has ended: its memory depends on the spans, threads and counters there are at once, not on the trace's length.
//! * `tracks` gives every span a place where slices nest as Perfetto demands; `landscape` tells the reader of processes,
//!   threads and counters; `flows` remembers where arrows may begin.
//! * [`Layout`] gives the spans of a process the same places, for who draws them.
//! * `packets` makes events; `annotations` makes their attributes of whole columns; `interned` keeps names short; `wire`
//!   writes protobuf.
//! * [`order_equal_starts`] orders spans that start at the same moment, as the writer asks for.
//! * [`Validator`] reads any trace and tells what is wrong with it.
//!
//! The messages are a small part of `perfetto/trace/trace_packet.proto` and its neighbours; [`message`] declares them.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod annotations;
mod flows;
mod input;
mod interned;
mod landscape;
mod layout;
pub mod message;
mod order;
mod packets;
mod tracks;
mod validate;
mod wire;
mod writer;

pub use input::{
    Attributes, CounterValue, LogRecord, MetricPoint, Process, ProcessIndex, Span, SpanEvent, SpanKey, SpanLink,
};
pub use layout::{Layout, Slot};
pub use order::{StartOrder, order_equal_starts};
pub use validate::{Validation, ValidationError, Validator, validate};
pub use writer::{Figures, Window, Writer};
