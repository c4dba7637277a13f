use std::io;

use parquet::errors::ParquetError;

/// Why files cannot be written or read. Every message names the file.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    /// The place that files should go to cannot be used.
    #[error("cannot use {location:?} for files: {reason}")]
    Location {
        /// The path or URL.
        location: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that should exist does not.
    #[error("file {path} is missing")]
    Missing {
        /// Path of the file, relative to the lake's data.
        path: String,
    },
    /// The disk fails.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// Path of the file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// The object store fails.
    #[error("cannot {action} {path}: {source}")]
    Store {
        /// What was tried.
        action: &'static str,
        /// Path of the file.
        path: String,
        /// What the store says.
        source: object_store::Error,
    },
    /// A file is not what it was when it was written.
    #[error("file {path} is damaged: {reason}")]
    Damaged {
        /// Path of the file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// Rows cannot be encoded.
    #[error("cannot encode {path}: {source}")]
    Encode {
        /// Path of the file.
        path: String,
        /// What the encoder says.
        source: ParquetError,
    },
    /// The catalog gives no id for a column that every file has.
    #[error("the catalog has no column {path} of {table}")]
    NoColumnId {
        /// Name of the table.
        table: &'static str,
        /// Path of the column.
        path: String,
    },
}

impl FilesError {
    pub(crate) fn damaged(path: &str, reason: impl std::fmt::Display) -> Self {
        Self::Damaged { path: path.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn io(action: &'static str, path: &str) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::NotFound if action == "read" => Self::Missing { path: path.to_owned() },
            _ => Self::Io { action, path: path.to_owned(), source },
        }
    }

    pub(crate) fn store(action: &'static str, path: &str) -> impl FnOnce(object_store::Error) -> Self {
        move |source| match source {
            object_store::Error::NotFound { .. } if action == "read" => Self::Missing { path: path.to_owned() },
            source => Self::Store { action, path: path.to_owned(), source },
        }
    }
}
