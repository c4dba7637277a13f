//! The lake's answers to how it is.

use glasshouse_tables::Table;
use glasshouse_tables::ports::{Figure, PartState, Status};

use crate::Lake;
use crate::health::Counter;

impl Status for Lake {
    fn parts(&self) -> Vec<PartState> {
        self.health.parts()
    }

    fn figures(&self) -> Vec<Figure> {
        let c = &self.counters;
        let mut figures = vec![
            counter("glasshouse_requests_accepted_total", "Requests made durable", &c.requests),
            counter("glasshouse_requests_redelivered_total", "Requests that had been accepted before", &c.redelivered),
            counter("glasshouse_rows_accepted_total", "Rows made durable, of all tables", &c.rows),
            counter("glasshouse_wal_written_bytes_total", "Bytes of requests written to the log", &c.wal_bytes),
            counter("glasshouse_wal_syncs_total", "Groups of requests made durable by one sync", &c.wal_syncs),
            counter(
                "glasshouse_wal_failures_total",
                "Groups of requests that could not be made durable",
                &c.wal_failures,
            ),
            counter("glasshouse_wal_damages_total", "Damaged places found in the log at the start", &c.wal_damages),
            counter("glasshouse_flushes_total", "Generations of rows written to files", &c.flushes),
            counter(
                "glasshouse_flush_failures_total",
                "Attempts to write rows to files that failed",
                &c.flush_failures,
            ),
            seconds("glasshouse_flush_seconds_total", "Time spent writing rows to files", &c.flush_nanos),
            counter("glasshouse_flushed_rows_total", "Rows written to files", &c.flushed_rows),
            counter("glasshouse_flushed_bytes_total", "Bytes of those files", &c.flushed_bytes),
            counter("glasshouse_merges_total", "Merges of files", &c.merges),
            seconds("glasshouse_merge_seconds_total", "Time spent merging files", &c.merge_nanos),
            counter("glasshouse_merged_rows_total", "Rows written by merges", &c.merged_rows),
            counter("glasshouse_merged_bytes_total", "Bytes written by merges", &c.merged_bytes),
            counter("glasshouse_duplicate_rows_total", "Rows that merges found replaced by others", &c.duplicates),
            counter("glasshouse_files_expired_total", "Files dropped by retention", &c.expired_files),
            counter("glasshouse_files_deleted_total", "Files deleted from the store", &c.deleted_files),
        ];
        let waiting = self.view.waiting();
        let recent = self.recent.lock().expect("nothing that may panic runs under this lock").len();
        let (snapshot, files) = self.view.files();
        figures.extend([
            total(
                "glasshouse_requests_refused_total",
                "Requests refused for want of memory",
                self.budget.refused() as f64,
            ),
            gauge(
                "glasshouse_ingest_memory_bytes",
                "Memory of requests and rows that are not in files",
                self.budget.used() as f64,
            ),
            gauge("glasshouse_ingest_memory_limit_bytes", "What they may take", self.budget.limit() as f64),
            gauge("glasshouse_hot_bytes", "Rows that are still being gathered", waiting.active_bytes as f64),
            gauge("glasshouse_frozen_bytes", "Rows that are being flushed or wait for it", waiting.frozen_bytes as f64),
            gauge(
                "glasshouse_frozen_generations",
                "Generations of rows that are being flushed or wait for it",
                waiting.frozen as f64,
            ),
            gauge(
                "glasshouse_recent_requests",
                "Requests remembered so that one sent again is recognised",
                recent as f64,
            ),
            gauge("glasshouse_catalog_snapshot", "Newest snapshot of the catalog", snapshot as f64),
        ]);
        for table in Table::ALL {
            let of_table = files.iter().filter(|file| file.table == table);
            let (count, bytes) = of_table.fold((0_u64, 0_u64), |(count, bytes), file| (count + 1, bytes + file.bytes));
            let labels = || vec![("table", table.name().to_owned())];
            figures.push(Figure { labels: labels(), ..gauge("glasshouse_files", "Live data files", count as f64) });
            figures.push(Figure {
                labels: labels(),
                ..gauge("glasshouse_file_bytes", "Bytes of live data files", bytes as f64)
            });
        }
        figures
    }
}

fn gauge(name: &'static str, help: &'static str, value: f64) -> Figure {
    Figure { name, help, is_counter: false, labels: Vec::new(), value }
}

fn total(name: &'static str, help: &'static str, value: f64) -> Figure {
    Figure { is_counter: true, ..gauge(name, help, value) }
}

fn counter(name: &'static str, help: &'static str, counter: &Counter) -> Figure {
    total(name, help, counter.get() as f64)
}

fn seconds(name: &'static str, help: &'static str, nanos: &Counter) -> Figure {
    total(name, help, nanos.get() as f64 / 1e9)
}
