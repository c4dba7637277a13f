//! Functions that turn what hot batches and files hold into what SQL shows. SQL cannot name them: the
//! adapter of scans ([`crate::adapt`]) puts them in.

use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, StringBuilder};
use arrow::compute::is_not_null;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Float64Type, Int64Type, TimeUnit, TimestampNanosecondType};
use datafusion::common::{Result, exec_err, internal_err};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility};
use glasshouse_tables::ShreddedColumn;
use glasshouse_tables::attributes::{self, ValueRef};
use serde_json::value::RawValue;

use super::GetterKind;

/// One of the functions.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Stored {
    /// Bytes of a trace or span id → hex digits.
    HexText,
    /// Bytes of a process id → UUID.
    UuidText,
    /// Time without zone → the same time, UTC.
    Utc,
    /// Packed attributes → JSON object; with `sorted` keys where files cannot keep the sender's order.
    PackedJson { sorted: bool },
    /// Packed attributes → the value of a key.
    PackedGet { getter: GetterKind, key: String },
    /// What files left of the attributes, shredded columns → JSON object with sorted keys.
    JoinedJson { columns: Vec<ShreddedColumn> },
    /// Integer, double or boolean → text.
    ValueText,
    /// The first argument that is not NULL.
    FirstValue { data_type: DataType },
}

/// [`Stored`] as a scalar function.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct StoredFunction {
    pub(crate) function: Stored,
    signature: Signature,
}

