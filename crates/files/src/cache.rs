use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::ArrayRef;
use glasshouse_tables::DataFile;

use crate::lru::Lru;
use crate::{FileReader, FilesError, Store};

/// Open files and decoded columns, bounded by bytes; what was not used longest goes first.
#[derive(Debug, Clone)]
pub struct FileCache {
    store: Store,
    footers: Arc<Mutex<Lru<String, Arc<FileReader>>>>,
    columns: Arc<ColumnCache>,
}

/// What a cache did and holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheFigures {
    /// Questions answered from the cache.
    pub hits: u64,
    /// Questions that had to read.
    pub misses: u64,
    /// Entries that had to go.
    pub evictions: u64,
    /// Entries now.
    pub entries: u64,
    /// Bytes they hold.
    pub bytes: u64,
}

impl FileCache {
    /// A cache that holds at most `bytes`: a quarter for footers and indexes, the rest for columns.
    pub fn new(store: Store, bytes: u64) -> Self {
        let footers = bytes / 4;
        Self {
            store,
            footers: Arc::new(Mutex::new(Lru::new(footers))),
            columns: Arc::new(ColumnCache(Mutex::new(Lru::new(bytes - footers)))),
        }
    }

    /// Where the files are.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Opens a file: reads its footer, page index and trace index, unless they are cached.
    pub fn open(&self, file: &DataFile) -> Result<Arc<FileReader>, FilesError> {
        let cached = self.lock().get(&file.path);
        if let Some(reader) = cached {
            return Ok(reader);
        }
        // Opened outside the lock: two readers may open the same file at once, and the second one's is kept.
        let reader = Arc::new(FileReader::open(&self.store, file, Some(Arc::clone(&self.columns)))?);
        self.lock().insert(file.path.clone(), Arc::clone(&reader), reader.memory());
        Ok(reader)
    }

    /// Forgets a file that left the lake.
    pub fn forget(&self, path: &str) {
        self.lock().remove(&path.to_owned());
        self.columns.lock().retain(|column| *column.path != *path);
    }

    /// Figures of the footers and indexes.
    pub fn footer_figures(&self) -> CacheFigures {
        self.lock().figures()
    }

    /// Figures of the decoded columns.
    pub fn column_figures(&self) -> CacheFigures {
        self.columns.lock().figures()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Lru<String, Arc<FileReader>>> {
        // The cache is never left half changed, so a panic of another thread does not spoil it.
        self.footers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A column of a row group of a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct ColumnKey {
    pub path: Arc<str>,
    pub row_group: u32,
    pub column: u32,
}

/// Decoded columns.
#[derive(Debug)]
pub(crate) struct ColumnCache(Mutex<Lru<ColumnKey, ArrayRef>>);

impl ColumnCache {
    pub fn get(&self, key: &ColumnKey) -> Option<ArrayRef> {
        self.lock().get(key)
    }

    pub fn insert(&self, key: ColumnKey, column: &ArrayRef) {
        self.lock().insert(key, Arc::clone(column), column.get_array_memory_size() as u64);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Lru<ColumnKey, ArrayRef>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
