//! The write-ahead log: the accepted bytes, made durable before the sender is told.
//!
//! Bytes on disk are described in [`record`]. A segment is named after its first sequence; it is deleted once
//! the rows of all its records are in catalogued files.

mod disk;
mod folder;
mod reader;
mod record;
mod redelivery;
mod segment;

#[cfg(test)]
pub(crate) use disk::LogFile;
pub(crate) use disk::{Disk, SystemDisk};
pub(crate) use folder::{keep_undecodable, kept_aside, list_segments, read_segment, release, set_aside};
pub(crate) use record::{ContentHash, RecordHeader, body_checksum, content_hash};
pub(crate) use redelivery::RecentRequests;
pub(crate) use segment::{Append, AppendError, Appender, Segment};
