//! Receiving: a body of any wire format is decoded, kept, and answered in the sender's protocol.

pub(crate) mod grpc;
mod native;
pub(crate) mod otlp_http;
mod otlp_wire;
pub(crate) mod stream;
pub(crate) mod zipkin;

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use bytes::Bytes;
use glasshouse_tables::ports::{Decoded, Rejection, Submission, WireFormat};

use crate::Refusal;
use crate::body::{self, Encoding, Received};
use crate::state::App;

/// Bodies from this size on are decoded away from the threads that serve connections.
const LARGE_BODY: usize = 1 << 20;

/// What became of a request's items.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    pub(crate) kept: usize,
    pub(crate) rejected: usize,
    pub(crate) rejections: Vec<Rejection>,
}

impl Accepted {
    /// One sentence about what was refused; empty when nothing was.
    fn rejection_message(&self) -> String {
        const SHOWN: usize = 5;
        if self.rejected == 0 {
            return String::new();
        }
        let shown =
            self.rejections.iter().take(SHOWN).map(|rejection| format!("[{}] {}", rejection.index, rejection.reason));
        let reasons = shown.collect::<Vec<_>>().join("; ");
        let more = if self.rejected > SHOWN { "; …" } else { "" };
        format!("{} refused: {reasons}{more}", self.rejected)
    }
}

/// Decodes a body and keeps its rows. When this returns `Ok`, they are durable and visible.
pub(crate) async fn accept(app: &App, format: WireFormat, body: Bytes) -> Result<Accepted, Refusal> {
    let received = app.now();
    let turn = Arc::clone(&app.decoding).acquire_owned().await;
    let turn = turn.map_err(|_| Refusal::internal("the server is ending"))?;
    let decoded = if body.len() < LARGE_BODY {
        let decoded = app.decoder.decode(format, &body, received);
        drop(turn);
        decoded?
    } else {
        let (decoder, body) = (Arc::clone(&app.decoder), body.clone());
        // The turn goes with the work, which goes on when the sender hangs up.
        let decode = move || {
            let _turn = turn;
            decoder.decode(format, &body, received)
        };
        tokio::task::spawn_blocking(decode)
            .await
            .map_err(|_| Refusal::internal("the request could not be decoded"))??
    };
    let Decoded { batches, accepted, rejections, rejected } = decoded;
    if !batches.is_empty() {
        app.ingest.submit(Submission { format, body, received, batches }).await?;
    }
    app.requests.count_items(format, accepted, rejected);
    Ok(Accepted { kept: accepted, rejected, rejections })
}

/// Reads a request's body as its headers describe it.
async fn read_body(app: &App, headers: &HeaderMap, body: Body) -> Result<Received, Refusal> {
    let encoding = Encoding::parse(headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes))?;
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    body::read(body, encoding, length, &app.body_limits).await
}

/// The media type of a request's body, in lower case, without parameters.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next()?.trim().to_ascii_lowercase())
}
