//! Sends the workload over keep-alive connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use glasshouse_workload::bench::Request;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use reqwest::StatusCode;
use tokio::time::Instant;

use super::process::Usage;
use crate::client::{Client, success};
use crate::failure::{Failure, causes};

/// The requests, and how to send them.
pub struct Plan {
    requests: Arc<Vec<Request>>,
    connections: usize,
    /// Time from one request to the next; `None`: as fast as can be.
    pace: Option<Duration>,
    spans: usize,
    /// Bytes of all requests.
    pub bytes: u64,
}

/// How the sending went.
#[derive(Debug)]
pub struct Sent {
    pub spans: usize,
    pub bytes: u64,
    pub time: Duration,
    /// Processor time of the sender in seconds.
    pub client_cpu_seconds: f64,
    /// Time of each request from the first byte sent to the last received, in milliseconds.
    pub latencies: Vec<f64>,
    /// Requests that were refused for the moment and sent again.
    pub retries: usize,
}

impl Plan {
    pub fn new(requests: Vec<Request>, connections: usize, rate: Option<u64>) -> Self {
        let spans = requests.iter().map(|request| request.spans).sum();
        let bytes = requests.iter().map(|request| request.body.len() as u64).sum();
        let per_request = requests.first().map_or(0, |request| request.spans);
        let pace = rate.map(|rate| Duration::from_secs_f64(per_request as f64 / rate as f64));
        Self { requests: Arc::new(requests), connections, pace, spans, bytes }
    }

    /// Frees the requests.
    pub fn forget(&mut self) {
        self.requests = Arc::new(Vec::new());
    }

    pub async fn send(&self, server: &Client) -> Result<Sent, Failure> {
        let next = Arc::new(AtomicUsize::new(0));
        let own_cpu = || Usage::of(std::process::id()).map(|usage| usage.cpu_seconds);
        let cpu_before = own_cpu()?;
        let begun = Instant::now();
        let mut connections = tokio::task::JoinSet::new();
        for _ in 0..self.connections {
            let client = server.another_connection();
            let (requests, next, pace) = (Arc::clone(&self.requests), Arc::clone(&next), self.pace);
            connections.spawn(async move {
                let mut connection = Connection { client, latencies: Vec::new(), retries: 0 };
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(request) = requests.get(number) else { return Ok(connection) };
                    if let Some(pace) = pace {
                        tokio::time::sleep_until(begun + pace * number as u32).await;
                    }
                    connection.deliver(request.body.clone()).await?;
                }
            });
        }
        let mut latencies = Vec::with_capacity(self.requests.len());
        let mut retries = 0;
        while let Some(finished) = connections.join_next().await {
            let connection = finished.map_err(|error| Failure::new("sending stopped", error))??;
            latencies.extend(connection.latencies);
            retries += connection.retries;
        }
        let time = begun.elapsed();
        let client_cpu_seconds = own_cpu()? - cpu_before;
        Ok(Sent { spans: self.spans, bytes: self.bytes, time, client_cpu_seconds, latencies, retries })
    }
}

struct Connection {
    client: Client,
    latencies: Vec<f64>,
    retries: usize,
}

impl Connection {
    /// Sends a request until it is accepted.
    async fn deliver(&mut self, body: Bytes) -> Result<(), Failure> {
        let what = "the server did not accept a request";
        loop {
            let begun = Instant::now();
            let post = self.client.post("/v1/traces").header("content-type", "application/x-protobuf");
            let answer = post.body(body.clone()).send().await;
            let answer = answer.map_err(|error| Failure::new(what, causes(&error)))?;
            if matches!(answer.status(), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
                let wait = answer.headers().get("retry-after").and_then(|wait| wait.to_str().ok()?.parse().ok());
                self.retries += 1;
                tokio::time::sleep(Duration::from_secs(wait.unwrap_or(1))).await;
                continue;
            }
            let answer = success(answer).await.map_err(|error| Failure::new(what, error))?;
            let answer = answer.bytes().await.map_err(|error| Failure::new(what, error))?;
            self.latencies.push(begun.elapsed().as_secs_f64() * 1e3);
            let answer = ExportTraceServiceResponse::decode(answer).map_err(|error| Failure::new(what, error))?;
            return match answer.partial_success {
                Some(partial) if partial.rejected_spans > 0 => Err(Failure::new(
                    what,
                    format!("{} spans rejected: {}", partial.rejected_spans, partial.error_message),
                )),
                _ => Ok(()),
            };
        }
    }
}
