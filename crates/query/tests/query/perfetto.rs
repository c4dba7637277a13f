//! `perfetto_trace`: chunks of an exporter as rows.

use std::sync::{Arc, Mutex};

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use async_trait::async_trait;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use glasshouse_model::{FlameChart, Kinds, ProcessId, Subject, TimeRange, TimelineRequest, Timestamp};
use glasshouse_query::Engine;
use glasshouse_tables::ports::{ByteStream, ExportEncoding, Exporter, PlanSteps, QueryEngine, QueryError, SpanFormat};
use tokio::sync::Semaphore;

use crate::lake::{Form, TestLake};
use crate::{sql, table};

const PROCESS: &str = "00000000-0000-4000-8000-000000000001";
const UNKNOWN: &str = "00000000-0000-4000-8000-00000000dead";

/// Answers with the same parts each time, and remembers what it was asked for.
#[derive(Default)]
struct FakeExporter {
    parts: Vec<Result<Bytes, QueryError>>,
    asked: Mutex<Vec<TimelineRequest>>,
}

#[async_trait]
impl Exporter for FakeExporter {
    async fn plan(&self, _: TimelineRequest) -> Result<Option<PlanSteps>, QueryError> {
        unimplemented!("SQL does not plan exports")
    }

    async fn perfetto(
        &self,
        request: TimelineRequest,
        encoding: ExportEncoding,
    ) -> Result<Option<ByteStream>, QueryError> {
        assert_eq!(encoding, ExportEncoding::Plain);
        self.asked.lock().unwrap().push(request);
        let is_known = request.subject != Subject::Process(id(UNKNOWN));
        Ok(is_known.then(|| futures::stream::iter(self.parts.clone()).boxed()))
    }

    async fn spans(
        &self,
        _: TimelineRequest,
        _: SpanFormat,
        _: ExportEncoding,
    ) -> Result<Option<ByteStream>, QueryError> {
        unimplemented!("SQL exports no spans")
    }

    async fn flame_chart(&self, _: TimelineRequest, _: u32) -> Result<Option<FlameChart>, QueryError> {
        unimplemented!("SQL draws nothing")
    }
}

fn id(text: &str) -> ProcessId {
    text.parse().unwrap()
}

/// An engine that exports these parts, so many at once; and the folder that goes with it.
fn engine(parts: Vec<Result<Bytes, QueryError>>, turns: usize) -> (Engine, Arc<FakeExporter>, tempfile::TempDir) {
    let exporter = Arc::new(FakeExporter { parts, ..FakeExporter::default() });
    let TestLake { engine, dir, .. } = TestLake::new(Form::Hot);
    (engine.with_exporter(exporter.clone(), Arc::new(Semaphore::new(turns))), exporter, dir)
}

fn parts(texts: &[&'static str]) -> Vec<Result<Bytes, QueryError>> {
    texts.iter().map(|text| Ok(Bytes::from_static(text.as_bytes()))).collect()
}

#[tokio::test]
async fn chunks_come_in_order_with_their_numbers() {
    let (engine, exporter, _dir) = engine(parts(&["one", "two", "three"]), 1);
    for order in ["", "ORDER BY chunk_id"] {
        let statement = format!("SELECT * FROM perfetto_trace('{PROCESS}') {order}");
        let answer = engine.query(sql(&statement)).await.unwrap();
        let batches: Vec<_> = answer.batches.try_collect().await.unwrap();
        let rows: Vec<(i64, Vec<u8>)> = batches
            .iter()
            .flat_map(|batch| {
                let numbers = batch.column(0).as_primitive::<Int64Type>().values().iter().copied();
                numbers.zip(batch.column(1).as_binary::<i32>().iter().map(|bytes| bytes.unwrap().to_vec()))
            })
            .collect();
        assert_eq!(rows, [(0, b"one".to_vec()), (1, b"two".to_vec()), (2, b"three".to_vec())]);
    }
    let whole = TimelineRequest { subject: Subject::Process(id(PROCESS)), kinds: Kinds::ALL, range: TimeRange::ALL };
    assert_eq!(*exporter.asked.lock().unwrap(), [whole, whole]);
}

#[tokio::test]
async fn kinds_and_times_are_handed_on() {
    let (engine, exporter, _dir) = engine(parts(&["x"]), 1);
    let call = format!(
        "perfetto_trace('{PROCESS}', 'thread,logs', TIMESTAMP '2026-01-31T12:00:00Z', TIMESTAMP '2026-01-31T12:00:01Z')"
    );
    let counted = table(&engine, sql(&format!("SELECT count(*) FROM {call}"))).await.unwrap();
    assert!(counted.contains('1'), "{counted}");
    let [request] = exporter.asked.lock().unwrap()[..] else { panic!("it was asked once") };
    assert_eq!(request.kinds, "thread,logs".parse().unwrap());
    let noon = Timestamp::from_nanos(crate::lake::NOON);
    let after = Timestamp::from_nanos(crate::lake::NOON + crate::lake::SECOND);
    assert_eq!(request.range, TimeRange { from: noon, to: after });
}

#[tokio::test]
async fn what_fails_fails_the_query() {
    let broken = [Ok(Bytes::from_static(b"one")), Err(QueryError::Failed("a file is gone".into()))];
    let (engine, _, _dir) = engine(broken.to_vec(), 1);
    let check = async |call: &str, expected: &str| {
        let error = table(&engine, sql(&format!("SELECT * FROM {call}"))).await.expect_err(call);
        assert!(error.to_string().contains(expected), "{call}: {error}");
        error
    };
    let error = check(&format!("perfetto_trace('{PROCESS}')"), "a file is gone").await;
    assert!(matches!(error, QueryError::Failed(_)), "{error:?}");
    let error = check(&format!("perfetto_trace('{UNKNOWN}')"), &format!("no process {UNKNOWN}")).await;
    assert!(matches!(error, QueryError::Invalid(_)), "{error:?}");
    check("perfetto_trace('no id')", "perfetto_trace").await;
    check(&format!("perfetto_trace('{PROCESS}', 'spams')"), "spams").await;
    check("perfetto_trace()", "perfetto_trace(process_id[, kinds[, begin[, end]]])").await;
}

#[tokio::test]
async fn exports_are_few_at_once() {
    let (engine, _, _dir) = engine(parts(&["x"; 100]), 1);
    let statement = format!("SELECT * FROM perfetto_trace('{PROCESS}')");
    let mut running = engine.query(sql(&statement)).await.unwrap();
    running.batches.next().await.unwrap().unwrap();
    let refused = table(&engine, sql(&statement)).await.unwrap_err();
    assert_eq!(refused, QueryError::Busy("too many exports are running".into()));
    drop(running);
    // What it held is given back when the threads that made it have noticed.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while let Err(error) = table(&engine, sql(&statement)).await {
        assert!(std::time::Instant::now() < deadline, "{error}");
        tokio::task::yield_now().await;
    }
}
