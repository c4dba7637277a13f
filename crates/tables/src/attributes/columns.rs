//! Text and attributes of rows as columns hold them, for readers that look at each distinct text once.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, BooleanBufferBuilder};
use arrow::array::{Float64Array, Int32Array};
use arrow::array::{Int64Array, StringArray, UInt32Array};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::take;
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;

use super::json::json_to_packed;
use super::packed::{PackedWriter, RawValue, ValueRef};
use crate::ShreddedColumn;

/// Whether a text will come again, as far as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeats {
    /// It may or may not.
    Unknown,
    /// It is the text of a place: all texts of that place are the same, so it need be looked at only once. Places are
    /// counted from 0, as [`Places`] gives them out.
    At(u32),
}

/// A text of a row. It is not looked for before it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    source: Source<'a>,
    /// Whether it comes again.
    pub repeats: Repeats,
}

#[derive(Debug, Clone, Copy)]
enum Source<'a> {
    Bytes(&'a [u8]),
    Of(&'a StringArray, u32),
}

impl<'a> Text<'a> {
    /// A text that is UTF-8.
    pub fn new(bytes: &'a [u8], repeats: Repeats) -> Self {
        Self { source: Source::Bytes(bytes), repeats }
    }

    /// It as bytes.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        match self.source {
            Source::Bytes(bytes) => bytes,
            Source::Of(texts, position) => texts.value(position as usize).as_bytes(),
        }
    }

    /// It as a string.
    pub fn as_str(&self) -> &'a str {
        str::from_utf8(self.bytes()).unwrap_or_default()
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::new(text.as_bytes(), Repeats::Unknown)
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
}

impl TextColumn {
    /// The column of an array; `None` when it is no text.
    pub fn new(array: &ArrayRef, places: &mut Places) -> Option<Self> {
        if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() {
            let texts = dictionary.values().as_string_opt::<i32>()?.clone();
            let codes = Some((dictionary.keys().clone(), places.take(texts.len())));
            return Some(Self { texts, codes });
        }
        Some(Self { texts: array.as_string_opt::<i32>()?.clone(), codes: None })
    }

    /// The text of a row; `None` when it has none.
    #[inline]
    pub fn get(&self, row: usize) -> Option<Text<'_>> {
        match &self.codes {
            Some((codes, _)) => codes.is_valid(row).then(|| self.value(codes.value(row) as u32)),
            None => self.texts.is_valid(row).then(|| self.value(row as u32)),
        }
    }

    /// A text by its code, or by its row where there are no codes.
    #[inline]
    fn value(&self, value: u32) -> Text<'_> {
        let repeats = self.codes.as_ref().map_or(Repeats::Unknown, |(_, first)| Repeats::At(first + value));
        Text { source: Source::Of(&self.texts, value), repeats }
    }

    /// The text of a row as a string, empty when it has none.
    #[inline]
    pub fn str(&self, row: usize) -> &str {
        let position = match &self.codes {
            Some((codes, _)) if codes.is_null(row) => return "",
            Some((codes, _)) => codes.value(row) as usize,
            None if self.texts.is_null(row) => return "",
            None => row,
        };
        self.texts.value(position)
    }

    /// What `parse` makes of each row's text; it is asked once for each distinct one. The default for rows without text.
    pub fn parsed<T: Copy + Default>(&self, parse: impl Fn(&str) -> T) -> Vec<T> {
        let values: Vec<T> = self.texts.iter().map(|text| text.map_or_else(T::default, &parse)).collect();
        match &self.codes {
            Some((codes, _)) => {
                codes.iter().map(|code| code.map_or_else(T::default, |code| values[code as usize])).collect()
            }
            None => values,
        }
    }

    /// The text of a row, empty when it has none.
    #[inline]
    pub fn text(&self, row: usize) -> Text<'_> {
        self.get(row).unwrap_or(Text::from(""))
    }
}

/// The attributes of rows of a batch, as they are in memory (packed) or in files (a column for each frequent key and type,
/// and JSON for the rest).
#[derive(Debug)]
pub struct AttributeColumns {
    columns: Vec<AttributeColumn>,
    /// What has no column, of chosen rows; NULL where there is nothing.
    packed: BinaryArray,
}

/// The values of a key that are of one type.
#[derive(Debug, Clone)]
pub struct AttributeColumn {
    /// The key.
    pub key: String,
    /// The values of all rows of the batch.
    pub values: AttributeValues,
    /// The chosen rows that have a value; `None` when that is all rows of the batch.
    valid: Option<BooleanBuffer>,
}

/// Values of a column; NULL in rows that have none.
#[derive(Debug, Clone)]
pub enum AttributeValues {
    /// Texts of which most come again: which one each row has.
    Coded {
        /// The distinct texts.
        texts: StringArray,
        /// Positions in `texts`.
        codes: Int32Array,
    },
    /// Texts of which hardly one comes again.
    Text(StringArray),
    /// Integers.
    Int(Int64Array),
    /// Floats.
    Double(Float64Array),
    /// Truth values.
    Bool(BooleanArray),
}

