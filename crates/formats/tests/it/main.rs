//! Behaviour of every decoder.

mod generate;
mod native;
mod oracle;
mod otlp_json;
mod recorded;
mod rows;
mod walker;
mod zipkin;
