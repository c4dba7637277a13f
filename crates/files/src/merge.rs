//! Sorted files into fewer, larger ones.

mod adapt;
mod duplicates;
mod input;
mod output;

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::AsArray;
use glasshouse_model::Timestamp;
use glasshouse_tables::attributes::{self, PackedWriter};
use glasshouse_tables::{DataFile, NewFile, ShreddedColumn};
use parquet::file::statistics::Statistics;

use crate::shred::KeyCounts;
use crate::{FileCache, FileColumns, FileReader, FilesError, RowRanges, WriteOptions, statistics};
use input::Inputs;
use output::Output;

/// What a merge made.
#[derive(Debug)]
pub struct Merged {
    /// The new files; they replace all the inputs.
    pub files: Vec<NewFile>,
    /// Rows of the inputs that are in none of them, because another row replaces or equals them.
    pub dropped: u64,
}

/// Rows of each input whose remaining attributes are looked at.
const SAMPLE_ROWS: u64 = 16 << 10;

/// The attribute keys that deserve a column in a merged file, as [`choose_shredded`](crate::choose_shredded)
/// would tell of all their rows; a column that a file has already is kept a little longer.
pub fn choose_merged(cache: &FileCache, inputs: &[Arc<DataFile>]) -> Result<Vec<ShreddedColumn>, FilesError> {
    let mut counts = KeyCounts::default();
    let mut kept = HashSet::new();
    let mut rows = 0;
    for file in inputs {
        let Some(attributes) = file.table.shredded_column() else { continue };
        let reader = cache.open(file)?;
        let schema = reader.columns().schema();
        rows += reader.rows();
        let first_shredded = schema.fields().len() - reader.columns().shredded().len();
        for (i, column) in reader.columns().shredded().iter().enumerate() {
            counts.count_column(column, present(&reader, first_shredded + i));
            kept.insert(column.clone());
        }
        let Ok(attributes) = schema.index_of(attributes) else { continue };
        let sample = RowRanges::all(reader.rows().min(SAMPLE_ROWS));
        let weight = reader.rows().div_ceil(SAMPLE_ROWS);
        let mut packed = PackedWriter::new();
        for batch in reader.decode(reader.arrow_metadata(), &[attributes], &sample)? {
            for json in batch.column(0).as_string::<i32>().iter().flatten() {
                packed.clear();
                attributes::json_to_packed(json, &mut packed).map_err(|e| FilesError::damaged(&file.path, e))?;
                counts.count_row(packed.packed(), weight);
            }
        }
    }
    Ok(counts.choose(rows, &kept))
}

/// For each column of the merged file, whether it holds one value in all rows, or none: as the footers of all inputs
/// tell, for its first rows may be of one metric.
fn constant(cache: &FileCache, inputs: &[Arc<DataFile>], columns: &FileColumns) -> Result<Vec<bool>, FilesError> {
    let readers = inputs.iter().map(|file| cache.open(file)).collect::<Result<Vec<_>, _>>()?;
    let is_constant = |name: &str| {
        let chunks = readers.iter().map(|reader| {
            let leaf = reader.leaf(reader.columns().schema().index_of(name).ok()?);
            Some(reader.metadata().row_groups().iter().map(move |group| group.column(leaf)))
        });
        let chunks: Option<Vec<_>> = chunks.collect();
        chunks.is_some_and(|chunks| statistics::are_constant(chunks.into_iter().flatten()))
    };
    Ok(columns.schema().fields().iter().map(|field| is_constant(field.name())).collect())
}

/// How many values a column without nesting has.
fn present(reader: &FileReader, root: usize) -> u64 {
    let leaf = reader.leaf(root);
    let chunks = reader.metadata().row_groups().iter().map(|group| group.column(leaf));
    chunks
        .map(|chunk| {
            let nulls = chunk.statistics().and_then(Statistics::null_count_opt).unwrap_or_default();
            (chunk.num_values() as u64).saturating_sub(nulls)
        })
        .sum()
}

/// Merges sorted files of one table into new ones, in memory that does not grow with their size.
///
/// Rows that say the same thing become one: of `spans` with equal (trace id, span id), a completed one
/// beats an open one, then the one accepted later beats the earlier; of `processes` with equal process id,
/// the latest stays, with the earliest `first_seen` and `start_time`; of `span_events` and `span_links`, rows equal in all
/// but `ingest_time` are one. `logs` and `metrics` keep every row.
pub fn merge(
    cache: &FileCache,
    inputs: &[Arc<DataFile>],
    columns: &FileColumns,
    options: &WriteOptions,
) -> Result<Merged, FilesError> {
    let times = inputs.iter().map(|file| (file.min_time, file.max_time));
    let Some(times) = times.reduce(|a: (Timestamp, Timestamp), b| (a.0.min(b.0), a.1.max(b.1))) else {
        return Ok(Merged { files: Vec::new(), dropped: 0 });
    };
    let constant = constant(cache, inputs, columns)?;
    let mut inputs = Inputs::open(cache, inputs, columns)?;
    let mut output = Output::new(cache.store(), columns, options, times, constant);
    while let Some(run) = inputs.next_run()? {
        output.push_run(&run, &mut inputs)?;
    }
    output.finish(&mut inputs)
}
