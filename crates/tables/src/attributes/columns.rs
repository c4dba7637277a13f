//! Text and attributes of rows as columns hold them, for readers that look at each distinct text once.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, BooleanArray, Float64Array, Int32Array};
use arrow::array::{Int64Array, StringArray, UInt32Array};
use arrow::compute::take;
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

    /// A text by its code, or by its row where there are no codes.
    #[inline]
    fn value(&self, value: u32) -> Text<'_> {
        let repeats = self.codes.as_ref().map_or(self.repeats, |(_, first)| Repeats::At(first + value));
        Text { bytes: self.texts.value(value as usize).as_bytes(), repeats }
    }

    /// The text of a row as a string, empty when it has none.
    #[inline]
    pub fn str(&self, row: usize) -> &str {
        self.find(row).map_or("", |(text, _)| text)
    }

    /// The text of a row, empty when it has none.
    #[inline]
    pub fn text(&self, row: usize) -> Text<'_> {
        self.get(row).unwrap_or(Text::from(""))
    }
}

/// The attributes of rows, as they are in memory (packed) or in files (a column for each frequent key and type, and JSON
/// for the rest).
#[derive(Debug)]
pub struct AttributeColumns {
    columns: Vec<AttributeColumn>,
    /// In which columns each row has a value: most rows have few of them. Those of a row are from its offset to the next.
    present: Vec<Cell>,
    offsets: Vec<u32>,
    /// What has no column; NULL where there is nothing.
    packed: BinaryArray,
}

/// A value of a row.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    column: u32,
    /// Which of the column's values.
    value: u32,
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
    /// The attributes of a batch: those of the column `name`, and of its shredded columns. `rows` are the batch's rows in
    /// the order in which they will be asked for, by their positions there.
    pub fn new(batch: &RecordBatch, name: &str, rows: &[u32], places: &mut Places) -> Result<Self, ArrowError> {
        let missing = || ArrowError::SchemaError(format!("{name} are not in the batch"));
        let own = batch.column_by_name(name).ok_or_else(missing)?;
        if let Some(packed) = own.as_binary_opt::<i32>() {
            let (columns, present, offsets) = (Vec::new(), Vec::new(), Vec::new());
            let packed = take(packed, &UInt32Array::from(rows.to_vec()), None)?.as_binary::<i32>().clone();
            return Ok(Self { columns, present, offsets, packed });
        }
        let json = TextColumn::new(own, Repeats::Unknown, places).ok_or_else(missing)?;
        let mut rest = BinaryBuilder::new();
        let mut writer = PackedWriter::new();
        for row in rows {
            let Some(json) = json.get(*row as usize) else {
                rest.append_null();
                continue;
            };
            writer.clear();
            json_to_packed(json.as_str(), &mut writer).map_err(|error| ArrowError::ParseError(error.to_string()))?;
            rest.append_value(writer.packed());
        }
        let mut columns = Vec::new();
        let mut arrays = Vec::new();
        for (field, array) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            let Some(ShreddedColumn { key, .. }) = ShreddedColumn::from_name(field.name()) else { continue };
            if array.null_count() == array.len() {
                continue;
            }
            let place = places.take(1);
            let values = values(array, places)
                .ok_or_else(|| ArrowError::SchemaError(format!("shredded column of type {}", array.data_type())))?;
            columns.push(AttributeColumn { key, place, values });
            arrays.push(array);
        }
        let (present, offsets) = present(&columns, &arrays, rows);
        Ok(Self { columns, present, offsets, packed: rest.finish() })
    }

    /// The attributes of the row that has this position in the order that was given.
    pub fn row(&self, row: usize) -> RowAttributes<'_> {
        let present = match self.offsets[..] {
            [] => &[],
            _ => &self.present[self.offsets[row] as usize..self.offsets[row + 1] as usize],
        };
        let packed = if self.packed.is_valid(row) { self.packed.value(row) } else { &[] };
        RowAttributes { columns: &self.columns, present, packed }
    }
}

/// The values that are not NULL, row by row, and where each row's begin.
fn present(columns: &[AttributeColumn], arrays: &[&ArrayRef], rows: &[u32]) -> (Vec<Cell>, Vec<u32>) {
    let each_value = |array: &ArrayRef, give: &mut dyn FnMut(usize)| match array.nulls() {
        Some(nulls) => nulls.valid_indices().for_each(give),
        None => (0..rows.len()).for_each(give),
    };
    let mut positions = vec![0; rows.len()];
    for (position, row) in rows.iter().enumerate() {
        positions[*row as usize] = position;
    }
    let mut offsets = vec![0_u32; rows.len() + 1];
    for array in arrays {
        each_value(array, &mut |row| offsets[positions[row] + 1] += 1);
    }
    for position in 0..rows.len() {
        offsets[position + 1] += offsets[position];
    }
    let mut next = offsets.clone();
    let mut present = vec![Cell::default(); offsets[rows.len()] as usize];
    for (number, (column, array)) in columns.iter().zip(arrays).enumerate() {
        let codes = match &column.values {
            Values::Text(TextColumn { codes: Some((codes, _)), .. }) => Some(codes.values()),
            _ => None,
        };
        each_value(array, &mut |row| {
            let next = &mut next[positions[row]];
            let value = codes.map_or(row as u32, |codes| codes[row] as u32);
            present[*next as usize] = Cell { column: number as u32, value };
            *next += 1;
        });
    }
    (present, offsets)
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
    /// The values that the row has.
    present: &'a [Cell],
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
        Self { columns: &[], present: &[], packed }
    }

    /// Hands over the attributes, one after the other, with their keys.
    #[inline]
    pub fn each(self, mut give: impl FnMut(Text<'a>, RowValue<'a>)) {
        let Self { columns, present, packed } = self;
        for Cell { column, value } in present {
            let AttributeColumn { key, place, values } = &columns[*column as usize];
            let value = match values {
                Values::Text(texts) => RowValue::Text(texts.value(*value)),
                Values::Int(values) => RowValue::Other(ValueRef::Int(values.value(*value as usize))),
                Values::Double(values) => RowValue::Other(ValueRef::Double(values.value(*value as usize))),
                Values::Bool(values) => RowValue::Other(ValueRef::Bool(values.value(*value as usize))),
            };
            give(Text { bytes: key.as_bytes(), repeats: Repeats::At(*place) }, value);
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
