//! A lake made of given rows: some hot, some in files.

use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use glasshouse_files::{FileCache, FileColumns, Store, WriteOptions, choose_shredded, write_sorted};
use glasshouse_tables::ports::QueryError;
use glasshouse_tables::{Batches, DataFile, Snapshot, SnapshotSource, Table};
use glasshouse_traces::Traces;
use tempfile::TempDir;

use crate::naive::KIND_RULES;

/// A lake that does not change.
pub struct Lake {
    snapshot: Arc<Snapshot>,
    store: Store,
    folder: TempDir,
}

/// A store and its files.
pub struct Kept {
    traces: Traces,
    _folder: TempDir,
}

impl std::ops::Deref for Kept {
    type Target = Traces;

    fn deref(&self) -> &Traces {
        &self.traces
    }
}

/// Where a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Hot(usize),
    File(usize),
}

#[derive(Debug)]
struct Still(Arc<Snapshot>);

#[async_trait]
impl SnapshotSource for Still {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0)
    }

    async fn snapshot_at(&self, _id: i64) -> Result<Arc<Snapshot>, QueryError> {
        Err(QueryError::Invalid("this lake has one snapshot".to_owned()))
    }
}

impl Lake {
    /// A lake of these rows; each batch goes to its place. Row groups are small, so that searches cross their
    /// borders.
    pub fn new(rows: &[(Place, Table, RecordBatch)]) -> Self {
        Self::with_row_groups(rows, 3)
    }

    /// The same with at most so many rows in a row group.
    pub fn with_row_groups(rows: &[(Place, Table, RecordBatch)], row_group_rows: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path()).unwrap();
        let at = |place: Place, table: Table| -> Vec<RecordBatch> {
            rows.iter().filter(|(p, t, _)| (*p, *t) == (place, table)).map(|(_, _, batch)| batch.clone()).collect()
        };
        let mut snapshot = Snapshot::default();
        let mut files = Vec::new();
        let options = WriteOptions { row_group_rows, ..WriteOptions::flush() };
        for number in 0..3 {
            let mut hot = Batches::default();
            for table in Table::ALL {
                let batches = at(Place::Hot(number), table);
                if !batches.is_empty() {
                    hot.set(table, concat_batches(&table.stored_schema(), &batches).unwrap());
                }
                let batches = at(Place::File(number), table);
                if batches.is_empty() {
                    continue;
                }
                let columns = FileColumns::without_ids(table, &choose_shredded(table, &batches));
                for new in write_sorted(&store, &columns, &batches, &options).unwrap() {
                    files.push(Arc::new(DataFile {
                        id: files.len() as i64,
                        table,
                        path: new.path,
                        rows: new.rows,
                        bytes: new.bytes,
                        footer_bytes: new.footer_bytes,
                        min_time: new.min_time,
                        max_time: new.max_time,
                    }));
                }
            }
            snapshot.hot.push(Arc::new(hot));
        }
        snapshot.files = Arc::new(files);
        Self { snapshot: Arc::new(snapshot), store, folder }
    }

    /// The store under test, with the lake's files.
    pub fn into_traces(self, cache_bytes: u64) -> Kept {
        Kept { traces: self.traces(cache_bytes), _folder: self.folder }
    }

    /// The store under test, with caches of this size.
    pub fn traces(&self, cache_bytes: u64) -> Traces {
        let rules = KIND_RULES.iter().map(|rule| rule.parse().unwrap()).collect();
        let files = FileCache::new(self.store.clone(), cache_bytes);
        Traces::new(Arc::new(Still(Arc::clone(&self.snapshot))), files).with_kind_rules(rules)
    }
}
