//! The two databases behind one face: statements with `$1` placeholders, values and rows.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, Postgres, Row as _, Sqlite};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::CatalogError;

/// Serialises our own writers in PostgreSQL: ASCII of `GlassCat`.
const ADVISORY_LOCK: i64 = 0x476c_6173_7343_6174;
/// SQLite takes 32,766 variables in a statement, PostgreSQL 65,535.
const MAX_VALUES: usize = 30_000;

/// A value to store or to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bool(Option<bool>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(Some(value))
    }
}

impl From<Option<bool>> for Value {
    fn from(value: Option<bool>) -> Self {
        Self::Bool(value)
    }
}

/// Type of a column of the catalog itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SqlType {
    Int,
    Text,
    Bool,
    Time,
    Uuid,
}

/// A table of the catalog itself.
#[derive(Debug)]
pub(crate) struct CatalogTable {
    pub name: &'static str,
    pub columns: &'static [(&'static str, SqlType)],
    pub primary_key: Option<&'static str>,
}

/// Connections to the catalog's database.
#[derive(Debug, Clone)]
pub(crate) struct Database {
    pool: Pool,
    /// Writers of this process queue here in order, instead of polling SQLite's lock.
    writer: Arc<Mutex<()>>,
    patience: Duration,
}

#[derive(Debug, Clone)]
enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A transaction; dropped without [`Transaction::commit`], it never happened.
pub(crate) struct Transaction {
    inner: Inner,
    task: &'static str,
    patience: Duration,
    _writer: Option<OwnedMutexGuard<()>>,
}

enum Inner {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(sqlx::Transaction<'static, Postgres>),
}

/// A row of an answer.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Database {
    pub async fn open(url: &str, create: bool, patience: Duration) -> Result<Self, CatalogError> {
        let task = "open the catalog";
        let pool = if let Some(path) = url.strip_prefix("sqlite:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            if path.is_empty() {
                return Err(CatalogError::Url(url.to_owned()));
            }
            let options = SqliteConnectOptions::new()
                .filename(Path::new(path))
                .create_if_missing(create)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(patience);
            let pool = SqlitePoolOptions::new().max_connections(3).acquire_timeout(patience);
            Pool::Sqlite(pool.connect_with(options).await.map_err(|e| failed(task, patience, e))?)
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let wait = patience.as_millis().max(1).to_string();
            let options = PgConnectOptions::from_str(url)
                .map_err(|_| CatalogError::Url(without_password(url)))?
                .application_name("glasshouse")
                .options([("lock_timeout", wait.as_str()), ("TimeZone", "UTC")]);
            let pool = PgPoolOptions::new().max_connections(4).acquire_timeout(patience);
            Pool::Postgres(pool.connect_with(options).await.map_err(|e| failed(task, patience, e))?)
        } else {
            return Err(CatalogError::Url(without_password(url)));
        };
        Ok(Self { pool, writer: Arc::default(), patience })
    }

    /// A transaction that sees one moment of the catalog.
    pub async fn read(&self, task: &'static str) -> Result<Transaction, CatalogError> {
        let inner = match &self.pool {
            Pool::Sqlite(pool) => pool.begin().await.map(Inner::Sqlite),
            Pool::Postgres(pool) => {
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map(Inner::Postgres)
            }
        };
        let inner = inner.map_err(|e| failed(task, self.patience, e))?;
        Ok(Transaction { inner, task, patience: self.patience, _writer: None })
    }

    /// A transaction that no other writer of ours overlaps.
    pub async fn write(&self, task: &'static str) -> Result<Transaction, CatalogError> {
        let turn = tokio::time::timeout(self.patience, Arc::clone(&self.writer).lock_owned());
        let writer = turn.await.map_err(|_| CatalogError::Locked(self.patience, task))?;
        let inner = match &self.pool {
            // A deferred transaction could fail when it turns from reading to writing.
            Pool::Sqlite(pool) => pool.begin_with("BEGIN IMMEDIATE").await.map(Inner::Sqlite),
            Pool::Postgres(pool) => pool.begin().await.map(Inner::Postgres),
        };
        let inner = inner.map_err(|e| failed(task, self.patience, e))?;
        let mut transaction = Transaction { inner, task, patience: self.patience, _writer: Some(writer) };
        if matches!(transaction.inner, Inner::Postgres(_)) {
            transaction.execute("SELECT pg_advisory_xact_lock($1)", &[ADVISORY_LOCK.into()]).await?;
        }
        Ok(transaction)
    }

    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite(pool) => pool.close().await,
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

macro_rules! bound {
    ($sql:expr, $values:expr) => {{
        // Statements are built from names and numbers of this crate; everything else is bound.
        let mut query = sqlx::query(AssertSqlSafe($sql)).persistent(false);
        for value in $values {
            query = match value {
                Value::Int(value) => query.bind(*value),
                Value::Text(value) => query.bind(value.clone()),
                Value::Bool(value) => query.bind(*value),
            };
        }
        query
    }};
}

impl Transaction {
    /// Runs a statement; answers how many rows it changed.
    pub async fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, CatalogError> {
        let done = match &mut self.inner {
            Inner::Sqlite(t) => bound!(sql, values).execute(&mut **t).await.map(|done| done.rows_affected()),
            Inner::Postgres(t) => bound!(sql, values).execute(&mut **t).await.map(|done| done.rows_affected()),
        };
        done.map_err(|e| failed(self.task, self.patience, e))
    }

