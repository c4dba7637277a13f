//! Text and attributes of rows as columns hold them, for readers that look at each distinct text once.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, Float64Array, Int32Array};
use arrow::array::{Int64Array, StringArray};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::json::json_to_packed;
use super::packed::{PackedWriter, RawValue, ValueRef, raw_iter};
use crate::ShreddedColumn;

/// Whether a text will come again, as far as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// It may or may not.
    Unknown,
    /// Hardly.
    Rarely,
    /// It is the text of a place: all texts of that place are the same, so it need be looked at only once. Places are
    /// counted from 0, as [`Places`] gives them out.
    At(u32),
}

/// A text of a row: UTF-8.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// The text.
    pub bytes: &'a [u8],
    /// Whether it comes again.
    pub repeats: Repeats,
}

impl<'a> Text<'a> {
    /// It as a string.
    pub fn as_str(&self) -> &'a str {
        str::from_utf8(self.bytes).unwrap_or_default()
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self { bytes: text.as_bytes(), repeats: Repeats::Unknown }
    }
}

/// Gives out places of texts.
#[derive(Debug, Default)]
pub struct Places(u32);

impl Places {
    /// How many there are.
    pub fn count(&self) -> u32 {
        self.0
    }

    fn take(&mut self, count: usize) -> u32 {
        let first = self.0;
        self.0 += count as u32;
        first
    }
}

/// A column of text: plain, or a dictionary array with `Int32` keys.
#[derive(Debug)]
pub struct TextColumn {
    texts: StringArray,
    /// Of a dictionary: which text each row has, and the place of the first.
    codes: Option<(Int32Array, u32)>,
    /// Of plain text.
    repeats: Repeats,
}

impl TextColumn {
    /// The column of an array; `None` when it is no text. `repeats` tells of plain text whether it comes again.
    pub fn new(array: &ArrayRef, repeats: Repeats, places: &mut Places) -> Option<Self> {
        if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() {
            let texts = dictionary.values().as_string_opt::<i32>()?.clone();
            let codes = Some((dictionary.keys().clone(), places.take(texts.len())));
            return Some(Self { texts, codes, repeats });
        }
        Some(Self { texts: array.as_string_opt::<i32>()?.clone(), codes: None, repeats })
    }

    #[inline]
    fn find(&self, row: usize) -> Option<(&str, Repeats)> {
        let (position, repeats) = match &self.codes {
            Some((codes, _)) if codes.is_null(row) => return None,
            Some((codes, first)) => {
                let code = codes.value(row);
                (code as usize, Repeats::At(first + code as u32))
            }
            None if self.texts.is_null(row) => return None,
            None => (row, self.repeats),
        };
        Some((self.texts.value(position), repeats))
    }

    /// The text of a row; `None` when it has none.
    #[inline]
    pub fn get(&self, row: usize) -> Option<Text<'_>> {
        self.find(row).map(|(text, repeats)| Text { bytes: text.as_bytes(), repeats })
    }

    /// The text of a row as a string, empty when it has none.
    #[inline]
    pub fn str(&self, row: usize) -> &str {
        self.find(row).map_or("", |(text, _)| text)
    }

    /// The text of a row, empty when it has none.
    pub fn text(&self, row: usize) -> Text<'_> {
        self.get(row).unwrap_or(Text::from(""))
    }
}

/// The attributes of rows, as they are in memory (packed) or in files (a column for each frequent key and type, and JSON
/// for the rest).
#[derive(Debug)]
pub struct AttributeColumns {
    columns: Vec<AttributeColumn>,
    /// What has no column; NULL where there is nothing.
    packed: BinaryArray,
}

#[derive(Debug)]
struct AttributeColumn {
    key: String,
    place: u32,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Text(TextColumn),
    Int(Int64Array),
    Double(Float64Array),
    Bool(BooleanArray),
}

