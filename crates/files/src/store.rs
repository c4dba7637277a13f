//! Where files are: a folder or an object store. Everything here blocks, so it is called from threads
//! that may block (`spawn_blocking`), never from async code.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreExt as _, ObjectStoreScheme};
use tokio::runtime::Handle;
use url::Url;

use crate::FilesError;
use crate::upload::{LocalUpload, RemoteUpload};

/// The place that holds the lake's files. Paths are relative to it, with `/` between their parts.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    place: Place,
}

#[derive(Debug, Clone)]
enum Place {
    Local(PathBuf),
    /// Requests run on this runtime.
    Remote(Handle),
}

impl Store {
    /// Opens a folder (made when it is missing) or, by URL (`s3://bucket/prefix`, `gs://…`, `az://…`,
    /// `file:///folder`), an object store, whose keys come from the environment (`AWS_…`, `GOOGLE_…`,
    /// `AZURE_…`). To be called within a tokio runtime when it is an object store: its requests run there.
    pub fn open(location: &str) -> Result<Self, FilesError> {
        let failed = |reason: String| FilesError::Location { location: location.to_owned(), reason };
        let url = match Url::parse(location) {
            Ok(url) if location.contains("://") => url,
            _ => return Self::local(Path::new(location)),
        };
        if url.scheme() == "file" {
            let path = url.to_file_path().map_err(|()| failed("not a path of this machine".into()))?;
            return Self::local(&path);
        }
        match ObjectStoreScheme::parse(&url) {
            Ok((ObjectStoreScheme::Memory, _)) => return Err(failed("memory keeps nothing".into())),
            Ok((ObjectStoreScheme::Http, _)) => {
                return Err(failed(
                    "HTTP alone cannot take a file in parts; use s3://, gs://, az:// or a folder".into(),
                ));
            }
            _ => {}
        }
        let runtime = Handle::try_current().map_err(|e| failed(e.to_string()))?;
        let is_key = |name: &str| ["AWS_", "GOOGLE_", "AZURE_"].iter().any(|prefix| name.starts_with(prefix));
        let options = std::env::vars().filter(|(name, _)| is_key(name));
        let (store, prefix) = object_store::parse_url_opts(&url, options).map_err(|e| failed(e.to_string()))?;
        let objects: Arc<dyn ObjectStore> =
            if prefix.as_ref().is_empty() { store.into() } else { Arc::new(PrefixStore::new(store, prefix)) };
        Ok(Self::remote(objects, runtime))
    }

    /// A folder, made when it is missing.
    pub fn local(root: &Path) -> Result<Self, FilesError> {
        let failed = |reason: String| FilesError::Location { location: root.display().to_string(), reason };
        fs::create_dir_all(root).map_err(|e| failed(e.to_string()))?;
        let root = root.canonicalize().map_err(|e| failed(e.to_string()))?;
        let objects = LocalFileSystem::new_with_prefix(&root).map_err(|e| failed(e.to_string()))?;
        Ok(Self { objects: Arc::new(objects), place: Place::Local(root) })
    }

    /// An object store; its requests run on `runtime`.
    pub fn remote(objects: Arc<dyn ObjectStore>, runtime: Handle) -> Self {
        Self { objects, place: Place::Remote(runtime) }
    }

    /// The same place as an object store, for other engines to read from; paths are the same. What is put
    /// through it is **not** durable on a local disk: write through [`Store::create`].
    pub fn objects(&self) -> &Arc<dyn ObjectStore> {
        &self.objects
    }

    /// The folder, when files are on this machine.
    pub fn folder(&self) -> Option<&Path> {
        match &self.place {
            Place::Local(root) => Some(root),
            Place::Remote(_) => None,
        }
    }

    /// Begins a new file. It appears, whole and durable, when [`NewObject::finish`] returns, and not at
    /// all when that is not called.
    pub fn create(&self, path: &str) -> Result<NewObject, FilesError> {
        let upload = match &self.place {
            Place::Local(root) => {
                Upload::Local(LocalUpload::begin(root, path).map_err(FilesError::io("create", path))?)
            }
            Place::Remote(runtime) => {
                Upload::Remote(RemoteUpload::begin(Arc::clone(&self.objects), ObjectPath::from(path), runtime))
            }
        };
        Ok(NewObject { path: path.to_owned(), upload, written: 0, tail: [0; 8] })
    }

