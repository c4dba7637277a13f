//! The operating system's files, as far as the log needs them: an outside border, so that tests can let it fail.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, Write};
use std::path::Path;

/// Makes and syncs the log's files.
pub(crate) trait Disk: Send + Sync + fmt::Debug {
    /// Makes a new file; its name is durable only after [`Disk::sync_folder`].
    fn create(&self, path: &Path) -> io::Result<Box<dyn LogFile>>;

    /// Makes the names in a folder durable.
    fn sync_folder(&self, path: &Path) -> io::Result<()>;
}

/// A file that is being appended to.
pub(crate) trait LogFile: Send + fmt::Debug {
    /// Appends some of the bytes and says how many.
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Makes what was appended durable.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file; the next write appends there.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
}

/// The real thing.
#[derive(Debug)]
pub(crate) struct SystemDisk;

impl Disk for SystemDisk {
    fn create(&self, path: &Path) -> io::Result<Box<dyn LogFile>> {
        Ok(Box::new(OpenOptions::new().append(true).create_new(true).open(path)?))
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        File::open(path)?.sync_all()
    }
}

impl LogFile for File {
    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        Write::write_vectored(self, slices)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}
