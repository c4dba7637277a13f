//! Rows in order of time as files for other tools, made while they are read.
//!
//! * [`Exports`] answers the port: it counts what there is, and writes it on a thread that may block.
//! * `chunks` is the way from that thread to the reader: a few chunks, so a reader that stops stops the writing, and one
//!   that goes away ends it.
//! * `spans` writes them in the forms of other tools.
//! * `flame_chart` draws spans, few however many there are.
//! * `perfetto` hands the rows to the writer of Perfetto traces; [`SpanRows`] those of any query.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod chunks;
mod exports;
mod flame_chart;
mod packets;
mod perfetto;
mod rows;
mod spans;

pub use exports::Exports;
pub use packets::PacketCounter;
pub use rows::SpanRows;
