use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringArray, TimestampNanosecondArray, new_null_array};
use arrow::datatypes::TimestampNanosecondType;
use arrow::record_batch::RecordBatch;
use glasshouse_files::{
    FileCache, FileColumns, Store, WriteOptions, choose_merged, choose_shredded, merge, write_sorted,
};
use glasshouse_tables::{DataFile, ShreddedColumn, Table};
use parquet::basic::Compression;
use proptest::prelude::*;

use crate::rows::{START, Source, as_text};
use crate::writing::{assert_sorted, data_file, ids_of, read_all, small_row_groups};

pub fn replace(batch: &RecordBatch, name: &str, array: ArrayRef) -> RecordBatch {
    let mut columns = batch.columns().to_vec();
    columns[batch.schema().index_of(name).unwrap()] = array;
    RecordBatch::try_new(batch.schema(), columns).unwrap()
}

fn accepted_at(batch: &RecordBatch, nanos: i64) -> RecordBatch {
    let times = TimestampNanosecondArray::from_value(nanos, batch.num_rows()).with_timezone("UTC");
    replace(batch, "ingest_time", Arc::new(times))
}

fn times(batch: &RecordBatch, name: &str) -> TimestampNanosecondArray {
    batch.column_by_name(name).unwrap().as_primitive::<TimestampNanosecondType>().clone()
}

fn id<'a>(batch: &'a RecordBatch, name: &str, row: usize) -> &'a [u8] {
    batch.column_by_name(name).unwrap().as_fixed_size_binary().value(row)
}

/// The rows that a merge keeps, worked out row by row.
fn expected(table: Table, batches: &[RecordBatch]) -> Vec<String> {
    let rows = batches.iter().flat_map(|batch| {
        let text = as_text(table, batch);
        text.into_iter().enumerate().map(move |(row, text)| (batch, row, text))
    });
    let mut kept: Vec<String> = match table {
        Table::Logs | Table::Metrics => rows.map(|(_, _, text)| text).collect(),
        Table::SpanEvents | Table::SpanLinks => {
            let mut first = BTreeMap::new();
            for (_, _, text) in rows {
                let (same, _) = text.rsplit_once("ingest_time=").unwrap();
                first.entry(same.to_owned()).or_insert(text);
            }
            first.into_values().collect()
        }
        Table::Spans => {
            let mut best: BTreeMap<_, (_, String)> = BTreeMap::new();
            for (batch, row, text) in rows {
                let window = times(batch, "start_time").value(row).div_euclid(1_000_000_000);
                let key = (window, id(batch, "trace_id", row).to_vec(), id(batch, "span_id", row).to_vec());
                let rank = (times(batch, "end_time").is_valid(row), times(batch, "ingest_time").value(row));
                match best.get(&key) {
                    Some((other, _)) if *other >= rank => {}
                    _ => drop(best.insert(key, (rank, text))),
                }
            }
            best.into_values().map(|(_, text)| text).collect()
        }
        Table::Processes => {
            let mut latest: BTreeMap<Vec<u8>, (_, String)> = BTreeMap::new();
            let mut earliest: BTreeMap<Vec<u8>, (i64, Option<i64>)> = BTreeMap::new();
            for (batch, row, text) in rows {
                let key = id(batch, "process_id", row).to_vec();
                let starts = times(batch, "start_time");
                let start = starts.is_valid(row).then(|| starts.value(row));
                let seen = times(batch, "first_seen").value(row);
                let first = earliest.entry(key.clone()).or_insert((seen, start));
                *first = (first.0.min(seen), [first.1, start].into_iter().flatten().min());
                let updated = (times(batch, "last_update_time").value(row), times(batch, "ingest_time").value(row));
                match latest.get(&key) {
                    Some((other, _)) if *other >= updated => {}
                    _ => drop(latest.insert(key, (updated, text))),
                }
            }
            // Compared without the two columns that are the earliest of all rows.
            latest
                .into_iter()
                .map(|(key, (_, text))| format!("{:?} {}", earliest[&key], without_earliest(&text)))
                .collect()
        }
    };
    kept.sort_unstable();
    kept
}

