//! `glasshouse demo`: sends what the simulated shop tells.

use std::time::Duration;

use glasshouse_model::{Clock as _, SystemClock};
use glasshouse_workload::shop::Shop;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message;
use tokio::time::{Instant, MissedTickBehavior};
use tonic::transport::{Channel, Endpoint};
use url::Url;

use crate::cli::{DemoArguments, Protocol};
use crate::client::{Client, ClientError, success};
use crate::endpoints::{self, DEFAULT_HTTP, Endpoints};
use crate::failure::{Failure, causes};
use crate::serve::stop_signal;

/// How often the services report their spans and log records.
const TICK: Duration = Duration::from_millis(500);

/// How often they report their metrics.
const METRICS_EVERY: Duration = Duration::from_secs(10);

/// How long the demo waits before it tries an unreachable server again.
const PAUSE: Duration = Duration::from_secs(2);

/// Runs the command.
pub async fn run(arguments: DemoArguments) -> Result<(), Failure> {
    if !(arguments.traces_per_second > 0.0 && arguments.traces_per_second <= 100_000.0) {
        return Err(Failure::wrong_use("wrong --traces-per-second", "expected a number above 0, up to 100000"));
    }
    let endpoint = endpoint(&arguments)?;
    let mut sender = Sender::new(&endpoint, arguments.protocol)?;
    println!("the shop is open: about {} visits a second to {endpoint}", arguments.traces_per_second);
    let mut stop = std::pin::pin!(stop_signal());
    let sent = tokio::select! {
        sent = trade(&mut sender, &arguments) => sent?,
        signal = &mut stop => {
            println!("{signal}: the shop is closed");
            return Ok(());
        }
    };
    println!("the shop is closed: sent {} spans and {} log records in {} visits", sent.spans, sent.logs, sent.traces);
    Ok(())
}

fn endpoint(arguments: &DemoArguments) -> Result<Url, Failure> {
    if let Some(endpoint) = &arguments.endpoint {
        return Ok(endpoint.clone());
    }
    let local = endpoints::data_dir(None).ok().and_then(|data_dir| Endpoints::of(&data_dir));
    let address = match arguments.protocol {
        Protocol::Http => local.map_or(DEFAULT_HTTP.to_owned(), |endpoints| endpoints.http),
        Protocol::Grpc => local.and_then(|endpoints| endpoints.otlp_grpc).unwrap_or("127.0.0.1:4317".to_owned()),
    };
    format!("http://{address}").parse().map_err(|error| Failure::new("cannot find the local server", error))
}

/// What was sent so far.
#[derive(Debug, Default)]
struct Sent {
    traces: usize,
    spans: usize,
    logs: usize,
}

async fn trade(sender: &mut Sender, arguments: &DemoArguments) -> Result<Sent, Failure> {
    let mut shop = Shop::open(arguments.seed, SystemClock.now());
    let opened = Instant::now();
    let mut metrics_due = opened;
    let mut sent = Sent::default();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut was_reached = false;
    loop {
        let is_last = arguments.duration.is_some_and(|duration| opened.elapsed() >= duration);
        let open_for = arguments.duration.map_or(opened.elapsed(), |duration| opened.elapsed().min(duration));
        let wanted = (open_for.as_secs_f64() * arguments.traces_per_second) as usize;
        let now = SystemClock.now();
        let visits = shop.visits(wanted.saturating_sub(sent.traces), now);
        let mut result = sender.traces(visits.traces).await;
        if result.is_ok() {
            result = sender.logs(visits.logs).await;
        }
        if result.is_ok() && (is_last || Instant::now() >= metrics_due) {
            metrics_due = Instant::now() + METRICS_EVERY;
            result = sender.metrics(shop.metrics(now)).await;
        }
        match result {
            Ok(()) => was_reached = true,
            // A server that was never there is a mistake; one that restarts is waited for.
            Err(error) if !was_reached => {
                return Err(Failure::new("cannot send", error).hint("start a server with `glasshouse serve`"));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot send at present, the shop's visits of this moment are lost");
                tokio::time::sleep(PAUSE).await;
            }
        }
        sent.traces = wanted;
        sent.spans += visits.span_count;
        sent.logs += visits.log_count;
        if is_last {
            return Ok(sent);
        }
        tick.tick().await;
    }
}

/// Sends OTLP by one of its protocols.
#[expect(clippy::large_enum_variant, reason = "there is one of it")]
enum Sender {
    Http(Client),
    Grpc {
        traces: TraceServiceClient<Channel>,
        logs: LogsServiceClient<Channel>,
        metrics: MetricsServiceClient<Channel>,
    },
}

impl Sender {
    fn new(endpoint: &Url, protocol: Protocol) -> Result<Self, Failure> {
        if protocol == Protocol::Http {
            return Ok(Self::Http(Client::new(endpoint)));
        }
        let channel = Endpoint::from_shared(endpoint.to_string())
            .map_err(|error| Failure::wrong_use("wrong --endpoint", causes(&error)))?
            .connect_timeout(Duration::from_secs(5))
            .connect_lazy();
        Ok(Self::Grpc {
            traces: TraceServiceClient::new(channel.clone()),
            logs: LogsServiceClient::new(channel.clone()),
            metrics: MetricsServiceClient::new(channel),
        })
    }

    async fn traces(&mut self, request: ExportTraceServiceRequest) -> Result<(), String> {
        match self {
            Self::Http(client) => post(client, "/v1/traces", &request).await,
            Self::Grpc { traces, .. } => answered(traces.export(request).await),
        }
    }

    async fn logs(&mut self, request: ExportLogsServiceRequest) -> Result<(), String> {
        match self {
            Self::Http(client) => post(client, "/v1/logs", &request).await,
            Self::Grpc { logs, .. } => answered(logs.export(request).await),
        }
    }

    async fn metrics(&mut self, request: ExportMetricsServiceRequest) -> Result<(), String> {
        match self {
            Self::Http(client) => post(client, "/v1/metrics", &request).await,
            Self::Grpc { metrics, .. } => answered(metrics.export(request).await),
        }
    }
}

async fn post(client: &Client, path: &str, request: &impl Message) -> Result<(), String> {
    let send = client.post(path).header("content-type", "application/x-protobuf").body(request.encode_to_vec()).send();
    let answer = async { success(send.await?).await?.bytes().await.map_err(ClientError::from) };
    answer.await.map(drop).map_err(|error| format!("{}{path}: {error}", client.base()))
}

fn answered<T>(answer: Result<tonic::Response<T>, tonic::Status>) -> Result<(), String> {
    answer.map(drop).map_err(|status| format!("{}: {}", status.code(), status.message()))
}
