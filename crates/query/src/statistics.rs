//! What a query took, from the metrics of its plans.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::MetricsSet;
use glasshouse_model::TimeRange;
use glasshouse_tables::ports::SqlStatistics;
use glasshouse_tables::{Snapshot, Table};

use crate::hot::ROWS_READ;
use crate::memory::QueryPool;

/// Which tables a query scans.
#[derive(Debug, Default)]
pub(crate) struct ScannedTables(AtomicU32);

impl ScannedTables {
    pub(crate) fn add(&self, table: Table) {
        self.0.fetch_or(1 << table as u32, Ordering::Relaxed);
    }

    fn files(&self, snapshot: &Snapshot) -> u64 {
        let scanned = self.0.load(Ordering::Relaxed);
        let tables = Table::ALL.into_iter().filter(|table| scanned & (1 << *table as u32) != 0);
        tables.map(|table| snapshot.files(table, TimeRange::ALL).count() as u64).sum()
    }
}

/// A query that runs.
pub(crate) struct Measured {
    pub(crate) asked: Instant,
    pub(crate) planning: Duration,
    pub(crate) plans: Vec<Arc<dyn ExecutionPlan>>,
    pub(crate) memory: Arc<QueryPool>,
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) scanned: Arc<ScannedTables>,
}

impl Measured {
    /// What it took until now.
    pub(crate) fn statistics(&self) -> SqlStatistics {
        let mut statistics = SqlStatistics {
            planning: self.planning,
            elapsed: self.asked.elapsed(),
            peak_memory: self.memory.peak() as u64,
            ..SqlStatistics::default()
        };
        let mut files = HashSet::new();
        for plan in &self.plans {
            add(plan, &mut statistics, &mut files);
        }
        statistics.files_read = files.len() as u64;
        statistics.files_skipped = self.scanned.files(&self.snapshot).saturating_sub(statistics.files_read);
        statistics
    }
}

fn add(plan: &Arc<dyn ExecutionPlan>, statistics: &mut SqlStatistics, files: &mut HashSet<String>) {
    if let Some(metrics) = plan.metrics() {
        statistics.spilled_bytes += metrics.spilled_bytes().unwrap_or(0) as u64;
        if let Some(source) = plan.downcast_ref::<DataSourceExec>() {
            let count = |name| count(&metrics, name);
            // Of files, conditions are met while they are read: what was looked at is what came and what did not.
            statistics.rows_read += count(ROWS_READ) + count("pushdown_rows_pruned");
            statistics.bytes_read += count("bytes_scanned");
            if let Some(config) = source.data_source().downcast_ref::<FileScanConfig>() {
                statistics.rows_read += metrics.output_rows().unwrap_or(0) as u64;
                let paths = config.file_groups.iter().flat_map(FileGroup::iter);
                files.extend(paths.map(|file| file.object_meta.location.to_string()));
            }
        }
    }
    for child in plan.children() {
        add(child, statistics, files);
    }
}

fn count(metrics: &MetricsSet, name: &str) -> u64 {
    metrics.sum_by_name(name).map_or(0, |value| value.as_usize() as u64)
}
