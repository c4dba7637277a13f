//! Random lakes, searched and compared with the naive search.

use std::collections::BTreeMap;

use glasshouse_model::{
    AttributeFilter, Attributes, DurationNs, ProcessId, SpanId, SpanKind, StatusCode, TimeRange, Timestamp,
    TraceFilter, TraceId, TraceKind, Value,
};
use glasshouse_tables::attributes::PackedWriter;
use glasshouse_tables::ports::{QueryError, TraceStore};
use glasshouse_tables::{ProcessRow, ProcessesBuilder, SpanRow, SpansBuilder, Table};
use proptest::prelude::*;
use uuid::Uuid;

use crate::lake::{Lake, Place};
use crate::naive::{self, Row};

const SERVICES: [&str; 3] = ["cart", "frontend", "payment"];
const NAMES: [&str; 3] = ["GET /", "charge", "select"];
/// Spans start within a few of the second-long windows that files are sorted by, many at the same moment.
pub const TICK: i64 = 400_000_000;
pub const EPOCH: i64 = 1_750_000_000_000_000_000;

pub fn trace_id(number: u8) -> TraceId {
    TraceId::from_slice(&[number + 1; 16]).unwrap()
}

pub fn span_id(number: u8) -> SpanId {
    SpanId::from_slice(&[number + 1; 8]).unwrap()
}

pub fn process_id(number: u8) -> ProcessId {
    ProcessId(Uuid::from_u128(u128::from(number) + 1))
}

/// Values whose text some filter wants, in every type, and keys that hide in JSON.
pub fn attribute() -> impl Strategy<Value = (&'static str, Value)> {
    let text = |text: &str| Value::String(text.to_owned());
    prop::sample::select(vec![
        ("user.id", text("7")),
        ("user.id", text("8")),
        ("user.id", Value::Int(7)),
        ("user.id", Value::Empty),
        ("env", text("prod")),
        ("flag", Value::Bool(true)),
        ("ratio", Value::Double(1.0)),
        ("ratio", text("1.0")),
        ("list", Value::Array(vec![Value::Int(1), Value::Int(2)])),
        ("odd \"key\\", text("x")),
        ("http.request.method", text("GET")),
        ("rpc.system", text("grpc")),
        ("db.system", text("postgresql")),
    ])
}

fn kind() -> impl Strategy<Value = SpanKind> {
    prop::sample::select(vec![SpanKind::Server, SpanKind::Client])
}

pub fn text() -> impl Strategy<Value = String> {
    let texts =
        ["", "CART", "charge pay", "id=7", "user.id=8 PROD", "1.0", "[1,2]", "key\\=x get", "flag=TRUE", "absent"];
    prop::sample::select(texts.to_vec()).prop_map(str::to_owned)
}

fn attribute_filter() -> impl Strategy<Value = AttributeFilter> {
    let pairs = [
        ("user.id", "7"),
        ("user.id", "8"),
        ("env", "prod"),
        ("env", "dev"),
        ("flag", "true"),
        ("ratio", "1.0"),
        ("list", "[1,2]"),
        ("odd \"key\\", "x"),
        ("absent", "1"),
    ];
    prop::sample::select(pairs.to_vec())
        .prop_map(|(key, value)| AttributeFilter { key: key.into(), value: value.into() })
}

pub fn place() -> impl Strategy<Value = Place> {
    prop::sample::select(vec![Place::Hot(0), Place::Hot(1), Place::File(0), Place::File(1), Place::File(2)])
}

pub fn row() -> impl Strategy<Value = (Place, Row)> {
    let ids = (0..6u8, 0..5u8, prop::option::of(0..6u8), 0..3u8);
    let times = (0..8i64, prop::option::weighted(0.8, 0..5i64));
    let names = (0..3usize, 0..3usize, prop::sample::select(StatusCode::ALL.to_vec()), kind());
    let attributes = prop::collection::vec(attribute(), 0..4);
    (place(), ids, times, names, attributes).prop_map(|(place, ids, times, names, mut attributes)| {
        // A key may stand there twice, apart: the first value counts.
        attributes.dedup_by_key(|(key, _)| *key);
        let start = EPOCH + times.0 * TICK;
        let row = Row {
            trace_id: trace_id(ids.0),
            span_id: span_id(ids.1),
            parent: ids.2.map(span_id),
            process: process_id(ids.3),
            service: SERVICES[names.0],
            name: NAMES[names.1],
            kind: names.3,
            start,
            end: times.1.map(|ticks| start + ticks * TICK / 2),
            status: names.2,
            attributes,
            ingest: 0,
        };
        (place, row)
    })
}

