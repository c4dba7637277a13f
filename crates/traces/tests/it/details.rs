//! Events, links and logs of a trace.

use glasshouse_model::{ProcessId, Severity, SpanId, SpanKind, StatusCode, Timestamp, TraceId, Value};
use glasshouse_tables::attributes::{PackedWriter, ValueRef, get};
use glasshouse_tables::ports::{QueryError, TraceStore};
use glasshouse_tables::{
    EventRow, LinkRow, LogRow, LogsBuilder, SpanEventsBuilder, SpanLinksBuilder, SpanRow, SpansBuilder, Table,
};
use uuid::Uuid;

use crate::lake::{Lake, Place};

const EPOCH: i64 = 1_750_000_000_000_000_000;
const PROCESS: ProcessId = ProcessId(Uuid::from_u128(9));

fn time(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(EPOCH + nanos)
}

fn trace_id(number: u8) -> TraceId {
    TraceId::from_slice(&[number; 16]).unwrap()
}

fn span_id(number: u8) -> SpanId {
    SpanId::from_slice(&[number; 8]).unwrap()
}

fn attributes() -> PackedWriter {
    let mut packed = PackedWriter::new();
    packed.push_str("exception.type", "Timeout");
    packed.push("attempt", &Value::Int(2));
    packed
}

fn span(ingest: i64) -> arrow::record_batch::RecordBatch {
    let mut builder = SpansBuilder::with_capacity(1);
    builder.push(&SpanRow {
        trace_id: trace_id(1),
        span_id: span_id(1),
        parent_span_id: None,
        process_id: PROCESS,
        service_name: "cart",
        name: "checkout",
        kind: SpanKind::Server,
        start_time: time(0),
        end_time: Some(time(100)),
        status_code: StatusCode::Ok,
        status_message: "",
        thread_id: Some(7),
        thread_name: None,
        scope_name: "",
        scope_version: "",
        trace_state: "a=b",
        flags: 1,
        attributes: attributes().packed(),
        dropped_attributes_count: 1,
        dropped_events_count: 2,
        dropped_links_count: 3,
        sample_weight: 1.0,
    });
    builder.finish(time(ingest))
}

fn events(ingest: i64, times: &[i64]) -> arrow::record_batch::RecordBatch {
    let mut builder = SpanEventsBuilder::default();
    for at in times {
        builder.push(&EventRow {
            trace_id: trace_id(1),
            span_id: span_id(1),
            process_id: PROCESS,
            service_name: "cart",
            time: time(*at),
            name: "retry",
            attributes: attributes().packed(),
            dropped_attributes_count: 0,
        });
    }
    builder.finish(time(ingest))
}

fn links(ingest: i64) -> arrow::record_batch::RecordBatch {
    let mut builder = SpanLinksBuilder::default();
    builder.push(&LinkRow {
        trace_id: trace_id(1),
        span_id: span_id(1),
        process_id: PROCESS,
        service_name: "cart",
        start_time: time(0),
        linked_trace_id: trace_id(2),
        linked_span_id: span_id(2),
        trace_state: "x=y",
        attributes: attributes().packed(),
        flags: 0,
        dropped_attributes_count: 0,
    });
    builder.finish(time(ingest))
}

#[tokio::test]
async fn events_and_links_are_attached_once() {
    let rows = [
        (Place::File(0), Table::Spans, span(1)),
        (Place::Hot(0), Table::Spans, span(2)),
        (Place::File(0), Table::SpanEvents, events(1, &[30, 10, 10])),
        (Place::Hot(0), Table::SpanEvents, events(2, &[10, 10, 30])),
        (Place::File(1), Table::SpanLinks, links(1)),
        (Place::Hot(1), Table::SpanLinks, links(2)),
    ];
    let lake = Lake::new(&rows);
    let too_large = lake.traces(1 << 20).with_memory(1).trace(trace_id(1)).await.unwrap_err();
    assert!(matches!(too_large, QueryError::Limit(_)), "{too_large}");
    let trace = lake.traces(1 << 20).trace(trace_id(1)).await.unwrap().unwrap();
    let [span] = trace.spans.as_slice() else { panic!("{trace:?}") };
    let times: Vec<_> = span.events.iter().map(|event| event.time).collect();
    assert_eq!(times, [time(10), time(10), time(30)]);
    assert_eq!(span.events[0].attributes.get("attempt"), Some(&Value::Int(2)));
    let [link] = span.links.as_slice() else { panic!("{span:?}") };
    assert_eq!((link.trace_id, link.span_id, &*link.trace_state), (trace_id(2), span_id(2), "x=y"));
    assert_eq!((span.thread_id, span.trace_state.as_str(), span.flags), (Some(7), "a=b", 1));
    assert_eq!((span.dropped_attributes_count, span.dropped_events_count, span.dropped_links_count), (1, 2, 3));
    // The process's own row is not there (any more).
    assert_eq!((trace.processes[0].process_id, &*trace.processes[0].service_name), (PROCESS, "cart"));
}

