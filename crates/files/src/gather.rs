//! Rows of several batches into one, and the small differences between stored types and file types.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanBufferBuilder, FixedSizeBinaryArray, GenericByteArray,
    ListArray, PrimitiveArray, StructArray,
};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow::compute::interleave;
use arrow::datatypes::{ByteArrayType, DataType, Float64Type, Int32Type, Int64Type, TimestampNanosecondType, Utf8Type};
use arrow::error::ArrowError;

/// Rows of several batches, in the order they are wanted. Rows that are sorted by trace mostly come in stretches
/// that stood together before, so they are copied stretch by stretch.
#[derive(Debug, Default)]
pub(crate) struct Places {
    stretches: Vec<Stretch>,
    rows: usize,
}

/// Rows of one batch that follow each other.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    batch: usize,
    start: usize,
    end: usize,
}

impl Places {
    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Batch and row, one after the other.
    pub fn iter(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.stretches.iter().flat_map(|stretch| (stretch.start..stretch.end).map(|row| (stretch.batch, row)))
    }
}

impl FromIterator<(usize, usize)> for Places {
    fn from_iter<I: IntoIterator<Item = (usize, usize)>>(places: I) -> Self {
        let mut stretches: Vec<Stretch> = Vec::new();
        let mut rows = 0;
        for (batch, row) in places {
            rows += 1;
            match stretches.last_mut() {
                Some(last) if last.batch == batch && last.end == row => last.end += 1,
                _ => stretches.push(Stretch { batch, start: row, end: row + 1 }),
            }
        }
        Self { stretches, rows }
    }
}

/// The values at the places, in their order.
pub(crate) fn gather(arrays: &[&dyn Array], places: &Places) -> Result<ArrayRef, ArrowError> {
    if let [only] = places.stretches[..] {
        return Ok(arrays[only.batch].slice(only.start, only.end - only.start));
    }
    Ok(match arrays.first().map(|array| array.data_type()) {
        Some(DataType::FixedSizeBinary(width)) => Arc::new(gather_fixed(arrays, places, *width)),
        Some(DataType::Utf8) => Arc::new(gather_text::<Utf8Type>(arrays, places)?),
        Some(DataType::Int64) => Arc::new(gather_numbers::<Int64Type>(arrays, places)),
        Some(DataType::Int32) => Arc::new(gather_numbers::<Int32Type>(arrays, places)),
        Some(DataType::Float64) => Arc::new(gather_numbers::<Float64Type>(arrays, places)),
        Some(DataType::Timestamp(arrow::datatypes::TimeUnit::Nanosecond, zone)) => {
            let times = gather_numbers::<TimestampNanosecondType>(arrays, places);
            Arc::new(times.with_timezone_opt(zone.clone()))
        }
        _ => interleave(arrays, &places.iter().collect::<Vec<_>>())?,
    })
}

fn gather_numbers<T: ArrowPrimitiveType>(arrays: &[&dyn Array], places: &Places) -> PrimitiveArray<T> {
    let values: Vec<&[T::Native]> = arrays.iter().map(|array| &array.as_primitive::<T>().values()[..]).collect();
    let mut gathered = Vec::with_capacity(places.rows);
    for stretch in &places.stretches {
        gathered.extend_from_slice(&values[stretch.batch][stretch.start..stretch.end]);
    }
    PrimitiveArray::new(gathered.into(), gather_nulls(arrays, places))
}

fn gather_fixed(arrays: &[&dyn Array], places: &Places, width: i32) -> FixedSizeBinaryArray {
    let bytes: Vec<&[u8]> = arrays.iter().map(|array| array.as_fixed_size_binary().value_data()).collect();
    let step = width as usize;
    let mut gathered = Vec::with_capacity(places.rows * step);
    for stretch in &places.stretches {
        gathered.extend_from_slice(&bytes[stretch.batch][stretch.start * step..stretch.end * step]);
    }
    FixedSizeBinaryArray::new(width, Buffer::from_vec(gathered), gather_nulls(arrays, places))
}

fn gather_text<T: ByteArrayType<Offset = i32>>(
    arrays: &[&dyn Array],
    places: &Places,
) -> Result<GenericByteArray<T>, ArrowError> {
    let parts: Vec<(&[i32], &[u8])> = arrays
        .iter()
        .map(|array| {
            let array = array.as_bytes::<T>();
            (array.value_offsets(), array.value_data())
        })
        .collect();
    let mut offsets = Vec::with_capacity(places.rows + 1);
    offsets.push(0);
    let mut end = 0_i32;
    for stretch in &places.stretches {
        let from = &parts[stretch.batch].0[stretch.start..=stretch.end];
        let shift = end - from[0];
        end = from[from.len() - 1].checked_add(shift).ok_or_else(|| ArrowError::OffsetOverflowError(end as usize))?;
        offsets.extend(from[1..].iter().map(|offset| offset + shift));
    }
    let mut bytes = Vec::with_capacity(end as usize);
    for stretch in &places.stretches {
        let (from, data) = parts[stretch.batch];
        bytes.extend_from_slice(&data[from[stretch.start] as usize..from[stretch.end] as usize]);
    }
    GenericByteArray::try_new(OffsetBuffer::new(offsets.into()), Buffer::from_vec(bytes), gather_nulls(arrays, places))
}

fn gather_nulls(arrays: &[&dyn Array], places: &Places) -> Option<NullBuffer> {
    let nulls: Vec<Option<&NullBuffer>> = arrays.iter().map(|array| array.nulls()).collect();
    nulls.iter().any(Option::is_some).then(|| {
        let mut valid = BooleanBufferBuilder::new(places.rows);
        for stretch in &places.stretches {
            let len = stretch.end - stretch.start;
            match nulls[stretch.batch] {
                Some(nulls) => valid.append_buffer(&nulls.inner().slice(stretch.start, len)),
                None => valid.append_n(len, true),
            }
        }
        NullBuffer::new(valid.finish())
    })
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
