//! A server that keeps what it gets, and answers as it is told.

#![allow(dead_code, reason = "each test has need of some of it")]

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use glasshouse_client::Counts;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// Long enough for a busy machine; nothing waits for it to pass.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// Tries until it is so.
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < DEADLINE, "never: {what}");
        thread::yield_now();
    }
}

/// Recorded, sent, rejected, dropped, waiting in memory or on disk.
pub fn fates(counts: Counts) -> [u64; 5] {
    [counts.recorded, counts.sent, counts.rejected, counts.dropped, counts.waiting + counts.spilled]
}

/// Attributes that have a value.
pub fn attributes(attributes: &[KeyValue]) -> HashMap<&str, &Any> {
    let value = |entry: &'_ KeyValue| entry.value.as_ref().is_some_and(|value| value.value.is_some());
    let with_value = attributes.iter().filter(|entry| value(entry));
    with_value.map(|entry| (entry.key.as_str(), entry.value.as_ref().unwrap().value.as_ref().unwrap())).collect()
}

pub fn text(text: &str) -> Any {
    Any::StringValue(text.to_owned())
}

pub fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("there is no span {name}"))
}

#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<VecDeque<Request>>>,
}

/// A request, and whether it was accepted.
#[derive(Debug, Clone)]
pub struct Request {
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    is_accepted: bool,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Bytes of the body, not compressed.
    pub fn len(&self) -> usize {
        self.body.len()
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn traces(&self) -> ExportTraceServiceRequest {
        ExportTraceServiceRequest::decode(&*self.body).unwrap()
    }

    pub fn spans(&self) -> Vec<Span> {
        if self.path != "/v1/traces" {
            return Vec::new();
        }
        let scopes = self.traces().resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

impl Request {
    pub fn logs(&self) -> Vec<LogRecord> {
        if self.path != "/v1/logs" {
            return Vec::new();
        }
        let request = ExportLogsServiceRequest::decode(&*self.body).unwrap();
        let scopes = request.resource_logs.into_iter().flat_map(|resource| resource.scope_logs);
        scopes.flat_map(|scope| scope.log_records).collect()
    }

    pub fn metrics(&self) -> Vec<Metric> {
        if self.path != "/v1/metrics" {
            return Vec::new();
        }
        let request = ExportMetricsServiceRequest::decode(&*self.body).unwrap();
        let scopes = request.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
        scopes.flat_map(|scope| scope.metrics).collect()
    }
}

#[derive(Debug)]
pub struct Answer {
    /// `None` to close the connection without an answer.
    status: Option<u16>,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

impl Answer {
    pub fn ok() -> Self {
        Self::status(200)
    }

    pub fn status(status: u16) -> Self {
        Self { status: Some(status), headers: Vec::new(), body: Vec::new() }
    }

    pub fn hang_up() -> Self {
        Self { status: None, headers: Vec::new(), body: Vec::new() }
    }

    pub fn partial(rejected_spans: i64, message: &str) -> Self {
        let partial_success = Some(ExportTracePartialSuccess { rejected_spans, error_message: message.to_owned() });
        Self { body: ExportTraceServiceResponse { partial_success }.encode_to_vec(), ..Self::ok() }
    }

    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Server {
    /// `answer` is told the number of the request.
    pub fn new(answer: impl Fn(usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::by_path(move |number, _| answer(number))
    }

    /// `answer` is told the number and the path of the request.
    pub fn by_path(answer: impl Fn(usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(VecDeque::new()));
        let (kept, answer) = (Arc::clone(&requests), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, answer, stream) = (Arc::clone(&kept), Arc::clone(&answer), stream.unwrap());
                // A client that goes away is none of our business.
                thread::spawn(move || while talk(&stream, &kept, &*answer).is_some() {});
            }
        });
        Self { address, requests }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().iter().cloned().collect()
    }

    /// The spans that were accepted.
    pub fn spans(&self) -> Vec<Span> {
        self.accepted(Request::spans)
    }

    /// The log records that were accepted.
    pub fn logs(&self) -> Vec<LogRecord> {
        self.accepted(Request::logs)
    }

    /// The metrics that were accepted, the latest last.
    pub fn metrics(&self) -> Vec<Metric> {
        self.accepted(Request::metrics)
    }

    fn accepted<T>(&self, what: fn(&Request) -> Vec<T>) -> Vec<T> {
        self.requests().iter().filter(|request| request.is_accepted).flat_map(what).collect()
    }
}

type Answers = dyn Fn(usize, &str) -> Answer;

/// Reads a request and answers it; `None` when the connection is over.
fn talk(mut stream: &TcpStream, requests: &Mutex<VecDeque<Request>>, answer: &Answers) -> Option<()> {
    let mut reader = BufReader::with_capacity(1, stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let path = line()?.strip_prefix("POST ")?.strip_suffix(" HTTP/1.1")?.to_owned();
    let mut headers = Vec::new();
    while let Some((name, value)) = line()?.split_once(": ") {
        headers.push((name.to_lowercase(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?.1.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    if headers.iter().any(|(name, value)| name == "content-encoding" && value == "gzip") {
        let mut plain = Vec::new();
        GzDecoder::new(&*body).read_to_end(&mut plain).unwrap();
        body = plain;
    }
    let answer = {
        let mut requests = requests.lock().unwrap();
        let answer = answer(requests.len(), &path);
        requests.push_back(Request { path, headers, body, is_accepted: answer.status == Some(200) });
        answer
    };
    let mut head = format!("HTTP/1.1 {} As told\r\ncontent-length: {}\r\n", answer.status?, answer.body.len());
    for (name, value) in answer.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    stream.write_all(&[head.as_bytes(), b"\r\n", &answer.body].concat()).ok()
}
