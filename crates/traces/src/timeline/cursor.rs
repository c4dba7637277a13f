//! The wanted rows of one table in order of time, some at once.
//!
//! Rows in a file ascend by windows of time, so row groups of a file hardly overlap. A row group is looked at when it
//! is its turn: first at the times of its wanted rows only, which are merged with those of the others; then, for the
//! rows of a slice, at the other columns. So memory is bounded by a slice and by the times of the row groups that overlap.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use glasshouse_files::FileCache;
use glasshouse_model::{Subject, TimeRange, Timestamp};
use glasshouse_tables::{DataFile, Snapshot, Table};

use super::Stop;
use super::place::{Key, Place, Times};
use crate::error::Failure;

/// Rows of the first slice, so that it is there soon; each is twice as large as the one before, up to `SLICE_ROWS`. It goes
/// on to where a file's rows before all had their turn and those behind not: a slice that ends elsewhere reads pages that
/// the next one reads again.
const FIRST_ROWS: usize = 2 << 10;
const SLICE_ROWS: usize = 8 << 10;
/// A slice grows no further for that than by this factor, …
const GROWTH: usize = 4;
/// … and takes no more bytes than this, about.
const SLICE_BYTES: usize = 16 << 20;
/// Rows that may start at the same moment, and how many bytes they may take, where they have to come together.
const TOGETHER_ROWS: usize = 320 << 10;
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
    /// Rows of the next slice, when it does not go on.
    slice_rows: usize,
    /// Rows of the largest, when that is limited.
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
    /// Where rows before and behind are apart in the file as well, as positions in `keys`, descending.
    cuts: Vec<u32>,
}

impl Active {
    fn new(place: Place, keys: Vec<Key>) -> Self {
        let last_rows = keys.iter().scan(0, |last, key| {
            *last = key.row.max(*last);
            Some(*last)
        });
        let last_rows: Vec<u32> = last_rows.collect();
        let mut first_behind = u32::MAX;
        let is_cut = |position: &u32| {
            let position = *position as usize;
            first_behind = first_behind.min(keys[position].row);
            last_rows[position - 1] < first_behind
        };
        let cuts = (1..keys.len() as u32).rev().filter(is_cut).collect();
        Self { row_bytes: place.row_bytes(), place, keys, next: 0, cuts }
    }

    /// Whether what had its turn and what did not are apart in the file.
    fn is_at_cut(&mut self) -> bool {
        while self.cuts.last().is_some_and(|cut| (*cut as usize) < self.next) {
            self.cuts.pop();
        }
        self.cuts.last().is_some_and(|cut| *cut as usize == self.next)
    }
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
            most_rows: most_rows.unwrap_or(GROWTH * SLICE_ROWS),
            is_divided,
            is_together: matches!(table, Table::Spans | Table::SpanLinks | Table::SpanEvents),
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
            self.places.push(Some(Active::new(place, keys)));
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
        let mut picked: BTreeMap<usize, Vec<(u32, u32)>> = BTreeMap::new();
        let mut bytes = 0;
        let rows = self.slice_rows;
        self.slice_rows = (rows * 2).min(SLICE_ROWS).min(self.most_rows);
        let most_rows = (rows * GROWTH).min(self.most_rows);
        let is_full = |taken: usize, bytes: usize, active: &mut Active| {
            bytes >= SLICE_BYTES || taken >= most_rows || (taken >= rows && active.is_at_cut())
        };
        while let Some((time, number)) = self.peek()? {
            let active = self.places[number].as_mut().expect("a place stays until its last row had its turn");
            let is_next = |times: &[i64], time| self.is_together && times.last() == Some(&time);
            if is_full(times.len(), bytes, active) && !is_next(&times, time) {
                break;
            }
            if times.len() >= TOGETHER_ROWS || bytes >= TOGETHER_BYTES {
                if self.table == Table::SpanEvents {
                    // They need not come together but for finding those that were sent twice.
                    break;
                }
                return Err(Failure::TooManyAtOnce(Timestamp::from_nanos(time)));
            }
            self.next.pop();
            // Until another place may have its turn.
            let other = self.next.peek().map_or(i64::MAX, |Reverse((time, _))| *time);
            let pending = self.pending.peek().map_or(i64::MAX, |Reverse((time, _))| *time);
            let until = other.min(pending.saturating_sub(1));
            let rows = picked.entry(number).or_default();
            while let Some(key) = active.keys.get(active.next).copied()
                && key.time <= until.max(time)
                && (!is_full(times.len(), bytes, active)
                    || (is_next(&times, key.time) && times.len() < TOGETHER_ROWS && bytes < TOGETHER_BYTES))
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
        for (number, rows) in picked {
            let rows = in_order_of_rows(rows);
            let active = self.places[number].as_ref().expect("its rows were picked");
            let wanted: Vec<u32> = rows.iter().map(|(row, _)| *row).collect();
            let (batch, positions) = if self.is_divided {
                active.place.read_divided(self.columns, &wanted)?
            } else {
                (active.place.read(self.columns, &wanted)?, (0..wanted.len() as u32).collect())
            };
            for (position, (_, turn)) in positions.into_iter().zip(&rows) {
                order[*turn as usize] = (batches.len() as u32, position);
            }
            batches.push(batch);
            if active.next == active.keys.len() {
                self.places[number] = None;
            }
        }
        Ok(Some(Slice { batches, times, order }))
    }
}

/// Orders rows, with their turns; each comes once.
fn in_order_of_rows(mut rows: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    const NONE: u32 = u32::MAX;
    let ends = rows.iter().map(|(row, _)| *row);
    let (Some(first), Some(last)) = (ends.clone().min(), ends.max()) else { return rows };
    if (last - first) as usize / 8 > rows.len() {
        rows.sort_unstable();
        return rows;
    }
    // Most rows between the first and the last are among them: each has its place.
    let mut turns = vec![NONE; (last - first) as usize + 1];
    for (row, turn) in &rows {
        turns[(row - first) as usize] = *turn;
    }
    rows.clear();
    rows.extend((first..).zip(turns).filter(|(_, turn)| *turn != NONE));
    rows
}
