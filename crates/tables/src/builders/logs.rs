use std::sync::Arc;

use arrow::array::{
    BinaryBuilder, FixedSizeBinaryBuilder, Int32Builder, Int64Builder, StringBuilder, TimestampNanosecondBuilder,
};
use arrow::record_batch::RecordBatch;
use glasshouse_model::{ProcessId, Severity, SpanId, Timestamp, TraceId};

use super::{append_id, append_optional_id, batch, constant_time, nanos, times};
use crate::Table;
use crate::attributes::ValueRef;

/// A row of `logs`.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields are the table's columns")]
pub struct LogRow<'a> {
    pub time: Timestamp,
    pub observed_time: Option<Timestamp>,
    pub process_id: ProcessId,
    pub service_name: &'a str,
    pub severity: Severity,
    pub severity_text: &'a str,
    pub scope_name: &'a str,
    pub scope_version: &'a str,
    pub event_name: &'a str,
    pub body: ValueRef<'a>,
    pub trace_id: Option<TraceId>,
    pub span_id: Option<SpanId>,
    pub flags: u32,
    /// Packed ([`crate::attributes`]).
    pub attributes: &'a [u8],
    pub dropped_attributes_count: u32,
}

/// Builds a batch of `logs`.
#[derive(Debug)]
pub struct LogsBuilder {
    time: TimestampNanosecondBuilder,
    observed_time: TimestampNanosecondBuilder,
    process_id: FixedSizeBinaryBuilder,
    service_name: StringBuilder,
    severity_number: Int32Builder,
    severity_text: StringBuilder,
    level: Int32Builder,
    scope_name: StringBuilder,
    scope_version: StringBuilder,
    event_name: StringBuilder,
    body: StringBuilder,
    body_type: StringBuilder,
    trace_id: FixedSizeBinaryBuilder,
    span_id: FixedSizeBinaryBuilder,
    flags: Int64Builder,
    attributes: BinaryBuilder,
    dropped_attributes_count: Int64Builder,
    rows: usize,
}

impl Default for LogsBuilder {
    fn default() -> Self {
        Self {
            time: times(),
            observed_time: times(),
            process_id: FixedSizeBinaryBuilder::new(16),
            service_name: StringBuilder::new(),
            severity_number: Int32Builder::new(),
            severity_text: StringBuilder::new(),
            level: Int32Builder::new(),
            scope_name: StringBuilder::new(),
            scope_version: StringBuilder::new(),
            event_name: StringBuilder::new(),
            body: StringBuilder::new(),
            body_type: StringBuilder::new(),
            trace_id: FixedSizeBinaryBuilder::new(16),
            span_id: FixedSizeBinaryBuilder::new(8),
            flags: Int64Builder::new(),
            attributes: BinaryBuilder::new(),
            dropped_attributes_count: Int64Builder::new(),
            rows: 0,
        }
    }
}

impl LogsBuilder {
    /// Appends a row.
    pub fn push(&mut self, row: &LogRow<'_>) {
        self.time.append_value(row.time.nanos());
        self.observed_time.append_option(nanos(row.observed_time));
        append_id(&mut self.process_id, row.process_id.as_bytes());
        self.service_name.append_value(row.service_name);
        self.severity_number.append_value(row.severity.0);
        self.severity_text.append_value(row.severity_text);
        self.level.append_option(row.severity.level().map(|level| level as i32));
        self.scope_name.append_value(row.scope_name);
        self.scope_version.append_value(row.scope_version);
        self.event_name.append_value(row.event_name);
        match row.body {
            ValueRef::Empty => {
                self.body.append_null();
                self.body_type.append_null();
            }
            ValueRef::String(text) => {
                self.body.append_value(text);
                self.body_type.append_value("STRING");
            }
            other => {
                self.body.append_value(other.to_json());
                self.body_type.append_value("JSON");
            }
        }
        append_optional_id(&mut self.trace_id, row.trace_id.as_ref().map(TraceId::as_bytes));
        append_optional_id(&mut self.span_id, row.span_id.as_ref().map(SpanId::as_bytes));
        self.flags.append_value(i64::from(row.flags));
        self.attributes.append_value(row.attributes);
        self.dropped_attributes_count.append_value(i64::from(row.dropped_attributes_count));
        self.rows += 1;
    }

    /// The batch; `ingest_time` is the same for all its rows.
    pub fn finish(mut self, ingest_time: Timestamp) -> RecordBatch {
        batch(
            Table::Logs,
            vec![
                Arc::new(self.time.finish()),
                Arc::new(self.observed_time.finish()),
                Arc::new(self.process_id.finish()),
                Arc::new(self.service_name.finish()),
                Arc::new(self.severity_number.finish()),
                Arc::new(self.severity_text.finish()),
                Arc::new(self.level.finish()),
                Arc::new(self.scope_name.finish()),
                Arc::new(self.scope_version.finish()),
                Arc::new(self.event_name.finish()),
                Arc::new(self.body.finish()),
                Arc::new(self.body_type.finish()),
                Arc::new(self.trace_id.finish()),
                Arc::new(self.span_id.finish()),
                Arc::new(self.flags.finish()),
                Arc::new(self.attributes.finish()),
                Arc::new(self.dropped_attributes_count.finish()),
                constant_time(ingest_time, self.rows),
            ],
        )
    }
}
