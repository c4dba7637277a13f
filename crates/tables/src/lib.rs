//! Each table of the lake, declared once: columns, types, documentation and order; the builders that
//! decoders fill; and the ports through which the parts of Glasshouse speak to each other.

pub mod attributes;
pub mod batches;
mod builders;
mod file;
pub mod ports;
mod schema;
mod shred;
mod snapshot;

pub use batches::Batches;
pub use builders::{
    EventRow, ExemplarRow, ExponentialRow, LinkRow, LogRow, LogsBuilder, MetricRow, MetricsBuilder, ProcessRow,
    ProcessesBuilder, SpanEventsBuilder, SpanLinksBuilder, SpanRow, SpansBuilder,
};
pub use file::{ColumnIds, ColumnStats, NewFile, StatValue};
pub use schema::{Column, ColumnType, SortOrder, Table};
pub use shred::{ShredType, ShreddedColumn};
pub use snapshot::{DataFile, Snapshot, SnapshotSource};
