use std::sync::Arc;

use arrow::array::{
    BinaryBuilder, FixedSizeBinaryBuilder, Float64Builder, Int64Builder, StringBuilder, TimestampNanosecondBuilder,
};
use arrow::record_batch::RecordBatch;
use glasshouse_model::{ProcessId, SpanId, SpanKind, StatusCode, Timestamp, TraceId};

use super::{append_id, append_optional_id, batch, constant_time, nanos, times};
use crate::Table;

/// A row of `spans`.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields are the table's columns")]
pub struct SpanRow<'a> {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub parent_span_id: Option<SpanId>,
    pub process_id: ProcessId,
    pub service_name: &'a str,
    pub name: &'a str,
    pub kind: SpanKind,
    pub start_time: Timestamp,
    /// `None` while the span is open.
    pub end_time: Option<Timestamp>,
    pub status_code: StatusCode,
    pub status_message: &'a str,
    pub thread_id: Option<i64>,
    pub thread_name: Option<&'a str>,
    pub scope_name: &'a str,
    pub scope_version: &'a str,
    pub trace_state: &'a str,
    pub flags: u32,
    /// Packed ([`crate::attributes`]).
    pub attributes: &'a [u8],
    pub dropped_attributes_count: u32,
    pub dropped_events_count: u32,
    pub dropped_links_count: u32,
    pub sample_weight: f64,
}

/// Builds a batch of `spans`.
#[derive(Debug)]
pub struct SpansBuilder {
    trace_id: FixedSizeBinaryBuilder,
    span_id: FixedSizeBinaryBuilder,
    parent_span_id: FixedSizeBinaryBuilder,
    process_id: FixedSizeBinaryBuilder,
    service_name: StringBuilder,
    name: StringBuilder,
    kind: StringBuilder,
    start_time: TimestampNanosecondBuilder,
    end_time: TimestampNanosecondBuilder,
    duration_ns: Int64Builder,
    status_code: StringBuilder,
    status_message: StringBuilder,
    thread_id: Int64Builder,
    thread_name: StringBuilder,
    scope_name: StringBuilder,
    scope_version: StringBuilder,
    trace_state: StringBuilder,
    flags: Int64Builder,
    attributes: BinaryBuilder,
    dropped_attributes_count: Int64Builder,
    dropped_events_count: Int64Builder,
    dropped_links_count: Int64Builder,
    sample_weight: Float64Builder,
    rows: usize,
}

impl SpansBuilder {
    /// A builder with room for `rows` rows of the usual size.
    pub fn with_capacity(rows: usize) -> Self {
        let text = |bytes: usize| StringBuilder::with_capacity(rows, rows * bytes);
        let ids = |width| FixedSizeBinaryBuilder::with_capacity(rows, width);
        let integers = || Int64Builder::with_capacity(rows);
        Self {
            trace_id: ids(16),
            span_id: ids(8),
            parent_span_id: ids(8),
            process_id: ids(16),
            service_name: text(16),
            name: text(24),
            kind: text(8),
            start_time: TimestampNanosecondBuilder::with_capacity(rows).with_timezone("UTC"),
            end_time: TimestampNanosecondBuilder::with_capacity(rows).with_timezone("UTC"),
            duration_ns: integers(),
            status_code: text(5),
            status_message: text(0),
            thread_id: integers(),
            thread_name: text(0),
            scope_name: text(16),
            scope_version: text(6),
            trace_state: text(0),
            flags: integers(),
            attributes: BinaryBuilder::with_capacity(rows, rows * 512),
            dropped_attributes_count: integers(),
            dropped_events_count: integers(),
            dropped_links_count: integers(),
            sample_weight: Float64Builder::with_capacity(rows),
            rows: 0,
        }
    }

