use glasshouse_tables::ports::WireFormat;

use crate::fakes::{World, assert_error};

const JSON: &str = "application/json";

#[tokio::test]
async fn native_spans_share_the_path_of_otlp() {
    let world = World::new().await;
    let response = world.post("/v1/traces", JSON, r#"{"spans":[]}"#).await;
    assert_eq!(response.status(), 200);
    let answer: serde_json::Value = response.json().await.unwrap();
    assert_eq!(answer, serde_json::json!({"accepted": 1, "rejected": []}));
    assert_eq!(world.ingest.kept.lock().unwrap()[0].format, WireFormat::NativeSpansJson);

    let response = world.post("/v1/traces", JSON, r#"{"spans":["reject"]}"#).await;
    let answer: serde_json::Value = response.json().await.unwrap();
    let rejected = serde_json::json!([{"index": 1, "reason": "no trace id"}, {"index": 4, "reason": "no trace id"}]);
    assert_eq!(answer, serde_json::json!({"accepted": 1, "rejected": rejected}));

    let response = world.post("/v1/traces", JSON, r#"{"spans":["malformed"]}"#).await;
    assert_error(response, 400, "invalid_request", "spans[3].name").await;
}

#[tokio::test]
async fn zipkin_spans_are_accepted() {
    let world = World::new().await;
    let response = world.post("/api/v2/spans", JSON, "[{}]").await;
    assert_eq!(response.status(), 202);
    assert_eq!(world.ingest.kept.lock().unwrap()[0].format, WireFormat::ZipkinV2Json);
    assert_error(world.post("/api/v2/spans", JSON, "malformed").await, 400, "invalid_request", "spans[3].name").await;
    let thrift = world.post("/api/v2/spans", "application/x-thrift", "x").await;
    assert_error(thrift, 415, "unsupported_media_type", "JSON").await;
}
