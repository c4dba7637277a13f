use std::ops::Range;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::record_batch::RecordBatch;
use glasshouse_model::TraceId;
use parquet::file::metadata::ParquetMetaData;

use crate::{FileColumns, FilesError, RowRanges, TraceIndex};

/// An open file: its footer, page index and trace index are in memory.
#[derive(Debug)]
pub struct FileReader {}

impl FileReader {
    /// Its columns. Those that a file lacks were not needed by its rows.
    pub fn columns(&self) -> &FileColumns {
        todo!()
    }

    /// Its Parquet footer with page index.
    pub fn metadata(&self) -> &Arc<ParquetMetaData> {
        todo!()
    }

    /// Its rows.
    pub fn rows(&self) -> u64 {
        todo!()
    }

    /// How many row groups it has; rows are in ascending order of time window across them.
    pub fn row_groups(&self) -> usize {
        todo!()
    }

    /// The rows of a row group.
    pub fn row_group(&self, row_group: usize) -> Range<u64> {
        let _ = row_group;
        todo!()
    }

    /// Its trace index; `None` for tables that are not sorted by trace id.
    pub fn trace_index(&self) -> Option<&TraceIndex> {
        todo!()
    }

    /// The rows of these traces, verified against the file's `trace_id`; empty when it has none of them.
    /// Only for tables with a trace index; all rows for others.
    pub fn trace_rows(&self, trace_ids: &[TraceId]) -> Result<RowRanges, FilesError> {
        let _ = trace_ids;
        todo!()
    }

    /// Reads columns of rows as the table's stored schema has them, in the file's order. Attributes are
    /// packed again from their columns and JSON (shredded ones first: order among different keys is not
    /// the sender's, first values of a key stay first). Reads only the pages that hold the rows.
    pub fn read(&self, columns: &[&str], rows: &RowRanges) -> Result<RecordBatch, FilesError> {
        let _ = (columns, rows);
        todo!()
    }

    /// A whole column of a row group, decoded, for searches; cached. `name` is a table's column or a
    /// shredded one (`str:http.route`); `None` when this file does not have it.
    ///
    /// Times are `Timestamp(ns)` without zone, `attributes` is JSON text. Text that repeats is a
    /// dictionary array with `UInt8` or `UInt16` keys (or `Int32`, when there are more values), so that a
    /// search compares each distinct value once and then scans small codes; text that does not is `Utf8`.
    pub fn column(&self, row_group: usize, name: &str) -> Result<Option<ArrayRef>, FilesError> {
        let _ = (row_group, name);
        todo!()
    }
}
