//! The rows of given traces, wherever they are.

use std::cell::OnceCell;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, FixedSizeBinaryArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::record_batch::RecordBatch;
use glasshouse_files::{FileCache, FileReader, RowRanges};
use glasshouse_model::{TimeRange, TraceId};
use glasshouse_tables::{Snapshot, Table};

use crate::cells;
use crate::error::Failure;
use crate::source::Source;
use crate::store::{Scratch, Stop};

/// Rows that are read at once while many are gone through.
const PIECE_ROWS: u64 = 16 << 10;
/// Rows and bytes that are kept, so that they need not be read again.
const KEPT_ROWS: u64 = 64 << 10;
const KEPT_BYTES: usize = 16 << 20;

/// A range of a file's rows, behind the number of rows in the ranges before.
type NumberedRange = (u64, Range<u64>);

/// Where rows of some traces are.
#[derive(Debug)]
pub(crate) enum Place {
    /// A hot batch and the rows of it.
    Hot(RecordBatch, Vec<u32>),
    /// A file and the rows of it.
    File(Arc<FileReader>, RowRanges),
}

impl Place {
    fn rows(&self) -> u64 {
        match self {
            Self::Hot(_, rows) => rows.len() as u64,
            Self::File(_, rows) => rows.rows(),
        }
    }

    /// The same rows in places of at most so many.
    fn pieces(&self, most: u64) -> Vec<Self> {
        match self {
            Self::Hot(batch, rows) => {
                rows.chunks(most as usize).map(|rows| Self::Hot(batch.clone(), rows.to_vec())).collect()
            }
            Self::File(file, rows) => rows.pieces(most).map(|rows| Self::File(Arc::clone(file), rows)).collect(),
        }
    }

    /// The ranges of a file's rows, with the number of rows before each.
    fn ranges(&self) -> Vec<NumberedRange> {
        let Self::File(_, rows) = self else { return Vec::new() };
        let ranges = rows.iter().scan(0, |before, range| {
            let first = *before;
            *before += range.end - range.start;
            Some((first, range))
        });
        ranges.collect()
    }