    /// Appends a row.
    pub fn push(&mut self, row: &SpanRow<'_>) {
        append_id(&mut self.trace_id, row.trace_id.as_bytes());
        append_id(&mut self.span_id, row.span_id.as_bytes());
        append_optional_id(&mut self.parent_span_id, row.parent_span_id.as_ref().map(SpanId::as_bytes));
        append_id(&mut self.process_id, row.process_id.as_bytes());
        self.service_name.append_value(row.service_name);
        self.name.append_value(row.name);
        self.kind.append_value(row.kind.as_str());
        self.start_time.append_value(row.start_time.nanos());
        self.end_time.append_option(nanos(row.end_time));
        self.duration_ns.append_option(row.end_time.map(|end| (end - row.start_time).nanos()));
        self.status_code.append_value(row.status_code.as_str());
        self.status_message.append_value(row.status_message);
        self.thread_id.append_option(row.thread_id);
        self.thread_name.append_option(row.thread_name);
        self.scope_name.append_value(row.scope_name);
        self.scope_version.append_value(row.scope_version);
        self.trace_state.append_value(row.trace_state);
        self.flags.append_value(i64::from(row.flags));
        self.attributes.append_value(row.attributes);
        self.dropped_attributes_count.append_value(i64::from(row.dropped_attributes_count));
        self.dropped_events_count.append_value(i64::from(row.dropped_events_count));
        self.dropped_links_count.append_value(i64::from(row.dropped_links_count));
        self.sample_weight.append_value(row.sample_weight);
        self.rows += 1;
    }

    /// Rows so far.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The batch; `ingest_time` is the same for all its rows.
    pub fn finish(mut self, ingest_time: Timestamp) -> RecordBatch {
        batch(
            Table::Spans,
            vec![
                Arc::new(self.trace_id.finish()),
                Arc::new(self.span_id.finish()),
                Arc::new(self.parent_span_id.finish()),
                Arc::new(self.process_id.finish()),
                Arc::new(self.service_name.finish()),
                Arc::new(self.name.finish()),
                Arc::new(self.kind.finish()),
                Arc::new(self.start_time.finish()),
                Arc::new(self.end_time.finish()),
                Arc::new(self.duration_ns.finish()),
                Arc::new(self.status_code.finish()),
                Arc::new(self.status_message.finish()),
                Arc::new(self.thread_id.finish()),
                Arc::new(self.thread_name.finish()),
                Arc::new(self.scope_name.finish()),
                Arc::new(self.scope_version.finish()),
                Arc::new(self.trace_state.finish()),
                Arc::new(self.flags.finish()),
                Arc::new(self.attributes.finish()),
                Arc::new(self.dropped_attributes_count.finish()),
                Arc::new(self.dropped_events_count.finish()),
                Arc::new(self.dropped_links_count.finish()),
                Arc::new(self.sample_weight.finish()),
                constant_time(ingest_time, self.rows),
            ],
        )
    }
}

/// A row of `span_events`.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields are the table's columns")]
pub struct EventRow<'a> {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub process_id: ProcessId,
    pub service_name: &'a str,
    pub time: Timestamp,
    pub name: &'a str,
    /// Packed ([`crate::attributes`]).
    pub attributes: &'a [u8],
    pub dropped_attributes_count: u32,
}

/// Builds a batch of `span_events`.
#[derive(Debug)]
pub struct SpanEventsBuilder {
    trace_id: FixedSizeBinaryBuilder,
    span_id: FixedSizeBinaryBuilder,
    process_id: FixedSizeBinaryBuilder,
    service_name: StringBuilder,
    time: TimestampNanosecondBuilder,
    name: StringBuilder,
    attributes: BinaryBuilder,
    dropped_attributes_count: Int64Builder,
    rows: usize,
}

impl Default for SpanEventsBuilder {
    fn default() -> Self {
        Self {
            trace_id: FixedSizeBinaryBuilder::new(16),
            span_id: FixedSizeBinaryBuilder::new(8),
            process_id: FixedSizeBinaryBuilder::new(16),
            service_name: StringBuilder::new(),
            time: times(),
            name: StringBuilder::new(),
            attributes: BinaryBuilder::new(),
            dropped_attributes_count: Int64Builder::new(),
            rows: 0,
        }
    }
}

impl SpanEventsBuilder {
    /// Appends a row.
    pub fn push(&mut self, row: &EventRow<'_>) {
        append_id(&mut self.trace_id, row.trace_id.as_bytes());
        append_id(&mut self.span_id, row.span_id.as_bytes());
        append_id(&mut self.process_id, row.process_id.as_bytes());
        self.service_name.append_value(row.service_name);
        self.time.append_value(row.time.nanos());
        self.name.append_value(row.name);
        self.attributes.append_value(row.attributes);
        self.dropped_attributes_count.append_value(i64::from(row.dropped_attributes_count));
        self.rows += 1;
    }

