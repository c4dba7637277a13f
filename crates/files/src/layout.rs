//! How each column is encoded: all of it here, with reasons.

/// How hard to compress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// For files that will be merged soon: zstd level 1.
    Flush,
    /// For files that stay: zstd level 3.
    Merge,
}

/// How files are written.
#[derive(Debug, Clone)]
pub struct WriteOptions {
    /// How hard to compress.
    pub effort: Effort,
    /// A file that has reached this many bytes is closed and another begun.
    pub file_bytes: u64,
    /// Most rows of a file.
    pub file_rows: u64,
    /// Most rows of a row group.
    pub row_group_rows: usize,
}

impl WriteOptions {
    /// The options for freshly accepted rows.
    pub fn flush() -> Self {
        Self { effort: Effort::Flush, file_bytes: 512 << 20, file_rows: 8 << 20, row_group_rows: 128 << 10 }
    }

    /// The options for merged files.
    pub fn merge() -> Self {
        Self { effort: Effort::Merge, ..Self::flush() }
    }
}
