//! Ranges, limits, parameters, snapshots, memory, time, and queries that are left alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::array::{ArrayRef, Int64Array, StringArray, TimestampNanosecondArray};
use arrow::datatypes::DataType;
use arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt};
use glasshouse_model::{TimeRange, Timestamp};
use glasshouse_tables::ports::{QueryEngine, QueryError, SqlRequest};

use crate::lake::{Form, HOUR, NOON, SECOND, TestLake, trace};
use crate::{ask, number, sql, table};

fn range(from: i64, to: i64) -> TimeRange {
    TimeRange { from: Timestamp::from_nanos(NOON + from), to: Timestamp::from_nanos(NOON + to) }
}

#[tokio::test]
async fn the_range_cuts_rows_of_every_table() {
    for form in [Form::Hot, Form::Files, Form::Mixed] {
        let lake = TestLake::new(form);
        let check = async |statement: &str, range: TimeRange, expected: i64| {
            let request = SqlRequest { range, ..sql(statement) };
            assert_eq!(number(&lake.engine, request).await, expected, "{statement} in {range:?} over {form:?}");
        };
        check("SELECT count(*) FROM spans", range(0, 96), 8).await;
        check("SELECT count(*) FROM spans", range(0, 95), 6).await;
        check("SELECT count(*) FROM spans", range(-10 * HOUR, 0), 180).await;
        check("SELECT count(*) FROM logs", range(0, SECOND), 2).await;
        check("SELECT count(*) FROM trace_spans('a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1')", range(0, 30), 3).await;
        check("SELECT count(*) FROM processes", range(1, 2 * HOUR), 1).await;
        check("SELECT CAST(sum(requests) AS BIGINT) FROM services", range(0, SECOND), 2).await;
        check("SELECT count(*) FROM spans", range(90 * HOUR, 99 * HOUR), 0).await;
    }
}

#[tokio::test]
async fn limits_hold_and_describe_tells_the_same_schema() {
    let lake = TestLake::new(Form::Mixed);
    for statement in
        ["SELECT * FROM spans", "SHOW TABLES", "DESCRIBE spans", "EXPLAIN SELECT 1", "VALUES (1), (2), (3), (4)"]
    {
        let request = SqlRequest { limit: Some(2), ..sql(statement) };
        let batches = ask(&lake.engine, request).await.unwrap();
        assert_eq!(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 2, "{statement}");
        let described = lake.engine.describe(statement).await.unwrap();
        assert_eq!(described.schema, batches[0].schema(), "{statement}");
    }
}

#[tokio::test]
async fn parameters_are_bound() {
    let lake = TestLake::new(Form::Mixed);
    let parameters = |columns: Vec<ArrayRef>| {
        let columns = columns.into_iter().enumerate().map(|(i, column)| (format!("p{i}"), column));
        Some(RecordBatch::try_from_iter(columns).unwrap())
    };
    let text = |value: &str| Arc::new(StringArray::from(vec![value])) as ArrayRef;
    let upper = trace(1).to_string().to_uppercase();
    let request = SqlRequest {
        parameters: parameters(vec![text(&upper), text("shop")]),
        ..sql("SELECT count(*) FROM spans WHERE trace_id = $1 AND service_name = $2")
    };
    assert_eq!(number(&lake.engine, request).await, 6);
    let request =
        SqlRequest { parameters: parameters(vec![text(&upper)]), ..sql("SELECT count(*) FROM trace_spans($1)") };
    assert_eq!(number(&lake.engine, request).await, 6);
    let noon: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![NOON]).with_timezone("UTC"));
    let request =
        SqlRequest { parameters: parameters(vec![noon]), ..sql("SELECT count(*) FROM spans WHERE start_time < $1") };
    assert_eq!(number(&lake.engine, request).await, 400);

    let described = lake
        .engine
        .describe("SELECT name FROM trace_spans($1) WHERE duration_ns > $2 AND service_name = $3")
        .await
        .unwrap();
    let types: Vec<_> =
        described.parameters.fields().iter().map(|f| (f.name().as_str(), f.data_type().clone())).collect();
    assert_eq!(types, [("$2", DataType::Int64), ("$3", DataType::Utf8)]);

    let error = ask(&lake.engine, sql("SELECT count(*) FROM spans WHERE name = $1")).await.unwrap_err();
    assert!(matches!(&error, QueryError::Invalid(message) if message.contains("$1")), "{error:?}");
}

