use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::TimestampNanosecondType;
use arrow::record_batch::RecordBatch;
use glasshouse_model::Timestamp;
use glasshouse_tables::{NewFile, Table};
use parquet::arrow::arrow_writer::{ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;

use crate::rest_keys::RestKeys;
use crate::trace_index::{self, TraceIndexBuilder};
use crate::{FileColumns, FilesError, NewObject, Store, WriteOptions, layout, partition, statistics};

/// Encodes rows that come in the order of the file. Columns are independent of each other: those of the same rows may
/// be written one after the other, in parts of any length ([`FileEncoder::write_column`]).
pub(crate) struct FileEncoder<'a> {
    columns: &'a FileColumns,
    options: &'a WriteOptions,
    path: String,
    writer: SerializedFileWriter<NewObject>,
    factory: ArrowRowGroupWriterFactory,
    /// The Parquet columns of each column.
    leaves: Vec<Range<usize>>,
    /// The row group that is being written, a writer for each Parquet column.
    group: Vec<ArrowColumnWriter>,
    /// Complete rows in it.
    group_rows: usize,
    trace_index: Option<(usize, TraceIndexBuilder)>,
    /// Position of the JSON column beside shredded ones, and the keys in it.
    rest_keys: Option<(usize, RestKeys)>,
    time_column: usize,
    times: Option<(i64, i64)>,
    nulls: Vec<u64>,
    rows: u64,
}