fn without_earliest(text: &str) -> String {
    let (before, rest) = text.split_once("start_time=").unwrap();
    let (_, after) = rest.split_once("last_update_time=").unwrap();
    format!("{before}{after}")
}

fn found(table: Table, batch: &RecordBatch) -> Vec<String> {
    let text = as_text(table, batch);
    if table != Table::Processes {
        return text;
    }
    let (starts, seen) = (times(batch, "start_time"), times(batch, "first_seen"));
    text.iter()
        .enumerate()
        .map(|(row, text)| {
            let start = starts.is_valid(row).then(|| starts.value(row));
            format!("{:?} {}", (seen.value(row), start), without_earliest(text))
        })
        .collect()
}

struct Lake {
    _folder: tempfile::TempDir,
    store: Store,
}

impl Lake {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path()).unwrap();
        Self { _folder: folder, store }
    }

    fn write(&self, table: Table, batch: &RecordBatch, shredded: &[ShreddedColumn], id: i64) -> Option<Arc<DataFile>> {
        let columns = FileColumns::without_ids(table, shredded);
        let options = small_row_groups();
        let files = write_sorted(&self.store, &columns, std::slice::from_ref(batch), &options).unwrap();
        files.first().map(|file| data_file(file, id))
    }
}

fn check(table: Table, seed: u64, sizes: &[usize], options: &WriteOptions) {
    let lake = Lake::new();
    let mut batches = Vec::new();
    for (n, rows) in sizes.iter().enumerate() {
        let mut source = Source::new(seed + n as u64);
        source.seconds = 3;
        batches.push(accepted_at(&source.batch(table, *rows), START + n as i64));
    }
    // Some rows come again, later; of spans, first open, then complete.
    if let Some(first) = batches.first() {
        let again = first.slice(0, first.num_rows() / 2);
        batches.push(accepted_at(&again, START + 50));
        if table == Table::Spans {
            let open = replace(
                &again,
                "end_time",
                new_null_array(again.column_by_name("end_time").unwrap().data_type(), again.num_rows()),
            );
            let open =
                replace(&open, "duration_ns", new_null_array(&arrow::datatypes::DataType::Int64, again.num_rows()));
            batches.push(accepted_at(&open, START + 60));
        }
    }
    let cache = FileCache::new(lake.store.clone(), 10 << 20);
    let files: Vec<_> = batches
        .iter()
        .enumerate()
        .filter_map(|(n, batch)| {
            // Files that shred different keys.
            let mut shredded = choose_shredded(table, std::slice::from_ref(batch));
            shredded.truncate(shredded.len() * n / 3);
            lake.write(table, batch, &shredded, n as i64)
        })
        .collect();
    let shredded = choose_merged(&cache, &files).unwrap();
    let ids = ids_of(&FileColumns::without_ids(table, &shredded));
    let columns = FileColumns::new(table, &shredded, &ids).unwrap();
    let merged = merge(&cache, &files, &columns, options).unwrap();
    let mut kept = Vec::new();
    let mut parts = Vec::new();
    for file in &merged.files {
        let reader = cache.open(&data_file(file, 100)).unwrap();
        assert_eq!(reader.columns().shredded(), columns.shredded());
        let batch = read_all(&reader, table);
        kept.extend(found(table, &batch));
        parts.push(batch);
    }
    if let Some(first) = parts.first() {
        assert_sorted(table, &arrow::compute::concat_batches(&first.schema(), &parts).unwrap());
    }
    kept.sort_unstable();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(merged.dropped as usize + kept.len(), rows);
    let expected = expected(table, &batches);
    for (kept, expected) in kept.iter().zip(&expected) {
        assert_eq!(kept, expected);
    }
    assert_eq!(kept.len(), expected.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5))]
    #[test]
    fn a_merge_is_the_sorted_union_without_duplicates(
        seed in 0..u64::MAX / 2,
        sizes in proptest::collection::vec(1usize..700, 1..6),
    ) {
        for table in Table::ALL {
            check(table, seed, &sizes, &small_row_groups());
        }
    }
}

