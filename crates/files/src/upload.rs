use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt, WriteMultipart};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Bytes that are gathered before they go to the disk or the network.
const LOCAL_BUFFER: usize = 1 << 20;
const REMOTE_PART: usize = 8 << 20;
/// Parts of an upload that are on their way at once.
const PARTS_IN_FLIGHT: usize = 4;

/// A local file on its way: a hidden neighbour until it is complete and on the disk, so that a crash
/// leaves either the whole file or a leftover that the orphan check removes.
#[derive(Debug)]
pub(crate) struct LocalUpload {
    file: Option<io::BufWriter<File>>,
    temporary: PathBuf,
    path: PathBuf,
    root: PathBuf,
}

impl LocalUpload {
    /// What temporary files are called: `NAME.tmp`.
    pub const SUFFIX: &str = "tmp";

    pub fn begin(root: &Path, path: &str) -> io::Result<Self> {
        let path = root.join(path);
        let temporary = path.with_added_extension(Self::SUFFIX);
        fs::create_dir_all(path.parent().expect("a file is in the store's folder"))?;
        let file = Some(io::BufWriter::with_capacity(LOCAL_BUFFER, File::create(&temporary)?));
        Ok(Self { file, temporary, path, root: root.to_owned() })
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.as_mut().expect("the file is open until it is finished").write(bytes)
    }

    pub fn finish(mut self) -> io::Result<()> {
        let file = self.file.take().expect("the file is open until it is finished");
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&self.temporary, &self.path)?;
        // The names on the way down may be new too: each is durable once the folder that holds it is.
        for folder in self.path.ancestors().skip(1) {
            File::open(folder)?.sync_all()?;
            if folder == self.root {
                break;
            }
        }
        Ok(())
    }
}

impl Drop for LocalUpload {
    fn drop(&mut self) {
        // After `finish` the name is gone; after a failure, what stays behind is an orphan and is swept later.
        let _ = fs::remove_file(&self.temporary);
    }
}

/// An upload in parts, sent by a task of the runtime; at most a few parts are in memory.
#[derive(Debug)]
pub(crate) struct RemoteUpload {
    part: Vec<u8>,
    parts: mpsc::Sender<Bytes>,
    task: JoinHandle<object_store::Result<()>>,
    runtime: Handle,
}

impl RemoteUpload {
    pub fn begin(objects: Arc<dyn ObjectStore>, path: ObjectPath, runtime: &Handle) -> Self {
        let (parts, mut received) = mpsc::channel::<Bytes>(1);
        let task = runtime.spawn(async move {
            let mut upload = WriteMultipart::new_with_chunk_size(objects.put_multipart(&path).await?, REMOTE_PART);
            let mut complete = false;
            while let Some(part) = received.recv().await {
                // An empty part says that the file is complete; a channel closed without it, that it was given up.
                if part.is_empty() {
                    complete = true;
                    break;
                }
                if let Err(error) = upload.wait_for_capacity(PARTS_IN_FLIGHT).await {
                    let _ = upload.abort().await;
                    return Err(error);
                }
                upload.put(part);
            }
            if complete { upload.finish().await.map(drop) } else { upload.abort().await }
        });
        Self { part: Vec::new(), parts, task, runtime: runtime.clone() }
    }

    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= REMOTE_PART {
            let part = std::mem::take(&mut self.part);
            self.parts.blocking_send(part.into()).map_err(|_| io::Error::other("the upload failed"))?;
        }
        Ok(bytes.len())
    }

    pub fn finish(self) -> object_store::Result<()> {
        for part in [Bytes::from(self.part), Bytes::new()] {
            // When the task has ended already, it says why.
            let _ = self.parts.blocking_send(part);
        }
        drop(self.parts);
        self.runtime.block_on(self.task).unwrap_or_else(|error| Err(error.into()))
    }
}
