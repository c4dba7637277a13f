use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use glasshouse_model::Timestamp;
use glasshouse_tables::{ColumnType, NewFile, Table, attributes};

use crate::encode::FileEncoder;
use crate::gather::{gather, relabel};
use crate::layout::BATCH_ROWS;
use crate::shred::Splitter;
use crate::sort::{SortedRow, sorted_rows};
use crate::{FileColumns, FilesError, Store, WriteOptions, partition};

/// Sorts rows (batches of the table's stored schema), splits them by partition and writes them to new
/// files. Extra memory: 40 bytes a row for sorting, and one row group, encoded.
pub fn write_sorted(
    store: &Store,
    columns: &FileColumns,
    batches: &[RecordBatch],
    options: &WriteOptions,
) -> Result<Vec<NewFile>, FilesError> {
    let table = columns.table();
    let rows = sorted_rows(table, batches);
    let times: Vec<i64> = rows.iter().map(|row| row.time).collect();
    let mut source = HotRows::new(columns, batches);
    let mut files = Vec::new();
    for part in partition::split(table, &times) {
        let range = |times: &[i64]| Some((*times.iter().min()?, *times.iter().max()?));
        let Some((min, max)) = range(&times[part.clone()]) else { continue };
        let range = (Timestamp::from_nanos(min), Timestamp::from_nanos(max));
        let mut encoder: Option<FileEncoder<'_>> = None;
        for rows in rows[part].chunks(BATCH_ROWS) {
            let batch = source.file_batch(rows).map_err(|source| FilesError::Encode {
                path: format!("rows of {}", table.name()),
                source: source.into(),
            })?;
            if let Some(full) = encoder.take_if(|encoder| encoder.room() < rows.len()) {
                files.push(full.finish()?);
            }
            let encoder = match &mut encoder {
                Some(encoder) => encoder,
                None => encoder.insert(FileEncoder::begin(store, columns, options, range, &batch)?),
            };
            encoder.write(&batch)?;
        }
        if let Some(encoder) = encoder {
            files.push(encoder.finish()?);
        }
    }
    Ok(files)
}

/// Turns rows of hot batches into batches of a file's schema.
struct HotRows<'a> {
    columns: &'a FileColumns,
    batches: &'a [RecordBatch],
    splitter: Splitter,
    rows: Vec<(usize, usize)>,
}

impl<'a> HotRows<'a> {
    fn new(columns: &'a FileColumns, batches: &'a [RecordBatch]) -> Self {
        Self { columns, batches, splitter: Splitter::new(columns.shredded()), rows: Vec::new() }
    }

    fn file_batch(&mut self, rows: &[SortedRow]) -> Result<RecordBatch, ArrowError> {
        self.rows.clear();
        self.rows.extend(rows.iter().map(|row| (row.batch as usize, row.row as usize)));
        let table = self.columns.table();
        let schema = self.columns.schema();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
        let mut shredded = Vec::new();
        for (i, column) in table.columns().iter().enumerate() {
            let parts: Vec<&dyn Array> = self.batches.iter().map(|batch| batch.column(i).as_ref()).collect();
            arrays.push(match column.kind {
                ColumnType::Attributes if is_shredded(table, column.name) => {
                    let (rest, columns) = self.split(&parts);
                    shredded = columns;
                    rest
                }
                ColumnType::Attributes => self.json(&parts),
                _ => relabel(&gather(&parts, &self.rows)?, schema.field(i).data_type())?,
            });
        }
        arrays.extend(shredded);
        RecordBatch::try_new(Arc::clone(schema), arrays)
    }

    fn split(&mut self, parts: &[&dyn Array]) -> (ArrayRef, Vec<ArrayRef>) {
        let parts: Vec<_> = parts.iter().map(|part| part.as_binary::<i32>()).collect();
        for &(part, row) in &self.rows {
            self.splitter.push(parts[part].value(row));
        }
        self.splitter.finish()
    }

    fn json(&self, parts: &[&dyn Array]) -> ArrayRef {
        let parts: Vec<_> = parts.iter().map(|part| part.as_binary::<i32>()).collect();
        let mut builder = StringBuilder::with_capacity(self.rows.len(), 0);
        let mut text = String::new();
        for &(part, row) in &self.rows {
            text.clear();
            attributes::packed_to_json(parts[part].value(row), &mut text);
            builder.append_value(&text);
        }
        Arc::new(builder.finish())
    }
}

fn is_shredded(table: Table, column: &str) -> bool {
    table.shredded_column() == Some(column)
}
