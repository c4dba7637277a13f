use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::datatypes::TimestampNanosecondType;
use arrow::record_batch::RecordBatch;
use glasshouse_files::{
    FileCache, FileColumns, FileReader, FilesError, RowRanges, Store, WriteOptions, choose_shredded, write_sorted,
};
use glasshouse_model::TraceId;
use glasshouse_tables::{ColumnIds, DataFile, NewFile, ShredType, StatValue, Table};
use proptest::prelude::*;

use crate::merging::replace;
use crate::rows::{Source, as_text};

pub fn data_file(file: &NewFile, id: i64) -> Arc<DataFile> {
    Arc::new(DataFile {
        id,
        table: file.table,
        path: file.path.clone(),
        rows: file.rows,
        bytes: file.bytes,
        footer_bytes: file.footer_bytes,
        min_time: file.min_time,
        max_time: file.max_time,
    })
}

pub fn names(table: Table) -> Vec<&'static str> {
    table.columns().iter().map(|column| column.name).collect()
}

pub fn read_all(reader: &FileReader, table: Table) -> RecordBatch {
    let batch = reader.read(&names(table), &RowRanges::all(reader.rows())).unwrap();
    assert_eq!(batch.schema().fields(), table.stored_schema().fields());
    batch
}

pub fn small_row_groups() -> WriteOptions {
    WriteOptions { row_group_rows: 700, ..WriteOptions::flush() }
}

/// Ids as a catalog would give them.
pub fn ids_of(columns: &FileColumns) -> ColumnIds {
    fn add(prefix: &str, fields: &arrow::datatypes::Fields, paths: &mut Vec<String>) {
        use arrow::datatypes::DataType;
        for field in fields {
            let path = format!("{prefix}{}", field.name());
            paths.push(path.clone());
            match field.data_type() {
                DataType::List(item) => add(&format!("{path}."), &[Arc::clone(item)].into(), paths),
                DataType::Struct(fields) => add(&format!("{path}."), fields, paths),
                _ => {}
            }
        }
    }
    let mut paths = Vec::new();
    add("", columns.schema().fields(), &mut paths);
    paths.into_iter().zip(1..).collect()
}

fn check_round_trip(table: Table, seed: u64, sizes: &[usize]) {
    let mut source = Source::new(seed);
    let batches: Vec<_> = sizes.iter().map(|rows| source.batch(table, *rows)).collect();
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let shredded = choose_shredded(table, &batches);
    let columns = FileColumns::without_ids(table, &shredded);
    let columns = FileColumns::new(table, &shredded, &ids_of(&columns)).unwrap();
    assert_eq!(columns.shredded(), shredded);
    let files = write_sorted(&store, &columns, &batches, &small_row_groups()).unwrap();
    let cache = FileCache::new(store, 10 << 20);
    let mut found = Vec::new();
    for file in &files {
        let path = folder.path().join(&file.path);
        assert_eq!(path.metadata().unwrap().len(), file.bytes);
        let reader = cache.open(&data_file(file, 1)).unwrap();
        assert_eq!(reader.rows(), file.rows);
        let batch = read_all(&reader, table);
        let times = batch.column_by_name(table.time_column()).unwrap().as_primitive::<TimestampNanosecondType>();
        assert_eq!(arrow::compute::min(times), Some(file.min_time.nanos()));
        assert_eq!(arrow::compute::max(times), Some(file.max_time.nanos()));
        assert_sorted(table, &batch);
        found.extend(as_text(table, &batch));
    }
    let mut expected: Vec<String> = batches.iter().flat_map(|batch| as_text(table, batch)).collect();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
}

pub fn assert_sorted(table: Table, batch: &RecordBatch) {
    let order = table.sort_order();
    let times = batch.column_by_name(table.time_column()).unwrap().as_primitive::<TimestampNanosecondType>();
    let keys: Vec<_> = (0..batch.num_rows())
        .map(|row| {
            let bytes = |name: &&str| {
                let column = batch.column_by_name(name).unwrap();
                match column.as_string_opt::<i32>() {
                    Some(text) => text.value(row).as_bytes().to_vec(),
                    None => column.as_fixed_size_binary().value(row).to_vec(),
                }
            };
            let keys: Vec<Vec<u8>> = order.keys.iter().map(bytes).collect();
            (times.value(row).div_euclid(order.window.nanos()), keys, times.value(row))
        })
        .collect();
    assert!(keys.is_sorted());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5))]
    #[test]
    fn what_is_written_is_read(seed: u64, sizes in proptest::collection::vec(0usize..900, 1..5)) {
        for table in Table::ALL {
            check_round_trip(table, seed, &sizes);
        }
    }
}

