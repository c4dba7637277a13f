use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::ipc::reader::StreamReader;
use futures::StreamExt;
use glasshouse_model::{DurationNs, TimeRange, Timestamp};
use glasshouse_server::ServerConfig;
use glasshouse_tables::ports::{QueryError, SqlStatistics, SqlStream};
use serde_json::{Value, json};

use crate::fakes::{NOW, World, assert_error, eventually, stream};

const JSON: &str = "application/json";

fn batch() -> RecordBatch {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(i64::MAX), None]));
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![f64::NAN, 0.1]));
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["a\"b", "ü"]));
    RecordBatch::try_from_iter([("n", numbers), ("f", floats), ("t", texts)]).unwrap()
}

#[tokio::test]
async fn rows_come_as_json_with_their_types() {
    let world = World::new().await;
    world.answer(|_| Ok(stream(vec![Ok(batch()), Ok(batch())])));
    let request = json!({"sql": "SELECT 1", "from": "-15m", "limit": 5, "snapshot": 3}).to_string();
    let response = world.post("/api/query", JSON, request).await;
    assert_eq!(response.headers()["content-type"], JSON);
    let body: Value = response.json().await.unwrap();
    let expected_rows = json!([
        ["9223372036854775807", "NaN", "a\"b"],
        [null, 0.1, "ü"],
        ["9223372036854775807", "NaN", "a\"b"],
        [null, 0.1, "ü"]
    ]);
    assert_eq!(body["rows"], expected_rows);
    assert_eq!(body["row_count"], 4);
    assert_eq!(body["columns"][0], json!({"name": "n", "type": "bigint", "arrow_type": "Int64", "nullable": true}));
    serde_json::from_value::<glasshouse_api::QueryResult>(body).unwrap();

    let asked = world.query.asked.lock().unwrap().pop().unwrap();
    assert_eq!((asked.sql.as_str(), asked.limit, asked.snapshot), ("SELECT 1", Some(5), Some(3)));
    assert_eq!(asked.range, TimeRange { from: NOW - DurationNs::from_secs(900), to: Timestamp::MAX });
}

