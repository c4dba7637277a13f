use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray};
use glasshouse_model::{DurationNs, SpanKind, TimeRange, Timestamp};
use glasshouse_tables::ports::{ExportEncoding, SpanFormat};
use serde_json::json;

use crate::fakes::{NOW, PROCESS, SPAN, TRACE, World, assert_error, stream};

#[tokio::test]
async fn trace_search_reads_every_filter() {
    let world = World::new().await;
    let path = "/v1/traces?service=shop&operation=GET%20%2F&min_duration=100ms&max_duration=1.5s&error=true&attr.user.id=7\
         &attr.http.route=%2Fa%20b&kind=server&root=false&text=a%20b&from=-15m&to=2026-01-31T12:00:00Z&limit=1000";
    let (status, body) = world.get_json(path).await;
    assert_eq!(status, 200);
    let cursor = format!("{NOW}-{TRACE}");
    let summary = json!({
        "trace_id": TRACE, "root_service": "shop", "root_name": "GET /", "start_time": NOW.to_string(),
        "duration_ns": "9007199254740993", "span_count": 2, "error_count": 1, "services": ["cart", "shop"], "kind": "http",
    });
    assert_eq!(body, json!({"traces": [summary], "next_cursor": cursor}));

    let filter = world.traces.filters.lock().unwrap().pop().unwrap();
    assert_eq!((filter.service.as_deref(), filter.operation.as_deref()), (Some("shop"), Some("GET /")));
    assert_eq!(filter.min_duration, Some(DurationNs::from_nanos(100_000_000)));
    assert_eq!(filter.max_duration, Some(DurationNs::from_nanos(1_500_000_000)));
    assert_eq!((filter.error, filter.limit), (Some(true), 1000));
    assert_eq!(filter.range, TimeRange { from: NOW - DurationNs::from_secs(900), to: NOW });
    assert_eq!((filter.kind, filter.root, filter.text.as_deref()), (Some(SpanKind::Server), Some(false), Some("a b")));
    let attributes: Vec<_> = filter.attributes.iter().map(|a| (a.key.as_str(), a.value.as_str())).collect();
    assert_eq!(attributes, [("user.id", "7"), ("http.route", "/a b")]);

    world.get_json(&format!("/v1/traces?cursor={cursor}&service=")).await;
    let filter = world.traces.filters.lock().unwrap().pop().unwrap();
    assert_eq!((filter.cursor.unwrap().to_string(), filter.limit, filter.service), (cursor, 20, None));
    assert_eq!(filter.range, TimeRange::ALL);
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let world = World::new().await;
    let check = async |query: &str, words: &str| {
        assert_error(world.get(&format!("/v1/traces?{query}")).await, 400, "invalid_request", words).await;
    };
    check("limit=0", "limit").await;
    check("limit=1001", "1 to 1000").await;
    check("min_duration=fast", "min_duration").await;
    check("min_duration=2s&max_duration=1s", "greater").await;
    check("error=maybe", "error").await;
    check("kind=http", "producer").await;
    check("from=yesterday", "from").await;
    check("from=now&to=-1h", "empty").await;
    check("cursor=7", "cursor").await;
    check("servce=x", "servce").await;
    check("service=a&service=b", "twice").await;
    check(&format!("service={}", "x".repeat(20_000)), "longer").await;
}

#[tokio::test]
async fn failures_of_the_store_have_their_status() {
    let world = World::new().await;
    assert_error(world.get("/v1/traces?service=fail").await, 500, "internal", "disk on fire").await;
    assert_error(world.get("/v1/traces?service=limit").await, 400, "query_limit", "1 GiB").await;
    assert_error(world.get("/v1/traces?service=panic").await, 500, "internal", "log").await;
}

