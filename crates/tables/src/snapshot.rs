//! What a reader sees: one moment of the lake, rows not yet in files and files, no row twice.

use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use glasshouse_model::{TimeRange, Timestamp};

use crate::ports::QueryError;
use crate::{Batches, Table};

/// A Parquet file of the lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFile {
    /// Number in the catalog.
    pub id: i64,
    /// The table it belongs to.
    pub table: Table,
    /// Where it is, relative to the lake's data folder.
    pub path: String,
    /// Its rows.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// Size of its Parquet footer in bytes, the 8 bytes after it not counted.
    pub footer_bytes: u64,
    /// Earliest time of [`Table::time_column`] in it.
    pub min_time: Timestamp,
    /// Latest time of [`Table::time_column`] in it.
    pub max_time: Timestamp,
}

/// One moment of the lake.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The catalog's snapshot that `files` come from.
    pub id: i64,
    /// Rows that are not in files yet, in the order they were accepted.
    pub hot: Vec<Arc<Batches>>,
    /// All live files, in no order.
    pub files: Arc<Vec<Arc<DataFile>>>,
}

impl Snapshot {
    /// A table's rows that are not in files yet.
    pub fn hot_batches(&self, table: Table) -> impl Iterator<Item = &RecordBatch> {
        self.hot.iter().filter_map(move |batches| batches.get(table))
    }

    /// A table's files that may hold rows of the range.
    pub fn files(&self, table: Table, range: TimeRange) -> impl Iterator<Item = &Arc<DataFile>> {
        self.files.iter().filter(move |file| file.table == table && range.overlaps(file.min_time, file.max_time))
    }
}

/// Where readers get a snapshot.
#[async_trait]
pub trait SnapshotSource: Send + Sync {
    /// The present: every row acknowledged so far.
    fn snapshot(&self) -> Arc<Snapshot>;

    /// The files of an earlier catalog snapshot, without hot rows.
    async fn snapshot_at(&self, id: i64) -> Result<Arc<Snapshot>, QueryError>;
}
