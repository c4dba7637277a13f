use glasshouse_files::FilesError;
use glasshouse_model::Timestamp;
use glasshouse_tables::ports::QueryError;

/// Why a question was given up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("rows of {0} are not of the stored schema")]
    Schema(&'static str),
    #[error("it is too large to be put together in memory beside what others ask for; ask for parts of it with SQL")]
    TooLarge,
    #[error("too many spans start, or run when the range begins, at {0}; choose another beginning, or fewer kinds")]
    TooManyAtOnce(Timestamp),
    #[error("nobody waits for the answer")]
    Stopped,
}

impl From<Failure> for QueryError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::TooLarge | Failure::TooManyAtOnce(_) => Self::Limit(failure.to_string()),
            failure => Self::Failed(failure.to_string()),
        }
    }
}
