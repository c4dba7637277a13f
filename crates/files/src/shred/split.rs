use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use glasshouse_tables::attributes::{self, JsonObject, ValueRef};
use glasshouse_tables::{ShredType, ShreddedColumn};

use super::keys::{Keys, shred_type};

/// Splits packed attributes into typed columns and JSON text for the rest, row by row.
///
/// Only the first occurrence of a key in a row goes to a column. So when a row is put together again from
/// its columns and then the rest, the first value of a repeated key is the first again.
#[derive(Debug)]
pub(crate) struct Splitter {
    keys: Keys,
    slots: Vec<Slot>,
    columns: Vec<ColumnBuilder>,
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

#[derive(Debug)]
struct ColumnBuilder {
    values: Values,
    /// Rows appended, NULLs among them.
    rows: usize,
}

#[derive(Debug)]
enum Values {
    String(StringBuilder),
    Int(Int64Builder),
    Double(Float64Builder),
    Bool(BooleanBuilder),
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
        let columns =
            columns.iter().map(|column| ColumnBuilder { values: Values::new(column.kind), rows: 0 }).collect();
        Self { keys, slots, columns, rest: StringBuilder::new(), json: String::new(), rows: 0 }
    }

    /// Adds a row.
    pub fn push(&mut self, packed: &[u8]) {
        let row = self.rows;
        self.rows += 1;
        self.json.clear();
        let mut rest = JsonObject::new(&mut self.json);
        let mut previous = None;
        for (key, value) in attributes::iter(packed) {
            if let Some(number) = self.keys.find(previous, key) {
                previous = Some(number);
                let slot = &mut self.slots[number as usize];
                let is_first = std::mem::replace(&mut slot.row, self.rows) != self.rows;
                let column = shred_type(value).and_then(|kind| slot.columns[kind as usize]);
                if let (true, Some(column)) = (is_first, column) {
                    self.columns[column as usize].set(row, value);
                    continue;
                }
            }
            rest.push(key, value);
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
    pub fn finish(&mut self) -> (ArrayRef, Vec<ArrayRef>) {
        let rows = std::mem::take(&mut self.rows);
        for slot in &mut self.slots {
            slot.row = 0;
        }
        let columns = self.columns.iter_mut().map(|column| column.finish(rows)).collect();
        (Arc::new(self.rest.finish()), columns)
    }
}

impl ColumnBuilder {
    fn set(&mut self, row: usize, value: ValueRef<'_>) {
        self.values.append_nulls(row - self.rows);
        self.rows = row + 1;
        match (&mut self.values, value) {
            (Values::String(builder), ValueRef::String(text)) => builder.append_value(text),
            (Values::Int(builder), ValueRef::Int(value)) => builder.append_value(value),
            (Values::Double(builder), ValueRef::Double(value)) => builder.append_value(value),
            (Values::Bool(builder), ValueRef::Bool(value)) => builder.append_value(value),
            _ => unreachable!("a column is found by the value's type"),
        }
    }

    fn finish(&mut self, rows: usize) -> ArrayRef {
        self.values.append_nulls(rows - self.rows);
        self.rows = 0;
        // The next rows will need about as much room as these: builders that grow copy everything several times.
        match &mut self.values {
            Values::String(builder) => {
                let next = StringBuilder::with_capacity(rows, builder.values_slice().len());
                Arc::new(std::mem::replace(builder, next).finish())
            }
            Values::Int(builder) => Arc::new(std::mem::replace(builder, Int64Builder::with_capacity(rows)).finish()),
            Values::Double(builder) => {
                Arc::new(std::mem::replace(builder, Float64Builder::with_capacity(rows)).finish())
            }
            Values::Bool(builder) => Arc::new(std::mem::replace(builder, BooleanBuilder::with_capacity(rows)).finish()),
        }
    }
}

impl Values {
    fn new(kind: ShredType) -> Self {
        match kind {
            ShredType::String => Self::String(StringBuilder::new()),
            ShredType::Int => Self::Int(Int64Builder::new()),
            ShredType::Double => Self::Double(Float64Builder::new()),
            ShredType::Bool => Self::Bool(BooleanBuilder::new()),
        }
    }

    fn append_nulls(&mut self, count: usize) {
        match self {
            Self::String(builder) => builder.append_nulls(count),
            Self::Int(builder) => builder.append_nulls(count),
            Self::Double(builder) => builder.append_nulls(count),
            Self::Bool(builder) => builder.append_nulls(count),
        }
    }
}
