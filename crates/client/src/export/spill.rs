//! Requests that wait on disk, when there is no more memory for them or when the program ends.
//!
//! Each tracer has a folder of its own, which it locks. It takes over what tracers left that are gone.

use std::collections::VecDeque;
use std::fs::{self, DirEntry, File, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::ids::random_uuid;
use crate::signal::Signal;

/// What the name of a tracer's folder ends with.
const FOLDER: &str = ".glasshouse-spill";
const LOCK: &str = "lock";
const UNFINISHED: &str = "unfinished";
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
        let (folder, lock) = loop {
            let folder = parent.join(random_uuid() + FOLDER);
            fs::create_dir_all(&folder)?;
            let lock = File::create(folder.join(LOCK))?;
            match lock.try_lock() {
                Ok(()) if fs::exists(folder.join(LOCK))? => break (folder, lock),
                // Another one that looks for what was left was faster: it leaves nothing.
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
        };
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

    /// Takes what is in the folder of a tracer that is gone, as much as there is room for.
    fn take_over(&mut self, folder: &Path) -> io::Result<()> {
        let name = folder.file_name().and_then(|name| name.to_str());
        if folder == self.folder || !name.is_some_and(|name| name.ends_with(FOLDER)) {
            return Ok(());
        }
        let lock = File::open(folder.join(LOCK))?;
        lock.try_lock()?;
        for file in fs::read_dir(folder)? {
            let file = file?;
            let Some((signal, count)) = read_name(&file.path()) else { continue };
            let bytes = file.metadata()?.len();
            if self.bytes + bytes > self.most {
                return Ok(());
            }
            let path = self.folder.join(file.file_name());
            fs::rename(file.path(), &path)?;
            self.bytes += bytes;
            self.files.push_back(Spilled { path, bytes, signal, count, is_ours: false });
        }
        remove_folder(folder)
    }

    /// Signals of which there are requests that are wanted.
    pub fn signals(&self, is_wanted: impl Fn(&Spilled) -> bool) -> impl Iterator<Item = Signal> {
        let is_there = move |signal: &Signal| self.files.iter().any(|file| file.signal == *signal && is_wanted(file));
        Signal::ALL.into_iter().filter(is_there)
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
        let (path, unfinished) = (self.folder.join(name), self.folder.join(UNFINISHED));
        // Who finds the file finds all of it.
        let written = File::create(&unfinished).and_then(|mut file| file.write_all(request));
        written.and_then(|()| fs::rename(&unfinished, &path))?;
        self.bytes += bytes;
        self.files.push_back(Spilled { path, bytes, signal, count, is_ours: true });
        Ok(())
    }

    /// Takes the oldest request that is wanted.
    pub fn take(&mut self, is_wanted: impl Fn(&Spilled) -> bool) -> Option<Spilled> {
        let oldest = self.files.iter().position(is_wanted)?;
        self.files.remove(oldest)
    }

    /// Keeps a request for later that was taken: behind others, which may be taken where it is not.
    pub fn put_back(&mut self, spilled: Spilled) {
        self.files.push_back(spilled);
    }

    /// Leaves a request that was taken to the next tracer.
    pub fn leave(&mut self, spilled: &Spilled) {
        self.bytes -= spilled.bytes;
    }

    /// Forgets a request that was taken.
    pub fn remove(&mut self, spilled: &Spilled) {
        self.bytes -= spilled.bytes;
        // Should it stay, it is sent again by who comes next.
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
        let is_request = |file: io::Result<DirEntry>| file.is_ok_and(|file| read_name(&file.path()).is_some());
        if let Ok(false) = fs::read_dir(&self.folder).map(|mut files| files.any(is_request)) {
            // What stays is left to who comes next.
            let _ = remove_folder(&self.folder);
        }
    }
}

/// Removes a folder with nothing but what is always there.
fn remove_folder(folder: &Path) -> io::Result<()> {
    for file in [UNFINISHED, LOCK] {
        match fs::remove_file(folder.join(file)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    fs::remove_dir(folder)
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
        assert_eq!(beside.signals(|_| true).count(), 0);
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
    fn what_is_not_ours_is_left_alone() {
        let parent = tempfile::tempdir().expect("there is a place for temporary files");
        let (other, strange) = (parent.path().join("db"), parent.path().join("0".to_owned() + FOLDER));
        for (folder, file) in [(&other, "db.bin"), (&strange, "of a later version")] {
            fs::create_dir(folder).expect("it can be made");
            for file in [LOCK, file] {
                fs::write(folder.join(file), "").expect("it can be written");
            }
        }
        drop(Spill::open(parent.path(), 100).expect("it can be written"));
        assert!(
            other.join(LOCK).exists() && other.join("db.bin").exists() && strange.join("of a later version").exists()
        );
    }

    #[test]
    fn many_may_begin_at_once() {
        const TRACERS: usize = 8;
        let parent = tempfile::tempdir().expect("there is a place for temporary files");
        let ready = std::sync::Barrier::new(TRACERS);
        std::thread::scope(|scope| {
            for _ in 0..TRACERS {
                scope.spawn(|| {
                    for _ in 0..20 {
                        ready.wait();
                        let mut spill = Spill::open(parent.path(), 100).expect("it can be written");
                        spill.write(Signal::Logs, 1, b"one").expect("its folder is there");
                        let spilled = spill.take(|spilled| spilled.is_ours).expect("it was written");
                        spill.remove(&spilled);
                    }
                });
            }
        });
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
