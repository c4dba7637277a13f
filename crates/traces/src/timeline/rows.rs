//! Typed columns of the tables, and rows of them.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, FixedSizeBinaryArray, Float64Array, Int32Array, Int64Array, PrimitiveArray,
    StringArray, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::TimestampNanosecondType;
use arrow::record_batch::RecordBatch;
use glasshouse_model::{ProcessId, Severity, SpanId, SpanKind, StatusCode, Subject, TraceId};
use glasshouse_tables::Table;
use glasshouse_tables::attributes::{AttributeColumns, AttributeRow, Places, Text, TextColumn};

use crate::cells;
use crate::error::Failure;
use crate::spans::Version;

/// A span. Times are nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub struct SpanView<'a> {
    /// Its process.
    pub process_id: ProcessId,
    /// Its service; empty when the subject is a process.
    pub service_name: &'a str,
    /// Its trace.
    pub trace_id: TraceId,
    /// Its id in the trace.
    pub span_id: SpanId,
    /// Its parent; `None` for a root.
    pub parent_span_id: Option<SpanId>,
    /// Operation.
    pub name: Text<'a>,
    /// Role in a call.
    pub kind: SpanKind,
    /// When it started.
    pub start: i64,
    /// When it ended; `None` while it is open.
    pub end: Option<i64>,
    /// The thread that it ran on: id and name.
    pub thread: Option<(i64, &'a str)>,
    /// How it ended.
    pub status: StatusCode,
    /// What went wrong; empty when not said.
    pub status_message: &'a str,
    /// Instrumentation scope; empty when not said.
    pub scope: Text<'a>,
    /// Where its attributes are in the slice ([`super::Visitor::slice`]), …
    pub row: AttributeRow,
    /// … and those that are in none of the columns, packed.
    pub attributes: &'a [u8],
}

/// A link of a span.
#[derive(Debug, Clone, Copy)]
pub struct LinkView<'a> {
    /// Trace linked to.
    pub linked_trace_id: TraceId,
    /// Span linked to.
    pub linked_span_id: SpanId,
    /// Packed attributes.
    pub attributes: &'a [u8],
}

/// An event of a span.
#[derive(Debug, Clone, Copy)]
pub struct EventView<'a> {
    /// Process of the span.
    pub process_id: ProcessId,
    /// Service of the span.
    pub service_name: &'a str,
    /// Trace of the span.
    pub trace_id: TraceId,
    /// The span.
    pub span_id: SpanId,
    /// When it happened.
    pub time: i64,
    /// Its name.
    pub name: &'a str,
    /// Packed attributes.
    pub attributes: &'a [u8],
}

/// A log record.
#[derive(Debug, Clone, Copy)]
pub struct LogView<'a> {
    /// Its process.
    pub process_id: ProcessId,
    /// Its service.
    pub service_name: &'a str,
    /// When it happened.
    pub time: i64,
    /// Severity number.
    pub severity: Severity,
    /// Severity as the sender wrote it.
    pub severity_text: &'a str,
    /// Body, a structured one as JSON text; empty when there is none.
    pub body: &'a str,
    /// Name of the event, when it is one.
    pub event_name: &'a str,
    /// Instrumentation scope; empty when not said.
    pub scope: &'a str,
    /// Trace it belongs to.
    pub trace_id: Option<TraceId>,
    /// Span it belongs to.
    pub span_id: Option<SpanId>,
    /// Packed attributes.
    pub attributes: &'a [u8],
}

/// A metric point. A gauge or a sum has a value, the other kinds have count and sum.
#[derive(Debug, Clone, Copy)]
pub struct PointView<'a> {
    /// Its process.
    pub process_id: ProcessId,
    /// Its service.
    pub service_name: &'a str,
    /// When it was taken.
    pub time: i64,
    /// Name of the metric.
    pub name: &'a str,
    /// Unit (UCUM).
    pub unit: &'a str,
    /// What it measures.
    pub description: &'a str,
    /// Value of a gauge or sum.
    pub value: Option<f64>,
    /// The same, exact, when it was sent as an integer.
    pub value_int: Option<i64>,
    /// Observations in a histogram or summary.
    pub count: Option<i64>,
    /// Sum of the observations.
    pub sum: Option<f64>,
    /// Packed attributes.
    pub attributes: &'a [u8],
}

