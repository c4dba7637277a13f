use std::sync::Arc;

use glasshouse_tables::DataFile;

use crate::{FileReader, FilesError, Store};

/// Open files and decoded columns, bounded by bytes; what was not used longest goes first.
#[derive(Debug, Clone)]
pub struct FileCache {
    store: Store,
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
        let _ = bytes;
        Self { store }
    }

    /// Where the files are.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Opens a file: reads its footer, page index and trace index, unless they are cached.
    pub fn open(&self, file: &DataFile) -> Result<Arc<FileReader>, FilesError> {
        let _ = file;
        todo!()
    }

    /// Forgets a file that left the lake.
    pub fn forget(&self, path: &str) {
        let _ = path;
    }

    /// Figures of the footers and indexes.
    pub fn footer_figures(&self) -> CacheFigures {
        CacheFigures::default()
    }

    /// Figures of the decoded columns.
    pub fn column_figures(&self) -> CacheFigures {
        CacheFigures::default()
    }
}
