//! Arrow rows as JSON. Numbers that JavaScript would round are strings; see [`QueryValueType`].

use std::io::Write;

use arrow::array::{Array, AsArray, Float16Array};
use arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, Schema, TimeUnit,
    UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use glasshouse_api::{QueryColumn, QueryValueType};

/// Describes the columns of an answer.
pub(crate) fn columns(schema: &Schema) -> Vec<QueryColumn> {
    let column = |field: &arrow::datatypes::FieldRef| QueryColumn {
        name: field.name().clone(),
        kind: value_type(field.data_type()),
        arrow_type: field.data_type().to_string(),
        nullable: field.is_nullable(),
    };
    schema.fields().iter().map(column).collect()
}

fn value_type(data_type: &DataType) -> QueryValueType {
    match data_type {
        DataType::Null => QueryValueType::Null,
        DataType::Boolean => QueryValueType::Boolean,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 | DataType::UInt32 => {
            QueryValueType::Integer
        }
        DataType::Int64 | DataType::UInt64 => QueryValueType::Bigint,
        DataType::Float16 | DataType::Float32 | DataType::Float64 => QueryValueType::Double,
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            QueryValueType::Decimal
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => QueryValueType::Text,
        DataType::Timestamp(..) => QueryValueType::Timestamp,
        DataType::Duration(_) => QueryValueType::Duration,
        DataType::Date32 | DataType::Date64 => QueryValueType::Date,
        DataType::Time32(_) | DataType::Time64(_) => QueryValueType::Time,
        DataType::Interval(_) => QueryValueType::Interval,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            QueryValueType::Binary
        }
        DataType::Struct(_) | DataType::Union(..) => QueryValueType::Struct,
        DataType::Map(..) => QueryValueType::Map,
        DataType::Dictionary(_, values) => value_type(values),
        DataType::RunEndEncoded(_, values) => value_type(values.data_type()),
        DataType::List(_)
        | DataType::LargeList(_)
        | DataType::FixedSizeList(..)
        | DataType::ListView(_)
        | DataType::LargeListView(_) => QueryValueType::List,
    }
}

/// Appends the rows of a batch, each `[value,…]`, with commas between them and before the first unless
/// `is_first`.
pub(crate) fn write_rows(batch: &RecordBatch, is_first: &mut bool, out: &mut Vec<u8>) -> Result<(), ArrowError> {
    let columns = batch.columns().iter().map(|column| writer(column)).collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        if !std::mem::take(is_first) {
            out.push(b',');
        }
        out.push(b'[');
        for (index, write) in columns.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write(row, out);
        }
        out.push(b']');
    }
    Ok(())
}

/// Writes the value of a row.
type Writer<'a> = Box<dyn Fn(usize, &mut Vec<u8>) + 'a>;

fn writer(array: &dyn Array) -> Result<Writer<'_>, ArrowError> {
    let write = value_writer(array)?;
    // Logical nulls: a dictionary's may be among its values.
    let Some(nulls) = array.logical_nulls().filter(|nulls| nulls.null_count() > 0) else { return Ok(write) };
    Ok(Box::new(move |row, out| {
        if nulls.is_null(row) {
            out.extend_from_slice(b"null");
        } else {
            write(row, out);
        }
    }))
}

macro_rules! print {
    ($array:expr, $type:ty, $format:literal) => {{
        let values = $array.as_primitive::<$type>().values();
        Box::new(move |row, out| write!(out, $format, values[row]).expect("memory takes every byte"))
    }};
}

