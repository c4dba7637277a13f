//! What is drawn of spans, in order of their start.

use std::collections::HashMap;
use std::ops::ControlFlow;

use arrow::array::{Array, FixedSizeBinaryArray, Int64Array};
use arrow::record_batch::RecordBatch;
use glasshouse_model::{SpanId, StatusCode, Subject, TraceId};
use glasshouse_tables::Table;
use glasshouse_tables::attributes::{Places, Text, TextColumn};
use glasshouse_tables::ports::QueryError;

use super::rows::{Columns, Times, in_order};
use super::{Feed, Timeline};
use crate::cells;
use crate::error::Failure;
use crate::spans::Version;

/// As much of a span as is drawn. Times are nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub struct SliceView<'a> {
    /// Its trace.
    pub trace_id: TraceId,
    /// Its id in the trace.
    pub span_id: SpanId,
    /// Its parent; `None` for a root.
    pub parent_span_id: Option<SpanId>,
    /// Operation.
    pub name: Text<'a>,
    /// When it started.
    pub start: i64,
    /// When it ended; `None` while it is open.
    pub end: Option<i64>,
    /// The thread that it ran on: id and name.
    pub thread: Option<(i64, &'a str)>,
    /// How it ended.
    pub status: StatusCode,
}

#[derive(Debug)]
struct SliceColumns {
    trace_id: FixedSizeBinaryArray,
    span_id: FixedSizeBinaryArray,
    parent_span_id: FixedSizeBinaryArray,
    name: TextColumn,
    start_time: Times,
    end_time: Times,
    status_code: Vec<StatusCode>,
    thread_id: Int64Array,
    thread_name: TextColumn,
    ingest_time: Times,
}

impl Columns for SliceColumns {
    const TABLE: Table = Table::Spans;
    const NAMES: &'static [&'static str] = &[
        "trace_id",
        "span_id",
        "parent_span_id",
        "name",
        "start_time",
        "end_time",
        "status_code",
        "thread_id",
        "thread_name",
        "ingest_time",
    ];
    const IS_DIVIDED: bool = true;

    fn new(_: Subject, batch: &RecordBatch, _: u32, rows: &[u32], places: &mut Places) -> Result<Self, Failure> {
        let column = in_order(batch, rows);
        let id = |name| Ok::<_, Failure>(cells::ids(&*column(name)?)?.clone());
        let time = |name| Ok::<_, Failure>(cells::times(&*column(name)?)?.clone());
        let mut text = |name: &'static str| TextColumn::new(&column(name)?, places).ok_or(Failure::Schema(name));
        Ok(Self {
            trace_id: id("trace_id")?,
            span_id: id("span_id")?,
            parent_span_id: id("parent_span_id")?,
            name: text("name")?,
            start_time: time("start_time")?,
            end_time: time("end_time")?,
            status_code: text("status_code")?.parsed(|code| StatusCode::from_name(code).unwrap_or_default()),
            thread_id: cells::integers(&*column("thread_id")?)?.clone(),
            thread_name: text("thread_name")?,
            ingest_time: time("ingest_time")?,
        })
    }
}

impl SliceColumns {
    /// The span of a row, and which of several rows of the span it is; `None` when its ids are not valid.
    fn row(&self, row: usize) -> Option<(SliceView<'_>, Version)> {
        let parent = &self.parent_span_id;
        let (start, end) = (self.start_time.value(row), cells::value(&self.end_time, row));
        let view = SliceView {
            trace_id: TraceId::from_slice(self.trace_id.value(row))?,
            span_id: SpanId::from_slice(self.span_id.value(row))?,
            parent_span_id: parent.is_valid(row).then(|| parent.value(row)).and_then(SpanId::from_slice),
            name: self.name.text(row),
            start,
            end,
            thread: cells::value(&self.thread_id, row).map(|id| (id, self.thread_name.str(row))),
            status: self.status_code[row],
        };
        let ingest_time = self.ingest_time.value(row);
        Some((view, Version { is_complete: end.is_some(), ingest_time, end_time: end, start_time: start }))
    }
}

impl Timeline {
    /// Visits the spans in order of their start, those of the same start together, each once. Those that began before the
    /// range come first, together and in no order. Gives whether the visit went to the end.
    pub fn visit_slices(
        &self,
        visit: impl FnMut(&[SliceView<'_>]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, QueryError> {
        Ok(self.try_visit_slices(visit)?)
    }

    fn try_visit_slices(
        &self,
        mut visit: impl FnMut(&[SliceView<'_>]) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Failure> {
        let kinds = self.request.kinds;
        let is_chosen = |view: &SliceView<'_>| if view.thread.is_some() { kinds.thread } else { kinds.asynchronous };
        let mut spans: Feed<SliceColumns> = self.feed(kinds.has_spans());
        while let Some(time) = spans.peek()? {
            let started = spans.at(time);
            let rows = spans.rows(started.clone()).filter_map(|(columns, row)| columns.row(row));
            let mut chosen: Vec<(SliceView<'_>, Version)> = Vec::with_capacity(started.len());
            if started.len() == 1 {
                chosen.extend(rows);
            } else {
                let mut positions: HashMap<(TraceId, SpanId), usize> = HashMap::with_capacity(started.len());
                for row in rows {
                    let (view, version) = &row;
                    let position = *positions.entry((view.trace_id, view.span_id)).or_insert(chosen.len());
                    match chosen.get_mut(position) {
                        Some(known) if known.1 < *version => *known = row,
                        Some(_) => {}
                        None => chosen.push(row),
                    }
                }
            }
            // Which thread a span ran on is told by the row that counts.
            let views: Vec<_> = chosen.into_iter().map(|(view, _)| view).filter(is_chosen).collect();
            if !views.is_empty() && visit(&views).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}
