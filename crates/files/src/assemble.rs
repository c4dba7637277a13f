//! File columns back into the stored schema.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, StringArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use glasshouse_model::Value;
use glasshouse_tables::attributes::{self, PackedWriter};
use glasshouse_tables::{ColumnType, ShreddedColumn, Table};

use crate::FileColumns;

/// Positions of the file's columns that the table's `columns` are made from.
pub(crate) fn roots(table: Table, file: &FileColumns, columns: &[&str]) -> Vec<usize> {
    let schema = file.schema();
    let mut roots: Vec<usize> = columns.iter().filter_map(|name| schema.index_of(name).ok()).collect();
    if table.shredded_column().is_some_and(|name| columns.contains(&name)) {
        roots.extend(table.columns().len()..schema.fields().len());
    }
    roots
}

/// The table's `columns` from decoded ones.
pub(crate) fn stored(
    table: Table,
    file: &FileColumns,
    columns: &[&str],
    decoded: &RecordBatch,
) -> Result<RecordBatch, ArrowError> {
    let schema = table.stored_schema();
    let mut fields = Vec::with_capacity(columns.len());
    let mut arrays = Vec::with_capacity(columns.len());
    for name in columns {
        let i = schema.index_of(name)?;
        let array =
            decoded.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("column {name} is missing")))?;
        arrays.push(match table.columns()[i].kind {
            ColumnType::Attributes => {
                let shredded = if table.shredded_column() == Some(name) { file.shredded() } else { &[] };
                packed(array, shredded, decoded)?
            }
            _ => crate::gather::relabel(array, schema.field(i).data_type())?,
        });
        fields.push(schema.field(i).clone());
    }
    RecordBatch::try_new_with_options(
        Arc::new(Schema::new(fields)),
        arrays,
        &arrow::record_batch::RecordBatchOptions::new().with_row_count(Some(decoded.num_rows())),
    )
}

/// Packed attributes from shredded columns and JSON text.
fn packed(json: &ArrayRef, shredded: &[ShreddedColumn], decoded: &RecordBatch) -> Result<ArrayRef, ArrowError> {
    let mut row = AttributesRow::new(json, shredded, decoded)?;
    let mut builder = BinaryBuilder::with_capacity(json.len(), 0);
    for i in 0..json.len() {
        builder.append_value(row.packed(i)?);
    }
    Ok(Arc::new(builder.finish()))
}

/// Puts the attributes of one row after another together.
pub(crate) struct AttributesRow<'a> {
    json: &'a StringArray,
    columns: Vec<(&'a str, &'a ArrayRef)>,
    writer: PackedWriter,
}

impl<'a> AttributesRow<'a> {
    pub fn new(
        json: &'a ArrayRef,
        shredded: &'a [ShreddedColumn],
        decoded: &'a RecordBatch,
    ) -> Result<Self, ArrowError> {
        let mut columns = Vec::with_capacity(shredded.len());
        for column in shredded {
            let array = decoded
                .column_by_name(&column.to_string())
                .ok_or_else(|| ArrowError::SchemaError(format!("column {column} is missing")))?;
            if array.null_count() < array.len() {
                columns.push((column.key.as_str(), array));
            }
        }
        let json = json.as_string_opt().ok_or_else(|| ArrowError::SchemaError("attributes are not text".into()))?;
        Ok(Self { json, columns, writer: PackedWriter::new() })
    }

    /// The packed attributes of a row.
    pub fn packed(&mut self, row: usize) -> Result<&[u8], ArrowError> {
        self.writer.clear();
        for (key, array) in &self.columns {
            if array.is_null(row) {
                continue;
            }
            match array.data_type() {
                DataType::Utf8 => self.writer.push_str(key, array.as_string::<i32>().value(row)),
                DataType::Int64 => self.writer.push(key, &Value::Int(array.as_primitive::<Int64Type>().value(row))),
                DataType::Float64 => {
                    self.writer.push(key, &Value::Double(array.as_primitive::<Float64Type>().value(row)));
                }
                DataType::Boolean => self.writer.push(key, &Value::Bool(array.as_boolean().value(row))),
                other => return Err(ArrowError::SchemaError(format!("shredded column of type {other}"))),
            }
        }
        if self.json.is_valid(row) {
            attributes::json_to_packed(self.json.value(row), &mut self.writer)
                .map_err(|error| ArrowError::ParseError(error.to_string()))?;
        }
        Ok(self.writer.packed())
    }
}