pub fn filter() -> impl Strategy<Value = TraceFilter> {
    let option = |strategy| prop::option::weighted(0.3, strategy);
    let flag = || prop::option::weighted(0.2, any::<bool>());
    let option_text = prop::option::weighted(0.3, text());
    (
        option(0..3usize),
        option(0..3usize),
        prop::option::weighted(0.2, 0..5i64),
        prop::option::weighted(0.2, 0..5i64),
        prop::option::weighted(0.3, any::<bool>()),
        prop::collection::vec(attribute_filter(), 0..2),
        prop::option::weighted(0.3, (0..8i64, 1..5i64)),
        1..5usize,
        (prop::option::weighted(0.2, kind()), flag(), flag(), option_text),
    )
        .prop_map(
            |(service, operation, min, max, error, attributes, range, limit, (kind, root, request, text))| {
                TraceFilter {
                    kind,
                    root,
                    request,
                    text,
                    service: service.map(|i| SERVICES[i].to_owned()),
                    operation: operation.map(|i| NAMES[i].to_owned()),
                    min_duration: min.map(|ticks| DurationNs::from_nanos(ticks * TICK / 2)),
                    max_duration: max.map(|ticks| DurationNs::from_nanos(ticks * TICK / 2)),
                    error,
                    attributes,
                    range: range.map_or(TimeRange::ALL, |(from, length)| TimeRange {
                        from: Timestamp::from_nanos(EPOCH + from * TICK),
                        to: Timestamp::from_nanos(EPOCH + (from + length) * TICK),
                    }),
                    limit,
                    cursor: None,
                }
            },
        )
}