impl AttributeColumns {
    /// The attributes of a batch: those of the column `name`, and of its shredded columns.
    pub fn new(batch: &RecordBatch, name: &str, places: &mut Places) -> Result<Self, ArrowError> {
        let missing = || ArrowError::SchemaError(format!("{name} are not in the batch"));
        let own = batch.column_by_name(name).ok_or_else(missing)?;
        if let Some(packed) = own.as_binary_opt() {
            return Ok(Self { columns: Vec::new(), packed: packed.clone() });
        }
        let json = TextColumn::new(own, Repeats::Unknown, places).ok_or_else(missing)?;
        let mut rest = BinaryBuilder::new();
        let mut writer = PackedWriter::new();
        for row in 0..batch.num_rows() {
            let Some(json) = json.get(row) else {
                rest.append_null();
                continue;
            };
            writer.clear();
            json_to_packed(json.as_str(), &mut writer).map_err(|error| ArrowError::ParseError(error.to_string()))?;
            rest.append_value(writer.packed());
        }
        let mut columns = Vec::new();
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let Some(ShreddedColumn { key, .. }) = ShreddedColumn::from_name(field.name()) else { continue };
            if array.null_count() == array.len() {
                continue;
            }
            let place = places.take(1);
            let values = values(array, places)
                .ok_or_else(|| ArrowError::SchemaError(format!("shredded column of type {}", array.data_type())))?;
            columns.push(AttributeColumn { key, place, values });
        }
        Ok(Self { columns, packed: rest.finish() })
    }

    /// The attributes of a row.
    pub fn row(&self, row: usize) -> RowAttributes<'_> {
        RowAttributes {
            columns: &self.columns,
            row,
            packed: if self.packed.is_valid(row) { self.packed.value(row) } else { &[] },
        }
    }
}

fn values(array: &ArrayRef, places: &mut Places) -> Option<Values> {
    if let Some(values) = array.as_primitive_opt::<Int64Type>() {
        Some(Values::Int(values.clone()))
    } else if let Some(values) = array.as_primitive_opt::<Float64Type>() {
        Some(Values::Double(values.clone()))
    } else if let Some(values) = array.as_boolean_opt() {
        Some(Values::Bool(values.clone()))
    } else {
        // A column of text that is no dictionary has hardly a text twice.
        TextColumn::new(array, Repeats::Rarely, places).map(Values::Text)
    }
}

/// The attributes of a row.
#[derive(Debug, Clone, Copy)]
pub struct RowAttributes<'a> {
    columns: &'a [AttributeColumn],
    row: usize,
    packed: &'a [u8],
}

/// The value of an attribute.
#[derive(Debug, Clone, Copy)]
pub enum RowValue<'a> {
    /// A text.
    Text(Text<'a>),
    /// Another value.
    Other(ValueRef<'a>),
}

impl<'a> RowAttributes<'a> {
    /// Packed attributes ([`crate::attributes`]).
    pub fn packed(packed: &'a [u8]) -> Self {
        Self { columns: &[], row: 0, packed }
    }

    /// Hands over the attributes, one after the other, with their keys.
    #[inline]
    pub fn each(self, mut give: impl FnMut(Text<'a>, RowValue<'a>)) {
        let Self { columns, row, packed } = self;
        for AttributeColumn { key, place, values } in columns {
            let value = match values {
                Values::Text(texts) => texts.get(row).map(RowValue::Text),
                Values::Int(values) => values.is_valid(row).then(|| RowValue::Other(ValueRef::Int(values.value(row)))),
                Values::Double(values) => {
                    values.is_valid(row).then(|| RowValue::Other(ValueRef::Double(values.value(row))))
                }
                Values::Bool(values) => {
                    values.is_valid(row).then(|| RowValue::Other(ValueRef::Bool(values.value(row))))
                }
            };
            if let Some(value) = value {
                give(Text { bytes: key.as_bytes(), repeats: Repeats::At(*place) }, value);
            }
        }
        for (key, value) in raw_iter(packed) {
            let unknown = |bytes| Text { bytes, repeats: Repeats::Unknown };
            let value = match value {
                RawValue::String(bytes) => RowValue::Text(unknown(bytes)),
                RawValue::Other(value) => RowValue::Other(value),
            };
            give(unknown(key), value);
        }
    }
}
