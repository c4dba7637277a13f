use std::time::Duration;

/// Why the catalog did not do what it was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The URL is neither `sqlite:PATH` nor `postgres://…`.
    #[error("catalog url {0:?} is not sqlite:PATH or postgres://USER@HOST/DATABASE")]
    Url(String),
    /// The catalog was made for something else or by a version that we do not understand.
    #[error("the catalog cannot be used: {0}")]
    Incompatible(String),
    /// Others held the catalog for all the time that was allowed. Trying again may help.
    #[error("the catalog was locked for {0:?} while trying to {1}")]
    Locked(Duration, &'static str),
    /// Another engine committed at the same moment. Trying again may help.
    #[error("another writer changed the catalog while trying to {0}")]
    Raced(&'static str),
    /// A file that should be removed has been removed by another writer. Take a new look at the
    /// files, then decide again.
    #[error("file {0} is not in the catalog any more: another writer removed it")]
    Gone(i64),
    /// There is no snapshot of this number (any more).
    #[error("snapshot {0} is not in the catalog")]
    NoSnapshot(i64),
    /// A column id or a path does not belong to the table.
    #[error("file {path} cannot be added: {reason}")]
    File {
        /// The file's path.
        path: String,
        /// What does not fit.
        reason: String,
    },
    /// The database failed.
    #[error("could not {task}: {source}")]
    Database {
        /// What was tried.
        task: &'static str,
        /// What the database says.
        source: sqlx::Error,
    },
}

impl CatalogError {
    /// Whether the same call, or one decided anew, may succeed in a moment.
    pub fn is_retriable(&self) -> bool {
        match self {
            Self::Locked(..) | Self::Raced(_) | Self::Gone(_) => true,
            Self::Database { source, .. } => {
                matches!(source, sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
            }
            _ => false,
        }
    }
}
