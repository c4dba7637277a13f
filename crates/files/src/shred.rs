use arrow::record_batch::RecordBatch;
use glasshouse_tables::{ShreddedColumn, Table};

/// The attribute keys that deserve a column in the files of these batches (of the stored schema): those
/// on at least 1 % of the rows, most frequent first. Empty for tables that keep attributes whole.
/// Judged by a sample of the rows.
pub fn choose_shredded(table: Table, batches: &[RecordBatch]) -> Vec<ShreddedColumn> {
    let _ = (table, batches);
    todo!()
}