/// Log records of a span: trace, time and body of each.
fn logs(span: u8, rows: &[(u8, i64, Value)]) -> arrow::record_batch::RecordBatch {
    let mut builder = LogsBuilder::default();
    for (trace, at, body) in rows {
        let mut packed = PackedWriter::new();
        packed.push("body", body);
        let body = get(packed.packed(), "body").unwrap_or(ValueRef::Empty);
        builder.push(&LogRow {
            time: time(*at),
            observed_time: Some(time(*at + 1)),
            process_id: PROCESS,
            service_name: "cart",
            severity: Severity(17),
            severity_text: "ERROR",
            scope_name: "",
            scope_version: "",
            event_name: "",
            body,
            trace_id: (*trace > 0).then(|| trace_id(*trace)),
            span_id: (*trace > 0).then(|| span_id(span)),
            flags: 0,
            attributes: attributes().packed(),
            dropped_attributes_count: 0,
        });
    }
    builder.finish(time(1000))
}

#[tokio::test]
async fn logs_of_a_trace_come_earliest_first() {
    let text = |text: &str| Value::String(text.to_owned());
    let list = Value::Array(vec![Value::Int(1), Value::Bool(true)]);
    let file = [(1, 50, text("b")), (0, 1, text("-")), (2, 5, text("-")), (1, 70, Value::Empty), (1, 60, list.clone())];
    let rows = [
        (Place::File(0), Table::Logs, logs(1, &file)),
        (Place::Hot(0), Table::Logs, logs(1, &[(1, 10, text("a")), (0, 11, text("-"))])),
    ];
    let lake = Lake::new(&rows);
    let traces = lake.traces(1 << 20);
    let records = traces.trace_logs(trace_id(1), None, 10).await.unwrap();
    let bodies: Vec<_> = records.iter().map(|record| record.body.clone()).collect();
    assert_eq!(bodies, [text("a"), text("b"), list, Value::Empty]);
    assert_eq!(records[0].observed_time, Some(time(11)));
    assert_eq!((records[0].trace_id, records[0].span_id), (Some(trace_id(1)), Some(span_id(1))));
    assert_eq!((records[0].severity, records[0].attributes.get("attempt")), (Severity(17), Some(&Value::Int(2))));
    assert_eq!(traces.trace_logs(trace_id(1), None, 2).await.unwrap().len(), 2);
    assert!(traces.trace_logs(trace_id(3), None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn logs_of_a_late_span_are_found_behind_many_of_others() {
    let of = |span: u8, from: i64| {
        let rows: Vec<_> = (from..from + 100).map(|at| (1, at, Value::Empty)).collect();
        logs(span, &rows)
    };
    let rows = [
        (Place::Hot(0), Table::Logs, of(1, 0)),
        (Place::Hot(1), Table::Logs, of(2, 1000)),
        (Place::File(0), Table::Logs, of(1, 100)),
    ];
    let lake = Lake::new(&rows);
    let traces = lake.traces(1 << 20);
    let check = async |span: Option<u8>, first: i64| {
        let records = traces.trace_logs(trace_id(1), span.map(span_id), 3).await.unwrap();
        let times: Vec<_> = records.iter().map(|record| record.time).collect();
        assert_eq!(times, [time(first), time(first + 1), time(first + 2)], "{span:?}");
    };
    check(None, 0).await;
    check(Some(1), 0).await;
    check(Some(2), 1000).await;
    assert!(traces.trace_logs(trace_id(1), Some(span_id(3)), 3).await.unwrap().is_empty());
}
