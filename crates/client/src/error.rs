//! What can go wrong.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why there is no tracer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The address is none.
    #[error("{endpoint:?} is not an address to send to: {reason}")]
    Endpoint {
        /// What was given.
        endpoint: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A header cannot be sent.
    #[error("cannot send header {0:?}")]
    Header(String),
    /// Nobody answered.
    #[error("no answer from {url}")]
    Unreachable {
        /// Where to.
        url: String,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// The answer was no.
    #[error("{url} answered with status {status}: {message}")]
    Refused {
        /// Where to.
        url: String,
        /// HTTP status.
        status: u16,
        /// What the answer said.
        message: String,
    },
    /// The folder for what waits on disk cannot be used.
    #[error("cannot use {} for what waits to be sent", folder.display())]
    Spill {
        /// Which one.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The system gave no thread to send in the background.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// Not everything was sent in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("{waiting} records were not sent within {deadline:?}{}", last.as_ref().map(|last| format!(": {last}")).unwrap_or_default())]
pub struct FlushError {
    /// How long was waited.
    pub deadline: Duration,
    /// Records that were not sent: spans, log records and data points.
    pub waiting: u64,
    /// What the last attempt to send met with.
    pub last: Option<String>,
}

/// What an error says, with its causes.
pub(crate) fn with_causes<E: Error + ?Sized>(error: &E) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(message, ": {error}").expect("a string takes everything");
        cause = error.source();
    }
    message
}