#[tokio::test]
async fn a_trace_is_whole_and_exact() {
    let world = World::new().await;
    *world.traces.spans.lock().unwrap() = 2;
    let (status, body) = world.get_json(&format!("/v1/traces/{}", TRACE.to_uppercase())).await;
    assert_eq!(status, 200);
    let end = (NOW + DurationNs::from_secs(1)).to_string();
    let first = json!({
        "trace_id": TRACE, "span_id": "0000000000000001", "process_id": PROCESS, "service_name": "shop", "name": "GET /",
        "kind": "SERVER", "start_time": NOW.to_string(), "end_time": end, "duration_ns": "1000000000",
        "status_code": "ERROR", "status_message": "boom", "thread_id": "9223372036854775807", "scope_name": "http",
        "scope_version": "1", "trace_state": "", "flags": 257,
        "attributes": [
            {"key": "n", "value": {"intValue": "9223372036854775807"}},
            {"key": "d", "value": {"doubleValue": "NaN"}},
        ],
        "events": [{"time": NOW.to_string(), "name": "hit", "attributes": [{"key": "k", "value": {"stringValue": "v"}}]}],
        "links": [{"trace_id": TRACE, "span_id": SPAN, "trace_state": "", "attributes": []}],
        "dropped_attributes_count": 0, "dropped_events_count": 0, "dropped_links_count": 0,
    });
    assert_eq!(body["spans"][0], first);
    assert_eq!(body["spans"][1]["parent_span_id"], "0000000000000001");
    assert!(body["spans"][1].get("end_time").is_none(), "an open span has no end");
    assert_eq!(body["processes"][0]["resource"][0]["key"], "service.name");
    assert_eq!(body["trace_id"], TRACE);
}

#[tokio::test]
async fn a_trace_is_outlined_searched_and_read_span_by_span() {
    let world = World::new().await;
    let (status, outline) = world.get_json(&format!("/v1/traces/{TRACE}/outline")).await;
    assert_eq!((status, &outline["span_ids"], &outline["durations"]), (200, &json!(SPAN), &json!([null])));
    assert_eq!((&outline["start_time"], &outline["kinds"]), (&json!(NOW.to_string()), &json!("2")));
    let unknown = "00000000000000000000000000000001";
    assert_error(world.get(&format!("/v1/traces/{unknown}/outline")).await, 404, "not_found", unknown).await;

    let (_, found) = world.get_json(&format!("/v1/traces/{TRACE}/spans?text=3&limit=2")).await;
    assert_eq!(found, json!({"span_ids": [SPAN, SPAN], "more": true}));
    let (_, found) = world.get_json(&format!("/v1/traces/{TRACE}/spans?text=2&limit=2")).await;
    assert_eq!(found["more"], false);
    assert_error(world.get(&format!("/v1/traces/{TRACE}/spans")).await, 400, "invalid_request", "text").await;

    let (_, details) = world.get_json(&format!("/v1/traces/{TRACE}/spans/{SPAN}")).await;
    assert_eq!((&details["span"]["name"], &details["process"]["process_id"]), (&json!("GET /"), &json!(PROCESS)));
    let path = format!("/v1/traces/{TRACE}/spans/0000000000000009");
    assert_error(world.get(&path).await, 404, "not_found", "0000000000000009").await;
    assert_error(world.get(&format!("/v1/traces/{TRACE}/spans/9")).await, 400, "invalid_request", "span id").await;
}

#[tokio::test]
async fn spans_of_a_search_are_counted_and_compared() {
    let world = World::new().await;
    let (_, map) = world.get_json("/api/traces/heatmap?service=shop&attr.tier=gold&columns=7").await;
    let cell = json!({"time": NOW.to_string(), "row": 0, "spans": "7", "errors": "1"});
    assert_eq!(map, json!({"step_ns": "1000000000", "bounds_ns": ["0"], "cells": [cell]}));
    let filter = world.traces.filters.lock().unwrap().pop().unwrap();
    assert_eq!((filter.service.as_deref(), &*filter.attributes[0].key), (Some("shop"), "tier"));

    let path = "/api/traces/differences?root=true&selected_min_duration=1s&selected_to=now&limit=1";
    let (_, differences) = world.get_json(path).await;
    assert_eq!((&differences["selected"], &differences["rest"]), (&json!("4"), &json!("9")));
    let [value] = differences["values"].as_array().unwrap().as_slice() else { panic!("{differences}") };
    assert_eq!((&value["place"], &value["value"], &value["rest"]), (&json!("span"), &json!("gold"), &json!("1")));
    assert!(value["key"].as_str().unwrap().contains("min_duration: Some(DurationNs(1000000000))"), "{value}");
    let refused = async |query: &str, words: &str| {
        let path = format!("/api/traces/differences?{query}");
        assert_error(world.get(&path).await, 400, "invalid_request", words).await;
    };
    refused("service=shop", "nothing is selected").await;
    refused("selected_from=now&selected_to=-1h", "empty").await;
    refused("selected_min_duration=2s&selected_max_duration=1s", "greater").await;

    let (_, series) = world.get_json("/api/traces/series?request=true&points=5").await;
    let point = json!({"time": NOW.to_string(), "count": "5", "errors": "0", "p50_ns": series["points"][0]["p50_ns"],
        "p95_ns": series["points"][0]["p50_ns"], "p99_ns": series["points"][0]["p50_ns"]});
    assert_eq!(series, json!({"step_ns": "60000000000", "points": [point]}));
    assert_eq!(world.traces.filters.lock().unwrap().pop().unwrap().request, Some(true));

    let (_, map) = world.get_json("/api/services/map?attr.tier=gold").await;
    let figures = json!({"count": "1", "errors": "1", "p50_ns": "0", "p95_ns": "0", "p99_ns": "0"});
    assert_eq!(map["nodes"][1]["kind"], "database");
    assert_eq!((&map["edges"][0]["from"], &map["edges"][0]["to"]), (&json!(0), &json!(1)));
    for (name, figure) in figures.as_object().unwrap() {
        assert_eq!((&map["edges"][0][name], &map["nodes"][0][name]), (figure, figure));
    }

    let (_, survey) = world.get_json("/api/traces/attributes").await;
    let values = json!([{"value": "a", "spans": "2"}]);
    assert_eq!(survey["keys"], json!([{"place": "resource", "key": "host.name", "spans": "2", "values": values}]));
}

