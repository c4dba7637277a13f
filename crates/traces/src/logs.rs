//! The log records of a trace. Logs are not in order of trace id, so row groups are left out by their bloom
//! filters, and the ids of the others are compared.

use std::sync::Arc;

use arrow::array::Array;
use arrow::record_batch::RecordBatch;
use glasshouse_files::{FileCache, FileReader, RowRanges};
use glasshouse_model::{LogRecord, ProcessId, Severity, SpanId, TimeRange, Timestamp, TraceId, Value};
use glasshouse_tables::attributes::{self, json_get};
use glasshouse_tables::{Snapshot, Table};
use parquet::bloom_filter::Sbbf;

use crate::cells;
use crate::error::Failure;
use crate::lookup::{Wanted, taken};
use crate::source::{Source, chunk};
use crate::spans::texts;
use crate::store::Stop;

const COLUMNS: &[&str] = &[
    "time",
    "observed_time",
    "process_id",
    "service_name",
    "severity_number",
    "severity_text",
    "scope_name",
    "event_name",
    "body",
    "body_type",
    "trace_id",
    "span_id",
    "flags",
    "attributes",
];

/// The records of a trace, or of one of its spans, earliest first, at most `limit`. While it reads, it holds at most
/// twice as many and those of one batch or row group.
pub(crate) fn of_trace(
    snapshot: &Snapshot,
    files: &FileCache,
    trace_id: TraceId,
    span_id: Option<SpanId>,
    limit: usize,
    stop: &Stop,
) -> Result<Vec<LogRecord>, Failure> {
    let wanted = Wanted::new(&[trace_id]);
    let mut records = Vec::new();
    let mut add = |batch: &RecordBatch| {
        read(batch, span_id, &mut records)?;
        if records.len() / 2 > limit {
            keep_earliest(&mut records, limit);
        }
        Ok::<_, Failure>(())
    };
    for batch in snapshot.hot_batches(Table::Logs) {
        let rows = wanted.rows(cells::ids(cells::column(batch, "trace_id")?)?);
        if !rows.is_empty() {
            add(&taken(batch, Table::Logs, COLUMNS, &rows)?)?;
        }
    }
    for file in snapshot.files(Table::Logs, TimeRange::ALL) {
        let file = files.open(file)?;
        for group in 0..file.row_groups() {
            stop.check()?;
            let rows = rows_of(files, &file, group, trace_id, &wanted)?;
            if !rows.is_empty() {
                add(&file.read(COLUMNS, &rows)?)?;
            }
        }
    }
    keep_earliest(&mut records, limit);
    Ok(records)
}

fn keep_earliest(records: &mut Vec<LogRecord>, limit: usize) {
    records.sort_by_key(|record| record.time);
    records.truncate(limit);
}

/// The rows of a trace in a row group, counted from the file's first.
fn rows_of(
    files: &FileCache,
    file: &Arc<FileReader>,
    group: usize,
    trace_id: TraceId,
    wanted: &Wanted,
) -> Result<RowRanges, Failure> {
    if !may_hold(files, file, group, trace_id)? {
        return Ok(RowRanges::default());
    }
    let column = Source::Group(Arc::clone(file), group).required("trace_id")?;
    let first = file.row_group(group).start;
    let rows = wanted.rows(cells::ids(&column)?).into_iter();
    Ok(rows.map(|row| first + u64::from(row)..first + u64::from(row) + 1).collect())
}

/// Whether the row group's bloom filter knows the trace; true when it has none.
pub(crate) fn may_hold(files: &FileCache, file: &FileReader, group: usize, trace_id: TraceId) -> Result<bool, Failure> {
    let place = chunk(file, group, "trace_id")
        .and_then(|chunk| Some((chunk.bloom_filter_offset()? as u64, chunk.bloom_filter_length()? as u64)));
    let Some((start, length)) = place else { return Ok(true) };
    let bytes = files.store().read(file.path(), std::slice::from_ref(&(start..start + length)))?.swap_remove(0);
    Ok(Sbbf::from_bytes(&bytes).map_or(true, |filter| filter.check(&trace_id.as_bytes()[..])))
}

fn read(batch: &RecordBatch, wanted: Option<SpanId>, records: &mut Vec<LogRecord>) -> Result<(), Failure> {
    let id = |name| cells::ids(cells::column(batch, name)?);
    let (process_id, trace_id, span_id) = (id("process_id")?, id("trace_id")?, id("span_id")?);
    let time = cells::times(cells::column(batch, "time")?)?;
    let observed_time = cells::times(cells::column(batch, "observed_time")?)?;
    let severity_number = cells::severities(cells::column(batch, "severity_number")?)?;
    let flags = cells::integers(cells::column(batch, "flags")?)?;
    let packed = cells::bytes(cells::column(batch, "attributes")?)?;
    let text = |name| texts(batch, name);
    let (service_name, severity_text) = (text("service_name")?, text("severity_text")?);
    let (scope_name, event_name) = (text("scope_name")?, text("event_name")?);
    let (body, body_type) = (text("body")?, text("body_type")?);
    for row in 0..batch.num_rows() {
        let span_id = span_id.is_valid(row).then(|| span_id.value(row)).and_then(SpanId::from_slice);
        if wanted.is_some() && span_id != wanted {
            continue;
        }
        let Some(process_id) = ProcessId::from_slice(process_id.value(row)) else { continue };
        let body = body.is_valid(row).then(|| body.value(row));
        records.push(LogRecord {
            time: Timestamp::from_nanos(time.value(row)),
            observed_time: cells::value(observed_time, row).map(Timestamp::from_nanos),
            process_id,
            service_name: service_name.value(row).to_owned(),
            severity: Severity(severity_number.value(row)),
            severity_text: severity_text.value(row).to_owned(),
            scope_name: scope_name.value(row).to_owned(),
            event_name: event_name.value(row).to_owned(),
            body: body.map_or(Value::Empty, |body| value(body, body_type.is_valid(row).then(|| body_type.value(row)))),
            trace_id: trace_id.is_valid(row).then(|| trace_id.value(row)).and_then(TraceId::from_slice),
            span_id,
            flags: flags.value(row) as u32,
            attributes: attributes::to_model(packed.value(row)),
        });
    }
    Ok(())
}

/// A body as it was sent.
fn value(body: &str, kind: Option<&str>) -> Value {
    match kind {
        Some("JSON") => json_get(&format!("{{\"body\":{body}}}"), "body").unwrap_or(Value::Empty),
        _ => Value::String(body.to_owned()),
    }
}
