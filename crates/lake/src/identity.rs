//! Which lake this is. A catalog, the files and the log belong together: with the catalog of another lake, or a new
//! one, the files would look like leftovers that may be deleted, and the log would be replayed into the wrong place.
//!
//! The lake's id is the UUID of the catalog's schema. It is kept in the data folder and beside the files.

use std::io::Write;
use std::path::Path;

use futures::TryStreamExt;
use glasshouse_catalog::Catalog;
use glasshouse_files::{FilesError, Store};
use object_store::ObjectStoreExt;
use object_store::path::Path as ObjectPath;
use uuid::Uuid;

use crate::LakeError;
use crate::flush::blocking;
use crate::recovery::{known_id, write_id};
use crate::tend::written;

/// Name of the file in the data folder and of the object at the store's root.
const LAKE_ID: &str = "lake_id";

/// Checks that the data folder belongs to the catalog's lake; a folder that belongs to none is taken when `may_take`.
pub(crate) fn check_folder(data_dir: &Path, lake: Uuid, may_take: bool) -> Result<(), LakeError> {
    match known_id(data_dir, LAKE_ID)? {
        Some(known) => same(known, lake, || format!("the data folder {}", data_dir.display())),
        None if may_take => write_id(data_dir, LAKE_ID, lake),
        None => Ok(()),
    }
}

/// Checks that the store belongs to the catalog's lake; a store without files of any lake is taken when `may_take`.
pub(crate) async fn check_store(store: &Store, catalog: &Catalog, lake: Uuid, may_take: bool) -> Result<(), LakeError> {
    let place = || format!("the store {}", store.objects());
    let path = ObjectPath::from(LAKE_ID);
    match store.objects().get(&path).await {
        Ok(found) => {
            let text = found.bytes().await?;
            let known = Uuid::try_parse_ascii(text.trim_ascii())
                .map_err(|error| LakeError::Foreign(format!("{LAKE_ID} in {} is damaged: {error}", place())))?;
            same(known, lake, place)
        }
        Err(object_store::Error::NotFound { .. }) => {
            let listed: Vec<_> = store.objects().list(None).try_collect().await?;
            let of_lakes: Vec<_> =
                listed.iter().map(|object| object.location.as_ref()).filter(|path| written(path).is_some()).collect();
            let known = catalog.known_paths().await?;
            if let [first, ..] = of_lakes[..]
                && !of_lakes.iter().any(|path| known.contains(*path))
            {
                let reason = format!(
                    "{} holds {} files of a lake, {first} among them, of which the catalog knows none",
                    place(),
                    of_lakes.len()
                );
                return Err(LakeError::Foreign(reason));
            }
            if may_take {
                let store = store.clone();
                blocking(move || {
                    let mut object = store.create(LAKE_ID)?;
                    let written = object.write_all(format!("{lake}\n").as_bytes());
                    written.map_err(|source| FilesError::Io { action: "write", path: LAKE_ID.to_owned(), source })?;
                    object.finish()
                })
                .await?;
            }
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

fn same(known: Uuid, lake: Uuid, place: impl FnOnce() -> String) -> Result<(), LakeError> {
    if known == lake {
        return Ok(());
    }
    Err(LakeError::Foreign(format!("{} belongs to lake {known}, the catalog to lake {lake}", place())))
}
