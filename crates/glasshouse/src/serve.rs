//! `glasshouse serve`, and the lake without a server: here the parts are put together.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use glasshouse_export::Exports;
use glasshouse_files::FileCache;
use glasshouse_formats::Formats;
use glasshouse_lake::{Lake, LakeConfig, LakeError, Retention, RetentionLimit};
use glasshouse_model::SystemClock;
use glasshouse_query::{Engine, EngineConfig};
use glasshouse_server::{Addresses, Origins, Parts, Running, Server, ServerConfig, StartError, flight_sql};
use glasshouse_tables::ports::Exporter;
use glasshouse_traces::Traces;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;

use crate::cli::{RetentionArguments, ServeArguments};
use crate::endpoints::{self, Endpoints};
use crate::failure::Failure;

/// Requests in flight may take this long to end after a signal …
const DRAIN_WITHIN: Duration = Duration::from_secs(3);
/// … and rows in memory this long to be written. Together less than ten seconds.
const FLUSH_WITHIN: Duration = Duration::from_secs(6);

/// Runs the server until it is told to stop.
pub async fn run(arguments: ServeArguments) -> Result<(), Failure> {
    let data_dir = endpoints::data_dir(arguments.data_dir.clone())?;
    let server_config = server_config(&arguments)?;
    let signalled = stop_signal();
    let lake = open_lake(lake_config(&arguments, &data_dir)).await?;
    Endpoints::withdraw(&data_dir);
    let memory_limit = arguments.memory_limit.0 as usize;
    let traces = traces(&lake, memory_limit).with_kind_rules(arguments.trace_kind.clone());
    let exporter: Arc<dyn Exporter> = Arc::new(Exports::new(traces.clone()));
    let exports = (&exporter, &server_config.exports);
    let engine = engine(&lake, exports, &data_dir, memory_limit, Some(arguments.query_timeout))?;
    let parts = Parts {
        decoder: Arc::new(Formats),
        ingest: Arc::clone(&lake) as _,
        traces: Arc::new(traces),
        exporter,
        query: Arc::clone(&engine) as _,
        documents: Arc::clone(&lake) as _,
        status: Arc::clone(&lake) as _,
        clock: Arc::new(SystemClock),
        flight_sql: Some(flight_sql(engine, Arc::new(SystemClock))),
    };
    let running = match Server::start(server_config, parts).await {
        Ok(running) => running,
        Err(error) => {
            close(&lake).await?;
            return Err(start_failure(error));
        }
    };
    announce(running.addresses(), &data_dir)?;
    let name = signalled.await;
    tracing::info!(signal = name, "stopping");
    let stopped = stop(running, &lake, &data_dir).await;
    tracing::info!("stopped");
    stopped
}

async fn stop(running: Running, lake: &Lake, data_dir: &Path) -> Result<(), Failure> {
    Endpoints::withdraw(data_dir);
    let impatient = async {
        stop_signal().await;
        Err(Failure::new("stopped at once", "a second signal came").hint("what was accepted is in the log"))
    };
    let orderly = async {
        let cut_off = running.shutdown(DRAIN_WITHIN).await;
        if cut_off > 0 {
            tracing::warn!(connections = cut_off, "cut off what did not end in time");
        }
        close(lake).await
    };
    tokio::select! {
        done = orderly => done,
        abandoned = impatient => abandoned,
    }
}

/// Ends the lake. Rows that could not be written in time stay in its log, which is no failure.
async fn close(lake: &Lake) -> Result<(), Failure> {
    match lake.shutdown(FLUSH_WITHIN).await {
        Ok(()) => Ok(()),
        Err(error @ (LakeError::Timeout(_) | LakeError::NotFlushed(_))) => {
            tracing::warn!(%error, "rows stay in the write-ahead log until the next start");
            Ok(())
        }
        Err(error) => Err(Failure::new("the lake did not end in good order", error)),
    }
}

/// Says where the server listens: to people, to programs, and to those who did not mean it.
fn announce(addresses: Addresses, data_dir: &Path) -> Result<(), Failure> {
    let listeners = [
        (Some(addresses.http), "http://", "web app, API, OTLP/HTTP"),
        (addresses.otlp_grpc, "grpc://", "OTLP/gRPC"),
        (addresses.otlp_http, "http://", "OTLP/HTTP"),
        (addresses.flight_sql, "grpc://", "Arrow Flight SQL"),
    ];
    for (address, scheme, what) in listeners {
        let Some(address) = address else { continue };
        println!("listening on {scheme}{address} ({what})");
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "{what} can be reached from other machines, and nobody is asked who they are");
        }
    }
    let text = |address: std::net::SocketAddr| address.to_string();
    let endpoints = Endpoints {
        http: text(addresses.http),
        otlp_grpc: addresses.otlp_grpc.map(text),
        otlp_http: addresses.otlp_http.map(text),
        flight_sql: addresses.flight_sql.map(text),
        pid: std::process::id(),
    };
    endpoints
        .publish(data_dir)
        .map_err(|error| Failure::new(format!("cannot write endpoints.json in {}", data_dir.display()), error))
}

