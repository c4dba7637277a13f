//! Rows become a Perfetto trace.

use std::collections::HashMap;
use std::io::{self, Write};
use std::ops::ControlFlow;

use glasshouse_model::{Attributes as ResourceAttributes, Kinds, Level, ProcessId, Subject, TraceProcess, Value};
use glasshouse_perfetto::{
    Attributes, CounterValue, Figures, LogRecord, MetricPoint, Process, ProcessIndex, Span, SpanEvent, SpanKey,
    SpanLink, StartOrder, Window, Writer, order_equal_starts,
};
use glasshouse_tables::attributes::AttributeColumns;
use glasshouse_tables::ports::QueryError;
use glasshouse_traces::timeline::{EventView, LinkView, LogView, PointView, SpanView, Timeline, Visitor};

/// Bytes that are handed on at once.
const FLUSH: usize = 16 << 10;
/// Spans that came before their parents and are remembered to tell of skewed clocks.
const MAX_EARLY: usize = 65_536;

/// Why writing ended before its end.
#[derive(Debug)]
pub(crate) enum End {
    /// The rows could not be read.
    Failed(QueryError),
    /// Nobody takes the bytes.
    Abandoned,
}

impl From<QueryError> for End {
    fn from(error: QueryError) -> Self {
        Self::Failed(error)
    }
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Abandoned
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Written {
    pub figures: Figures,
    /// Rows that it was made of.
    pub rows: u64,
}

/// Writes the rows of a timeline to `out`, the first `most` of them.
pub(crate) fn write(timeline: &Timeline, out: impl Write, most: u64) -> Result<Written, End> {
    let request = timeline.request();
    let window = Window { from: request.range.from.nanos(), to: request.range.to.nanos() };
    let mut visit = Visit {
        timeline,
        writer: Writer::new(window),
        out,
        most,
        rows: 0,
        processes: HashMap::new(),
        last_process: None,
        early: HashMap::new(),
        failure: None,
    };
    if let Subject::Process(id) = request.subject {
        visit.process(id, "")?;
    }
    let went = timeline.visit(&mut visit)?;
    if let Some(failure) = visit.failure.take() {
        return Err(failure);
    }
    if went.is_continue() {
        visit.writer.finish();
    }
    visit.hand_on()?;
    visit.out.flush()?;
    Ok(Written { figures: visit.writer.figures(), rows: visit.rows })
}

struct Visit<'t, W> {
    timeline: &'t Timeline,
    writer: Writer,
    out: W,
    /// Rows that are enough.
    most: u64,
    rows: u64,
    processes: HashMap<ProcessId, ProcessIndex>,
    /// Most rows are of the process that the row before was of.
    last_process: Option<(ProcessId, ProcessIndex)>,
    /// Of a trace, parents that were not seen yet: the process of a child and when it started.
    early: HashMap<SpanKey, (ProcessIndex, i64)>,
    failure: Option<End>,
}

