//! A lake made of requests.

use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use glasshouse_files::{FileCache, FileColumns, Store, WriteOptions, choose_shredded, write_sorted};
use glasshouse_formats::Formats;
use glasshouse_model::{Kinds, Span, Subject, TimeRange, TimelineRequest, Timestamp, TraceId};
use glasshouse_tables::ports::{Decoder as _, QueryError, WireFormat};
use glasshouse_tables::{Batches, DataFile, Snapshot, SnapshotSource, Table};
use glasshouse_traces::Traces;
use tempfile::TempDir;

const RECEIVED: Timestamp = Timestamp::from_nanos(1_800_000_000_000_000_000);

#[derive(Debug)]
struct Still(Arc<Snapshot>);

#[async_trait]
impl SnapshotSource for Still {
    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0)
    }

    async fn snapshot_at(&self, _id: i64) -> Result<Arc<Snapshot>, QueryError> {
        Err(QueryError::Invalid("this lake has one snapshot".to_owned()))
    }
}

/// A lake that does not change.
pub struct Lake {
    pub traces: Traces,
    _folder: TempDir,
}

impl Lake {
    /// A lake of what requests hold, in memory or in files.
    pub fn new(requests: &[(WireFormat, Vec<u8>)], in_files: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::local(folder.path()).unwrap();
        let mut snapshot = Snapshot::default();
        let mut files = Vec::new();
        for (format, body) in requests {
            let decoded = Formats.decode(*format, body, RECEIVED).unwrap_or_else(|error| panic!("{format:?}: {error}"));
            assert_eq!(decoded.rejections, []);
            if in_files {
                write_files(&decoded.batches, &store, &mut files);
            } else {
                snapshot.hot.push(Arc::new(decoded.batches));
            }
        }
        snapshot.files = Arc::new(files);
        let files = FileCache::new(store, 1 << 20);
        Self { traces: Traces::new(Arc::new(Still(Arc::new(snapshot))), files), _folder: folder }
    }

    /// The spans of a trace in order of start, then of id.
    pub fn spans(&self, trace: TraceId) -> Vec<Span> {
        let mut spans = Vec::new();
        let visited = self.traces.timeline(whole(trace)).with_first_rows(3).visit_spans_whole(|some| {
            spans.extend_from_slice(some);
            ControlFlow::Continue(())
        });
        assert!(visited.unwrap().is_continue());
        spans
    }
}

/// All of a trace.
pub fn whole(trace: TraceId) -> TimelineRequest {
    TimelineRequest { subject: Subject::Trace(trace), kinds: Kinds::ALL, range: TimeRange::ALL }
}

fn write_files(batches: &Batches, store: &Store, files: &mut Vec<Arc<DataFile>>) {
    let options = WriteOptions { row_group_rows: 3, ..WriteOptions::flush() };
    for table in Table::ALL {
        let Some(batch) = batches.get(table).filter(|batch| batch.num_rows() > 0) else { continue };
        let batches = [batch.clone()];
        let columns = FileColumns::without_ids(table, &choose_shredded(table, &batches));
        for new in write_sorted(store, &columns, &batches, &options).unwrap() {
            files.push(Arc::new(DataFile {
                id: files.len() as i64,
                table,
                path: new.path,
                rows: new.rows,
                bytes: new.bytes,
                footer_bytes: new.footer_bytes,
                min_time: new.min_time,
                max_time: new.max_time,
            }));
        }
    }
}
