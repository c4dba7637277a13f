use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use glasshouse_tables::ports::{Decoder, Figure, Ingest, PartState, QueryError, Status, Submission, SubmitError};
use glasshouse_tables::{Batches, Snapshot, SnapshotSource};
use object_store::ObjectStore;
use tokio::sync::broadcast;

use crate::{LakeConfig, LakeError};

/// The durable store. Cheap to share as `Arc<Lake>`; [`Lake::shutdown`] ends it in good order, dropping it
/// leaves what is not flushed to the WAL.
#[derive(Debug)]
pub struct Lake {}

impl Lake {
    /// Takes the data folder, opens the catalog, replays the WAL through `decoder` and starts the background work.
    pub async fn open(config: LakeConfig, decoder: Arc<dyn Decoder>) -> Result<Self, LakeError> {
        let _ = (config, decoder);
        unimplemented!()
    }

    /// The rows of each accepted request, from now on. A slow subscriber loses the oldest
    /// (`RecvError::Lagged`); ingest never waits for it.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Batches>> {
        unimplemented!()
    }

    /// The store that holds the data files, rooted so that [`glasshouse_tables::DataFile::path`] is a path in it.
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        unimplemented!()
    }

    /// Writes every row accepted so far to files.
    pub async fn flush(&self) -> Result<(), LakeError> {
        unimplemented!()
    }

    /// Flushes, then merges until nothing is left to merge.
    pub async fn settle(&self) -> Result<(), LakeError> {
        unimplemented!()
    }

    /// Stops accepting, flushes what is held within `deadline`, ends the background work and releases the folder.
    /// What could not be flushed in time stays in the WAL for the next start.
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), LakeError> {
        let _ = deadline;
        unimplemented!()
    }
}

#[async_trait]
impl Ingest for Lake {
    async fn submit(&self, submission: Submission) -> Result<(), SubmitError> {
        let _ = submission;
        unimplemented!()
    }
}

#[async_trait]
impl SnapshotSource for Lake {
    fn snapshot(&self) -> Arc<Snapshot> {
        unimplemented!()
    }

    async fn snapshot_at(&self, id: i64) -> Result<Arc<Snapshot>, QueryError> {
        let _ = id;
        unimplemented!()
    }
}

impl Status for Lake {
    fn parts(&self) -> Vec<PartState> {
        unimplemented!()
    }

    fn figures(&self) -> Vec<Figure> {
        unimplemented!()
    }
}
