use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, FixedSizeBinaryBuilder, Float64Builder, Int32Builder, Int64Builder,
    ListArray, NullBufferBuilder, StringBuilder, StructArray, TimestampNanosecondBuilder,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Fields;
use arrow::record_batch::RecordBatch;
use glasshouse_model::{ProcessId, SpanId, Timestamp, TraceId};

use super::{append_id, batch, constant_time, nanos, times};
use crate::Table;
use crate::attributes::packed_to_json;
use crate::schema::{exemplar_fields, exponential_fields, list_item, quantile_fields};

/// A row of `metrics`: one data point.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields are the table's columns")]
pub struct MetricRow<'a> {
    pub time: Timestamp,
    pub start_time: Option<Timestamp>,
    pub process_id: ProcessId,
    pub service_name: &'a str,
    pub name: &'a str,
    pub unit: &'a str,
    pub description: &'a str,
    /// `GAUGE`, `SUM`, `HISTOGRAM`, `EXPONENTIAL_HISTOGRAM` or `SUMMARY`.
    pub kind: &'static str,
    /// `DELTA` or `CUMULATIVE`.
    pub temporality: Option<&'static str>,
    pub is_monotonic: Option<bool>,
    pub value: Option<f64>,
    pub value_int: Option<i64>,
    pub count: Option<i64>,
    pub sum: Option<f64>,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub bucket_bounds: Option<&'a [f64]>,
    pub bucket_counts: Option<&'a [i64]>,
    pub exponential: Option<ExponentialRow<'a>>,
    /// Quantile and value.
    pub quantiles: Option<&'a [(f64, f64)]>,
    pub exemplars: &'a [ExemplarRow<'a>],
    pub flags: u32,
    pub scope_name: &'a str,
    pub scope_version: &'a str,
    /// Packed ([`crate::attributes`]).
    pub attributes: &'a [u8],
}

/// Buckets of an exponential histogram.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields are OpenTelemetry's")]
pub struct ExponentialRow<'a> {
    pub scale: i32,
    pub zero_count: i64,
    pub zero_threshold: f64,
    pub positive_offset: i32,
    pub positive_counts: &'a [i64],
    pub negative_offset: i32,
    pub negative_counts: &'a [i64],
}

/// An exemplar of a data point.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields are OpenTelemetry's")]
pub struct ExemplarRow<'a> {
    pub time: Timestamp,
    pub value: Option<f64>,
    pub value_int: Option<i64>,
    pub trace_id: Option<TraceId>,
    pub span_id: Option<SpanId>,
    /// Packed ([`crate::attributes`]).
    pub attributes: &'a [u8],
}

/// Where the lists of a list column begin and end, and which are absent.
#[derive(Debug)]
struct Lists {
    offsets: Vec<i32>,
    present: NullBufferBuilder,
}

impl Default for Lists {
    fn default() -> Self {
        Self { offsets: vec![0], present: NullBufferBuilder::new(0) }
    }
}

impl Lists {
    /// Ends a list of `len` items; `None` when the row has no list.
    fn push(&mut self, len: Option<usize>) {
        let end = self.offsets.last().copied().unwrap_or(0) + i32::try_from(len.unwrap_or(0)).unwrap_or(i32::MAX);
        self.offsets.push(end);
        self.present.append(len.is_some());
    }

    fn finish(&mut self, items: ArrayRef) -> ArrayRef {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::take(&mut self.offsets)));
        Arc::new(ListArray::new(list_item(items.data_type().clone()), offsets, items, self.present.finish()))
    }
}

#[derive(Debug, Default)]
struct IntegerLists {
    lists: Lists,
    items: Int64Builder,
}

impl IntegerLists {
    fn push(&mut self, values: Option<&[i64]>) {
        self.items.append_slice(values.unwrap_or_default());
        self.lists.push(values.map(<[_]>::len));
    }

    fn finish(&mut self) -> ArrayRef {
        self.lists.finish(Arc::new(self.items.finish()))
    }
}

fn structs(fields: Fields, columns: Vec<ArrayRef>) -> ArrayRef {
    Arc::new(StructArray::new(fields, columns, None))
}

