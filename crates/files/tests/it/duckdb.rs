//! DuckDB reads the files without us. Skipped where DuckDB for Python is not installed.

use std::fmt::Write;
use std::process::Command;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, TimestampNanosecondType};
use arrow::record_batch::RecordBatch;
use glasshouse_files::{FileColumns, Store, choose_shredded, write_sorted};
use glasshouse_model::ProcessId;
use glasshouse_tables::Table;
use glasshouse_tables::attributes::{self, ValueRef};

use crate::rows::Source;
use crate::writing::{ids_of, small_row_groups};

/// Each row in the form that the script asks DuckDB for.
fn lines(table: Table, batch: &RecordBatch) -> Vec<String> {
    let column = |name: &str| batch.column_by_name(name).unwrap();
    let nanos = |name: &str, row| column(name).as_primitive::<TimestampNanosecondType>().value(row);
    let process = |row| ProcessId::from_slice(column("process_id").as_fixed_size_binary().value(row)).unwrap();
    let line = |row: usize| match table {
        Table::Spans => {
            let id = column("trace_id").as_fixed_size_binary().value(row);
            let id = id.iter().fold(String::new(), |mut hex, byte| {
                write!(hex, "{byte:02X}").unwrap();
                hex
            });
            let durations = column("duration_ns").as_primitive::<Int64Type>();
            let duration = if durations.is_valid(row) { durations.value(row).to_string() } else { "-".into() };
            let route = match attributes::get(column("attributes").as_binary::<i32>().value(row), "http.route") {
                Some(ValueRef::String(route)) => route,
                _ => "-",
            };
            format!("{id} {} {} {duration} {route}", process(row), nanos("start_time", row))
        }
        Table::Logs => format!("{} {}", nanos("time", row), column("body").as_string::<i32>().value(row)),
        Table::Metrics => {
            let counts = column("bucket_counts").as_list::<i32>();
            let count = if counts.is_valid(row) { counts.value(row).len().to_string() } else { "-".into() };
            format!("{} {count}", nanos("time", row))
        }
        Table::Processes => format!("{} {}", process(row), nanos("first_seen", row)),
        Table::SpanEvents | Table::SpanLinks => String::new(),
    };
    match table {
        Table::SpanEvents | Table::SpanLinks => vec![batch.num_rows().to_string()],
        _ => (0..batch.num_rows()).map(line).collect(),
    }
}

#[test]
fn duckdb_reads_what_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::local(folder.path()).unwrap();
    let mut expected = serde_json::Map::new();
    for table in Table::ALL {
        let batch = Source::new(11).batch(table, 3000);
        let shredded = choose_shredded(table, std::slice::from_ref(&batch));
        let ids = ids_of(&FileColumns::without_ids(table, &shredded));
        let columns = FileColumns::new(table, &shredded, &ids).unwrap();
        let files = write_sorted(&store, &columns, std::slice::from_ref(&batch), &small_row_groups()).unwrap();
        let files: Vec<_> = files.iter().map(|file| folder.path().join(&file.path).display().to_string()).collect();
        expected.insert(table.name().into(), serde_json::json!({ "files": files, "rows": lines(table, &batch) }));
    }
    let path = folder.path().join("expected.json");
    std::fs::write(&path, serde_json::to_string(&expected).unwrap()).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/duckdb/read_files.py");
    let Ok(output) = Command::new("python3").arg(script).arg(&path).output() else {
        eprintln!("skipped: there is no python3");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) => {}
        Some(2) => eprintln!("skipped: {said}"),
        _ => panic!("{said}"),
    }
}
