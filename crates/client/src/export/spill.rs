//! Requests that wait on disk, when there is no more memory for them or when the program ends.
//!
//! Each tracer has a folder of its own, which it locks. It takes over what tracers left that are gone.

use std::collections::VecDeque;
use std::fs::{self, DirEntry, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::ids::random_uuid;
use crate::signal::Signal;

const LOCK: &str = "lock";
/// How often it is looked for what others left.
pub(super) const LOOK: Duration = Duration::from_secs(10);
const EXTENSION: &str = "otlp";

/// Requests in files, the oldest first.
#[derive(Debug)]
pub(super) struct Spill {
    /// Where the folders of all are.
    parent: PathBuf,
    folder: PathBuf,
    /// When it was looked for what others left.
    looked: Instant,
    /// Is locked while it lives.
    _lock: File,
    /// Bytes of all files, at most.
    most: u64,
    bytes: u64,
    files: VecDeque<Spilled>,
    /// Files that were written here.
    written: u64,
}

/// A request in a file. Its name tells when it was written, what is in it, and how much.
#[derive(Debug)]
pub(super) struct Spilled {
    path: PathBuf,
    bytes: u64,
    pub signal: Signal,
    /// Records in it.
    pub count: u64,
    /// Whether they were recorded by this tracer, and so are counted by it.
    pub is_ours: bool,
}

impl Spill {
    /// A folder in which to write.
    pub fn open(parent: &Path, most: u64) -> io::Result<Self> {
        let folder = parent.join(random_uuid());
        fs::create_dir_all(&folder)?;
        let lock = File::create(folder.join(LOCK))?;
        lock.try_lock()?;
        let (parent, looked, files) = (parent.to_owned(), Instant::now(), VecDeque::new());
        let mut spill = Self { parent, folder, looked, _lock: lock, most, bytes: 0, files, written: 0 };
        spill.look()?;
        Ok(spill)
    }

    /// Looks for what others left, now and then.
    pub fn look_again(&mut self) {
        if self.looked.elapsed() >= LOOK {
            // What cannot be read now may be the next time.
            let _ = self.look();
        }
    }

    fn look(&mut self) -> io::Result<()> {
        self.looked = Instant::now();
        for other in fs::read_dir(&self.parent)?.flatten() {
            // What cannot be taken over is left to who can.
            let _ = self.take_over(&other.path());
        }
        self.files.make_contiguous().sort_by(|one, other| one.path.file_name().cmp(&other.path.file_name()));
        Ok(())
    }

    /// Takes what is in the folder of a tracer that is gone.
    fn take_over(&mut self, folder: &Path) -> io::Result<()> {
        if folder == self.folder {
            return Ok(());
        }
        let lock = File::open(folder.join(LOCK))?;
        lock.try_lock()?;
        for file in fs::read_dir(folder)?.flatten() {
            let Some((signal, count)) = read_name(&file.path()) else { continue };
            let path = self.folder.join(file.file_name());
            let bytes = file.metadata()?.len();
            fs::rename(file.path(), &path)?;
            self.bytes += bytes;
            self.files.push_back(Spilled { path, bytes, signal, count, is_ours: false });
        }
        fs::remove_dir_all(folder)
    }

    /// Signals of which there are requests.
    pub fn signals(&self) -> impl Iterator<Item = Signal> {
        Signal::ALL.into_iter().filter(|signal| self.files.iter().any(|file| file.signal == *signal))
    }

    /// Whether requests of this tracer are here.
    pub fn has_ours(&self) -> bool {
        self.files.iter().any(|file| file.is_ours)
    }

    /// Writes a request.
    pub fn write(&mut self, signal: Signal, count: u64, request: &[u8]) -> io::Result<()> {
        let bytes = request.len() as u64;
        if self.bytes + bytes > self.most {
            return Err(ErrorKind::QuotaExceeded.into());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        self.written += 1;
        let name = format!("{now:020}-{:08}-{}-{count}.{EXTENSION}", self.written, signal.name());
        let (path, unfinished) = (self.folder.join(name), self.folder.join("unfinished"));
        // Who finds the file finds all of it.
        let written = File::create(&unfinished).and_then(|mut file| file.write_all(request));
        written.and_then(|()| fs::rename(&unfinished, &path))?;
        self.bytes += bytes;
        self.files.push_back(Spilled { path, bytes, signal, count, is_ours: true });
        Ok(())
    }

    /// Takes the oldest request of a signal that is wanted.
    pub fn take(&mut self, is_wanted: impl Fn(Signal) -> bool) -> Option<Spilled> {
        let oldest = self.files.iter().position(|file| is_wanted(file.signal))?;
        self.files.remove(oldest)
    }

    /// Keeps a request for later that was taken.
    pub fn put_back(&mut self, spilled: Spilled) {
        self.files.push_front(spilled);
    }

    /// Forgets a request that was taken.
    pub fn remove(&mut self, spilled: &Spilled) {
        self.bytes -= spilled.bytes;
        // Should it stay, it is sent again by who comes next: servers tell records apart by their ids.
        let _ = fs::remove_file(&spilled.path);
    }
}

impl Spilled {
    pub fn read(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.path)
    }
}

/// Nothing stays of a folder that no request is in.
impl Drop for Spill {
    fn drop(&mut self) {
        let files =
            fs::read_dir(&self.folder).map(|mut files| files.any(|file| file.is_ok_and(|file| is_request(&file))));
        if let Ok(false) = files {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

fn is_request(file: &DirEntry) -> bool {
    read_name(&file.path()).is_some()
}

/// What is in a file, and how much.
fn read_name(path: &Path) -> Option<(Signal, u64)> {
    let name = path.file_name()?.to_str()?.strip_suffix(EXTENSION)?.strip_suffix('.')?;
    let mut parts = name.splitn(4, '-').skip(2);
    let (signal, count) = (parts.next()?, parts.next()?);
    let signal = Signal::ALL.into_iter().find(|known| known.name() == signal)?;
    Some((signal, count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_is_taken_over_in_order() {
        let parent = tempfile::tempdir().expect("there is a place for temporary files");
        let open = || Spill::open(parent.path(), 100).expect("it can be written");
        let mut first = open();
        for (signal, request) in [(Signal::Spans, "one"), (Signal::Logs, "two"), (Signal::Spans, "three")] {
            first.write(signal, request.len() as u64, request.as_bytes()).expect("there is room");
        }
        first.write(Signal::Logs, 1, &[0; 90]).expect_err("there is no room");
        // While it lives it is not touched.
        let beside = open();
        assert_eq!(beside.signals().count(), 0);
        drop(first);
        let mut next = open();
        assert!(!next.has_ours());
        let mut read = Vec::new();
        while let Some(spilled) = next.take(|_| true) {
            read.push((spilled.signal, spilled.count, spilled.read().expect("it is there")));
            next.remove(&spilled);
        }
        let expected = [
            (Signal::Spans, 3, b"one".to_vec()),
            (Signal::Logs, 3, b"two".to_vec()),
            (Signal::Spans, 5, b"three".to_vec()),
        ];
        assert_eq!(read, expected);
        drop((next, beside));
        assert_eq!(fs::read_dir(parent.path()).expect("it is there").count(), 0, "nothing is left");
    }

    #[test]
    fn other_files_are_none() {
        let of = |name: &str| read_name(Path::new(name));
        assert_eq!(of("f/00000000000000000001-00000002-traces-17.otlp"), Some((Signal::Spans, 17)));
        for other in ["lock", "unfinished", "1-2-traces-x.otlp", "1-2-traces-3.txt", "1-2-others-3.otlp", ".otlp"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
