//! The lake's catalog: a [DuckLake 1.0](https://ducklake.select/docs/stable/specification/introduction)
//! in SQLite or PostgreSQL. It says which Parquet files make up each table at each snapshot, so that any
//! engine which speaks DuckLake reads the lake with no server of ours running.
//!
//! Every change is one database transaction: a crash leaves the snapshot before it or the one after it.

mod error;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use glasshouse_model::{Clock, SystemClock, Timestamp};
use glasshouse_tables::{ColumnIds, DataFile, NewFile, ShreddedColumn, Table};
use uuid::Uuid;

pub use error::CatalogError;

/// Where the catalog is and what it catalogues.
#[derive(Debug, Clone)]
pub struct CatalogOptions {
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub url: String,
    /// Folder or object store URL that holds the data files, as other engines are told it. An existing
    /// catalog must name the same one, except that a local folder may have moved.
    pub data_path: String,
    /// How long a call waits for others who hold the catalog, before [`CatalogError::Locked`].
    pub patience: Duration,
    /// Tells the time of snapshots.
    pub clock: Arc<dyn Clock>,
}

/// A change of the lake.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// Files that begin to be live.
    pub add: Vec<NewFile>,
    /// Ids of live files that end: replaced by `add`, or too old.
    pub remove: Vec<i64>,
    /// A writer and the last WAL sequence number whose rows are in files after this commit.
    pub watermark: Option<(Uuid, u64)>,
}

/// What a commit made.
#[derive(Debug, Clone)]
pub struct Committed {
    /// The new snapshot.
    pub snapshot: i64,
    /// The added files, in the order of [`Commit::add`].
    pub added: Vec<DataFile>,
}

/// The live files of one snapshot.
#[derive(Debug, Clone)]
pub struct LiveFiles {
    /// The snapshot.
    pub snapshot: i64,
    /// Its files, in order of id.
    pub files: Vec<DataFile>,
}

/// What [`Catalog::expire`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Expired {
    /// Snapshots forgotten.
    pub snapshots: u64,
    /// Files that no snapshot needs any more, now scheduled for deletion.
    pub files: u64,
}

/// The catalog. Clones share one pool of connections.
#[derive(Debug, Clone)]
pub struct Catalog {}

impl CatalogOptions {
    /// Options with the system clock and ten seconds of patience.
    pub fn new(url: impl Into<String>, data_path: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            data_path: data_path.into(),
            patience: Duration::from_secs(10),
            clock: Arc::new(SystemClock),
        }
    }
}

#[expect(clippy::unused_async, clippy::todo)]
impl Catalog {
    /// Most shredded columns of a table; values of further keys stay in the JSON column.
    pub const MAX_SHREDDED: usize = 512;

    /// Opens the catalog, creates what is absent and adds columns that are new in [`Table`].
    pub async fn open(_options: CatalogOptions) -> Result<Self, CatalogError> {
        todo!()
    }

    /// Field ids of a table's columns, as far as this process has seen them. Never waits.
    pub fn columns(&self, _table: Table) -> Arc<ColumnIds> {
        todo!()
    }

    /// Field ids of a table's columns after adding the shredded columns that are missing. Columns past
    /// [`Self::MAX_SHREDDED`] are not added: they are absent from the answer, and their values stay in
    /// the JSON column. Touches the database only when a column is missing.
    pub async fn ensure_shredded(
        &self,
        _table: Table,
        _wanted: &[ShreddedColumn],
    ) -> Result<Arc<ColumnIds>, CatalogError> {
        todo!()
    }

    /// Adds and removes files and moves the watermark, all or nothing.
    pub async fn commit(&self, _commit: Commit) -> Result<Committed, CatalogError> {
        todo!()
    }

    /// The newest snapshot.
    pub async fn current_snapshot(&self) -> Result<i64, CatalogError> {
        todo!()
    }

    /// The live files of the newest snapshot.
    pub async fn files(&self) -> Result<LiveFiles, CatalogError> {
        todo!()
    }

    /// The files of a snapshot; [`CatalogError::NoSnapshot`] when it is unknown or expired.
    pub async fn files_at(&self, _snapshot: i64) -> Result<LiveFiles, CatalogError> {
        todo!()
    }

    /// The last WAL sequence number that a writer has committed.
    pub async fn watermark(&self, _writer: Uuid) -> Result<Option<u64>, CatalogError> {
        todo!()
    }

    /// Forgets snapshots made before `before`, except the newest one. Files that ended and that no kept
    /// snapshot holds leave the catalog and are scheduled for deletion now.
    pub async fn expire(&self, _before: Timestamp) -> Result<Expired, CatalogError> {
        todo!()
    }

    /// Paths, relative to the data folder, of files that were scheduled for deletion before `before`:
    /// readers that started later cannot know them.
    pub async fn due_deletions(&self, _before: Timestamp) -> Result<Vec<String>, CatalogError> {
        todo!()
    }

    /// Forgets scheduled files that have been deleted.
    pub async fn deleted(&self, _paths: &[String]) -> Result<(), CatalogError> {
        todo!()
    }

    /// Every path, relative to the data folder, that the catalog knows: live, ended or scheduled for
    /// deletion. Files not among them (and not just being written) are orphans.
    pub async fn known_paths(&self) -> Result<HashSet<String>, CatalogError> {
        todo!()
    }
}