fn start_failure(error: StartError) -> Failure {
    match error {
        StartError::Bind { what, flag, address, source } => {
            Failure::wrong_use(format!("cannot listen on {address} for {what}"), source)
                .hint(format!("choose another address with {flag}"))
        }
    }
}

fn server_config(arguments: &ServeArguments) -> Result<ServerConfig, Failure> {
    let origin = |text: &String| {
        text.parse().map_err(|error| Failure::wrong_use(format!("wrong --allowed-origin {text:?}"), error))
    };
    let origins = match arguments.allowed_origin.as_slice() {
        [] => Origins::Loopback,
        all if all.iter().any(|origin| origin == "*") => Origins::Any,
        list => Origins::List(list.iter().map(origin).collect::<Result<_, _>>()?),
    };
    let max_body = arguments.max_request_size.0 as usize;
    let defaults = ServerConfig::default();
    Ok(ServerConfig {
        http: arguments.http,
        otlp_grpc: arguments.otlp_grpc.0,
        otlp_http: arguments.otlp_http.0,
        flight_sql: arguments.flight_sql.0,
        origins,
        max_body,
        max_in_flight: defaults.max_in_flight.max(max_body),
        ..defaults
    })
}

fn lake_config(arguments: &ServeArguments, data_dir: &Path) -> LakeConfig {
    LakeConfig {
        object_store: arguments.object_store.clone(),
        catalog_url: arguments.catalog.clone(),
        memory_limit: arguments.memory_limit.0 as usize,
        retention: retention(&arguments.retention),
        ..LakeConfig::new(data_dir)
    }
}

fn retention(arguments: &RetentionArguments) -> Retention {
    let limit = |age: Option<Duration>, size: Option<crate::units::Size>| RetentionLimit {
        age: age.or(arguments.retention),
        bytes: size.map(|size| size.0),
    };
    Retention {
        traces: limit(arguments.retention_traces, arguments.retention_traces_size),
        logs: limit(arguments.retention_logs, arguments.retention_logs_size),
        metrics: limit(arguments.retention_metrics, arguments.retention_metrics_size),
    }
}

/// Of the memory, ingest may take 5/16 ([`LakeConfig::ingest_share`]), queries three tenths, …
fn query_share(memory_limit: usize) -> usize {
    memory_limit / 10 * 3
}

/// … and each of two caches a tenth: of footers for SQL, of files for traces.
fn cache_share(memory_limit: usize) -> usize {
    memory_limit / 10
}

/// Opens a lake; says what to do when another process has it.
pub async fn open_lake(config: LakeConfig) -> Result<Arc<Lake>, Failure> {
    let what = format!("cannot open the lake in {}", config.data_dir.display());
    match Lake::open(config, Arc::new(Formats)).await {
        Ok(lake) => Ok(Arc::new(lake)),
        Err(error @ LakeError::Locked { .. }) => {
            Err(Failure::wrong_use(what, error).hint("stop that process, or ask it with --endpoint"))
        }
        Err(error) => Err(Failure::new(what, error)),
    }
}

fn traces(lake: &Arc<Lake>, memory_limit: usize) -> Traces {
    let cache = FileCache::new(lake.store().clone(), cache_share(memory_limit) as u64);
    Traces::new(Arc::clone(lake) as _, cache).with_memory(query_share(memory_limit))
}

fn engine(
    lake: &Arc<Lake>,
    (exporter, turns): (&Arc<dyn Exporter>, &Arc<Semaphore>),
    data_dir: &Path,
    memory_limit: usize,
    timeout: Option<Duration>,
) -> Result<Arc<Engine>, Failure> {
    let config = EngineConfig {
        metadata_cache_limit: cache_share(memory_limit),
        timeout,
        ..EngineConfig::new(data_dir.join("spill"), query_share(memory_limit))
    };
    let engine = Engine::new(config, Arc::clone(lake) as _, Arc::clone(lake.store().objects()));
    engine
        .map(|engine| Arc::new(engine.with_exporter(Arc::clone(exporter), Arc::clone(turns))))
        .map_err(|error| Failure::new("cannot start the query engine", error))
}

/// A lake that is only read, in this process.
pub struct LocalLake {
    pub engine: Arc<Engine>,
    pub exporter: Arc<dyn Exporter>,
    lake: Arc<Lake>,
}

impl LocalLake {
    pub async fn open(data_dir: &Path) -> Result<Self, Failure> {
        let config = LakeConfig { tend: false, ..LakeConfig::new(data_dir) };
        let memory_limit = config.memory_limit;
        let lake = open_lake(config).await?;
        let exporter: Arc<dyn Exporter> = Arc::new(Exports::new(traces(&lake, memory_limit)));
        let turns = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        let engine = engine(&lake, (&exporter, &turns), data_dir, memory_limit, None)?;
        Ok(Self { engine, exporter, lake })
    }

    pub async fn close(self) {
        if let Err(failure) = close(&self.lake).await {
            failure.report();
        }
    }
}

/// Waits for SIGINT or SIGTERM; gives its name. Signals count from the call on, not from the first poll.
pub fn stop_signal() -> impl Future<Output = &'static str> {
    let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be caught");
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be caught");
    async move {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
        }
    }
}
