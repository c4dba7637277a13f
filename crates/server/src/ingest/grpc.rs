//! OTLP/gRPC: the three unary `Export` calls and health checks, on the gRPC wire format itself
//! (grpc.io, "gRPC over HTTP2"). So the message goes to the decoder as the bytes it is, without generated
//! structs between, and is bounded before it is buffered, which tonic's codecs cannot do.

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::{BufMut, Bytes, BytesMut};
use futures::FutureExt;
use http_body_util::{BodyExt, Full};
use tonic::Status;

use super::accept;
use super::otlp_wire::{Signal, protobuf_answer};
use crate::Refusal;
use crate::body::{Collector, Encoding, Received, next_data, too_large};
use crate::state::App;

/// A message's prefix: whether it is compressed (1 byte), and its length (4 bytes, big endian).
const PREFIX: usize = 5;
const ACCEPTED_ENCODINGS: HeaderValue = HeaderValue::from_static("identity,gzip,deflate,zstd");
/// `HealthCheckResponse { status: SERVING }` and `{ status: NOT_SERVING }` (grpc/health/v1/health.proto).
const SERVING: Bytes = Bytes::from_static(&[8, 1]);
const NOT_SERVING: Bytes = Bytes::from_static(&[8, 2]);

/// The calls of the OTLP/gRPC listener.
pub(crate) fn calls() -> Router<App> {
    let export = |signal: Signal| {
        post(move |State(app): State<App>, request: Request| async move { answer(export(&app, signal, request).await) })
    };
    Router::new()
        .route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", export(Signal::Traces))
        .route("/opentelemetry.proto.collector.logs.v1.LogsService/Export", export(Signal::Logs))
        .route("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", export(Signal::Metrics))
        .route("/grpc.health.v1.Health/Check", post(health))
}

/// Answers a call that there is none of. gRPC carries its status beside HTTP's 200, which to any other client
/// would mean success, so those get a 404.
pub(crate) async fn unknown_call(request: Request) -> Response {
    let content_type = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if content_type.starts_with(b"application/grpc") {
        return Status::unimplemented("unknown service or method").into_http::<Body>();
    }
    Refusal::not_found(format!("there is no {} {} on the port of OTLP/gRPC", request.method(), request.uri().path()))
        .into_response()
}

async fn export(app: &App, signal: Signal, request: Request) -> Result<Bytes, Refusal> {
    let (parts, body) = request.into_parts();
    let received = read_message(app, &parts.headers, body).await?;
    // A panic must not take the connection's other calls down.
    let accepted = std::panic::AssertUnwindSafe(accept(app, signal.protobuf(), received.bytes.clone()))
        .catch_unwind()
        .await
        .map_err(|_| Refusal::internal("the server failed to handle the request; its log says more"))??;
    Ok(protobuf_answer(&accepted))
}

async fn health(State(app): State<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    // The request may name a service; all of them are as well as the server is.
    let message = read_message(&app, &parts.headers, body).await;
    answer(message.map(|_| if app.is_serving() { SERVING } else { NOT_SERVING }))
}

/// Reads the one message of a unary call.
async fn read_message(app: &App, headers: &HeaderMap, body: Body) -> Result<Received, Refusal> {
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if !matches!(content_type, b"application/grpc" | b"application/grpc+proto") {
        return Err(Refusal::unsupported("gRPC calls have content type application/grpc"));
    }
    let limits = &app.body_limits;
    let mut body = std::pin::pin!(body);
    let mut prefix = BytesMut::new();
    while prefix.len() < PREFIX {
        let data = next_data(&mut body, limits.timeout).await?.ok_or_else(|| incomplete(PREFIX, prefix.len()))?;
        prefix.extend_from_slice(&data);
    }
    let rest = prefix.split_off(PREFIX);
    let is_compressed = match prefix[0] {
        0 => false,
        1 => true,
        other => return Err(Refusal::invalid(format!("byte 0 of the message is {other}, not 0 or 1"))),
    };
    let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]) as usize;
    if length > limits.max_body {
        return Err(too_large(limits.max_body));
    }
    let encoding = if is_compressed {
        Encoding::parse(headers.get("grpc-encoding").map(HeaderValue::as_bytes)).and_then(
            |encoding| match encoding {
                Encoding::Identity => {
                    Err(Refusal::invalid("the message is marked compressed, but grpc-encoding names no compression"))
                }
                encoding => Ok(encoding),
            },
        )?
    } else {
        Encoding::Identity
    };

    let mut collector = Collector::new(encoding, Some(length), limits)?;
    let mut left = length;
    let mut data = rest.freeze();
    loop {
        if data.len() > left {
            return Err(Refusal::invalid("a unary call carries one message, and more bytes follow it"));
        }
        left -= data.len();
        collector.push(&data).await?;
        match next_data(&mut body, limits.timeout).await? {
            Some(next) => data = next,
            None if left == 0 => return collector.finish(),
            None => return Err(incomplete(length, length - left)),
        }
    }
}

fn incomplete(expected: usize, actual: usize) -> Refusal {
    Refusal::invalid(format!("the message broke off after {actual} of {expected} bytes"))
}

/// A message and an OK status, or a status alone.
fn answer(result: Result<Bytes, Refusal>) -> Response {
    let message = match result {
        Ok(message) => message,
        Err(refusal) => {
            let mut response = Status::from(refusal).into_http::<Body>();
            response.headers_mut().insert("grpc-accept-encoding", ACCEPTED_ENCODINGS);
            return response;
        }
    };
    let mut framed = BytesMut::with_capacity(PREFIX + message.len());
    framed.put_u8(0);
    framed.put_u32(message.len() as u32);
    framed.extend_from_slice(&message);
    let trailers =
        HeaderMap::from_iter([("grpc-status".parse().expect("a header name"), HeaderValue::from_static("0"))]);
    let body = Full::new(framed.freeze()).with_trailers(std::future::ready(Some(Ok(trailers))));
    let mut response = Body::new(body).into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response.headers_mut().insert("grpc-accept-encoding", ACCEPTED_ENCODINGS);
    response
}