#[tokio::test]
async fn parameters_have_names() {
    let lake = TestLake::new(Form::Mixed);
    let columns = |columns: Vec<(&str, ArrayRef)>| Some(RecordBatch::try_from_iter(columns).unwrap());
    let text = |value: &str| Arc::new(StringArray::from(vec![value])) as ArrayRef;
    let minute: ArrayRef = Arc::new(Int64Array::from(vec![0]));
    let request = SqlRequest {
        parameters: columns(vec![("$least", minute), ("$service", text("shop' OR 1 = 1")), ("$trace_id", text("x"))]),
        ..sql("SELECT count(*) FROM spans WHERE service_name = $service AND duration_ns >= $least")
    };
    assert_eq!(number(&lake.engine, request).await, 0);
    let request = SqlRequest {
        parameters: columns(vec![
            ("$service", text("shop")),
            ("$id", text(&trace(1).to_string())),
            ("$by", text("1 hour")),
        ]),
        ..sql("SELECT count(*) FROM trace_spans($id) WHERE service_name = $service \
               AND date_bin($by::interval, start_time) IS NOT NULL")
    };
    assert_eq!(number(&lake.engine, request).await, 4);
    let request = SqlRequest {
        parameters: columns(vec![("$service", text("shop"))]),
        ..sql("SELECT count(*) FROM spans WHERE service_name = $srevice")
    };
    let error = ask(&lake.engine, request).await.unwrap_err();
    assert!(matches!(&error, QueryError::Invalid(message) if message.contains("srevice")), "{error:?}");
}

#[tokio::test]
async fn an_answer_tells_what_it_took() {
    let lake = TestLake::new(Form::Files);
    let took = async |statement: &str| {
        let stream = lake.engine.query(sql(statement)).await.unwrap();
        let statistics = stream.statistics;
        let rows: Vec<_> = stream.batches.try_collect().await.unwrap();
        assert!(!rows.is_empty());
        *statistics.get().unwrap()
    };
    let all = took("SELECT service_name, sum(duration_ns) FROM spans GROUP BY service_name").await;
    assert_eq!((all.rows_read, all.files_read, all.files_skipped), (410, 2, 0), "{all:?}");
    assert!(all.bytes_read > 0 && all.peak_memory > 0 && all.spilled_bytes == 0, "{all:?}");
    assert!(all.planning > Duration::ZERO && all.planning <= all.elapsed, "{all:?}");

    let late = took("SELECT sum(duration_ns) FROM spans WHERE start_time >= TIMESTAMP '2026-01-31T12:30:00Z'").await;
    assert_eq!((late.files_read, late.files_skipped), (1, 1), "{late:?}");
    assert!(late.rows_read < all.rows_read && late.bytes_read > 0, "{late:?}");

    let newest = took("SELECT * FROM spans ORDER BY start_time DESC LIMIT 3").await;
    assert!(newest.rows_read > 3 && newest.bytes_read > 0, "{newest:?}");
    let none = took("SELECT 1").await;
    assert_eq!((none.rows_read, none.bytes_read, none.files_read, none.files_skipped), (0, 0, 0, 0));
}

#[tokio::test]
async fn a_snapshot_has_no_hot_rows() {
    let lake = TestLake::new(Form::Mixed);
    let count = "SELECT count(*) FROM spans";
    assert_eq!(number(&lake.engine, sql(count)).await, 410);
    assert_eq!(number(&lake.engine, SqlRequest { snapshot: Some(7), ..sql(count) }).await, 406);
    let error = ask(&lake.engine, SqlRequest { snapshot: Some(8), ..sql(count) }).await.unwrap_err();
    assert!(matches!(error, QueryError::Invalid(_)));
}

