//! The order of rows in files ([`glasshouse_tables::SortOrder`]).

use std::cmp::Ordering;
use std::collections::HashMap;

use arrow::array::{AsArray, FixedSizeBinaryArray, StringArray, TimestampNanosecondArray};
use arrow::datatypes::TimestampNanosecondType;
use arrow::record_batch::RecordBatch;
use glasshouse_tables::{ColumnType, Table};

/// The columns of a batch that decide where its rows go.
#[derive(Debug, Clone)]
pub(crate) struct SortKeys {
    windows: Vec<i64>,
    times: TimestampNanosecondArray,
    text: Option<StringArray>,
    id: FixedSizeBinaryArray,
}

impl SortKeys {
    /// The keys of a batch of the table's stored schema or of a file's.
    pub fn of(table: Table, batch: &RecordBatch) -> Self {
        let column = |name: &str| batch.column(table.index_of(name).expect("sort columns are declared"));
        let order = table.sort_order();
        let mut text = None;
        let mut id = None;
        for name in order.keys {
            match table.columns()[table.index_of(name).expect("sort columns are declared")].kind {
                ColumnType::Text => text = Some(column(name).as_string().clone()),
                _ => id = Some(column(name).as_fixed_size_binary().clone()),
            }
        }
        let times = column(table.time_column()).as_primitive::<TimestampNanosecondType>().clone();
        let id = id.expect("every table sorts by an id, after at most one text");
        let windows = times.values().iter().map(|time| time.div_euclid(order.window.nanos())).collect();
        Self { windows, times, text, id }
    }

    pub fn len(&self) -> usize {
        self.windows.len()
    }

    pub fn time(&self, row: usize) -> i64 {
        self.times.value(row)
    }

    pub fn id(&self, row: usize) -> &[u8] {
        self.id.value(row)
    }

    fn window(&self, row: usize) -> i64 {
        self.windows[row]
    }

    fn text(&self, row: usize) -> &str {
        self.text.as_ref().map_or("", |text| text.value(row))
    }

    /// Compares by window and keys: rows that are equal here stand together.
    pub fn compare_group(&self, row: usize, other: &Self, other_row: usize) -> Ordering {
        self.window(row)
            .cmp(&other.window(other_row))
            .then_with(|| self.text(row).cmp(other.text(other_row)))
            .then_with(|| self.id(row).cmp(other.id(other_row)))
    }

    /// Compares by window, keys and time.
    pub fn compare(&self, row: usize, other: &Self, other_row: usize) -> Ordering {
        self.compare_group(row, other, other_row).then_with(|| self.time(row).cmp(&other.time(other_row)))
    }
}

/// A row of many batches, with all that its place depends on. Rows that are equal otherwise keep the order
/// they were accepted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SortedRow {
    window: i64,
    key: [u64; 2],
    pub time: i64,
    pub batch: u32,
    pub row: u32,
}

/// All rows of the batches in the table's order.
pub(crate) fn sorted_rows(table: Table, batches: &[RecordBatch]) -> Vec<SortedRow> {
    let keys: Vec<SortKeys> = batches.iter().map(|batch| SortKeys::of(table, batch)).collect();
    let ranks = Ranks::of(&keys);
    let mut rows = Vec::with_capacity(keys.iter().map(SortKeys::len).sum());
    for (batch, keys) in keys.iter().enumerate() {
        for row in 0..keys.len() {
            let key = match &ranks {
                Some(ranks) => [u64::from(ranks.rows[rows.len()]), 0],
                None => halves(keys.id(row)),
            };
            let (window, time) = (keys.window(row), keys.time(row));
            rows.push(SortedRow { window, key, time, batch: batch as u32, row: row as u32 });
        }
    }
    rows.sort_unstable();
    rows
}

/// 16 bytes as two numbers that compare as the bytes do.
fn halves(id: &[u8]) -> [u64; 2] {
    let half = |bytes: &[u8]| u64::from_be_bytes(bytes.try_into().expect("ids that files sort by have 16 bytes"));
    [half(&id[..8]), half(&id[8..])]
}

/// For keys with text: the place of each row's key among the distinct ones. There are few (services and
/// their processes, metrics), so comparing rows becomes comparing numbers.
struct Ranks {
    rows: Vec<u32>,
}

impl Ranks {
    fn of(keys: &[SortKeys]) -> Option<Self> {
        keys.first()?.text.as_ref()?;
        let mut numbers: HashMap<(&str, &[u8]), u32> = HashMap::new();
        let mut rows = Vec::new();
        for keys in keys {
            let mut last: Option<((&str, &[u8]), u32)> = None;
            for row in 0..keys.len() {
                let key = (keys.text(row), keys.id(row));
                let number = match last {
                    Some((last, number)) if last == key => number,
                    _ => {
                        let next = numbers.len() as u32;
                        *numbers.entry(key).or_insert(next)
                    }
                };
                last = Some((key, number));
                rows.push(number);
            }
        }
        let mut sorted: Vec<_> = numbers.into_iter().collect();
        sorted.sort_unstable();
        let mut ranks = vec![0; sorted.len()];
        for (rank, (_, number)) in sorted.into_iter().enumerate() {
            ranks[number as usize] = rank as u32;
        }
        for row in &mut rows {
            *row = ranks[*row as usize];
        }
        Some(Self { rows })
    }
}
