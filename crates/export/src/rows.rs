//! Spans among the rows of a query become a Perfetto trace.

use std::collections::HashMap;

use arrow::array::{Array, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampNanosecondType};
use arrow::record_batch::RecordBatch;
use glasshouse_model::{SpanId, SpanKind, StatusCode, TraceId};
use glasshouse_perfetto::{
    Attributes, Process, ProcessIndex, Span, SpanKey, StartOrder, Window, Writer, order_equal_starts,
};
use glasshouse_tables::attributes::{PackedWriter, json_to_packed};
use glasshouse_tables::ports::QueryError;

/// Writes the spans that are the rows of a query. It needs the columns `trace_id`, `span_id`, `name` and `start_time`, and
/// shows others of the table `spans` where they are: `parent_span_id`, `process_id`, `service_name`, `end_time`, `kind`,
/// `status_code`, `status_message`, `thread_id`, `thread_name`, `scope_name`, `attributes`.
#[derive(Debug)]
pub struct SpanRows {
    writer: Writer,
    processes: HashMap<(String, String), ProcessIndex>,
    /// Spans that start at the same moment: their order shows when all of them are there.
    started: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    process: ProcessIndex,
    key: SpanKey,
    parent: Option<SpanId>,
    name: String,
    start: i64,
    end: Option<i64>,
    thread: Option<(i64, String)>,
    kind: SpanKind,
    status: StatusCode,
    status_message: String,
    scope: String,
    attributes: PackedWriter,
}

impl Default for SpanRows {
    fn default() -> Self {
        Self { writer: Writer::new(Window::ALL), processes: HashMap::new(), started: Vec::new() }
    }
}

impl SpanRows {
    /// The statement whose rows come as they are wanted: in order of time.
    pub fn in_order(sql: &str) -> String {
        format!("SELECT * FROM (\n{}\n) ORDER BY start_time", sql.trim().trim_end_matches(';'))
    }

    /// Writes rows; gives the bytes that are ready.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<Vec<u8>, QueryError> {
        let columns = Columns::new(batch)?;
        for row in 0..batch.num_rows() {
            let row = self.row(&columns, row)?;
            if self.started.last().is_some_and(|last| last.start != row.start) {
                self.write();
            }
            self.started.push(row);
        }
        Ok(self.writer.take())
    }

    /// The rest of the trace.
    pub fn finish(mut self) -> Vec<u8> {
        self.write();
        self.writer.finish();
        self.writer.take()
    }

    fn row(&mut self, columns: &Columns, row: usize) -> Result<Row, QueryError> {
        let wrong = |what: &str| QueryError::Invalid(format!("row {row} has no valid {what}"));
        let trace: TraceId = text_at(&columns.trace_id, row).and_then(|id| id.parse().ok()).ok_or(wrong("trace_id"))?;
        let span: SpanId = text_at(&columns.span_id, row).and_then(|id| id.parse().ok()).ok_or(wrong("span_id"))?;
        let start = columns.start_time[row].ok_or(wrong("start_time"))?;
        let (service, process) =
            (optional(columns.service_name.as_ref(), row), optional(columns.process_id.as_ref(), row));
        let of = (service.unwrap_or("spans").to_owned(), process.unwrap_or_default().to_owned());
        let writer = &mut self.writer;
        let process = *self.processes.entry(of).or_insert_with_key(|(name, _)| {
            writer.process(&Process { name, pid: None, command_line: None, start_time: None, labels: &[] })
        });
        let mut attributes = PackedWriter::new();
        if let Some(json) = optional(columns.attributes.as_ref(), row) {
            json_to_packed(json, &mut attributes).map_err(|_| wrong("attributes: they are no JSON object"))?;
        }
        let number = |column: &[Option<i64>]| column.get(row).copied().flatten();
        Ok(Row {
            process,
            key: SpanKey { trace, span },
            parent: optional(columns.parent_span_id.as_ref(), row).and_then(|id| id.parse().ok()),
            name: text_at(&columns.name, row).unwrap_or_default().to_owned(),
            start,
            end: number(&columns.end_time).map(|end| end.max(start)),
            thread: number(&columns.thread_id)
                .map(|id| (id, optional(columns.thread_name.as_ref(), row).unwrap_or_default().to_owned())),
            kind: optional(columns.kind.as_ref(), row).and_then(SpanKind::from_name).unwrap_or_default(),
            status: optional(columns.status_code.as_ref(), row).and_then(StatusCode::from_name).unwrap_or_default(),
            status_message: optional(columns.status_message.as_ref(), row).unwrap_or_default().to_owned(),
            scope: optional(columns.scope_name.as_ref(), row).unwrap_or_default().to_owned(),
            attributes,
        })
    }

    fn write(&mut self) {
        let mut order: Vec<StartOrder<usize>> = self
            .started
            .iter()
            .enumerate()
            .map(|(item, row)| {
                let duration = row.end.map(|end| end.saturating_sub(row.start));
                StartOrder { key: row.key, parent: row.parent, duration, item }
            })
            .collect();
        order_equal_starts(&mut order);
        for StartOrder { item, .. } in order {
            let row = &self.started[item];
            let span = Span {
                process: row.process,
                key: row.key,
                parent: row.parent,
                name: row.name.as_str().into(),
                start: row.start,
                end: row.end,
                thread: row.thread.as_ref().map(|(id, name)| (*id, name.as_str())),
                kind: row.kind,
                status: row.status,
                status_message: &row.status_message,
                scope: row.scope.as_str().into(),
                clock_skew: None,
                attributes: Attributes::Packed(row.attributes.packed()),
            };
            self.writer.span(&span, &[]);
        }
        self.started.clear();
    }
}

