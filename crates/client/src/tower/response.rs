//! What spans tell of responses.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use glasshouse_model::StatusCode as Status;
use http::{HeaderMap, Response, StatusCode};
use pin_project_lite::pin_project;

use super::Side;
use super::body::TracedBody;
use crate::context::{self, SpanContext};
use crate::span::ActiveSpan;

/// The span of a call, until it is over.
#[derive(Debug)]
pub(super) struct Call {
    span: ActiveSpan,
    side: Side,
    is_grpc: bool,
    /// Whether nothing more is expected.
    is_over: bool,
}

impl Call {
    pub fn new(span: ActiveSpan, side: Side, is_grpc: bool) -> Self {
        Self { span, side, is_grpc, is_over: false }
    }

    /// The answer began.
    pub fn answered(&mut self, status: StatusCode, headers: &HeaderMap) {
        // A client may do without the rest.
        self.is_over = self.side == Side::Client;
        if self.is_grpc {
            return self.ended_by(headers);
        }
        self.span.set_attribute("http.response.status_code", status.as_u16());
        let is_error = status.is_server_error() || self.side == Side::Client && status.is_client_error();
        if is_error {
            self.span.set_attribute("error.type", status.as_str());
            self.span.set_status(Status::Error, "");
        }
    }

    /// Headers or trailers that may say how a call of gRPC went.
    pub fn ended_by(&mut self, headers: &HeaderMap) {
        let Some(code) = headers.get("grpc-status") else { return };
        let code: u16 = code.to_str().ok().and_then(|code| code.parse().ok()).unwrap_or(UNKNOWN);
        let name = GRPC_CODES.get(usize::from(code)).copied().unwrap_or(GRPC_CODES[usize::from(UNKNOWN)]);
        self.span.set_attribute("rpc.response.status_code", name);
        let is_error = match self.side {
            Side::Client => code != 0,
            // Others are the caller's mistake.
            Side::Server => matches!(code, UNKNOWN | 4 | 12 | 13 | 14 | 15),
        };
        if is_error {
            let message = headers.get("grpc-message").map(|message| percent_decoded(message.as_bytes()));
            self.span.set_attribute("error.type", name);
            self.span.set_status(Status::Error, &message.unwrap_or_default());
        }
    }

    /// There is no answer.
    pub fn failed(&mut self, error: &dyn Display) {
        self.is_over = true;
        self.span.set_attribute("error.type", "_OTHER");
        self.span.set_status(Status::Error, &error.to_string());
    }

    /// It ended before its end.
    pub fn broke_off(&mut self) {
        self.failed(&"the answer broke off");
    }

    /// All of it came.
    pub fn complete(&mut self) {
        self.is_over = true;
    }

    /// The span that the request belongs to.
    pub fn context(&self) -> Option<SpanContext> {
        self.span.context().cloned().or_else(context::current)
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Nobody waited for it.
        if !self.is_over {
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
                known.answered(answer.status(), answer.headers());
                if !*this.has_body {
                    known.complete();
                }
                Poll::Ready(Ok(answer.map(|body| TracedBody::new(body, call))))
            }
            (Err(error), Some(known)) => {
                known.failed(&error);
                Poll::Ready(Err(error))
            }
            // It was over before.
            (answer, None) => Poll::Ready(answer.map(|answer| answer.map(|body| TracedBody::new(body, None)))),
        }
    }
}

const UNKNOWN: u16 = 2;

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
