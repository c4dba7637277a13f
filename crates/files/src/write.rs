use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use glasshouse_model::Timestamp;
use glasshouse_tables::{ColumnType, NewFile, attributes};

use crate::encode::FileEncoder;
use crate::gather::{Places, gather, relabel};
use crate::layout::{BATCH_ROWS, SAMPLE_ROWS};
use crate::shred::Splitter;
use crate::sort::{SortedRow, sorted_rows};
use crate::{FileColumns, FilesError, Store, WriteOptions, partition};

/// Sorts rows (batches of the table's stored schema), splits them by partition and writes them to new
/// files. Extra memory: 48 bytes a row for sorting, and of one row group the encoded columns and one that is not.
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
        let mut rest = &rows[part];
        let mut encoder: Option<FileEncoder<'_>> = None;
        while !rest.is_empty() {
            if let Some(full) = encoder.take_if(|encoder| encoder.room() == 0) {
                files.push(full.finish()?);
            }
            let encoder = if let Some(encoder) = &mut encoder {
                encoder
            } else {
                // Spread over all rows: the first ones may be of one metric.
                let step = rest.len().div_ceil(SAMPLE_ROWS);
                let sample: Vec<SortedRow> = rest.iter().step_by(step).copied().collect();
                let sample = source.sample(&sample)?;
                encoder.insert(FileEncoder::begin(store, columns, options, range, &sample, None)?)
            };
            let (group, after) = rest.split_at(rest.len().min(encoder.group_room()).min(encoder.room()));
            source.encode(group, encoder)?;
            rest = after;
        }
        if let Some(encoder) = encoder {
            files.push(encoder.finish()?);
        }
    }
    Ok(files)
}

/// Turns rows of hot batches into columns of a file's schema.
struct HotRows<'a> {
    columns: &'a FileColumns,
    batches: &'a [RecordBatch],
    splitter: Splitter,
}

impl<'a> HotRows<'a> {
    fn new(columns: &'a FileColumns, batches: &'a [RecordBatch]) -> Self {
        Self { columns, batches, splitter: Splitter::new(columns.shredded()) }
    }

    /// Encodes rows of one row group. One column after the other: its values are all over the batches, so they are
    /// fetched into the processor's cache once, not once for each part of the rows.
    fn encode(&mut self, rows: &[SortedRow], encoder: &mut FileEncoder<'_>) -> Result<(), FilesError> {
        let places = places(rows);
        for column in (0..self.columns.table().columns().len()).filter(|column| !self.is_shredded(*column)) {
            encoder.write_column(column, &self.column(column, &places)?)?;
        }
        if self.columns.table().shredded_column().is_some() {
            for rows in rows.chunks(BATCH_ROWS) {
                for (column, values) in self.split(rows)? {
                    encoder.write_column(column, &values)?;
                }
            }
        }
        encoder.complete(rows.len())
    }

    /// Some rows with all columns.
    fn sample(&mut self, rows: &[SortedRow]) -> Result<RecordBatch, FilesError> {
        let places = places(rows);
        let fields = self.columns.schema().fields();
        let mut arrays: Vec<Option<ArrayRef>> = vec![None; fields.len()];
        for column in (0..self.columns.table().columns().len()).filter(|column| !self.is_shredded(*column)) {
            arrays[column] = Some(self.column(column, &places)?);
        }
        if self.columns.table().shredded_column().is_some() {
            for (column, values) in self.split(rows)? {
                arrays[column] = Some(values);
            }
        }
        RecordBatch::try_new(Arc::clone(self.columns.schema()), arrays.into_iter().flatten().collect())
            .map_err(|error| self.failed(error))
    }

    fn is_shredded(&self, column: usize) -> bool {
        let table = self.columns.table();
        table.shredded_column() == Some(table.columns()[column].name)
    }

    /// A column that passes as it is, but for its type.
    fn column(&self, column: usize, places: &Places) -> Result<ArrayRef, FilesError> {
        let parts: Vec<&dyn Array> = self.batches.iter().map(|batch| batch.column(column).as_ref()).collect();
        match self.columns.table().columns()[column].kind {
            ColumnType::Attributes => Ok(json(&parts, places)),
            _ => gather(&parts, places)
                .and_then(|values| relabel(&values, self.columns.schema().field(column).data_type()))
                .map_err(|error| self.failed(error)),
        }
    }

    /// The shredded columns and the JSON text of what has none, each with its position.
    fn split(&mut self, rows: &[SortedRow]) -> Result<Vec<(usize, ArrayRef)>, FilesError> {
        let table = self.columns.table();
        let column = table.shredded_column().and_then(|name| table.index_of(name)).expect("the table has one");
        let parts: Vec<_> = self.batches.iter().map(|batch| batch.column(column).as_binary::<i32>()).collect();
        for row in rows {
            self.splitter.push(parts[row.batch as usize].value(row.row as usize));
        }
        let (rest, shredded) = self.splitter.finish().map_err(|error| self.failed(error))?;
        Ok(std::iter::once((column, rest)).chain((table.columns().len()..).zip(shredded)).collect())
    }

    fn failed(&self, error: ArrowError) -> FilesError {
        FilesError::Encode { path: format!("rows of {}", self.columns.table().name()), source: error.into() }
    }
}

fn places(rows: &[SortedRow]) -> Places {
    rows.iter().map(|row| (row.batch as usize, row.row as usize)).collect()
}

fn json(parts: &[&dyn Array], places: &Places) -> ArrayRef {
    let parts: Vec<_> = parts.iter().map(|part| part.as_binary::<i32>()).collect();
    let mut builder = StringBuilder::with_capacity(places.len(), 0);
    let mut text = String::new();
    for (part, row) in places.iter() {
        text.clear();
        attributes::packed_to_json(parts[part].value(row), &mut text);
        builder.append_value(&text);
    }
    Arc::new(builder.finish())
}
