use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use glasshouse_tables::ports::{SubmitError, WireFormat};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

use crate::fakes::{NOW, World, assert_error};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

#[tokio::test]
async fn every_signal_is_kept_and_answered_in_its_encoding() {
    let world = World::new().await;
    let check = async |path: &str, content_type: &str, body: &'static str, format: WireFormat| {
        let addresses = world.server.addresses();
        for address in [addresses.http, addresses.otlp_http.unwrap(), addresses.otlp_grpc.unwrap()] {
            let request = world.client.post(format!("http://{address}{path}")).header("content-type", content_type);
            let response = request.body(body).send().await.unwrap();
            assert_eq!(response.status(), 200, "{path} {content_type}");
            assert_eq!(response.headers()["content-type"], content_type.split(';').next().unwrap());
            let expected = if content_type == PROTOBUF { "" } else { "{}" };
            assert_eq!(response.text().await.unwrap(), expected);
            let submission = world.ingest.kept.lock().unwrap().pop().unwrap();
            assert_eq!((submission.format, submission.received), (format, NOW));
            assert_eq!(submission.body, body);
        }
    };
    check("/v1/traces", PROTOBUF, "x", WireFormat::OtlpTracesProtobuf).await;
    check("/v1/logs", PROTOBUF, "x", WireFormat::OtlpLogsProtobuf).await;
    check("/v1/metrics", PROTOBUF, "x", WireFormat::OtlpMetricsProtobuf).await;
    check("/v1/traces", "application/json; charset=utf-8", r#"{"resourceSpans":[]}"#, WireFormat::OtlpTracesJson).await;
    check("/v1/logs", JSON, r#"{"resourceLogs":[]}"#, WireFormat::OtlpLogsJson).await;
    check("/v1/metrics", JSON, r#"{"resourceMetrics":[]}"#, WireFormat::OtlpMetricsJson).await;
}

#[tokio::test]
async fn empty_requests_succeed_and_keep_nothing() {
    let world = World::new().await;
    for (content_type, body) in [(PROTOBUF, ""), (JSON, ""), (PROTOBUF, "empty"), (JSON, "{\"empty\":1}")] {
        let response = world.post("/v1/traces", content_type, body).await;
        assert_eq!(response.status(), 200, "{content_type} {body:?}");
    }
    assert_eq!(world.kept(), 0);
}

#[tokio::test]
async fn compressed_bodies_are_unpacked() {
    let world = World::new().await;
    let body = b"some spans, some more spans".repeat(1000);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&body).unwrap();
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(&body).unwrap();
    let bodies = [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", zlib.finish().unwrap()),
        ("zstd", zstd::encode_all(&body[..], 3).unwrap()),
        ("identity", body.clone()),
    ];
    for (encoding, packed) in bodies {
        let request = world.client.post(world.url("/v1/traces")).header("content-type", PROTOBUF);
        let send =
            |bytes: Vec<u8>| request.try_clone().unwrap().header("content-encoding", encoding).body(bytes).send();
        assert_eq!(send(packed.clone()).await.unwrap().status(), 200, "{encoding}");
        assert_eq!(world.ingest.kept.lock().unwrap().pop().unwrap().body, body, "{encoding}");
        if encoding != "identity" {
            let cut = send(packed[..packed.len() - 5].to_vec()).await.unwrap();
            assert_eq!(cut.status(), 400, "{encoding}");
            let garbage = send(b"this was never compressed".to_vec()).await.unwrap();
            assert_eq!(garbage.status(), 400, "{encoding}");
        }
    }
    assert_eq!(world.kept(), 0);
}

#[tokio::test]
async fn partial_success_tells_what_was_refused() {
    let world = World::new().await;
    let response = world.post("/v1/traces", PROTOBUF, "reject").await;
    assert_eq!(response.status(), 200);
    let answer = ExportTraceServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    let partial = answer.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 2);
    assert_eq!(partial.error_message, "2 refused: [1] no trace id; [4] no trace id");

    let response = world.post("/v1/logs", PROTOBUF, "reject").await;
    let answer = ExportLogsServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.partial_success.unwrap().rejected_log_records, 2);

    let response = world.post("/v1/metrics", JSON, r#"{"resourceMetrics":["reject"]}"#).await;
    let answer: serde_json::Value = response.json().await.unwrap();
    assert_eq!(answer["partialSuccess"]["rejectedDataPoints"], "2", "{answer}");
}

#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

#[tokio::test]
async fn malformed_bodies_say_what_and_where() {
    let world = World::new().await;
    let response = world.post("/v1/traces", PROTOBUF, "malformed").await;
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()["content-type"], PROTOBUF);
    let status = Status::decode(response.bytes().await.unwrap()).unwrap();
    assert_eq!(status, Status { code: 3, message: "wrong wire type: at spans[3].name".to_owned() });

    let response = world.post("/v1/logs", JSON, "malformed").await;
    assert_eq!(response.status(), 400);
    let body: serde_json::Value = response.json().await.unwrap();
    let expected = serde_json::json!({
        "code": 3,
        "message": "wrong wire type: at spans[3].name",
        "error": {"type": "invalid_request", "message": "wrong wire type", "details": "at spans[3].name"},
    });
    assert_eq!(body, expected);
    assert_eq!(world.kept(), 0);
}

#[tokio::test]
async fn unknown_types_and_encodings_are_refused() {
    let world = World::new().await;
    let response = world.post("/v1/traces", "text/plain", "x").await;
    assert_error(response, 415, "unsupported_media_type", "text/plain").await;
    let response = world.client.post(world.url("/v1/traces")).body("x").send().await.unwrap();
    assert_error(response, 415, "unsupported_media_type", "no content type").await;
    let request = world.client.post(world.url("/v1/traces")).header("content-type", JSON);
    let response = request.header("content-encoding", "br").body("{}").send().await.unwrap();
    assert_error(response, 415, "unsupported_media_type", "gzip, zstd").await;
}

#[tokio::test]
async fn a_lake_that_cannot_keep_data_asks_to_come_back() {
    let world = World::new().await;
    let check = async |error: SubmitError, status: u16, kind: &str, retry_after: Option<&str>| {
        *world.ingest.refuse.lock().unwrap() = Some(error);
        for content_type in [PROTOBUF, JSON] {
            let response = world.post("/v1/traces", content_type, r#"{"resourceSpans":[1]}"#).await;
            assert_eq!(response.status().as_u16(), status);
            assert_eq!(response.headers().get("retry-after").map(|value| value.to_str().unwrap()), retry_after);
            if content_type == JSON {
                assert_error(response, status, kind, "full").await;
            }
        }
    };
    let full = || "memory is full".to_owned();
    let retry_after = Duration::from_millis(1500);
    check(SubmitError::Overloaded { reason: full(), retry_after }, 429, "overloaded", Some("2")).await;
    check(SubmitError::Unavailable(full()), 503, "unavailable", Some("5")).await;
    check(SubmitError::TooLarge(full()), 413, "payload_too_large", None).await;
}

#[tokio::test]
async fn a_panic_is_an_answer() {
    let world = World::new().await;
    assert_error(world.post("/v1/traces", PROTOBUF, "panic").await, 500, "internal", "log").await;
    assert_eq!(world.post("/v1/traces", PROTOBUF, "x").await.status(), 200);
}
