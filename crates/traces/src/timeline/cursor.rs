//! The wanted rows of one table in order of time, some at once.
//!
//! Rows in a file ascend by windows of time, so row groups of a file hardly overlap. A row group is looked at when it
//! is its turn: first at the times of its wanted rows only, which are merged with those of the others; then, for the
//! rows of a slice, at the other columns. So memory is bounded by a slice and by the times of the row groups that overlap.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use glasshouse_files::FileCache;
use glasshouse_model::{Subject, TimeRange, Timestamp};
use glasshouse_tables::{DataFile, Snapshot, Table};

use super::Stop;
use super::place::{Key, Place, Times};
use crate::error::Failure;

/// Rows of the first slice, so that it is there soon; each is twice as large as the one before, …
const FIRST_ROWS: usize = 2 << 10;
/// … up to so many rows unless told otherwise, …
const SLICE_ROWS: usize = 16 << 10;
/// … and how many bytes they may take, about.
const SLICE_BYTES: usize = 16 << 20;
/// Rows that may start at the same moment, and how many bytes they may take, where they have to come together.
const TOGETHER_ROWS: usize = 256 << 10;
const TOGETHER_BYTES: usize = 256 << 20;

/// Columns of rows that follow each other in time.
#[derive(Debug)]
pub(crate) struct Slice {
    pub batches: Vec<RecordBatch>,
    /// When it is each row's turn, ascending.
    pub times: Vec<i64>,
    /// Batch and position of each row.
    pub order: Vec<(u32, u32)>,
}

/// Where the reading of a table is.
#[derive(Debug)]
pub(crate) struct Cursor {
    table: Table,
    columns: &'static [&'static str],
    subject: Subject,
    times: Times,
    snapshot: Arc<Snapshot>,
    files: FileCache,
    /// What was not looked at yet, by its earliest time.
    pending: BinaryHeap<Reverse<Pending>>,
    waiting: Vec<Waiting>,
    /// What was looked at, by the time of its next row; counted as in `places`.
    next: BinaryHeap<Reverse<(i64, usize)>>,
    places: Vec<Option<Active>>,
    /// Rows of the next slice.
    slice_rows: usize,
    /// Rows of the largest.
    most_rows: usize,
    is_divided: bool,
    /// Whether rows of the same time come in the same slice.
    is_together: bool,
    stop: Stop,
}

/// How a table is read.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub subject: Subject,
    pub times: Times,
    /// Rows of the first slice, when it is not the usual number.
    pub first_rows: Option<usize>,
    /// Rows of the largest slice, likewise.
    pub most_rows: Option<usize>,
    /// Whether columns are wanted as files have them, attributes divided.
    pub is_divided: bool,
    pub stop: Stop,
}

/// Something that was not looked at: its earliest time and its number in `waiting`.
type Pending = (i64, usize);

#[derive(Debug)]
enum Waiting {
    File(Arc<DataFile>),
    Place(Place),
    Done,
}

#[derive(Debug)]
struct Active {
    place: Place,
    row_bytes: usize,
    keys: Vec<Key>,
    next: usize,
}