/// The columns that are shown.
struct Columns {
    trace_id: StringArray,
    span_id: StringArray,
    parent_span_id: Option<StringArray>,
    process_id: Option<StringArray>,
    service_name: Option<StringArray>,
    name: StringArray,
    start_time: Vec<Option<i64>>,
    /// These are empty when there is no such column.
    end_time: Vec<Option<i64>>,
    thread_id: Vec<Option<i64>>,
    thread_name: Option<StringArray>,
    kind: Option<StringArray>,
    status_code: Option<StringArray>,
    status_message: Option<StringArray>,
    scope_name: Option<StringArray>,
    attributes: Option<StringArray>,
}

impl Columns {
    fn new(batch: &RecordBatch) -> Result<Self, QueryError> {
        let missing = |name: &str| {
            QueryError::Invalid(format!(
                "the query has no column {name}; a trace needs trace_id, span_id, name and start_time"
            ))
        };
        let converted = |name: &str, to: &DataType| {
            let column = batch.column_by_name(name).map(|column| cast(column, to)).transpose();
            column.map_err(|error| QueryError::Invalid(format!("{name} is not what it should be: {error}")))
        };
        let text = |name: &str| {
            Ok::<_, QueryError>(converted(name, &DataType::Utf8)?.map(|column| column.as_string::<i32>().clone()))
        };
        let time = |name: &str| {
            let column = converted(name, &DataType::Timestamp(TimeUnit::Nanosecond, None))?;
            Ok::<_, QueryError>(
                column.map(|column| column.as_primitive::<TimestampNanosecondType>().iter().collect::<Vec<_>>()),
            )
        };
        let thread_id = converted("thread_id", &DataType::Int64)?;
        let thread_id = thread_id.map(|column| column.as_primitive::<Int64Type>().iter().collect());
        Ok(Self {
            trace_id: text("trace_id")?.ok_or_else(|| missing("trace_id"))?,
            span_id: text("span_id")?.ok_or_else(|| missing("span_id"))?,
            parent_span_id: text("parent_span_id")?,
            process_id: text("process_id")?,
            service_name: text("service_name")?,
            name: text("name")?.ok_or_else(|| missing("name"))?,
            start_time: time("start_time")?.ok_or_else(|| missing("start_time"))?,
            end_time: time("end_time")?.unwrap_or_default(),
            thread_id: thread_id.unwrap_or_default(),
            thread_name: text("thread_name")?,
            kind: text("kind")?,
            status_code: text("status_code")?,
            status_message: text("status_message")?,
            scope_name: text("scope_name")?,
            attributes: text("attributes")?,
        })
    }
}

fn text_at(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

fn optional(column: Option<&StringArray>, row: usize) -> Option<&str> {
    text_at(column?, row)
}
