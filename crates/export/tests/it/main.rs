//! Exports of a small lake, through the port.

#![allow(clippy::unwrap_used, reason = "tests")]

mod flame_chart;
mod lake;
mod round_trip;
