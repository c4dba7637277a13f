//! The one place where DataFusion's errors become those of the port.

use arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;
use glasshouse_tables::ports::QueryError;

/// What an error of DataFusion means to the one who asked.
pub(crate) fn query_error(error: &DataFusionError) -> QueryError {
    if let Some(path) = missing_file(error) {
        return QueryError::Failed(format!("file {path} of the lake is missing"));
    }
    if let DataFusionError::External(source) = error.find_root()
        && let Some(error) = source.downcast_ref::<QueryError>()
    {
        return error.clone();
    }
    let message = message(error);
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => {
            QueryError::Limit(format!("the query needs more memory or disk than it may have: {message}"))
        }
        DataFusionError::SQL(..)
        | DataFusionError::Plan(_)
        | DataFusionError::SchemaError(..)
        | DataFusionError::NotImplemented(_)
        | DataFusionError::Configuration(_)
        | DataFusionError::Execution(_)
        | DataFusionError::Collection(_)
        | DataFusionError::Diagnostic(..) => QueryError::Invalid(message),
        DataFusionError::ArrowError(error, _) if is_about_values(error) => QueryError::Invalid(message),
        _ => QueryError::Failed(message),
    }
}

/// Whether the rows, not the machine, were in the way: a text that is no number, a division by zero.
fn is_about_values(error: &ArrowError) -> bool {
    matches!(
        error,
        ArrowError::CastError(_)
            | ArrowError::ParseError(_)
            | ArrowError::ComputeError(_)
            | ArrowError::DivideByZero
            | ArrowError::ArithmeticOverflow(_)
            | ArrowError::InvalidArgumentError(_)
    )
}

/// The message without what only DataFusion's developers care about.
fn message(error: &DataFusionError) -> String {
    if let DataFusionError::SQL(error, _) = error.find_root() {
        // Its text, not how the enum prints: what was expected, what was found, and where.
        return match &**error {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => format!("not valid SQL: {text}"),
            ParserError::RecursionLimitExceeded => "not valid SQL: nested too deep".to_owned(),
        };
    }
    let text = error.strip_backtrace();
    let text = ["Error during planning: ", "Execution error: ", "Schema error: ", "Arrow error: "]
        .into_iter()
        .fold(text.as_str(), |text, prefix| text.strip_prefix(prefix).unwrap_or(text));
    text.to_owned()
}

/// The path of a file that an object store could not find. DataFusion keeps only the text of that error
/// when it was about a footer.
fn missing_file(error: &DataFusionError) -> Option<String> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = source {
        if let Some(object_store::Error::NotFound { path, .. }) = current.downcast_ref::<object_store::Error>() {
            return Some(path.clone());
        }
        source = current.source();
    }
    let text = error.to_string();
    let (_, after) = text.split_once("Failed to fetch metadata for file ")?;
    let (path, reason) = after.split_once(": ")?;
    reason.contains("not found").then(|| path.to_owned())
}
