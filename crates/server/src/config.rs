use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderValue;
use tokio::sync::Semaphore;

/// What the operator chooses. Port 0 means any free port.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// Web app, API, WebSockets, OTLP/HTTP, Zipkin, metrics, health.
    pub http: SocketAddr,
    /// OTLP/gRPC; `None` leaves it out.
    pub otlp_grpc: Option<SocketAddr>,
    /// OTLP/HTTP on its standard port; `None` leaves it out.
    pub otlp_http: Option<SocketAddr>,
    /// Arrow Flight SQL; `None` leaves it out.
    pub flight_sql: Option<SocketAddr>,
    /// Web pages of other origins that may call.
    pub origins: Origins,
    /// Largest request body in bytes, after decompression.
    pub max_body: usize,
    /// Bytes of all request bodies held at once; at least `max_body`.
    pub max_in_flight: usize,
    /// Longest wait for more bytes of a body.
    pub body_timeout: Duration,
    /// Connections served at once, each listener; more wait to be accepted.
    pub max_connections: usize,
    /// WebSockets open at once.
    pub max_websockets: usize,
    /// Queries and trace searches answered at once.
    pub max_queries: usize,
    /// Longest wait of a query for its turn.
    pub query_wait: Duration,
    /// A turn for each export that may run at once: it holds some tens of megabytes as long as its reader takes. SQL takes
    /// its turns here too.
    pub exports: Arc<Semaphore>,
}

impl Default for ServerConfig {
    fn default() -> Self {
        let loopback = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        Self {
            http: loopback(9090),
            otlp_grpc: Some(loopback(4317)),
            otlp_http: Some(loopback(4318)),
            flight_sql: Some(loopback(32010)),
            origins: Origins::Loopback,
            max_body: 64 << 20,
            max_in_flight: 64 << 20,
            body_timeout: Duration::from_secs(20),
            max_connections: 4_096,
            max_websockets: 256,
            max_queries: 16,
            query_wait: Duration::from_secs(5),
            exports: Arc::new(Semaphore::new(4)),
        }
    }
}

impl ServerConfig {
    /// The defaults with any free port on every listener.
    pub fn any_port() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { http: any, otlp_grpc: Some(any), otlp_http: Some(any), flight_sql: Some(any), ..Self::default() }
    }
}

/// Which web pages of other origins may call the API and open WebSockets. Programs that are not
/// browsers send no origin and are not concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origins {
    /// Pages served from this machine (`localhost`, `127.0.0.0/8`, `[::1]`), any port.
    Loopback,
    /// These origins, as browsers send them: `https://host[:port]`.
    List(Vec<HeaderValue>),
    /// Every page.
    Any,
}
