use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ErrorDetail;

/// Answer to native spans: success means durable and visible to the next query.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct IngestAnswer {
    /// Spans kept.
    pub accepted: usize,
    /// Spans refused, with reasons; at most 100 are listed.
    pub rejected: Vec<Rejection>,
}

/// A span that was refused while the others were kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rejection {
    /// Its position in the request, counted from zero.
    pub index: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Answer to Zipkin spans.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ZipkinAnswer {
    /// Spans kept.
    pub accepted: usize,
    /// Spans refused, with reasons; at most 100 are listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Rejection>,
}

/// What a client of the span stream (`GET /v1/traces/stream`) may send besides spans.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamRequest {
    /// Asks for a `pong`.
    Ping,
}

/// What the span stream answers. Frames with spans are counted from 1; answers come in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum StreamAnswer {
    /// The frame's spans are durable and visible to the next query.
    Ack {
        /// Number of the frame.
        sequence: u64,
        /// What became of its spans.
        #[serde(flatten)]
        answer: IngestAnswer,
    },
    /// Nothing of the frame was kept.
    Error {
        /// Number of the frame.
        sequence: u64,
        /// Why.
        error: ErrorDetail,
        /// When to send the frame again, where that helps.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        retry_after_ms: Option<u64>,
    },
    /// Answer to `ping`.
    Pong,
}