/// A row of a span, and which of several rows of the span it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanRow<'a> {
    pub view: SpanView<'a>,
    pub version: Version,
}

/// A row of a link, and the span that carries it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LinkRow<'a> {
    pub view: LinkView<'a>,
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub ingest_time: i64,
}

/// A row of an event, and when it was accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventRow<'a> {
    pub view: EventView<'a>,
    pub ingest_time: i64,
}

pub(crate) type Times = PrimitiveArray<TimestampNanosecondType>;

/// Typed columns of a table.
pub(crate) trait Columns: Sized {
    const TABLE: Table;
    /// Names of the columns.
    const NAMES: &'static [&'static str];
    /// Whether they are wanted as files have them.
    const IS_DIVIDED: bool = false;

    /// Names of the columns that are read for a subject.
    fn names(_: Subject) -> &'static [&'static str] {
        Self::NAMES
    }

    /// The columns of a batch with rows of a subject, the `number`th of its slice, divided ones with the rows in this order;
    /// their texts get places.
    fn new(
        subject: Subject,
        batch: &RecordBatch,
        number: u32,
        rows: &[u32],
        places: &mut Places,
    ) -> Result<Self, Failure>;
}

/// Declares the typed columns of a table's rows, and how to find them in a batch.
macro_rules! columns {
    ($name:ident of $table:path { $($field:ident: $type:ty = $cast:path),* $(,)? }) => {
        #[derive(Debug)]
        pub(crate) struct $name { $($field: $type),* }

        impl Columns for $name {
            const TABLE: Table = $table;
            const NAMES: &'static [&'static str] = &[$(stringify!($field)),*];

            fn new(_: Subject, batch: &RecordBatch, _: u32, _: &[u32], _: &mut Places) -> Result<Self, Failure> {
                Ok(Self { $($field: $cast(cells::column(batch, stringify!($field))?)?.clone()),* })
            }
        }
    };
}

fn text(array: &dyn Array) -> Result<&StringArray, Failure> {
    array.as_string_opt().ok_or(Failure::Schema("a column of text"))
}

/// The process of rows.
#[derive(Debug)]
enum Owner {
    /// All are of this one, which is the subject.
    Subject(ProcessId),
    /// Each has its own.
    Each { process_id: FixedSizeBinaryArray, service_name: Box<TextColumn> },
}

/// Columns of spans, text and attributes as files have them.
#[derive(Debug)]
pub(crate) struct SpanColumns {
    /// Which batch of its slice, …
    batch: u32,
    /// … and which of its rows these are.
    rows: Vec<u32>,
    trace_id: FixedSizeBinaryArray,
    span_id: FixedSizeBinaryArray,
    parent_span_id: FixedSizeBinaryArray,
    process: Owner,
    name: TextColumn,
    kind: Vec<SpanKind>,
    start_time: Times,
    end_time: Times,
    status_code: Vec<StatusCode>,
    status_message: TextColumn,
    thread_id: Int64Array,
    thread_name: TextColumn,
    scope_name: TextColumn,
    attributes: AttributeColumns,
    ingest_time: Times,
}

/// Takes columns of a batch with the rows in this order: they are looked at in it, and lie in it then.
pub(crate) fn in_order(batch: &RecordBatch, rows: &[u32]) -> impl Fn(&'static str) -> Result<ArrayRef, Failure> {
    let indices = UInt32Array::from(rows.to_vec());
    move |name| {
        let column = batch.column_by_name(name).ok_or(Failure::Schema(name))?;
        take(column, &indices, None).map_err(|_| Failure::Schema(name))
    }
}

