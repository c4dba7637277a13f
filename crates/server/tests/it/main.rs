//! The server over real sockets, with fakes behind its ports.
#![allow(clippy::unwrap_used, reason = "tests")]

mod api;
mod fakes;
mod lifecycle;
mod limits;
mod openapi;
mod otlp_grpc;
mod otlp_http;
mod perfetto;
mod query;
mod routes;
mod span_stream;
mod spans_json;
mod timeline;
mod views;