fn packed(attributes: &[(&'static str, Value)]) -> PackedWriter {
    let attributes = attributes.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
    PackedWriter::from(&Attributes(attributes.collect()))
}

pub fn push(builder: &mut SpansBuilder, row: &Row) {
    builder.push(&SpanRow {
        trace_id: row.trace_id,
        span_id: row.span_id,
        parent_span_id: row.parent,
        process_id: row.process,
        service_name: row.service,
        name: row.name,
        kind: row.kind,
        start_time: Timestamp::from_nanos(row.start),
        end_time: row.end.map(Timestamp::from_nanos),
        status_code: row.status,
        status_message: "",
        thread_id: None,
        thread_name: Some("main"),
        scope_name: "test",
        scope_version: "",
        trace_state: "",
        flags: 1,
        attributes: packed(&row.attributes).packed(),
        dropped_attributes_count: 0,
        dropped_events_count: 0,
        dropped_links_count: 0,
        sample_weight: 1.0,
    });
}

/// The resource of a process, as it was told at one time.
type Told = (Place, ProcessId, Vec<(&'static str, Value)>);

pub fn lake(rows: &[(Place, Row)], resources: &[Told]) -> Lake {
    let mut batches = Vec::new();
    for (place, row) in rows {
        let mut builder = SpansBuilder::with_capacity(1);
        push(&mut builder, row);
        batches.push((*place, Table::Spans, builder.finish(Timestamp::from_nanos(row.ingest))));
    }
    // Later rows of a process replace earlier ones.
    for (moment, (place, process_id, resource)) in resources.iter().enumerate() {
        let moment = Timestamp::from_nanos(EPOCH + moment as i64);
        let mut builder = ProcessesBuilder::default();
        builder.push(&ProcessRow {
            process_id: *process_id,
            service_name: "cart",
            start_time: None,
            first_seen: moment,
            last_update_time: moment,
            parent_process_id: None,
            resource: packed(resource).packed(),
        });
        batches.push((*place, Table::Processes, builder.finish(moment)));
    }
    Lake::new(&batches)
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn searches_and_traces_are_those_of_the_naive_lake(
        mut rows in prop::collection::vec(row(), 0..40),
        resources in prop::collection::vec((place(), (0..3u8).prop_map(process_id), prop::collection::vec(attribute(), 0..2)), 0..5),
        filters in prop::collection::vec(filter(), 4),
        text in text(),
        cache in prop::sample::select(vec![0u64, 1 << 24]),
    ) {
        for (i, (_, row)) in rows.iter_mut().enumerate() {
            row.ingest = EPOCH + i as i64;
        }
        let lake = lake(&rows, &resources);
        let traces = lake.traces(cache);
        let rows: Vec<Row> = rows.into_iter().map(|(_, row)| row).collect();
        let latest: BTreeMap<_, _> = resources.into_iter().map(|(_, process, resource)| (process, resource)).collect();
        runtime().block_on(async {
            for filter in filters {
                let expected = naive::find(&rows, &latest, &filter);
                let mut page_filter = filter.clone();
                let mut found = Vec::new();
                loop {
                    let page = traces.find_traces(&page_filter).await.unwrap();
                    prop_assert!(page.traces.len() <= filter.limit);
                    found.extend(page.traces);
                    prop_assert_eq!(page.next_cursor.is_some(), found.len() < expected.len(), "{:?}", filter);
                    let Some(cursor) = page.next_cursor else { break };
                    page_filter.cursor = Some(cursor);
                }
                prop_assert_eq!(found, expected, "{:?}", filter);
            }
            let known = naive::spans(&rows);
            for id in (0..7).map(trace_id) {
                let Some(trace) = traces.trace(id).await.unwrap() else {
                    prop_assert!(!known.contains_key(&id));
                    prop_assert!(traces.outline(id).await.unwrap().is_none());
                    prop_assert!(traces.span(id, span_id(0)).await.unwrap().is_none());
                    continue;
                };
                let expected = &known[&id];
                let outline = traces.outline(id).await.unwrap().unwrap();
                prop_assert_eq!(outline.spans.len(), trace.spans.len());
                for (drawn, span) in outline.spans.iter().zip(&trace.spans) {
                    prop_assert_eq!((drawn.span_id, drawn.parent_span_id), (span.span_id, span.parent_span_id));
                    prop_assert_eq!((drawn.start_time, drawn.end_time), (span.start_time, span.end_time));
                    prop_assert_eq!((drawn.kind, drawn.status_code), (span.kind, span.status_code));
                    prop_assert_eq!(&outline.services[drawn.service as usize], &span.service_name);
                    prop_assert_eq!(&outline.names[drawn.name as usize], &span.name);
                    let (alone, process) = traces.span(id, span.span_id).await.unwrap().unwrap();
                    prop_assert_eq!(&alone, span);
                    prop_assert_eq!(process.is_some(), latest.contains_key(&span.process_id));
                }
                let found = traces.find_spans(id, &text, 3).await.unwrap();
                let having = expected.iter().filter(|span| naive::has_words(span, &text)).map(|span| span.span_id);
                prop_assert_eq!(found, having.take(3).collect::<Vec<_>>(), "{}", text);
                let ids: Vec<_> = trace.spans.iter().map(|span| span.span_id).collect();
                prop_assert_eq!(ids, expected.iter().map(|span| span.span_id).collect::<Vec<_>>());
                for (span, row) in trace.spans.iter().zip(expected) {
                    prop_assert_eq!(span.end_time.map(Timestamp::nanos), row.end);
                    prop_assert_eq!((&*span.service_name, &*span.name), (row.service, row.name));
                    prop_assert_eq!((span.status_code, span.parent_span_id), (row.status, row.parent));
                    let mut attributes = span.attributes.clone();
                    attributes.0.sort_by(|(a, _), (b, _)| a.cmp(b));
                    prop_assert_eq!(attributes, naive::sorted(&row.attributes));
                    let process = trace.processes.iter().find(|process| process.process_id == span.process_id).unwrap();
                    let resource = latest.get(&span.process_id).map(|resource| naive::sorted(resource));
                    let mut shown = process.resource.clone();
                    shown.0.sort_by(|(a, _), (b, _)| a.cmp(b));
                    prop_assert_eq!(shown, resource.unwrap_or_default());
                }
            }
            Ok(())
        })?;
    }
}

#[test]
fn few_rows_of_a_large_row_group_are_found() {
    const ROWS: u32 = 40_000;
    let rare = [0, 17, 20_000, ROWS - 1];
    let mut builder = SpansBuilder::with_capacity(ROWS as usize);
    for number in 0..ROWS {
        let mut id = [1; 16];
        id[..4].copy_from_slice(&number.reverse_bits().to_be_bytes());
        let row = Row {
            trace_id: TraceId::from_slice(&id).unwrap(),
            span_id: span_id(1),
            parent: None,
            process: process_id(0),
            service: SERVICES[0],
            name: if rare.contains(&number) { "rare" } else { NAMES[number as usize % 3] },
            kind: SpanKind::Internal,
            start: EPOCH + i64::from(number) * 10_000,
            end: None,
            status: StatusCode::Ok,
            attributes: vec![("db.system", Value::String("postgresql".to_owned()))],
            ingest: EPOCH,
        };
        push(&mut builder, &row);
    }
    let lake =
        Lake::with_row_groups(&[(Place::File(0), Table::Spans, builder.finish(Timestamp::from_nanos(EPOCH)))], 50_000);
    let traces = lake.traces(1 << 24);
    let filter = TraceFilter { operation: Some("rare".to_owned()), limit: 3, ..TraceFilter::default() };
    let page = runtime().block_on(traces.find_traces(&filter)).unwrap();
    let starts: Vec<_> = page.traces.iter().map(|trace| (trace.start_time.nanos() - EPOCH) / 10_000).collect();
    assert_eq!(starts, [39_999, 20_000, 17]);
    assert!(page.next_cursor.is_some() && page.traces.iter().all(|trace| trace.kind == TraceKind::Database));
}

#[test]
fn a_trace_that_is_larger_than_memory_is_listed() {
    const ROWS: u64 = 150_000;
    let mut builder = SpansBuilder::with_capacity(ROWS as usize);
    let mut add = |trace: u8, number: u64, parent: Option<u64>, name, end| {
        let id = |number: u64| SpanId::from_slice(&(number + 1).to_be_bytes()).unwrap();
        let row = Row {
            trace_id: trace_id(trace),
            span_id: id(number),
            parent: parent.map(id),
            process: process_id(0),
            service: SERVICES[number as usize % 2],
            name,
            kind: SpanKind::Internal,
            start: EPOCH + number as i64,
            end,
            status: if number == 7 { StatusCode::Error } else { StatusCode::Ok },
            attributes: vec![("db.system", Value::String("postgresql".to_owned()))],
            ingest: EPOCH,
        };
        push(&mut builder, &row);
    };
    // The root comes last, open at first; two traces, so that both together are too many.
    for trace in [0, 1] {
        for number in 1..ROWS {
            add(trace, number, Some(0), "leaf", Some(EPOCH + 1_000_000));
        }
        add(trace, 0, None, "job", None);
        add(trace, 0, None, "job", Some(EPOCH + 2_000_000));
    }
    let rows = builder.finish(Timestamp::from_nanos(EPOCH));
    let lake = Lake::with_row_groups(&[(Place::File(0), Table::Spans, rows)], 50_000);
    // The rows of one are 15 MB and more, as columns.
    let traces = lake.traces(1 << 24).with_memory(7 << 20);
    let filter = TraceFilter { limit: 2, ..TraceFilter::default() };
    let page = runtime().block_on(traces.find_traces(&filter)).unwrap();
    assert_eq!(page.traces.len(), 2);
    for trace in page.traces {
        assert_eq!((&*trace.root_name, trace.span_count, trace.error_count), ("job", ROWS as u32, 1));
        assert_eq!((trace.start_time.nanos(), trace.duration_ns.nanos()), (EPOCH, 2_000_000));
        assert_eq!((trace.services, trace.kind), (vec!["cart".to_owned(), "frontend".to_owned()], TraceKind::Database));
    }
    let whole = runtime().block_on(traces.trace(trace_id(0))).unwrap_err();
    assert!(matches!(whole, QueryError::Limit(_)), "{whole}");
    let outline = runtime().block_on(lake.traces(1 << 24).outline(trace_id(1))).unwrap().unwrap();
    assert_eq!((outline.spans.len() as u64, &outline.names[..]), (ROWS, &["job".to_owned(), "leaf".to_owned()][..]));
}

#[test]
fn an_empty_lake_answers() {
    let traces = lake(&[], &[]);
    let traces = traces.traces(0);
    runtime().block_on(async {
        let page = traces.find_traces(&TraceFilter { limit: 20, ..TraceFilter::default() }).await.unwrap();
        assert!(page.traces.is_empty() && page.next_cursor.is_none());
        assert_eq!(traces.trace(trace_id(0)).await.unwrap(), None);
        assert!(traces.trace_logs(trace_id(0), None, 10).await.unwrap().is_empty());
    });
}
