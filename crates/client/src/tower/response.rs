//! What spans tell of responses.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use glasshouse_model::StatusCode as Status;
use http::{HeaderMap, Response, StatusCode, Version, header};
use pin_project_lite::pin_project;

use super::Side;
use super::body::TracedBody;
use super::request::{OTHER, protocol};
use crate::context::{self, SpanContext};
use crate::span::ActiveSpan;

/// The span of a call, until it is over.
#[derive(Debug)]
pub(super) struct Call {
    span: ActiveSpan,
    side: Side,
    /// The method, of a call of gRPC.
    rpc: Option<String>,
    /// Whether its code is known, of a call of gRPC.
    has_code: bool,
    /// Whether nothing more is expected.
    is_over: bool,
}

impl Call {
    /// `rpc` is the method, of a call of gRPC.
    pub fn new(span: ActiveSpan, side: Side, rpc: Option<String>) -> Self {
        Self { span, side, rpc, has_code: false, is_over: false }
    }

    pub fn side(&self) -> Side {
        self.side
    }

    pub fn is_grpc(&self) -> bool {
        self.rpc.is_some()
    }

    /// The answer began.
    pub fn answered(&mut self, status: StatusCode, version: Version, headers: &HeaderMap) {
        // A client may do without the rest.
        self.is_over = self.side == Side::Client;
        if self.is_grpc() {
            self.ended_by(headers);
            // Who answered was none who speaks gRPC.
            if !self.has_code && status != StatusCode::OK {
                self.code(code_of_http(status), "");
            }
            return;
        }
        self.span.set_attribute("http.response.status_code", status.as_u16());
        if self.side == Side::Client
            && let Some(version) = protocol(version)
        {
            self.span.set_attribute("network.protocol.version", version);
        }
        let is_error = status.is_server_error() || self.side == Side::Client && status.is_client_error();
        if is_error {
            self.span.set_attribute("error.type", status.as_str());
            self.span.set_status(Status::Error, "");
        }
    }

    /// Headers or trailers that may say how a call of gRPC went.
    pub fn ended_by(&mut self, headers: &HeaderMap) {
        if !self.is_grpc() {
            return;
        }
        let Some(code) = headers.get("grpc-status") else { return };
        let code = code.to_str().ok().and_then(|code| code.parse().ok());
        let message = headers.get("grpc-message").map(|message| percent_decoded(message.as_bytes()));
        self.code(code.filter(|code| *code < GRPC_CODES.len()).unwrap_or(UNKNOWN), &message.unwrap_or_default());
    }

    /// How a call of gRPC went.
    fn code(&mut self, code: usize, message: &str) {
        self.has_code = true;
        self.span.set_attribute("rpc.response.status_code", GRPC_CODES[code]);
        if let (UNIMPLEMENTED, Side::Server, Some(method)) = (code, self.side, &self.rpc) {
            // Anything may be asked for, and names shall be few.
            self.span.set_name(OTHER);
            self.span.set_attribute("rpc.method", OTHER);
            self.span.set_attribute("rpc.method_original", method);
        }
        let is_error = match self.side {
            Side::Client => code != 0,
            // Others are the caller's mistake.
            Side::Server => matches!(code, UNKNOWN | 4 | UNIMPLEMENTED | 13 | 14 | 15),
        };
        if is_error {
            self.span.set_attribute("error.type", GRPC_CODES[code]);
            self.span.set_status(Status::Error, message);
        }
    }

    /// There is no answer.
    pub fn failed(&mut self, error: &dyn Display) {
        self.is_over = true;
        self.span.set_attribute("error.type", OTHER);
        self.span.set_status(Status::Error, &error.to_string());
    }

    /// It ended before its end.
    pub fn broke_off(&mut self) {
        self.failed(&"the answer broke off");
    }

    /// All of it came.
    pub fn complete(&mut self) {
        self.is_over = true;
        if self.is_grpc() && !self.has_code && self.side == Side::Client {
            self.code(UNKNOWN, "the answer has no grpc-status");
        }
    }

    /// The span that the request belongs to.
    pub fn context(&self) -> Option<SpanContext> {
        self.span.context().cloned().or_else(context::current)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Nobody waited for it. A panic is told as such.
        if !self.is_over && !std::thread::panicking() {
            self.span.set_attribute("error.type", "cancelled");
        }
    }
}

pin_project! {
    /// A call, until the answer begins.
    #[derive(Debug)]
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        context: Option<SpanContext>,
        call: Option<Call>,
        has_body: bool,
    }
}

impl<F> ResponseFuture<F> {
    /// `has_body` tells whether one may follow the answer's headers.
    pub(super) fn new(inner: F, call: Call, has_body: bool) -> Self {
        Self { inner, context: call.context(), call: Some(call), has_body }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: http_body::Body,
    E: Display,
{
    type Output = Result<Response<TracedBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = context::enter(this.context.clone());
        let answer = ready!(this.inner.poll(task));
        drop(entered);
        let mut call = this.call.take();
        match (answer, &mut call) {
            (Ok(answer), Some(known)) => {
                known.answered(answer.status(), answer.version(), answer.headers());
                let has_no_body = matches!(answer.status(), StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
                if !*this.has_body || has_no_body {
                    known.complete();
                }
                let length = length(answer.headers());
                Poll::Ready(Ok(answer.map(|body| TracedBody::new(body, call, length))))
            }
            (Err(error), Some(known)) => {
                known.failed(&error);
                Poll::Ready(Err(error))
            }
            // It was over before.
            (answer, None) => Poll::Ready(answer.map(|answer| answer.map(|body| TracedBody::new(body, None, None)))),
        }
    }
}

const UNKNOWN: usize = 2;
const UNIMPLEMENTED: usize = 12;

/// What a status of HTTP means where gRPC was expected
/// ([mapping](https://github.com/grpc/grpc/blob/master/doc/http-grpc-status-mapping.md)).
fn code_of_http(status: StatusCode) -> usize {
    match status.as_u16() {
        400 => 13,
        401 => 16,
        403 => 7,
        404 => UNIMPLEMENTED,
        429 | 502..=504 => 14,
        _ => UNKNOWN,
    }
}

/// [Codes](https://grpc.io/docs/guides/status-codes/) by number.
const GRPC_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// `Content-Length`.
fn length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// A text with `%` and two hex digits for bytes; what is not valid stays as it is.
fn percent_decoded(text: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, more)) = rest.split_first() {
        let digits = more.first_chunk::<2>().and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &more[2..] } else { more };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_decoded() {
        assert_eq!(percent_decoded(b"gr%C3%B6%C3%9Fer 100% %zz %2"), "größer 100% %zz %2");
    }
}
