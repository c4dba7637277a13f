use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use glasshouse_server::ServerConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fakes::{World, assert_error, eventually};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

async fn small() -> World {
    World::with(ServerConfig { max_body: 1 << 20, max_in_flight: 1 << 20, ..ServerConfig::any_port() }).await
}

async fn bytes_held(world: &World) -> String {
    let text = world.get("/metrics").await.text().await.unwrap();
    text.lines().find_map(|line| line.strip_prefix("glasshouse_request_body_bytes ")).unwrap().to_owned()
}

#[tokio::test]
async fn a_bomb_costs_at_most_the_cap() {
    let world = small().await;
    let zeros = vec![0; 24 << 20];
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&zeros).unwrap();
    let bombs = [("gzip", gzip.finish().unwrap()), ("zstd", zstd::encode_all(&zeros[..], 1).unwrap())];
    drop(zeros);
    for (encoding, bomb) in bombs {
        let request = world.client.post(world.url("/v1/logs")).header("content-type", JSON);
        let response = request.header("content-encoding", encoding).body(bomb).send().await.unwrap();
        assert_error(response, 413, "payload_too_large", "1048576").await;
    }
    assert_eq!(bytes_held(&world).await, "0");
    assert_eq!(world.kept(), 0);
}

#[tokio::test]
async fn large_bodies_are_refused_with_and_without_their_length() {
    let world = small().await;
    let body = vec![b'x'; 3 << 20];
    assert_error(world.post("/v1/logs", JSON, body.clone()).await, 413, "payload_too_large", "1048576").await;
    let pieces = body.chunks(64 << 10).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect::<Vec<_>>();
    let chunked = reqwest::Body::wrap_stream(futures::stream::iter(pieces));
    assert_error(world.post("/v1/logs", JSON, chunked).await, 413, "payload_too_large", "1048576").await;
    assert_eq!(world.post("/v1/logs", PROTOBUF, vec![b'x'; 1 << 20]).await.status(), 200);
}

#[tokio::test]
async fn bodies_beyond_the_budget_are_refused_and_come_back_later() {
    let world = small().await;
    world.hold_back();
    let body = vec![b'x'; 800 << 10];
    let first = {
        let request = world.client.post(world.url("/v1/traces")).header("content-type", PROTOBUF).body(body.clone());
        tokio::spawn(request.send())
    };
    world.submissions_arrived(1).await;
    let refused = world.post("/v1/traces", JSON, body.clone()).await;
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_error(refused, 429, "overloaded", "being received").await;
    // Small ones still fit.
    world.ingest.gate.add_permits(1);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    world.ingest.gate.add_permits(1);
    assert_eq!(world.post("/v1/traces", PROTOBUF, body).await.status(), 200);
    assert_eq!((world.kept(), bytes_held(&world).await.as_str()), (2, "0"));
}

#[tokio::test]
async fn overload_by_many_is_answered_to_each() {
    let world = small().await;
    world.hold_back();
    let requests = (0..64).map(|_| {
        let request = world.client.post(world.url("/v1/traces")).header("content-type", PROTOBUF);
        tokio::spawn(request.body(vec![b'x'; 100 << 10]).send())
    });
    let requests: Vec<_> = requests.collect();
    world.submissions_arrived(5).await;
    // Every refused request frees its connection; the kept ones wait for the gate.
    world.ingest.gate.add_permits(1_000);
    let mut kept = 0;
    for request in requests {
        let response = request.await.unwrap().unwrap();
        match response.status().as_u16() {
            200 => kept += 1,
            429 => assert!(response.headers().contains_key("retry-after")),
            other => panic!("unexpected status {other}"),
        }
    }
    assert!(kept >= 5, "{kept} kept");
    assert_eq!((world.kept(), bytes_held(&world).await.as_str()), (kept, "0"));
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    let config = ServerConfig { body_timeout: Duration::from_millis(50), ..ServerConfig::any_port() };
    let world = World::with(config).await;
    let mut stream = TcpStream::connect(world.server.addresses().http).await.unwrap();
    let head =
        "POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"res";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(Duration::from_secs(10), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("\"timeout\""), "{answer}");
}

#[tokio::test]
async fn a_sender_that_hangs_up_leaves_nothing() {
    let world = World::new().await;
    let mut stream = TcpStream::connect(world.server.addresses().http).await.unwrap();
    let head =
        "POST /v1/logs HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"res";
    stream.write_all(head.as_bytes()).await.unwrap();
    eventually(async || bytes_held(&world).await != "0").await;
    drop(stream);
    eventually(async || bytes_held(&world).await == "0").await;
    assert_eq!(world.kept(), 0);
}
