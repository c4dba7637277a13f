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
    /// A WAL record that was accepted does not decode any more.
    #[error("write-ahead log {}: record {sequence} does not decode: {reason}", path.display())]
    Replay {
        /// The segment.
        path: PathBuf,
        /// The record's number.
        sequence: u64,
        /// What the decoder says.
        reason: String,
    },
    /// The object store failed.
    #[error("object store: {0}")]
    Store(#[from] object_store::Error),
    /// The lake is being shut down.
    #[error("the lake is shutting down")]
    ShuttingDown,
    /// What was asked did not end in time.
    #[error("{0} did not end in time")]
    Timeout(&'static str),
}
