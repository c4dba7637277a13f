//! Files that no catalog entry names.

use std::sync::Arc;
use std::time::Duration;

use futures::TryStreamExt;
use glasshouse_catalog::Catalog;
use glasshouse_files::Store;
use glasshouse_model::{Clock, DurationNs, SystemClock, Timestamp};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::LakeError;
use crate::flush::blocking;
use crate::health::{Counters, Health, Part};
use crate::identity::check_store;

/// Where several processes write, a file that is younger may be one that is about to be catalogued.
const YOUNG: DurationNs = DurationNs::from_secs(24 * 3600);

/// How often a store that is away is asked again whose it is.
const PAUSE: Duration = Duration::from_secs(2);

/// Deletes, once at the start, what a crash left half written or not catalogued.
#[derive(Debug)]
pub(crate) struct Sweeper {
    pub store: Store,
    pub catalog: Catalog,
    pub lake: Uuid,
    /// Whether the store is known to be this lake's.
    pub is_verified: bool,
    /// Whether anything is deleted at all.
    pub deletes: bool,
    /// Whether nobody else writes files to the store. Then none may be begun before the sweep has ended.
    pub is_sole_writer: bool,
    pub swept: CancellationToken,
    pub stop: CancellationToken,
    pub health: Arc<Health>,
    pub counters: Arc<Counters>,
}

impl Sweeper {
    pub(crate) async fn run(mut self) {
        // Nothing is written to a store, and nothing deleted from it, that may be another lake's.
        while !self.is_verified {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
            match check_store(&self.store, &self.catalog, self.lake, true).await {
                Ok(()) => {
                    self.is_verified = true;
                    self.health.works(Part::ObjectStore);
                }
                Err(error) => self.health.failed(Part::ObjectStore, error.to_string()),
            }
        }
        if !self.is_sole_writer || !self.deletes {
            self.swept.cancel();
        }
        if !self.deletes {
            return;
        }
        match self.sweep().await {
            Ok(0) => {}
            Ok(count) => {
                self.counters.deleted_files.add(count);
                tracing::info!(count, "deleted files that a former process left uncatalogued");
            }
            Err(error) => self.health.failed(Part::ObjectStore, error.to_string()),
        }
        self.swept.cancel();
    }

    async fn sweep(&self) -> Result<u64, LakeError> {
        let found = orphans(&self.store, &self.catalog, self.is_sole_writer).await?;
        delete_orphans(&self.store, &found).await?;
        Ok(found.len() as u64)
    }
}

/// Files named as ours are that the catalog does not know. To be called before this process writes any, or
/// with `is_sole_writer` false.
pub(crate) async fn orphans(store: &Store, catalog: &Catalog, is_sole_writer: bool) -> Result<Vec<String>, LakeError> {
    let listed: Vec<_> = store.objects().list(None).try_collect().await?;
    // Asked after the listing: what another process catalogued meanwhile is known.
    let known = catalog.known_paths().await?;
    let now = SystemClock.now();
    let is_young = |written: Timestamp| !is_sole_writer && now - written < YOUNG;
    Ok(listed
        .into_iter()
        .map(|object| object.location.to_string())
        .filter(|path| !known.contains(path) && written(path).is_some_and(|written| !is_young(written)))
        .collect())
}

/// Deletes such files.
pub(crate) async fn delete_orphans(store: &Store, paths: &[String]) -> Result<(), LakeError> {
    let (store, paths) = (store.clone(), paths.to_vec());
    blocking(move || paths.iter().try_for_each(|path| store.delete(path))).await
}

/// When a file of ours was begun; `None` for the files of others.
pub(crate) fn written(path: &str) -> Option<Timestamp> {
    let name = path.rsplit('/').next()?;
    let name = name.strip_suffix(".tmp").unwrap_or(name).strip_suffix(".parquet")?;
    let (seconds, nanos) = Uuid::try_parse(name).ok()?.get_timestamp()?.to_unix();
    Some(Timestamp::from_nanos(i64::try_from(seconds).ok()?.checked_mul(1_000_000_000)?.checked_add(i64::from(nanos))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_ours_are_told_by_name() {
        let ours = Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, 1_700_000_000, 0));
        let moment = Some(Timestamp::from_nanos(1_700_000_000_000_000_000));
        assert_eq!(written(&format!("spans/2023-11-14/22/{ours}.parquet")), moment);
        assert_eq!(written(&format!("spans/{ours}.parquet.tmp")), moment);
        assert_eq!(written("spans/ducklake-0192.parquet"), None);
        assert_eq!(written(&format!("spans/{}.parquet", Uuid::new_v4())), None);
    }
}
