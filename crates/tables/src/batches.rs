//! Rows of all tables that travel together: what one request holds.

use arrow::record_batch::RecordBatch;

use crate::Table;

/// At most one batch of each table, each of the table's stored schema.
#[derive(Debug, Clone, Default)]
pub struct Batches {
    tables: [Option<RecordBatch>; Table::ALL.len()],
}

impl Batches {
    /// Keeps a table's batch; an empty one counts as none.
    pub fn set(&mut self, table: Table, batch: RecordBatch) {
        debug_assert_eq!(batch.schema().fields(), table.stored_schema().fields(), "stored schema of {}", table.name());
        self.tables[table as usize] = (batch.num_rows() > 0).then_some(batch);
    }

    /// A table's batch.
    pub fn get(&self, table: Table) -> Option<&RecordBatch> {
        self.tables[table as usize].as_ref()
    }

    /// The tables that have rows.
    pub fn iter(&self) -> impl Iterator<Item = (Table, &RecordBatch)> {
        Table::ALL.into_iter().filter_map(|table| Some((table, self.get(table)?)))
    }

    /// Rows of all tables.
    pub fn rows(&self) -> usize {
        self.iter().map(|(_, batch)| batch.num_rows()).sum()
    }

    /// Memory that the batches hold, in bytes.
    pub fn memory(&self) -> usize {
        self.iter().map(|(_, batch)| batch.get_array_memory_size()).sum()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}
