//! Listeners and routes: OTLP over HTTP and gRPC, native and Zipkin spans, the HTTP API, WebSockets, the
//! embedded web app. Knows the rest of Glasshouse by its ports only
//! ([`glasshouse_tables::ports`]).

mod body;
mod budget;
mod config;
mod exports;
mod flight;
mod health;
mod ingest;
mod json_rows;
mod listen;
mod logs;
mod metrics;
mod openapi;
mod origin;
mod params;
mod perfetto;
mod process_figures;
mod process_statistics;
mod processes;
mod prometheus;
mod query;
mod refusal;
mod request_metrics;
mod router;
mod services;
mod spread;
mod sql;
mod state;
mod timeline;
mod traces;
mod views;
mod web;

pub use config::{Origins, ServerConfig};
pub use flight::flight_sql;
pub use listen::{Addresses, Running, Server, StartError};
pub use openapi::openapi;
pub use refusal::Refusal;
pub use state::Parts;
