//! Files that are written whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::failure::Failure;

/// A file that has its name once it is whole, and vanishes when it does not become so.
pub struct DraftFile {
    path: PathBuf,
    draft: tempfile::NamedTempFile,
}

impl DraftFile {
    pub fn create(path: &Path) -> Result<Self, Failure> {
        // A device or a pipe would be replaced by a file.
        if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
            return Err(cannot(path, io::Error::other("there is something else that is no file")));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let draft = tempfile::Builder::new()
            .prefix(".glasshouse-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder);
        let draft = draft.map_err(|error| cannot(path, error))?;
        Ok(Self { path: path.to_owned(), draft })
    }

    /// Where its bytes go; they are compressed when its name ends with `.gz`.
    pub fn sink(&self) -> Sink<BufWriter<&File>> {
        let file = BufWriter::new(self.draft.as_file());
        match self.path.extension() {
            Some(ending) if ending == "gz" => Sink::Gzip(Box::new(GzEncoder::new(file, Compression::fast()))),
            _ => Sink::Plain(file),
        }
    }

    /// Where it is as long as it has no name.
    pub fn draft(&self) -> &Path {
        self.draft.path()
    }

    /// Gives it its name, now that it is whole.
    pub fn keep(self) -> Result<PathBuf, Failure> {
        self.draft.persist(&self.path).map_err(|error| cannot(&self.path, error.error))?;
        Ok(self.path)
    }

    /// What went wrong while it was written.
    pub fn cannot(&self, error: io::Error) -> Failure {
        cannot(&self.path, error)
    }
}

fn cannot(path: &Path, error: io::Error) -> Failure {
    Failure::new(format!("cannot write {}", path.display()), error)
}

/// Bytes on their way into a file.
pub enum Sink<W: Write> {
    /// As they are.
    Plain(W),
    /// Compressed.
    Gzip(Box<GzEncoder<W>>),
}

impl<W: Write> Sink<W> {
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.write_all(bytes),
            Self::Gzip(compressor) => compressor.write_all(bytes),
        }
    }

    /// Writes what is left to write.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(mut file) => file.flush(),
            Self::Gzip(compressor) => compressor.finish()?.flush(),
        }
    }
}
