use std::time::Duration;

use futures::{SinkExt, StreamExt};
use glasshouse_server::ServerConfig;
use glasshouse_tables::ports::{SubmitError, WireFormat};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::fakes::{World, assert_error};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

fn url(world: &World) -> String {
    format!("ws://{}/v1/traces/stream", world.server.addresses().http)
}

async fn open(world: &World) -> Socket {
    connect_async(url(world)).await.unwrap().0
}

async fn send(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).await.unwrap();
}

async fn next(socket: &mut Socket) -> Message {
    tokio::time::timeout(Duration::from_secs(10), socket.next()).await.unwrap().unwrap().unwrap()
}

async fn answer(socket: &mut Socket) -> Value {
    serde_json::from_str(next(socket).await.to_text().unwrap()).unwrap()
}

#[tokio::test]
async fn spans_are_acknowledged_in_order_once_kept() {
    let world = World::new().await;
    let mut socket = open(&world).await;
    world.hold_back();
    send(&mut socket, r#"{"spans":[{"name":"a"}]}"#).await;
    send(&mut socket, r#"{"span_id":"b"}"#).await;
    send(&mut socket, r#"{"spans":["reject"]}"#).await;
    world.submissions_arrived(3).await;
    assert!(futures::poll!(socket.next()).is_pending(), "no ack before the spans are kept");
    world.ingest.gate.add_permits(3);

    assert_eq!(answer(&mut socket).await, json!({"type": "ack", "sequence": 1, "accepted": 1, "rejected": []}));
    assert_eq!(answer(&mut socket).await, json!({"type": "ack", "sequence": 2, "accepted": 1, "rejected": []}));
    let third = answer(&mut socket).await;
    assert_eq!((&third["sequence"], &third["rejected"][0]["index"]), (&json!(3), &json!(1)));

    let kept = world.ingest.kept.lock().unwrap();
    assert!(kept.iter().all(|submission| submission.format == WireFormat::NativeSpansJson));
    assert!(kept.iter().any(|submission| submission.body == r#"{"spans":[{"span_id":"b"}]}"#));
}

#[tokio::test]
async fn errors_are_told_and_the_stream_goes_on() {
    let world = World::new().await;
    let mut socket = open(&world).await;
    send(&mut socket, "malformed").await;
    let error = answer(&mut socket).await;
    assert_eq!((&error["type"], &error["sequence"]), (&json!("error"), &json!(1)));
    assert_eq!(error["error"]["details"], "at spans[3].name");

    send(&mut socket, "panic").await;
    assert_eq!(answer(&mut socket).await["error"]["type"], "internal");

    *world.ingest.refuse.lock().unwrap() =
        Some(SubmitError::Overloaded { reason: "full".to_owned(), retry_after: Duration::from_millis(250) });
    send(&mut socket, r#"{"spans":[]}"#).await;
    let error = answer(&mut socket).await;
    assert_eq!((&error["retry_after_ms"], &error["error"]["type"]), (&json!(250), &json!("overloaded")));

    send(&mut socket, r#"{"type":"ping"}"#).await;
    assert_eq!(answer(&mut socket).await, json!({"type": "pong"}));
    socket.send(Message::Ping("hello".into())).await.unwrap();
    assert_eq!(next(&mut socket).await, Message::Pong("hello".into()));

    socket.send(Message::binary(vec![1])).await.unwrap();
    assert!(next(&mut socket).await.is_close());
}

#[tokio::test]
async fn large_frames_are_refused() {
    let world = World::new().await;
    let mut socket = open(&world).await;
    let sent = socket.send(Message::text("x".repeat(5 << 20))).await;
    let ended = match sent {
        Err(_) => true,
        Ok(()) => !matches!(socket.next().await, Some(Ok(Message::Text(_)))),
    };
    assert!(ended);
    assert_eq!(world.kept(), 0);
}

#[tokio::test]
async fn foreign_pages_may_not_open_it() {
    let world = World::new().await;
    let connect = async |origin: &str| {
        let mut request = url(&world).into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        connect_async(request).await
    };
    match connect("https://evil.example").await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 403),
        other => panic!("expected a refusal, got {other:?}"),
    }
    connect("http://localhost:5173").await.unwrap();
    connect(&format!("http://{}", world.server.addresses().http)).await.unwrap();
    assert_error(world.get("/v1/traces/stream").await, 400, "invalid_request", "WebSocket").await;
}

#[tokio::test]
async fn too_many_are_refused() {
    let world = World::with(ServerConfig { max_websockets: 1, ..ServerConfig::any_port() }).await;
    let first = open(&world).await;
    match connect_async(url(&world)).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 503),
        other => panic!("expected a refusal, got {other:?}"),
    }
    drop(first);
}

#[tokio::test]
async fn shutting_down_answers_what_was_received_and_closes() {
    let world = World::new().await;
    let mut socket = open(&world).await;
    world.hold_back();
    send(&mut socket, r#"{"spans":[]}"#).await;
    world.submissions_arrived(1).await;
    let stopped = tokio::spawn(world.server.shutdown(Duration::from_secs(10)));
    world.ingest.gate.add_permits(1);
    assert_eq!(answer(&mut socket).await["type"], "ack");
    assert!(next(&mut socket).await.is_close());
    assert_eq!(stopped.await.unwrap(), 0);
}
