//! The places of spans, the latest start first.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Arc;

use glasshouse_files::{FileCache, FileReader};
use glasshouse_model::{TimeRange, Timestamp};
use glasshouse_tables::{DataFile, Snapshot, Table};

use crate::cells;
use crate::error::Failure;
use crate::source::Source;

/// What is still to be visited of a range, the latest start first.
pub(crate) struct Newest {
    heap: BinaryHeap<Entry>,
    range: TimeRange,
    visited: usize,
}

struct Entry {
    first: i64,
    latest: i64,
    /// Tells entries of the same time apart.
    number: usize,
    place: Place,
}

enum Place {
    /// A file that was not opened yet.
    File(Arc<DataFile>),
    Group(Arc<FileReader>, usize),
    Hot(Source),
}

impl Newest {
    pub fn new(snapshot: &Snapshot, range: TimeRange) -> Result<Self, Failure> {
        let mut newest = Self { heap: BinaryHeap::new(), range, visited: 0 };
        for batch in snapshot.hot_batches(Table::Spans) {
            let times = cells::times(cells::column(batch, "start_time")?)?;
            if let (Some(first), Some(last)) = (arrow::compute::min(times), arrow::compute::max(times)) {
                newest.push((first, last), Place::Hot(Source::Hot(batch.clone())));
            }
        }
        for file in snapshot.files(Table::Spans, range) {
            newest.push((file.min_time.nanos(), file.max_time.nanos()), Place::File(Arc::clone(file)));
        }
        Ok(newest)
    }

    /// Rows whose starts lie within these bounds have to be visited, if the range meets them.
    fn push(&mut self, (first, last): (i64, i64), place: Place) {
        if self.range.overlaps(Timestamp::from_nanos(first), Timestamp::from_nanos(last)) {
            let latest = last.min(self.range.to.nanos());
            self.visited += 1;
            self.heap.push(Entry { first, latest, number: self.visited, place });
        }
    }

    /// The range, its open ends closed by the rows; `None` when there are none.
    pub fn closed_range(&self) -> Option<TimeRange> {
        let first = self.heap.iter().map(|entry| entry.first).min()?;
        let last = self.heap.iter().map(|entry| entry.latest).max()?;
        let TimeRange { from, to } = self.range;
        let from = if from == Timestamp::MIN { Timestamp::from_nanos(first) } else { from };
        let to = if to == Timestamp::MAX { Timestamp::from_nanos(last.saturating_add(1)) } else { to };
        Some(TimeRange { from, to: to.max(Timestamp::from_nanos(from.nanos().saturating_add(1))) })
    }

    /// No row that was not visited starts later.
    pub fn latest(&self) -> Option<i64> {
        self.heap.peek().map(|entry| entry.latest)
    }

    /// The next rows to look at; `None` when a file was opened instead.
    pub fn visit(&mut self, files: &FileCache) -> Result<Option<Source>, Failure> {
        match self.heap.pop().map(|entry| entry.place) {
            None => Ok(None),
            Some(Place::Hot(source)) => Ok(Some(source)),
            Some(Place::Group(file, group)) => Ok(Some(Source::Group(file, group))),
            Some(Place::File(file)) => {
                let reader = files.open(&file)?;
                for group in 0..reader.row_groups() {
                    let source = Source::Group(Arc::clone(&reader), group);
                    let bounds = source.bounds("start_time");
                    let bounds = bounds.unwrap_or((file.min_time.nanos(), file.max_time.nanos()));
                    self.push(bounds, Place::Group(Arc::clone(&reader), group));
                }
                Ok(None)
            }
        }
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.latest, self.number).cmp(&(other.latest, other.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}
