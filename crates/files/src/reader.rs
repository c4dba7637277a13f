use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use glasshouse_model::TraceId;
use glasshouse_tables::{DataFile, Table};
use parquet::DecodeResult;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, RowSelection};
use parquet::arrow::{ProjectionMask, parquet_to_arrow_field_levels};
use parquet::errors::ParquetError;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaData, ParquetMetaDataPushDecoder};

use crate::cache::{ColumnCache, ColumnKey};
use crate::pages::RowGroupPages;
use crate::{FileColumns, FilesError, RowRanges, Store, TraceIndex, assemble, codes};

/// Bytes before the footer that are read along with it, for page and trace index: per row, and at all.
const INDEX_BYTES_PER_ROW: u64 = 1;
const INDEX_BYTES: u64 = 32 << 10;
const INDEX_BYTES_MAX: u64 = 2 << 20;
/// Rows that are decoded at once.
const DECODE_ROWS: u64 = 32 << 10;

/// An open file: its footer, page index and trace index are in memory.
#[derive(Debug)]
pub struct FileReader {
    store: Store,
    path: Arc<str>,
    table: Table,
    columns: FileColumns,
    plain: ArrowReaderMetadata,
    /// The same with text as dictionary arrays, for searches.
    dictionaries: OnceLock<ArrowReaderMetadata>,
    /// First row of each row group, and behind the last.
    row_group_starts: Vec<u64>,
    trace_index: Option<TraceIndex>,
    cache: Option<Arc<ColumnCache>>,
}

impl FileReader {
    pub(crate) fn open(store: &Store, file: &DataFile, cache: Option<Arc<ColumnCache>>) -> Result<Self, FilesError> {
        let damaged = |reason: &dyn std::fmt::Display| FilesError::damaged(&file.path, reason);
        let parquet = |error: ParquetError| damaged(&error);
        let behind = (file.rows * INDEX_BYTES_PER_ROW + INDEX_BYTES).min(INDEX_BYTES_MAX);
        let start = file.bytes.saturating_sub(file.footer_bytes + 8 + behind);
        let read = |range: Range<u64>| -> Result<Bytes, FilesError> {
            if range.end > file.bytes {
                return Err(damaged(&"its footer points behind its end"));
            }
            Ok(store.read(&file.path, &[range])?.swap_remove(0))
        };
        let tail = read(start..file.bytes)?;
        let mut decoder = ParquetMetaDataPushDecoder::try_new(file.bytes)
            .map_err(parquet)?
            .with_page_index_policy(PageIndexPolicy::Optional);
        decoder.push_range(start..file.bytes, tail.clone()).map_err(parquet)?;
        let metadata = loop {
            match decoder.try_decode().map_err(parquet)? {
                DecodeResult::NeedsData(ranges) => {
                    for range in ranges {
                        decoder.push_range(range.clone(), read(range)?).map_err(parquet)?;
                    }
                }
                DecodeResult::Data(metadata) => break Arc::new(metadata),
                DecodeResult::Finished => return Err(damaged(&"it has no footer")),
            }
        };
        let trace_index = match TraceIndex::locate(&metadata) {
            Some(place) if place.start >= start && place.end <= file.bytes => {
                // Copied, so that the rest of the tail does not stay in memory with it.
                let bytes = &tail[(place.start - start) as usize..(place.end - start) as usize];
                Some(TraceIndex::parse(Bytes::copy_from_slice(bytes)).map_err(|e| damaged(&e))?)
            }
            Some(place) => Some(TraceIndex::parse(read(place)?).map_err(|e| damaged(&e))?),
            None => None,
        };
        let plain = ArrowReaderMetadata::try_new(metadata, ArrowReaderOptions::new()).map_err(parquet)?;
        let columns = FileColumns::of_file(file.table, plain.schema()).map_err(|e| damaged(&e))?;
        let mut row_group_starts = vec![0];
        row_group_starts.extend(plain.metadata().row_groups().iter().scan(0, |row, group| {
            *row += group.num_rows() as u64;
            Some(*row)
        }));
        Ok(Self {
            store: store.clone(),
            path: file.path.as_str().into(),
            table: file.table,
            columns,
            plain,
            dictionaries: OnceLock::new(),
            row_group_starts,
            trace_index,
            cache,
        })
    }