impl<W: Write> Visit<'_, W> {
    /// The process of an id; announces it when it is new. What its rows say names it when it is not known otherwise.
    fn process(&mut self, id: ProcessId, service_name: &str) -> Result<ProcessIndex, End> {
        if let Some((last, index)) = self.last_process
            && last == id
        {
            return Ok(index);
        }
        if let Some(index) = self.processes.get(&id) {
            self.last_process = Some((id, *index));
            return Ok(*index);
        }
        let known = self.timeline.process(id)?;
        let known = known.unwrap_or_else(|| TraceProcess {
            process_id: id,
            service_name: service_name.to_owned(),
            resource: ResourceAttributes::default(),
        });
        let text = |key| known.resource.get(key).and_then(Value::as_str);
        let labels: Vec<&str> = ["service.version", "deployment.environment.name", "host.name", "service.instance.id"]
            .iter()
            .filter_map(|key| text(key))
            .collect();
        let pid = match known.resource.get("process.pid") {
            Some(Value::Int(pid)) => Some(*pid),
            _ => None,
        };
        let index = self.writer.process(&Process {
            name: &known.service_name,
            pid,
            command_line: text("process.command_line").or_else(|| text("process.executable.path")),
            start_time: None,
            labels: &labels,
        });
        self.processes.insert(id, index);
        Ok(index)
    }

    fn span(&mut self, view: &SpanView<'_>, links: &[SpanLink<'_>]) -> Result<(), End> {
        let process = self.process(view.process_id, view.service_name)?;
        let key = SpanKey { trace: view.trace_id, span: view.span_id };
        let early_child = if self.early.is_empty() { None } else { self.early.remove(&key) };
        let early_child = early_child.filter(|(of, _)| *of != process).map(|(_, start)| start);
        if let (Some(parent), Subject::Trace(trace)) = (view.parent_span_id, self.timeline.request().subject) {
            let parent = SpanKey { trace, span: parent };
            // A parent that comes later started later.
            if self.early.len() < MAX_EARLY && !self.writer.was_written(&parent) {
                self.early.entry(parent).or_insert((process, view.start));
            }
        }
        self.writer.span(
            &Span {
                process,
                key,
                parent: view.parent_span_id,
                name: view.name,
                start: view.start,
                end: view.end.map(|end| end.max(view.start)),
                thread: view.thread,
                kind: view.kind,
                status: view.status,
                status_message: view.status_message,
                scope: view.scope,
                clock_skew: early_child.and_then(|start| view.start.checked_sub(start)).filter(|skew| *skew > 0),
                attributes: Attributes::Of { row: view.row, rest: view.attributes },
            },
            links,
        );
        Ok(())
    }

    fn started(&mut self, spans: &[SpanView<'_>], links: &[(usize, LinkView<'_>)]) -> Result<(), End> {
        if let ([only], []) = (spans, links) {
            return self.span(only, &[]);
        }
        let from = self.timeline.request().range.from.nanos();
        let mut order: Vec<StartOrder<usize>> = spans
            .iter()
            .enumerate()
            .map(|(item, span)| StartOrder {
                key: SpanKey { trace: span.trace_id, span: span.span_id },
                parent: span.parent_span_id,
                duration: span.end.map(|end| end.saturating_sub(span.start.max(from)).max(0)),
                item,
            })
            .collect();
        order_equal_starts(&mut order);
        for StartOrder { item, .. } in order {
            let first = links.partition_point(|(span, _)| *span < item);
            let of_it = links[first..].iter().take_while(|(span, _)| *span == item);
            let links: Vec<_> = of_it.map(|(_, view)| link(*view)).collect();
            self.span(&spans[item], &links)?;
            self.hand_on_when_much()?;
        }
        Ok(())
    }

    fn event(&mut self, view: &EventView<'_>) -> Result<(), End> {
        let span = SpanKey { trace: view.trace_id, span: view.span_id };
        let Kinds { thread, asynchronous, .. } = self.timeline.request().kinds;
        // An event does not say which kind its span is of.
        if thread != asynchronous && !self.writer.was_written(&span) {
            return Ok(());
        }
        let process = self.process(view.process_id, view.service_name)?;
        let event = SpanEvent { process, span, time: view.time, name: view.name, attributes: view.attributes };
        self.writer.event(&event);
        Ok(())
    }

    fn log(&mut self, view: &LogView<'_>) -> Result<(), End> {
        let process = self.process(view.process_id, view.service_name)?;
        let severity = if view.severity_text.is_empty() {
            view.severity.level().map_or("", Level::as_str)
        } else {
            view.severity_text
        };
        self.writer.log(&LogRecord {
            process,
            time: view.time,
            severity,
            body: view.body,
            event_name: view.event_name,
            scope: view.scope,
            trace: view.trace_id,
            span: view.span_id,
            attributes: view.attributes,
        });
        Ok(())
    }

    fn point(&mut self, view: &PointView<'_>) -> Result<(), End> {
        let process = self.process(view.process_id, view.service_name)?;
        let point = MetricPoint {
            process,
            time: view.time,
            name: view.name,
            unit: view.unit,
            description: view.description,
            value: CounterValue::Int(0),
            attributes: view.attributes,
        };
        if let Some(value) = view.value_int.map(CounterValue::Int).or(view.value.map(CounterValue::Double)) {
            self.writer.point(&MetricPoint { value, ..point });
        }
        if let Some(count) = view.count {
            let name = format!("{}.count", view.name);
            self.writer.point(&MetricPoint { name: &name, unit: "1", value: CounterValue::Int(count), ..point });
        }
        if let Some(sum) = view.sum {
            let name = format!("{}.sum", view.name);
            self.writer.point(&MetricPoint { name: &name, value: CounterValue::Double(sum), ..point });
        }
        Ok(())
    }

    fn hand_on(&mut self) -> io::Result<()> {
        self.out.write_all(&self.writer.take())
    }

    fn hand_on_when_much(&mut self) -> io::Result<()> {
        if self.writer.len() < FLUSH { Ok(()) } else { self.hand_on() }
    }

    /// Goes on after so many rows, unless something failed or it is enough.
    fn after(&mut self, rows: usize, done: Result<(), End>) -> ControlFlow<()> {
        self.rows += rows as u64;
        if let Err(failure) = done.and_then(|()| Ok(self.hand_on_when_much()?)) {
            self.failure = Some(failure);
            return ControlFlow::Break(());
        }
        if self.rows >= self.most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl<W: Write> Visitor for Visit<'_, W> {
    fn slice(&mut self, attributes: &[&AttributeColumns], places: u32) {
        self.writer.slice(attributes, places);
    }

    fn spans(&mut self, spans: &[SpanView<'_>], links: &[(usize, LinkView<'_>)]) -> ControlFlow<()> {
        let done = self.started(spans, links);
        self.after(spans.len() + links.len(), done)
    }

    fn event(&mut self, event: &EventView<'_>) -> ControlFlow<()> {
        let done = self.event(event);
        self.after(1, done)
    }

    fn log(&mut self, log: &LogView<'_>) -> ControlFlow<()> {
        let done = self.log(log);
        self.after(1, done)
    }

    fn point(&mut self, point: &PointView<'_>) -> ControlFlow<()> {
        let done = self.point(point);
        self.after(1, done)
    }
}

fn link(view: LinkView<'_>) -> SpanLink<'_> {
    SpanLink { to: SpanKey { trace: view.linked_trace_id, span: view.linked_span_id }, attributes: view.attributes }
}
