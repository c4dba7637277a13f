//! Appends groups of records to the current segment.

use std::io::{self, IoSlice};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use uuid::Uuid;

use super::disk::{Disk, LogFile};
use super::record::{RECORD_HEADER, RecordHeader, SEGMENT_HEADER, SegmentHeader};
use crate::LakeError;

/// Parts that one system call may write (`IOV_MAX` of Linux).
const MAX_SLICES: usize = 1024;

/// A request to append.
#[derive(Debug)]
pub(crate) struct Append {
    pub header: RecordHeader,
    pub body: Bytes,
    pub body_checksum: u32,
}

/// A segment that gets no more records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    pub path: PathBuf,
    /// Sequence of its last record.
    pub last_sequence: u64,
}

/// The end of the log. After a failure the failed group is cut off, and the next group begins a new segment.
#[derive(Debug)]
pub(crate) struct Appender {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    path: PathBuf,
    file: Box<dyn LogFile>,
    salt: u64,
    length: u64,
    last_sequence: u64,
}

/// Name of the segment that begins with a sequence.
pub(crate) fn segment_name(first_sequence: u64) -> String {
    format!("{first_sequence:020}.wal")
}

impl Appender {
    pub(crate) fn new(disk: Arc<dyn Disk>, folder: PathBuf) -> Self {
        Self { disk, folder, current: None }
    }

    /// Bytes in the current segment.
    pub(crate) fn length(&self) -> u64 {
        self.current.as_ref().map_or(0, |current| current.length)
    }

    /// Appends records whose sequences follow each other and makes them durable. On an error none of them counts;
    /// a segment that has to be given up is returned by [`Appender::seal`] as long as it holds earlier records.
    pub(crate) fn append(&mut self, records: &[Append]) -> Result<(), AppendError> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return Ok(()) };
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.begin(first.header.sequence)?,
        };
        match current.append(records) {
            Ok(bytes) => {
                current.length += bytes;
                current.last_sequence = last.header.sequence;
                self.current = Some(current);
                Ok(())
            }
            Err(source) => {
                // After a failed sync the kernel may have dropped pages, so nothing more is appended here. Should
                // the cut fail too, the reader still drops these records: the next segment's sequence says so.
                let cut = current.file.truncate(current.length).and_then(|()| current.file.sync());
                let given_up = Segment { path: current.path.clone(), last_sequence: current.last_sequence };
                let error = Box::new(LakeError::Wal { action: "append", path: current.path, source });
                if current.length > SEGMENT_HEADER as u64 {
                    return Err(AppendError { error, given_up: Some(given_up) });
                }
                if cut.is_ok() {
                    // Best effort: an empty segment left behind is removed at the next start.
                    let _ = std::fs::remove_file(&given_up.path);
                }
                Err(AppendError { error, given_up: None })
            }
        }
    }

    /// Ends the current segment.
    pub(crate) fn seal(&mut self) -> Option<Segment> {
        let current = self.current.take()?;
        Some(Segment { path: current.path, last_sequence: current.last_sequence })
    }

    fn begin(&self, first_sequence: u64) -> Result<Current, AppendError> {
        let path = self.folder.join(segment_name(first_sequence));
        let failed = |source| AppendError::new("create", &path, source);
        // A segment of this name can only be what an earlier failed attempt left.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let salt = Uuid::new_v4().as_u64_pair().0;
        let header = SegmentHeader { first_sequence, salt }.encode();
        let mut file = self.disk.create(&path).map_err(failed)?;
        let started = write_all(file.as_mut(), &mut [IoSlice::new(&header)])
            .and_then(|()| file.sync())
            .and_then(|()| self.disk.sync_folder(&self.folder));
        if let Err(source) = started {
            // Best effort: the next attempt removes it too.
            let _ = std::fs::remove_file(&path);
            return Err(failed(source));
        }
        Ok(Current { path, file, salt, length: header.len() as u64, last_sequence: first_sequence })
    }
}

impl Current {
    /// Writes and syncs; returns how many bytes were added.
    fn append(&mut self, records: &[Append]) -> io::Result<u64> {
        let headers: Vec<[u8; RECORD_HEADER]> = records
            .iter()
            .map(|record| record.header.encode(record.body.len() as u32, record.body_checksum, self.salt))
            .collect();
        let mut slices: Vec<IoSlice<'_>> = headers
            .iter()
            .zip(records)
            .flat_map(|(header, record)| [IoSlice::new(header), IoSlice::new(&record.body)])
            .collect();
        let bytes = slices.iter().map(|slice| slice.len() as u64).sum();
        write_all(self.file.as_mut(), &mut slices)?;
        self.file.sync()?;
        Ok(bytes)
    }
}

fn write_all(file: &mut dyn LogFile, mut slices: &mut [IoSlice<'_>]) -> io::Result<()> {
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match file.write_vectored(&slices[..slices.len().min(MAX_SLICES)]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut slices, written),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// A group was not made durable.
#[derive(Debug)]
pub(crate) struct AppendError {
    pub error: Box<LakeError>,
    /// The segment that was being written, when it holds earlier records.
    pub given_up: Option<Segment>,
}

impl AppendError {
    fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self { error: Box::new(LakeError::Wal { action, path: path.to_owned(), source }), given_up: None }
    }
}
