use glasshouse_server::{Origins, ServerConfig};
use serde_json::{Value, json};

use crate::fakes::{World, assert_error};

#[tokio::test]
async fn unknown_paths_are_json_for_programs_and_the_app_for_people() {
    let world = World::new().await;
    assert_error(world.get("/api/nothing").await, 404, "not_found", "/api/nothing").await;
    assert_error(world.get("/v1/nothing").await, 404, "not_found", "/v1/nothing").await;
    assert_error(world.get("/assets/missing.js").await, 404, "not_found", "missing.js").await;
    assert_error(world.post("/traces", "text/plain", "").await, 404, "not_found", "POST").await;
    assert_error(world.get("/v1/logs").await, 405, "method_not_allowed", "GET").await;
    for path in ["/", "/traces/4bf92f3577b34da6a3ce929d0e0e4736?tab=logs", "/apiary"] {
        let response = world.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        let headers = response.headers().clone();
        assert!(headers["content-type"].to_str().unwrap().starts_with("text/html"));
        assert_eq!(headers["cache-control"], "no-cache");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert!(headers["content-security-policy"].to_str().unwrap().contains("default-src 'self'"));
        assert!(response.text().await.unwrap().contains("Glasshouse"));
    }
    // The standard OTLP port serves no app.
    let address = world.server.addresses().otlp_http.unwrap();
    let response = world.client.get(format!("http://{address}/")).send().await.unwrap();
    assert_error(response, 404, "not_found", "/").await;
}

#[tokio::test]
async fn health_is_live_always_and_ready_when_all_parts_work() {
    let world = World::new().await;
    for path in ["/health", "/health/live"] {
        assert_eq!(world.get_json(path).await, (200, json!({"status": "ok"})));
    }
    let (status, body) = world.get_json("/health/ready").await;
    assert_eq!((status, &body["status"]), (200, &json!("ok")));
    assert_eq!(body["parts"], json!([{"part": "wal", "status": "ok"}, {"part": "server", "status": "ok"}]));

    *world.status.problem.lock().unwrap() = Some("disk full".to_owned());
    for path in ["/health/ready", "/api/health"] {
        let (status, body) = world.get_json(path).await;
        assert_eq!((status, &body["status"]), (503, &json!("failing")));
        assert_eq!(body["parts"][0], json!({"part": "wal", "status": "failing", "problem": "disk full"}));
    }
    assert_eq!(world.get("/health/live").await.status(), 200);
}

#[tokio::test]
async fn metrics_are_valid_prometheus_text() {
    let world = World::new().await;
    world.post("/v1/traces", "application/x-protobuf", "reject").await;
    let response = world.get("/metrics").await;
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/plain; version=0.0.4"));
    let text = response.text().await.unwrap();
    let has = |line: &str| assert!(text.lines().any(|l| l == line), "{line} in {text}");
    has("# TYPE glasshouse_rows_total counter");
    has("glasshouse_rows_total{table=\"spans\"} 3");
    has("glasshouse_rows_total{table=\"lo\\\"gs\"} 4");
    has("glasshouse_hot_bytes 12");
    has("glasshouse_part_up{part=\"wal\"} 1");
    has("glasshouse_received_items_total{format=\"OtlpTracesProtobuf\",outcome=\"rejected\"} 2");
    has("glasshouse_http_requests_total{route=\"POST /v1/traces\",status=\"200\"} 1");
    has("glasshouse_http_request_duration_seconds_bucket{route=\"POST /v1/traces\",le=\"+Inf\"} 1");
    has("glasshouse_http_request_duration_seconds_count{route=\"POST /v1/traces\"} 1");
    if cfg!(target_os = "linux") {
        assert!(text.contains("\nprocess_resident_memory_bytes "), "{text}");
        assert!(text.contains("\nprocess_cpu_seconds_total "), "{text}");
    }
    let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let mut unique = names.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), names.len(), "each name is declared once");
}

#[tokio::test]
async fn pages_of_this_machine_may_call_and_others_may_not() {
    let world = World::new().await;
    let preflight = async |world: &World, origin: &str| {
        let request = world.client.request(reqwest::Method::OPTIONS, world.url("/v1/traces"));
        let request = request.header("origin", origin).header("access-control-request-method", "POST");
        let request = request.header("access-control-request-headers", "content-type");
        let headers = request.send().await.unwrap().headers().clone();
        headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
    };
    let local = "http://localhost:5173";
    assert_eq!(preflight(&world, local).await.as_deref(), Some(local));
    assert_eq!(preflight(&world, "https://shop.example").await, None);
    let response = world.client.get(world.url("/v1/traces")).header("origin", local).send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], local);

    let origins = Origins::List(vec!["https://shop.example".parse().unwrap()]);
    let world = World::with(ServerConfig { origins, ..ServerConfig::any_port() }).await;
    assert_eq!(preflight(&world, "https://shop.example").await.as_deref(), Some("https://shop.example"));
    assert_eq!(preflight(&world, local).await, None);
}

#[tokio::test]
async fn answers_are_compressed_when_asked_for() {
    let world = World::new().await;
    let request = world.client.get(world.url("/api/openapi.json")).header("accept-encoding", "gzip");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let mut text = String::new();
    let bytes = response.bytes().await.unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&bytes[..]), &mut text).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    assert!(document["paths"]["/v1/traces/{trace_id}"]["get"].is_object());
}
