//! Rows that stand together: a batch that is not in a file yet, or a row group of a file.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, FixedSizeBinaryArray};
use arrow::record_batch::RecordBatch;
use glasshouse_files::{FileCache, FileReader, RowRanges};
use glasshouse_model::{SpanId, Subject, TimeRange, Timestamp, TraceId};
use glasshouse_tables::{Snapshot, Table};
use parquet::file::metadata::ColumnChunkMetaData;

use crate::cells;
use crate::error::Failure;
use crate::logs;
use crate::lookup::{Wanted, taken};
use crate::source::Source;

/// Wanted rows with no more than this between them are decoded together with it: to skip takes a while too.
const NEAR: u32 = 16;

/// A row and when it is its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub time: i64,
    pub row: u32,
}

/// Rows that stand together, some of them wanted.
#[derive(Debug)]
pub(crate) struct Place {
    table: Table,
    source: Source,
    /// The rows that may be wanted, counted from the file's first; `None` for all.
    ranges: Option<RowRanges>,
}

/// When rows are wanted, in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    pub from: i64,
    pub to: i64,
    /// Whether what began before `from` is wanted when it had not ended by then.
    pub with_crossing: bool,
}

impl Place {
    pub fn hot(table: Table, batch: RecordBatch) -> Self {
        Self { table, source: Source::Hot(batch), ranges: None }
    }

    /// The row groups of a file that may hold wanted rows.
    pub fn of_file(
        table: Table,
        files: &FileCache,
        file: &Arc<FileReader>,
        subject: Subject,
        times: Times,
    ) -> Result<Vec<Self>, Failure> {
        let ranges = match subject {
            Subject::Trace(trace) => file.trace_index().map(|_| file.trace_rows(&[trace])).transpose()?,
            Subject::Process(_) => None,
        };
        let mut places = Vec::new();
        for group in 0..file.row_groups() {
            let rows = file.row_group(group);
            let ranges = ranges.as_ref().map(|ranges| within(ranges, &rows));
            if ranges.as_ref().is_some_and(RowRanges::is_empty) {
                continue;
            }
            if let (None, Subject::Trace(trace)) = (&ranges, subject)
                && !logs::may_hold(files, file, group, trace)?
            {
                continue;
            }
            let place = Self { table, source: Source::Group(Arc::clone(file), group), ranges };
            if place.may_hold(times) {
                places.push(place);
            }
        }
        Ok(places)
    }

    /// The earliest time of its rows, as far as the footer tells.
    pub fn earliest(&self) -> i64 {
        self.source.bounds(self.table.time_column()).map_or(i64::MIN, |(earliest, _)| earliest)
    }

    /// Bytes that a row takes in memory, about.
    pub fn row_bytes(&self) -> usize {
        let bytes = match &self.source {
            Source::Hot(batch) => batch.get_array_memory_size(),
            Source::Group(file, group) => {
                let group = file.metadata().row_group(*group);
                // Text that repeats takes nearly nothing in a file.
                let chunks = group.columns().iter();
                let texts = chunks.filter_map(ColumnChunkMetaData::unencoded_byte_array_data_bytes);
                group.total_byte_size().max(texts.sum()) as usize
            }
        };
        bytes / self.source.len().max(1)
    }

    fn may_hold(&self, times: Times) -> bool {
        let Some((earliest, latest)) = self.source.bounds(self.table.time_column()) else { return true };
        if earliest >= times.to {
            return false;
        }
        latest >= times.from || (times.with_crossing && self.may_cross(times.from))
    }

    fn may_cross(&self, from: i64) -> bool {
        self.source.has_nulls("end_time") || self.source.bounds("end_time").is_none_or(|(_, latest)| latest > from)
    }