#[tokio::test]
async fn rows_come_compressed_when_asked_for() {
    let world = World::new().await;
    world.answer(|_| Ok(stream(vec![Ok(batch()), Ok(batch())])));
    let request = world.client.post(world.url("/api/query")).header("content-type", JSON);
    let response = request.header("accept-encoding", "gzip").body(r#"{"sql":"x"}"#).send().await.unwrap();
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let bytes = response.bytes().await.unwrap();
    let body: Value = serde_json::from_reader(flate2::read::GzDecoder::new(&bytes[..])).unwrap();
    assert_eq!(body["row_count"], 4);
}

#[tokio::test]
async fn rows_come_as_arrow_when_asked_for() {
    let world = World::new().await;
    world.answer(|_| Ok(stream(vec![Ok(batch()), Ok(batch())])));
    let arrow = "application/vnd.apache.arrow.stream";
    let request = world.client.post(world.url("/api/query")).header("content-type", JSON);
    let response =
        request.header("accept", format!("text/html, {arrow};q=0.9")).body(r#"{"sql":"x"}"#).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], arrow);
    let bytes = response.bytes().await.unwrap();
    let read: Vec<_> = StreamReader::try_new(&bytes[..], None).unwrap().collect::<Result<_, _>>().unwrap();
    // NaN is not equal to itself: compare what is printed.
    assert_eq!(format!("{read:?}"), format!("{:?}", [batch(), batch()]));
}

#[tokio::test]
async fn rows_come_as_files() {
    let world = World::new().await;
    world.answer(|_| Ok(stream(vec![Ok(batch()), Ok(batch())])));
    let csv = "n,f,t\n9223372036854775807,NaN,\"a\"\"b\"\n,0.1,ü\n";
    let response = world.get("/api/query?sql=SELECT%201&format=csv&from=-15m&limit=5&param.service=shop").await;
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"query.csv\"");
    assert_eq!(response.text().await.unwrap(), format!("{csv}{}", csv.strip_prefix("n,f,t\n").unwrap()));
    let asked = world.query.asked.lock().unwrap().pop().unwrap();
    assert_eq!((asked.sql.as_str(), asked.limit), ("SELECT 1", Some(5)));
    assert_eq!(asked.range.from, NOW - DurationNs::from_secs(900));
    assert_eq!(asked.parameters.unwrap().schema().field(0).name(), "$service");

    let (_, json) = world.get_json("/api/query?sql=x&format=json").await;
    assert_eq!(json[3], json!({"f": 0.1, "t": "ü"}));
    let parquet = world.get("/api/query?sql=x&format=parquet").await.bytes().await.unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    let request = world.client.post(world.url("/api/query")).header("content-type", JSON);
    let response = request.header("accept", "text/csv").body(r#"{"sql":"x"}"#).send().await.unwrap();
    assert!(response.text().await.unwrap().starts_with(csv));

    assert_error(world.get("/api/query?format=csv").await, 400, "invalid_request", "no statement").await;
    assert_error(world.get("/api/query?sql=x&format=xls").await, 400, "invalid_request", "xls").await;
    assert_error(world.get("/api/query?sql=x&format=csv&param.a=1&param.a=2").await, 400, "invalid_request", "twice")
        .await;
    let from_elsewhere =
        world.client.get(world.url("/api/query?sql=x&format=csv")).header("sec-fetch-site", "cross-site");
    assert_error(from_elsewhere.send().await.unwrap(), 403, "forbidden", "another site").await;
    assert_error(world.get("/api/query?sql=x&format=csv&form=1").await, 400, "invalid_request", "form").await;
    assert_error(world.get("/api/query?sql=x&format=csv&param.1=a").await, 400, "invalid_request", "not a name").await;

    let failed = || Err(QueryError::Limit("out of memory".to_owned()));
    let many = std::iter::repeat_with(|| Ok(batch())).take(10_000);
    let batches: Vec<_> = many.chain([failed()]).collect();
    world.answer(move |_| Ok(stream(batches.clone())));
    // Where the connection breaks depends on how much was on its way.
    let file = async { world.client.get(world.url("/api/query?sql=x&format=csv")).send().await?.bytes().await };
    assert!(file.await.is_err(), "a file that ends well is whole");
}

#[tokio::test]
async fn parameters_keep_their_types_and_statistics_are_told() {
    let world = World::new().await;
    let statistics = SqlStatistics {
        planning: Duration::from_millis(2),
        elapsed: Duration::from_millis(9),
        rows_read: 1 << 60,
        files_skipped: 3,
        ..SqlStatistics::default()
    };
    world.answer(move |_| {
        Ok(SqlStream { statistics: Arc::new(OnceLock::from(statistics)), ..stream(vec![Ok(batch())]) })
    });
    let parameters = json!({"service": "shop", "least": 7, "share": 0.5, "is_slow": true, "none": null});
    let request = json!({"sql": "x", "parameters": parameters}).to_string();
    let body: Value = world.post("/api/query", JSON, request).await.json().await.unwrap();
    assert_eq!(body["statistics"]["rows_read"], "1152921504606846976");
    assert_eq!(
        (&body["statistics"]["planning_ns"], &body["statistics"]["files_skipped"]),
        (&json!("2000000"), &json!(3))
    );
    serde_json::from_value::<glasshouse_api::QueryResult>(body).unwrap();
    let asked = world.query.asked.lock().unwrap().pop().unwrap().parameters.unwrap();
    let types: Vec<_> = asked.schema().fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect();
    assert_eq!(types, ["$is_slow Boolean", "$least Int64", "$none Utf8", "$service Utf8", "$share Float64"]);
    for wrong in [json!({"a": u64::MAX}), json!({"a": []}), json!({"1": "x"}), json!({"a b": "x"}), json!({"": "x"})] {
        let request = json!({"sql": "x", "parameters": wrong}).to_string();
        assert_error(world.post("/api/query", JSON, request).await, 400, "invalid_request", "parameters").await;
    }
}

#[tokio::test]
async fn wrong_requests_are_told_what_is_wrong() {
    let world = World::new().await;
    let check = async |body: &'static str, words: &str| {
        assert_error(world.post("/api/query", JSON, body).await, 400, "invalid_request", words).await;
    };
    check("{", "line 1").await;
    check("{}", "sql").await;
    check(r#"{"sql":" "}"#, "no statement").await;
    check(r#"{"sql":"x","rows":1}"#, "rows").await;
    check(r#"{"sql":"x","from":"soon"}"#, "from").await;
    check(r#"{"sql":"SELEC"}"#, "no answer set").await;
    assert_error(world.post("/api/query", "text/plain", "{}").await, 415, "unsupported_media_type", "json").await;
    let long = format!("{{\"sql\":\"{}\"}}", "x".repeat(2 << 20));
    assert_error(world.post("/api/query", JSON, long).await, 413, "payload_too_large", "1048576").await;
}

#[tokio::test]
async fn early_failures_have_a_status_and_late_ones_abort() {
    let world = World::new().await;
    let failed = || Err(QueryError::Limit("out of memory".to_owned()));
    world.answer(move |_| Ok(stream(vec![Ok(batch()), failed()])));
    assert_error(world.post("/api/query", JSON, r#"{"sql":"x"}"#).await, 400, "query_limit", "out of memory").await;

    let many = std::iter::repeat_with(|| Ok(batch())).take(10_000);
    let batches: Vec<_> = many.chain([failed()]).collect();
    world.answer(move |_| Ok(stream(batches.clone())));
    let response = world.post("/api/query", JSON, r#"{"sql":"x"}"#).await;
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err(), "an answer that ends well is whole");
}

/// An answer that never ends, and tells when it is dropped.
fn endless(alive: &Arc<()>) -> SqlStream {
    let alive = Arc::clone(alive);
    let batches = futures::stream::repeat_with(move || {
        assert!(Arc::strong_count(&alive) > 1);
        Ok(batch())
    });
    SqlStream { schema: batch().schema(), batches: batches.boxed(), statistics: Arc::default() }
}

#[tokio::test]
async fn closing_the_connection_stops_the_work() {
    let world =
        World::with(ServerConfig { max_queries: 1, query_wait: Duration::from_millis(10), ..ServerConfig::any_port() })
            .await;
    let alive = Arc::new(());
    let answers = Arc::clone(&alive);
    world.answer(move |_| Ok(endless(&answers)));
    let mut response = world.post("/api/query", JSON, r#"{"sql":"x"}"#).await;
    assert!(response.chunk().await.unwrap().is_some());

    let refused = world.post("/api/query", JSON, r#"{"sql":"x"}"#).await;
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_error(refused, 429, "overloaded", "queries").await;

    drop(response);
    // One is ours, one is the answering closure's.
    eventually(async || Arc::strong_count(&alive) == 2).await;
    world.answer(|_| Ok(stream(vec![Ok(batch())])));
    eventually(async || world.post("/api/query", JSON, r#"{"sql":"x"}"#).await.status() == 200).await;
}
