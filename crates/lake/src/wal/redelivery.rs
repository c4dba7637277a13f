//! Remembers which requests were accepted lately, so that one sent again is not kept twice.
//!
//! What is remembered outlives the process: the hashes of records that are still in the log stand in the log,
//! and before a segment is deleted the whole window is written to `recent.bin`. So a request that was
//! acknowledged within the window is known after any restart, unless more requests than fit came since.

use std::collections::{HashSet, VecDeque};
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use glasshouse_model::{DurationNs, Timestamp};

use super::record::ContentHash;
use crate::LakeError;

const MAGIC: &[u8; 8] = b"GLASSREC";
const FILE: &str = "recent.bin";
const ENTRY: usize = 24;

/// Hashes of accepted requests, oldest first.
#[derive(Debug)]
pub(crate) struct RecentRequests {
    window: DurationNs,
    capacity: usize,
    known: HashSet<ContentHash>,
    order: VecDeque<(ContentHash, Timestamp)>,
}

impl RecentRequests {
    pub(crate) fn new(window: DurationNs, capacity: usize) -> Self {
        Self { window, capacity: capacity.max(1), known: HashSet::new(), order: VecDeque::new() }
    }

    pub(crate) fn contains(&self, hash: ContentHash) -> bool {
        self.known.contains(&hash)
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Remembers a request that was accepted at `received`.
    pub(crate) fn insert(&mut self, hash: ContentHash, received: Timestamp) {
        if self.known.insert(hash) {
            self.order.push_back((hash, received));
        }
        while self.order.len() > self.capacity {
            self.forget_oldest();
        }
    }

    /// Forgets what has left the window.
    pub(crate) fn expire(&mut self, now: Timestamp) {
        while self.order.front().is_some_and(|(_, received)| now - *received > self.window) {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((hash, _)) = self.order.pop_front() {
            self.known.remove(&hash);
        }
    }

    /// All of it as `recent.bin` holds it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(MAGIC.len() + self.order.len() * ENTRY + 4);
        bytes.extend_from_slice(MAGIC);
        for (hash, received) in &self.order {
            bytes.extend_from_slice(&hash.to_le_bytes());
            bytes.extend_from_slice(&received.nanos().to_le_bytes());
        }
        bytes.extend_from_slice(&crc32c::crc32c(&bytes).to_le_bytes());
        bytes
    }

    /// Writes what [`RecentRequests::encode`] gave: the old file or the new one is there at any instant.
    pub(crate) fn save(folder: &Path, encoded: &[u8]) -> Result<(), LakeError> {
        let path = folder.join(FILE);
        let save = || {
            let temporary = path.with_added_extension("new");
            let mut file = File::create(&temporary)?;
            file.write_all(encoded)?;
            file.sync_data()?;
            std::fs::rename(&temporary, &path)?;
            File::open(folder)?.sync_all()
        };
        save().map_err(|source| LakeError::Wal { action: "write", path: path.clone(), source })
    }

    /// Adds what `recent.bin` holds; says whether the file was absent or intact.
    pub(crate) fn load(&mut self, folder: &Path) -> Result<bool, LakeError> {
        let path = folder.join(FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(source) => return Err(LakeError::Wal { action: "read", path, source }),
        };
        let Some((content, crc)) = bytes.split_last_chunk::<4>() else { return Ok(false) };
        let Some(entries) = content.strip_prefix(MAGIC) else { return Ok(false) };
        if crc32c::crc32c(content) != u32::from_le_bytes(*crc) {
            return Ok(false);
        }
        for entry in entries.chunks_exact(ENTRY) {
            let (hash, received) = entry.split_at(16);
            let hash = ContentHash::from_le_bytes(hash.try_into().expect("16 bytes"));
            let received = i64::from_le_bytes(received.try_into().expect("8 bytes"));
            self.insert(hash, Timestamp::from_nanos(received));
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    fn recent(capacity: usize) -> RecentRequests {
        RecentRequests::new(DurationNs::from_secs(10), capacity)
    }

    #[test]
    fn requests_are_known_within_the_window_and_the_bound() {
        let mut requests = recent(2);
        requests.insert(1, at(0));
        requests.insert(2, at(1));
        assert!(requests.contains(1));
        requests.insert(3, at(2));
        assert!(!requests.contains(1) && requests.contains(2), "the oldest goes first");
        requests.expire(at(12));
        assert!(!requests.contains(2) && requests.contains(3), "exactly the window is known");
    }

    #[test]
    fn the_window_outlives_the_process() {
        let folder = tempfile::tempdir().unwrap();
        let mut before = recent(10);
        assert!(before.load(folder.path()).unwrap(), "no file is fine");
        before.insert(7, at(1));
        before.insert(8, at(2));
        RecentRequests::save(folder.path(), &before.encode()).unwrap();
        let mut after = recent(10);
        assert!(after.load(folder.path()).unwrap());
        assert_eq!(after.order, before.order);

        let path = folder.path().join(FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[10] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(!recent(10).load(folder.path()).unwrap(), "damage is told");
    }
}
