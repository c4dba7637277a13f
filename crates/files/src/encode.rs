use arrow::array::{Array, AsArray};
use arrow::datatypes::TimestampNanosecondType;
use arrow::record_batch::RecordBatch;
use glasshouse_model::Timestamp;
use glasshouse_tables::{NewFile, Table};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::errors::ParquetError;

use crate::rest_keys::RestKeys;
use crate::trace_index::{self, TraceIndexBuilder};
use crate::{FileColumns, FilesError, NewObject, Store, WriteOptions, layout, partition, statistics};

/// Encodes rows that come in the order of the file.
pub(crate) struct FileEncoder<'a> {
    columns: &'a FileColumns,
    options: &'a WriteOptions,
    path: String,
    writer: ArrowWriter<NewObject>,
    trace_index: Option<TraceIndexBuilder>,
    /// Position of the JSON column beside shredded ones, and the keys in it.
    rest_keys: Option<(usize, RestKeys)>,
    time_column: usize,
    times: Option<(i64, i64)>,
    nulls: Vec<u64>,
    rows: u64,
}

impl<'a> FileEncoder<'a> {
    /// Begins a file for rows of these times, the first of which are `sample`.
    pub fn begin(
        store: &Store,
        columns: &'a FileColumns,
        options: &'a WriteOptions,
        (min, max): (Timestamp, Timestamp),
        sample: &RecordBatch,
    ) -> Result<Self, FilesError> {
        let table = columns.table();
        let path = partition::new_path(table, min, max);
        let object = store.create(&path)?;
        // Without the Arrow schema in the footer: types follow from the Parquet schema, see `FileColumns`.
        let writer_options = ArrowWriterOptions::new()
            .with_properties(layout::properties(columns, options, sample))
            .with_parquet_schema(columns.parquet_schema().map_err(encode_error(&path))?)
            .with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(object, columns.schema().clone(), writer_options)
            .map_err(encode_error(&path))?;
        Ok(Self {
            columns,
            options,
            path,
            writer,
            trace_index: has_trace_index(table).then(TraceIndexBuilder::default),
            rest_keys: table
                .shredded_column()
                .and_then(|name| table.index_of(name))
                .map(|column| (column, RestKeys::new())),
            time_column: table.index_of(table.time_column()).expect("the time column is declared"),
            times: None,
            nulls: vec![0; columns.schema().fields().len()],
            rows: 0,
        })
    }

    /// How many rows the file has room for.
    pub fn room(&self) -> usize {
        if self.writer.bytes_written() as u64 >= self.options.file_bytes {
            return 0;
        }
        self.options.file_rows.saturating_sub(self.rows) as usize
    }

    /// Adds rows of the file's schema.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), FilesError> {
        for (nulls, column) in self.nulls.iter_mut().zip(batch.columns()) {
            *nulls += column.null_count() as u64;
        }
        let times = batch.column(self.time_column).as_primitive::<TimestampNanosecondType>().values();
        for &time in times {
            let (min, max) = self.times.get_or_insert((time, time));
            (*min, *max) = (time.min(*min), time.max(*max));
        }
        if let Some(index) = &mut self.trace_index {
            let trace_ids = batch.column(trace_id_column(self.columns.table())).as_fixed_size_binary();
            for trace_id in trace_ids.value_data().as_chunks().0 {
                index.push(trace_id);
            }
        }
        if let Some((column, keys)) = &mut self.rest_keys {
            keys.push(batch.column(*column).as_string());
        }
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(encode_error(&self.path))
    }

    /// Writes index and footer, and makes the file durable.
    pub fn finish(mut self) -> Result<NewFile, FilesError> {
        let error = encode_error(&self.path);
        let (object, columns) = (|| {
            self.writer.flush()?;
            if let Some(index) = self.trace_index.take() {
                let bytes = index.finish();
                let offset = self.writer.bytes_written() as u64;
                self.writer.write_all(&bytes)?;
                self.writer.append_key_value_metadata(trace_index::metadata_entry(offset, bytes.len()));
            }
            if let Some(entry) = self.rest_keys.take().and_then(|(_, keys)| keys.metadata_entry()) {
                self.writer.append_key_value_metadata(entry);
            }
            let columns = statistics::of_columns(self.writer.flushed_row_groups(), &self.nulls);
            Ok((self.writer.into_inner()?, columns))
        })()
        .map_err(error)?;
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
}

/// Whether files of a table are sorted by trace id.
pub(crate) fn has_trace_index(table: Table) -> bool {
    table.sort_order().keys == ["trace_id"]
}

fn trace_id_column(table: Table) -> usize {
    table.index_of("trace_id").expect("tables sorted by trace id have one")
}

fn encode_error(path: &str) -> impl FnOnce(ParquetError) -> FilesError {
    let path = path.to_owned();
    move |source| FilesError::Encode { path, source }
}
