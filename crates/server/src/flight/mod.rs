//! Arrow Flight SQL (<https://arrow.apache.org/docs/format/FlightSql.html>) over the port `QueryEngine`.
//!
//! A statement's ticket carries the statement, so `GetFlightInfo` plans only and `DoGet` computes while the
//! client reads. Only prepared statements are remembered, within bounds ([`statements`]). Every answer that
//! is being read can be cancelled ([`running`]): by dropping the stream, or by `CancelFlightInfo`.

mod actions;
mod answer;
mod catalog;
mod rpc;
mod running;
mod service;
mod sql_info;
mod statements;
mod ticket;

use std::sync::Arc;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use axum::Router;
use axum::body::Body;
use glasshouse_model::Clock;
use glasshouse_tables::ports::QueryEngine;
use tonic::Status;
use tonic::service::Routes;

use self::rpc::FlightRpc;
use self::running::Running;
use self::service::FlightSql;
use self::statements::{Bounds, Statements};

/// Answers read at once; a slow reader holds one.
const MAX_RUNNING: usize = 64;
/// Longest wait for one of them.
const WAIT: Duration = Duration::from_secs(5);
/// Prepared statements of all clients.
const BOUNDS: Bounds = Bounds { handles: 1_024, bytes: 16 << 20, idle: Duration::from_hours(1) };
/// Largest message from a client: a statement, or the values of its parameters.
const MAX_REQUEST: usize = 4 << 20;

/// The Flight SQL service, for [`Parts::flight_sql`](crate::Parts::flight_sql).
///
/// Headers of a call may narrow the time that its statement reads, whatever the SQL says:
/// `glasshouse-from` and `glasshouse-to`, times as people write them.
pub fn flight_sql(query: Arc<dyn QueryEngine>, clock: Arc<dyn Clock>) -> Router {
    let service =
        FlightSql { query, clock, statements: Statements::new(BOUNDS), running: Running::new(MAX_RUNNING, WAIT) };
    let server = FlightServiceServer::new(FlightRpc(service)).max_decoding_message_size(MAX_REQUEST);
    let router =
        Router::new().fallback(|| async { Status::unimplemented("unknown service or method").into_http::<Body>() });
    Routes::from(router).add_service(server).prepare().into_axum_router()
}