    /// Its path in the store.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Its columns.
    pub fn columns(&self) -> &FileColumns {
        &self.columns
    }

    /// Its Parquet footer with page index.
    pub fn metadata(&self) -> &Arc<ParquetMetaData> {
        self.plain.metadata()
    }

    pub(crate) fn arrow_metadata(&self) -> &ArrowReaderMetadata {
        &self.plain
    }

    /// The leaf of a column without nesting.
    pub(crate) fn leaf(&self, root: usize) -> usize {
        let schema = self.plain.parquet_schema();
        (0..schema.num_columns())
            .find(|leaf| schema.get_column_root_idx(*leaf) == root)
            .expect("every column of the schema has a leaf")
    }

    /// Its rows.
    pub fn rows(&self) -> u64 {
        self.row_group_starts.last().copied().unwrap_or_default()
    }

    /// How many row groups it has; time windows ascend across them.
    pub fn row_groups(&self) -> usize {
        self.row_group_starts.len() - 1
    }

    /// The rows of a row group.
    pub fn row_group(&self, row_group: usize) -> Range<u64> {
        self.row_group_starts[row_group]..self.row_group_starts[row_group + 1]
    }

    /// Its trace index; `None` for tables that are not sorted by trace id.
    pub fn trace_index(&self) -> Option<&TraceIndex> {
        self.trace_index.as_ref()
    }

    /// Bytes it takes in memory.
    pub(crate) fn memory(&self) -> u64 {
        let index = self.trace_index.as_ref().map_or(0, TraceIndex::memory);
        (size_of::<Self>() + self.metadata().memory_size() + index) as u64
    }

    /// The rows of these traces, verified against the file's `trace_id`; empty when it has none of them.
    /// Every row, for files without a trace index.
    pub fn trace_rows(&self, trace_ids: &[TraceId]) -> Result<RowRanges, FilesError> {
        let Some(index) = &self.trace_index else { return Ok(RowRanges::all(self.rows())) };
        let mut runs: Vec<(Range<u64>, TraceId)> =
            trace_ids.iter().flat_map(|&id| index.runs(id).map(move |run| (run, id))).collect();
        if runs.is_empty() {
            return Ok(RowRanges::default());
        }
        runs.sort_unstable_by_key(|(run, id)| (run.start, *id));
        // All rows of a run have the same trace id, so the first one's tells.
        let firsts: RowRanges = runs.iter().map(|(run, _)| run.start..run.start + 1).collect();
        let found = self.read(&["trace_id"], &firsts)?;
        let found = found.column(0).as_fixed_size_binary();
        let rows = firsts.iter().flatten();
        let mut verified = Vec::with_capacity(runs.len());
        let mut runs = runs.into_iter().peekable();
        for (row, trace_id) in rows.zip(found.iter()) {
            while let Some((run, wanted)) = runs.next_if(|(run, _)| run.start == row) {
                if trace_id == Some(wanted.as_bytes()) {
                    verified.push(run);
                }
            }
        }
        Ok(RowRanges::new(verified))
    }

    /// Reads columns of rows as the table's stored schema has them, in the file's order. Attributes are
    /// packed again from their columns and JSON: the order among different keys is not the sender's, the
    /// first value of a key stays the first. Reads only the pages that hold the rows.
    pub fn read(&self, columns: &[&str], rows: &RowRanges) -> Result<RecordBatch, FilesError> {
        let roots = assemble::roots(self.table, &self.columns, columns);
        let batches = self.decode(&self.plain, &roots, rows)?;
        let decoded = match batches.as_slice() {
            [batch] => batch.clone(),
            batches => {
                let mask = ProjectionMask::roots(self.plain.parquet_schema(), roots);
                let schema = Arc::new(self.projected(&mask));
                concat_batches(&schema, batches).map_err(|e| FilesError::damaged(&self.path, e))?
            }
        };
        assemble::stored(self.table, &self.columns, columns, &decoded).map_err(|e| FilesError::damaged(&self.path, e))
    }

