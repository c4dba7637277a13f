//! Why a request is refused, and how HTTP and gRPC say it. The one place that maps errors.

use std::time::Duration;

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use glasshouse_api::{ErrorBody, ErrorDetail, ErrorKind};
use glasshouse_tables::ports::{DecodeError, QueryError, SubmitError};
use prost::Message;

/// When who found too much being done may ask again.
pub(crate) const BUSY: Duration = Duration::from_secs(5);

/// Why a request is refused. Turns into an HTTP answer or a gRPC status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of failure it is; decides the status.
    pub kind: ErrorKind,
    /// One sentence for people.
    pub message: String,
    /// Where it is, or what would work instead.
    pub details: Option<String>,
    /// When to come back, where that helps.
    pub retry_after: Option<Duration>,
}

impl Refusal {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), details: None, retry_after: None }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidRequest, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::NotFound, message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, message)
    }

    pub(crate) fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::UnsupportedMediaType, message)
    }

    pub(crate) fn overloaded(message: impl Into<String>, retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::new(ErrorKind::Overloaded, message) }
    }

    pub(crate) fn unavailable(message: impl Into<String>) -> Self {
        Self { retry_after: Some(Duration::from_secs(5)), ..Self::new(ErrorKind::Unavailable, message) }
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    pub(crate) fn with_details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// The error as JSON bodies carry it.
    pub fn detail(&self) -> ErrorDetail {
        ErrorDetail { kind: self.kind, message: self.message.clone(), details: self.details.clone() }
    }

    pub(crate) fn http_status(&self) -> StatusCode {
        StatusCode::from_u16(self.kind.status()).expect("error kinds have valid statuses")
    }

    /// Adds `Retry-After` (RFC 9110 section 10.2.3) in whole seconds, rounded up.
    pub(crate) fn add_retry_after(&self, response: &mut Response) {
        if let Some(after) = self.retry_after {
            let seconds = after.as_millis().div_ceil(1_000).max(1);
            let value = HeaderValue::try_from(seconds.to_string()).expect("digits are a valid header");
            response.headers_mut().insert(RETRY_AFTER, value);
        }
    }

    pub(crate) fn grpc_code(&self) -> tonic::Code {
        match self.kind {
            ErrorKind::InvalidRequest => tonic::Code::InvalidArgument,
            ErrorKind::Forbidden => tonic::Code::PermissionDenied,
            ErrorKind::NotFound => tonic::Code::NotFound,
            // What gRPC asks for when a compression is unknown (grpc.io, "Compression").
            ErrorKind::MethodNotAllowed | ErrorKind::UnsupportedMediaType => tonic::Code::Unimplemented,
            ErrorKind::Conflict => tonic::Code::Aborted,
            ErrorKind::Timeout => tonic::Code::DeadlineExceeded,
            ErrorKind::PayloadTooLarge | ErrorKind::Overloaded | ErrorKind::QueryLimit => {
                tonic::Code::ResourceExhausted
            }
            ErrorKind::Internal => tonic::Code::Internal,
            ErrorKind::Unavailable => tonic::Code::Unavailable,
        }
    }

    fn sentence(&self) -> String {
        match &self.details {
            Some(details) => format!("{}: {details}", self.message),
            None => self.message.clone(),
        }
    }

    /// The refusal as google.rpc.Status, which OTLP errors carry over HTTP and in gRPC's status details.
    pub(crate) fn rpc_status(&self) -> RpcStatus {
        let retry_info = self.retry_after.map(|after| RpcAny {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: RetryInfo {
                retry_delay: Some(RpcDuration { seconds: after.as_secs() as i64, nanos: after.subsec_nanos() as i32 }),
            }
            .encode_to_vec(),
        });
        RpcStatus { code: self.grpc_code() as i32, message: self.sentence(), details: retry_info.into_iter().collect() }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.http_status(), Json(ErrorBody { error: self.detail() })).into_response();
        self.add_retry_after(&mut response);
        response
    }
}

impl From<Refusal> for tonic::Status {
    fn from(refusal: Refusal) -> Self {
        let status = refusal.rpc_status();
        if status.details.is_empty() {
            return Self::new(refusal.grpc_code(), status.message);
        }
        let details = Bytes::from(status.encode_to_vec());
        Self::with_details(refusal.grpc_code(), status.message, details)
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self::invalid(error.what).with_details(format!("at {}", error.place))
    }
}

impl From<SubmitError> for Refusal {
    fn from(error: SubmitError) -> Self {
        match error {
            SubmitError::Overloaded { reason, retry_after } => Self::overloaded(reason, retry_after),
            SubmitError::Unavailable(reason) => Self::unavailable(reason),
            SubmitError::TooLarge(reason) => Self::new(ErrorKind::PayloadTooLarge, reason),
        }
    }
}

impl From<QueryError> for Refusal {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::Invalid(message) => Self::invalid(message),
            QueryError::Limit(message) => Self::new(ErrorKind::QueryLimit, message),
            QueryError::Busy(message) => Self::overloaded(message, BUSY),
            QueryError::Failed(message) => Self::internal(message),
        }
    }
}

/// `google/rpc/status.proto`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(crate) code: i32,
    #[prost(string, tag = "2")]
    pub(crate) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(crate) details: Vec<RpcAny>,
}

/// `google/protobuf/any.proto`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RpcAny {
    #[prost(string, tag = "1")]
    pub(crate) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) value: Vec<u8>,
}

/// `google/rpc/error_details.proto`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(crate) retry_delay: Option<RpcDuration>,
}

/// `google/protobuf/duration.proto`
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RpcDuration {
    #[prost(int64, tag = "1")]
    pub(crate) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(crate) nanos: i32,
}
