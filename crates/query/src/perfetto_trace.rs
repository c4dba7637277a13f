//! `perfetto_trace(process_id, …)`: a process as a Perfetto trace, in chunks that are made while they are read.

use std::fmt;
use std::sync::{Arc, LazyLock};

use arrow::array::{BinaryArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::col;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::{StreamExt, TryStreamExt};
use glasshouse_model::{Subject, TimelineRequest};
use glasshouse_tables::ports::{ExportEncoding, Exporter, QueryError};
use tokio::sync::Semaphore;

/// Who makes traces, a few at once.
#[derive(Clone)]
pub(crate) struct TraceMaker {
    pub exporter: Arc<dyn Exporter>,
    /// A turn for each trace that may be made at once.
    pub turns: Arc<Semaphore>,
}

impl fmt::Debug for TraceMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TraceMaker")
    }
}

/// Number and bytes of each chunk.
pub(crate) fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let chunk_id = Field::new("chunk_id", DataType::Int64, false);
        Arc::new(Schema::new(vec![chunk_id, Field::new("chunk_data", DataType::Binary, false)]))
    });
    Arc::clone(&SCHEMA)
}

/// The table of chunks.
pub(crate) fn table(maker: TraceMaker, request: TimelineRequest) -> Result<Arc<dyn TableProvider>> {
    let chunks = StreamingTable::try_new(schema(), vec![Arc::new(Chunks { maker, request, schema: schema() })])?;
    // So that asking for their order does not hold them back.
    Ok(Arc::new(chunks.with_sort_order(vec![col("chunk_id").sort(true, false)])))
}

#[derive(Debug)]
struct Chunks {
    maker: TraceMaker,
    request: TimelineRequest,
    schema: SchemaRef,
}

impl PartitionStream for Chunks {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (TraceMaker { exporter, turns }, request) = (self.maker.clone(), self.request);
        let trace = async move {
            let busy = |_| QueryError::Busy("too many exports are running".into());
            let turn = turns.try_acquire_owned().map_err(busy)?;
            let unknown = || {
                QueryError::Invalid(match request.subject {
                    Subject::Process(id) => format!("no process {id}"),
                    Subject::Trace(id) => format!("no trace {id}"),
                })
            };
            let chunks = exporter.perfetto(request, ExportEncoding::Plain).await?.ok_or_else(unknown)?;
            Ok(chunks.inspect(move |_| _ = &turn))
        };
        let failed = |error: QueryError| DataFusionError::External(Box::new(error));
        let chunks = futures::stream::once(trace).try_flatten().enumerate();
        let batches = chunks.map(move |(number, chunk)| {
            let chunk = chunk.map_err(failed)?;
            let number = Int64Array::from(vec![number as i64]);
            let bytes = BinaryArray::from_iter_values([&chunk[..]]);
            Ok(RecordBatch::try_new(schema(), vec![Arc::new(number), Arc::new(bytes)])?)
        });
        Box::pin(RecordBatchStreamAdapter::new(schema(), batches))
    }
}
