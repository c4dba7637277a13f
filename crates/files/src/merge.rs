use std::sync::Arc;

use glasshouse_tables::{DataFile, NewFile, ShreddedColumn};

use crate::{FileCache, FileColumns, FilesError, WriteOptions};

/// What a merge made.
#[derive(Debug)]
pub struct Merged {
    /// The new files; they replace all the inputs.
    pub files: Vec<NewFile>,
    /// Rows of the inputs that are in none of them, because another row replaces or equals them.
    pub dropped: u64,
}

/// The attribute keys that deserve a column in a merged file, as [`choose_shredded`](crate::choose_shredded)
/// would tell of all their rows; a column that a file has already is kept a little longer.
pub fn choose_merged(cache: &FileCache, inputs: &[Arc<DataFile>]) -> Result<Vec<ShreddedColumn>, FilesError> {
    let _ = (cache, inputs);
    todo!()
}

/// Merges sorted files of one table into new ones, in memory that does not grow with their size.
///
/// Rows that say the same thing become one: of `spans` with equal (trace id, span id), a completed one
/// beats an open one, then the one accepted later beats the earlier; of `processes` with equal process id,
/// the latest stays, with the earliest `first_seen`; of `span_events` and `span_links`, rows equal in all
/// but `ingest_time` are one. `logs` and `metrics` keep every row.
pub fn merge(
    cache: &FileCache,
    inputs: &[Arc<DataFile>],
    columns: &FileColumns,
    options: &WriteOptions,
) -> Result<Merged, FilesError> {
    let _ = (cache, inputs, columns, options);
    todo!()
}
