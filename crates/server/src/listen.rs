//! Listeners: bind all, serve connections, stop gracefully.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use serde::Serialize;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::state::{App, Parts};
use crate::{ServerConfig, router};

/// How long a client may take to send a request's head. It also ends idle connections, so it lies above
/// the usual minute between two exports of metrics.
const HEAD_TIMEOUT: Duration = Duration::from_mins(2);
/// Pause after the system has refused to accept: its tables are full, and trying at once would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener could not be bound.
    #[error("cannot listen on {address} (port {}) for {what}: {source}; choose another address with {flag}", address.port())]
    Bind {
        /// What the listener is for.
        what: &'static str,
        /// The flag that changes its address.
        flag: &'static str,
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// Where the server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Addresses {
    /// Web app, API, OTLP/HTTP.
    pub http: SocketAddr,
    /// OTLP/gRPC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_grpc: Option<SocketAddr>,
    /// OTLP/HTTP on its standard port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otlp_http: Option<SocketAddr>,
    /// Arrow Flight SQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flight_sql: Option<SocketAddr>,
}

/// The server.
#[derive(Debug)]
pub struct Server;

/// A server that runs until it is shut down or dropped.
#[must_use = "dropping it stops the server"]
pub struct Running {
    addresses: Addresses,
    app: App,
    listeners: Vec<JoinHandle<JoinSet<()>>>,
}

impl Server {
    /// Binds all listeners, then serves. When one cannot be bound, none serves.
    pub async fn start(config: ServerConfig, parts: Parts) -> Result<Running, StartError> {
        let stopping = CancellationToken::new();
        let app = App::new(&config, &parts, stopping.clone());
        let flight_sql = config.flight_sql.zip(parts.flight_sql);

        let http = bind("HTTP", "--http", config.http).await?;
        let otlp_grpc = bind_optional("OTLP/gRPC", "--otlp-grpc", config.otlp_grpc).await?;
        let otlp_http = bind_optional("OTLP/HTTP", "--otlp-http", config.otlp_http).await?;
        let flight_listener =
            bind_optional("Flight SQL", "--flight-sql", flight_sql.as_ref().map(|(address, _)| *address)).await?;

        let addresses = Addresses {
            http: http.1,
            otlp_grpc: otlp_grpc.as_ref().map(|(_, address)| *address),
            otlp_http: otlp_http.as_ref().map(|(_, address)| *address),
            flight_sql: flight_listener.as_ref().map(|(_, address)| *address),
        };
        let mut listeners = Vec::new();
        let mut serve = |listener: TcpListener, router: Router| {
            let connections = Arc::new(Semaphore::new(config.max_connections));
            listeners.push(tokio::spawn(accept(listener, router, stopping.clone(), connections)));
        };
        serve(http.0, router::http(app.clone()));
        if let Some((listener, _)) = otlp_grpc {
            serve(listener, router::otlp_grpc(app.clone()));
        }
        if let Some((listener, _)) = otlp_http {
            serve(listener, router::otlp_http(app.clone()));
        }
        if let (Some((listener, _)), Some((_, router))) = (flight_listener, flight_sql) {
            serve(listener, router);
        }
        app.set_ready();
        Ok(Running { addresses, app, listeners })
    }
}

impl Running {
    /// The real addresses.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Stops: accepts no more, lets requests in flight end, closes WebSockets. What has not ended at the
    /// deadline is cut off; gives how many connections that were.
    pub async fn shutdown(mut self, deadline: Duration) -> usize {
        let deadline = Instant::now() + deadline;
        self.app.stopping.cancel();
        let mut cut_off = 0;
        for listener in std::mem::take(&mut self.listeners) {
            let Ok(mut connections) = listener.await else { continue };
            let all_ended = async { while connections.join_next().await.is_some() {} };
            if tokio::time::timeout_at(deadline, all_ended).await.is_err() {
                cut_off += connections.len();
                connections.shutdown().await;
            }
        }
        let all = u32::try_from(self.app.max_websockets).unwrap_or(u32::MAX);
        if tokio::time::timeout_at(deadline, self.app.websockets.acquire_many(all)).await.is_err() {
            cut_off += self.app.max_websockets - self.app.websockets.available_permits();
        }
        cut_off
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.app.stopping.cancel();
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

async fn bind(
    what: &'static str,
    flag: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |source| StartError::Bind { what, flag, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

async fn bind_optional(
    what: &'static str,
    flag: &'static str,
    address: Option<SocketAddr>,
) -> Result<Option<(TcpListener, SocketAddr)>, StartError> {
    match address {
        Some(address) => bind(what, flag, address).await.map(Some),
        None => Ok(None),
    }
}

/// Accepts until told to stop; gives the connections that are still open then.
async fn accept(
    listener: TcpListener,
    router: Router,
    stopping: CancellationToken,
    limit: Arc<Semaphore>,
) -> JoinSet<()> {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            () = stopping.cancelled() => return connections,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = accept_one(&listener, &limit) => accepted,
        };
        match accepted {
            Ok((stream, permit)) => {
                let (router, stopping) = (router.clone(), stopping.clone());
                connections.spawn(async move {
                    serve_connection(stream, router, stopping).await;
                    drop(permit);
                });
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn accept_one(
    listener: &TcpListener,
    limit: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(limit).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, permit))
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

async fn serve_connection(stream: TcpStream, router: Router, stopping: CancellationToken) {
    // Without it an answer waits for the peer's delayed acknowledgement of the one before.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(30))
        .max_concurrent_streams(256)
        // A request of a thousand spans should not wait for a window update in its middle.
        .initial_stream_window_size(2 << 20)
        .initial_connection_window_size(4 << 20)
        .max_frame_size(256 << 10);
    let service = TowerToHyperService::new(router);
    let mut connection = std::pin::pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection ended early");
    }
}
