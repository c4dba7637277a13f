//! The server: OTLP over HTTP ([specification](https://opentelemetry.io/docs/specs/otlp/#otlphttp)).

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use ureq::http::uri::InvalidUri;
use ureq::http::{HeaderName, HeaderValue, Response, StatusCode, Uri};
use ureq::{Agent, Body};

use crate::error::ConnectError;
use crate::otlp::{Wire as _, partial_success};
use crate::signal::Signal;

/// Of an answer, as much as is read.
const MAX_ANSWER: u64 = 64 << 10;
/// Of a message, as much as is kept.
const MAX_MESSAGE: usize = 300;
/// A server cannot make us wait longer.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct Target {
    agent: Agent,
    /// Without the signal's path.
    endpoint: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// Whether requests are compressed.
    is_gzip: bool,
    /// Fields of a `Resource`.
    resource: Vec<u8>,
    /// Fields of an `InstrumentationScope`.
    scope: Vec<u8>,
}

/// What the server made of a request.
#[derive(Debug)]
pub(super) enum Answer {
    /// It has the records, but for some.
    Accepted { rejected: u64, message: String },
    /// It will never take them; or, when that is not for good, not from us.
    Refused { message: String, is_for_good: bool },
    /// It may take them another time, perhaps told which.
    Later { after: Option<Duration>, message: String },
}

impl Target {
    pub fn new(
        endpoint: &str,
        headers: Vec<(String, String)>,
        timeout: Duration,
        resource: Vec<u8>,
        scope: Vec<u8>,
    ) -> Result<Self, ConnectError> {
        let wrong = |reason: &str| ConnectError::Endpoint { endpoint: endpoint.to_owned(), reason: reason.to_owned() };
        let uri: Uri = endpoint.parse().map_err(|error: InvalidUri| wrong(&error.to_string()))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err(wrong("it begins with neither http:// nor https://"));
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(wrong("it names no host"));
        }
        if uri.query().is_some() {
            return Err(wrong("it has a query"));
        }
        let headers = headers.into_iter().map(|(name, value)| {
            let header = (HeaderName::try_from(&name), HeaderValue::try_from(&value));
            let (Ok(name), Ok(value)) = header else { return Err(ConnectError::Header(name)) };
            Ok((name, value))
        });
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(timeout))
            .max_redirects(0)
            .user_agent(concat!("glasshouse-client/", env!("CARGO_PKG_VERSION")));
        if uri.host().is_some_and(is_this_machine) {
            // A proxy of the environment leads elsewhere.
            config = config.proxy(None);
        }
        Ok(Self {
            agent: config.build().into(),
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            headers: headers.collect::<Result<_, _>>()?,
            is_gzip: false,
            resource,
            scope,
        })
    }

    /// Compresses requests.
    #[cfg(feature = "gzip")]
    pub fn with_gzip(self, is_gzip: bool) -> Self {
        Self { is_gzip, ..self }
    }

    /// Asks whether somebody is there, who takes spans.
    pub fn check(&self) -> Result<(), ConnectError> {
        let url = || self.url(Signal::Spans);
        let answer = self.request(Signal::Spans, &[]);
        let mut answer = answer.map_err(|error| ConnectError::Unreachable { url: url(), source: error.into() })?;
        if answer.status().is_success() {
            return Ok(());
        }
        let status = answer.status().as_u16();
        Err(ConnectError::Refused { url: url(), status, message: message(&mut answer) })
    }

    fn url(&self, signal: Signal) -> String {
        format!("{}{}", self.endpoint, signal.path())
    }

    /// An `ExportTraceServiceRequest`, or that of another signal: they have the same numbers.
    pub fn body(&self, records: &[u8]) -> Vec<u8> {
        let mut head = Vec::new();
        head.bytes_field(1, &self.resource);
        let mut scope = Vec::new();
        scope.bytes_field(1, &self.scope);
        head.tag(2, 2);
        head.varint((scope.len() + records.len()) as u64);
        head.extend_from_slice(&scope);
        let mut body = Vec::with_capacity(head.len() + records.len() + 16);
        body.tag(1, 2);
        body.varint((head.len() + records.len()) as u64);
        body.extend_from_slice(&head);
        body.extend_from_slice(records);
        body
    }

    pub(super) fn send(&self, signal: Signal, body: &[u8]) -> Answer {
        let url = || self.url(signal);
        let mut answer = match self.request(signal, body) {
            Ok(answer) => answer,
            Err(error) => return Answer::Later { after: None, message: format!("{}: {error}", url()) },
        };
        let status = answer.status();
        if status.is_success() {
            let partial = read(&mut answer).as_deref().and_then(partial_success);
            let (rejected, message) = partial.unwrap_or_default();
            return Answer::Accepted { rejected, message };
        }
        let after = answer.headers().get("retry-after").and_then(|after| after.to_str().ok()?.trim().parse().ok());
        let message = format!("{} answered with status {status}: {}", url(), message(&mut answer));
        match status {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => {
                Answer::Later { after: after.map(|after| Duration::from_secs(after).min(LONGEST_WAIT)), message }
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
                Answer::Refused { message, is_for_good: false }
            }
            _ => Answer::Refused { message, is_for_good: true },
        }
    }

    fn request(&self, signal: Signal, body: &[u8]) -> Result<Response<Body>, ureq::Error> {
        let mut request = self.agent.post(self.url(signal)).content_type("application/x-protobuf");
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if !self.is_gzip {
            return request.send(body);
        }
        request.header("content-encoding", "gzip").send(&*compressed(body))
    }
}

/// With gzip, as fast as it goes.
#[cfg(feature = "gzip")]
fn compressed(body: &[u8]) -> Cow<'_, [u8]> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::with_capacity(body.len() / 4), flate2::Compression::fast());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory takes everything").into()
}

/// Nobody can ask for it.
#[cfg(not(feature = "gzip"))]
fn compressed(body: &[u8]) -> Cow<'_, [u8]> {
    body.into()
}

fn is_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// The connection is used again only when the answer was read.
fn read(answer: &mut Response<Body>) -> Option<Vec<u8>> {
    answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().ok()
}

fn message(answer: &mut Response<Body>) -> String {
    let text = String::from_utf8_lossy(&read(answer).unwrap_or_default()).into_owned();
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(printable).take(MAX_MESSAGE).collect::<String>().trim().to_owned()
}
