//! The WebSocket for native spans: frames with spans in, an answer to each out, in order.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{FromRequest, Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::FuturesOrdered;
use futures::{FutureExt, StreamExt};
use glasshouse_api::{StreamAnswer, StreamRequest};
use glasshouse_tables::ports::WireFormat;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{accept, native};
use crate::Refusal;
use crate::state::App;

/// Largest frame and message in bytes.
const MAX_MESSAGE: usize = 1 << 20;
/// Frames of one connection whose spans are being kept; the next is read when one of them is answered.
const MAX_PENDING: usize = 16;
/// A silent client is asked whether it lives this often, and let go when it stays silent.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// Receives native spans over a WebSocket.
///
/// A text frame is `{"spans":[…]}` or one span; each is answered with `ack` once its spans are durable, or
/// with `error`. `{"type":"ping"}` is answered with `pong`.
#[utoipa::path(get, path = "/v1/traces/stream", operation_id = "span_stream", tag = "ingest",
    responses((status = 101, description = "Upgraded. Text frames carry these answers", body = StreamAnswer),
        (status = 400, description = "Not a WebSocket handshake", body = glasshouse_api::ErrorBody),
        (status = 403, description = "Opened by a page of a foreign origin", body = glasshouse_api::ErrorBody),
        (status = 503, description = "Too many WebSockets, or shutting down", body = glasshouse_api::ErrorBody)))]
pub(crate) async fn upgrade(State(app): State<App>, request: Request) -> Result<Response, Refusal> {
    app.origins.check_websocket(request.headers())?;
    let upgrade = WebSocketUpgrade::from_request(request, &())
        .await
        .map_err(|error| Refusal::invalid("not a WebSocket handshake").with_details(error.to_string()))?;
    if app.stopping.is_cancelled() {
        return Err(Refusal::unavailable("the server is shutting down"));
    }
    let permit =
        app.websockets.clone().try_acquire_owned().map_err(|_| Refusal::unavailable("too many WebSockets are open"))?;
    Ok(upgrade.max_message_size(MAX_MESSAGE).max_frame_size(MAX_MESSAGE).on_upgrade(move |socket| async move {
        run(app, socket).await;
        drop(permit);
    }))
}

async fn run(app: App, mut socket: WebSocket) {
    let mut pending: FuturesOrdered<BoxFuture<'static, StreamAnswer>> = FuturesOrdered::new();
    let mut sequence = 0;
    let mut is_silent = false;
    let mut keep_alive = tokio::time::interval_at(tokio::time::Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    loop {
        let message = tokio::select! {
            Some(answer) = pending.next(), if !pending.is_empty() => {
                if !send(&mut socket, &answer).await {
                    return;
                }
                continue;
            }
            message = socket.recv(), if pending.len() < MAX_PENDING => message,
            _ = keep_alive.tick() => {
                if std::mem::replace(&mut is_silent, true) || socket.send(Message::Ping(Bytes::new())).await.is_err() {
                    return;
                }
                continue;
            }
            () = app.stopping.cancelled() => break,
        };
        is_silent = false;
        match message {
            Some(Ok(Message::Text(text))) => match frame(text) {
                Frame::Ping => pending.push_back(std::future::ready(StreamAnswer::Pong).boxed()),
                Frame::Spans(body) => {
                    sequence += 1;
                    pending.push_back(keep(app.clone(), sequence, body).boxed());
                }
            },
            Some(Ok(Message::Binary(_))) => {
                close(socket, close_code::UNSUPPORTED, "spans come in text frames").await;
                return;
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Close(_))) | None => break,
            Some(Err(error)) => {
                tracing::debug!(%error, "span stream broke off");
                break;
            }
        }
    }
    // What was received is kept and, while the client still listens, answered.
    let mut listens = true;
    while let Some(answer) = pending.next().await {
        listens = listens && send(&mut socket, &answer).await;
    }
    if app.stopping.is_cancelled() {
        close(socket, close_code::AWAY, "the server is shutting down").await;
    }
}

async fn keep(app: App, sequence: u64, body: Bytes) -> StreamAnswer {
    let kept = async {
        let mut charge = app.body_limits.budget.charge();
        charge.grow_to(body.len()).map_err(|_| {
            Refusal::overloaded("too many bytes of requests are being received", Duration::from_secs(1))
        })?;
        accept(&app, WireFormat::NativeSpansJson, body).await
    };
    match std::panic::AssertUnwindSafe(kept).catch_unwind().await {
        Ok(Ok(accepted)) => StreamAnswer::Ack { sequence, answer: native::answer(accepted) },
        Ok(Err(refusal)) => StreamAnswer::Error {
            sequence,
            error: refusal.detail(),
            retry_after_ms: refusal.retry_after.map(|after| after.as_millis() as u64),
        },
        Err(_) => {
            let refusal = Refusal::internal("the server failed to handle the frame; its log says more");
            StreamAnswer::Error { sequence, error: refusal.detail(), retry_after_ms: None }
        }
    }
}

enum Frame {
    Ping,
    Spans(Bytes),
}

fn frame(text: Utf8Bytes) -> Frame {
    #[derive(Deserialize)]
    struct Keys {
        spans: Option<IgnoredAny>,
        span_id: Option<IgnoredAny>,
    }
    match serde_json::from_str::<Keys>(&text) {
        // One span alone: the decoder knows batches.
        Ok(Keys { spans: None, span_id: Some(_) }) => Frame::Spans(format!("{{\"spans\":[{text}]}}").into()),
        Ok(Keys { spans: None, span_id: None }) if serde_json::from_str::<StreamRequest>(&text).is_ok() => Frame::Ping,
        _ => Frame::Spans(text.into()),
    }
}

async fn send(socket: &mut WebSocket, answer: &StreamAnswer) -> bool {
    let text = serde_json::to_string(answer).expect("answers have string keys");
    // A client that does not read must not hold the connection for ever.
    matches!(tokio::time::timeout(KEEP_ALIVE, socket.send(Message::Text(text.into()))).await, Ok(Ok(())))
}

async fn close(mut socket: WebSocket, code: u16, reason: &'static str) {
    let frame = CloseFrame { code, reason: Utf8Bytes::from_static(reason) };
    // The client may be gone already, which is what closing is for.
    let _ = socket.send(Message::Close(Some(frame))).await;
}
