use glasshouse_tables::attributes::{ValueRef, get};

/// `thread.id` and `thread.name` of packed attributes, for the columns of the same names.
pub(crate) fn thread(attributes: &[u8]) -> (Option<i64>, Option<&str>) {
    let id = match get(attributes, "thread.id") {
        Some(ValueRef::Int(id)) => Some(id),
        Some(ValueRef::String(text)) => text.parse().ok(),
        _ => None,
    };
    let name = match get(attributes, "thread.name") {
        Some(ValueRef::String(name)) => Some(name),
        _ => None,
    };
    (id, name)
}
