//! The lake's catalog: a [DuckLake 1.0](https://ducklake.select/docs/stable/specification/introduction)
//! in SQLite or PostgreSQL. It says which Parquet files make up each table at each snapshot, so that any
//! engine which speaks DuckLake reads the lake with no server of ours running.
//!
//! Every change is one database transaction: a crash leaves the snapshot before it or the one after it.

mod columns;
mod commit;
mod database;
mod documents;
mod ducklake;
mod error;
mod files;
mod head;
mod open;
mod stats;

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use glasshouse_model::{Clock, SystemClock, Timestamp};
use glasshouse_tables::ports::{Document, DocumentError, DocumentText};
use glasshouse_tables::{ColumnIds, DataFile, NewFile, ShreddedColumn, Table};
use uuid::Uuid;

use crate::columns::TableColumns;
use crate::database::Database;

pub use error::CatalogError;

/// Where the catalog is and what it catalogues.
#[derive(Debug, Clone)]
pub struct CatalogOptions {
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`.
    pub url: String,
    /// Folder or object store URL that holds the data files, as other engines are told it. An existing
    /// catalog must name the same one, except that a local folder may have moved.
    pub data_path: String,
    /// Whether a catalog is made where there is none; else that is an error.
    pub create: bool,
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
pub struct Catalog {
    database: Database,
    clock: Arc<dyn Clock>,
    /// Columns of each table, as far as this process has seen them.
    tables: Arc<RwLock<Vec<Arc<TableColumns>>>>,
}

impl CatalogOptions {
    /// Options with the system clock and ten seconds of patience.
    pub fn new(url: impl Into<String>, data_path: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            data_path: data_path.into(),
            create: true,
            patience: Duration::from_secs(10),
            clock: Arc::new(SystemClock),
        }
    }
}

impl Catalog {
    /// Most documents of a kind.
    pub const MAX_DOCUMENTS: usize = 2_000;
    /// Most shredded columns of a table; values of further keys stay in the JSON column.
    pub const MAX_SHREDDED: usize = 512;

    /// Opens the catalog, creates what is absent and adds columns that are new in [`Table`].
    pub async fn open(options: CatalogOptions) -> Result<Self, CatalogError> {
        let database = Database::open(&options.url, options.create, options.patience).await?;
        let mut transaction = database.write("open the catalog").await?;
        let tables = open::open(&mut transaction, &options, options.clock.now()).await?;
        transaction.commit().await?;
        let tables = tables.into_iter().map(Arc::new).collect();
        Ok(Self { database, clock: options.clock, tables: Arc::new(RwLock::new(tables)) })
    }

    /// Waits for what is under way and closes all connections.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Field ids of a table's columns, as far as this process has seen them. Never waits.
    pub fn columns(&self, table: Table) -> Arc<ColumnIds> {
        Arc::clone(&self.table(table).ids)
    }

    /// Field ids of a table's columns after adding the shredded columns that are missing. Columns past
    /// [`Self::MAX_SHREDDED`], and those whose name differs from another's only in case, are not added:
    /// they are absent from the answer, and their values stay in the JSON column. Touches the database
    /// only when a column is missing.
    pub async fn ensure_shredded(
        &self,
        table: Table,
        wanted: &[ShreddedColumn],
    ) -> Result<Arc<ColumnIds>, CatalogError> {
        let known = self.table(table);
        if known.missing_shredded(wanted).is_empty() {
            return Ok(Arc::clone(&known.ids));
        }
        let mut transaction = self.database.write("add columns").await?;
        let current = TableColumns::load(&mut transaction, known.table_id).await?;
        let missing = current.missing_shredded(wanted);
        let mut after = open::add_columns(&mut transaction, vec![(current, missing)], self.clock.now()).await?;
        transaction.commit().await?;
        let columns = Arc::new(after.remove(0));
        let ids = Arc::clone(&columns.ids);
        self.tables.write().unwrap_or_else(PoisonError::into_inner)[table as usize] = columns;
        Ok(ids)
    }

    /// Adds and removes files and moves the watermark, all or nothing. Without files it makes no new
    /// snapshot. [`CatalogError::Gone`] when a file to remove is not live.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, CatalogError> {
        let tables = self.tables();
        let mut transaction = self.database.write("commit files").await?;
        let committed = commit::apply(&mut transaction, &commit, &tables, self.clock.now()).await?;
        transaction.commit().await?;
        Ok(committed)
    }

    /// The newest snapshot.
    pub async fn current_snapshot(&self) -> Result<i64, CatalogError> {
        let mut transaction = self.database.read("find the newest snapshot").await?;
        Ok(head::Head::load(&mut transaction).await?.snapshot)
    }

    /// The live files of the newest snapshot.
    pub async fn files(&self) -> Result<LiveFiles, CatalogError> {
        let mut transaction = self.database.read("list files").await?;
        files::live(&mut transaction, &self.tables(), None).await
    }

    /// The files of a snapshot; [`CatalogError::NoSnapshot`] when it is unknown or expired.
    pub async fn files_at(&self, snapshot: i64) -> Result<LiveFiles, CatalogError> {
        let mut transaction = self.database.read("list files").await?;
        files::live(&mut transaction, &self.tables(), Some(snapshot)).await
    }

    /// The last WAL sequence number that a writer has committed.
    pub async fn watermark(&self, writer: Uuid) -> Result<Option<u64>, CatalogError> {
        let mut transaction = self.database.read("read the watermark").await?;
        let sql = "SELECT watermark FROM glasshouse_writer WHERE writer_id = $1";
        let rows = transaction.rows(sql, &[writer.to_string().into()]).await?;
        rows.first().map(|row| row.int(0).map(|watermark| watermark as u64)).transpose()
    }

    /// Forgets snapshots that were not the newest any more at `before`. Files that no kept snapshot holds
    /// leave the catalog; they are scheduled for deletion, beginning now. A removed file is scheduled by
    /// this call only: it must be made again and again (say, every minute).
    pub async fn expire(&self, before: Timestamp) -> Result<Expired, CatalogError> {
        let mut transaction = self.database.write("expire snapshots").await?;
        let expired = files::expire(&mut transaction, &self.tables(), before, self.clock.now()).await?;
        transaction.commit().await?;
        Ok(expired)
    }

    /// Paths, relative to the data folder, of files that [`Self::expire`] scheduled before `before`:
    /// readers that started since cannot know them.
    pub async fn due_deletions(&self, before: Timestamp) -> Result<Vec<String>, CatalogError> {
        let mut transaction = self.database.read("list files to delete").await?;
        files::due(&mut transaction, before).await
    }

    /// Forgets scheduled files that have been deleted.
    pub async fn deleted(&self, paths: &[String]) -> Result<(), CatalogError> {
        let mut transaction = self.database.write("forget deleted files").await?;
        files::deleted(&mut transaction, paths).await?;
        transaction.commit().await
    }

    /// Every path, relative to the data folder, that the catalog knows: live, ended or scheduled for
    /// deletion. Files not among them (and not just being written) are orphans.
    pub async fn known_paths(&self) -> Result<HashSet<String>, CatalogError> {
        let mut transaction = self.database.read("list all files").await?;
        files::known(&mut transaction, &self.tables()).await
    }

    /// What tells this catalog from all others, made with it: the UUID of its schema.
    pub async fn identity(&self) -> Result<Uuid, CatalogError> {
        let mut transaction = self.database.read("tell the catalog from others").await?;
        open::identity(&mut transaction).await
    }

    /// What people keep, of a kind, by name.
    pub async fn documents(&self, kind: &str) -> Result<Vec<Document>, CatalogError> {
        let mut transaction = self.database.read("list saved documents").await?;
        documents::list(&mut transaction, kind).await
    }

    /// Keeps a document; at most [`Self::MAX_DOCUMENTS`] of a kind.
    pub async fn create_document(
        &self,
        kind: &str,
        text: DocumentText,
    ) -> Result<Result<Document, DocumentError>, CatalogError> {
        let mut transaction = self.database.write("save a document").await?;
        let now = self.clock.now();
        let created = documents::create(&mut transaction, kind, text, Self::MAX_DOCUMENTS, now).await?;
        transaction.commit().await?;
        Ok(created)
    }

    /// Replaces a document that has still this revision.
    pub async fn replace_document(
        &self,
        kind: &str,
        of: (Uuid, i64),
        text: DocumentText,
    ) -> Result<Result<Document, DocumentError>, CatalogError> {
        let mut transaction = self.database.write("change a saved document").await?;
        let replaced = documents::replace(&mut transaction, kind, of, text, self.clock.now()).await?;
        transaction.commit().await?;
        Ok(replaced)
    }

    /// Forgets a document, if it has still this revision.
    pub async fn remove_document(
        &self,
        kind: &str,
        id: Uuid,
        revision: Option<i64>,
    ) -> Result<Result<(), DocumentError>, CatalogError> {
        let mut transaction = self.database.write("forget a saved document").await?;
        let removed = documents::remove(&mut transaction, kind, id, revision).await?;
        transaction.commit().await?;
        Ok(removed)
    }

    fn tables(&self) -> Vec<Arc<TableColumns>> {
        self.tables.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn table(&self, table: Table) -> Arc<TableColumns> {
        Arc::clone(&self.tables.read().unwrap_or_else(PoisonError::into_inner)[table as usize])
    }
}