    /// All rows of an answer.
    pub async fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, CatalogError> {
        let rows = match &mut self.inner {
            Inner::Sqlite(t) => {
                bound!(sql, values).fetch_all(&mut **t).await.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Inner::Postgres(t) => {
                bound!(sql, values).fetch_all(&mut **t).await.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        };
        rows.map_err(|e| failed(self.task, self.patience, e))
    }

    /// Adds rows that have a value for each column of the table.
    pub async fn insert(&mut self, table: &CatalogTable, rows: &[Vec<Value>]) -> Result<(), CatalogError> {
        let names: Vec<_> = table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        for rows in rows.chunks(MAX_VALUES / table.columns.len()) {
            let mut sql = format!("INSERT INTO {} ({}) VALUES ", table.name, names.join(", "));
            let mut values = Vec::with_capacity(rows.len() * table.columns.len());
            for row in rows {
                debug_assert_eq!(row.len(), table.columns.len(), "{}", table.name);
                let places: Vec<_> =
                    (0..row.len()).map(|i| self.place(values.len() + i + 1, table.columns[i].1)).collect();
                sql.push_str(if values.is_empty() { "(" } else { ", (" });
                sql.push_str(&places.join(", "));
                sql.push(')');
                values.extend(row.iter().cloned());
            }
            self.execute(&sql, &values).await?;
        }
        Ok(())
    }

    /// Creates a table that is absent.
    pub async fn create(&mut self, table: &CatalogTable) -> Result<(), CatalogError> {
        let columns: Vec<_> = table
            .columns
            .iter()
            .map(|&(name, kind)| {
                let key = if table.primary_key == Some(name) { " PRIMARY KEY" } else { "" };
                format!("\"{name}\" {}{key}", self.type_name(kind))
            })
            .collect();
        let sql = format!("CREATE TABLE IF NOT EXISTS {} ({})", table.name, columns.join(", "));
        self.execute(&sql, &[]).await.map(drop)
    }

    /// Whether the database has this table.
    pub async fn has_table(&mut self, name: &str) -> Result<bool, CatalogError> {
        let sql = match &self.inner {
            Inner::Sqlite(_) => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = $1",
            Inner::Postgres(_) => "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1",
        };
        Ok(!self.rows(sql, &[name.into()]).await?.is_empty())
    }

    pub async fn commit(self) -> Result<(), CatalogError> {
        let done = match self.inner {
            Inner::Sqlite(transaction) => transaction.commit().await,
            Inner::Postgres(transaction) => transaction.commit().await,
        };
        done.map_err(|e| failed(self.task, self.patience, e))
    }

    /// The types that DuckDB itself gives these columns in either database.
    fn type_name(&self, kind: SqlType) -> &'static str {
        match (&self.inner, kind) {
            (_, SqlType::Int) | (Inner::Sqlite(_), SqlType::Bool) => "BIGINT",
            (_, SqlType::Text) | (Inner::Sqlite(_), SqlType::Time | SqlType::Uuid) => "VARCHAR",
            (Inner::Postgres(_), SqlType::Bool) => "BOOLEAN",
            (Inner::Postgres(_), SqlType::Time) => "TIMESTAMPTZ",
            (Inner::Postgres(_), SqlType::Uuid) => "UUID",
        }
    }

    fn place(&self, number: usize, kind: SqlType) -> String {
        match (&self.inner, kind) {
            (Inner::Postgres(_), SqlType::Time | SqlType::Uuid) => {
                format!("CAST(${number} AS {})", self.type_name(kind))
            }
            (Inner::Postgres(_), _) => format!("${number}"),
            // SQLite looks numbered ones up one after the other: thousands would take seconds.
            (Inner::Sqlite(_), _) => "?".to_owned(),
        }
    }
}

macro_rules! getter {
    ($name:ident, $kind:ty) => {
        pub fn $name(&self, column: usize) -> Result<$kind, CatalogError> {
            let value = match self {
                Self::Sqlite(row) => row.try_get_unchecked(column),
                Self::Postgres(row) => row.try_get_unchecked(column),
            };
            value.map_err(|source| CatalogError::Database { task: "read a row of the catalog", source })
        }
    };
}

impl Row {
    getter!(int, i64);
    getter!(optional_int, Option<i64>);
    getter!(text, String);
    getter!(optional_text, Option<String>);
    getter!(optional_bool, Option<bool>);
}

fn failed(task: &'static str, patience: Duration, source: sqlx::Error) -> CatalogError {
    let code = source.as_database_error().and_then(sqlx::error::DatabaseError::code);
    match code.as_deref() {
        // SQLITE_BUSY, SQLITE_LOCKED and their extended codes; lock_not_available.
        Some("5" | "6" | "261" | "262" | "517" | "773" | "55P03") => CatalogError::Locked(patience, task),
        // unique_violation, serialization_failure, deadlock_detected: another engine committed the same snapshot number.
        Some("23505" | "1555" | "2067" | "40001" | "40P01") => CatalogError::Raced(task),
        _ if matches!(source, sqlx::Error::PoolTimedOut) => CatalogError::Locked(patience, task),
        _ => CatalogError::Database { task, source },
    }
}

/// The URL as logs may show it.
pub(crate) fn without_password(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (user, host))) => {
            format!("{scheme}://{}@{host}", user.split_once(':').map_or(user, |(user, _)| user))
        }
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        assert_eq!(without_password("postgres://me:se@cret@host/db"), "postgres://me@host/db");
        assert_eq!(without_password("sqlite:/a/b"), "sqlite:/a/b");
    }
}
