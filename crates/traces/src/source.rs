//! Where a search looks: a batch that is not in a file yet, or a row group of a file.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef};
use arrow::record_batch::RecordBatch;
use glasshouse_files::{FileReader, REST_KEYS, RowRanges};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;

use crate::cells::{self, Texts};
use crate::error::Failure;

/// Rows that a page of a file has, about: what reading one row costs.
const PAGE_ROWS: u32 = 8 << 10;

/// Rows that are searched together.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Hot(RecordBatch),
    Group(Arc<FileReader>, usize),
}

/// Columns of some rows of a source.
#[derive(Debug)]
pub(crate) struct Rows {
    columns: Vec<ArrayRef>,
    /// Which cells of the columns; `None` for all of them, in order.
    picked: Option<Vec<u32>>,
}

impl Rows {
    /// The n-th of the columns that were asked for.
    pub fn column(&self, n: usize) -> &dyn Array {
        &self.columns[n]
    }

    /// Positions of the rows in the columns, in the order that they were asked for.
    pub fn positions(&self) -> impl Iterator<Item = usize> + '_ {
        let len = self.picked.as_ref().map_or_else(|| self.columns[0].len(), Vec::len);
        (0..len).map(|i| self.picked.as_ref().map_or(i, |picked| picked[i] as usize))
    }
}

impl Source {
    /// Tells sources apart.
    pub fn id(&self) -> (usize, usize) {
        match self {
            Self::Hot(batch) => {
                (batch.columns().first().map_or(0, |column| Arc::as_ptr(column).cast::<()>() as usize), 0)
            }
            Self::Group(file, group) => (Arc::as_ptr(file) as usize, *group),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Hot(batch) => batch.num_rows(),
            Self::Group(file, group) => {
                let rows = file.row_group(*group);
                (rows.end - rows.start) as usize
            }
        }
    }

    /// A whole column; `None` when there is none of this name, so that all its values are NULL.
    pub fn column(&self, name: &str) -> Result<Option<ArrayRef>, Failure> {
        match self {
            Self::Hot(batch) => Ok(batch.column_by_name(name).cloned()),
            Self::Group(file, group) => Ok(file.column(*group, name)?),
        }
    }

    /// A whole column that every source has.
    pub fn required(&self, name: &'static str) -> Result<ArrayRef, Failure> {
        self.column(name)?.ok_or(Failure::Schema(name))
    }

    /// Columns of the given rows (ascending), in the cheaper way: whole columns stay in the cache, pages
    /// do not.
    pub fn rows(&self, names: &[&'static str], rows: Vec<u32>) -> Result<Rows, Failure> {
        if let Self::Group(file, group) = self {
            let pages = rows.chunk_by(|a, b| a / PAGE_ROWS == b / PAGE_ROWS).count();
            if pages * 2 < self.len().div_ceil(PAGE_ROWS as usize) {
                let first = file.row_group(*group).start;
                let ranges: RowRanges =
                    rows.iter().map(|row| first + u64::from(*row)..first + u64::from(*row) + 1).collect();
                let batch = file.read(names, &ranges)?;
                let columns = names.iter().map(|name| cells::column(&batch, name).cloned());
                return Ok(Rows { columns: columns.collect::<Result<_, _>>()?, picked: None });
            }
        }
        let columns = names.iter().map(|name| self.required(name)).collect::<Result<_, _>>()?;
        Ok(Rows { columns, picked: Some(rows) })
    }

    /// The least and the greatest value of a column of integers or times, as far as the footer tells.
    pub fn bounds(&self, name: &str) -> Option<(i64, i64)> {
        let Self::Group(file, group) = self else { return None };
        match chunk(file, *group, name)?.statistics()? {
            Statistics::Int64(bounds) => Some((*bounds.min_opt()?, *bounds.max_opt()?)),
            _ => None,
        }
    }

    /// Whether the column may have NULL in these rows.
    pub fn has_nulls(&self, name: &str) -> bool {
        let Self::Group(file, group) = self else { return true };
        chunk(file, *group, name).and_then(|chunk| chunk.statistics()?.null_count_opt()) != Some(0)
    }

    /// Whether the column has only NULL in these rows, as far as the footer tells.
    pub fn is_null(&self, name: &str) -> bool {
        let Self::Group(file, group) = self else { return false };
        let nulls = chunk(file, *group, name).and_then(|chunk| chunk.statistics()?.null_count_opt());
        nulls == Some(self.len() as u64)
    }
}

/// The metadata of a column without nesting.
pub(crate) fn chunk<'a>(file: &'a FileReader, group: usize, name: &str) -> Option<&'a ColumnChunkMetaData> {
    let chunks = file.metadata().row_group(group).columns();
    chunks.iter().find(|chunk| matches!(chunk.column_path().parts(), [only] if only == name))
}

/// Attribute keys that the JSON column of a row group was found not to have, where the file's footer does not
/// tell. Files never change, so this stays true; most searches need not look into JSON a second time.
#[derive(Debug, Default)]
pub(crate) struct Absent(Mutex<HashSet<(String, usize, String)>>);

impl Absent {
    /// Beyond it, everything is forgotten.
    const MAX: usize = 16_384;

    /// The JSON column of a row group, when it may hold the key.
    pub fn json_with(&self, file: &Arc<FileReader>, group: usize, key: &str) -> Result<Option<ArrayRef>, Failure> {
        let source = Source::Group(Arc::clone(file), group);
        if source.is_null("attributes") || is_not_listed(file, key) {
            return Ok(None);
        }
        let entry = (file.path().to_owned(), group, key.to_owned());
        if self.lock().contains(&entry) {
            return Ok(None);
        }
        let Some(column) = source.column("attributes")? else { return Ok(None) };
        if let Some(part) = json_key(key)
            && !Texts::new(&column)?.any_contains(&part)
        {
            let mut absent = self.lock();
            if absent.len() >= Self::MAX {
                absent.clear();
            }
            absent.insert(entry);
            return Ok(None);
        }
        Ok(Some(column))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<(String, usize, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the footer lists the keys that are in JSON, and this is none of them.
fn is_not_listed(file: &FileReader, key: &str) -> bool {
    let entries = file.metadata().file_metadata().key_value_metadata();
    let list = entries.and_then(|entries| entries.iter().find(|entry| entry.key == REST_KEYS)?.value.as_deref());
    // Quotes within a listed key are escaped, so a plain key between quotes is a whole entry.
    list.is_some_and(|list| is_plain(key) && !list.contains(&format!("\"{key}\"")))
}

/// Whether a key stands in JSON text as it is.
fn is_plain(key: &str) -> bool {
    key.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\' | b'/'))
}

/// The key as it stands in JSON text; `None` when it might be escaped.
pub(crate) fn json_key(key: &str) -> Option<String> {
    is_plain(key).then(|| format!("\"{key}\":"))
}