    /// Reads parts of a file. From an object store, neighbouring parts come in one request, the others
    /// side by side.
    pub fn read(&self, path: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, FilesError> {
        match &self.place {
            Place::Local(root) => {
                let file = File::open(root.join(path)).map_err(FilesError::io("read", path))?;
                ranges.iter().map(|range| read_at(&file, range)).collect::<io::Result<_>>().map_err(|error| match error
                    .kind()
                {
                    io::ErrorKind::UnexpectedEof => FilesError::damaged(path, "it is shorter than it was written"),
                    _ => FilesError::io("read", path)(error),
                })
            }
            Place::Remote(runtime) => runtime
                .block_on(self.objects.get_ranges(&ObjectPath::from(path), ranges))
                .map_err(FilesError::store("read", path)),
        }
    }

    /// A file as one of this machine, to be read from its beginning to its end: itself, or a copy of the
    /// object in a temporary file that vanishes when it is closed.
    pub(crate) fn open_file(&self, path: &str) -> Result<File, FilesError> {
        match &self.place {
            Place::Local(root) => File::open(root.join(path)).map_err(FilesError::io("read", path)),
            Place::Remote(runtime) => {
                let mut copy = tempfile::tempfile().map_err(FilesError::io("copy", path))?;
                let object = runtime.block_on(self.objects.get(&ObjectPath::from(path)));
                let mut parts = object.map_err(FilesError::store("read", path))?.into_stream();
                while let Some(part) = runtime.block_on(parts.next()) {
                    let part = part.map_err(FilesError::store("read", path))?;
                    copy.write_all(&part).map_err(FilesError::io("copy", path))?;
                }
                Ok(copy)
            }
        }
    }

    /// Removes a file; one that is missing already is fine.
    pub fn delete(&self, path: &str) -> Result<(), FilesError> {
        match &self.place {
            Place::Local(root) => match fs::remove_file(root.join(path)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FilesError::io("delete", path)(error)),
                _ => Ok(()),
            },
            Place::Remote(runtime) => match runtime.block_on(self.objects.delete(&ObjectPath::from(path))) {
                Err(object_store::Error::NotFound { .. }) | Ok(()) => Ok(()),
                Err(error) => Err(FilesError::store("delete", path)(error)),
            },
        }
    }
}

/// Reads a part of an open file.
pub(crate) fn read_at(file: &File, range: &Range<u64>) -> io::Result<Bytes> {
    let mut bytes = vec![0; (range.end - range.start) as usize];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes.into())
}

/// A file that is being written.
#[derive(Debug)]
pub struct NewObject {
    path: String,
    upload: Upload,
    written: u64,
    /// The last bytes written: a Parquet file ends with its footer's length and a magic word.
    tail: [u8; 8],
}

#[derive(Debug)]
enum Upload {
    Local(LocalUpload),
    Remote(RemoteUpload),
}

impl NewObject {
    /// Bytes written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Length of the Parquet footer that was written last.
    pub(crate) fn footer_bytes(&self) -> u64 {
        u64::from(u32::from_le_bytes(*self.tail.first_chunk().expect("the tail has 8 bytes")))
    }

    /// Makes the file durable and visible.
    pub fn finish(self) -> Result<(), FilesError> {
        match self.upload {
            Upload::Local(upload) => upload.finish().map_err(FilesError::io("write", &self.path)),
            Upload::Remote(upload) => upload.finish().map_err(FilesError::store("write", &self.path)),
        }
    }
}

impl Write for NewObject {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = match &mut self.upload {
            Upload::Local(upload) => upload.write(bytes)?,
            Upload::Remote(upload) => upload.write(bytes)?,
        };
        let kept = count.min(self.tail.len());
        self.tail.rotate_left(kept);
        self.tail[8 - kept..].copy_from_slice(&bytes[count - kept..count]);
        self.written += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
