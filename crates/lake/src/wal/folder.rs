//! The log's folder: which segments there are, reading them in order, keeping damaged bytes aside.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::reader::{Entry, SegmentReader};
use super::record::{RecordHeader, SegmentHeaderError};
use super::redelivery::RecentRequests;
use super::segment::Segment;
use crate::LakeError;

/// A segment that a former process left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundSegment {
    pub path: PathBuf,
    /// Sequence of its first record, as its name says.
    pub first_sequence: u64,
    /// Records from here on were refused and may only be here because cutting them off failed.
    pub end_sequence: Option<u64>,
}

/// Bytes of a segment that are no records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    pub path: PathBuf,
    pub kind: DamageKind,
    pub bytes: Range<usize>,
    /// Whether all of them are zero, as space is that was never written.
    pub is_blank: bool,
}

/// How records were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DamageKind {
    /// The write was cut off: nothing in it was acknowledged.
    Torn,
    /// Intact records follow: what was here may have been acknowledged.
    Corrupt,
    /// No record of the segment can be told.
    Header(SegmentHeaderError),
}

impl Damage {
    /// Whether what is damaged may have been acknowledged.
    pub(crate) fn may_lose_rows(&self) -> bool {
        !matches!(self.kind, DamageKind::Torn)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (length, start, path) = (self.bytes.len(), self.bytes.start, self.path.display());
        match self.kind {
            DamageKind::Torn => write!(f, "{path}: left out {length} bytes at {start}: the last write was cut off"),
            DamageKind::Corrupt => write!(f, "{path}: {length} bytes at {start} are damaged; read on after them"),
            DamageKind::Header(error) => write!(f, "{path}: left out all {length} bytes: {error}"),
        }
    }
}

/// The segments of a folder in their order.
pub(crate) fn list_segments(folder: &Path) -> Result<Vec<FoundSegment>, LakeError> {
    let failed = |source| LakeError::Wal { action: "list", path: folder.to_owned(), source };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_segment = path.extension().is_some_and(|extension| extension == "wal");
        let sequence = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok());
        if let (true, Some(first_sequence)) = (is_segment, sequence) {
            found.push(FoundSegment { path, first_sequence, end_sequence: None });
        }
    }
    found.sort_unstable_by_key(|segment| segment.first_sequence);
    let ends: Vec<_> = found.iter().skip(1).map(|segment| segment.first_sequence).collect();
    for (segment, end) in found.iter_mut().zip(ends) {
        segment.end_sequence = Some(end);
    }
    Ok(found)
}

/// Reads a segment: hands each record to `visit` and returns what is damaged.
pub(crate) fn read_segment<E: From<LakeError>>(
    segment: &FoundSegment,
    mut visit: impl FnMut(RecordHeader, &[u8]) -> Result<(), E>,
) -> Result<Vec<Damage>, E> {
    let bytes = std::fs::read(&segment.path).map_err(|source| LakeError::Wal {
        action: "read",
        path: segment.path.clone(),
        source,
    })?;
    let damage = |kind, range: Range<usize>| Damage {
        path: segment.path.clone(),
        kind,
        is_blank: bytes[range.clone()].iter().all(|byte| *byte == 0),
        bytes: range,
    };
    let reader = match SegmentReader::new(&bytes) {
        Ok(reader) => reader,
        // A crash between making the file and writing its header leaves less than a header.
        Err(SegmentHeaderError::Short) => return Ok(vec![damage(DamageKind::Torn, 0..bytes.len())]),
        Err(error) => return Ok(vec![damage(DamageKind::Header(error), 0..bytes.len())]),
    };
    let mut damages = Vec::new();
    for entry in reader {
        match entry {
            Entry::Record(header, body) => {
                if segment.end_sequence.is_none_or(|end| header.sequence < end) {
                    visit(header, body)?;
                }
            }
            Entry::Corrupt(range) => damages.push(damage(DamageKind::Corrupt, range)),
            Entry::Torn(range) => damages.push(damage(DamageKind::Torn, range)),
        }
    }
    Ok(damages)
}

/// Keeps damaged bytes beside the log as `SEGMENT-OFFSET.damaged`, so that nothing is lost for good when the
/// segment goes. A segment of which nothing can be read is moved there whole.
pub(crate) fn set_aside(damage: &Damage) -> Result<Option<PathBuf>, LakeError> {
    if damage.is_blank {
        return Ok(None);
    }
    let stem = damage.path.file_stem().unwrap_or_default().to_string_lossy();
    let aside = damage.path.with_file_name(format!("{stem}-{}.damaged", damage.bytes.start));
    let failed = |source| LakeError::Wal { action: "keep damaged bytes in", path: aside.clone(), source };
    if matches!(damage.kind, DamageKind::Header(_)) {
        std::fs::rename(&damage.path, &aside).map_err(failed)?;
    } else {
        let bytes = std::fs::read(&damage.path).map_err(failed)?;
        let mut file = File::create(&aside).map_err(failed)?;
        let kept = bytes.get(damage.bytes.clone()).unwrap_or_default();
        file.write_all(kept).and_then(|()| file.sync_all()).map_err(failed)?;
    }
    Ok(Some(aside))
}

/// The files that [`set_aside`] and [`keep_undecodable`] made.
pub(crate) fn kept_aside(folder: &Path) -> Result<Vec<PathBuf>, LakeError> {
    let failed = |source| LakeError::Wal { action: "list", path: folder.to_owned(), source };
    let entries = std::fs::read_dir(folder).map_err(failed)?.collect::<io::Result<Vec<_>>>().map_err(failed)?;
    let is_aside = |path: &PathBuf| path.extension().is_some_and(|e| e == "damaged" || e == "undecodable");
    Ok(entries.into_iter().map(|entry| entry.path()).filter(is_aside).collect())
}

/// Keeps a body that does not decode any more as `SEQUENCE-FORMAT.undecodable`.
pub(crate) fn keep_undecodable(folder: &Path, header: &RecordHeader, body: &[u8]) -> Result<PathBuf, LakeError> {
    let path = folder.join(format!("{:020}-{:?}.undecodable", header.sequence, header.format));
    let write = || File::create(&path).and_then(|mut file| file.write_all(body).and_then(|()| file.sync_all()));
    match write() {
        Ok(()) => Ok(path),
        Err(source) => Err(LakeError::Wal { action: "keep an undecodable request in", path, source }),
    }
}

/// Lets go of segments whose rows are in files: keeps in mind which requests they held ([`RecentRequests::encode`]),
/// and deletes them. Those that could not be deleted stay in the list. When only the first fails, as on a full disk,
/// they are deleted all the same: that makes room.
pub(crate) fn release(folder: &Path, recent: &[u8], segments: &mut Vec<Segment>) -> Result<(), LakeError> {
    let saved = RecentRequests::save(folder, recent);
    remove_segments(segments)?;
    segments.clear();
    saved
}

/// Deletes segments; one that is gone already is fine.
fn remove_segments(segments: &[Segment]) -> Result<(), LakeError> {
    for segment in segments {
        match std::fs::remove_file(&segment.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(LakeError::Wal { action: "delete", path: segment.path.clone(), source });
            }
            _ => {}
        }
    }
    Ok(())
}
