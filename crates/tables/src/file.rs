//! What the writer of a Parquet file and the catalog tell each other: which field id a column has, and
//! what a new file holds.

use std::collections::BTreeMap;

use glasshouse_model::Timestamp;

use crate::Table;

/// Field ids of a table's columns, by dotted path: `name`, `str:http.route`, `exponential.scale`. A
/// list's items are called `element`: `bucket_counts.element`, `exemplars.element.time`. An id belongs to
/// a column for ever, so an older `ColumnIds` of a table is right about the columns it knows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ColumnIds(BTreeMap<String, i32>);

impl ColumnIds {
    /// The field id of a column.
    pub fn get(&self, path: &str) -> Option<i32> {
        self.0.get(path).copied()
    }

    /// All paths and their ids, in alphabetical order of path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i32)> {
        self.0.iter().map(|(path, id)| (path.as_str(), *id))
    }

    /// How many columns there are, nested ones included.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no column.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, i32)> for ColumnIds {
    fn from_iter<I: IntoIterator<Item = (String, i32)>>(columns: I) -> Self {
        Self(columns.into_iter().collect())
    }
}

/// A bound of a column's values.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum StatValue {
    Int(i64),
    Double(f64),
    Bool(bool),
    Text(String),
    Bytes(Vec<u8>),
    Time(Timestamp),
}

/// Statistics of one leaf column of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnStats {
    /// Field id of the column.
    pub column_id: i32,
    /// Compressed size in bytes.
    pub bytes: u64,
    /// Values that are not NULL; in a list, items.
    pub values: u64,
    /// Values that are NULL.
    pub nulls: u64,
    /// The least value, exact; `None` when there is none or it is not known exactly.
    pub min: Option<StatValue>,
    /// The greatest value, exact; `None` when there is none or it is not known exactly.
    pub max: Option<StatValue>,
    /// For columns of floats: whether a value is NaN; `None` when not known.
    pub has_nan: Option<bool>,
}

/// A finished Parquet file that the catalog does not know yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFile {
    /// The table it belongs to.
    pub table: Table,
    /// Where it is, relative to the lake's data folder: `TABLE/…/NAME.parquet`.
    pub path: String,
    /// Its rows.
    pub rows: u64,
    /// Its size in bytes.
    pub bytes: u64,
    /// Size of its Parquet footer in bytes, the 8 bytes after it not counted.
    pub footer_bytes: u64,
    /// Earliest time of [`Table::time_column`] in it.
    pub min_time: Timestamp,
    /// Latest time of [`Table::time_column`] in it.
    pub max_time: Timestamp,
    /// Statistics of its leaf columns, one for each column in the file.
    pub columns: Vec<ColumnStats>,
}