impl Columns for SpanColumns {
    const TABLE: Table = Table::Spans;
    const NAMES: &'static [&'static str] = &[
        "trace_id",
        "span_id",
        "parent_span_id",
        "name",
        "kind",
        "start_time",
        "end_time",
        "status_code",
        "status_message",
        "thread_id",
        "thread_name",
        "scope_name",
        "attributes",
        "ingest_time",
        // Of a trace only.
        "process_id",
        "service_name",
    ];
    const IS_DIVIDED: bool = true;

    fn names(subject: Subject) -> &'static [&'static str] {
        match subject {
            Subject::Process(_) => &Self::NAMES[..Self::NAMES.len() - 2],
            Subject::Trace(_) => Self::NAMES,
        }
    }

    fn new(
        subject: Subject,
        batch: &RecordBatch,
        number: u32,
        rows: &[u32],
        places: &mut Places,
    ) -> Result<Self, Failure> {
        let column = in_order(batch, rows);
        let id = |name| Ok::<_, Failure>(cells::ids(&*column(name)?)?.clone());
        let time = |name| Ok::<_, Failure>(cells::times(&*column(name)?)?.clone());
        let mut text = |name: &'static str| TextColumn::new(&column(name)?, places).ok_or(Failure::Schema(name));
        Ok(Self {
            batch: number,
            rows: rows.to_vec(),
            trace_id: id("trace_id")?,
            span_id: id("span_id")?,
            parent_span_id: id("parent_span_id")?,
            process: match subject {
                Subject::Process(id) => Owner::Subject(id),
                Subject::Trace(_) => {
                    Owner::Each { process_id: id("process_id")?, service_name: Box::new(text("service_name")?) }
                }
            },
            name: text("name")?,
            kind: text("kind")?.parsed(|kind| SpanKind::from_name(kind).unwrap_or_default()),
            start_time: time("start_time")?,
            end_time: time("end_time")?,
            status_code: text("status_code")?.parsed(|code| StatusCode::from_name(code).unwrap_or_default()),
            status_message: text("status_message")?,
            thread_id: cells::integers(&*column("thread_id")?)?.clone(),
            thread_name: text("thread_name")?,
            scope_name: text("scope_name")?,
            attributes: AttributeColumns::new(batch, "attributes", rows).map_err(|_| Failure::Schema("attributes"))?,
            ingest_time: time("ingest_time")?,
        })
    }
}

columns!(EventColumns of Table::SpanEvents {
    trace_id: FixedSizeBinaryArray = cells::ids,
    span_id: FixedSizeBinaryArray = cells::ids,
    process_id: FixedSizeBinaryArray = cells::ids,
    service_name: StringArray = text,
    time: Times = cells::times,
    name: StringArray = text,
    attributes: BinaryArray = cells::bytes,
    ingest_time: Times = cells::times,
});

columns!(LinkColumns of Table::SpanLinks {
    trace_id: FixedSizeBinaryArray = cells::ids,
    span_id: FixedSizeBinaryArray = cells::ids,
    start_time: Times = cells::times,
    linked_trace_id: FixedSizeBinaryArray = cells::ids,
    linked_span_id: FixedSizeBinaryArray = cells::ids,
    attributes: BinaryArray = cells::bytes,
    ingest_time: Times = cells::times,
});

columns!(LogColumns of Table::Logs {
    time: Times = cells::times,
    process_id: FixedSizeBinaryArray = cells::ids,
    service_name: StringArray = text,
    severity_number: Int32Array = cells::severities,
    severity_text: StringArray = text,
    scope_name: StringArray = text,
    event_name: StringArray = text,
    body: StringArray = text,
    trace_id: FixedSizeBinaryArray = cells::ids,
    span_id: FixedSizeBinaryArray = cells::ids,
    attributes: BinaryArray = cells::bytes,
});

columns!(PointColumns of Table::Metrics {
    time: Times = cells::times,
    process_id: FixedSizeBinaryArray = cells::ids,
    service_name: StringArray = text,
    name: StringArray = text,
    unit: StringArray = text,
    description: StringArray = text,
    value: Float64Array = cells::floats,
    value_int: Int64Array = cells::integers,
    count: Int64Array = cells::integers,
    sum: Float64Array = cells::floats,
    attributes: BinaryArray = cells::bytes,
});

fn id(column: &FixedSizeBinaryArray, row: usize) -> Option<&[u8]> {
    column.is_valid(row).then(|| column.value(row))
}

fn text_at(column: &StringArray, row: usize) -> &str {
    if column.is_valid(row) { column.value(row) } else { "" }
}

impl SpanColumns {
    /// The attributes of its rows.
    pub fn attributes(&self) -> &AttributeColumns {
        &self.attributes
    }

