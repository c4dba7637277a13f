//! Whole spans, each once.

use std::collections::HashMap;

use arrow::array::AsArray;
use arrow::array::{Array, BinaryArray, FixedSizeBinaryArray, Int64Array, PrimitiveArray, StringArray};
use arrow::datatypes::TimestampNanosecondType;
use arrow::record_batch::RecordBatch;
use glasshouse_model::{ProcessId, Span, SpanId, SpanKind, StatusCode, Timestamp, TraceId};
use glasshouse_tables::attributes;

use crate::cells;
use crate::error::Failure;

/// Which of several rows of one span counts: the greatest. A completed row beats an open one, what was
/// accepted later beats what was accepted earlier; the rest only makes the choice definite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    pub is_complete: bool,
    pub ingest_time: i64,
    pub end_time: Option<i64>,
    pub start_time: i64,
}

/// What tells the versions of spans apart, in columns.
#[derive(Debug)]
pub(crate) struct Versions<'a> {
    start: &'a PrimitiveArray<TimestampNanosecondType>,
    end: &'a PrimitiveArray<TimestampNanosecondType>,
    ingest: &'a PrimitiveArray<TimestampNanosecondType>,
}

impl<'a> Versions<'a> {
    /// The columns that it needs.
    pub const COLUMNS: [&'static str; 3] = ["start_time", "end_time", "ingest_time"];

    pub fn new(batch: &'a RecordBatch) -> Result<Self, Failure> {
        let time = |name| cells::times(cells::column(batch, name)?);
        Ok(Self { start: time("start_time")?, end: time("end_time")?, ingest: time("ingest_time")? })
    }

    pub fn of(&self, row: usize) -> Version {
        let end_time = cells::value(self.end, row);
        Version {
            is_complete: end_time.is_some(),
            ingest_time: self.ingest.value(row),
            end_time,
            start_time: self.start.value(row),
        }
    }
}

/// The columns of whole spans.
pub(crate) const WHOLE: &[&str] = &[
    "trace_id",
    "span_id",
    "parent_span_id",
    "process_id",
    "service_name",
    "name",
    "kind",
    "start_time",
    "end_time",
    "status_code",
    "status_message",
    "thread_id",
    "thread_name",
    "scope_name",
    "scope_version",
    "trace_state",
    "flags",
    "dropped_attributes_count",
    "dropped_events_count",
    "dropped_links_count",
    "ingest_time",
    "attributes",
];
/// In files, attributes are about as many columns as all others together, so they may be read apart from them.
pub(crate) const COLUMNS: &[&str] = WHOLE.split_at(WHOLE.len() - 1).0;
/// The rest.
pub(crate) const ATTRIBUTES: &[&str] = WHOLE.split_at(WHOLE.len() - 1).1;

/// Which row of a span counts.
#[derive(Debug)]
struct Chosen {
    version: Version,
    batch: usize,
    row: usize,
}

/// The spans among rows, without events and links, in order of start, then of id. `found` has the rows'
/// [`COLUMNS`], `attributes` has the same rows' [`ATTRIBUTES`].
pub(crate) fn load(found: &[RecordBatch], attributes: &[RecordBatch]) -> Result<Vec<Span>, Failure> {
    let batches = found.iter().zip(attributes);
    choose(batches.map(|(found, attributes)| SpanColumns::new(found, attributes)))
}

/// The same of batches that have the columns of [`WHOLE`] spans.
pub(crate) fn load_whole(batches: &[RecordBatch]) -> Result<Vec<Span>, Failure> {
    choose(batches.iter().map(|batch| SpanColumns::new(batch, batch)))
}

fn choose<'a>(batches: impl Iterator<Item = Result<SpanColumns<'a>, Failure>>) -> Result<Vec<Span>, Failure> {
    let batches = batches.collect::<Result<Vec<_>, _>>()?;
    let mut chosen: HashMap<(&[u8], &[u8]), Chosen> = HashMap::new();
    for (batch, columns) in batches.iter().enumerate() {
        for row in 0..columns.trace_id.len() {
            let version = columns.versions.of(row);
            let key = (columns.trace_id.value(row), columns.span_id.value(row));
            chosen
                .entry(key)
                .and_modify(|known| {
                    if known.version < version {
                        *known = Chosen { version, batch, row };
                    }
                })
                .or_insert(Chosen { version, batch, row });
        }
    }
    let mut spans: Vec<Span> =
        chosen.into_values().filter_map(|chosen| batches[chosen.batch].span(chosen.row)).collect();
    spans.sort_unstable_by_key(|span| (span.start_time, span.span_id));
    Ok(spans)
}

