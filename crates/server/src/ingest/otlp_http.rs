//! OTLP/HTTP (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>). Answers come in the request's encoding.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use glasshouse_tables::ports::WireFormat;
use prost::Message;

use super::otlp_wire::{Signal, json_answer, protobuf_answer};
use super::{accept, media_type, native, read_body};
use crate::Refusal;
use crate::state::App;

const PROTOBUF: &str = "application/x-protobuf";

#[derive(Clone, Copy)]
enum BodyType {
    Protobuf,
    Json,
}

/// Receives spans: OTLP, or native JSON told by its top-level key `spans`.
#[utoipa::path(post, path = "/v1/traces", operation_id = "send_traces", tag = "ingest",
    request_body(description = "OTLP `ExportTraceServiceRequest` (protobuf or JSON) or native `{\"spans\":[…]}`; `Content-Encoding: gzip`, `zstd` or `deflate`",
        content((Object = "application/json"), (Vec<u8> = "application/x-protobuf"))),
    responses((status = 200, description = "Durable and visible. OTLP is answered with `ExportTraceServiceResponse`, native spans with this", body = glasshouse_api::IngestAnswer),
        (status = 400, description = "Malformed: what and where", body = glasshouse_api::ErrorBody),
        (status = 413, description = "Larger than the limit after decompression", body = glasshouse_api::ErrorBody),
        (status = 415, description = "Content type or encoding not understood", body = glasshouse_api::ErrorBody),
        (status = 429, description = "Overloaded; see `Retry-After`", body = glasshouse_api::ErrorBody),
        (status = 503, description = "Cannot keep data at present; see `Retry-After`", body = glasshouse_api::ErrorBody)))]
pub(crate) async fn traces(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    receive(&app, Signal::Traces, &headers, body).await
}

/// Receives log records (OTLP).
#[utoipa::path(post, path = "/v1/logs", operation_id = "send_logs", tag = "ingest",
    request_body(description = "OTLP `ExportLogsServiceRequest`", content((Object = "application/json"), (Vec<u8> = "application/x-protobuf"))),
    responses((status = 200, description = "Durable and visible: `ExportLogsServiceResponse`"),
        (status = 400, description = "Malformed: what and where", body = glasshouse_api::ErrorBody),
        (status = 429, description = "Overloaded; see `Retry-After`", body = glasshouse_api::ErrorBody)))]
pub(crate) async fn logs(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    receive(&app, Signal::Logs, &headers, body).await
}

/// Receives metric data points (OTLP).
#[utoipa::path(post, path = "/v1/metrics", operation_id = "send_metrics", tag = "ingest",
    request_body(description = "OTLP `ExportMetricsServiceRequest`", content((Object = "application/json"), (Vec<u8> = "application/x-protobuf"))),
    responses((status = 200, description = "Durable and visible: `ExportMetricsServiceResponse`"),
        (status = 400, description = "Malformed: what and where", body = glasshouse_api::ErrorBody),
        (status = 429, description = "Overloaded; see `Retry-After`", body = glasshouse_api::ErrorBody)))]
pub(crate) async fn metrics(State(app): State<App>, headers: HeaderMap, body: Body) -> Response {
    receive(&app, Signal::Metrics, &headers, body).await
}

async fn receive(app: &App, signal: Signal, headers: &HeaderMap, body: Body) -> Response {
    let body_type = match media_type(headers).as_deref() {
        Some(PROTOBUF | "application/protobuf") => BodyType::Protobuf,
        Some("application/json") => BodyType::Json,
        other => {
            let given = other.map_or_else(|| "no content type".to_owned(), |other| format!("content type {other:?}"));
            let refusal = Refusal::unsupported(format!("{given} is not understood"))
                .with_details(format!("{PROTOBUF} and application/json are"));
            return refuse(&refusal, BodyType::Json);
        }
    };
    let answer = match body_type {
        BodyType::Protobuf => receive_protobuf(app, signal, headers, body).await,
        BodyType::Json => receive_json(app, signal, headers, body).await,
    };
    answer.unwrap_or_else(|refusal| refuse(&refusal, body_type))
}

async fn receive_protobuf(app: &App, signal: Signal, headers: &HeaderMap, body: Body) -> Result<Response, Refusal> {
    let received = read_body(app, headers, body).await?;
    let accepted = accept(app, signal.protobuf(), received.bytes.clone()).await?;
    Ok(([(CONTENT_TYPE, PROTOBUF)], protobuf_answer(&accepted)).into_response())
}

async fn receive_json(app: &App, signal: Signal, headers: &HeaderMap, body: Body) -> Result<Response, Refusal> {
    let received = read_body(app, headers, body).await?;
    if received.bytes.is_empty() {
        return Ok(Json(serde_json::json!({})).into_response());
    }
    let format = match signal {
        Signal::Traces => glasshouse_formats::traces_json_format(&received.bytes),
        _ => signal.json(),
    };
    let accepted = accept(app, format, received.bytes.clone()).await?;
    Ok(match format {
        WireFormat::NativeSpansJson => Json(native::answer(accepted)).into_response(),
        _ => Json(json_answer(signal, &accepted)).into_response(),
    })
}

/// An error as OTLP wants it: google.rpc.Status. In JSON, the `error` object of all other calls stands
/// beside its members, so that one form holds everywhere.
fn refuse(refusal: &Refusal, body_type: BodyType) -> Response {
    let status = refusal.rpc_status();
    let mut response = match body_type {
        BodyType::Protobuf => ([(CONTENT_TYPE, PROTOBUF)], status.encode_to_vec()).into_response(),
        BodyType::Json => Json(serde_json::json!({
            "code": status.code,
            "message": status.message,
            "error": refusal.detail(),
        }))
        .into_response(),
    };
    *response.status_mut() = refusal.http_status();
    refusal.add_retry_after(&mut response);
    debug_assert_ne!(response.status(), StatusCode::OK);
    response
}