    /// The wanted rows in order of time. Those that began before `times.from` come then. A row without an end that began
    /// before is left out when another row tells the span's end: if it ran on, that row is wanted itself.
    pub fn keys(
        &self,
        subject: Subject,
        times: Times,
        snapshot: &Snapshot,
        files: &FileCache,
    ) -> Result<Vec<Key>, Failure> {
        let time_column = self.table.time_column();
        let id_column = match subject {
            Subject::Process(_) => "process_id",
            Subject::Trace(_) => "trace_id",
        };
        let mut columns = vec![id_column, time_column];
        if times.with_crossing {
            columns.push("end_time");
        }
        let (batch, rows) = match &self.source {
            Source::Hot(batch) => (batch.clone(), None),
            Source::Group(file, group) => {
                let all = file.row_group(*group);
                let first = all.start;
                let ranges = self.ranges.clone().unwrap_or_else(|| RowRanges::new(vec![all]));
                let rows = self.ranges.is_some().then(|| ranges.iter().flatten().map(|row| (row - first) as u32));
                (file.read(&columns, &ranges)?, rows.map(Iterator::collect::<Vec<_>>))
            }
        };
        let ids = cells::ids(cells::column(&batch, id_column)?)?;
        let time = cells::times(cells::column(&batch, time_column)?)?;
        let end = times.with_crossing.then(|| cells::times(cells::column(&batch, "end_time")?)).transpose()?;
        let (mut wanted, mut open) = (Vec::new(), Vec::new());
        for position in matching(ids, subject) {
            let row = rows.as_ref().map_or(position as u32, |rows| rows[position]);
            let start = time.value(position);
            if start >= times.to {
                continue;
            }
            if start >= times.from {
                wanted.push(Key { time: start, row });
                continue;
            }
            let Some(end) = end else { continue };
            let end = cells::value(end, position);
            if end.is_none_or(|end| end > times.from) {
                wanted.push(Key { time: times.from, row });
                if end.is_none() {
                    open.push(row);
                }
            }
        }
        if !open.is_empty() {
            let ended = self.ended(&open, snapshot, files)?;
            wanted.retain(|key| !ended.contains(&key.row));
        }
        wanted.sort_unstable();
        Ok(wanted)
    }

    /// Of rows without an end, those whose span has one in another row.
    fn ended(&self, open: &[u32], snapshot: &Snapshot, files: &FileCache) -> Result<HashSet<u32>, Failure> {
        let batch = self.read(&["trace_id", "span_id", "start_time"], open)?;
        let spans = (cells::ids(batch.column(0))?, cells::ids(batch.column(1))?);
        let rows: HashMap<_, u32> = open.iter().enumerate().map(|(i, row)| (pair(spans, i), *row)).collect();
        let times = cells::times(batch.column(2))?.values();
        let (first, last) = (times.iter().min().copied(), times.iter().max().copied());
        // Rows of a span tell the same start.
        let range = TimeRange {
            from: first.map_or(Timestamp::MIN, Timestamp::from_nanos),
            to: last.map_or(Timestamp::MAX, |last| Timestamp::from_nanos(last.saturating_add(1))),
        };
        let traces: HashSet<TraceId> = spans.0.iter().flatten().filter_map(TraceId::from_slice).collect();
        let traces: Vec<TraceId> = traces.into_iter().collect();
        let columns = &["trace_id", "span_id", "end_time"];
        let mut ended = HashSet::new();
        each_of_traces(snapshot, files, Table::Spans, range, &traces, columns, |batch| {
            let spans = (cells::ids(batch.column(0))?, cells::ids(batch.column(1))?);
            let with_end = (0..batch.num_rows()).filter(|row| batch.column(2).is_valid(*row));
            ended.extend(with_end.filter_map(|row| rows.get(&pair(spans, row))));
            Ok(())
        })?;
        Ok(ended)
    }

