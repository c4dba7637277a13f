//! Builders that decoders fill row by row. A row borrows everything; columns are appended at once.

mod logs;
mod metrics;
mod processes;
mod spans;

use std::sync::Arc;

use arrow::array::{ArrayRef, FixedSizeBinaryBuilder, TimestampNanosecondBuilder};
use arrow::record_batch::RecordBatch;
use glasshouse_model::Timestamp;

pub use logs::{LogRow, LogsBuilder};
pub use metrics::{ExemplarRow, ExponentialRow, MetricRow, MetricsBuilder};
pub use processes::{ProcessRow, ProcessesBuilder};
pub use spans::{EventRow, LinkRow, SpanEventsBuilder, SpanLinksBuilder, SpanRow, SpansBuilder};

use crate::Table;

fn times() -> TimestampNanosecondBuilder {
    TimestampNanosecondBuilder::new().with_timezone("UTC")
}

fn append_id<const N: usize>(builder: &mut FixedSizeBinaryBuilder, id: &[u8; N]) {
    builder.append_value(id).expect("the column has the id's width");
}

fn append_optional_id<const N: usize>(builder: &mut FixedSizeBinaryBuilder, id: Option<&[u8; N]>) {
    match id {
        Some(id) => append_id(builder, id),
        None => builder.append_null(),
    }
}

fn nanos(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::nanos)
}

/// The same time for every row.
fn constant_time(time: Timestamp, rows: usize) -> ArrayRef {
    Arc::new(arrow::array::TimestampNanosecondArray::from_value(time.nanos(), rows).with_timezone("UTC"))
}

/// Memory that a builder took and did not need is given back: what a batch holds counts against the budget.
fn batch(table: Table, mut columns: Vec<ArrayRef>) -> RecordBatch {
    for column in &mut columns {
        if let Some(column) = Arc::get_mut(column) {
            column.shrink_to_fit();
        }
    }
    RecordBatch::try_new(table.stored_schema(), columns).expect("builders make the columns that the table declares")
}
