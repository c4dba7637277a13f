use std::sync::Arc;

use arrow::array::{ArrayRef, StringBuilder};
use arrow::error::ArrowError;
use glasshouse_tables::ShreddedColumn;
use glasshouse_tables::attributes::{self, JsonObject};

use super::keys::{Keys, shred_type};
use super::sparse::SparseColumn;

/// Splits packed attributes into typed columns and JSON text for the rest, row by row.
///
/// Only the first occurrence of a key in a row goes to a column. So when a row is put together again from
/// its columns and then the rest, the first value of a repeated key is the first again.
#[derive(Debug)]
pub(crate) struct Splitter {
    keys: Keys,
    slots: Vec<Slot>,
    columns: Vec<SparseColumn>,
    rest: StringBuilder,
    json: String,
    /// Rows since the last [`Self::finish`].
    rows: usize,
}

#[derive(Debug)]
struct Slot {
    /// The row that had this key last, counted from one.
    row: usize,
    /// The column of each type.
    columns: [Option<u32>; 4],
}

impl Splitter {
    /// A splitter for these columns.
    pub fn new(columns: &[ShreddedColumn]) -> Self {
        let mut keys = Keys::default();
        let mut slots: Vec<Slot> = Vec::new();
        for (i, column) in columns.iter().enumerate() {
            let number = keys.add(&column.key) as usize;
            if number == slots.len() {
                slots.push(Slot { row: 0, columns: [None; 4] });
            }
            slots[number].columns[column.kind as usize] = Some(i as u32);
        }
        let columns = columns.iter().map(|column| SparseColumn::new(column.kind)).collect();
        Self { keys, slots, columns, rest: StringBuilder::new(), json: String::new(), rows: 0 }
    }

    /// Adds a row.
    pub fn push(&mut self, packed: &[u8]) {
        let row = self.rows;
        self.rows += 1;
        self.json.clear();
        let mut rest = JsonObject::new(&mut self.json);
        let mut previous = None;
        for (key, value) in attributes::raw_iter(packed) {
            if let Some(number) = self.keys.find(previous, key) {
                previous = Some(number);
                let slot = &mut self.slots[number as usize];
                let is_first = std::mem::replace(&mut slot.row, self.rows) != self.rows;
                let column = shred_type(value).and_then(|kind| slot.columns[kind as usize]);
                if let (true, Some(column)) = (is_first, column) {
                    self.columns[column as usize].push(row, value);
                    continue;
                }
            }
            rest.push(str::from_utf8(key).unwrap_or_default(), value.into());
        }
        if rest.is_empty() {
            self.rest.append_null();
        } else {
            rest.finish();
            self.rest.append_value(&self.json);
        }
    }

    /// Adds a row without attributes.
    pub fn push_null(&mut self) {
        self.rows += 1;
        self.rest.append_null();
    }

    /// The rows since the last call: JSON text of what has no column (NULL where nothing is left), and the
    /// columns.
    pub fn finish(&mut self) -> Result<(ArrayRef, Vec<ArrayRef>), ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        for slot in &mut self.slots {
            slot.row = 0;
        }
        let columns = self.columns.iter_mut().map(|column| column.finish(rows)).collect::<Result<_, _>>()?;
        Ok((Arc::new(self.rest.finish()), columns))
    }
}
