//! Process rows of a generation. Every request tells of its process again; a row is kept only when the process is
//! new or its resource changed, else the kept row is brought up to date.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, TimestampNanosecondArray, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::TimestampNanosecondType;
use arrow::record_batch::RecordBatch;
use glasshouse_model::{DurationNs, Timestamp};
use glasshouse_tables::{Batches, Table};
use xxhash_rust::xxh3::xxh3_64;

use super::coalesce::{Coalesced, Join};

/// Readers see a later `last_update_time` after this time at the latest; new processes they see at once.
const REFRESH: DurationNs = DurationNs::from_secs(1);
/// What a known process takes in the map and in the two columns, in bytes.
const ENTRY_BYTES: usize = 80;

/// The processes that a generation tells of.
#[derive(Debug, Default)]
pub(crate) struct Processes {
    /// Process and hash of its resource to the row that tells of it.
    known: HashMap<([u8; 16], u64), usize>,
    rows: Coalesced<RecordBatch>,
    last_update: Vec<i64>,
    start: Vec<Option<i64>>,
    /// The rows with the times of `last_update` and `start`, as readers see them.
    part: Option<Arc<Batches>>,
    has_new_rows: bool,
    has_new_times: bool,
    refreshed: Timestamp,
}

impl Processes {
    /// Takes in what a request that was received at `received` says of processes.
    pub(crate) fn push(&mut self, batch: &RecordBatch, received: Timestamp) {
        let column = |name| batch.column(position(name));
        let ids = column("process_id").as_fixed_size_binary();
        let resources = column("resource").as_binary::<i32>();
        let starts = column("start_time").as_primitive::<TimestampNanosecondType>();
        let mut fresh = Vec::new();
        for row in 0..batch.num_rows() {
            let id = ids.value(row).try_into().expect("process ids have 16 bytes");
            let start = starts.is_valid(row).then(|| starts.value(row));
            let next = self.last_update.len();
            let known = *self.known.entry((id, xxh3_64(resources.value(row)))).or_insert(next);
            if known == next {
                fresh.push(row as u32);
                self.last_update.push(received.nanos());
                self.start.push(start);
            } else {
                self.last_update[known] = self.last_update[known].max(received.nanos());
                self.start[known] = self.start[known].into_iter().chain(start).min();
                self.has_new_times = true;
            }
        }
        if !fresh.is_empty() {
            let fresh = take_record_batch(batch, &UInt32Array::from(fresh)).expect("the rows are in the batch");
            self.rows.push(Arc::new(fresh));
            self.has_new_rows = true;
        }
    }

    /// Makes what readers see when it is due.
    pub(crate) fn tidy(&mut self, now: Timestamp) {
        self.rows.tidy();
        if self.has_new_rows || (self.has_new_times && now - self.refreshed >= REFRESH) {
            self.refresh();
            self.refreshed = now;
        }
    }

    /// Makes what readers see.
    pub(crate) fn refresh(&mut self) {
        if !self.has_new_rows && !self.has_new_times {
            return;
        }
        let rows = match self.rows.parts() {
            [] => return,
            [one] => one.as_ref().clone(),
            many => RecordBatch::join(many),
        };
        let mut columns = rows.columns().to_vec();
        let times = |times: TimestampNanosecondArray| Arc::new(times.with_timezone("UTC")) as ArrayRef;
        columns[position("last_update_time")] = times(self.last_update.clone().into());
        columns[position("start_time")] = times(self.start.clone().into());
        let batch = RecordBatch::try_new(rows.schema(), columns).expect("only values of the columns changed");
        let mut part = Batches::default();
        part.set(Table::Processes, batch);
        self.part = Some(Arc::new(part));
        self.has_new_rows = false;
        self.has_new_times = false;
    }

    /// The rows as readers see them.
    pub(crate) fn part(&self) -> Option<Arc<Batches>> {
        self.part.clone()
    }

    /// Bytes that all of it takes.
    pub(crate) fn bytes(&self) -> usize {
        let shown = if self.rows.parts().len() > 1 { self.part.as_ref().map_or(0, |part| part.memory()) } else { 0 };
        self.rows.bytes() + shown + self.known.len() * ENTRY_BYTES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

fn position(column: &str) -> usize {
    Table::Processes.index_of(column).expect("the table declares the column")
}

#[cfg(test)]
mod tests {
    use glasshouse_model::ProcessId;
    use glasshouse_tables::attributes::PackedWriter;
    use glasshouse_tables::{ProcessRow, ProcessesBuilder};
    use uuid::Uuid;

    use super::*;

    fn telling(process: u128, host: &str, start: i64, received: i64) -> RecordBatch {
        let mut resource = PackedWriter::new();
        resource.push_str("host.name", host);
        let mut builder = ProcessesBuilder::default();
        builder.push(&ProcessRow {
            process_id: ProcessId(Uuid::from_u128(process)),
            service_name: "shop",
            start_time: Some(Timestamp::from_nanos(start)),
            first_seen: Timestamp::from_nanos(received),
            last_update_time: Timestamp::from_nanos(received),
            parent_process_id: None,
            resource: resource.packed(),
        });
        builder.finish(Timestamp::from_nanos(received))
    }

    #[test]
    fn a_process_is_one_row_until_it_changes() {
        let mut processes = Processes::default();
        for received in 0..1000 {
            processes.push(&telling(1, "a", 500 - received, received), Timestamp::from_nanos(received));
        }
        processes.push(&telling(2, "a", 0, 1000), Timestamp::from_nanos(1000));
        processes.push(&telling(1, "b", 0, 1001), Timestamp::from_nanos(1001));
        processes.tidy(Timestamp::from_nanos(1001));

        let part = processes.part().unwrap();
        let rows = part.get(Table::Processes).unwrap();
        assert_eq!(rows.num_rows(), 3);
        let time = |name: &str, row| rows.column(position(name)).as_primitive::<TimestampNanosecondType>().value(row);
        assert_eq!(time("last_update_time", 0), 999);
        assert_eq!(time("first_seen", 0), 0);
        assert_eq!(time("start_time", 0), -499);
        assert_eq!(time("last_update_time", 2), 1001);
    }

    #[test]
    fn times_are_refreshed_once_a_second() {
        let mut processes = Processes::default();
        let mut tell = |nanos: i64| {
            let now = Timestamp::from_nanos(nanos);
            processes.push(&telling(1, "a", 0, nanos), now);
            processes.tidy(now);
            let part = processes.part().unwrap();
            let rows = part.get(Table::Processes).unwrap();
            rows.column(position("last_update_time")).as_primitive::<TimestampNanosecondType>().value(0)
        };
        assert_eq!(tell(1), 1);
        assert_eq!(tell(5), 1);
        assert_eq!(tell(2_000_000_000), 2_000_000_000);
    }
}