#[test]
fn merged_files_are_cut_by_rows() {
    let options = WriteOptions { file_rows: 9000, ..WriteOptions::merge() };
    check(Table::Logs, 3, &[12_000, 9000], &options);
}

#[test]
fn frequent_keys_get_their_column_in_the_end() {
    let lake = Lake::new();
    let cache = FileCache::new(lake.store.clone(), 10 << 20);
    let mut source = Source::new(1);
    let files: Vec<_> =
        (0..3).filter_map(|n| lake.write(Table::Spans, &source.batch(Table::Spans, 300), &[], n)).collect();
    let shredded = choose_merged(&cache, &files).unwrap();
    let names: Vec<String> = shredded.iter().map(ToString::to_string).collect();
    assert!(names.contains(&"str:http.route".to_owned()), "{names:?}");
    let merged =
        merge(&cache, &files, &FileColumns::without_ids(Table::Spans, &shredded), &WriteOptions::merge()).unwrap();
    let reader = cache.open(&data_file(&merged.files[0], 9)).unwrap();
    let routes = reader.column(0, "str:http.route").unwrap().unwrap();
    assert!(routes.null_count() < routes.len() / 5, "{} of {}", routes.null_count(), routes.len());
}

#[test]
fn a_column_that_is_constant_in_the_first_rows_only_is_compressed() {
    let lake = Lake::new();
    let cache = FileCache::new(lake.store.clone(), 10 << 20);
    let write = |n: i64| {
        let batch = Source::new(n as u64).batch(Table::Metrics, 9000);
        // Rows lie by name, those of `cpu` first: a third of them.
        let names = batch.column_by_name("name").unwrap().as_string::<i32>().iter().flatten();
        let units = names.enumerate().map(|(row, name)| match name {
            "cpu" => "%".to_owned(),
            _ => format!("unit {}", row % 100),
        });
        let units = StringArray::from_iter_values(units);
        lake.write(Table::Metrics, &replace(&batch, "unit", Arc::new(units)), &[], n).unwrap()
    };
    let files = [write(0), write(1)];
    let merged = merge(&cache, &files, &FileColumns::without_ids(Table::Metrics, &[]), &WriteOptions::merge()).unwrap();
    for file in [Arc::clone(&files[0]), data_file(&merged.files[0], 9)] {
        let reader = cache.open(&file).unwrap();
        let is_compressed = |name: &str| {
            let mut chunks = reader.metadata().row_group(0).columns().iter();
            let chunk = chunks.find(|chunk| chunk.column_path().string() == name).unwrap();
            chunk.compression() != Compression::UNCOMPRESSED
        };
        assert!(is_compressed("unit") && !is_compressed("description"), "{}", file.path);
    }
}

#[test]
fn a_giant_trace_is_merged() {
    let mut source = Source::new(2);
    source.seconds = 1;
    let lake = Lake::new();
    let batch = source.batch(Table::Spans, 80_000);
    let ids =
        arrow::array::FixedSizeBinaryArray::try_from_iter(std::iter::repeat_n([7u8; 16], batch.num_rows())).unwrap();
    let batch = replace(&batch, "trace_id", Arc::new(ids));
    let files: Vec<_> = (0..2).filter_map(|n| lake.write(Table::Spans, &batch, &[], n)).collect();
    let cache = FileCache::new(lake.store.clone(), 10 << 20);
    let merged = merge(&cache, &files, &FileColumns::without_ids(Table::Spans, &[]), &WriteOptions::merge()).unwrap();
    assert_eq!(merged.files[0].rows + merged.dropped, 160_000);
    assert!(merged.dropped >= 80_000 - 2, "{}", merged.dropped);
}

#[test]
fn nothing_merges_to_nothing() {
    let lake = Lake::new();
    let cache = FileCache::new(lake.store.clone(), 1 << 20);
    let merged = merge(&cache, &[], &FileColumns::without_ids(Table::Spans, &[]), &WriteOptions::merge()).unwrap();
    assert!(merged.files.is_empty());
}
