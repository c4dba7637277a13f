use glasshouse_tables::ports::DecodeError;

/// Longest text of an error in bytes: it may quote what was sent.
const MAX_TEXT: usize = 300;

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
    shortened(what)
}

/// The text, cut when it is long.
pub(crate) fn shortened(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        text.push('…');
    }
    text
}
