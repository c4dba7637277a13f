//! A small fixed lake: the same rows all hot, all in files, and half and half.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use glasshouse_files::{FileColumns, Store, WriteOptions, choose_shredded, write_sorted};
use glasshouse_model::{Attributes, ProcessId, Severity, SpanId, SpanKind, StatusCode, Timestamp, TraceId, Value};
use glasshouse_query::{Engine, EngineConfig};
use glasshouse_tables::attributes::{PackedWriter, ValueRef};
use glasshouse_tables::ports::QueryError;
use glasshouse_tables::{
    Batches, DataFile, EventRow, ExemplarRow, ExponentialRow, LinkRow, LogRow, LogsBuilder, MetricRow, MetricsBuilder,
    ProcessRow, ProcessesBuilder, Snapshot, SnapshotSource, SpanEventsBuilder, SpanLinksBuilder, SpanRow, SpansBuilder,
    Table,
};
use tempfile::TempDir;

/// 2026-01-31T12:00:00Z.
pub const NOON: i64 = 1_769_860_800_000_000_000;
pub const SECOND: i64 = 1_000_000_000;
pub const HOUR: i64 = 3600 * SECOND;

/// Where the rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Hot,
    Files,
    Mixed,
}

/// An engine over the lake, and the folder that goes with it.
pub struct TestLake {
    pub engine: Engine,
    pub snapshot: Arc<Snapshot>,
    pub dir: TempDir,
}

struct Fixed(Arc<Snapshot>);

#[async_trait]
impl SnapshotSource for Fixed {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0)
    }

    async fn snapshot_at(&self, id: i64) -> Result<Arc<Snapshot>, QueryError> {
        if id != self.0.id {
            return Err(QueryError::Invalid(format!("there is no snapshot {id}")));
        }
        Ok(Arc::new(Snapshot { hot: Vec::new(), ..self.0.as_ref().clone() }))
    }
}

impl TestLake {
    pub fn new(form: Form) -> Self {
        Self::with(form, |_| {})
    }

    pub fn with(form: Form, change: impl FnOnce(&mut EngineConfig)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::local(&dir.path().join("data")).unwrap();
        let requests = [first_request(), second_request()];
        let (filed, hot) = match form {
            Form::Hot => requests.split_at(0),
            Form::Files => requests.split_at(2),
            Form::Mixed => requests.split_at(1),
        };
        let mut files = Vec::new();
        for table in Table::ALL {
            let batches: Vec<RecordBatch> = filed.iter().filter_map(|batches| batches.get(table).cloned()).collect();
            files.extend(write(&store, table, &batches, files.len() as i64));
        }
        let snapshot =
            Arc::new(Snapshot { id: 7, hot: hot.iter().cloned().map(Arc::new).collect(), files: Arc::new(files) });
        let mut config = EngineConfig::new(dir.path().join("spill"), 256 << 20);
        config.threads = 2;
        change(&mut config);
        let engine = Engine::new(config, Arc::new(Fixed(Arc::clone(&snapshot))), Arc::clone(store.objects())).unwrap();
        Self { engine, snapshot, dir }
    }
}

fn write(store: &Store, table: Table, batches: &[RecordBatch], first_id: i64) -> Vec<Arc<DataFile>> {
    let columns = FileColumns::without_ids(table, &choose_shredded(table, batches));
    // Small row groups, so that there is something to skip.
    let options = WriteOptions { row_group_rows: 128, ..WriteOptions::flush() };
    let files = write_sorted(store, &columns, batches, &options).unwrap();
    let data_file = |(i, file): (usize, glasshouse_tables::NewFile)| {
        Arc::new(DataFile {
            id: first_id + i as i64,
            table,
            path: file.path,
            rows: file.rows,
            bytes: file.bytes,
            footer_bytes: file.footer_bytes,
            min_time: file.min_time,
            max_time: file.max_time,
        })
    };
    files.into_iter().enumerate().map(data_file).collect()
}

