//! Rows of several batches into one, and the small differences between stored types and file types.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanBufferBuilder, FixedSizeBinaryArray, ListArray, StructArray};
use arrow::buffer::{Buffer, NullBuffer};
use arrow::compute::interleave;
use arrow::datatypes::{DataType, TimestampNanosecondType};
use arrow::error::ArrowError;

/// The values at (array, row) places, in their order.
pub(crate) fn gather(arrays: &[&dyn Array], rows: &[(usize, usize)]) -> Result<ArrayRef, ArrowError> {
    if let (Some(&(array, first)), Some(&last)) = (rows.first(), rows.last())
        && last == (array, first + rows.len() - 1)
        && rows.is_sorted()
        && rows.iter().all(|(a, _)| *a == array)
    {
        return Ok(arrays[array].slice(first, rows.len()));
    }
    match arrays.first().map(|array| array.data_type()) {
        Some(DataType::FixedSizeBinary(width)) => Ok(Arc::new(gather_fixed(arrays, rows, *width))),
        _ => interleave(arrays, rows),
    }
}

/// `interleave` goes through a slow general path for this type.
fn gather_fixed(arrays: &[&dyn Array], rows: &[(usize, usize)], width: i32) -> FixedSizeBinaryArray {
    let arrays: Vec<&FixedSizeBinaryArray> = arrays.iter().map(|array| array.as_fixed_size_binary()).collect();
    let mut values = Vec::with_capacity(rows.len() * width as usize);
    for &(array, row) in rows {
        values.extend_from_slice(arrays[array].value(row));
    }
    let nulls = arrays.iter().any(|array| array.null_count() > 0).then(|| {
        let mut valid = BooleanBufferBuilder::new(rows.len());
        for &(array, row) in rows {
            valid.append(arrays[array].is_valid(row));
        }
        NullBuffer::new(valid.finish())
    });
    FixedSizeBinaryArray::new(width, Buffer::from_vec(values), nulls)
}

/// Gives an array a type that differs only in names within it and in the zone of times.
pub(crate) fn relabel(array: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    if array.data_type() == to {
        return Ok(Arc::clone(array));
    }
    match to {
        DataType::Timestamp(_, zone) => {
            let times = array.as_primitive::<TimestampNanosecondType>().clone();
            Ok(Arc::new(times.with_timezone_opt(zone.clone())))
        }
        DataType::List(item) => {
            let list = array.as_list::<i32>();
            let values = relabel(list.values(), item.data_type())?;
            Ok(Arc::new(ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, list.nulls().cloned())?))
        }
        DataType::Struct(fields) => {
            let parts = array.as_struct();
            let columns = parts.columns().iter().zip(fields);
            let columns = columns.map(|(c, field)| relabel(c, field.data_type())).collect::<Result<Vec<_>, _>>()?;
            Ok(Arc::new(StructArray::try_new(fields.clone(), columns, parts.nulls().cloned())?))
        }
        other => Err(ArrowError::SchemaError(format!("a column has type {} where {other} belongs", array.data_type()))),
    }
}
