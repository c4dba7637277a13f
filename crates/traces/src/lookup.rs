//! The rows of given traces, wherever they are.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{Array, FixedSizeBinaryArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::record_batch::RecordBatch;
use glasshouse_files::{FileCache, FileReader};
use glasshouse_model::{TimeRange, TraceId};
use glasshouse_tables::{Snapshot, Table};

use crate::cells;
use crate::error::Failure;
use crate::source::Source;
use crate::store::Stop;

/// Rows of some traces that were in one place.
#[derive(Debug)]
pub(crate) struct Found {
    /// The columns that were asked for, of the stored schema.
    pub batch: RecordBatch,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    /// A hot batch and the rows of it.
    Hot(RecordBatch, Vec<u32>),
    /// A file and the rows of it.
    File(Arc<FileReader>, Vec<u64>),
}

impl Found {
    /// Where rows of the batch, ascending, come from.
    pub fn sources(&self, rows: impl IntoIterator<Item = usize>) -> Vec<(Source, Vec<u32>)> {
        match &self.origin {
            Origin::Hot(batch, places) => {
                vec![(Source::Hot(batch.clone()), rows.into_iter().map(|row| places[row]).collect())]
            }
            Origin::File(file, places) => {
                let mut sources: Vec<(Source, Vec<u32>)> = Vec::new();
                let mut group = 0;
                for place in rows.into_iter().map(|row| places[row]) {
                    let is_new = sources.is_empty() || place >= file.row_group(group).end;
                    if is_new {
                        let mut groups = group..file.row_groups();
                        let found = groups.find(|group| place < file.row_group(*group).end);
                        group = found.expect("every row is in a row group");
                        sources.push((Source::Group(Arc::clone(file), group), Vec::new()));
                    }
                    let (_, rows) = sources.last_mut().expect("there is one");
                    rows.push((place - file.row_group(group).start) as u32);
                }
                sources
            }
        }
    }
}

/// Trace ids that rows are compared with.
#[derive(Debug)]
pub(crate) struct Wanted {
    ids: Vec<TraceId>,
    set: HashSet<[u8; 16]>,
    /// A bit for the first two bytes of each id, which most other ids miss.
    prefixes: Vec<u64>,
}

impl Wanted {
    pub fn new(ids: &[TraceId]) -> Self {
        let mut prefixes = vec![0; (1 << 16) / 64];
        for id in ids {
            let (word, bit) = prefix(id.as_bytes());
            prefixes[word] |= bit;
        }
        Self { ids: ids.to_vec(), set: ids.iter().map(|id| *id.as_bytes()).collect(), prefixes }
    }

    /// The rows that have one of the ids, ascending.
    pub fn rows(&self, column: &FixedSizeBinaryArray) -> Vec<u32> {
        let is_wanted = |id: &[u8]| {
            let (word, bit) = prefix(id);
            self.prefixes[word] & bit != 0 && self.set.contains(id)
        };
        let rows = column.value_data().chunks_exact(TraceId::LEN).enumerate();
        rows.filter(|(row, id)| is_wanted(id) && column.is_valid(*row)).map(|(row, _)| row as u32).collect()
    }
}

fn prefix(id: &[u8]) -> (usize, u64) {
    let prefix = usize::from(u16::from_be_bytes([id[0], id[1]]));
    (prefix / 64, 1 << (prefix % 64))
}

/// Columns of all rows of a table that belong to the traces.
pub(crate) fn find(
    snapshot: &Snapshot,
    files: &FileCache,
    table: Table,
    wanted: &Wanted,
    columns: &[&'static str],
    stop: &Stop,
) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    for batch in snapshot.hot_batches(table) {
        let rows = wanted.rows(cells::ids(cells::column(batch, "trace_id")?)?);
        if !rows.is_empty() {
            let batch = batch.clone();
            let taken = taken(&batch, table, columns, &rows)?;
            stop.hold(taken.get_array_memory_size())?;
            found.push(Found { batch: taken, origin: Origin::Hot(batch, rows) });
        }
    }
    for file in snapshot.files(table, TimeRange::ALL) {
        stop.check()?;
        let file = files.open(file)?;
        let ranges = file.trace_rows(&wanted.ids)?;
        if !ranges.is_empty() {
            let batch = file.read(columns, &ranges)?;
            stop.hold(batch.get_array_memory_size())?;
            found.push(Found { batch, origin: Origin::File(file, ranges.iter().flatten().collect()) });
        }
    }
    Ok(found)
}

/// Columns of some rows of a hot batch.
pub(crate) fn taken(
    batch: &RecordBatch,
    table: Table,
    columns: &[&'static str],
    rows: &[u32],
) -> Result<RecordBatch, Failure> {
    let wrong = |_| Failure::Schema(table.name());
    let indices: Vec<usize> =
        columns.iter().map(|name| batch.schema_ref().index_of(name)).collect::<Result<_, _>>().map_err(wrong)?;
    let projected = batch.project(&indices).map_err(wrong)?;
    take_record_batch(&projected, &UInt32Array::from(rows.to_vec())).map_err(wrong)
}