    /// The span of a row; `None` when its ids are not valid, which decoders do not let in.
    pub fn row(&self, row: usize) -> Option<SpanRow<'_>> {
        let start = self.start_time.value(row);
        let end = cells::value(&self.end_time, row);
        let thread = cells::value(&self.thread_id, row).map(|id| (id, self.thread_name.str(row)));
        let (process_id, service_name) = match &self.process {
            Owner::Subject(id) => (*id, ""),
            Owner::Each { process_id, service_name } => {
                (ProcessId::from_slice(process_id.value(row))?, service_name.str(row))
            }
        };
        let view = SpanView {
            process_id,
            service_name,
            trace_id: TraceId::from_slice(self.trace_id.value(row))?,
            span_id: SpanId::from_slice(self.span_id.value(row))?,
            parent_span_id: id(&self.parent_span_id, row).and_then(SpanId::from_slice),
            name: self.name.text(row),
            kind: self.kind[row],
            start,
            end,
            thread,
            status: self.status_code[row],
            status_message: self.status_message.str(row),
            scope: self.scope_name.text(row),
            row: AttributeRow { batch: self.batch, row: self.rows[row] },
            attributes: self.attributes.packed(row),
        };
        let ingest_time = self.ingest_time.value(row);
        let version = Version { is_complete: end.is_some(), ingest_time, end_time: end, start_time: start };
        Some(SpanRow { view, version })
    }
}

impl EventColumns {
    /// The event of a row; `None` when its ids are not valid.
    pub fn row(&self, row: usize) -> Option<EventRow<'_>> {
        let view = EventView {
            process_id: ProcessId::from_slice(self.process_id.value(row))?,
            service_name: self.service_name.value(row),
            trace_id: TraceId::from_slice(self.trace_id.value(row))?,
            span_id: SpanId::from_slice(self.span_id.value(row))?,
            time: self.time.value(row),
            name: self.name.value(row),
            attributes: self.attributes.value(row),
        };
        Some(EventRow { view, ingest_time: self.ingest_time.value(row) })
    }
}

impl LinkColumns {
    /// The link of a row; `None` when its ids are not valid.
    pub fn row(&self, row: usize) -> Option<LinkRow<'_>> {
        let view = LinkView {
            linked_trace_id: TraceId::from_slice(self.linked_trace_id.value(row))?,
            linked_span_id: SpanId::from_slice(self.linked_span_id.value(row))?,
            attributes: self.attributes.value(row),
        };
        Some(LinkRow {
            view,
            trace_id: TraceId::from_slice(self.trace_id.value(row))?,
            span_id: SpanId::from_slice(self.span_id.value(row))?,
            ingest_time: self.ingest_time.value(row),
        })
    }

    /// Links of spans that started before a time, and which rows they are.
    pub fn rows_before(&self, time: i64) -> impl Iterator<Item = (u32, LinkRow<'_>)> {
        let is_before = move |row: &usize| self.start_time.value(*row) < time;
        (0..self.start_time.len()).filter(is_before).filter_map(|row| Some((row as u32, self.row(row)?)))
    }
}

impl LogColumns {
    /// The record of a row; `None` when its process id is not valid.
    pub fn row(&self, row: usize) -> Option<LogView<'_>> {
        Some(LogView {
            process_id: ProcessId::from_slice(self.process_id.value(row))?,
            service_name: self.service_name.value(row),
            time: self.time.value(row),
            severity: Severity(self.severity_number.value(row)),
            severity_text: self.severity_text.value(row),
            body: text_at(&self.body, row),
            event_name: self.event_name.value(row),
            scope: self.scope_name.value(row),
            trace_id: id(&self.trace_id, row).and_then(TraceId::from_slice),
            span_id: id(&self.span_id, row).and_then(SpanId::from_slice),
            attributes: self.attributes.value(row),
        })
    }
}

impl PointColumns {
    /// The point of a row; `None` when its process id is not valid.
    pub fn row(&self, row: usize) -> Option<PointView<'_>> {
        Some(PointView {
            process_id: ProcessId::from_slice(self.process_id.value(row))?,
            service_name: self.service_name.value(row),
            time: self.time.value(row),
            name: self.name.value(row),
            unit: self.unit.value(row),
            description: self.description.value(row),
            value: cells::value(&self.value, row),
            value_int: cells::value(&self.value_int, row),
            count: cells::value(&self.count, row),
            sum: cells::value(&self.sum, row),
            attributes: self.attributes.value(row),
        })
    }
}