    /// Reads columns of rows of one row group as the file has them: text that repeats as dictionary arrays with `Int32`
    /// keys; with a table's shredded column (`attributes`), which is JSON text for what is left, all that it is divided
    /// into. The rows are in the file's order, the columns in no particular one.
    pub fn read_divided(
        &self,
        row_group: usize,
        columns: &[&str],
        rows: &RowRanges,
    ) -> Result<RecordBatch, FilesError> {
        let damaged = |error: ArrowError| FilesError::damaged(&self.path, error);
        let group = self.metadata().row_group(row_group);
        let is_dictionary = |root: &usize| {
            self.columns.schema().field(*root).data_type() == &DataType::Utf8
                && codes::is_dictionary_encoded(group.column(self.leaf(*root)))
        };
        let roots = assemble::roots(self.table, &self.columns, columns);
        let (coded, plain): (Vec<usize>, Vec<usize>) = roots.into_iter().partition(is_dictionary);
        let mut fields = Vec::new();
        let mut arrays = Vec::new();
        for (roots, metadata) in [(plain, &self.plain), (coded, self.dictionaries()?)] {
            if roots.is_empty() {
                continue;
            }
            let decoded = self.decode_at_once(metadata, &roots, rows, rows.rows())?;
            let [batch] = &decoded[..] else {
                return Err(FilesError::damaged(&self.path, "rows of a row group are not together"));
            };
            fields.extend(batch.schema_ref().fields().iter().cloned());
            arrays.extend(batch.columns().iter().cloned());
        }
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(damaged)
    }

    /// A whole column of a row group, decoded, for searches; cached. `name` is a table's column or a
    /// shredded one (`str:http.route`); `None` when this file does not have it.
    ///
    /// Times are `Timestamp(ns)` without zone, `attributes` is JSON text. Text that repeats is a
    /// dictionary array with `UInt8` or `UInt16` keys (or `Int32`, when there are more values), so that a
    /// search compares each distinct value once and then scans small codes; text that does not is `Utf8`.
    pub fn column(&self, row_group: usize, name: &str) -> Result<Option<ArrayRef>, FilesError> {
        let Ok(column) = self.columns.schema().index_of(name) else { return Ok(None) };
        let key = ColumnKey { path: Arc::clone(&self.path), row_group: row_group as u32, column: column as u32 };
        if let Some(cached) = self.cache.as_ref().and_then(|cache| cache.get(&key)) {
            return Ok(Some(cached));
        }
        let metadata = if codes::is_dictionary_encoded(self.metadata().row_group(row_group).column(self.leaf(column))) {
            self.dictionaries()?
        } else {
            &self.plain
        };
        let rows = RowRanges::new(vec![self.row_group(row_group)]);
        let batches = self.decode_at_once(metadata, &[column], &rows, rows.rows())?;
        let Some(batch) = batches.first() else { return Ok(None) };
        let array = codes::compact(batch.column(0)).map_err(|e| FilesError::damaged(&self.path, e))?;
        if let Some(cache) = &self.cache {
            cache.insert(key, &array);
        }
        Ok(Some(array))
    }

    /// The columns of a selection, as the file has them.
    pub(crate) fn decode(
        &self,
        metadata: &ArrowReaderMetadata,
        roots: &[usize],
        rows: &RowRanges,
    ) -> Result<Vec<RecordBatch>, FilesError> {
        self.decode_at_once(metadata, roots, rows, DECODE_ROWS)
    }