    /// Columns of the rows, of the stored schema.
    fn read(&self, table: Table, columns: &[&'static str]) -> Result<RecordBatch, Failure> {
        match self {
            Self::Hot(batch, rows) => taken(batch, table, columns, rows),
            Self::File(file, rows) => Ok(file.read(columns, rows)?),
        }
    }

    /// Where some of the rows, ascending and counted from the place's first, come from; `ranges` are those of its file with
    /// the number of rows before each.
    fn sources(&self, ranges: &[NumberedRange], rows: impl IntoIterator<Item = u32>) -> Vec<(Source, Vec<u32>)> {
        match self {
            Self::Hot(batch, places) => {
                vec![(Source::Hot(batch.clone()), rows.into_iter().map(|row| places[row as usize]).collect())]
            }
            Self::File(file, _) => {
                let place = |row: u32| {
                    let at = ranges.partition_point(|(before, _)| *before <= u64::from(row)) - 1;
                    let (before, range) = &ranges[at];
                    range.start + u64::from(row) - before
                };
                let mut sources: Vec<(Source, Vec<u32>)> = Vec::new();
                let mut group = 0;
                for place in rows.into_iter().map(place) {
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

/// A row among [`Rows`]: its piece, and its number in there.
pub(crate) type RowPlace = (u32, u32);

/// The rows of some traces, gone through a piece at a time: those of a trace of millions of spans are never in memory
/// together.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    table: Table,
    pieces: Vec<Place>,
    /// Of each piece, its ranges once they were needed.
    ranges: Vec<OnceCell<Vec<NumberedRange>>>,
    /// The columns of every piece, when they are so few that reading them once and keeping them is the best.
    kept: Option<(Vec<RecordBatch>, Scratch<'a>)>,
    stop: &'a Stop,
}

impl<'a> Rows<'a> {
    /// The rows of a table that belong to the traces; `columns` are all that will be asked for.
    pub fn new(
        snapshot: &Snapshot,
        files: &FileCache,
        table: Table,
        wanted: &Wanted,
        columns: &[&'static str],
        stop: &'a Stop,
    ) -> Result<Self, Failure> {
        let pieces: Vec<Place> =
            locate(snapshot, files, table, wanted, stop)?.iter().flat_map(|place| place.pieces(PIECE_ROWS)).collect();
        let ranges = pieces.iter().map(|_| OnceCell::new()).collect();
        let mut rows = Self { table, pieces, ranges, kept: None, stop };
        if rows.count() <= KEPT_ROWS {
            rows.kept = rows.keep(columns)?;
        }
        Ok(rows)
    }

    /// The columns of all pieces, when they are few bytes.
    fn keep(&self, columns: &[&'static str]) -> Result<Option<(Vec<RecordBatch>, Scratch<'a>)>, Failure> {
        let (mut batches, mut bytes) = (Vec::with_capacity(self.pieces.len()), 0);
        let mut scratch = self.stop.scratch();
        for piece in &self.pieces {
            self.stop.check()?;
            let batch = piece.read(self.table, columns)?;
            bytes += batch.get_array_memory_size();
            if bytes > KEPT_BYTES {
                return Ok(None);
            }
            scratch.grow(batch.get_array_memory_size())?;
            batches.push(batch);
        }
        Ok(Some((batches, scratch)))
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.pieces.iter().map(Place::rows).sum()
    }

    /// Hands columns of the rows to `look`, piece by piece, always in the same order.
    pub fn each(
        &self,
        columns: &[&'static str],
        mut look: impl FnMut(u32, &RecordBatch) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        for (number, piece) in self.pieces.iter().enumerate() {
            self.stop.check()?;
            if let Some((batches, _)) = &self.kept {
                look(number as u32, &batches[number])?;
            } else {
                let batch = piece.read(self.table, columns)?;
                let mut scratch = self.stop.scratch();
                scratch.grow(batch.get_array_memory_size())?;
                look(number as u32, &batch)?;
            }
        }
        Ok(())
    }

    /// Columns of some of the rows, ascending.
    pub fn take(&self, rows: &[RowPlace], columns: &[&'static str]) -> Result<Vec<RecordBatch>, Failure> {
        let places = self.sources(rows);
        places
            .into_iter()
            .map(|(source, rows)| match source {
                Source::Hot(batch) => taken(&batch, self.table, columns, &rows),
                Source::Group(file, group) => {
                    let first = file.row_group(group).start;
                    let rows = rows.into_iter().map(|row| first + u64::from(row)..first + u64::from(row) + 1).collect();
                    Ok(file.read(columns, &rows)?)
                }
            })
            .collect()
    }

    /// Where some of the rows, ascending, come from.
    pub fn sources(&self, rows: &[RowPlace]) -> Vec<(Source, Vec<u32>)> {
        let pieces = rows.chunk_by(|(a, _), (b, _)| a == b);
        let of_piece = |rows: &[RowPlace]| {
            let (number, _) = rows[0];
            let piece = &self.pieces[number as usize];
            let ranges = self.ranges[number as usize].get_or_init(|| piece.ranges());
            piece.sources(ranges, rows.iter().map(|(_, row)| *row))
        };
        pieces.flat_map(of_piece).collect()
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

/// Columns of all rows of a table that belong to the traces, a batch for each place.
pub(crate) fn find(
    snapshot: &Snapshot,
    files: &FileCache,
    table: Table,
    wanted: &Wanted,
    columns: &[&'static str],
    stop: &Stop,
) -> Result<Vec<RecordBatch>, Failure> {
    let read = |place: Place| {
        stop.check()?;
        let batch = place.read(table, columns)?;
        stop.hold(batch.get_array_memory_size())?;
        Ok(batch)
    };
    locate(snapshot, files, table, wanted, stop)?.into_iter().map(read).collect()
}

/// Where the rows of a table that belong to the traces are.
fn locate(
    snapshot: &Snapshot,
    files: &FileCache,
    table: Table,
    wanted: &Wanted,
    stop: &Stop,
) -> Result<Vec<Place>, Failure> {
    let mut places = Vec::new();
    for batch in snapshot.hot_batches(table) {
        let rows = wanted.rows(cells::ids(cells::column(batch, "trace_id")?)?);
        if !rows.is_empty() {
            places.push(Place::Hot(batch.clone(), rows));
        }
    }
    for file in snapshot.files(table, TimeRange::ALL) {
        stop.check()?;
        let file = files.open(file)?;
        let rows = file.trace_rows(&wanted.ids)?;
        if !rows.is_empty() {
            places.push(Place::File(file, rows));
        }
    }
    Ok(places)
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
