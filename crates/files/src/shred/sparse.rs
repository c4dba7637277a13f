use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, BooleanBufferBuilder, Float64Array, Int64Array, StringArray};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use glasshouse_tables::ShredType;
use glasshouse_tables::attributes::{RawValue, ValueRef};

/// Collects the values that a few of many rows have: a row without one costs nothing until the end.
#[derive(Debug)]
pub(super) struct SparseColumn {
    /// The row of each value, ascending.
    rows: Vec<u32>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    /// The texts one after the other, and where each ends.
    String {
        bytes: Vec<u8>,
        ends: Vec<i32>,
    },
    Int(Vec<i64>),
    Double(Vec<f64>),
    Bool(Vec<bool>),
}

impl SparseColumn {
    pub fn new(kind: ShredType) -> Self {
        let values = match kind {
            ShredType::String => Values::String { bytes: Vec::new(), ends: Vec::new() },
            ShredType::Int => Values::Int(Vec::new()),
            ShredType::Double => Values::Double(Vec::new()),
            ShredType::Bool => Values::Bool(Vec::new()),
        };
        Self { rows: Vec::new(), values }
    }

    /// Adds the value of a row behind all earlier ones. The value has the column's type.
    #[inline]
    pub fn push(&mut self, row: usize, value: RawValue<'_>) {
        self.rows.push(row as u32);
        match (&mut self.values, value) {
            (Values::String { bytes, ends }, RawValue::String(text)) => {
                bytes.extend_from_slice(text);
                ends.push(bytes.len() as i32);
            }
            (Values::Int(values), RawValue::Other(ValueRef::Int(value))) => values.push(value),
            (Values::Double(values), RawValue::Other(ValueRef::Double(value))) => values.push(value),
            (Values::Bool(values), RawValue::Other(ValueRef::Bool(value))) => values.push(value),
            _ => unreachable!("a column is found by the value's type"),
        }
    }

    /// The column of so many rows; begins anew. Fails when a text is not UTF-8.
    pub fn finish(&mut self, len: usize) -> Result<ArrayRef, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        self.rows.reserve(rows.len());
        let nulls = (rows.len() < len).then(|| valid_rows(&rows, len));
        Ok(match &mut self.values {
            Values::String { bytes, ends } => {
                let offsets = OffsetBuffer::new(offsets(&rows, ends, len).into());
                ends.clear();
                // The next rows will need about as much room as these.
                let next = Vec::with_capacity(bytes.len());
                let bytes = Buffer::from_vec(std::mem::replace(bytes, next));
                Arc::new(StringArray::try_new(offsets, bytes, nulls)?)
            }
            Values::Int(values) => Arc::new(Int64Array::new(spread(&rows, values, len), nulls)),
            Values::Double(values) => Arc::new(Float64Array::new(spread(&rows, values, len), nulls)),
            Values::Bool(values) => {
                let mut bits = BooleanBufferBuilder::new(len);
                bits.append_n(len, false);
                for (row, value) in rows.iter().zip(values.drain(..)) {
                    bits.set_bit(*row as usize, value);
                }
                Arc::new(BooleanArray::new(bits.finish(), nulls))
            }
        })
    }
}

fn valid_rows(rows: &[u32], len: usize) -> NullBuffer {
    let mut bits = BooleanBufferBuilder::new(len);
    bits.append_n(len, false);
    for row in rows {
        bits.set_bit(*row as usize, true);
    }
    NullBuffer::new(bits.finish())
}

/// Values at their rows, zero between them.
fn spread<T: Default + Clone + arrow::datatypes::ArrowNativeType>(
    rows: &[u32],
    values: &mut Vec<T>,
    len: usize,
) -> ScalarBuffer<T> {
    let mut spread = vec![T::default(); len];
    for (row, value) in rows.iter().zip(values.drain(..)) {
        spread[*row as usize] = value;
    }
    spread.into()
}

/// Where the text of each row begins, and where the last one ends: rows without one get an empty one.
fn offsets(rows: &[u32], ends: &[i32], len: usize) -> Vec<i32> {
    let mut offsets = Vec::with_capacity(len + 1);
    let mut end = 0;
    for (row, next) in rows.iter().zip(ends) {
        offsets.resize(*row as usize + 1, end);
        end = *next;
    }
    offsets.resize(len + 1, end);
    offsets
}
