use glasshouse_tables::ports::DecodeError;

/// A JSON error at a path in the request; the path may be empty.
pub(crate) fn json_error(error: &serde_json::Error, path: &str) -> DecodeError {
    let position = format!("line {} column {}", error.line(), error.column());
    let place = if path.is_empty() { position } else { format!("{path} ({position})") };
    DecodeError { what: reason(error), place }
}

/// What is wrong, without the position that `serde_json` appends.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let mut what = error.to_string();
    let suffix = format!(" at line {} column {}", error.line(), error.column());
    if what.ends_with(&suffix) {
        what.truncate(what.len() - suffix.len());
    }
    what
}
