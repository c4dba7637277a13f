//! Exports of a small lake, through the port.

#![allow(clippy::unwrap_used, reason = "tests")]

mod lake;
mod round_trip;
