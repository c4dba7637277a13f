use glasshouse_files::FilesError;

/// Why a question was given up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("rows of {0} are not of the stored schema")]
    Schema(&'static str),
    #[error("nobody waits for the answer")]
    Stopped,
}
