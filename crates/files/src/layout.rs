//! How each column is encoded: all of it here, with reasons.

use std::collections::HashSet;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use arrow::record_batch::RecordBatch;
use glasshouse_tables::{ColumnType, Table};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterVersion};
use parquet::schema::types::ColumnPath;

use crate::FileColumns;

/// Version of the layout that this module describes, in the footer's metadata.
const LAYOUT_KEY: &str = "glasshouse.layout";
const LAYOUT: &str = "1";

/// Rows that are encoded at once: small enough to stay in the processor's cache.
pub(crate) const BATCH_ROWS: usize = 8 << 10;
/// Most rows of a page. A trace lookup decodes one page of every column, a scan prunes by page.
const PAGE_ROWS: usize = 4 << 10;
/// Most bytes of a page before compression, for columns of long text.
const PAGE_BYTES: usize = 64 << 10;
/// A dictionary beyond this does not stay in the cache of who encodes or decodes with it.
const DICTIONARY_BYTES: usize = 256 << 10;
/// A column whose values are distinct in more than one of so many rows gets no dictionary.
const DISTINCT_FRACTION: usize = 2;
/// Rows that are looked at for that.
pub(crate) const SAMPLE_ROWS: usize = 2 << 10;
/// Fewer values than this tell nothing about distinctness.
const DISTINCT_MIN_VALUES: usize = 32;

/// Measured on spans: level 3 takes more time and 2 % more bytes than level 1 (ids and numbers compress by
/// entropy, not by matches), level 6 is between. So merged files are compressed like fresh ones.
const ZSTD_LEVEL: i32 = 1;

/// How files are written.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// A file that has reached this many bytes is closed and another begun.
    pub file_bytes: u64,
    /// Most rows of a file.
    pub file_rows: u64,
    /// Most rows of a row group.
    pub row_group_rows: usize,
}

impl WriteOptions {
    /// The options for freshly accepted rows.
    pub fn flush() -> Self {
        Self { file_bytes: 512 << 20, file_rows: 8 << 20, row_group_rows: 128 << 10 }
    }

    /// The options for merged files.
    pub fn merge() -> Self {
        Self::flush()
    }
}

