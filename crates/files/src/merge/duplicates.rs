use arrow::array::{Array, AsArray};
use arrow::datatypes::TimestampNanosecondType;
use glasshouse_tables::Table;

use super::input::Slot;

/// Where a row is: slot and row in it.
pub(super) type Place = (usize, usize);

/// Removes the rows of a group that another row of it replaces or equals; a group's rows are equal in
/// window and keys, and in order of time. Rows that stay keep their order.
pub(super) struct Duplicates {
    table: Table,
    /// Short forms of what duplicates share, and positions in the group.
    candidates: Vec<(u64, usize)>,
    is_dropped: Vec<bool>,
}

impl Duplicates {
    /// `None` for tables that keep every row.
    pub fn of(table: Table) -> Option<Self> {
        let keeps_all = matches!(table, Table::Logs | Table::Metrics);
        (!keeps_all).then(|| Self { table, candidates: Vec::new(), is_dropped: Vec::new() })
    }

    pub fn remove(&mut self, group: &mut Vec<Place>, slots: &[Slot]) {
        if group.len() < 2 {
            return;
        }
        self.candidates.clear();
        let id = self.table.index_of("span_id");
        self.candidates.extend(group.iter().enumerate().map(|(i, &(slot, row))| {
            // Without a span id (`processes`) the whole group is about one thing.
            let short = id.map_or(0, |id| first_bytes(slots[slot].batch.column(id).as_fixed_size_binary().value(row)));
            (short, i)
        }));
        self.candidates.sort_unstable();
        if self.candidates.windows(2).all(|pair| pair[0].0 != pair[1].0) {
            return;
        }
        self.is_dropped.clear();
        self.is_dropped.resize(group.len(), false);
        for same in self.candidates.chunk_by(|a, b| a.0 == b.0).filter(|same| same.len() > 1) {
            match self.table {
                Table::SpanEvents | Table::SpanLinks => {
                    drop_equal(self.table, same, group, slots, &mut self.is_dropped);
                }
                _ => drop_beaten(self.table, same, group, slots, &mut self.is_dropped),
            }
        }
        let mut dropped = self.is_dropped.iter();
        group.retain(|_| dropped.next() == Some(&false));
    }
}

fn first_bytes(id: &[u8]) -> u64 {
    u64::from_ne_bytes(id.try_into().expect("span ids have 8 bytes"))
}

/// Of rows about the same thing, keeps the one that knows most.
fn drop_beaten(table: Table, same: &[(u64, usize)], group: &[Place], slots: &[Slot], is_dropped: &mut [bool]) {
    let best = same.iter().map(|(_, i)| *i).max_by_key(|&i| (knowledge(table, group[i], slots), std::cmp::Reverse(i)));
    for &(_, i) in same {
        is_dropped[i] = Some(i) != best;
    }
}

/// Compares rows about the same thing: whether a span is complete, or how late a process was heard of; then when it
/// was accepted.
fn knowledge(table: Table, (slot, row): Place, slots: &[Slot]) -> (i64, i64) {
    let time = |name: &str| {
        let column = slots[slot].batch.column(table.index_of(name).expect("the column is declared"));
        let times = column.as_primitive::<TimestampNanosecondType>();
        times.is_valid(row).then(|| times.value(row))
    };
    let first = match table {
        Table::Spans => time("end_time").is_some().into(),
        _ => time(table.time_column()).unwrap_or(i64::MIN),
    };
    (first, time("ingest_time").unwrap_or(i64::MIN))
}

/// Of rows that are equal but for when they were accepted, keeps the first.
fn drop_equal(table: Table, same: &[(u64, usize)], group: &[Place], slots: &[Slot], is_dropped: &mut [bool]) {
    for (n, &(_, i)) in same.iter().enumerate() {
        let time = time_of(group[i], slots);
        // Equal rows have equal times, and a group is in order of time.
        for &(_, earlier) in same[..n].iter().rev().take_while(|(_, j)| time_of(group[*j], slots) == time) {
            if !is_dropped[earlier] && is_equal(table, group[i], group[earlier], slots) {
                is_dropped[i] = true;
                break;
            }
        }
    }
}

fn time_of((slot, row): Place, slots: &[Slot]) -> i64 {
    slots[slot].keys.time(row)
}

fn is_equal(table: Table, (a, a_row): Place, (b, b_row): Place, slots: &[Slot]) -> bool {
    let (a, b) = (&slots[a].batch, &slots[b].batch);
    let columns = table.columns().iter().zip(a.columns()).zip(b.columns());
    columns
        .filter(|((column, _), _)| column.name != "ingest_time")
        .all(|((_, a), b)| a.slice(a_row, 1).as_ref() == b.slice(b_row, 1).as_ref())
}