impl From<Stored> for StoredFunction {
    fn from(function: Stored) -> Self {
        Self { function, signature: Signature::variadic_any(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for StoredFunction {
    fn name(&self) -> &'static str {
        match self.function {
            Stored::HexText => "hex_text",
            Stored::UuidText => "uuid_text",
            Stored::Utc => "utc",
            Stored::PackedJson { .. } => "packed_json",
            Stored::PackedGet { .. } => "packed_get",
            Stored::JoinedJson { .. } => "joined_json",
            Stored::ValueText => "value_text",
            Stored::FirstValue { .. } => "first_value_of",
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(match &self.function {
            Stored::Utc => DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())),
            Stored::PackedGet { getter, .. } => getter.data_type(),
            Stored::FirstValue { data_type } => data_type.clone(),
            _ => DataType::Utf8,
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let Some(first) = arrays.first() else { return internal_err!("{} takes an argument", self.name()) };
        let result: ArrayRef = match &self.function {
            Stored::HexText => id_text(first, |id, text| text.push_str(&hex(id))),
            Stored::UuidText => id_text(first, |id, text| {
                use std::fmt::Write as _;
                if let Ok(id) = uuid::Uuid::from_slice(id) {
                    let _ = write!(text, "{id}");
                }
            }),
            Stored::Utc => Arc::new(first.as_primitive::<TimestampNanosecondType>().clone().with_timezone("UTC")),
            Stored::PackedJson { sorted } => packed_json(first, *sorted),
            Stored::PackedGet { getter, key } => {
                let packed = first.as_binary::<i32>();
                getter.collect(packed.len(), |row| {
                    packed.is_valid(row).then(|| attributes::get(packed.value(row), key))?
                })
            }
            Stored::JoinedJson { columns } => joined_json(first, &arrays[1..], columns)?,
            Stored::ValueText => {
                let mut texts = StringBuilder::with_capacity(first.len(), first.len() * 8);
                let values = ScalarColumn::of(first)?;
                for row in 0..first.len() {
                    texts.append_option(first.is_valid(row).then(|| values.value(row).to_text()).flatten());
                }
                Arc::new(texts.finish())
            }
            Stored::FirstValue { .. } => first_value(&arrays)?,
        };
        Ok(ColumnarValue::Array(result))
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

fn id_text(ids: &ArrayRef, write: impl Fn(&[u8], &mut String)) -> ArrayRef {
    let ids = ids.as_fixed_size_binary();
    let mut texts = StringBuilder::with_capacity(ids.len(), ids.len() * 36);
    let mut text = String::new();
    for row in 0..ids.len() {
        if ids.is_null(row) {
            texts.append_null();
        } else {
            text.clear();
            write(ids.value(row), &mut text);
            texts.append_value(&text);
        }
    }
    Arc::new(texts.finish())
}

fn packed_json(packed: &ArrayRef, sorted: bool) -> ArrayRef {
    let packed = packed.as_binary::<i32>();
    let mut texts = StringBuilder::with_capacity(packed.len(), packed.value_data().len());
    let mut text = String::new();
    for row in 0..packed.len() {
        if packed.is_null(row) {
            texts.append_null();
            continue;
        }
        text.clear();
        if sorted {
            let mut entries: Vec<_> = attributes::iter(packed.value(row)).collect();
            entries.sort_by_key(|(key, _)| *key);
            write_object(entries.into_iter().map(|(key, value)| (key, Entry::Value(value))), &mut text);
        } else {
            attributes::packed_to_json(packed.value(row), &mut text);
        }
        texts.append_value(&text);
    }
    Arc::new(texts.finish())
}

/// A value on its way into a JSON object.
enum Entry<'a> {
    Value(ValueRef<'a>),
    Json(&'a str),
}

fn write_object<'a, K: AsRef<str>>(entries: impl Iterator<Item = (K, Entry<'a>)>, out: &mut String) {
    out.push('{');
    for (i, (key, entry)) in entries.enumerate() {
        if i > 0 {
            out.push(',');
        }
        ValueRef::String(key.as_ref()).write_json(out);
        out.push(':');
        match entry {
            Entry::Value(value) => value.write_json(out),
            Entry::Json(json) => out.push_str(json),
        }
    }
    out.push('}');
}

/// A column whose values are text, integers, doubles or booleans.
enum ScalarColumn<'a> {
    Text(&'a arrow::array::StringArray),
    Int(&'a arrow::array::Int64Array),
    Double(&'a arrow::array::Float64Array),
    Bool(&'a BooleanArray),
}

impl<'a> ScalarColumn<'a> {
    fn of(array: &'a ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            DataType::Int64 => Self::Int(array.as_primitive::<Int64Type>()),
            DataType::Float64 => Self::Double(array.as_primitive::<Float64Type>()),
            DataType::Boolean => Self::Bool(array.as_boolean()),
            other => return internal_err!("a shredded column cannot be {other}"),
        })
    }

    fn value(&self, row: usize) -> ValueRef<'a> {
        match self {
            Self::Text(texts) => ValueRef::String(texts.value(row)),
            Self::Int(integers) => ValueRef::Int(integers.value(row)),
            Self::Double(doubles) => ValueRef::Double(doubles.value(row)),
            Self::Bool(booleans) => ValueRef::Bool(booleans.value(row)),
        }
    }
}

fn joined_json(rest: &ArrayRef, shredded: &[ArrayRef], names: &[ShreddedColumn]) -> Result<ArrayRef> {
    thread_local!(static TEXT: RefCell<String> = const { RefCell::new(String::new()) });
    let rest = rest.as_string::<i32>();
    let mut columns = names
        .iter()
        .zip(shredded)
        .map(|(name, array)| Ok((name.key.as_str(), array, ScalarColumn::of(array)?)))
        .collect::<Result<Vec<_>>>()?;
    columns.sort_by_key(|(key, ..)| *key);
    let mut texts = StringBuilder::with_capacity(rest.len(), rest.len() * 64);
    TEXT.with_borrow_mut(|text| {
        for row in 0..rest.len() {
            text.clear();
            let own = columns
                .iter()
                .filter(|(_, array, _)| array.is_valid(row))
                .map(|(key, _, values)| (*key, Entry::Value(values.value(row))));
            if rest.is_null(row) {
                write_object(own, text);
            } else {
                let left = match serde_json::from_str::<Entries>(rest.value(row)) {
                    Ok(entries) => entries.0,
                    Err(error) => return exec_err!("attributes in a file are not JSON: {error}"),
                };
                let left = left.iter().map(|(key, json)| (key.as_str(), Entry::Json(json.get())));
                let mut entries: Vec<_> = own.chain(left).collect();
                entries.sort_by_key(|(key, _)| *key);
                write_object(entries.into_iter(), text);
            }
            texts.append_value(&text);
        }
        Ok(())
    })?;
    Ok(Arc::new(texts.finish()))
}

/// The entries of a JSON object in its order, repeated keys and all, values as they are written.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> serde::Deserialize<'de> for Entries<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> serde::de::Visitor<'de> for Object {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object of attributes")
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Entries<'de>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn first_value(arrays: &[ArrayRef]) -> Result<ArrayRef> {
    let (first, others) = arrays.split_first().expect("checked by the caller");
    let mut result = Arc::clone(first);
    for other in others {
        if result.null_count() == 0 {
            break;
        }
        result = zip(&is_not_null(&result)?, &result, other)?;
    }
    Ok(result)
}
