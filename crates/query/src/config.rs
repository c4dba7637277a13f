use std::path::PathBuf;
use std::time::Duration;

/// What queries may use.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Memory that all running queries may hold together, in bytes.
    pub memory_limit: usize,
    /// Memory that one query may hold, in bytes. What needs more spills to disk, or fails alone.
    pub query_memory_limit: usize,
    /// Memory of the cache of Parquet footers, in bytes.
    pub metadata_cache_limit: usize,
    /// Folder for what queries spill. It belongs to the engine, which empties it when it starts.
    pub spill_dir: PathBuf,
    /// Disk space that all running queries may fill in `spill_dir`, in bytes.
    pub spill_limit: u64,
    /// Threads that compute. They are the engine's own, apart from those that do I/O for clients.
    pub threads: usize,
    /// How long a query may take, from being asked until its last row was taken; `None`: as long as it likes.
    pub timeout: Option<Duration>,
}

impl EngineConfig {
    /// A configuration for `memory` bytes in all, of which a query may have three quarters, and as many
    /// threads as the machine has processors.
    pub fn new(spill_dir: impl Into<PathBuf>, memory: usize) -> Self {
        Self {
            memory_limit: memory,
            query_memory_limit: memory / 4 * 3,
            metadata_cache_limit: 32 << 20,
            spill_dir: spill_dir.into(),
            spill_limit: 16 << 30,
            threads: std::thread::available_parallelism().map_or(2, std::num::NonZero::get),
            timeout: Some(Duration::from_mins(5)),
        }
    }
}
