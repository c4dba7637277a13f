//! The tables of the lake as DataFusion sees them: hot rows and files of one snapshot.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, DFSchema, Result, ScalarValue, Statistics};
use datafusion::config::TableParquetOptions;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType, col, lit};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::union::UnionExec;
use glasshouse_model::{TimeRange, Timestamp};
use glasshouse_tables::{DataFile, Snapshot, Table};

use crate::adapt::RowAdapterFactory;
use crate::hot::HotSource;
use crate::perfetto_trace::TraceMaker;
use crate::statistics::ScannedTables;

/// What one query may see.
pub(crate) struct View {
    /// The moment of the lake.
    pub(crate) snapshot: Arc<Snapshot>,
    /// Rows outside are left out.
    pub(crate) range: TimeRange,
    /// Where the files are.
    pub(crate) store: ObjectStoreUrl,
    /// How they are read.
    pub(crate) readers: Arc<dyn ParquetFileReaderFactory>,
    /// Who makes Perfetto traces, of the rows at the moment when they are made; `None` when nobody does.
    pub(crate) traces: Option<TraceMaker>,
    /// Which tables are scanned.
    pub(crate) scanned: Arc<ScannedTables>,
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("snapshot", &self.snapshot.id).field("range", &self.range).finish_non_exhaustive()
    }
}

/// A table as it is in a view: all its rows, in the logical schema.
#[derive(Debug)]
pub(crate) struct LakeTable {
    pub(crate) table: Table,
    pub(crate) view: Arc<View>,
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        self.table.logical_schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Scans use every filter to prune; that they also apply it exactly is settled when the physical plan is
    /// optimized, as for DataFusion's own Parquet tables.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.view.scanned.add(self.table);
        let logical = self.table.logical_schema();
        let df_schema = DFSchema::try_from(Arc::clone(&logical))?;
        let range = self.range_filter().map(|range| state.create_physical_expr(range, &df_schema)).transpose()?;
        let filter =
            conjunction(filters.to_vec()).map(|filter| state.create_physical_expr(filter, &df_schema)).transpose()?;
        let partitions = state.config().target_partitions();

        let mut inputs = Vec::with_capacity(2);
        let hot: Vec<_> = self.view.snapshot.hot_batches(self.table).cloned().collect();
        if !hot.is_empty() {
            let mut source = HotSource::new(self.table, hot, partitions).with_predicate(range.clone());
            if let Some(columns) = projection {
                source = source.with_projection(&ProjectionExprs::from_indices(columns, &logical))?;
            }
            inputs.push(DataSourceExec::from_data_source(source.with_limit(limit)) as Arc<dyn ExecutionPlan>);
        }
        let files = self.files(filter.as_ref());
        if !files.is_empty() {
            inputs.push(self.scan_files(files, range, projection, limit)?);
        }
        Ok(match inputs.len() {
            0 => {
                let columns =
                    projection.map_or_else(|| Ok(logical.as_ref().clone()), |columns| logical.project(columns))?;
                Arc::new(EmptyExec::new(Arc::new(columns)))
            }
            1 => inputs.remove(0),
            _ => UnionExec::try_new(inputs)?,
        })
    }
}

impl LakeTable {
    /// The view's range as a condition on the time column.
    fn range_filter(&self) -> Option<Expr> {
        let TimeRange { from, to } = self.view.range;
        let time = col(self.table.time_column());
        let from = (from > Timestamp::MIN).then(|| time.clone().gt_eq(lit(time_scalar(from))));
        let to = (to < Timestamp::MAX).then(|| time.lt(lit(time_scalar(to))));
        conjunction(from.into_iter().chain(to))
    }

    /// The files that may hold rows that meet the filter, newest first.
    fn files(&self, filter: Option<&Arc<dyn PhysicalExpr>>) -> Vec<(Arc<DataFile>, Arc<Statistics>)> {
        let mut files: Vec<_> = self
            .view
            .snapshot
            .files(self.table, self.view.range)
            .map(|file| (Arc::clone(file), Arc::new(self.statistics(file))))
            .collect();
        let logical = self.table.logical_schema();
        let pruning = filter.and_then(|filter| {
            PruningPredicateBuilder::new().with_file_schema(Arc::clone(&logical)).try_build(Arc::clone(filter)).ok()
        });
        if let Some(pruning) = pruning {
            let statistics = files.iter().map(|(_, statistics)| Arc::clone(statistics)).collect();
            // An error here means that nothing is known, and every file is read.
            if let Ok(wanted) = pruning.prune(&PrunableStatistics::new(statistics, logical)) {
                let mut wanted = wanted.into_iter();
                files.retain(|_| wanted.next().unwrap_or(true));
            }
        }
        files.sort_by_key(|(file, _)| std::cmp::Reverse(file.max_time));
        files
    }

    /// What the catalog knows of a file.
    fn statistics(&self, file: &DataFile) -> Statistics {
        let columns = self.table.columns().iter().map(|column| {
            if column.name == self.table.time_column() {
                ColumnStatistics::new_unknown()
                    .with_null_count(Precision::Exact(0))
                    .with_min_value(Precision::Exact(time_scalar(file.min_time)))
                    .with_max_value(Precision::Exact(time_scalar(file.max_time)))
            } else {
                ColumnStatistics::new_unknown()
            }
        });
        Statistics {
            num_rows: Precision::Exact(file.rows as usize),
            total_byte_size: Precision::Inexact(file.bytes as usize),
            column_statistics: columns.collect(),
        }
    }

    fn scan_files(
        &self,
        files: Vec<(Arc<DataFile>, Arc<Statistics>)>,
        range: Option<Arc<dyn PhysicalExpr>>,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let logical = self.table.logical_schema();
        let mut options = TableParquetOptions::default();
        options.global.pushdown_filters = true;
        options.global.reorder_filters = true;
        let mut source = ParquetSource::new(Arc::clone(&logical))
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::clone(&self.view.readers));
        if let Some(range) = range {
            source = source.with_predicate(range);
        }
        let all = Statistics::try_merge_iter(files.iter().map(|(_, statistics)| statistics.as_ref()), &logical)?;
        let group = files.into_iter().map(|(file, statistics)| {
            PartitionedFile::new(file.path.clone(), file.bytes)
                // The length of the footer and the magic number follow it.
                .with_metadata_size_hint(file.footer_bytes as usize + 8)
                .with_statistics(statistics)
        });
        let config = FileScanConfigBuilder::new(self.view.store.clone(), Arc::new(source))
            .with_file_group(FileGroup::new(group.collect()))
            .with_statistics(all)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_expr_adapter(Some(Arc::new(RowAdapterFactory { table: self.table })))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}

pub(crate) fn time_scalar(time: Timestamp) -> ScalarValue {
    ScalarValue::TimestampNanosecond(Some(time.nanos()), Some("UTC".into()))
}
