//! The point questions over a settled lake of 2,000,000 spans and a hot buffer of 100,000, all caches warm:
//! `cargo bench -p glasshouse-traces`.
#![expect(missing_docs, reason = "criterion makes the public items")]

#[path = "../../files/benches/workload.rs"]
mod workload;

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::concat_batches;
use async_trait::async_trait;
use criterion::{Criterion, criterion_group, criterion_main};
use glasshouse_files::{FileCache, FileColumns, Store, WriteOptions, choose_shredded, write_sorted};
use glasshouse_model::{AttributeFilter, DurationNs, TraceFilter, TraceId};
use glasshouse_tables::ports::{QueryError, TraceStore};
use glasshouse_tables::{Batches, DataFile, Snapshot, SnapshotSource, Table};
use glasshouse_traces::Traces;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SPANS: usize = 2_000_000;
const HOT: usize = 100_000;
/// A fifth of the default memory limit.
const CACHE: u64 = 100 << 20;

struct Still(Arc<Snapshot>);

#[async_trait]
impl SnapshotSource for Still {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0)
    }

    async fn snapshot_at(&self, _id: i64) -> Result<Arc<Snapshot>, QueryError> {
        Ok(Arc::clone(&self.0))
    }
}

fn questions(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::local(folder.path()).expect("a folder");
    let batches = workload::batches(SPANS, 1);
    let ids: Vec<TraceId> = batches
        .iter()
        .step_by(20)
        .map(|batch| TraceId::from_slice(batch.column(0).as_fixed_size_binary().value(0)).expect("an id"))
        .collect();
    let columns = FileColumns::without_ids(Table::Spans, &choose_shredded(Table::Spans, &batches));
    let new = write_sorted(&store, &columns, &batches, &WriteOptions::merge()).expect("files");
    let files = new.iter().map(|file| {
        Arc::new(DataFile {
            id: 0,
            table: file.table,
            path: file.path.clone(),
            rows: file.rows,
            bytes: file.bytes,
            footer_bytes: file.footer_bytes,
            min_time: file.min_time,
            max_time: file.max_time,
        })
    });
    let hot = workload::batches(HOT, 2);
    let hot = hot.chunks(16).map(|batches| {
        let mut hot = Batches::default();
        hot.set(Table::Spans, concat_batches(&Table::Spans.stored_schema(), batches).expect("one schema"));
        Arc::new(hot)
    });
    let snapshot = Arc::new(Snapshot { id: 1, hot: hot.collect(), files: Arc::new(files.collect()) });
    drop(batches);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().expect("a runtime");
    let fresh = || Traces::new(Arc::new(Still(Arc::clone(&snapshot))), FileCache::new(store.clone(), CACHE));
    let traces = fresh();

    let mut next = ids.iter().cycle();
    c.bench_function("trace", |b| {
        b.iter(|| {
            let id = *next.next().expect("cycles");
            black_box(runtime.block_on(traces.trace(id)).expect("an answer").expect("a trace"))
        });
    });
    c.bench_function("trace, nothing cached", |b| {
        b.iter_with_setup(fresh, |traces| {
            let id = *next.next().expect("cycles");
            black_box(runtime.block_on(traces.trace(id)).expect("an answer").expect("a trace"))
        });
    });
    let absent = TraceId::from_slice(&[7; 16]).expect("an id");
    c.bench_function("absent trace", |b| {
        b.iter(|| black_box(runtime.block_on(traces.trace(absent)).expect("an answer")));
    });

    let milliseconds = |n: i64| Some(DurationNs::from_nanos(n * 1_000_000));
    let service = |name: &str| TraceFilter { service: Some(name.to_owned()), limit: 20, ..TraceFilter::default() };
    let operation = TraceFilter { operation: Some("checkout.operation-42".to_owned()), ..service("checkout") };
    let user = AttributeFilter { key: "user.id".to_owned(), value: "user-4711".to_owned() };
    let filters = [
        ("newest", TraceFilter { limit: 20, ..TraceFilter::default() }),
        ("operation over 100 ms", TraceFilter { min_duration: milliseconds(100), ..operation.clone() }),
        ("operation, rare", TraceFilter { min_duration: milliseconds(180), ..operation.clone() }),
        ("operation, none", TraceFilter { min_duration: milliseconds(1000), ..operation }),
        ("errors of a service", TraceFilter { error: Some(true), ..service("payment") }),
        ("service and user", TraceFilter { attributes: vec![user], ..service("cart") }),
    ];
    for (name, filter) in filters {
        let found = runtime.block_on(traces.find_traces(&filter)).expect("an answer").traces.len();
        c.bench_function(&format!("search: {name} ({found} found)"), |b| {
            b.iter(|| black_box(runtime.block_on(traces.find_traces(&filter)).expect("an answer")));
        });
    }
    let mut deep = TraceFilter { limit: 20, ..TraceFilter::default() };
    for _ in 0..50 {
        deep.cursor = runtime.block_on(traces.find_traces(&deep)).expect("an answer").next_cursor;
    }
    c.bench_function("search: newest, page 51", |b| {
        b.iter(|| black_box(runtime.block_on(traces.find_traces(&deep)).expect("an answer")));
    });
}

criterion_group! { name = benches; config = Criterion::default().sample_size(20); targets = questions }
criterion_main!(benches);
