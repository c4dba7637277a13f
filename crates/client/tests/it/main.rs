//! The client against servers that are told how to answer.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod client;
mod guide;
mod sending;
mod server;
mod signals;
mod tower;
