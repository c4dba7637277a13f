//! Rows that stand together: a batch that is not in a file yet, or a row group of a file.

use std::sync::Arc;

use arrow::array::{Array, FixedSizeBinaryArray};
use arrow::record_batch::RecordBatch;
use glasshouse_files::{FileCache, FileReader, RowRanges};
use glasshouse_model::{Subject, TraceId};
use glasshouse_tables::Table;

use crate::cells;
use crate::error::Failure;
use crate::logs;
use crate::lookup::taken;
use crate::source::Source;

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

/// The wanted rows of a place.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    /// In order of time.
    pub keys: Vec<Key>,
    /// Of them, the rows that began before and have no end: somewhere else an end may be known.
    pub open: Vec<u32>,
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
            let ranges: Option<RowRanges> = ranges.as_ref().map(|ranges| {
                let cut = |range: std::ops::Range<u64>| range.start.max(rows.start)..range.end.min(rows.end);
                ranges.iter().map(cut).filter(|range| !range.is_empty()).collect()
            });
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
            Source::Group(file, group) => file.metadata().row_group(*group).total_byte_size() as usize,
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

    /// The wanted rows. Those that began before `times.from` come then.
    pub fn keys(&self, subject: Subject, times: Times) -> Result<Keys, Failure> {
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
        let mut wanted = Keys::default();
        for position in matching(ids, subject) {
            let row = rows.as_ref().map_or(position as u32, |rows| rows[position]);
            let start = time.value(position);
            if start >= times.to {
                continue;
            }
            if start >= times.from {
                wanted.keys.push(Key { time: start, row });
                continue;
            }
            let Some(end) = end else { continue };
            let end = cells::value(end, position);
            if end.is_none_or(|end| end > times.from) {
                wanted.keys.push(Key { time: times.from, row });
                if end.is_none() {
                    wanted.open.push(row);
                }
            }
        }
        wanted.keys.sort_unstable();
        Ok(wanted)
    }

    /// Columns of some rows, ascending.
    pub fn read(&self, columns: &[&'static str], rows: &[u32]) -> Result<RecordBatch, Failure> {
        match &self.source {
            Source::Hot(batch) => taken(batch, self.table, columns, rows),
            Source::Group(file, group) => {
                let first = file.row_group(*group).start;
                let ranges: RowRanges =
                    rows.iter().map(|row| first + u64::from(*row)..first + u64::from(*row) + 1).collect();
                Ok(file.read(columns, &ranges)?)
            }
        }
    }
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