#[test]
fn one_row_is_enough() {
    for table in Table::ALL {
        check_round_trip(table, 1, &[1]);
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let columns = FileColumns::without_ids(Table::Spans, &[]);
    assert_eq!(write_sorted(&store, &columns, &[], &WriteOptions::flush()).unwrap(), []);
}

#[test]
fn rows_go_to_a_file_for_each_hour() {
    let mut source = Source::new(5);
    source.seconds = 3 * 3600;
    let batch = source.batch(Table::Logs, 500);
    let folder = tempfile::tempdir().unwrap();
    let columns = FileColumns::without_ids(Table::Logs, &[]);
    let store = Store::local(folder.path()).unwrap();
    let files = write_sorted(&store, &columns, &[batch], &WriteOptions::flush()).unwrap();
    let folders: Vec<_> = files.iter().map(|file| file.path.rsplit_once('/').unwrap().0).collect();
    assert_eq!(folders, ["logs/2023-11-14/22", "logs/2023-11-14/23", "logs/2023-11-15/00", "logs/2023-11-15/01"]);
    assert_eq!(files.iter().map(|file| file.rows).sum::<u64>(), 500);
}

struct Written {
    folder: tempfile::TempDir,
    cache: FileCache,
    file: Arc<DataFile>,
    new: NewFile,
    columns: FileColumns,
    batch: RecordBatch,
}

fn written(table: Table, rows: usize) -> Written {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let batch = Source::new(7).batch(table, rows);
    let shredded = choose_shredded(table, std::slice::from_ref(&batch));
    let columns = FileColumns::without_ids(table, &shredded);
    let columns = FileColumns::new(table, &shredded, &ids_of(&columns)).unwrap();
    let new = write_sorted(&store, &columns, std::slice::from_ref(&batch), &small_row_groups()).unwrap().swap_remove(0);
    let cache = FileCache::new(store, 10 << 20);
    Written { folder, cache, file: data_file(&new, 1), new, columns, batch }
}

#[test]
fn frequent_keys_get_columns() {
    let written = written(Table::Spans, 3000);
    let names: Vec<String> = written.columns.shredded().iter().map(ToString::to_string).collect();
    for name in ["str:http.route", "int:http.response.status_code", "str:user.id", "double:ratio", "bool:cached"] {
        assert!(names.contains(&name.to_owned()), "{name} in {names:?}");
    }
    // Names that differ only in case would be one column to DuckDB.
    let lower: std::collections::HashSet<_> = names.iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(lower.len(), names.len());
    assert!(!names.iter().any(|name| name.contains('\t') || name.ends_with(':')), "{names:?}");
}

#[test]
fn traces_are_found_by_the_index() {
    let written = written(Table::Spans, 3000);
    let reader = written.cache.open(&written.file).unwrap();
    let all = read_all(&reader, Table::Spans);
    let ids = all.column(0).as_fixed_size_binary();
    let mut found = 0;
    for n in 0..ids.len() {
        let trace_id = TraceId::from_slice(ids.value(n)).unwrap();
        let rows = reader.trace_rows(&[trace_id]).unwrap();
        let expected: RowRanges = (0..all.num_rows() as u64)
            .filter(|row| ids.value(*row as usize) == trace_id.as_bytes())
            .map(|row| row..row + 1)
            .collect();
        assert_eq!(rows, expected);
        let part = reader.read(&["span_id", "attributes", "trace_id"], &rows).unwrap();
        assert_eq!(part.num_rows() as u64, rows.rows());
        assert!(part.column(2).as_fixed_size_binary().iter().flatten().all(|id| id == trace_id.as_bytes()));
        found += 1;
        if found == 60 {
            break;
        }
    }
    let absent = TraceId::from_bytes([0xee; 16]).unwrap();
    assert!(reader.trace_rows(&[absent]).unwrap().is_empty());
    assert!(written.cache.footer_figures().misses == 1 && written.cache.footer_figures().entries == 1);
}

#[test]
fn rows_far_apart_are_read_from_pages_of_few_rows() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let rows = 4000;
    let batch = Source::new(7).batch(Table::Logs, rows);
    // A page has so few of these that some have none of the rows.
    let wide: StringArray = (0..rows).map(|row| Some(format!("{row:03000}"))).collect();
    let batch = replace(&batch, "body", Arc::new(wide));
    let columns = FileColumns::without_ids(Table::Logs, &[]);
    let new = write_sorted(&store, &columns, &[batch], &WriteOptions::flush()).unwrap().swap_remove(0);
    let reader = FileCache::new(store, 10 << 20).open(&data_file(&new, 1)).unwrap();
    let all = reader.read(&["body"], &RowRanges::all(reader.rows())).unwrap();
    let bodies = all.column(0).as_string::<i32>();
    for step in [2, 17, 29, 30, 31, 60, 333] {
        let wanted: Vec<usize> = (0..reader.row_group(0).end as usize).skip(5).step_by(step).collect();
        let ranges: RowRanges = wanted.iter().map(|row| *row as u64..*row as u64 + 1).collect();
        let expected: StringArray = wanted.iter().map(|row| Some(bodies.value(*row))).collect();
        let read = reader.read(&["body"], &ranges).unwrap();
        assert_eq!(read.column(0).as_string::<i32>(), &expected, "one in {step}");
        let divided = reader.read_divided(0, &["body"], &ranges).unwrap();
        assert_eq!(divided.column(0).as_string::<i32>(), &expected, "one in {step}");
    }
}