impl Cursor {
    pub fn new(
        snapshot: &Arc<Snapshot>,
        files: &FileCache,
        table: Table,
        columns: &'static [&'static str],
        reading: Reading,
    ) -> Self {
        let Reading { subject, times, first_rows, most_rows, is_divided, stop } = reading;
        let mut cursor = Self {
            table,
            columns,
            subject,
            times,
            snapshot: Arc::clone(snapshot),
            files: files.clone(),
            pending: BinaryHeap::new(),
            waiting: Vec::new(),
            next: BinaryHeap::new(),
            places: Vec::new(),
            slice_rows: first_rows.unwrap_or(FIRST_ROWS),
            most_rows: most_rows.unwrap_or(SLICE_ROWS),
            is_divided,
            is_together: matches!(table, Table::Spans | Table::SpanLinks),
            stop,
        };
        for batch in snapshot.hot_batches(table) {
            cursor.wait(i64::MIN, Waiting::Place(Place::hot(table, batch.clone())));
        }
        let from = if times.with_crossing { Timestamp::MIN } else { Timestamp::from_nanos(times.from) };
        let range = TimeRange { from, to: Timestamp::from_nanos(times.to) };
        for file in snapshot.files(table, range) {
            cursor.wait(file.min_time.nanos(), Waiting::File(Arc::clone(file)));
        }
        cursor
    }

    fn wait(&mut self, earliest: i64, waiting: Waiting) {
        self.pending.push(Reverse((earliest.max(self.times.from), self.waiting.len())));
        self.waiting.push(waiting);
    }

    /// Looks at everything whose turn comes at `time` or before.
    fn look(&mut self, time: i64) -> Result<(), Failure> {
        while let Some(&Reverse((earliest, number))) = self.pending.peek()
            && earliest <= time
        {
            self.stop.check()?;
            self.pending.pop();
            match std::mem::replace(&mut self.waiting[number], Waiting::Done) {
                Waiting::File(file) => {
                    let reader = self.files.open(&file)?;
                    for place in Place::of_file(self.table, &self.files, &reader, self.subject, self.times)? {
                        self.wait(place.earliest(), Waiting::Place(place));
                    }
                }
                Waiting::Place(place) => self.activate(place)?,
                Waiting::Done => {}
            }
        }
        Ok(())
    }

    fn activate(&mut self, place: Place) -> Result<(), Failure> {
        let keys = place.keys(self.subject, self.times, &self.snapshot, &self.files)?;
        if let Some(first) = keys.first() {
            self.next.push(Reverse((first.time, self.places.len())));
            let row_bytes = place.row_bytes();
            self.places.push(Some(Active { place, row_bytes, keys, next: 0 }));
        }
        Ok(())
    }

    /// The time of the next row; `None` at the end.
    fn peek(&mut self) -> Result<Option<(i64, usize)>, Failure> {
        loop {
            let next = self.next.peek().map(|Reverse(next)| *next);
            let pending = self.pending.peek().map(|Reverse((time, _))| *time);
            match (next, pending) {
                (next, None) => return Ok(next),
                (Some(next), Some(pending)) if next.0 < pending => return Ok(Some(next)),
                (_, Some(pending)) => self.look(pending)?,
            }
        }
    }

    /// The next rows; `None` at the end.
    pub fn next_slice(&mut self) -> Result<Option<Slice>, Failure> {
        let mut times: Vec<i64> = Vec::new();
        // Of each place, the rows and their turns in the slice.
        let mut picked: HashMap<usize, Vec<(u32, u32)>> = HashMap::new();
        let mut bytes = 0;
        let slice_rows = self.slice_rows;
        self.slice_rows = (slice_rows * 2).min(self.most_rows);
        while let Some((time, number)) = self.peek()? {
            let is_full = times.len() >= slice_rows || bytes >= SLICE_BYTES;
            if is_full && !(self.is_together && times.last() == Some(&time)) {
                break;
            }
            if times.len() >= TOGETHER_ROWS || bytes >= TOGETHER_BYTES {
                return Err(Failure::TooManyAtOnce(Timestamp::from_nanos(time)));
            }
            self.next.pop();
            // Until another place may have its turn.
            let other = self.next.peek().map_or(i64::MAX, |Reverse((time, _))| *time);
            let pending = self.pending.peek().map_or(i64::MAX, |Reverse((time, _))| *time);
            let until = other.min(pending.saturating_sub(1));
            let active = self.places[number].as_mut().expect("a place stays until its last row had its turn");
            let rows = picked.entry(number).or_default();
            while let Some(key) = active.keys.get(active.next)
                && key.time <= until.max(time)
                && (times.len() < slice_rows && bytes < SLICE_BYTES
                    || (self.is_together && times.last() == Some(&key.time) && times.len() < TOGETHER_ROWS))
            {
                rows.push((key.row, times.len() as u32));
                times.push(key.time);
                bytes += active.row_bytes;
                active.next += 1;
            }
            if let Some(key) = active.keys.get(active.next) {
                self.next.push(Reverse((key.time, number)));
            }
        }
        if times.is_empty() {
            return Ok(None);
        }
        let mut batches = Vec::with_capacity(picked.len());
        let mut order = vec![(0, 0); times.len()];
        for (number, mut rows) in picked {
            rows.sort_unstable();
            let active = self.places[number].as_ref().expect("its rows were picked");
            let wanted: Vec<u32> = rows.iter().map(|(row, _)| *row).collect();
            for (position, (_, turn)) in rows.iter().enumerate() {
                order[*turn as usize] = (batches.len() as u32, position as u32);
            }
            batches.push(if self.is_divided {
                active.place.read_divided(self.columns, &wanted)?
            } else {
                active.place.read(self.columns, &wanted)?
            });
            if active.next == active.keys.len() {
                self.places[number] = None;
            }
        }
        Ok(Some(Slice { batches, times, order }))
    }
}
