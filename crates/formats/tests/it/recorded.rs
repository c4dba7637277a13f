//! Real telemetry: every item is there, none is refused.

use std::collections::BTreeSet;

use arrow::record_batch::RecordBatch;
use glasshouse_tables::Table;
use glasshouse_tables::ports::WireFormat;

use crate::rows::{decode, recording, rows};

#[test]
fn the_demo_shop_is_counted_exactly() {
    let Some(requests) = recording("otel-demo/otel-demo.otlp.jsonl") else { return };
    let (mut spans, mut links, mut events, mut errors, mut logs, mut points) = (0, 0, 0, 0, 0, 0);
    let mut names = 0;
    for line in requests.lines() {
        let format = match &line[..12] {
            r#"{"resourceSp"# => WireFormat::OtlpTracesJson,
            r#"{"resourceLo"# => WireFormat::OtlpLogsJson,
            r#"{"resourceMe"# => WireFormat::OtlpMetricsJson,
            other => panic!("{other}"),
        };
        let decoded = decode(format, line);
        assert_eq!(decoded.rejected, 0, "{:?}", decoded.rejections);
        let count = |table| decoded.batches.get(table).map_or(0, RecordBatch::num_rows);
        spans += count(Table::Spans);
        links += count(Table::SpanLinks);
        events += count(Table::SpanEvents);
        errors += rows(&decoded, Table::Spans, "status_code").iter().filter(|code| *code == "ERROR").count();
        logs += count(Table::Logs);
        points += count(Table::Metrics);
        names += line.matches(r#""dataPoints":"#).count();
    }
    assert_eq!((spans, links, events, errors, logs), (547, 53, 139, 107, 23));
    // 2,650 metrics have 4,551 data points, each a row.
    assert_eq!((names, points), (2650, 4551));
}

#[test]
fn the_specifications_examples_read_as_they_say() {
    let check = |file: &str, format, table, columns, expected: &[&str]| {
        let Some(body) = recording(&format!("otlp-examples/{file}")) else { return };
        let decoded = decode(format, body);
        assert_eq!(rows(&decoded, table, columns), expected, "{file}");
        assert_eq!(rows(&decoded, Table::Processes, "service_name"), ["my.service"], "{file}");
    };
    check(
        "trace.json",
        WireFormat::OtlpTracesJson,
        Table::Spans,
        "trace_id span_id parent_span_id name kind start_time duration_ns scope_name scope_version attributes",
        &["5b8efff798038103d269b633813fc60c|eee19b7ec3c1b174|eee19b7ec3c1b173|I'm a server span|SERVER|\
             2018-12-13T14:51:00Z|1000000000|my.library|1.0.0|{\"my.span.attr\":\"some value\"}"],
    );
    check(
        "logs.json",
        WireFormat::OtlpLogsJson,
        Table::Logs,
        "time severity_number severity_text level body body_type trace_id span_id attributes",
        &["2018-12-13T14:51:00.300Z|10|Information|4|Example log record|STRING|5b8efff798038103d269b633813fc60c|\
           eee19b7ec3c1b174|{\"string.attribute\":\"some string\",\"boolean.attribute\":true,\"int.attribute\":10,\
           \"double.attribute\":637.704,\"array.attribute\":[\"many\",\"values\"],\
           \"map.attribute\":{\"some.map.key\":\"some value\"}}"],
    );
    check(
        "events.json",
        WireFormat::OtlpLogsJson,
        Table::Logs,
        "event_name body_type body",
        &["browser.page_view|JSON|{\"type\":0,\"url\":\"https://www.guidgenerator.com/online-guid-generator.aspx\",\
           \"referrer\":\"https://wwww.google.com\",\"title\":\"Free Online GUID Generator\"}"],
    );
    check(
        "metrics.json",
        WireFormat::OtlpMetricsJson,
        Table::Metrics,
        "name unit kind temporality is_monotonic value value_int count sum min max bucket_bounds bucket_counts exponential attributes",
        &[
            "my.counter|1|SUM|DELTA|true|5.0|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|{\"my.counter.attr\":\"some value\"}",
            "my.gauge|1|GAUGE|NULL|NULL|10.0|NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL|{\"my.gauge.attr\":\"some value\"}",
            "my.histogram|1|HISTOGRAM|DELTA|NULL|NULL|NULL|2|2.0|0.0|2.0|[1.0]|[1, 1]|NULL|{\"my.histogram.attr\":\"some value\"}",
            "my.exponential.histogram|1|EXPONENTIAL_HISTOGRAM|DELTA|NULL|NULL|NULL|3|10.0|0.0|5.0|NULL|NULL|\
             {scale: 0, zero_count: 1, zero_threshold: 0.0, positive_offset: 1, positive_counts: [0, 2], \
             negative_offset: 0, negative_counts: []}|{\"my.exponential.histogram.attr\":\"some value\"}",
        ],
    );
}

#[test]
fn zipkins_shared_spans_become_spans_of_their_own() {
    let Some(body) = recording("zipkin/smartthings-oauth-authorization.json") else { return };
    let sent = body.matches(r#""traceId""#).count();
    let decoded = decode(WireFormat::ZipkinV2Json, body);
    assert_eq!((decoded.accepted, decoded.rejected), (sent, 0));
    let ids = rows(&decoded, Table::Spans, "trace_id span_id");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), sent, "every span has an id of its own");
    // Every parent is in the recording, except the roots'.
    let spans: BTreeSet<_> = rows(&decoded, Table::Spans, "span_id").into_iter().collect();
    let orphans = rows(&decoded, Table::Spans, "parent_span_id")
        .into_iter()
        .filter(|parent| parent != "NULL" && !spans.contains(parent))
        .count();
    assert_eq!(orphans, 0);
}

#[test]
fn zipkins_messaging_is_read_whole() {
    let Some(body) = recording("zipkin/messaging-kafka.json") else { return };
    let sent = body.matches(r#""traceId""#).count();
    let decoded = decode(WireFormat::ZipkinV2Json, body);
    assert_eq!((decoded.accepted, decoded.rejected), (sent, 0));
    assert_eq!(
        rows(&decoded, Table::Spans, "trace_id span_id parent_span_id name kind start_time duration_ns attributes")[0],
        "00000000000000000562809467078eab|0562809467078eab|NULL|poll|CONSUMER|2018-11-05T08:09:57.200023Z|26000|\
         {\"kafka.topic\":\"messages\",\"peer.service\":\"kafka\"}"
    );
}