impl<'a> FileEncoder<'a> {
    /// Begins a file for rows of these times. Its layout follows from some rows, `sample`, and from which columns are
    /// `constant`, where that is known.
    pub fn begin(
        store: &Store,
        columns: &'a FileColumns,
        options: &'a WriteOptions,
        (min, max): (Timestamp, Timestamp),
        sample: &RecordBatch,
        constant: Option<&[bool]>,
    ) -> Result<Self, FilesError> {
        let table = columns.table();
        let path = partition::new_path(table, min, max);
        let object = store.create(&path)?;
        let begun = || {
            // Without the Arrow schema in the footer: types follow from the Parquet schema, see `FileColumns`.
            let schema = columns.parquet_schema()?;
            let properties = Arc::new(layout::properties(columns, options, sample, constant));
            let writer = SerializedFileWriter::new(object, schema.root_schema_ptr(), properties)?;
            let leaves = (0..columns.schema().fields().len())
                .map(|root| {
                    let is_of = |leaf: &usize| schema.get_column_root_idx(*leaf) == root;
                    let first = (0..schema.num_columns()).find(is_of).unwrap_or_default();
                    first..first + (first..schema.num_columns()).take_while(is_of).count()
                })
                .collect();
            Ok((writer, leaves))
        };
        let (writer, leaves) = begun().map_err(encode_error(&path))?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(columns.schema()));
        let position = |name| table.index_of(name);
        Ok(Self {
            columns,
            options,
            path,
            writer,
            factory,
            leaves,
            group: Vec::new(),
            group_rows: 0,
            trace_index: position("trace_id")
                .filter(|_| has_trace_index(table))
                .map(|i| (i, TraceIndexBuilder::default())),
            rest_keys: table.shredded_column().and_then(position).map(|i| (i, RestKeys::new())),
            time_column: position(table.time_column()).expect("the time column is declared"),
            times: None,
            nulls: vec![0; columns.schema().fields().len()],
            rows: 0,
        })
    }

    /// How many rows the file has room for.
    pub fn room(&self) -> usize {
        let open: usize = self.group.iter().map(ArrowColumnWriter::get_estimated_total_bytes).sum();
        if (self.writer.bytes_written() + open) as u64 >= self.options.file_bytes {
            return 0;
        }
        self.options.file_rows.saturating_sub(self.rows) as usize
    }

    /// Adds rows of the file's schema.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), FilesError> {
        let mut start = 0;
        while start < batch.num_rows() {
            let rows = (batch.num_rows() - start).min(self.group_room());
            for (i, column) in batch.columns().iter().enumerate() {
                self.write_column(i, &column.slice(start, rows))?;
            }
            self.complete(rows)?;
            start += rows;
        }
        Ok(())
    }

    /// Rows that the row group has room for.
    pub fn group_room(&self) -> usize {
        self.options.row_group_rows - self.group_rows
    }

    /// Adds to one column; rows are there once every column has them and [`FileEncoder::complete`] was told.
    pub fn write_column(&mut self, column: usize, values: &ArrayRef) -> Result<(), FilesError> {
        self.note(column, values);
        let mut write = || {
            if self.group.is_empty() {
                self.group = self.factory.create_column_writers(self.writer.flushed_row_groups().len())?;
            }
            let writers = &mut self.group[self.leaves[column].clone()];
            let leaves = compute_leaves(self.columns.schema().field(column), values)?;
            writers.iter_mut().zip(leaves).try_for_each(|(writer, leaf)| writer.write(&leaf))
        };
        write().map_err(encode_error(&self.path))
    }

    /// Every column has so many rows more; at most as many as the row group has room for.
    pub fn complete(&mut self, rows: usize) -> Result<(), FilesError> {
        self.rows += rows as u64;
        self.group_rows += rows;
        if self.group_room() == 0 { self.close_group().map_err(encode_error(&self.path)) } else { Ok(()) }
    }

    fn close_group(&mut self) -> Result<(), ParquetError> {
        self.group_rows = 0;
        let mut group = self.writer.next_row_group()?;
        for column in self.group.drain(..) {
            column.close()?.append_to_row_group(&mut group)?;
        }
        group.close().map(drop)
    }

    /// What index, footer and catalog tell of a column.
    fn note(&mut self, column: usize, values: &ArrayRef) {
        self.nulls[column] += values.null_count() as u64;
        if column == self.time_column {
            for &time in values.as_primitive::<TimestampNanosecondType>().values() {
                let (min, max) = self.times.get_or_insert((time, time));
                (*min, *max) = (time.min(*min), time.max(*max));
            }
        }
        if let Some((_, index)) = self.trace_index.as_mut().filter(|(i, _)| *i == column) {
            for trace_id in values.as_fixed_size_binary().value_data().as_chunks().0 {
                index.push(trace_id);
            }
        }
        if let Some((_, keys)) = self.rest_keys.as_mut().filter(|(i, _)| *i == column) {
            keys.push(values.as_string());
        }
    }

    /// Writes index and footer, and makes the file durable.
    pub fn finish(mut self) -> Result<NewFile, FilesError> {
        self.end().map_err(encode_error(&self.path))?;
        let columns = statistics::of_columns(self.writer.flushed_row_groups(), &self.nulls);
        let object = self.writer.into_inner().map_err(encode_error(&self.path))?;
        let (bytes, footer_bytes) = (object.written(), object.footer_bytes());
        object.finish()?;
        let (min_time, max_time) = self.times.unwrap_or_default();
        Ok(NewFile {
            table: self.columns.table(),
            path: self.path,
            rows: self.rows,
            bytes,
            footer_bytes,
            min_time: Timestamp::from_nanos(min_time),
            max_time: Timestamp::from_nanos(max_time),
            columns,
        })
    }

    /// Writes all but the footer.
    fn end(&mut self) -> Result<(), ParquetError> {
        if self.group_rows > 0 {
            self.close_group()?;
        }
        if let Some((_, index)) = self.trace_index.take() {
            let bytes = index.finish();
            let offset = self.writer.bytes_written() as u64;
            self.writer.write_all(&bytes)?;
            self.writer.append_key_value_metadata(trace_index::metadata_entry(offset, bytes.len()));
        }
        if let Some(entry) = self.rest_keys.take().and_then(|(_, keys)| keys.metadata_entry()) {
            self.writer.append_key_value_metadata(entry);
        }
        Ok(())
    }
}

/// Whether files of a table are sorted by trace id.
pub(crate) fn has_trace_index(table: Table) -> bool {
    table.sort_order().keys == ["trace_id"]
}

fn encode_error(path: &str) -> impl FnOnce(ParquetError) -> FilesError {
    let path = path.to_owned();
    move |source| FilesError::Encode { path, source }
}