#[test]
fn columns_come_decoded_and_cached() {
    let written = written(Table::Spans, 3000);
    let reader = written.cache.open(&written.file).unwrap();
    let all = read_all(&reader, Table::Spans);
    let mut row = 0;
    for row_group in 0..reader.row_groups() {
        let services = reader.column(row_group, "service_name").unwrap().unwrap();
        assert_eq!(services.data_type().to_string(), "Dictionary(UInt8, Utf8)");
        let text = arrow::compute::cast(&services, &arrow::datatypes::DataType::Utf8).unwrap();
        assert_eq!(text.as_ref(), all.column_by_name("service_name").unwrap().slice(row, text.len()).as_ref());
        let durations = reader.column(row_group, "duration_ns").unwrap().unwrap();
        assert_eq!(durations.as_ref(), all.column_by_name("duration_ns").unwrap().slice(row, text.len()).as_ref());
        row += text.len();
        assert!(reader.column(row_group, "str:nobody.has.it").unwrap().is_none());
        assert_eq!(reader.column(row_group, "str:user.id").unwrap().unwrap().len(), text.len());
    }
    assert_eq!(row, 3000);
    let before = written.cache.column_figures();
    reader.column(0, "service_name").unwrap();
    assert_eq!(written.cache.column_figures().hits, before.hits + 1);
    written.cache.forget(&written.file.path);
    assert_eq!(written.cache.column_figures().bytes, 0);
}

#[test]
fn statistics_are_those_of_the_rows() {
    let written = written(Table::Spans, 3000);
    let ids = ids_of(&written.columns);
    let stats = |name: &str| written.new.columns.iter().find(|s| Some(s.column_id) == ids.get(name)).unwrap();
    assert_eq!(written.new.columns.len(), written.columns.schema().fields().len());
    let start = stats("start_time");
    assert_eq!(start.min, Some(StatValue::Time(written.new.min_time)));
    assert_eq!(start.max, Some(StatValue::Time(written.new.max_time)));
    assert_eq!((start.values, start.nulls), (3000, 0));
    let parents = written.batch.column_by_name("parent_span_id").unwrap();
    let parent = stats("parent_span_id");
    assert_eq!((parent.nulls, parent.min.as_ref()), (parents.null_count() as u64, None));
    assert_eq!(stats("service_name").min, Some(StatValue::Text("cart".into())));
    assert_eq!(stats("int:http.response.status_code").max, Some(StatValue::Int(203)));
    assert!(stats("trace_id").bytes > 0);
}

#[test]
fn columns_without_id_stay_in_the_json() {
    let batch = Source::new(9).batch(Table::Spans, 500);
    let shredded = choose_shredded(Table::Spans, std::slice::from_ref(&batch));
    let ids = ids_of(&FileColumns::without_ids(Table::Spans, &[]));
    let columns = FileColumns::new(Table::Spans, &shredded, &ids).unwrap();
    assert_eq!(columns.shredded(), []);
    assert!(shredded.iter().any(|column| column.kind == ShredType::String));
    let missing = FileColumns::new(Table::Logs, &[], &ids).unwrap_err();
    assert_eq!(missing.to_string(), "the catalog has no column time of logs");
}

#[test]
fn missing_and_damaged_files_are_named() {
    let written = written(Table::Spans, 2000);
    let path = written.folder.path().join(&written.file.path);
    let bytes = std::fs::read(&path).unwrap();
    let fresh = || FileCache::new(written.cache.store().clone(), 1 << 20);
    let check = |damaged: &[u8]| {
        std::fs::write(&path, damaged).unwrap();
        let names = names(Table::Spans);
        let result = fresh().open(&written.file).and_then(|reader| reader.read(&names, &RowRanges::all(2000)));
        if let Err(error) = &result {
            assert!(error.to_string().contains(&written.file.path), "{error}");
        }
        result.is_err()
    };
    assert!(!check(&bytes));
    for cut in [0, 1, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(check(&bytes[..cut]), "cut to {cut}");
    }
    for at in [bytes.len() - 4, bytes.len() - 8, bytes.len() - 40] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xff;
        check(&damaged);
    }
    std::fs::remove_file(&path).unwrap();
    let error = fresh().open(&written.file).unwrap_err();
    assert!(matches!(&error, FilesError::Missing { path } if *path == written.file.path), "{error}");
}
