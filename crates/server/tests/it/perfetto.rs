use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use glasshouse_model::{Kinds, Subject, TimeRange, Timestamp};
use glasshouse_perfetto::{Process, Window, Writer};
use glasshouse_server::ServerConfig;
use glasshouse_tables::ports::{ByteStream, ExportEncoding, QueryError};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::fakes::{PROCESS, TRACE, World, assert_error, eventually};

const JSON: &str = "application/json";

fn path(rest: &str) -> String {
    format!("/api/perfetto/{PROCESS}/{rest}")
}

impl World {
    fn export(&self, chunks: impl Fn() -> ByteStream + Send + Sync + 'static) {
        *self.exporter.chunks.lock().unwrap() = Box::new(chunks);
    }
}

fn chunks(chunks: &'static [&'static str]) -> impl Fn() -> ByteStream {
    move || futures::stream::iter(chunks.iter().map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())))).boxed()
}

fn failing() -> ByteStream {
    futures::stream::iter([Ok(Bytes::from_static(b"some")), Err(QueryError::Failed("a file is gone".into()))]).boxed()
}

#[tokio::test]
async fn info_tells_counts_and_estimates() {
    let world = World::new().await;
    let (status, info) = world.get_json(&path("info?kinds=async,logs&begin=5&end=9")).await;
    assert_eq!(status, 200);
    let expected = json!({
        "process_id": PROCESS,
        "counts": {"thread": "1", "async": "20", "open": "2", "events": "3", "links": "4", "logs": "5", "metrics": "6"},
        "begin": "7", "end": "8", "packets": "50", "estimated_bytes": "6000000000", "estimated_seconds": 1.5,
    });
    assert_eq!(info, expected);
    let (asked, _) = world.exporter.asked.lock().unwrap().pop().unwrap();
    assert_eq!(asked.subject, Subject::Process(PROCESS.parse().unwrap()));
    assert_eq!(asked.kinds, Kinds { thread: false, asynchronous: true, logs: true, metrics: false });
    assert_eq!(asked.range, TimeRange { from: Timestamp::from_nanos(5), to: Timestamp::from_nanos(9) });
    *world.exporter.failure.lock().unwrap() = Some(QueryError::Failed("a file is gone".into()));
    assert_error(world.get(&path("info")).await, 500, "internal", "a file is gone").await;
}

#[tokio::test]
async fn a_trace_comes_as_a_file() {
    let world = World::new().await;
    world.export(chunks(&["some", " bytes"]));
    let answer = world.get(&path("trace?gzip=true")).await;
    assert_eq!(answer.headers()["content-disposition"], format!("attachment; filename=\"{PROCESS}.pftrace.gz\""));
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.text().await.unwrap(), "some bytes");
    let (asked, encoding) = world.exporter.asked.lock().unwrap().pop().unwrap();
    assert_eq!((asked.kinds, asked.range, encoding), (Kinds::ALL, TimeRange::ALL, ExportEncoding::Gzip));

    let answer = world.get(&format!("/v1/traces/{TRACE}?format=perfetto")).await;
    assert_eq!(answer.text().await.unwrap(), "some bytes");
    let (asked, _) = world.exporter.asked.lock().unwrap().pop().unwrap();
    assert_eq!(asked.subject, Subject::Trace(TRACE.parse().unwrap()));
}