#[tokio::test]
async fn a_long_trace_is_sent_in_pieces_and_reads_back() {
    let world = World::new().await;
    *world.traces.spans.lock().unwrap() = 5_000;
    let response = world.get(&format!("/v1/traces/{TRACE}")).await;
    assert_eq!(response.content_length(), None, "streamed");
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["spans"].as_array().unwrap().len(), 5_000);
}

#[tokio::test]
async fn spans_are_given_in_other_forms() {
    let world = World::new().await;
    for path in [format!("/v1/traces/{TRACE}"), format!("/api/process/{PROCESS}/spans")] {
        for format in SpanFormat::ALL {
            let answer = world.get(&format!("{path}?format={}&kinds=thread&end=9", format.name())).await;
            assert_eq!(answer.headers()["content-type"], format.content_type());
            let disposition = answer.headers()["content-disposition"].to_str().unwrap().to_owned();
            assert!(disposition.ends_with(&format!(".{}\"", format.file_ending())), "{disposition}");
            assert_eq!(answer.text().await.unwrap(), format.name());
            let (asked, encoding) = world.exporter.asked.lock().unwrap().pop().unwrap();
            assert_eq!((asked.kinds.asynchronous, asked.range.to.nanos(), encoding), (false, 9, ExportEncoding::Plain));
        }
    }
    let none = world.get(&format!("/api/process/{PROCESS}/spans")).await;
    assert_error(none, 400, "invalid_request", "otlp-json, otlp-proto, jaeger, zipkin, chrome exist").await;
    let unknown = world.get("/v1/traces/ffffffffffffffffffffffffffffffff?format=jaeger").await;
    assert_error(unknown, 404, "not_found", "ffff").await;
}

#[tokio::test]
async fn unknown_traces_and_formats_are_told_apart() {
    let world = World::new().await;
    let unknown = world.get("/v1/traces/ffffffffffffffffffffffffffffffff").await;
    assert_error(unknown, 404, "not_found", "ffff").await;
    assert_error(world.get("/v1/traces/%FF").await, 400, "invalid_request", "path").await;
    assert_error(world.get("/v1/traces/xyz").await, 400, "invalid_request", "32 hex digits").await;
    assert_error(world.get(&format!("/v1/traces/{}", "0".repeat(32))).await, 400, "invalid_request", "zero").await;
    let format = world.get(&format!("/v1/traces/{TRACE}?format=pprof")).await;
    assert_error(format, 400, "invalid_request", "json, perfetto, otlp,").await;
}