fn value_writer(array: &dyn Array) -> Result<Writer<'_>, ArrowError> {
    Ok(match array.data_type() {
        DataType::Null => Box::new(|_, out| out.extend_from_slice(b"null")),
        DataType::Boolean => {
            let values = array.as_boolean().values();
            Box::new(move |row, out| out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }))
        }
        DataType::Int8 => print!(array, Int8Type, "{}"),
        DataType::Int16 => print!(array, Int16Type, "{}"),
        DataType::Int32 => print!(array, Int32Type, "{}"),
        DataType::UInt8 => print!(array, UInt8Type, "{}"),
        DataType::UInt16 => print!(array, UInt16Type, "{}"),
        DataType::UInt32 => print!(array, UInt32Type, "{}"),
        DataType::Int64 => print!(array, Int64Type, "\"{}\""),
        DataType::UInt64 => print!(array, UInt64Type, "\"{}\""),
        DataType::Float16 => {
            let values = array.as_any().downcast_ref::<Float16Array>().expect("the type says so").values();
            Box::new(move |row, out| write_float(f64::from(values[row]), out))
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>().values();
            Box::new(move |row, out| match values[row] {
                // Shortest digits of the 32-bit value, not of its 64-bit neighbour.
                value if value.is_finite() => write_json(&value, out),
                value => write_float(f64::from(value), out),
            })
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>().values();
            Box::new(move |row, out| write_float(values[row], out))
        }
        DataType::Utf8 => {
            let values = array.as_string::<i32>();
            Box::new(move |row, out| write_json(values.value(row), out))
        }
        DataType::LargeUtf8 => {
            let values = array.as_string::<i64>();
            Box::new(move |row, out| write_json(values.value(row), out))
        }
        DataType::Utf8View => {
            let values = array.as_string_view();
            Box::new(move |row, out| write_json(values.value(row), out))
        }
        DataType::Timestamp(unit, _) | DataType::Duration(unit) => nanos_writer(array, *unit)?,
        DataType::Date32 => {
            let values = array.as_primitive::<Date32Type>();
            Box::new(move |row, out| match values.value_as_date(row) {
                Some(date) => write_json(&date.to_string(), out),
                None => out.extend_from_slice(b"null"),
            })
        }
        DataType::Binary => {
            let values = array.as_binary::<i32>();
            Box::new(move |row, out| write_hex(values.value(row), out))
        }
        DataType::LargeBinary => {
            let values = array.as_binary::<i64>();
            Box::new(move |row, out| write_hex(values.value(row), out))
        }
        DataType::BinaryView => {
            let values = array.as_binary_view();
            Box::new(move |row, out| write_hex(values.value(row), out))
        }
        DataType::FixedSizeBinary(_) => {
            let values = array.as_fixed_size_binary();
            Box::new(move |row, out| write_hex(values.value(row), out))
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary();
            let (keys, write) = (dictionary.normalized_keys(), writer(dictionary.values())?);
            Box::new(move |row, out| write(keys[row], out))
        }
        DataType::List(_) => {
            let list = array.as_list::<i32>();
            let offsets = list.value_offsets();
            list_writer(list.values(), move |row| offsets[row] as usize..offsets[row + 1] as usize)?
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>();
            let offsets = list.value_offsets();
            list_writer(list.values(), move |row| offsets[row] as usize..offsets[row + 1] as usize)?
        }
        DataType::FixedSizeList(_, length) => {
            let length = *length as usize;
            list_writer(array.as_fixed_size_list().values(), move |row| row * length..(row + 1) * length)?
        }
        DataType::Map(..) => {
            let map = array.as_map();
            let offsets = map.value_offsets();
            let (keys, values) = (writer(map.keys())?, writer(map.values())?);
            Box::new(move |row, out| {
                write_list(offsets[row] as usize..offsets[row + 1] as usize, out, |entry, out| {
                    out.extend_from_slice(b"{\"key\":");
                    keys(entry, out);
                    out.extend_from_slice(b",\"value\":");
                    values(entry, out);
                    out.push(b'}');
                });
            })
        }
        DataType::Struct(fields) => {
            let columns =
                array.as_struct().columns().iter().map(|column| writer(column)).collect::<Result<Vec<_>, _>>()?;
            Box::new(move |row, out| {
                out.push(b'{');
                for (index, (field, write)) in fields.iter().zip(&columns).enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    write_json(field.name(), out);
                    out.push(b':');
                    write(row, out);
                }
                out.push(b'}');
            })
        }
        // Dates, times of day, intervals, decimals and rare types: as text.
        _ => {
            let text = ArrayFormatter::try_new(array, &FormatOptions::default())?;
            Box::new(move |row, out| write_json(&text.value(row).to_string(), out))
        }
    })
}

fn list_writer<'a>(
    values: &'a dyn Array,
    range: impl Fn(usize) -> std::ops::Range<usize> + 'a,
) -> Result<Writer<'a>, ArrowError> {
    let write = writer(values)?;
    Ok(Box::new(move |row, out| write_list(range(row), out, &write)))
}

fn write_list(range: std::ops::Range<usize>, out: &mut Vec<u8>, write: impl Fn(usize, &mut Vec<u8>)) {
    out.push(b'[');
    for (index, item) in range.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}

/// Times and durations of any unit, as nanoseconds.
fn nanos_writer(array: &dyn Array, unit: TimeUnit) -> Result<Writer<'static>, ArrowError> {
    let scale = match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        TimeUnit::Microsecond => 1_000,
        TimeUnit::Nanosecond => 1_i128,
    };
    let values = arrow::compute::cast(array, &DataType::Int64)?;
    let values = values.as_primitive::<Int64Type>().values().clone();
    Ok(Box::new(move |row, out| {
        write!(out, "\"{}\"", i128::from(values[row]) * scale).expect("memory takes every byte");
    }))
}

fn write_float(value: f64, out: &mut Vec<u8>) {
    match value {
        value if value.is_finite() => write_json(&value, out),
        value if value.is_nan() => out.extend_from_slice(b"\"NaN\""),
        value if value > 0.0 => out.extend_from_slice(b"\"Infinity\""),
        _ => out.extend_from_slice(b"\"-Infinity\""),
    }
}

fn write_hex(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    out.extend(bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]));
    out.push(b'"');
}

fn write_json<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("text and numbers are JSON, and memory takes every byte");
}
