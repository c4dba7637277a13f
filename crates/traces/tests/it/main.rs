//! Behaviour of the trace store, through its port.

#![allow(clippy::unwrap_used, reason = "tests")]

mod details;
mod lake;
mod naive;
mod search;
mod spread;
mod timeline;
