use std::io;
use std::path::PathBuf;

/// Why the lake cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    /// Another process has the data folder.
    #[error("data folder {} is in use by {holder}: one process may have it at a time", path.display())]
    Locked {
        /// The data folder.
        path: PathBuf,
        /// Who has it, as it says of itself.
        holder: String,
    },
    /// A folder cannot be made or used.
    #[error("cannot use folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The write-ahead log cannot be read or written.
    #[error("write-ahead log {}: cannot {action}: {source}", path.display())]
    Wal {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] glasshouse_catalog::CatalogError),
    /// A data file could not be written or read.
    #[error(transparent)]
    Files(#[from] glasshouse_files::FilesError),
    /// The object store failed.
    #[error("object store: {0}")]
    Store(#[from] object_store::Error),
    /// Files, catalog and log do not belong together.
    #[error(
        "files, catalog and log are not of one lake: {0}; name the catalog and the store that belong together, or an empty folder for a new lake"
    )]
    Foreign(String),
    /// Background work ended before it was done.
    #[error("work on data files was interrupted: {0}")]
    Interrupted(String),
    /// Rows could not be flushed; they are still in memory and in the log, and it is tried again.
    #[error("rows are not in files yet: {0}")]
    NotFlushed(String),
    /// The lake is being shut down.
    #[error("the lake is shutting down")]
    ShuttingDown,
    /// What was asked did not end in time.
    #[error("{0} did not end in time")]
    Timeout(&'static str),
}