#[tokio::test]
async fn a_missing_file_fails_the_queries_that_need_it_alone() {
    let lake = TestLake::new(Form::Files);
    let file = lake.snapshot.files.iter().find(|file| file.table.name() == "logs").unwrap();
    std::fs::remove_file(lake.dir.path().join("data").join(&file.path)).unwrap();
    let error = ask(&lake.engine, sql("SELECT body FROM logs")).await.unwrap_err();
    assert_eq!(error, QueryError::Failed(format!("file {} of the lake is missing", file.path)));
    assert_eq!(number(&lake.engine, sql("SELECT count(*) FROM spans")).await, 410);
}

const ENDLESS: &str =
    "SELECT sum(a.value * b.value) FROM generate_series(1, 10000000) a, generate_series(1, 10000000) b";

#[tokio::test]
async fn a_query_that_takes_too_long_ends() {
    let lake = TestLake::with(Form::Hot, |config| config.timeout = Some(Duration::from_millis(100)));
    let error = ask(&lake.engine, sql(ENDLESS)).await.unwrap_err();
    assert!(matches!(&error, QueryError::Limit(message) if message.contains("0.1 s")), "{error:?}");
}

#[tokio::test]
async fn memory_is_bounded_and_sorting_spills() {
    let lake = TestLake::with(Form::Hot, |config| {
        config.memory_limit = 48 << 20;
        config.query_memory_limit = 48 << 20;
    });
    let numbers =
        "SELECT value, CAST(value AS VARCHAR) || 'some text that takes room' AS text FROM generate_series(1, 1000000)";
    let sorted = format!(
        "SELECT CAST(max(n) AS BIGINT) FROM (SELECT row_number() OVER (ORDER BY text, value) AS n FROM ({numbers}))"
    );
    assert_eq!(number(&lake.engine, sql(&sorted)).await, 1_000_000);
    let joined = format!("SELECT count(*) FROM ({numbers}) a JOIN ({numbers}) b ON a.text = b.text");
    let error = ask(&lake.engine, sql(&joined)).await.unwrap_err();
    assert!(matches!(error, QueryError::Limit(_)), "{error:?}");
    assert_eq!(number(&lake.engine, sql("SELECT count(*) FROM spans")).await, 410);
}

#[tokio::test]
async fn dropping_the_answer_stops_the_work() {
    let lake = TestLake::with(Form::Hot, |config| config.threads = 1);
    let mut stream = lake.engine.query(sql("SELECT value FROM generate_series(1, 1000000000000)")).await.unwrap();
    stream.batches.next().await.unwrap().unwrap();
    drop(stream);
    let endless = tokio::time::timeout(Duration::from_millis(50), table(&lake.engine, sql(ENDLESS))).await;
    assert!(endless.is_err(), "it has no end");
    // With one thread, another query is answered only when those two let go of it.
    let started = Instant::now();
    assert_eq!(number(&lake.engine, sql("SELECT count(*) FROM spans")).await, 410);
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn a_join_without_end_can_be_stopped_and_stops_nobody() {
    let lake = TestLake::new(Form::Mixed);
    // More rows than could be counted in years, of few that are read; the second has hardly a match.
    for condition in
        ["a.duration_ns + b.duration_ns >= c.duration_ns", "a.duration_ns + b.duration_ns < -c.duration_ns"]
    {
        let statement = format!(
            "SELECT count(*) FROM spans a, spans b, spans c, spans d WHERE {condition} AND d.duration_ns <> a.duration_ns"
        );
        let mut all = Vec::new();
        for _ in 0..4 {
            let stream = lake.engine.query(sql(&statement)).await.unwrap();
            all.push(tokio::spawn(stream.batches.collect::<Vec<_>>()));
        }
        let quick =
            tokio::time::timeout(Duration::from_secs(20), number(&lake.engine, sql("SELECT count(*) FROM spans")));
        assert_eq!(quick.await.unwrap(), 410);
        for running in &all {
            assert!(!running.is_finished());
            running.abort();
        }
        let quick =
            tokio::time::timeout(Duration::from_secs(20), number(&lake.engine, sql("SELECT count(*) FROM spans")));
        assert_eq!(quick.await.unwrap(), 410);
    }
}
