//! Spans for calls by [rapace](https://docs.rs/rapace): one at the caller, one at the server, parts of one trace.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use glasshouse_client::Tracer;
//! # use rapace::{RpcError, RpcSession};
//! # #[rapace::service]
//! # pub trait Calculator { async fn add(&self, a: i32, b: i32) -> i32; }
//! # struct Sums;
//! # impl Calculator for Sums { async fn add(&self, a: i32, b: i32) -> i32 { a + b } }
//! # fn server(tracer: &Tracer, session: &Arc<RpcSession>) {
//! // The server: instead of `session.set_dispatcher(CalculatorServer::new(Sums).into_session_dispatcher(transport))`.
//! glasshouse_rapace::serve(tracer, session, |transport| CalculatorServer::new(Sums).into_session_dispatcher(transport));
//! # }
//!
//! # async fn client(tracer: &Tracer, session: Arc<RpcSession>) -> Result<(), RpcError> {
//! // The caller: any generated client, on the session that is passed in.
//! let calls = glasshouse_rapace::Caller::new(tracer, session);
//! let sum = calls.run(async |session| CalculatorClient::new(session).add(2, 3).await).await?;
//! # let _ = sum;
//! # Ok(())
//! # }
//! ```
//!
//! rapace has no middleware and its requests have no room for metadata. What it has are control frames: before a request
//! goes an `OpenChannel` for its channel, with `traceparent` and `tracestate` as metadata. A server without this crate
//! does not know that frame: a dispatcher's session logs it at level DEBUG; a server that runs by the generated `serve`
//! answers with an error that the caller's session logs as unroutable. [`Caller::without_propagation`] spares that.
//!
//! Spans are named by method, `Calculator.add`, when the process knows it: a server does; a caller that is none tells
//! rapace's registry by the generated `calculator_register`. They have the attributes of OpenTelemetry's
//! [conventions for RPC](https://opentelemetry.io/docs/specs/semconv/rpc/), and an error's code and message.

mod call;
mod caller;
mod metadata;
mod server;

pub use caller::Caller;
pub use server::serve;