fn packed(entries: &[(&str, Value)]) -> PackedWriter {
    let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    PackedWriter::from(&Attributes(entries))
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

pub fn trace(number: u8) -> TraceId {
    TraceId::from_bytes([0xa0 + number; 16]).unwrap()
}

fn span(number: u64) -> SpanId {
    SpanId::from_bytes(number.to_be_bytes()).unwrap()
}

fn process(number: u128) -> ProcessId {
    format!("00000000-0000-4000-8000-{number:012}").parse().unwrap()
}

const SHOP: u128 = 1;
const CART: u128 = 2;

fn at(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(NOON + nanos)
}

/// A span of trace `trace` from `start` to `end`.
#[allow(clippy::too_many_arguments)]
fn push_span(
    spans: &mut SpansBuilder,
    (trace_id, number, parent): (TraceId, u64, Option<u64>),
    (process_number, service, name, kind): (u128, &str, &str, SpanKind),
    (start, end): (i64, Option<i64>),
    status: StatusCode,
    attributes: &[(&str, Value)],
) {
    spans.push(&SpanRow {
        trace_id,
        span_id: span(number),
        parent_span_id: parent.map(span),
        process_id: process(process_number),
        service_name: service,
        name,
        kind,
        start_time: at(start),
        end_time: end.map(at),
        status_code: status,
        status_message: if status == StatusCode::Error { "it broke" } else { "" },
        thread_id: (process_number == SHOP).then_some(11),
        thread_name: (process_number == SHOP).then_some("main"),
        scope_name: "test",
        scope_version: "1.0",
        trace_state: "",
        flags: 1,
        attributes: packed(attributes).packed(),
        dropped_attributes_count: 0,
        dropped_events_count: 0,
        dropped_links_count: 0,
        sample_weight: 1.0,
    });
}

/// Trace 1 (a tree over two services), its logs, the processes; then a day of dull spans.
fn first_request() -> Batches {
    let mut spans = SpansBuilder::with_capacity(500);
    let shop = |name: &'static str, kind| (SHOP, "shop", name, kind);
    let cart = |name: &'static str, kind| (CART, "cart", name, kind);
    let (ok, error) = (StatusCode::Unset, StatusCode::Error);
    let route =
        |route: &str, status: i64| vec![("http.route", text(route)), ("http.response.status_code", Value::Int(status))];
    push_span(
        &mut spans,
        (trace(1), 1, None),
        shop("GET /cart", SpanKind::Server),
        (0, Some(100)),
        ok,
        &route("/cart", 200),
    );
    push_span(&mut spans, (trace(1), 2, Some(1)), shop("call cart", SpanKind::Client), (10, Some(60)), ok, &[]);
    push_span(
        &mut spans,
        (trace(1), 3, Some(2)),
        cart("Cart/Get", SpanKind::Server),
        (20, Some(50)),
        error,
        &[
            ("rpc.method", text("Get")),
            ("cache.hit", Value::Bool(false)),
            ("wait_ms", Value::Double(1.5)),
            ("tags", Value::Array(vec![text("a"), Value::Int(1)])),
            ("nested", Value::Map(Attributes(vec![("deep".into(), text("down"))]))),
            ("raw", Value::Bytes(vec![0, 255])),
            ("nothing", Value::Empty),
            ("repeated", text("first")),
            ("repeated", text("second")),
            ("mixed", text("7")),
        ],
    );
    push_span(
        &mut spans,
        (trace(1), 4, Some(1)),
        shop("render", SpanKind::Internal),
        (50, Some(90)),
        ok,
        &[("mixed", Value::Int(7))],
    );
    // Still open; the second request completes it.
    push_span(&mut spans, (trace(1), 5, Some(1)), shop("flush", SpanKind::Internal), (95, None), ok, &[]);
    // Its parent never came.
    push_span(
        &mut spans,
        (trace(1), 6, Some(99)),
        cart("orphan", SpanKind::Internal),
        (30, Some(40)),
        ok,
        &[("mixed", Value::Double(7.5))],
    );
    for i in 0..400_u64 {
        let start = (i as i64 - 400) * 200 * SECOND;
        let mut bytes = [0x10; 16];
        bytes[8..].copy_from_slice(&i.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let trace_id = TraceId::from_bytes(bytes).unwrap();
        let mut attributes = route(if i % 4 == 0 { "/cart" } else { "/list" }, if i % 20 == 0 { 500 } else { 200 });
        attributes.push(("user.id", text(&format!("user-{i:03}"))));
        if i % 3 == 0 {
            attributes.push(("mixed", if i % 2 == 0 { text("even") } else { Value::Int(i as i64) }));
        }
        let status = if i % 20 == 0 { error } else { ok };
        let times = (start, Some(start + (i as i64 + 1) * 1_000_000));
        push_span(&mut spans, (trace_id, 1000 + i, None), shop("GET", SpanKind::Server), times, status, &attributes);
    }
    let mut batches = Batches::default();
    batches.set(Table::Spans, spans.finish(at(SECOND)));
    batches.set(Table::Processes, processes(&[(SHOP, "1.0", -HOUR, 0), (CART, "2.0", 0, 0)]));
    batches.set(Table::Logs, logs());
    batches.set(Table::Metrics, metrics());
    let mut events = SpanEventsBuilder::default();
    events.push(&EventRow {
        trace_id: trace(1),
        span_id: span(3),
        process_id: process(CART),
        service_name: "cart",
        time: at(25),
        name: "exception",
        attributes: packed(&[("exception.type", text("Oops")), ("count", Value::Int(3))]).packed(),
        dropped_attributes_count: 0,
    });
    batches.set(Table::SpanEvents, events.finish(at(SECOND)));
    batches
}

/// Completes span 5 of trace 1, sends span 2 again, adds trace 2 (two spans that are each other's parent)
/// and a later state of the shop.
fn second_request() -> Batches {
    let mut spans = SpansBuilder::with_capacity(8);
    let ok = StatusCode::Unset;
    let shop = |name: &'static str, kind| (SHOP, "shop", name, kind);
    push_span(&mut spans, (trace(1), 5, Some(1)), shop("flush", SpanKind::Internal), (95, Some(99)), ok, &[]);
    push_span(&mut spans, (trace(1), 2, Some(1)), shop("call cart", SpanKind::Client), (10, Some(60)), ok, &[]);
    push_span(
        &mut spans,
        (trace(2), 20, Some(21)),
        shop("chicken", SpanKind::Internal),
        (HOUR, Some(HOUR + 10)),
        ok,
        &[],
    );
    push_span(
        &mut spans,
        (trace(2), 21, Some(20)),
        shop("egg", SpanKind::Internal),
        (HOUR + 5, Some(HOUR + 9)),
        ok,
        &[],
    );
    let mut links = SpanLinksBuilder::default();
    links.push(&LinkRow {
        trace_id: trace(2),
        span_id: span(20),
        process_id: process(SHOP),
        service_name: "shop",
        start_time: at(HOUR),
        linked_trace_id: trace(1),
        linked_span_id: span(1),
        trace_state: "",
        attributes: packed(&[("why", text("retry"))]).packed(),
        flags: 0,
        dropped_attributes_count: 0,
    });
    let mut batches = Batches::default();
    batches.set(Table::Spans, spans.finish(at(2 * SECOND)));
    batches.set(Table::SpanLinks, links.finish(at(2 * SECOND)));
    batches.set(Table::Processes, processes(&[(SHOP, "1.1", 0, HOUR)]));
    batches
}

/// Number, version, when first heard of, when last.
fn processes(rows: &[(u128, &str, i64, i64)]) -> RecordBatch {
    let mut processes = ProcessesBuilder::default();
    for &(number, version, first, last) in rows {
        let resource = packed(&[
            ("service.name", text("any")),
            ("service.version", text(version)),
            ("host.name", text("here")),
            ("process.pid", Value::Int(40 + number as i64)),
        ]);
        processes.push(&ProcessRow {
            process_id: process(number),
            service_name: if number == SHOP { "shop" } else { "cart" },
            start_time: Some(at(first)),
            first_seen: at(first),
            last_update_time: at(last),
            parent_process_id: None,
            resource: resource.packed(),
        });
    }
    processes.finish(at(rows[0].3 + SECOND))
}

fn logs() -> RecordBatch {
    let mut logs = LogsBuilder::default();
    let attributes = packed(&[("user.id", text("user-1"))]);
    let mut push = |time: i64, severity: i32, body: ValueRef<'_>, in_trace: bool| {
        logs.push(&LogRow {
            time: at(time),
            observed_time: None,
            process_id: process(CART),
            service_name: "cart",
            severity: Severity(severity),
            severity_text: "",
            scope_name: "log",
            scope_version: "",
            event_name: "",
            body,
            trace_id: in_trace.then(|| trace(1)),
            span_id: in_trace.then(|| span(3)),
            flags: 0,
            attributes: attributes.packed(),
            dropped_attributes_count: 0,
        });
    };
    push(21, 9, ValueRef::String("looking"), true);
    push(26, 17, ValueRef::String("it broke"), true);
    push(SECOND, 5, ValueRef::Int(42), false);
    push(2 * SECOND, 0, ValueRef::Empty, false);
    logs.finish(at(SECOND))
}

fn metrics() -> RecordBatch {
    let mut metrics = MetricsBuilder::default();
    let attributes = packed(&[("queue", text("main")), ("shard", Value::Int(3))]);
    let base = MetricRow {
        time: at(0),
        start_time: None,
        process_id: process(SHOP),
        service_name: "shop",
        name: "",
        unit: "1",
        description: "",
        kind: "GAUGE",
        temporality: None,
        is_monotonic: None,
        value: None,
        value_int: None,
        count: None,
        sum: None,
        min: None,
        max: None,
        bucket_bounds: None,
        bucket_counts: None,
        exponential: None,
        quantiles: None,
        exemplars: &[],
        flags: 0,
        scope_name: "meter",
        scope_version: "",
        attributes: attributes.packed(),
    };
    metrics.push(&MetricRow { name: "queue.depth", value: Some(5.0), value_int: Some(5), ..base });
    metrics.push(&MetricRow {
        name: "requests",
        kind: "SUM",
        start_time: Some(at(-HOUR)),
        temporality: Some("CUMULATIVE"),
        is_monotonic: Some(true),
        value: Some(0.5),
        ..base
    });
    let exemplar = ExemplarRow {
        time: at(1),
        value: Some(9.0),
        value_int: None,
        trace_id: Some(trace(1)),
        span_id: Some(span(1)),
        attributes: packed(&[("a", Value::Int(1))]).packed().to_vec().leak(),
    };
    metrics.push(&MetricRow {
        name: "duration",
        kind: "HISTOGRAM",
        temporality: Some("DELTA"),
        count: Some(20),
        sum: Some(30.0),
        bucket_bounds: Some(&[1.0, 2.0]),
        bucket_counts: Some(&[10, 10, 0]),
        exemplars: &[exemplar],
        ..base
    });
    metrics.push(&MetricRow {
        name: "size",
        kind: "EXPONENTIAL_HISTOGRAM",
        temporality: Some("DELTA"),
        count: Some(12),
        exponential: Some(ExponentialRow {
            scale: 0,
            zero_count: 2,
            zero_threshold: 0.0,
            positive_offset: 1,
            positive_counts: &[5, 5],
            negative_offset: 0,
            negative_counts: &[],
        }),
        ..base
    });
    metrics.push(&MetricRow { name: "latency", kind: "SUMMARY", quantiles: Some(&[(0.5, 1.0), (0.99, 8.0)]), ..base });
    metrics.finish(at(SECOND))
}