struct SpanColumns<'a> {
    trace_id: &'a FixedSizeBinaryArray,
    span_id: &'a FixedSizeBinaryArray,
    parent_span_id: &'a FixedSizeBinaryArray,
    process_id: &'a FixedSizeBinaryArray,
    service_name: &'a StringArray,
    name: &'a StringArray,
    kind: &'a StringArray,
    versions: Versions<'a>,
    status_code: &'a StringArray,
    status_message: &'a StringArray,
    thread_id: &'a Int64Array,
    thread_name: &'a StringArray,
    scope_name: &'a StringArray,
    scope_version: &'a StringArray,
    trace_state: &'a StringArray,
    flags: &'a Int64Array,
    attributes: &'a BinaryArray,
    dropped_attributes_count: &'a Int64Array,
    dropped_events_count: &'a Int64Array,
    dropped_links_count: &'a Int64Array,
}

impl<'a> SpanColumns<'a> {
    fn new(batch: &'a RecordBatch, attributes: &'a RecordBatch) -> Result<Self, Failure> {
        let id = |name| cells::ids(cells::column(batch, name)?);
        let text = |name| texts(batch, name);
        let integer = |name| cells::integers(cells::column(batch, name)?);
        Ok(Self {
            trace_id: id("trace_id")?,
            span_id: id("span_id")?,
            parent_span_id: id("parent_span_id")?,
            process_id: id("process_id")?,
            service_name: text("service_name")?,
            name: text("name")?,
            kind: text("kind")?,
            versions: Versions::new(batch)?,
            status_code: text("status_code")?,
            status_message: text("status_message")?,
            thread_id: integer("thread_id")?,
            thread_name: text("thread_name")?,
            scope_name: text("scope_name")?,
            scope_version: text("scope_version")?,
            trace_state: text("trace_state")?,
            flags: integer("flags")?,
            attributes: cells::bytes(cells::column(attributes, "attributes")?)?,
            dropped_attributes_count: integer("dropped_attributes_count")?,
            dropped_events_count: integer("dropped_events_count")?,
            dropped_links_count: integer("dropped_links_count")?,
        })
    }

    /// The span of a row; `None` when its ids are not valid, which decoders do not let in.
    fn span(&self, row: usize) -> Option<Span> {
        let Version { start_time, end_time, .. } = self.versions.of(row);
        let parent = self.parent_span_id.is_valid(row).then(|| self.parent_span_id.value(row));
        Some(Span {
            trace_id: TraceId::from_slice(self.trace_id.value(row))?,
            span_id: SpanId::from_slice(self.span_id.value(row))?,
            parent_span_id: parent.and_then(SpanId::from_slice),
            process_id: ProcessId::from_slice(self.process_id.value(row))?,
            service_name: self.service_name.value(row).to_owned(),
            name: self.name.value(row).to_owned(),
            kind: SpanKind::from_name(self.kind.value(row)).unwrap_or_default(),
            start_time: Timestamp::from_nanos(start_time),
            end_time: end_time.map(Timestamp::from_nanos),
            status_code: StatusCode::from_name(self.status_code.value(row)).unwrap_or_default(),
            status_message: self.status_message.value(row).to_owned(),
            thread_id: cells::value(self.thread_id, row),
            thread_name: self.thread_name.is_valid(row).then(|| self.thread_name.value(row).to_owned()),
            scope_name: self.scope_name.value(row).to_owned(),
            scope_version: self.scope_version.value(row).to_owned(),
            trace_state: self.trace_state.value(row).to_owned(),
            flags: self.flags.value(row) as u32,
            attributes: attributes::to_model(self.attributes.value(row)),
            dropped_attributes_count: self.dropped_attributes_count.value(row) as u32,
            dropped_events_count: self.dropped_events_count.value(row) as u32,
            dropped_links_count: self.dropped_links_count.value(row) as u32,
            events: Vec::new(),
            links: Vec::new(),
        })
    }
}

/// A text column of the stored schema.
pub(crate) fn texts<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a StringArray, Failure> {
    cells::column(batch, name)?.as_string_opt().ok_or(Failure::Schema(name))
}
