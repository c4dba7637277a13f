//! The rows of a process or of a trace in order of time, read as they are visited: what was visited is forgotten, so
//! memory does not depend on how many there are.

mod cursor;
mod place;
mod rows;
mod slices;
mod survey;
mod whole;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::slice;
use std::sync::Arc;

use glasshouse_files::FileCache;
use glasshouse_model::{ProcessId, SpanId, Subject, TimeRange, TimelineRequest, Timestamp, TraceId, TraceProcess};
use glasshouse_tables::attributes::{AttributeColumns, Places};
use glasshouse_tables::ports::QueryError;
use glasshouse_tables::{Snapshot, Table};

use self::cursor::{Cursor, Reading, Slice};
use self::place::{Times, each_of_traces};
use self::rows::{Columns, EventColumns, LinkColumns, LinkRow, LogColumns, PointColumns, SpanColumns, SpanRow};
use crate::cells;
use crate::error::Failure;
use crate::lookup::{Wanted, taken};
use crate::processes::Processes;
use crate::trace::{distinct, json};

pub use rows::{EventView, LinkView, LogView, PointView, SpanView};
pub use slices::SliceView;

/// What visits rows. A break ends the visit.
pub trait Visitor {
    /// Spans of a slice come next: these are the attributes of its rows, and its other texts have so many places
    /// ([`glasshouse_tables::attributes::Repeats::At`]). Those of the slice before do not come any more.
    fn slice(&mut self, attributes: &[&AttributeColumns], places: u32);

