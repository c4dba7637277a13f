//! Measures queries over a lake of made-up spans: `cargo run --release -p glasshouse-query --example
//! measure -- [millions of spans] [folder]`. The folder is kept and used again when it is given.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use futures::TryStreamExt;
use glasshouse_files::{FileColumns, Store, WriteOptions, choose_shredded, write_sorted};
use glasshouse_model::{SpanId, SpanKind, StatusCode, Timestamp, TraceId, Value};
use glasshouse_query::{Engine, EngineConfig};
use glasshouse_tables::attributes::PackedWriter;
use glasshouse_tables::ports::{QueryEngine, QueryError, SqlRequest};
use glasshouse_tables::{Batches, DataFile, Snapshot, SnapshotSource, SpanRow, SpansBuilder, Table};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const START: i64 = 1_769_860_800_000_000_000;
const SPANS_PER_FILE: u64 = 2_000_000;
const HOT_SPANS: u64 = 100_000;

struct Fixed(Arc<Snapshot>);

#[async_trait]
impl SnapshotSource for Fixed {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0)
    }

    async fn snapshot_at(&self, _id: i64) -> Result<Arc<Snapshot>, QueryError> {
        Ok(Arc::clone(&self.0))
    }
}

/// A well-mixed number for a number.
fn mix(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn trace_id(span: u64) -> TraceId {
    let trace = span / 20;
    let mut bytes = [1; 16];
    bytes[..8].copy_from_slice(&mix(trace).to_be_bytes());
    TraceId::from_bytes(bytes).expect("it is not zero")
}

fn spans(numbers: std::ops::Range<u64>) -> RecordBatch {
    let mut spans = SpansBuilder::with_capacity((numbers.end - numbers.start) as usize);
    let mut attributes = PackedWriter::new();
    for number in numbers {
        let random = mix(number ^ 0x5555);
        let service = random % 20;
        attributes.clear();
        attributes.push_str("http.request.method", ["GET", "POST", "PUT"][(random % 3) as usize]);
        attributes.push_str("http.route", &format!("/api/v1/resource-{}", random % 200));
        attributes.push("http.response.status_code", &Value::Int(if random.is_multiple_of(100) { 500 } else { 200 }));
        attributes.push_str("server.address", &format!("host-{}.example.com", random % 60));
        attributes.push_str("user.id", &format!("user-{}", mix(random) % 100_000));
        attributes.push_str("request.id", &format!("{:016x}", mix(random.wrapping_add(7))));
        attributes.push_str("db.system", ["postgresql", "redis", "mysql"][(random % 3) as usize]);
        attributes.push("db.rows", &Value::Int((random % 1000) as i64));
        attributes.push("cache.hit", &Value::Bool(random.is_multiple_of(2)));
        attributes.push("queue.wait_ms", &Value::Double((random % 10_000) as f64 / 100.0));
        // 20 µs apart, so that two million are 40 seconds.
        let start = Timestamp::from_nanos(START + (number * 20_000) as i64);
        let duration = 1_000 + (mix(random.wrapping_add(11)) % 1_000_000) * (1 + random % 50);
        spans.push(&SpanRow {
            trace_id: trace_id(number),
            span_id: SpanId::from_bytes(mix(number).to_be_bytes())
                .unwrap_or_else(|| unreachable!("mixed numbers are not zero")),
            parent_span_id: (!number.is_multiple_of(20))
                .then(|| SpanId::from_bytes(mix(number - 1).to_be_bytes()))
                .flatten(),
            process_id: format!("00000000-0000-4000-8000-{:012}", service * 3 + random % 3).parse().expect("a UUID"),
            service_name: &format!("service-{service:02}"),
            name: &format!("operation-{}", random % 200),
            kind: if number.is_multiple_of(4) { SpanKind::Server } else { SpanKind::Internal },
            start_time: start,
            end_time: Some(Timestamp::from_nanos(start.nanos() + duration as i64)),
            status_code: if random.is_multiple_of(100) { StatusCode::Error } else { StatusCode::Unset },
            status_message: "",
            thread_id: None,
            thread_name: None,
            scope_name: "measure",
            scope_version: "1",
            trace_state: "",
            flags: 1,
            attributes: attributes.packed(),
            dropped_attributes_count: 0,
            dropped_events_count: 0,
            dropped_links_count: 0,
            sample_weight: 1.0,
        });
    }
    spans.finish(Timestamp::from_nanos(START))
}

fn lake(millions: u64, folder: &Path, store: &Store) -> Result<Arc<Snapshot>, Box<dyn Error>> {
    let list = folder.join("files.txt");
    let total = millions * 1_000_000;
    if !list.exists() {
        let mut lines = String::new();
        for first in (0..total).step_by(SPANS_PER_FILE as usize) {
            let end = (first + SPANS_PER_FILE).min(total);
            let batches: Vec<_> =
                (first..end).step_by(50_000).map(|from| spans(from..(from + 50_000).min(end))).collect();
            let columns = FileColumns::without_ids(Table::Spans, &choose_shredded(Table::Spans, &batches));
            for file in write_sorted(store, &columns, &batches, &WriteOptions::merge())? {
                writeln!(
                    lines,
                    "{} {} {} {} {} {}",
                    file.path,
                    file.rows,
                    file.bytes,
                    file.footer_bytes,
                    file.min_time.nanos(),
                    file.max_time.nanos()
                )?;
            }
            eprintln!("{end} spans written");
        }
        std::fs::write(&list, lines)?;
    }
    let mut files = Vec::new();
    for (id, line) in std::fs::read_to_string(&list)?.lines().enumerate() {
        let fields: Vec<_> = line.split(' ').collect();
        let number = |i: usize| fields[i].parse::<i64>();
        files.push(Arc::new(DataFile {
            id: id as i64,
            table: Table::Spans,
            path: fields[0].to_owned(),
            rows: number(1)? as u64,
            bytes: number(2)? as u64,
            footer_bytes: number(3)? as u64,
            min_time: Timestamp::from_nanos(number(4)?),
            max_time: Timestamp::from_nanos(number(5)?),
        }));
    }
    let hot = (total..total + HOT_SPANS)
        .step_by(10_000)
        .map(|from| {
            let mut batches = Batches::default();
            batches.set(Table::Spans, spans(from..from + 10_000));
            Arc::new(batches)
        })
        .collect();
    Ok(Arc::new(Snapshot { id: 1, hot, files: Arc::new(files) }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let millions = arguments.next().map_or(Ok(2), |text| text.parse())?;
    let kept = arguments.next().map(PathBuf::from);
    let temporary = tempfile::tempdir()?;
    let folder = kept.as_deref().unwrap_or(temporary.path());
    let store = Store::local(&folder.join("data"))?;
    let snapshot = lake(millions, folder, &store)?;
    let bytes: u64 = snapshot.files.iter().map(|file| file.bytes).sum();
    println!("{millions} M spans in {} files, {} bytes/span", snapshot.files.len(), bytes / (millions * 1_000_000));

    let config = EngineConfig::new(temporary.path().join("spill"), 512 << 20);
    let engine = Engine::new(config, Arc::new(Fixed(snapshot)), Arc::clone(store.objects()))?;
    let id = trace_id(millions * 500_000 + 7);
    let absent = "ab".repeat(16);
    let queries = [
        ("nothing", "SELECT 1".to_owned()),
        ("count", "SELECT count(*) FROM spans".to_owned()),
        ("count by service", "SELECT service_name, count(*) FROM spans GROUP BY service_name".to_owned()),
        (
            "count + p99 by service",
            "SELECT service_name, count(*), percentile(duration_ns, 0.99) FROM spans GROUP BY service_name".to_owned(),
        ),
        (
            "count + approx p99 by service",
            "SELECT service_name, count(*), approx_percentile_cont(duration_ns, 0.99) FROM spans GROUP BY service_name"
                .to_owned(),
        ),
        ("attribute = text", "SELECT count(*) FROM spans WHERE attributes['http.route'] = '/api/v1/resource-7'".to_owned()),
        ("attribute = rare text", "SELECT count(*) FROM spans WHERE attributes['user.id'] = 'user-77'".to_owned()),
        ("attribute >= number", "SELECT count(*) FROM spans WHERE attributes['http.response.status_code'] >= 500".to_owned()),
        ("group by attribute", "SELECT attributes['http.route'], count(*) FROM spans GROUP BY 1".to_owned()),
        ("absent attribute", "SELECT count(*) FROM spans WHERE attributes['no.such'] = 'x'".to_owned()),
        ("trace id", format!("SELECT span_id, name FROM spans WHERE trace_id = '{id}'")),
        ("trace id, all columns", format!("SELECT * FROM spans WHERE trace_id = '{id}'")),
        ("absent trace id", format!("SELECT span_id, name FROM spans WHERE trace_id = '{absent}'")),
        ("trace_spans", format!("SELECT * FROM trace_spans('{id}')")),
        ("newest 20", "SELECT * FROM spans ORDER BY start_time DESC LIMIT 20".to_owned()),
        (
            "newest slow 20",
            "SELECT trace_id, name, start_time FROM spans WHERE service_name = 'service-03' AND duration_ns > 40000000 ORDER BY start_time DESC LIMIT 20"
                .to_owned(),
        ),
        ("services", "SELECT * FROM services".to_owned()),
        ("all columns of 100k", "SELECT * FROM spans LIMIT 100000".to_owned()),
        ("four columns of all", "SELECT trace_id, name, start_time, duration_ns FROM spans".to_owned()),
    ];
    println!("{:<32} {:>9} {:>9} {:>9}  rows", "query", "first ms", "best ms", "median ms");
    for (name, sql) in queries {
        let mut times = Vec::new();
        let mut rows = 0;
        let begun = Instant::now();
        while times.len() < 3 || (times.len() < 20 && begun.elapsed() < Duration::from_secs(2)) {
            let started = Instant::now();
            let stream = engine.query(SqlRequest { sql: sql.clone(), ..SqlRequest::default() }).await?;
            let batches: Vec<RecordBatch> = stream.batches.try_collect().await?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
            rows = batches.iter().map(RecordBatch::num_rows).sum();
        }
        let first = times[0];
        times.sort_by(f64::total_cmp);
        println!("{name:<32} {first:>9.2} {:>9.2} {:>9.2}  {rows}", times[0], times[times.len() / 2]);
    }
    Ok(())
}
