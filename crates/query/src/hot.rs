//! Rows that are not in files yet, as a source of scans.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatchOptions;
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{ColumnStatistics, Result, Statistics, cast::as_boolean_array};
use datafusion::config::ConfigOptions;
use datafusion::datasource::source::DataSource;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr, conjunction};
use datafusion::physical_expr_adapter::PhysicalExprAdapterFactory;
use datafusion::physical_plan::DisplayFormatType;
use datafusion::physical_plan::execution_plan::SchedulingType;
use datafusion::physical_plan::filter_pushdown::{FilterPushdownPropagation, PushedDown};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream;
use glasshouse_tables::Table;

use crate::adapt::RowAdapterFactory;

/// A partition has at least this many rows, so that few rows are not scattered over many tasks.
const PARTITION_ROWS: usize = 32 * 1024;

/// Hot batches of a table, filtered and projected while they are read, by the same rewriting that files
/// go through.
#[derive(Debug, Clone)]
pub(crate) struct HotSource {
    table: Table,
    partitions: Vec<Vec<RecordBatch>>,
    /// In terms of the table's logical schema.
    predicate: Option<Arc<dyn PhysicalExpr>>,
    /// In terms of the table's logical schema.
    projection: ProjectionExprs,
    /// Columns that the projection gives.
    schema: SchemaRef,
    fetch: Option<usize>,
    metrics: ExecutionPlanMetricsSet,
}

/// Name of the count of rows that were looked at.
pub(crate) const ROWS_READ: &str = "rows_read";

