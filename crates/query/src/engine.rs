use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use glasshouse_tables::SnapshotSource;
use glasshouse_tables::ports::{QueryEngine, QueryError, SqlDescription, SqlRequest, SqlStream};
use object_store::ObjectStore;

use crate::EngineConfig;

/// SQL over the lake, by DataFusion.
pub struct Engine {
    source: Arc<dyn SnapshotSource>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Engine {
    /// An engine over the lake that `source` tells of; `store` holds its files, under their
    /// [`glasshouse_tables::DataFile::path`].
    pub fn new(
        _config: EngineConfig,
        source: Arc<dyn SnapshotSource>,
        _store: Arc<dyn ObjectStore>,
    ) -> Result<Self, QueryError> {
        Ok(Self { source })
    }
}

#[async_trait]
impl QueryEngine for Engine {
    async fn query(&self, _request: SqlRequest) -> Result<SqlStream, QueryError> {
        let _ = self.source.snapshot();
        Err(QueryError::Failed("not built yet".into()))
    }

    async fn describe(&self, _sql: &str) -> Result<SqlDescription, QueryError> {
        Err(QueryError::Failed("not built yet".into()))
    }
}
