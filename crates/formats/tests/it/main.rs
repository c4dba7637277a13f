//! Behaviour of every decoder.
#![allow(clippy::unwrap_used, reason = "tests")]

mod generate;
mod hostile;
mod native;
mod oracle;
mod otlp_json;
mod recorded;
mod rows;
mod spans;
mod walker;
mod zipkin;
