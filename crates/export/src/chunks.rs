//! Bytes on their way from a thread that writes to a reader that takes its time.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;
use glasshouse_tables::ports::{ByteStream, QueryError};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Bytes of a chunk. Each wakes the thread that sends it: with half as many that took a twentieth of the writer's time.
const CHUNK: usize = 1 << 20;
/// Chunks that wait for the reader.
const WAITING: usize = 1;
/// How long a reader may take no chunk: what it holds up is memory, and files that are to be deleted.
const STALLED: Duration = Duration::from_mins(5);

#[derive(Debug)]
enum Part {
    Chunk(Bytes),
    Failure(QueryError),
    End,
}

/// The writing end. Writing blocks while the reader is behind, and fails when it is gone. What is dropped without
/// [`ChunkWriter::end`] ends the stream with a failure: it never looks whole when it is not.
#[derive(Debug)]
pub(crate) struct ChunkWriter {
    sender: mpsc::Sender<Part>,
    chunk: Vec<u8>,
    used: Used,
    /// Tells time.
    runtime: Handle,
}

/// The memory of chunks that were read, to be written again: fresh memory costs as much as to fill it.
#[derive(Debug, Clone, Default)]
struct Used(Arc<Mutex<Vec<Vec<u8>>>>);

impl Used {
    fn chunks(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().expect("nothing panics under this lock")
    }
}

/// A chunk that gives its memory back.
#[derive(Debug)]
struct Chunk {
    bytes: Vec<u8>,
    used: Used,
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        let mut used = self.used.chunks();
        if used.len() <= WAITING {
            used.push(bytes);
        }
    }
}

/// A writer and what comes out of it. To be called within a runtime.
pub(crate) fn chunks() -> (ChunkWriter, ByteStream) {
    let (sender, receiver) = mpsc::channel(WAITING);
    let chunks = stream::unfold(Some(receiver), |receiver| async move {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Part::Chunk(chunk)) => Some((Ok(chunk), Some(receiver))),
            Some(Part::Failure(error)) => Some((Err(error), None)),
            Some(Part::End) => None,
            None => Some((Err(QueryError::Failed("the export was broken off".into())), None)),
        }
    });
    // Who compresses asks once more after the end.
    let chunk = Vec::with_capacity(CHUNK);
    (ChunkWriter { sender, chunk, used: Used::default(), runtime: Handle::current() }, chunks.fuse().boxed())
}

impl ChunkWriter {
    /// Tells when nobody reads any more.
    pub fn is_abandoned(&self) -> impl Fn() -> bool + Send + Sync + 'static {
        let sender = self.sender.clone();
        move || sender.is_closed()
    }

    /// Ends the stream: everything was written.
    pub fn end(mut self) -> io::Result<()> {
        self.flush()?;
        self.give(Part::End)
    }

    /// Ends the stream with a failure.
    pub fn fail(self, error: QueryError) {
        // Nobody is told when nobody reads.
        let _ = self.give(Part::Failure(error));
    }

    fn send(&mut self) -> io::Result<()> {
        let next = self.used.chunks().pop().unwrap_or_else(|| Vec::with_capacity(CHUNK));
        let bytes = std::mem::replace(&mut self.chunk, next);
        self.give(Part::Chunk(Bytes::from_owner(Chunk { bytes, used: self.used.clone() })))
    }

    fn give(&self, part: Part) -> io::Result<()> {
        let given = self.runtime.block_on(tokio::time::timeout(STALLED, self.sender.send(part)));
        match given {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl Write for ChunkWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(CHUNK - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..taken]);
        if self.chunk.len() == CHUNK {
            self.send()?;
        }
        Ok(taken)
    }

    /// Sends what was written, full chunk or not.
    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() { Ok(()) } else { self.send() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(write: impl FnOnce(ChunkWriter) + Send + 'static) -> (Vec<u8>, Option<QueryError>) {
        let (writer, mut chunks) = chunks();
        let writing = tokio::task::spawn_blocking(|| write(writer));
        let (mut bytes, mut error) = (Vec::new(), None);
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(failure) => error = Some(failure),
            }
        }
        // A panic of the writer is what one of the tests is about.
        let _ = writing.await;
        (bytes, error)
    }

    #[tokio::test]
    async fn what_was_written_arrives() {
        let sent: Vec<u8> = (0..1_000_000_u32).map(|i| i as u8).collect();
        let expected = sent.clone();
        let (bytes, error) = read(move |mut writer| {
            writer.write_all(&sent).unwrap();
            writer.end().unwrap();
        })
        .await;
        assert!(bytes == expected);
        assert_eq!(error, None);
    }

    #[tokio::test]
    async fn the_end_is_the_end() {
        let (writer, mut chunks) = chunks();
        tokio::task::spawn_blocking(|| writer.end()).await.unwrap().unwrap();
        assert_eq!(chunks.next().await, None);
        assert_eq!(chunks.next().await, None);
    }

    #[tokio::test]
    async fn what_did_not_end_is_a_failure() {
        let failure = QueryError::Failed("no disk".into());
        let expected = failure.clone();
        assert_eq!(read(move |writer| writer.fail(failure)).await.1, Some(expected));
        assert!(read(|_| panic!("for a test")).await.1.is_some());
    }

    #[tokio::test]
    async fn a_reader_that_is_gone_ends_the_writing() {
        let (mut writer, chunks) = chunks();
        drop(chunks);
        let written = tokio::task::spawn_blocking(move || writer.write_all(&vec![0; 10 * CHUNK])).await.unwrap();
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