impl HotSource {
    /// All columns of the batches, which have the table's stored schema.
    pub(crate) fn new(table: Table, batches: Vec<RecordBatch>, partitions: usize) -> Self {
        let logical = table.logical_schema();
        let columns: Vec<_> = (0..logical.fields().len()).collect();
        Self {
            table,
            partitions: spread(batches, partitions),
            predicate: None,
            projection: ProjectionExprs::from_indices(&columns, &logical),
            schema: logical,
            fetch: None,
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// Only the rows that meet the predicate, besides those before.
    pub(crate) fn with_predicate(mut self, predicate: Option<Arc<dyn PhysicalExpr>>) -> Self {
        self.predicate = match (self.predicate, predicate) {
            (Some(one), Some(other)) => Some(conjunction([one, other])),
            (one, other) => one.or(other),
        };
        self
    }

    /// These expressions of what it gave before.
    pub(crate) fn with_projection(&self, projection: &ProjectionExprs) -> Result<Self> {
        let merged = self.projection.try_merge(projection)?;
        let schema = Arc::new(merged.project_schema(&self.table.logical_schema())?);
        Ok(Self { projection: merged, schema, ..self.clone() })
    }

    /// At most this many rows of each partition.
    pub(crate) fn with_limit(mut self, limit: Option<usize>) -> Self {
        self.fetch = limit;
        self
    }

    /// What turns a stored batch into rows of the answer.
    fn reader(&self) -> Result<BatchReader> {
        let stored = self.table.stored_schema();
        let adapter =
            RowAdapterFactory { table: self.table }.create(self.table.logical_schema(), Arc::clone(&stored))?;
        let predicate = self.predicate.clone().map(|predicate| adapter.rewrite(predicate)).transpose()?;
        let projection = self.projection.clone().try_map_exprs(|expr| adapter.rewrite(expr))?;
        let mut needed: Vec<usize> =
            projection.expr_iter().flat_map(|expr| collect_columns(&expr)).map(|column| column.index()).collect();
        needed.sort_unstable();
        needed.dedup();
        let narrow = stored.project(&needed)?;
        let projection: Vec<_> =
            projection.expr_iter().map(|expr| reassign_expr_columns(expr, &narrow)).collect::<Result<_>>()?;
        Ok(BatchReader { predicate, needed, projection, schema: Arc::clone(&self.schema) })
    }
}

/// Deals batches out to partitions of about the same number of rows.
fn spread(batches: Vec<RecordBatch>, partitions: usize) -> Vec<Vec<RecordBatch>> {
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    let share = rows.div_ceil(partitions.max(1)).max(PARTITION_ROWS);
    let mut spread = vec![Vec::new()];
    let mut free = share;
    for batch in batches {
        let mut from = 0;
        while from < batch.num_rows() {
            if free == 0 {
                spread.push(Vec::new());
                free = share;
            }
            let len = free.min(batch.num_rows() - from);
            spread.last_mut().expect("there is a first partition").push(batch.slice(from, len));
            from += len;
            free -= len;
        }
    }
    spread
}

struct BatchReader {
    predicate: Option<Arc<dyn PhysicalExpr>>,
    /// Columns of the stored batch that the projection reads.
    needed: Vec<usize>,
    projection: Vec<Arc<dyn PhysicalExpr>>,
    schema: SchemaRef,
}

impl BatchReader {
    fn read(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut narrow = batch.project(&self.needed)?;
        if let Some(predicate) = &self.predicate {
            let wanted = predicate.evaluate(batch)?.into_array(batch.num_rows())?;
            narrow = filter_record_batch(&narrow, as_boolean_array(&wanted)?)?;
        }
        let rows = narrow.num_rows();
        let columns =
            self.projection.iter().map(|expr| expr.evaluate(&narrow)?.into_array(rows)).collect::<Result<Vec<_>>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

impl DataSource for HotSource {
    fn open(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let reader = self.reader()?;
        let step = context.session_config().batch_size();
        let batches = self.partitions[partition].clone();
        let rows_read = MetricBuilder::new(&self.metrics).counter(ROWS_READ, partition);
        let slices = batches.into_iter().flat_map(move |batch| {
            let rows = batch.num_rows();
            (0..rows).step_by(step).map(move |from| batch.slice(from, step.min(rows - from)))
        });
        let mut left = self.fetch.unwrap_or(usize::MAX);
        let answers = slices.map(move |slice| {
            rows_read.add(slice.num_rows());
            reader.read(&slice)
        });
        let answers = answers.map_while(move |answer| {
            if left == 0 {
                return None;
            }
            Some(answer.map(|batch| {
                let batch = batch.slice(0, left.min(batch.num_rows()));
                left -= batch.num_rows();
                batch
            }))
        });
        let answers = answers.filter(|answer| answer.as_ref().map_or(true, |batch| batch.num_rows() > 0));
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), stream::iter(answers))))
    }

    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: usize = self.partitions.iter().flatten().map(RecordBatch::num_rows).sum();
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "hot, table={}, rows={rows}, partitions={}", self.table.name(), self.partitions.len())?;
                let columns: Vec<_> = self.projection.iter().map(ToString::to_string).collect();
                write!(f, ", projection=[{}]", columns.join(", "))?;
                if let Some(predicate) = &self.predicate {
                    write!(f, ", predicate={predicate}")?;
                }
                self.fetch.map_or(Ok(()), |fetch| write!(f, ", fetch={fetch}"))
            }
            DisplayFormatType::TreeRender => writeln!(f, "rows={rows}"),
        }
    }

    fn metrics(&self) -> ExecutionPlanMetricsSet {
        self.metrics.clone()
    }

    fn output_partitioning(&self) -> Partitioning {
        Partitioning::UnknownPartitioning(self.partitions.len())
    }

    fn eq_properties(&self) -> EquivalenceProperties {
        EquivalenceProperties::new(Arc::clone(&self.schema))
    }

    fn scheduling_type(&self) -> SchedulingType {
        SchedulingType::NonCooperative
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let count = |partition: &Vec<RecordBatch>| partition.iter().map(RecordBatch::num_rows).sum::<usize>();
        let rows = match partition {
            Some(partition) => self.partitions.get(partition).map_or(0, count),
            None => self.partitions.iter().map(count).sum(),
        };
        let exact = self.predicate.is_none() && self.fetch.is_none();
        Ok(Arc::new(Statistics {
            num_rows: if exact { Precision::Exact(rows) } else { Precision::Inexact(rows) },
            total_byte_size: Precision::Absent,
            column_statistics: vec![ColumnStatistics::new_unknown(); self.schema.fields().len()],
        }))
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn DataSource>> {
        Some(Arc::new(self.clone().with_limit(limit)))
    }

    fn fetch(&self) -> Option<usize> {
        self.fetch
    }

    fn try_swapping_with_projection(&self, projection: &ProjectionExprs) -> Result<Option<Arc<dyn DataSource>>> {
        Ok(Some(Arc::new(self.with_projection(projection)?)))
    }

    fn try_pushdown_filters(
        &self,
        filters: Vec<Arc<dyn PhysicalExpr>>,
        _config: &ConfigOptions,
    ) -> Result<FilterPushdownPropagation<Arc<dyn DataSource>>> {
        let logical = self.table.logical_schema();
        let count = filters.len();
        let filters = filters
            .iter()
            .map(|filter| reassign_expr_columns(self.projection.unproject_expr(filter)?, &logical))
            .collect::<Result<Vec<_>>>()?;
        let source = self.clone().with_predicate((count > 0).then(|| conjunction(filters)));
        Ok(FilterPushdownPropagation::with_parent_pushdown_result(vec![PushedDown::Yes; count])
            .with_updated_node(Arc::new(source) as Arc<dyn DataSource>))
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        let mut recursion = TreeNodeRecursion::Continue;
        let projected: Vec<_> = self.projection.expr_iter().collect();
        for expr in self.predicate.iter().chain(&projected) {
            recursion = f(expr)?;
            if recursion == TreeNodeRecursion::Stop {
                break;
            }
        }
        Ok(recursion)
    }
}