#[tokio::test]
async fn progress_comes_before_the_bytes() {
    let world = World::new().await;
    world.export(chunks(&["some", " bytes"]));
    let answer = world.post(&path("generate"), JSON, r#"{"kinds":["thread"],"begin":"-15m"}"#).await;
    let body = answer.text().await.unwrap();
    let mut lines = body.splitn(4, '\n');
    let mut line = || serde_json::from_str::<Value>(lines.next().unwrap()).unwrap();
    let progress = line();
    assert_eq!((&progress["type"], &progress["done"], &progress["total"]), (&json!("progress"), &json!(1), &json!(2)));
    let plan = line();
    assert_eq!(
        (&plan["type"], &plan["packets"], &plan["counts"]["async"]),
        (&json!("plan"), &json!("50"), &json!("20"))
    );
    assert_eq!(line(), json!({"type": "binary_start"}));
    assert_eq!(lines.next(), Some("some bytes"));
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let world = World::new().await;
    let other = "00000000-0000-4000-8000-000000000000";
    for rest in ["info", "trace"] {
        assert_error(world.get(&path(&format!("{rest}?kinds=spans"))).await, 400, "invalid_request", "no kind").await;
        assert_error(world.get(&path(&format!("{rest}?begin=9&end=5"))).await, 400, "invalid_request", "begin").await;
        assert_error(world.get(&path(&format!("{rest}?from=5"))).await, 400, "invalid_request", "from").await;
        let unknown = world.get(&format!("/api/perfetto/{other}/{rest}")).await;
        assert_error(unknown, 404, "not_found", other).await;
        assert_error(world.get(&format!("/api/perfetto/7/{rest}")).await, 400, "invalid_request", "process id").await;
    }
    let unknown = world.post(&format!("/api/perfetto/{other}/generate"), JSON, "{}").await;
    assert_error(unknown, 404, "not_found", other).await;
    let wrong = world.post(&path("generate"), JSON, r#"{"kind":["logs"]}"#).await;
    assert_error(wrong, 400, "invalid_request", "kind").await;
    assert_error(world.post(&path("generate"), "text/plain", "{}").await, 415, "unsupported_media_type", "json").await;
    let unknown = world.get("/v1/traces/00000000000000000000000000000001?format=perfetto").await;
    assert_error(unknown, 404, "not_found", "no trace").await;
}

#[tokio::test]
async fn what_fails_after_its_beginning_is_no_whole_answer() {
    let world = World::new().await;
    world.export(failing);
    // The connection may break before the client has the head of the answer, or after.
    let is_whole = async |request: reqwest::RequestBuilder| match request.send().await {
        Ok(answer) => answer.bytes().await.is_ok(),
        Err(_) => false,
    };
    let generate = || world.client.post(world.url(&path("generate"))).header("content-type", JSON).body("{}");
    assert!(!is_whole(world.client.get(world.url(&path("trace")))).await);
    assert!(!is_whole(generate()).await);
    // Before the trace begins it is told in words.
    *world.exporter.failure.lock().unwrap() = Some(QueryError::Failed("a file is gone".into()));
    let told = generate().send().await.unwrap().text().await.unwrap();
    let last: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!(last, json!({"type": "error", "message": "a file is gone"}));
    assert!(!told.contains("binary_start"));
    // What fails at its beginning is told.
    world.export(|| futures::stream::iter([Err(QueryError::Failed("a file is gone".into()))]).boxed());
    assert_error(world.get(&path("trace")).await, 500, "internal", "a file is gone").await;
}

#[tokio::test]
async fn exports_are_few_at_once() {
    let world = World::with(ServerConfig { exports: Arc::new(Semaphore::new(1)), ..ServerConfig::any_port() }).await;
    let endless = || futures::stream::repeat_with(|| Ok(Bytes::from_static(&[0; 8192]))).boxed();
    world.export(endless);
    let running = world.get(&path("trace")).await;
    let refused = world.get(&path("trace")).await;
    assert!(refused.headers().contains_key("retry-after"));
    assert_error(refused, 429, "overloaded", "exports").await;
    drop(running);
    eventually(async || world.get(&path("trace")).await.status() == 200).await;
}

#[tokio::test]
async fn a_trace_is_validated_as_it_comes() {
    let world = World::new().await;
    let mut writer = Writer::new(Window::ALL);
    let command_line = "x".repeat(100_000);
    let command_line = Some(command_line.as_str());
    writer.process(&Process { name: "shop", pid: Some(1), command_line, start_time: None, labels: &[] });
    writer.finish();
    let trace = writer.take();
    let answer = world.post("/api/perfetto/validate", "application/octet-stream", trace.clone()).await;
    let answer: Value = answer.json().await.unwrap();
    assert_eq!((&answer["is_valid"], &answer["packets"], &answer["tracks"]), (&json!(true), &json!(1), &json!(1)));
    let cut = trace[..trace.len() - 1].to_vec();
    let refused = world.post("/api/perfetto/validate", "application/octet-stream", cut).await;
    assert_error(refused, 400, "invalid_request", "only").await;
    // More than a request to ingest may have.
    let large: Vec<u8> = trace.repeat(70_000_000 / trace.len());
    let size = large.len();
    let answer = world.client.post(world.url("/api/perfetto/validate")).body(large);
    let answer: Value = answer.timeout(Duration::from_mins(2)).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["packets"], json!(size / trace.len()));
    assert_eq!(answer["is_valid"], json!(false), "a track is described again and again");
}