    /// The batch; `ingest_time` is the same for all its rows.
    pub fn finish(mut self, ingest_time: Timestamp) -> RecordBatch {
        batch(
            Table::SpanEvents,
            vec![
                Arc::new(self.trace_id.finish()),
                Arc::new(self.span_id.finish()),
                Arc::new(self.process_id.finish()),
                Arc::new(self.service_name.finish()),
                Arc::new(self.time.finish()),
                Arc::new(self.name.finish()),
                Arc::new(self.attributes.finish()),
                Arc::new(self.dropped_attributes_count.finish()),
                constant_time(ingest_time, self.rows),
            ],
        )
    }
}

/// A row of `span_links`.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields are the table's columns")]
pub struct LinkRow<'a> {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub process_id: ProcessId,
    pub service_name: &'a str,
    /// Start of the span that carries the link.
    pub start_time: Timestamp,
    pub linked_trace_id: TraceId,
    pub linked_span_id: SpanId,
    pub trace_state: &'a str,
    /// Packed ([`crate::attributes`]).
    pub attributes: &'a [u8],
    pub flags: u32,
    pub dropped_attributes_count: u32,
}

/// Builds a batch of `span_links`.
#[derive(Debug)]
pub struct SpanLinksBuilder {
    trace_id: FixedSizeBinaryBuilder,
    span_id: FixedSizeBinaryBuilder,
    process_id: FixedSizeBinaryBuilder,
    service_name: StringBuilder,
    start_time: TimestampNanosecondBuilder,
    linked_trace_id: FixedSizeBinaryBuilder,
    linked_span_id: FixedSizeBinaryBuilder,
    trace_state: StringBuilder,
    attributes: BinaryBuilder,
    flags: Int64Builder,
    dropped_attributes_count: Int64Builder,
    rows: usize,
}

impl Default for SpanLinksBuilder {
    fn default() -> Self {
        Self {
            trace_id: FixedSizeBinaryBuilder::new(16),
            span_id: FixedSizeBinaryBuilder::new(8),
            process_id: FixedSizeBinaryBuilder::new(16),
            service_name: StringBuilder::new(),
            start_time: times(),
            linked_trace_id: FixedSizeBinaryBuilder::new(16),
            linked_span_id: FixedSizeBinaryBuilder::new(8),
            trace_state: StringBuilder::new(),
            attributes: BinaryBuilder::new(),
            flags: Int64Builder::new(),
            dropped_attributes_count: Int64Builder::new(),
            rows: 0,
        }
    }
}

impl SpanLinksBuilder {
    /// Appends a row.
    pub fn push(&mut self, row: &LinkRow<'_>) {
        append_id(&mut self.trace_id, row.trace_id.as_bytes());
        append_id(&mut self.span_id, row.span_id.as_bytes());
        append_id(&mut self.process_id, row.process_id.as_bytes());
        self.service_name.append_value(row.service_name);
        self.start_time.append_value(row.start_time.nanos());
        append_id(&mut self.linked_trace_id, row.linked_trace_id.as_bytes());
        append_id(&mut self.linked_span_id, row.linked_span_id.as_bytes());
        self.trace_state.append_value(row.trace_state);
        self.attributes.append_value(row.attributes);
        self.flags.append_value(i64::from(row.flags));
        self.dropped_attributes_count.append_value(i64::from(row.dropped_attributes_count));
        self.rows += 1;
    }

    /// The batch; `ingest_time` is the same for all its rows.
    pub fn finish(mut self, ingest_time: Timestamp) -> RecordBatch {
        batch(
            Table::SpanLinks,
            vec![
                Arc::new(self.trace_id.finish()),
                Arc::new(self.span_id.finish()),
                Arc::new(self.process_id.finish()),
                Arc::new(self.service_name.finish()),
                Arc::new(self.start_time.finish()),
                Arc::new(self.linked_trace_id.finish()),
                Arc::new(self.linked_span_id.finish()),
                Arc::new(self.trace_state.finish()),
                Arc::new(self.attributes.finish()),
                Arc::new(self.flags.finish()),
                Arc::new(self.dropped_attributes_count.finish()),
                constant_time(ingest_time, self.rows),
            ],
        )
    }
}