    /// Spans that start at the same moment, or had started by then when that is the beginning of the range, each span
    /// once; and their links, with the position of the span among them, in order of it.
    fn spans(&mut self, spans: &[SpanView<'_>], links: &[(usize, LinkView<'_>)]) -> ControlFlow<()>;

    /// An event of a span.
    fn event(&mut self, event: &EventView<'_>) -> ControlFlow<()>;

    /// A log record.
    fn log(&mut self, log: &LogView<'_>) -> ControlFlow<()>;

    /// A metric point.
    fn point(&mut self, point: &PointView<'_>) -> ControlFlow<()>;
}

/// Rows in order of time, from one snapshot of the lake. It blocks: use it where that is allowed.
pub struct Timeline {
    snapshot: Arc<Snapshot>,
    files: FileCache,
    processes: Arc<Processes>,
    request: TimelineRequest,
    stop: Stop,
    first_rows: Option<usize>,
}

/// Tells work that nobody waits for to end.
#[derive(Clone)]
pub(crate) struct Stop(Arc<dyn Fn() -> bool + Send + Sync>);

impl Stop {
    fn check(&self) -> Result<(), Failure> {
        if (self.0)() { Err(Failure::Stopped) } else { Ok(()) }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stop")
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline").field("request", &self.request).finish_non_exhaustive()
    }
}

impl Timeline {
    pub(crate) fn new(
        snapshot: Arc<Snapshot>,
        files: FileCache,
        processes: Arc<Processes>,
        request: TimelineRequest,
    ) -> Self {
        Self { snapshot, files, processes, request, stop: Stop(Arc::new(|| false)), first_rows: None }
    }

    /// Ends work with a failure once `is_stopped`, which is asked before each batch and row group.
    #[must_use]
    pub fn with_stop(self, is_stopped: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { stop: Stop(Arc::new(is_stopped)), ..self }
    }

    /// Reads so many rows at first, and twice as many each time up to the usual number.
    #[must_use]
    pub fn with_first_rows(self, rows: usize) -> Self {
        Self { first_rows: Some(rows.max(1)), ..self }
    }

    /// What was asked for.
    pub fn request(&self) -> &TimelineRequest {
        &self.request
    }

    /// A process; `None` when it is not known.
    pub fn process(&self, id: ProcessId) -> Result<Option<TraceProcess>, QueryError> {
        Ok(self.processes.find(&self.snapshot, &self.files, &[id])?.pop())
    }

    /// Whether a span of a trace is known.
    pub fn knows_trace(&self, id: TraceId) -> Result<bool, QueryError> {
        Ok(self.find_trace(id)?)
    }

    fn find_trace(&self, id: TraceId) -> Result<bool, Failure> {
        let wanted = Wanted::new(&[id]);
        for batch in self.snapshot.hot_batches(Table::Spans) {
            if !wanted.rows(cells::ids(cells::column(batch, "trace_id")?)?).is_empty() {
                return Ok(true);
            }
        }
        for file in self.snapshot.files(Table::Spans, TimeRange::ALL) {
            if !self.files.open(file)?.trace_rows(&[id])?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Visits the rows in order of time; of the same time, spans first, then events, log records, points. Gives whether
    /// the visit went to the end.
    pub fn visit(&self, visitor: &mut impl Visitor) -> Result<ControlFlow<()>, QueryError> {
        Ok(self.try_visit(visitor)?)
    }

    fn try_visit(&self, visitor: &mut impl Visitor) -> Result<ControlFlow<()>, Failure> {
        let kinds = self.request.kinds;
        let mut spans: Feed<SpanColumns> = self.feed(kinds.has_spans());
        let mut links: Feed<LinkColumns> = self.feed(kinds.has_spans());
        let mut events: Feed<EventColumns> = self.feed(kinds.has_spans());
        let mut logs: Feed<LogColumns> = self.feed(kinds.logs);
        let mut points: Feed<PointColumns> = self.feed(kinds.metrics && !self.is_of_trace());
        let crossing = self.crossing_links(&mut spans)?;
        loop {
            let others = [links.peek()?, events.peek()?, logs.peek()?, points.peek()?].into_iter().flatten().min();
            // Until something else has its turn there are only spans.
            while let Some(time) = spans.peek()?.filter(|time| others.is_none_or(|other| *time <= other)) {
                new_slice(&mut spans, visitor);
                let started = spans.at(time);
                let linked = links.at(time);
                let is_first = time == self.request.range.from.nanos();
                let early =
                    crossing.iter().filter(|_| is_first).flat_map(|links| links.rows_before(time)).map(|(_, row)| row);
                let linked = links.rows(linked).filter_map(|(columns, row)| columns.row(row)).chain(early);
                if self.visit_spans(&spans, started, linked, visitor).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
                if spans.is_used_up() {
                    // Its columns are given back before more are read.
                    visitor.slice(&[], 0);
                }
            }
            let Some(time) = others else { return Ok(ControlFlow::Continue(())) };
            // Links of spans that are not there have nowhere to go.
            links.at(time);
            let happened = events.at(time);
            let mut rows: Vec<_> = events.rows(happened).filter_map(|(columns, row)| columns.row(row)).collect();
            if rows.len() > 1 {
                let identity = |event: &EventView<'_>| {
                    (event.trace_id, event.span_id, event.name.to_owned(), json(event.attributes))
                };
                let identified = rows.iter().map(|row| (identity(&row.view), row.ingest_time, *row)).collect();
                rows = distinct(identified).into_iter().map(|(_, row)| row).collect();
            }
            for row in rows {
                if visitor.event(&row.view).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            let logged = logs.at(time);
            for log in logs.rows(logged).filter_map(|(columns, row)| columns.row(row)) {
                if visitor.log(&log).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            let measured = points.at(time);
            for point in points.rows(measured).filter_map(|(columns, row)| columns.row(row)) {
                if visitor.point(&point).is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
    }

    fn visit_spans<'a>(
        &self,
        feed: &'a Feed<SpanColumns>,
        started: Range<usize>,
        linked: impl Iterator<Item = LinkRow<'a>>,
        visitor: &mut impl Visitor,
    ) -> ControlFlow<()> {
        let kinds = self.request.kinds;
        let is_chosen = |row: &SpanRow<'_>| if row.view.thread.is_some() { kinds.thread } else { kinds.asynchronous };
        let mut rows = feed.rows(started.clone()).filter_map(|(columns, row)| columns.row(row));
        let mut linked = linked.peekable();
        if started.len() == 1 && linked.peek().is_none() {
            let Some(only) = rows.next().filter(is_chosen) else { return ControlFlow::Continue(()) };
            return visitor.spans(slice::from_ref(&only.view), &[]);
        }
        let mut positions: HashMap<(TraceId, SpanId), usize> = HashMap::with_capacity(started.len());
        let mut chosen: Vec<SpanRow<'_>> = Vec::with_capacity(started.len());
        for row in rows {
            let position = *positions.entry((row.view.trace_id, row.view.span_id)).or_insert(chosen.len());
            match chosen.get_mut(position) {
                Some(known) if known.version < row.version => *known = row,
                Some(_) => {}
                None => chosen.push(row),
            }
        }
        // Which thread a span ran on is told by the row that counts.
        let mut kept = 0;
        let places: Vec<Option<usize>> = chosen
            .iter()
            .map(|row| {
                is_chosen(row).then(|| {
                    kept += 1;
                    kept - 1
                })
            })
            .collect();
        let identity = |row: &LinkRow<'_>| {
            let LinkView { linked_trace_id, linked_span_id, attributes } = row.view;
            (row.trace_id, row.span_id, linked_trace_id, linked_span_id, json(attributes))
        };
        let linked = distinct(linked.map(|row| (identity(&row), row.ingest_time, row)).collect()).into_iter();
        let position = |row: &LinkRow<'_>| places[*positions.get(&(row.trace_id, row.span_id))?];
        let mut links: Vec<_> = linked.filter_map(|(_, row)| Some((position(&row)?, row.view))).collect();
        links.sort_by_key(|(span, _)| *span);
        let spans: Vec<_> = chosen.into_iter().filter(is_chosen).map(|row| row.view).collect();
        if spans.is_empty() { ControlFlow::Continue(()) } else { visitor.spans(&spans, &links) }
    }

    /// Links of spans that began before the range: they are kept with the beginning of their spans.
    fn crossing_links(&self, spans: &mut Feed<SpanColumns>) -> Result<Vec<LinkColumns>, Failure> {
        let from = self.request.range.from.nanos();
        if spans.peek()? != Some(from) {
            return Ok(Vec::new());
        }
        let crossing = spans.ahead().filter_map(|(columns, row)| columns.row(row)).filter(|row| row.view.start < from);
        let spans: HashSet<_> = crossing.map(|row| (row.view.trace_id, row.view.span_id)).collect();
        let traces: HashSet<TraceId> = spans.iter().map(|(trace, _)| *trace).collect();
        let traces: Vec<TraceId> = traces.into_iter().collect();
        if traces.is_empty() {
            return Ok(Vec::new());
        }
        let (range, names) = (TimeRange { from: Timestamp::MIN, to: self.request.range.from }, LinkColumns::NAMES);
        let mut links = Vec::new();
        each_of_traces(&self.snapshot, &self.files, Table::SpanLinks, range, &traces, names, |batch| {
            self.stop.check()?;
            let columns = LinkColumns::new(self.request.subject, &batch, 0, &[], &mut Places::default())?;
            let is_wanted = |row: &LinkRow<'_>| spans.contains(&(row.trace_id, row.span_id));
            let rows: Vec<u32> = columns.rows_before(from).filter(|(_, row)| is_wanted(row)).map(|(i, _)| i).collect();
            if !rows.is_empty() {
                let chosen = taken(&batch, Table::SpanLinks, names, &rows)?;
                links.push(LinkColumns::new(self.request.subject, &chosen, 0, &[], &mut Places::default())?);
            }
            Ok(())
        })?;
        Ok(links)
    }

    fn is_of_trace(&self) -> bool {
        matches!(self.request.subject, Subject::Trace(_))
    }

    fn times(&self, table: Table) -> Times {
        let range = self.request.range;
        let with_crossing = table == Table::Spans && range.from > Timestamp::MIN;
        Times { from: range.from.nanos(), to: range.to.nanos(), with_crossing }
    }

    fn feed<C: Columns>(&self, is_wanted: bool) -> Feed<C> {
        let subject = self.request.subject;
        let (times, stop) = (self.times(C::TABLE), self.stop.clone());
        let (first_rows, is_divided) = (self.first_rows, C::IS_DIVIDED);
        let reading = Reading { subject, times, first_rows, most_rows: None, is_divided, stop };
        let cursor = || Cursor::new(&self.snapshot, &self.files, C::TABLE, C::names(subject), reading);
        Feed {
            subject,
            cursor: is_wanted.then(cursor),
            columns: Vec::new(),
            new_places: None,
            times: Vec::new(),
            order: Vec::new(),
            at: 0,
        }
    }
}

/// The rows of a table as they come.
struct Feed<C> {
    subject: Subject,
    /// `None` at the end.
    cursor: Option<Cursor>,
    columns: Vec<C>,
    /// How many places the texts of the columns have, until that is told.
    new_places: Option<u32>,
    times: Vec<i64>,
    order: Vec<(u32, u32)>,
    /// The next row.
    at: usize,
}

impl<C: Columns> Feed<C> {
    /// The time of the next row; `None` at the end.
    fn peek(&mut self) -> Result<Option<i64>, Failure> {
        if let Some(time) = self.times.get(self.at) {
            return Ok(Some(*time));
        }
        let Some(cursor) = &mut self.cursor else { return Ok(None) };
        // What was visited is given back before more is read.
        self.columns.clear();
        let Some(Slice { batches, times, order }) = cursor.next_slice()? else {
            self.cursor = None;
            return Ok(None);
        };
        let mut places = Places::default();
        let mut order = order;
        let rows = if C::IS_DIVIDED { in_turn(&mut order, batches.len()) } else { vec![Vec::new(); batches.len()] };
        let columns = (0..).zip(batches.iter().zip(&rows));
        let columns = columns.map(|(number, (batch, rows))| C::new(self.subject, batch, number, rows, &mut places));
        self.columns = columns.collect::<Result<_, _>>()?;
        self.new_places = Some(places.count());
        (self.times, self.order, self.at) = (times, order, 0);
        Ok(self.times.first().copied())
    }

    /// Passes the rows of a time, when it is their turn.
    fn at(&mut self, time: i64) -> Range<usize> {
        let from = self.at;
        while self.times.get(self.at) == Some(&time) {
            self.at += 1;
        }
        from..self.at
    }

    /// Whether all that was read had its turn.
    fn is_used_up(&self) -> bool {
        self.at == self.times.len()
    }

    fn rows(&self, range: Range<usize>) -> impl Iterator<Item = (&C, usize)> {
        self.order[range].iter().map(|(batch, row)| (&self.columns[*batch as usize], *row as usize))
    }

    /// What was read and did not have its turn.
    fn ahead(&self) -> impl Iterator<Item = (&C, usize)> {
        self.rows(self.at..self.order.len())
    }
}

/// Tells of a new slice of spans, when there is one.
fn new_slice(spans: &mut Feed<SpanColumns>, visitor: &mut impl Visitor) {
    if let Some(places) = spans.new_places.take() {
        let attributes: Vec<_> = spans.columns.iter().map(SpanColumns::attributes).collect();
        visitor.slice(&attributes, places);
    }
}

/// The rows of each batch in order of their turns; `order` is told the positions there instead of the rows.
fn in_turn(order: &mut [(u32, u32)], batches: usize) -> Vec<Vec<u32>> {
    let mut rows = vec![Vec::new(); batches];
    for (batch, row) in order {
        let rows: &mut Vec<u32> = &mut rows[*batch as usize];
        rows.push(*row);
        *row = rows.len() as u32 - 1;
    }
    rows
}