    fn decode_at_once(
        &self,
        metadata: &ArrowReaderMetadata,
        roots: &[usize],
        rows: &RowRanges,
        batch_rows: u64,
    ) -> Result<Vec<RecordBatch>, FilesError> {
        let damaged = |error: ParquetError| FilesError::damaged(&self.path, error);
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots.iter().copied());
        let hint = Some(metadata.schema().fields());
        let levels = parquet_to_arrow_field_levels(metadata.parquet_schema(), mask.clone(), hint).map_err(damaged)?;
        let mut batches = Vec::new();
        for row_group in 0..self.row_groups() {
            let part = self.row_group(row_group);
            let rows_of_group = (part.end - part.start) as usize;
            let selected: Vec<_> = rows.within(part).collect();
            let selection = match selected.as_slice() {
                [] => continue,
                [all] if all.len() == rows_of_group => None,
                _ => Some(RowSelection::from_consecutive_ranges(selected.iter().cloned(), rows_of_group)),
            };
            // Of rows that are near each other the decoder reads those between too, and so their pages.
            let hull = selection.as_ref().filter(|selection| is_decoded_whole(selection)).map(|_| hull(&selected));
            let read = hull.map(|rows| RowSelection::from_consecutive_ranges(std::iter::once(rows), rows_of_group));
            let read = read.as_ref().or(selection.as_ref());
            let ranges = RowGroupPages::needed(metadata.metadata(), row_group, &mask, read);
            let read = self.store.read(&self.path, &ranges)?;
            let pages = RowGroupPages::new(metadata.metadata(), row_group, &ranges, read);
            let batch_rows = rows.rows().min(batch_rows) as usize;
            let reader = ParquetRecordBatchReader::try_new_with_row_groups(&levels, &pages, batch_rows, selection);
            for batch in reader.map_err(damaged)? {
                batches.push(batch.map_err(|error| FilesError::damaged(&self.path, error))?);
            }
        }
        Ok(batches)
    }

    fn dictionaries(&self) -> Result<&ArrowReaderMetadata, FilesError> {
        if let Some(metadata) = self.dictionaries.get() {
            return Ok(metadata);
        }
        let fields: Vec<Field> = self
            .plain
            .schema()
            .fields()
            .iter()
            .map(|field| match field.data_type() {
                DataType::Utf8 => field.as_ref().clone().with_data_type(codes::decoded_type()),
                _ => field.as_ref().clone(),
            })
            .collect();
        let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
        let metadata = ArrowReaderMetadata::try_new(Arc::clone(self.metadata()), options)
            .map_err(|error| FilesError::damaged(&self.path, error))?;
        Ok(self.dictionaries.get_or_init(|| metadata))
    }

    fn projected(&self, mask: &ProjectionMask) -> Schema {
        let schema = self.plain.parquet_schema();
        let fields = self.plain.schema().fields();
        let is_chosen = |root: usize| {
            (0..schema.num_columns()).any(|leaf| schema.get_column_root_idx(leaf) == root && mask.leaf_included(leaf))
        };
        Schema::new(
            fields.iter().enumerate().filter(|(i, _)| is_chosen(*i)).map(|(_, f)| Arc::clone(f)).collect::<Vec<_>>(),
        )
    }
}

/// Whether parquet's decoder, which chooses by itself, may decode all rows from the first that is selected to the last and
/// drop the others: it does so when runs of rows are shorter than 32 on average (`RowSelectionPolicy::Auto`).
fn is_decoded_whole(selection: &RowSelection) -> bool {
    let (runs, rows) = selection.iter().fold((0, 0), |(runs, rows), run| (runs + 1, rows + run.row_count));
    rows <= 32 * runs
}

/// From the first row to the last.
fn hull(ranges: &[Range<usize>]) -> Range<usize> {
    ranges.first().map_or(0, |first| first.start)..ranges.last().map_or(0, |last| last.end)
}
