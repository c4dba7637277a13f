//! `trace_spans(id)`: the spans of a trace, each once, as a tree.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, AsArray, Int64Array, RecordBatch, UInt64Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimestampNanosecondType};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Result, internal_err, project_schema};
use datafusion::datasource::provider_as_source;
use datafusion::execution::memory_pool::MemoryConsumer;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, TableType, col, lit};
use datafusion::physical_expr::{Distribution, EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, InputDistributionRequirements, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::{StreamExt, TryStreamExt};
use glasshouse_model::TraceId;
use glasshouse_tables::Table;

use crate::scan::{LakeTable, View};
use crate::tree::{Node, places};

/// The spans of a trace.
#[derive(Debug)]
pub(crate) struct TraceSpans {
    pub(crate) view: Arc<View>,
    pub(crate) trace_id: TraceId,
}

/// Columns that [`TraceSpans`] has beside those of `spans`, and what they hold.
pub(crate) const EXTRA_COLUMNS: [(&str, &str); 2] = [
    ("depth", "Steps to the root span; 0 for a root and for a span whose parent is not known"),
    (
        "self_time_ns",
        "Duration without the time in which at least one child runs, in nanoseconds; NULL while the span is open",
    ),
];

/// All columns.
pub(crate) fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let spans = Table::Spans.logical_schema();
        let extra = EXTRA_COLUMNS.map(|(name, _)| Arc::new(Field::new(name, DataType::Int64, true)));
        Arc::new(Schema::new(spans.fields().iter().cloned().chain(extra).collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

#[async_trait]
impl TableProvider for TraceSpans {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let spans = LakeTable { table: Table::Spans, view: Arc::clone(&self.view) };
        let plan = LogicalPlanBuilder::scan(Table::Spans.name(), provider_as_source(Arc::new(spans)), None)?
            .filter(col("trace_id").eq(lit(self.trace_id.to_string())))?
            .build()?;
        let input = state.create_physical_plan(&plan).await?;
        Ok(Arc::new(TraceTreeExec::try_new(input, projection.cloned())?))
    }
}

/// Takes the spans of one trace; gives each once, in the order of the tree, with its place.
#[derive(Debug)]
struct TraceTreeExec {
    input: Arc<dyn ExecutionPlan>,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl TraceTreeExec {
    fn try_new(input: Arc<dyn ExecutionPlan>, projection: Option<Vec<usize>>) -> Result<Self> {
        let columns = project_schema(&schema(), projection.as_ref())?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(columns),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Ok(Self { input, projection, properties: Arc::new(properties) })
    }
}

impl DisplayAs for TraceTreeExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TraceTreeExec")
    }
}

impl ExecutionPlan for TraceTreeExec {
    fn name(&self) -> &'static str {
        "TraceTreeExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn input_distribution_requirements(&self) -> InputDistributionRequirements {
        InputDistributionRequirements::new(vec![Distribution::SinglePartition])
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("TraceTreeExec has one child");
        };
        Ok(Arc::new(Self::try_new(input, self.projection.clone())?))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let mut spans = self.input.execute(partition, Arc::clone(&context))?;
        let projection = self.projection.clone();
        let memory = MemoryConsumer::new("trace_spans").register(context.memory_pool());
        let tree = async move {
            let mut batches = Vec::new();
            while let Some(batch) = spans.next().await.transpose()? {
                // Once as it came, once put together.
                memory.try_grow(batch.get_array_memory_size() * 2)?;
                batches.push(batch);
            }
            let tree = in_tree_order(&concat_batches(&spans.schema(), &batches)?)?;
            Ok(match projection {
                Some(columns) => tree.project(&columns)?,
                None => tree,
            })
        };
        let stream = futures::stream::once(tree).try_filter(|batch| std::future::ready(batch.num_rows() > 0));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), stream)))
    }
}

fn in_tree_order(spans: &RecordBatch) -> Result<RecordBatch> {
    let column = |name: &str| spans.column(Table::Spans.index_of(name).expect("a column of spans"));
    let (ids, parents) = (column("span_id").as_string::<i32>(), column("parent_span_id").as_string::<i32>());
    let starts = column("start_time").as_primitive::<TimestampNanosecondType>();
    let ends = column("end_time").as_primitive::<TimestampNanosecondType>();
    let ingests = column("ingest_time").as_primitive::<TimestampNanosecondType>();

    // Of rows of the same span, a completed one counts, and of those the latest.
    let rank = |row: usize| (ends.is_valid(row), ingests.value(row));
    let mut best: HashMap<&str, usize> = HashMap::with_capacity(ids.len());
    for row in 0..ids.len() {
        let kept = best.entry(ids.value(row)).or_insert(row);
        if rank(row) > rank(*kept) {
            *kept = row;
        }
    }
    let rows: Vec<usize> = best.into_values().collect();
    let nodes: Vec<_> = rows
        .iter()
        .map(|&row| Node {
            span_id: ids.value(row),
            parent_span_id: parents.is_valid(row).then(|| parents.value(row)),
            start: starts.value(row),
            end: ends.is_valid(row).then(|| ends.value(row)),
        })
        .collect();
    let places = places(&nodes);
    let order: UInt64Array = places.iter().map(|place| rows[place.index] as u64).collect::<Vec<_>>().into();
    let mut columns = take_record_batch(spans, &order)?.columns().to_vec();
    columns.push(Arc::new(Int64Array::from_iter_values(places.iter().map(|place| place.depth))));
    columns.push(Arc::new(places.iter().map(|place| place.self_time).collect::<Int64Array>()));
    Ok(RecordBatch::try_new(schema(), columns)?)
}