/// Where the attributes of a row are, among those of several batches.
#[derive(Debug, Clone, Copy)]
pub struct AttributeRow {
    /// The batch.
    pub batch: u32,
    /// The row of the batch.
    pub row: u32,
}

impl AttributeColumns {
    /// The attributes of a batch: those of the column `name`, and of its shredded columns. `chosen` are the rows of which
    /// [`AttributeColumns::packed`] will be asked.
    pub fn new(batch: &RecordBatch, name: &str, chosen: &[u32]) -> Result<Self, ArrowError> {
        let missing = || ArrowError::SchemaError(format!("{name} are not in the batch"));
        let own = batch.column_by_name(name).ok_or_else(missing)?;
        if let Some(packed) = own.as_binary_opt::<i32>() {
            let packed = take(packed, &UInt32Array::from(chosen.to_vec()), None)?.as_binary::<i32>().clone();
            return Ok(Self { columns: Vec::new(), packed });
        }
        let json = TextColumn::new(own, &mut Places::default()).ok_or_else(missing)?;
        let mut rest = BinaryBuilder::new();
        let mut writer = PackedWriter::new();
        for row in chosen {
            let Some(json) = json.get(*row as usize) else {
                rest.append_null();
                continue;
            };
            writer.clear();
            json_to_packed(json.as_str(), &mut writer).map_err(|error| ArrowError::ParseError(error.to_string()))?;
            rest.append_value(writer.packed());
        }
        let is_chosen = (chosen.len() < batch.num_rows()).then(|| {
            let mut is_chosen = BooleanBufferBuilder::new(batch.num_rows());
            is_chosen.append_n(batch.num_rows(), false);
            for row in chosen {
                is_chosen.set_bit(*row as usize, true);
            }
            is_chosen.finish()
        });
        let mut columns = Vec::new();
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let Some(ShreddedColumn { key, .. }) = ShreddedColumn::from_name(field.name()) else { continue };
            let valid = match (array.nulls().map(NullBuffer::inner), &is_chosen) {
                (Some(valid), Some(chosen)) => Some(valid & chosen),
                (valid, chosen) => valid.or(chosen.as_ref()).cloned(),
            };
            if valid.as_ref().is_some_and(|valid| valid.count_set_bits() == 0) {
                continue;
            }
            let values = AttributeValues::new(array)
                .ok_or_else(|| ArrowError::SchemaError(format!("shredded column of type {}", array.data_type())))?;
            columns.push(AttributeColumn { key, values, valid });
        }
        Ok(Self { columns, packed: rest.finish() })
    }

    /// The columns.
    pub fn columns(&self) -> &[AttributeColumn] {
        &self.columns
    }

    /// The packed attributes of a row that no column has; by its position among the chosen rows.
    pub fn packed(&self, chosen: usize) -> &[u8] {
        if self.packed.is_valid(chosen) { self.packed.value(chosen) } else { &[] }
    }
}

impl AttributeColumn {
    /// The value of a chosen row.
    pub fn value(&self, row: usize) -> Option<RawValue<'_>> {
        if self.valid.as_ref().is_some_and(|valid| !valid.value(row)) {
            return None;
        }
        Some(match &self.values {
            AttributeValues::Coded { texts, codes } => {
                RawValue::String(texts.value(codes.value(row) as usize).as_bytes())
            }
            AttributeValues::Text(texts) => RawValue::String(texts.value(row).as_bytes()),
            AttributeValues::Int(values) => RawValue::Other(ValueRef::Int(values.value(row))),
            AttributeValues::Double(values) => RawValue::Other(ValueRef::Double(values.value(row))),
            AttributeValues::Bool(values) => RawValue::Other(ValueRef::Bool(values.value(row))),
        })
    }

    /// Hands over those of `rows` that were chosen and have a value.
    #[inline]
    pub fn each_valid_row(&self, rows: Range<usize>, mut give: impl FnMut(usize)) {
        match &self.valid {
            Some(valid) => valid.slice(rows.start, rows.len()).set_indices().for_each(|row| give(rows.start + row)),
            None => rows.for_each(give),
        }
    }
}

impl AttributeValues {
    fn new(array: &ArrayRef) -> Option<Self> {
        if let Some(dictionary) = array.as_dictionary_opt::<Int32Type>() {
            let texts = dictionary.values().as_string_opt::<i32>()?.clone();
            return Some(Self::Coded { texts, codes: dictionary.keys().clone() });
        }
        if let Some(values) = array.as_primitive_opt::<Int64Type>() {
            return Some(Self::Int(values.clone()));
        }
        if let Some(values) = array.as_primitive_opt::<Float64Type>() {
            return Some(Self::Double(values.clone()));
        }
        if let Some(values) = array.as_boolean_opt() {
            return Some(Self::Bool(values.clone()));
        }
        array.as_string_opt::<i32>().cloned().map(Self::Text)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Coded { codes, .. } => codes.len(),
            Self::Text(values) => values.len(),
            Self::Int(values) => values.len(),
            Self::Double(values) => values.len(),
            Self::Bool(values) => values.len(),
        }
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
