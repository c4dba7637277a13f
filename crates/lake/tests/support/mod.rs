//! A wire format for tests, and reading everything back that a lake holds.

#![allow(clippy::unwrap_used, reason = "only tests use it")]

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use glasshouse_files::{FileCache, FilesError, RowRanges, Store};
use glasshouse_model::{Clock, ProcessId, Severity, SpanId, SpanKind, StatusCode, SystemClock, Timestamp, TraceId};
use glasshouse_tables::attributes::ValueRef;
use glasshouse_tables::ports::{DecodeError, Decoded, Decoder, Submission, WireFormat};
use glasshouse_tables::{
    Batches, LogRow, LogsBuilder, ProcessRow, ProcessesBuilder, Snapshot, SpanRow, SpansBuilder, Table,
};
use tempfile::TempDir;
use uuid::Uuid;

/// Rows `first..first + count` as spans and as logs, and their process. The text may go on after the two numbers.
#[derive(Debug)]
pub struct Numbers;

/// The column that holds a row's number, in spans and in logs.
const NUMBER: &str = "flags";

impl Decoder for Numbers {
    fn decode(&self, _: WireFormat, body: &[u8], received: Timestamp) -> Result<Decoded, DecodeError> {
        let wrong = || DecodeError { what: "not two numbers".into(), place: "byte 0".into() };
        let text = str::from_utf8(body).map_err(|_| wrong())?;
        let mut words = text.split(' ').map(str::parse::<u32>);
        let (Some(Ok(first)), Some(Ok(count))) = (words.next(), words.next()) else { return Err(wrong()) };
        let mut batches = Batches::default();
        let process_id = ProcessId(Uuid::from_u128(u128::from(first % 3)));
        let (mut spans, mut logs) = (SpansBuilder::with_capacity(count as usize), LogsBuilder::default());
        for number in first..first + count {
            // Of two hours, so that there is more than one partition.
            let time = Timestamp::from_nanos(1_700_000_000_000_000_000 + i64::from(number % 2) * 3_600_000_000_000);
            spans.push(&span(number, process_id, time));
            logs.push(&log(number, process_id, time));
        }
        let mut processes = ProcessesBuilder::default();
        processes.push(&ProcessRow {
            process_id,
            service_name: "numbers",
            start_time: None,
            first_seen: received,
            last_update_time: received,
            parent_process_id: None,
            resource: b"",
        });
        batches.set(Table::Spans, spans.finish(received));
        batches.set(Table::Logs, logs.finish(received));
        batches.set(Table::Processes, processes.finish(received));
        Ok(Decoded { batches, accepted: 2 * count as usize, ..Decoded::default() })
    }
}

fn span(number: u32, process_id: ProcessId, start_time: Timestamp) -> SpanRow<'static> {
    let id = u64::from(number) + 1;
    SpanRow {
        trace_id: TraceId::from_bytes(u128::from(id / 8 + 1).to_be_bytes()).unwrap(),
        span_id: SpanId::from_bytes(id.to_be_bytes()).unwrap(),
        parent_span_id: None,
        process_id,
        service_name: "numbers",
        name: "count",
        kind: SpanKind::Internal,
        start_time,
        end_time: Some(start_time),
        status_code: StatusCode::Unset,
        status_message: "",
        thread_id: None,
        thread_name: None,
        scope_name: "",
        scope_version: "",
        trace_state: "",
        flags: number,
        attributes: b"",
        dropped_attributes_count: 0,
        dropped_events_count: 0,
        dropped_links_count: 0,
        sample_weight: 1.0,
    }
}

fn log(number: u32, process_id: ProcessId, time: Timestamp) -> LogRow<'static> {
    LogRow {
        time,
        observed_time: None,
        process_id,
        service_name: "numbers",
        severity: Severity(9),
        severity_text: "",
        scope_name: "",
        scope_version: "",
        event_name: "",
        body: ValueRef::Empty,
        trace_id: None,
        span_id: None,
        flags: number,
        attributes: b"",
        dropped_attributes_count: 0,
    }
}

/// A request that holds rows `first..first + count`.
pub fn request(first: u32, count: u32) -> Submission {
    let body = Bytes::from(format!("{first} {count} of the rows that this test sends"));
    let received = SystemClock.now();
    let batches = Numbers.decode(WireFormat::OtlpTracesJson, &body, received).unwrap().batches;
    Submission { format: WireFormat::OtlpTracesJson, body, received, batches }
}

/// How often each number is in a table.
pub fn numbers(store: &Store, snapshot: &Snapshot, table: Table) -> Result<BTreeMap<u32, usize>, FilesError> {
    let mut found = BTreeMap::new();
    let mut count = |column: &dyn arrow::array::Array| {
        for number in column.as_primitive::<Int64Type>().values() {
            *found.entry(u32::try_from(*number).unwrap()).or_default() += 1;
        }
    };
    let position = table.index_of(NUMBER).unwrap();
    for batch in snapshot.hot_batches(table) {
        count(batch.column(position));
    }
    let cache = FileCache::new(store.clone(), 1 << 20);
    for file in snapshot.files.iter().filter(|file| file.table == table) {
        let reader = cache.open(file)?;
        let rows = reader.read(&[NUMBER], &RowRanges::all(reader.rows()))?;
        assert_eq!(rows.num_rows() as u64, file.rows, "{}", file.path);
        count(rows.column(0));
    }
    Ok(found)
}

/// A folder for a lake; in memory where the system has such a place, because a test that syncs a disk a thousand
/// times tests the disk. To a process that is killed it makes no difference.
pub fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// The decoder as the lake takes it.
pub fn decoder() -> Arc<dyn Decoder> {
    Arc::new(Numbers)
}
