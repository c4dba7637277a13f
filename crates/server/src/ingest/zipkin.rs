//! Zipkin v2 JSON spans (zipkin.io/zipkin-api, `POST /api/v2/spans`).

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use glasshouse_api::ZipkinAnswer;
use glasshouse_tables::ports::WireFormat;

use super::{accept, media_type, native, read_body};
use crate::Refusal;
use crate::state::App;

/// Receives spans as Zipkin reporters send them.
#[utoipa::path(post, path = "/api/v2/spans", operation_id = "send_zipkin_spans", tag = "ingest",
    request_body(description = "Zipkin v2 JSON: a list of spans; `Content-Encoding: gzip`, `zstd` or `deflate`", content = Vec<Object>),
    responses((status = 202, description = "Durable and visible", body = ZipkinAnswer),
        (status = 400, description = "Malformed: what and where", body = glasshouse_api::ErrorBody),
        (status = 415, description = "Only JSON is understood", body = glasshouse_api::ErrorBody),
        (status = 429, description = "Overloaded; see `Retry-After`", body = glasshouse_api::ErrorBody)))]
pub(crate) async fn spans(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<ZipkinAnswer>), Refusal> {
    if media_type(&headers).as_deref() != Some("application/json") {
        return Err(Refusal::unsupported("Zipkin spans are understood as JSON only").with_details("application/json"));
    }
    let received = read_body(&app, &headers, body).await?;
    let accepted = accept(&app, WireFormat::ZipkinV2Json, received.bytes.clone()).await?;
    let answer = ZipkinAnswer { accepted: accepted.kept, rejected: native::rejections(accepted.rejections) };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}
