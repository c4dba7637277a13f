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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, DurationMillisecondArray,
        FixedSizeBinaryArray, Float32Array, Float64Array, Int32Array, Int64Array, Int64Builder, ListArray, MapBuilder,
        NullArray, StringArray, StringBuilder, StringViewArray, StructArray, Time64NanosecondArray,
        TimestampNanosecondArray, TimestampSecondArray, UInt64Array,
    };
    use arrow::datatypes::{Field, Int8Type as Int8, Int64Type as Int64};

    use super::*;

    #[test]
    fn every_kind_of_value_is_written_exactly() {
        let check = |array: ArrayRef, kind: QueryValueType, expected: &str| {
            let schema = Arc::new(Schema::new(vec![Field::new("c", array.data_type().clone(), true)]));
            assert_eq!(columns(&schema)[0].kind, kind);
            let batch = RecordBatch::try_new(schema, vec![array]).unwrap();
            let mut out = Vec::new();
            write_rows(&batch, &mut true, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text, expected);
            serde_json::from_str::<serde_json::Value>(&format!("[{text}]")).unwrap();
        };
        check(Arc::new(BooleanArray::from(vec![Some(true), None])), QueryValueType::Boolean, "[true],[null]");
        check(Arc::new(Int32Array::from(vec![-5])), QueryValueType::Integer, "[-5]");
        check(Arc::new(Int64Array::from(vec![i64::MIN])), QueryValueType::Bigint, "[\"-9223372036854775808\"]");
        check(Arc::new(UInt64Array::from(vec![u64::MAX])), QueryValueType::Bigint, "[\"18446744073709551615\"]");
        check(
            Arc::new(Float64Array::from(vec![0.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY])),
            QueryValueType::Double,
            "[0.1],[\"NaN\"],[\"Infinity\"],[\"-Infinity\"]",
        );
        check(Arc::new(Float32Array::from(vec![0.1])), QueryValueType::Double, "[0.1]");
        check(Arc::new(StringArray::from(vec!["a\"\n"])), QueryValueType::Text, "[\"a\\\"\\n\"]");
        check(Arc::new(StringViewArray::from(vec!["v"])), QueryValueType::Text, "[\"v\"]");
        check(Arc::new(NullArray::new(2)), QueryValueType::Null, "[null],[null]");
        let nanoseconds = TimestampNanosecondArray::from(vec![1]).with_timezone("UTC");
        check(Arc::new(nanoseconds), QueryValueType::Timestamp, "[\"1\"]");
        check(Arc::new(TimestampSecondArray::from(vec![-1])), QueryValueType::Timestamp, "[\"-1000000000\"]");
        check(Arc::new(DurationMillisecondArray::from(vec![2])), QueryValueType::Duration, "[\"2000000\"]");
        check(Arc::new(Date32Array::from(vec![1])), QueryValueType::Date, "[\"1970-01-02\"]");
        let time = Time64NanosecondArray::from(vec![3_600_000_000_001]);
        check(Arc::new(time), QueryValueType::Time, "[\"01:00:00.000000001\"]");
        check(Arc::new(BinaryArray::from(vec![&b"\x00\xff"[..]])), QueryValueType::Binary, "[\"00ff\"]");
        let fixed = FixedSizeBinaryArray::try_from_iter([[1_u8, 2]].into_iter()).unwrap();
        check(Arc::new(fixed), QueryValueType::Binary, "[\"0102\"]");
        let decimal = Decimal128Array::from(vec![12_345]).with_precision_and_scale(10, 2).unwrap();
        check(Arc::new(decimal), QueryValueType::Decimal, "[\"123.45\"]");
        let dictionary: DictionaryArray<Int8> = vec![Some("x"), None, Some("x")].into_iter().collect();
        check(Arc::new(dictionary), QueryValueType::Text, "[\"x\"],[null],[\"x\"]");
    }

    #[test]
    fn nested_values_are_written_after_slicing_too() {
        let list =
            ListArray::from_iter_primitive::<Int64, _, _>([Some(vec![Some(1)]), None, Some(vec![Some(2), None])]);
        let names: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]));
        let record = StructArray::from(vec![(Arc::new(Field::new("name", DataType::Utf8, true)), names)]);
        let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
        for (key, value) in [("k", 1), ("l", 2), ("m", 3)] {
            map.keys().append_value(key);
            map.values().append_value(value);
            map.append(true).unwrap();
        }
        let columns: Vec<(&str, ArrayRef)> =
            vec![("list", Arc::new(list)), ("record", Arc::new(record)), ("map", Arc::new(map.finish()))];
        let batch = RecordBatch::try_from_iter(columns).unwrap().slice(1, 2);
        let mut out = Vec::new();
        write_rows(&batch, &mut false, &mut out).unwrap();
        let expected =
            r#",[null,{"name":null},[{"key":"l","value":"2"}]],[["2",null],{"name":"c"},[{"key":"m","value":"3"}]]"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
