use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The body of every answer that is not a success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// What went wrong.
    pub error: ErrorDetail,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErrorDetail {
    /// What kind of failure it is, for programs.
    #[serde(rename = "type")]
    pub kind: ErrorKind,
    /// One sentence for people.
    pub message: String,
    /// Where it is, or what would work instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub details: Option<String>,
}

/// Kinds of failure; each has one HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// 400: the request is malformed; sending it again gives the same answer.
    InvalidRequest,
    /// 400: the query needs more memory, rows or time than one query may have.
    QueryLimit,
    /// 403: the request comes from an origin that is not allowed.
    Forbidden,
    /// 404: there is no such thing.
    NotFound,
    /// 405: the path exists, but not with this method.
    MethodNotAllowed,
    /// 408: the body did not arrive in time.
    Timeout,
    /// 409: it was changed since it was read.
    Conflict,
    /// 413: the body is larger than allowed, after decompression.
    PayloadTooLarge,
    /// 415: the content type or encoding is not understood.
    UnsupportedMediaType,
    /// 429: too much at once; `Retry-After` says when to come back.
    Overloaded,
    /// 500: a defect or a failing disk; the server's log says more.
    Internal,
    /// 503: not ready, or shutting down; `Retry-After` says when to come back.
    Unavailable,
}

impl ErrorKind {
    /// The HTTP status of this kind.
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest | Self::QueryLimit => 400,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::Conflict => 409,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::Overloaded => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }
}