    /// Columns of some rows, ascending, as [`FileReader::read_divided`] gives them, in memory as they are there. There may
    /// be others among them: the positions are those of the wanted.
    pub fn read_divided(&self, columns: &[&'static str], rows: &[u32]) -> Result<(RecordBatch, Vec<u32>), Failure> {
        match &self.source {
            Source::Hot(batch) => Ok((taken(batch, self.table, columns, rows)?, (0..rows.len() as u32).collect())),
            Source::Group(file, group) => {
                let between = |row: u32, next: u32| if next - row <= 1 + NEAR { next - row - 1 } else { 0 };
                let others: u32 = rows.windows(2).map(|pair| between(pair[0], pair[1])).sum();
                // What is not wanted takes memory too.
                let near = if others as usize <= rows.len() { NEAR } else { 0 };
                let mut positions = Vec::with_capacity(rows.len());
                let mut left_out = rows.first().copied().unwrap_or_default();
                let mut end = left_out;
                for row in rows {
                    if *row > end + near {
                        left_out += row - end;
                    }
                    end = row + 1;
                    positions.push(row - left_out);
                }
                Ok((file.read_divided(*group, columns, &ranges_of(file, *group, rows, near))?, positions))
            }
        }
    }

    /// Columns of some rows, ascending.
    pub fn read(&self, columns: &[&'static str], rows: &[u32]) -> Result<RecordBatch, Failure> {
        match &self.source {
            Source::Hot(batch) => taken(batch, self.table, columns, rows),
            Source::Group(file, group) => Ok(file.read(columns, &ranges_of(file, *group, rows, 0))?),
        }
    }
}

/// Rows counted from a row group's first, ascending, as rows of the file; with those between them where they are `near`.
fn ranges_of(file: &FileReader, group: usize, rows: &[u32], near: u32) -> RowRanges {
    let first = file.row_group(group).start;
    let parts = rows.chunk_by(|row, next| *next <= row + 1 + near);
    parts.map(|part| first + u64::from(part[0])..first + u64::from(part[part.len() - 1]) + 1).collect()
}

/// The ids of a span.
fn pair(ids: (&FixedSizeBinaryArray, &FixedSizeBinaryArray), row: usize) -> (Option<TraceId>, Option<SpanId>) {
    (TraceId::from_slice(ids.0.value(row)), SpanId::from_slice(ids.1.value(row)))
}

/// Gives the rows of traces, those of one batch or row group after the other.
pub(crate) fn each_of_traces(
    snapshot: &Snapshot,
    files: &FileCache,
    table: Table,
    range: TimeRange,
    traces: &[TraceId],
    columns: &[&'static str],
    mut give: impl FnMut(RecordBatch) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let wanted = Wanted::new(traces);
    for batch in snapshot.hot_batches(table) {
        let rows = wanted.rows(cells::ids(cells::column(batch, "trace_id")?)?);
        if !rows.is_empty() {
            give(taken(batch, table, columns, &rows)?)?;
        }
    }
    for file in snapshot.files(table, range) {
        let file = files.open(file)?;
        let ranges = file.trace_rows(traces)?;
        for group in 0..file.row_groups() {
            let ranges = within(&ranges, &file.row_group(group));
            if !ranges.is_empty() {
                give(file.read(columns, &ranges)?)?;
            }
        }
    }
    Ok(())
}

/// Gives the rows of spans, those of one batch or row group after the other.
pub(crate) fn each_of_spans(
    snapshot: &Snapshot,
    files: &FileCache,
    table: Table,
    range: TimeRange,
    spans: &HashSet<(TraceId, SpanId)>,
    columns: &[&'static str],
    mut give: impl FnMut(&RecordBatch) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let traces: HashSet<TraceId> = spans.iter().map(|(trace, _)| *trace).collect();
    let traces: Vec<TraceId> = traces.into_iter().collect();
    let is_wanted = |ids| matches!(ids, (Some(trace), Some(span)) if spans.contains(&(trace, span)));
    let wanted = Wanted::new(&traces);
    for batch in snapshot.hot_batches(table) {
        let ids = (cells::ids(cells::column(batch, "trace_id")?)?, cells::ids(cells::column(batch, "span_id")?)?);
        let rows: Vec<u32> = wanted.rows(ids.0).into_iter().filter(|row| is_wanted(pair(ids, *row as usize))).collect();
        if !rows.is_empty() {
            give(&taken(batch, table, columns, &rows)?)?;
        }
    }
    for file in snapshot.files(table, range) {
        let file = files.open(file)?;
        let ranges = file.trace_rows(&traces)?;
        for group in 0..file.row_groups() {
            let ranges = within(&ranges, &file.row_group(group));
            if ranges.is_empty() {
                continue;
            }
            let batch = file.read(&["trace_id", "span_id"], &ranges)?;
            let ids = (cells::ids(batch.column(0))?, cells::ids(batch.column(1))?);
            let rows = ranges.iter().flatten().enumerate().filter(|(position, _)| is_wanted(pair(ids, *position)));
            let rows: RowRanges = rows.map(|(_, row)| row..row + 1).collect();
            if !rows.is_empty() {
                give(&file.read(columns, &rows)?)?;
            }
        }
    }
    Ok(())
}

fn within(ranges: &RowRanges, rows: &Range<u64>) -> RowRanges {
    let cut = |range: Range<u64>| range.start.max(rows.start)..range.end.min(rows.end);
    ranges.iter().map(cut).filter(|range| !range.is_empty()).collect()
}

/// The positions of the subject's rows.
fn matching(ids: &FixedSizeBinaryArray, subject: Subject) -> impl Iterator<Item = usize> + '_ {
    let wanted: [u8; TraceId::LEN] = match subject {
        Subject::Process(id) => *id.as_bytes(),
        Subject::Trace(id) => *id.as_bytes(),
    };
    let rows = ids.value_data().chunks_exact(TraceId::LEN).enumerate();
    rows.filter(move |(row, id)| *id == wanted && ids.is_valid(*row)).map(|(row, _)| row)
}