#[derive(Debug, Default)]
struct ExponentialBuilder {
    present: Option<NullBufferBuilder>,
    scale: Int32Builder,
    zero_count: Int64Builder,
    zero_threshold: Float64Builder,
    positive_offset: Int32Builder,
    positive_counts: IntegerLists,
    negative_offset: Int32Builder,
    negative_counts: IntegerLists,
}

impl ExponentialBuilder {
    fn push(&mut self, row: Option<&ExponentialRow<'_>>) {
        self.present.get_or_insert_with(|| NullBufferBuilder::new(0)).append(row.is_some());
        self.scale.append_option(row.map(|r| r.scale));
        self.zero_count.append_option(row.map(|r| r.zero_count));
        self.zero_threshold.append_option(row.map(|r| r.zero_threshold));
        self.positive_offset.append_option(row.map(|r| r.positive_offset));
        self.positive_counts.push(row.map(|r| r.positive_counts));
        self.negative_offset.append_option(row.map(|r| r.negative_offset));
        self.negative_counts.push(row.map(|r| r.negative_counts));
    }

    fn finish(&mut self) -> ArrayRef {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.scale.finish()),
            Arc::new(self.zero_count.finish()),
            Arc::new(self.zero_threshold.finish()),
            Arc::new(self.positive_offset.finish()),
            self.positive_counts.finish(),
            Arc::new(self.negative_offset.finish()),
            self.negative_counts.finish(),
        ];
        let present = self.present.take().and_then(|mut present| present.finish());
        Arc::new(StructArray::new(exponential_fields(), columns, present))
    }
}

#[derive(Debug)]
struct ExemplarsBuilder {
    lists: Lists,
    time: TimestampNanosecondBuilder,
    value: Float64Builder,
    value_int: Int64Builder,
    trace_id: StringBuilder,
    span_id: StringBuilder,
    attributes: StringBuilder,
    json: String,
}

