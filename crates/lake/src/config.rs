use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use glasshouse_model::{Clock, SystemClock};
use url::Url;

/// How a lake keeps its data. [`LakeConfig::new`] gives the defaults.
#[derive(Debug, Clone)]
pub struct LakeConfig {
    /// Folder of the WAL, the lock and, unless told otherwise, the catalog and the data files.
    pub data_dir: PathBuf,
    /// Where data files go; `None` means `data_dir/data`.
    pub object_store: Option<Url>,
    /// Catalog as `sqlite:PATH` or `postgres://…`; `None` means `data_dir/catalog.sqlite`.
    pub catalog_url: Option<String>,
    /// Memory of the whole process in bytes; the lake takes [`LakeConfig::ingest_share`] of it.
    pub memory_limit: usize,
    /// Rows are flushed to files when this many bytes of them are in memory, …
    pub flush_bytes: usize,
    /// … or when the oldest of them has waited this long, …
    pub flush_age: Duration,
    /// … or when nothing arrived for this long.
    pub flush_idle: Duration,
    /// When data is dropped, for each signal.
    pub retention: Retention,
    /// How long a replaced or expired file is kept for readers that still use it.
    pub grace: Duration,
    /// A request sent again within this time is acknowledged without being kept twice.
    pub redelivery_window: Duration,
    /// Requests remembered for that at most; beyond it the oldest are forgotten early.
    pub redelivery_entries: usize,
    /// Whether this process merges and expires files (role `tend`).
    pub tend: bool,
    /// How often the catalog is asked whether another writer changed it.
    pub catalog_poll: Duration,
    /// Where the present comes from.
    pub clock: Arc<dyn Clock>,
}

/// When data is dropped. Everything is kept by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Spans, their events and links.
    pub traces: RetentionLimit,
    /// Log records.
    pub logs: RetentionLimit,
    /// Metric data points.
    pub metrics: RetentionLimit,
}

/// Limits of one signal; whichever is passed first counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetentionLimit {
    /// Rows older than this are dropped, file by file: a file goes when its newest row is too old.
    pub age: Option<Duration>,
    /// The oldest files are dropped while the signal's files are larger than this together.
    pub bytes: Option<u64>,
}

impl LakeConfig {
    /// The default memory limit of the process: 512 MiB.
    pub const DEFAULT_MEMORY_LIMIT: usize = 512 << 20;

    /// The defaults over a data folder.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            object_store: None,
            catalog_url: None,
            memory_limit: Self::DEFAULT_MEMORY_LIMIT,
            flush_bytes: 64 << 20,
            flush_age: Duration::from_mins(1),
            flush_idle: Duration::from_secs(5),
            retention: Retention::default(),
            grace: Duration::from_mins(10),
            redelivery_window: Duration::from_mins(10),
            redelivery_entries: 256 * 1024,
            tend: true,
            catalog_poll: Duration::from_secs(1),
            clock: Arc::new(SystemClock),
        }
    }

    /// Memory that requests in flight, the hot buffer and rows being flushed may take together, in bytes.
    pub fn ingest_share(&self) -> usize {
        self.memory_limit / 16 * 5
    }

    /// Folder of the write-ahead log.
    pub fn wal_dir(&self) -> PathBuf {
        self.data_dir.join("wal")
    }

    /// The catalog's URL.
    pub fn resolved_catalog_url(&self) -> String {
        self.catalog_url.clone().unwrap_or_else(|| format!("sqlite:{}", self.data_dir.join("catalog.sqlite").display()))
    }

    /// Where data files go: a folder's path or an object store's URL.
    pub fn data_location(&self) -> String {
        match &self.object_store {
            Some(url) => url.to_string(),
            None => self.data_dir.join("data").display().to_string(),
        }
    }

    /// Whether no other process can write to the same catalog and store.
    pub(crate) fn is_sole_writer(&self) -> bool {
        self.object_store.is_none() && self.catalog_url.is_none()
    }

    /// The effective flush size: small memory limits flush earlier, so that a few generations fit into the share.
    pub(crate) fn generation_bytes(&self) -> usize {
        self.flush_bytes.min(self.ingest_share() / 4).max(64 << 10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_memory_limit_flushes_earlier() {
        let config = LakeConfig { memory_limit: 64 << 20, ..LakeConfig::new("unused") };
        assert_eq!(config.generation_bytes(), 5 << 20);
        assert_eq!(LakeConfig::new("unused").generation_bytes(), 40 << 20);
    }
}