/// The Parquet settings of a file with the rows of `sample` among others. `constant` tells which columns hold one value
/// in all rows, or none, where that is known.
pub(crate) fn properties(
    columns: &FileColumns,
    options: &WriteOptions,
    sample: &RecordBatch,
    constant: Option<&[bool]>,
) -> WriterProperties {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).expect("zstd has this level");
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_2_0)
        .set_created_by(concat!("glasshouse ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(options.row_group_rows))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_data_page_size_limit(PAGE_BYTES)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_write_path_in_schema(true)
        .set_key_value_metadata(Some(vec![KeyValue::new(LAYOUT_KEY.to_owned(), LAYOUT.to_owned())]));
    let table = columns.table();
    for column in table.columns() {
        properties = column_properties(properties, table, column.name, column.kind);
    }
    for (i, (field, values)) in columns.schema().fields().iter().zip(sample.columns()).enumerate() {
        let path = path(field.name());
        let kind = table.columns().get(i).map(|column| column.kind);
        let may_be_constant = kind != Some(ColumnType::Attributes) && constant.is_none_or(|constant| constant[i]);
        properties = match (field.data_type(), repetition(values)) {
            // Its pages are some bytes long. Who reads it need not set up a decompressor for that.
            (_, Some(Repetition::Constant)) if may_be_constant => {
                properties.set_column_compression(path, Compression::UNCOMPRESSED)
            }
            // Values that hardly repeat: a dictionary would be a second copy. Lengths apart from text compress better.
            (DataType::Utf8, Some(Repetition::Distinct)) => plain(properties, &path, Encoding::DELTA_LENGTH_BYTE_ARRAY),
            (DataType::Int64, Some(Repetition::Distinct)) if kind.is_none() => {
                plain(properties, &path, Encoding::DELTA_BINARY_PACKED)
            }
            _ => properties,
        };
    }
    properties.build()
}

fn column_properties(
    properties: WriterPropertiesBuilder,
    table: Table,
    name: &str,
    kind: ColumnType,
) -> WriterPropertiesBuilder {
    let column = path(name);
    let is_sorted_by = table.sort_order().keys.contains(&name);
    match kind {
        // Traces stand together, so their ids repeat: zstd finds that for less than a dictionary takes. The bloom
        // filter is for engines that do not know the trace index; it shrinks to the number of traces in the row group.
        ColumnType::TraceId if is_sorted_by => plain(properties, &column, Encoding::PLAIN)
            .set_column_bloom_filter_enabled(column.clone(), true)
            .set_column_bloom_filter_fpp(column.clone(), 0.01)
            .set_column_bloom_filter_max_ndv(column.clone(), 128 << 10)
            .set_column_statistics_enabled(column, EnabledStatistics::None),
        // Elsewhere a trace id is random, often NULL; the bloom filter finds the logs of a trace.
        ColumnType::TraceId if table == Table::Logs && name == "trace_id" => {
            plain(properties, &column, Encoding::PLAIN)
                .set_column_bloom_filter_enabled(column.clone(), true)
                .set_column_bloom_filter_fpp(column.clone(), 0.01)
                .set_column_bloom_filter_max_ndv(column.clone(), 128 << 10)
                .set_column_statistics_enabled(column, EnabledStatistics::None)
        }
        // A parent has several children nearby: zstd finds the repetition, nothing else does.
        ColumnType::SpanId if name == "parent_span_id" => {
            plain(properties, &column, Encoding::PLAIN).set_column_statistics_enabled(column, EnabledStatistics::None)
        }
        // Random bytes: nothing compresses them, no statistics prune on them.
        ColumnType::TraceId | ColumnType::SpanId => plain(properties, &column, Encoding::PLAIN)
            .set_column_compression(column.clone(), Compression::UNCOMPRESSED)
            .set_column_statistics_enabled(column, EnabledStatistics::None),
        ColumnType::ProcessId if !is_sorted_by => {
            properties.set_column_statistics_enabled(column, EnabledStatistics::None)
        }
        // Searches and scans prune pages by these.
        ColumnType::Time if name == "ingest_time" => properties,
        // Rows are in order of time only within a trace, so deltas are hardly smaller than values: zstd finds more
        // in the upper bytes. (BYTE_STREAM_SPLIT would be better still, but DuckDB reads it for floats only.)
        ColumnType::Time => {
            plain(properties, &column, Encoding::PLAIN).set_column_statistics_enabled(column, EnabledStatistics::Page)
        }
        // Nothing compresses what is left of durations.
        ColumnType::Int64 if name == "duration_ns" => plain(properties, &column, Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(column.clone(), Compression::UNCOMPRESSED)
            .set_column_statistics_enabled(column, EnabledStatistics::Page),
        _ if is_sorted_by => properties.set_column_statistics_enabled(column, EnabledStatistics::Page),
        // JSON text of what has no column: long, mostly distinct; bounds of it tell nothing.
        ColumnType::Attributes => properties.set_column_statistics_enabled(column, EnabledStatistics::None),
        _ => properties,
    }
}

fn plain(properties: WriterPropertiesBuilder, column: &ColumnPath, encoding: Encoding) -> WriterPropertiesBuilder {
    properties.set_column_dictionary_enabled(column.clone(), false).set_column_encoding(column.clone(), encoding)
}

fn path(name: &str) -> ColumnPath {
    ColumnPath::new(vec![name.to_owned()])
}

/// How much the values of a column repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repetition {
    /// All are the same.
    Constant,
    /// Most are distinct.
    Distinct,
}

/// `None` when neither is so, there are too few values to tell, or the type does not matter.
fn repetition(values: &dyn Array) -> Option<Repetition> {
    let values = values.slice(0, values.len().min(SAMPLE_ROWS));
    let present = values.len() - values.null_count();
    if present == 0 {
        return Some(Repetition::Constant);
    }
    if present < DISTINCT_MIN_VALUES {
        return None;
    }
    let distinct = match values.data_type() {
        DataType::Utf8 => values.as_string::<i32>().iter().flatten().collect::<HashSet<_>>().len(),
        DataType::Int64 => values.as_primitive::<Int64Type>().iter().flatten().collect::<HashSet<_>>().len(),
        DataType::Float64 => {
            values.as_primitive::<Float64Type>().iter().flatten().map(f64::to_bits).collect::<HashSet<_>>().len()
        }
        _ => return None,
    };
    match distinct {
        1 if present == values.len() => Some(Repetition::Constant),
        distinct => (distinct * DISTINCT_FRACTION > present).then_some(Repetition::Distinct),
    }
}