impl ExemplarsBuilder {
    fn push(&mut self, rows: &[ExemplarRow<'_>]) {
        for row in rows {
            self.time.append_value(row.time.nanos());
            self.value.append_option(row.value);
            self.value_int.append_option(row.value_int);
            self.trace_id.append_option(row.trace_id.map(|id| id.to_string()));
            self.span_id.append_option(row.span_id.map(|id| id.to_string()));
            self.json.clear();
            packed_to_json(row.attributes, &mut self.json);
            self.attributes.append_value(&self.json);
        }
        self.lists.push((!rows.is_empty()).then_some(rows.len()));
    }

    fn finish(&mut self) -> ArrayRef {
        let items = structs(
            exemplar_fields(),
            vec![
                Arc::new(self.time.finish()),
                Arc::new(self.value.finish()),
                Arc::new(self.value_int.finish()),
                Arc::new(self.trace_id.finish()),
                Arc::new(self.span_id.finish()),
                Arc::new(self.attributes.finish()),
            ],
        );
        self.lists.finish(items)
    }
}

/// Builds a batch of `metrics`.
#[derive(Debug)]
pub struct MetricsBuilder {
    time: TimestampNanosecondBuilder,
    start_time: TimestampNanosecondBuilder,
    process_id: FixedSizeBinaryBuilder,
    service_name: StringBuilder,
    name: StringBuilder,
    unit: StringBuilder,
    description: StringBuilder,
    kind: StringBuilder,
    temporality: StringBuilder,
    is_monotonic: BooleanBuilder,
    value: Float64Builder,
    value_int: Int64Builder,
    count: Int64Builder,
    sum: Float64Builder,
    min: Float64Builder,
    max: Float64Builder,
    bound_lists: Lists,
    bounds: Float64Builder,
    bucket_counts: IntegerLists,
    exponential: ExponentialBuilder,
    quantile_lists: Lists,
    quantiles: Float64Builder,
    quantile_values: Float64Builder,
    exemplars: ExemplarsBuilder,
    flags: Int64Builder,
    scope_name: StringBuilder,
    scope_version: StringBuilder,
    attributes: BinaryBuilder,
    rows: usize,
}

impl Default for MetricsBuilder {
    fn default() -> Self {
        Self {
            time: times(),
            start_time: times(),
            process_id: FixedSizeBinaryBuilder::new(16),
            service_name: StringBuilder::new(),
            name: StringBuilder::new(),
            unit: StringBuilder::new(),
            description: StringBuilder::new(),
            kind: StringBuilder::new(),
            temporality: StringBuilder::new(),
            is_monotonic: BooleanBuilder::new(),
            value: Float64Builder::new(),
            value_int: Int64Builder::new(),
            count: Int64Builder::new(),
            sum: Float64Builder::new(),
            min: Float64Builder::new(),
            max: Float64Builder::new(),
            bound_lists: Lists::default(),
            bounds: Float64Builder::new(),
            bucket_counts: IntegerLists::default(),
            exponential: ExponentialBuilder::default(),
            quantile_lists: Lists::default(),
            quantiles: Float64Builder::new(),
            quantile_values: Float64Builder::new(),
            exemplars: ExemplarsBuilder {
                lists: Lists::default(),
                time: times(),
                value: Float64Builder::new(),
                value_int: Int64Builder::new(),
                trace_id: StringBuilder::new(),
                span_id: StringBuilder::new(),
                attributes: StringBuilder::new(),
                json: String::new(),
            },
            flags: Int64Builder::new(),
            scope_name: StringBuilder::new(),
            scope_version: StringBuilder::new(),
            attributes: BinaryBuilder::new(),
            rows: 0,
        }
    }
}

impl MetricsBuilder {
    /// Appends a row.
    pub fn push(&mut self, row: &MetricRow<'_>) {
        self.time.append_value(row.time.nanos());
        self.start_time.append_option(nanos(row.start_time));
        append_id(&mut self.process_id, row.process_id.as_bytes());
        self.service_name.append_value(row.service_name);
        self.name.append_value(row.name);
        self.unit.append_value(row.unit);
        self.description.append_value(row.description);
        self.kind.append_value(row.kind);
        self.temporality.append_option(row.temporality);
        self.is_monotonic.append_option(row.is_monotonic);
        self.value.append_option(row.value);
        self.value_int.append_option(row.value_int);
        self.count.append_option(row.count);
        self.sum.append_option(row.sum);
        self.min.append_option(row.min);
        self.max.append_option(row.max);
        self.bounds.append_slice(row.bucket_bounds.unwrap_or_default());
        self.bound_lists.push(row.bucket_bounds.map(<[_]>::len));
        self.bucket_counts.push(row.bucket_counts);
        self.exponential.push(row.exponential.as_ref());
        for (quantile, value) in row.quantiles.unwrap_or_default() {
            self.quantiles.append_value(*quantile);
            self.quantile_values.append_value(*value);
        }
        self.quantile_lists.push(row.quantiles.map(<[_]>::len));
        self.exemplars.push(row.exemplars);
        self.flags.append_value(i64::from(row.flags));
        self.scope_name.append_value(row.scope_name);
        self.scope_version.append_value(row.scope_version);
        self.attributes.append_value(row.attributes);
        self.rows += 1;
    }

    /// The batch; `ingest_time` is the same for all its rows.
    pub fn finish(mut self, ingest_time: Timestamp) -> RecordBatch {
        let quantiles = structs(
            quantile_fields(),
            vec![Arc::new(self.quantiles.finish()), Arc::new(self.quantile_values.finish())],
        );
        batch(
            Table::Metrics,
            vec![
                Arc::new(self.time.finish()),
                Arc::new(self.start_time.finish()),
                Arc::new(self.process_id.finish()),
                Arc::new(self.service_name.finish()),
                Arc::new(self.name.finish()),
                Arc::new(self.unit.finish()),
                Arc::new(self.description.finish()),
                Arc::new(self.kind.finish()),
                Arc::new(self.temporality.finish()),
                Arc::new(self.is_monotonic.finish()),
                Arc::new(self.value.finish()),
                Arc::new(self.value_int.finish()),
                Arc::new(self.count.finish()),
                Arc::new(self.sum.finish()),
                Arc::new(self.min.finish()),
                Arc::new(self.max.finish()),
                self.bound_lists.finish(Arc::new(self.bounds.finish())),
                self.bucket_counts.finish(),
                self.exponential.finish(),
                self.quantile_lists.finish(quantiles),
                self.exemplars.finish(),
                Arc::new(self.flags.finish()),
                Arc::new(self.scope_name.finish()),
                Arc::new(self.scope_version.finish()),
                Arc::new(self.attributes.finish()),
                constant_time(ingest_time, self.rows),
            ],
        )
    }
}
