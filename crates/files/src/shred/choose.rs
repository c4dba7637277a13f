use std::collections::HashSet;

use arrow::array::{Array, AsArray, BinaryArray};
use arrow::record_batch::RecordBatch;
use glasshouse_tables::{ShredType, ShreddedColumn, Table, attributes};

use super::keys::{Keys, shred_type};

/// Most shredded columns of a file: each costs every row group some hundred bytes of footer.
const MAX_SHREDDED: usize = 128;
/// A key gets a column when at least one row in so many has it …
const ROWS_PER_VALUE: u64 = 100;
/// … and at least this many rows: a handful of rows does not make a column for the whole table.
const MIN_VALUES: u64 = 8;
/// Longest key that becomes a column's name.
const MAX_KEY_BYTES: usize = 128;
/// Rows that are looked at, spread evenly: what is on 1 % of the rows is on 160 of them.
const SAMPLE_ROWS: usize = 16 << 10;
/// Distinct keys that are counted; what comes later is rare, or a sender makes up keys.
const MAX_KEYS: usize = 4096;

/// The attribute keys that deserve a column in the files of these batches (of the stored schema): those
/// on at least 1 % of the rows, most frequent first. Empty for tables that keep attributes whole.
/// Judged by a sample of the rows.
pub fn choose_shredded(table: Table, batches: &[RecordBatch]) -> Vec<ShreddedColumn> {
    let Some(column) = table.shredded_column().and_then(|name| table.index_of(name)) else { return Vec::new() };
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let step = rows.div_ceil(SAMPLE_ROWS).max(1);
    let mut counts = KeyCounts::default();
    let mut seen = 0;
    for batch in batches {
        let packed: &BinaryArray = batch.column(column).as_binary();
        for row in ((step - seen % step) % step..packed.len()).step_by(step) {
            counts.count_row(packed.value(row), step as u64);
        }
        seen += batch.num_rows();
    }
    counts.choose(rows as u64, &HashSet::new())
}

/// How many rows have each key, by type.
#[derive(Debug, Default)]
pub(crate) struct KeyCounts {
    keys: Keys,
    counts: Vec<[u64; 4]>,
}

impl KeyCounts {
    /// Counts a row that stands for `weight` rows.
    pub fn count_row(&mut self, packed: &[u8], weight: u64) {
        let mut previous = None;
        for (key, value) in attributes::raw_iter(packed) {
            let Some(kind) = shred_type(value) else { continue };
            let number = match self.keys.find(previous, key) {
                Some(number) => number,
                None => match str::from_utf8(key) {
                    Ok(key) if self.keys.len() < MAX_KEYS && is_fit(key) => self.add(key),
                    _ => continue,
                },
            };
            self.counts[number as usize][kind as usize] += weight;
            previous = Some(number);
        }
    }

    /// Counts values that have a column.
    pub fn count_column(&mut self, column: &ShreddedColumn, values: u64) {
        let number = self.add(&column.key);
        self.counts[number as usize][column.kind as usize] += values;
    }

    fn add(&mut self, key: &str) -> u32 {
        let number = self.keys.add(key);
        self.counts.resize(self.keys.len(), [0; 4]);
        number
    }

    /// The columns for `rows` rows, most frequent first; those in `kept` qualify with a quarter of what is asked
    /// of new ones, so that a column does not come and go.
    pub fn choose(&self, rows: u64, kept: &HashSet<ShreddedColumn>) -> Vec<ShreddedColumn> {
        let mut found: Vec<(u64, ShreddedColumn)> = Vec::new();
        for (number, counts) in self.counts.iter().enumerate() {
            for kind in ShredType::ALL {
                let count = counts[kind as usize];
                if count < MIN_VALUES {
                    continue;
                }
                let column = ShreddedColumn { kind, key: self.keys.key(number as u32).to_owned() };
                let leniency = if kept.contains(&column) { 4 } else { 1 };
                if count * ROWS_PER_VALUE * leniency >= rows {
                    found.push((count, column));
                }
            }
        }
        found.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        // DuckDB takes names that differ only in case for one.
        let mut names = HashSet::new();
        found.retain(|(_, column)| names.insert(column.to_string().to_lowercase()));
        found.truncate(MAX_SHREDDED);
        found.into_iter().map(|(_, column)| column).collect()
    }
}

fn is_fit(key: &str) -> bool {
    !key.is_empty() && key.len() <= MAX_KEY_BYTES && !key.chars().any(char::is_control)
}