#[tokio::test]
async fn logs_of_a_trace_are_filtered_before_they_are_cut() {
    let world = World::new().await;
    let (_, body) = world.get_json(&format!("/v1/traces/{TRACE}/logs?limit=4")).await;
    assert_eq!(body["logs"].as_array().unwrap().len(), 4);
    assert_eq!(body["logs"][0]["body"], json!({"stringValue": "record 0"}));
    assert_eq!((&body["logs"][0]["level"], &body["logs"][0]["severity_number"]), (&json!("ERROR"), &json!(17)));
    let (_, body) = world.get_json(&format!("/v1/traces/{TRACE}/logs?limit=4&span_id={SPAN}")).await;
    let bodies: Vec<_> =
        body["logs"].as_array().unwrap().iter().map(|log| log["body"]["stringValue"].clone()).collect();
    assert_eq!(bodies, ["record 0", "record 2", "record 4", "record 6"]);
    let wrong = world.get(&format!("/v1/traces/{TRACE}/logs?span_id=1")).await;
    assert_error(wrong, 400, "invalid_request", "16 hex digits").await;
}

fn text(value: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(value, rows)))
}

fn time(nanos: i64, rows: usize) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from_value(nanos, rows).with_timezone("UTC"))
}

fn processes(rows: usize) -> RecordBatch {
    let mut columns: Vec<(&str, ArrayRef)> =
        vec![("process_id", text(PROCESS, rows)), ("service_name", text("shop", rows))];
    for name in [
        "service_namespace",
        "service_version",
        "service_instance_id",
        "environment",
        "host_name",
        "executable",
        "command_line",
        "user_name",
        "os",
        "arch",
        "sdk_language",
        "runtime",
    ] {
        columns.push((name, text(name, rows)));
    }
    columns.push(("pid", Arc::new(Int64Array::from_value(42, rows))));
    columns.push(("start_time", Arc::new(TimestampNanosecondArray::new_null(rows).with_timezone("UTC"))));
    columns.push(("first_seen", time(1, rows)));
    columns.push(("last_update_time", time(2, rows)));
    columns.push(("parent_process_id", Arc::new(StringArray::new_null(rows))));
    columns.push(("resource", text(r#"{"host.name":"a","n":1}"#, rows)));
    RecordBatch::try_from_iter(columns).unwrap()
}

fn answer_processes(world: &World, rows: usize) {
    world.answer(move |request| {
        let batch = if request.sql.contains("FROM processes WHERE process_id IN") {
            processes(request.sql.matches('$').count())
        } else if request.sql.contains("AS sort_value") {
            // Since then more was heard of them.
            let is_text = request.sql.contains("service_name, 1, 200) AS sort_value");
            let values = if is_text { text("shop", rows) } else { time(1, rows) };
            RecordBatch::try_from_iter([("process_id", text(PROCESS, rows)), ("sort_value", values)]).unwrap()
        } else if request.sql.contains("FROM processes") {
            processes(rows)
        } else {
            let count = if request.sql.contains("FROM spans") { 9_007_199_254_740_993 } else { 5 };
            let counts: ArrayRef = Arc::new(Int64Array::from_value(count, 1));
            RecordBatch::try_from_iter([("process_id", text(PROCESS, 1)), ("rows", counts)]).unwrap()
        };
        Ok(stream(vec![Ok(batch)]))
    });
}

#[tokio::test]
async fn processes_come_with_properties_and_exact_counts() {
    let world = World::new().await;
    answer_processes(&world, 3);
    let evil = "x') OR 1=1 --";
    let path = format!("/api/processes?search={evil}&from=-1h&to=now&limit=2&cursor=5-{}", PROCESS.replace('-', ""));
    let (status, body) = world.get_json(&path).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["processes"].as_array().unwrap().len(), 2);
    let process = &body["processes"][0];
    assert_eq!(process["counts"], json!({"spans": "9007199254740993", "logs": "5", "metrics": "5"}));
    assert_eq!(process["properties"], json!({"host.name": "a", "n": 1}));
    assert_eq!((&process["pid"], &process["last_update_time"]), (&json!("42"), &json!("2")));
    assert!(process.get("start_time").is_none());
    assert_eq!(body["next_cursor"], format!("1-{}", PROCESS.replace('-', "")));

    let asked = world.query.asked.lock().unwrap();
    assert!(asked.iter().all(|request| !request.sql.contains("OR 1=1")), "values are parameters");
    let parameters = asked[0].parameters.as_ref().unwrap();
    assert_eq!((parameters.num_rows(), parameters.num_columns()), (1, 6));
    assert_eq!(parameters.column(0).as_ref(), text(&evil.to_lowercase(), 1).as_ref());
    let range = TimeRange { from: NOW - DurationNs::from_secs(3600), to: NOW };
    assert!(asked[2..].iter().all(|request| request.range == range), "counts are of the time asked for");
}

#[tokio::test]
async fn processes_come_in_the_order_that_is_asked_for() {
    let world = World::new().await;
    answer_processes(&world, 2);
    let id = PROCESS.replace('-', "");
    let cursor = async |sort: &str| {
        let (status, body) = world.get_json(&format!("/api/processes?limit=1&{sort}")).await;
        assert_eq!(status, 200, "{body}");
        body["next_cursor"].as_str().unwrap().to_owned()
    };
    // By what the order was made of, not by what was told since.
    assert_eq!(cursor("sort=start").await, format!("1-{id}"));
    assert_eq!(cursor(&format!("sort=service&cursor=a-b-{id}")).await, format!("shop-{id}"));
    assert_eq!(cursor("sort=last_update&order=asc").await, format!("1-{id}"));
    let sql: Vec<String> = world.query.asked.lock().unwrap().iter().map(|request| request.sql.clone()).collect();
    let orders: Vec<_> = sql.iter().filter_map(|sql| Some(sql.split_once("ORDER BY ")?.1)).collect();
    assert_eq!(
        orders,
        [
            "coalesce(start_time, first_seen) DESC, process_id LIMIT 2",
            "substr(service_name, 1, 200) ASC, process_id LIMIT 2",
            "last_update_time ASC, process_id LIMIT 2"
        ]
    );
    for wrong in ["sort=age", "order=up", "sort=start&cursor=shop-1", "sort=service&cursor=shop"] {
        assert_error(world.get(&format!("/api/processes?{wrong}")).await, 400, "invalid_request", "").await;
    }
}

#[tokio::test]
async fn one_process_is_found_or_not() {
    let world = World::new().await;
    answer_processes(&world, 1);
    let (status, body) = world.get_json(&format!("/api/process/{PROCESS}")).await;
    assert_eq!((status, &body["service_name"]), (200, &json!("shop")));
    answer_processes(&world, 0);
    assert_error(world.get(&format!("/api/process/{PROCESS}")).await, 404, "not_found", PROCESS).await;
    assert_error(world.get("/api/process/7").await, 400, "invalid_request", "process id").await;
}

#[tokio::test]
async fn services_and_operations_carry_their_figures() {
    let world = World::new().await;
    world.answer(|request| {
        let number = |value: i64| -> ArrayRef { Arc::new(Int64Array::from_value(value, 1)) };
        let nothing: ArrayRef = Arc::new(Int64Array::new_null(1));
        let mut columns = vec![
            ("spans", number(7)),
            ("errors", number(2)),
            ("p50", number(10)),
            ("p95", number(20)),
            ("p99", nothing),
        ];
        if request.sql.contains("GROUP BY service_name") {
            columns.extend([("service_name", text("shop", 1)), ("requests", number(3)), ("processes", number(1))]);
            columns.extend([("first_seen", time(1, 1)), ("last_seen", time(2, 1))]);
        } else {
            columns.extend([("name", text("GET /", 1)), ("kind", text("SERVER", 1)), ("longest", number(30))]);
        }
        Ok(stream(vec![Ok(RecordBatch::try_from_iter(columns).unwrap())]))
    });
    let (_, body) = world.get_json("/api/services?from=-1h").await;
    let service = json!({
        "name": "shop", "span_count": "7", "request_count": "3", "error_count": "2", "process_count": "1",
        "p50_ns": "10", "p95_ns": "20", "first_seen": "1", "last_seen": "2",
    });
    assert_eq!(body, json!({"services": [service]}));
    let (_, body) = world.get_json("/api/services/my%20shop/operations").await;
    let operation = json!({
        "name": "GET /", "kind": "SERVER", "span_count": "7", "error_count": "2", "p50_ns": "10", "p95_ns": "20", "max_ns": "30",
    });
    assert_eq!(body, json!({"operations": [operation]}));
    let asked = world.query.asked.lock().unwrap();
    assert_eq!(asked[0].range, TimeRange { from: NOW - DurationNs::from_secs(3600), to: Timestamp::MAX });
    assert_eq!(asked[1].parameters.as_ref().unwrap().column(0).as_ref(), text("my shop", 1).as_ref());
}
