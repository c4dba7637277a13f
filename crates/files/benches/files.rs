//! How fast files are written, merged and read. Figures are per span: `cargo bench -p glasshouse-files`.
#![expect(missing_docs, reason = "criterion makes the public items")]

mod workload;

use std::hint::black_box;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{ArrowDictionaryKeyType, Int64Type, TimestampNanosecondType, UInt8Type};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use glasshouse_files::{
    FileCache, FileColumns, FileReader, Store, WriteOptions, choose_merged, choose_shredded, merge, write_sorted,
};
use glasshouse_model::TraceId;
use glasshouse_tables::{DataFile, NewFile, Table};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Spans of a flush.
const FLUSH: usize = 100_000;
/// Spans of a large file.
const LARGE: usize = 2_000_000;

fn data_file(file: &NewFile) -> Arc<DataFile> {
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
}

fn writing(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::local(folder.path()).expect("a store");
    let batches = workload::batches(FLUSH, 1);
    let rows: usize = batches.iter().map(arrow::record_batch::RecordBatch::num_rows).sum();
    let mut group = c.benchmark_group("write");
    group.sample_size(10).throughput(Throughput::Elements(rows as u64));
    group.bench_function("choose, sort, shred and encode a flush", |b| {
        b.iter(|| {
            let columns = FileColumns::without_ids(Table::Spans, &choose_shredded(Table::Spans, &batches));
            write_sorted(&store, &columns, &batches, &WriteOptions::flush()).expect("files are written")
        });
    });
    group.finish();
}

fn flushes(store: &Store, count: u64) -> Vec<Arc<DataFile>> {
    (0..count)
        .flat_map(|seed| {
            let batches = workload::batches(FLUSH, seed);
            let columns = FileColumns::without_ids(Table::Spans, &choose_shredded(Table::Spans, &batches));
            write_sorted(store, &columns, &batches, &WriteOptions::flush()).expect("files are written")
        })
        .map(|file| data_file(&file))
        .collect()
}

fn merging(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::local(folder.path()).expect("a store");
    let mut group = c.benchmark_group("merge");
    for count in [4, 20] {
        let files = flushes(&store, count);
        let rows: u64 = files.iter().map(|file| file.rows).sum();
        let cache = FileCache::new(store.clone(), 64 << 20);
        let columns = FileColumns::without_ids(Table::Spans, &choose_merged(&cache, &files).expect("files are read"));
        group.sample_size(10).throughput(Throughput::Elements(rows));
        group.bench_with_input(BenchmarkId::new("flushes", count), &files, |b, files| {
            b.iter(|| merge(&cache, files, &columns, &WriteOptions::merge()).expect("files are merged"));
        });
    }
    group.finish();
}

fn large_file(store: &Store) -> Arc<DataFile> {
    let batches = workload::batches(LARGE, 9);
    let columns = FileColumns::without_ids(Table::Spans, &choose_shredded(Table::Spans, &batches));
    let files = write_sorted(store, &columns, &batches, &WriteOptions::merge()).expect("files are written");
    data_file(files.iter().max_by_key(|file| file.rows).expect("there is a file"))
}

fn reading(c: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::local(folder.path()).expect("a store");
    let file = large_file(&store);
    let cache = FileCache::new(store, 512 << 20);
    let reader = cache.open(&file).expect("the file opens");
    let names: Vec<_> = Table::Spans.columns().iter().map(|column| column.name).collect();
    let trace_ids: Vec<TraceId> = (0..reader.rows())
        .step_by(200_003)
        .map(|row| {
            let batch = reader.read(&["trace_id"], &std::iter::once(row..row + 1).collect()).expect("rows are read");
            TraceId::from_slice(batch.column(0).as_fixed_size_binary().value(0)).expect("an id")
        })
        .collect();
    let mut next = trace_ids.iter().cycle();
    let mut group = c.benchmark_group("read");
    group.bench_function("a trace, all columns", |b| {
        b.iter(|| {
            let rows = reader.trace_rows(&[*next.next().expect("ids go round")]).expect("the index is read");
            reader.read(&names, &rows).expect("rows are read")
        });
    });
    group.bench_function("an absent trace", |b| {
        let absent = TraceId::from_bytes([7; 16]).expect("an id");
        b.iter(|| reader.trace_rows(&[absent]).expect("the index is read"));
    });
    group.bench_function("footer and indexes", |b| {
        b.iter(|| FileCache::new(cache.store().clone(), 1 << 20).open(&file).expect("the file opens"));
    });
    group.sample_size(20).throughput(Throughput::Elements(reader.rows()));
    group.bench_function("scan service, name, duration and start, warm", |b| b.iter(|| scan(&reader)));
    group.bench_function("decode service, name, duration and start, cold", |b| {
        b.iter(|| scan(&FileCache::new(cache.store().clone(), 512 << 20).open(&file).expect("the file opens")));
    });
    group.finish();
}

/// Counts the spans of a service and an operation above 100 ms in the newest half of the file.
fn scan(reader: &FileReader) -> usize {
    let mut found = 0;
    for row_group in 0..reader.row_groups() {
        let column = |name| reader.column(row_group, name).expect("columns decode").expect("the file has it");
        let services = codes::<UInt8Type>(&column("service_name"), "cart");
        let names = codes::<UInt8Type>(&column("name"), "nothing");
        let durations = column("duration_ns");
        let durations = durations.as_primitive::<Int64Type>().values();
        let starts = column("start_time");
        let starts = starts.as_primitive::<TimestampNanosecondType>().values();
        let rows = services.0.iter().zip(names.0.iter()).zip(durations.iter().zip(starts));
        found += rows
            .filter(|((service, name), (duration, start))| {
                **service == services.1 && **name == names.1 && **duration > 100_000_000 && **start > 0
            })
            .count();
    }
    black_box(found)
}

fn codes<K: ArrowDictionaryKeyType>(
    column: &dyn Array,
    wanted: &str,
) -> (arrow::buffer::ScalarBuffer<K::Native>, K::Native) {
    use arrow::datatypes::ArrowNativeType;
    let dictionary = column.as_dictionary::<K>();
    let code = dictionary.values().as_string::<i32>().iter().position(|value| value == Some(wanted));
    let code = K::Native::from_usize(code.unwrap_or_default()).expect("codes fit their type");
    (dictionary.keys().values().clone(), code)
}

/// Not a measurement of time: what each column takes.
fn sizes(_: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::local(folder.path()).expect("a store");
    let file = large_file(&store);
    let reader = FileCache::new(store, 64 << 20).open(&file).expect("the file opens");
    let rows = file.rows as f64;
    let mut columns: Vec<(f64, String)> = Vec::new();
    for leaf in 0..reader.metadata().file_metadata().schema_descr().num_columns() {
        let chunks: Vec<_> = reader.metadata().row_groups().iter().map(|group| group.column(leaf)).collect();
        let bytes: i64 = chunks.iter().map(|chunk| chunk.compressed_size()).sum();
        let encodings: Vec<_> = chunks[0].encodings().collect();
        columns.push((bytes as f64 / rows, format!("{} {encodings:?}", chunks[0].column_path().string())));
    }
    columns.sort_by(|a, b| b.0.total_cmp(&a.0));
    println!("{:.2} bytes a span, footer {:.2}", file.bytes as f64 / rows, file.footer_bytes as f64 / rows);
    for (bytes, column) in columns.iter().filter(|(bytes, _)| *bytes >= 0.01) {
        println!("{bytes:8.3}  {column}");
    }
}

criterion_group!(benches, sizes, writing, merging, reading);
criterion_main!(benches);
