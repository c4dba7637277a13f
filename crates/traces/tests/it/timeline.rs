//! Rows in order of time against the same told plainly, over rows in memory.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use glasshouse_model::{
    Kinds, ProcessId, Severity, SpanId, SpanKind, StatusCode, Subject, Survey, TimeRange, TimelineRequest, Timestamp,
    TraceId,
};
use glasshouse_tables::attributes::AttributeColumns;
use glasshouse_tables::attributes::ValueRef;
use glasshouse_tables::{
    EventRow, LinkRow, LogRow, LogsBuilder, SpanEventsBuilder, SpanLinksBuilder, SpanRow, SpansBuilder, Table,
};
use glasshouse_traces::timeline::{EventView, LinkView, LogView, PointView, SpanView, Visitor};
use proptest::prelude::*;
use uuid::Uuid;

use crate::lake::{Lake, Place};

const SECOND: i64 = 1_000_000_000;
const EPOCH: i64 = 1_750_000_000 * SECOND;

fn process(number: u8) -> ProcessId {
    ProcessId(Uuid::from_u128(u128::from(number) + 1))
}

fn trace_id(number: u8) -> TraceId {
    TraceId::from_slice(&[number + 1; 16]).unwrap()
}

fn span_id(number: u8) -> SpanId {
    SpanId::from_slice(&[number + 1; 8]).unwrap()
}

/// A span and what it carries. Its rows are `open`, if so, and the final one; it has one link and one event.
#[derive(Debug, Clone)]
struct Span {
    number: u8,
    trace: u8,
    process: u8,
    start: i64,
    length: Option<i64>,
    thread: bool,
    /// Where a row is that was sent while it was open.
    open: Option<Place>,
    place: Place,
    event: i64,
}

impl Span {
    fn end(&self) -> Option<i64> {
        self.length.map(|length| self.start + length)
    }
}

#[derive(Debug, Clone)]
struct Log {
    process: u8,
    trace: Option<u8>,
    time: i64,
    place: Place,
}

fn place() -> impl Strategy<Value = Place> {
    (0..3_usize, any::<bool>()).prop_map(|(number, hot)| if hot { Place::Hot(number) } else { Place::File(number) })
}

/// Few different times, over some seconds, so that equal ones and borders of sorted windows are met.
fn time() -> impl Strategy<Value = i64> {
    (0..5_i64, 0..4_i64).prop_map(|(seconds, nanos)| EPOCH + seconds * SECOND + nanos)
}

fn span() -> impl Strategy<Value = Span> {
    let length = proptest::option::of(prop_oneof![Just(0), Just(2), Just(SECOND), Just(3 * SECOND)]);
    let open = proptest::option::of(place());
    (0..6_u8, 0..3_u8, time(), length, any::<bool>(), open, place(), time()).prop_map(
        |(trace, process, start, length, thread, open, place, event)| Span {
            number: 0,
            trace,
            process,
            start,
            length,
            thread,
            open,
            place,
            event,
        },
    )
}

fn spans() -> impl Strategy<Value = Vec<Span>> {
    proptest::collection::vec(span(), 0..40).prop_map(|mut spans| {
        for (number, span) in spans.iter_mut().enumerate() {
            span.number = number as u8;
        }
        spans
    })
}

fn logs() -> impl Strategy<Value = Vec<Log>> {
    let log = (0..3_u8, proptest::option::of(0..6_u8), time(), place()).prop_map(|(process, trace, time, place)| Log {
        process,
        trace,
        time,
        place,
    });
    proptest::collection::vec(log, 0..20)
}

fn lake(spans: &[Span], logs: &[Log]) -> Lake {
    let mut rows = Vec::new();
    let at = Timestamp::from_nanos;
    for span in spans {
        let row = |is_open: bool, ingest: i64| {
            let mut builder = SpansBuilder::with_capacity(1);
            builder.push(&SpanRow {
                trace_id: trace_id(span.trace),
                span_id: span_id(span.number),
                parent_span_id: None,
                process_id: process(span.process),
                service_name: "shop",
                name: if is_open { "open" } else { "work" },
                kind: SpanKind::Internal,
                start_time: at(span.start),
                end_time: if is_open { None } else { span.end().map(at) },
                status_code: StatusCode::Unset,
                status_message: "",
                thread_id: span.thread.then_some(7),
                thread_name: None,
                scope_name: "",
                scope_version: "",
                trace_state: "",
                flags: 0,
                attributes: &[],
                dropped_attributes_count: 0,
                dropped_events_count: 0,
                dropped_links_count: 0,
                sample_weight: 1.0,
            });
            builder.finish(at(ingest))
        };
        if let Some(place) = span.open {
            rows.push((place, Table::Spans, row(true, 1)));
        }
        rows.push((span.place, Table::Spans, row(false, 2)));
        let mut events = SpanEventsBuilder::default();
        events.push(&EventRow {
            trace_id: trace_id(span.trace),
            span_id: span_id(span.number),
            process_id: process(span.process),
            service_name: "shop",
            time: at(span.event),
            name: "event",
            attributes: &[],
            dropped_attributes_count: 0,
        });
        rows.push((span.place, Table::SpanEvents, events.finish(at(2))));
        let mut links = SpanLinksBuilder::default();
        links.push(&LinkRow {
            trace_id: trace_id(span.trace),
            span_id: span_id(span.number),
            process_id: process(span.process),
            service_name: "shop",
            start_time: at(span.start),
            linked_trace_id: trace_id(span.trace),
            linked_span_id: span_id(span.number),
            trace_state: "",
            attributes: &[],
            flags: 0,
            dropped_attributes_count: 0,
        });
        rows.push((span.place, Table::SpanLinks, links.finish(at(2))));
    }
    for log in logs {
        let mut builder = LogsBuilder::default();
        builder.push(&LogRow {
            time: at(log.time),
            observed_time: None,
            process_id: process(log.process),
            service_name: "shop",
            severity: Severity(9),
            severity_text: "",
            scope_name: "",
            scope_version: "",
            event_name: "",
            body: ValueRef::String("said"),
            trace_id: log.trace.map(trace_id),
            span_id: None,
            flags: 0,
            attributes: &[],
            dropped_attributes_count: 0,
        });
        rows.push((log.place, Table::Logs, builder.finish(at(2))));
    }
    Lake::new(&rows)
}

/// What was visited: time, kind, span number and whether it is ended, in order; of the same time and kind in order of
/// number.
type Told = Vec<(i64, &'static str, u8, bool)>;

#[derive(Debug)]
struct Notes {
    from: i64,
    told: Told,
    most: usize,
}

impl Notes {
    fn note(&mut self, time: i64, what: &'static str, number: u8, is_ended: bool) -> ControlFlow<()> {
        self.told.push((time.max(self.from), what, number, is_ended));
        if self.told.len() >= self.most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn number(id: SpanId) -> u8 {
    id.as_bytes()[0] - 1
}

impl Visitor for Notes {
    fn slice(&mut self, _: &[&AttributeColumns], _: u32) {}

    fn spans(&mut self, spans: &[SpanView<'_>], links: &[(usize, LinkView<'_>)]) -> ControlFlow<()> {
        for (position, span) in spans.iter().enumerate() {
            let name = span.name.as_str();
            assert_eq!(name, if span.end.is_some() || name == "work" { "work" } else { "open" });
            let of_it: Vec<_> = links.iter().filter(|(of, _)| *of == position).collect();
            assert_eq!(of_it.len(), 1, "the link of {span:?}");
            assert_eq!(of_it[0].1.linked_span_id, span.span_id);
            self.note(span.start, "0 span", number(span.span_id), span.end.is_some())?;
        }
        ControlFlow::Continue(())
    }

    fn event(&mut self, event: &EventView<'_>) -> ControlFlow<()> {
        self.note(event.time, "1 event", number(event.span_id), true)
    }

    fn log(&mut self, log: &LogView<'_>) -> ControlFlow<()> {
        assert_eq!(log.body, "said");
        self.note(log.time, "2 log", 0, true)
    }

    fn point(&mut self, _: &PointView<'_>) -> ControlFlow<()> {
        panic!("there are no metrics")
    }
}

/// The same, told plainly.
fn expected(spans: &[Span], logs: &[Log], request: &TimelineRequest) -> Told {
    let TimelineRequest { subject, kinds, range } = request;
    let (from, to) = (range.from.nanos(), range.to.nanos());
    let is_of = |of_process: u8, of_trace: Option<u8>| match subject {
        Subject::Process(id) => process(of_process) == *id,
        Subject::Trace(id) => of_trace.map(trace_id) == Some(*id),
    };
    let mut told = Told::new();
    for span in spans.iter().filter(|span| is_of(span.process, Some(span.trace))) {
        let is_chosen = if span.thread { kinds.thread } else { kinds.asynchronous };
        let runs = span.start < to && (span.start >= from || span.end().is_none_or(|end| end > from));
        if is_chosen && runs {
            told.push((span.start.max(from), "0 span", span.number, span.length.is_some()));
        }
        // Whose event it is shows in the span only.
        if kinds.has_spans() && (from..to).contains(&span.event) {
            told.push((span.event, "1 event", span.number, true));
        }
    }
    for log in logs.iter().filter(|log| kinds.logs && is_of(log.process, log.trace)) {
        if (from..to).contains(&log.time) {
            told.push((log.time, "2 log", 0, true));
        }
    }
    told.sort_unstable();
    told
}

fn counted(told: &Told, spans: &[Span]) -> (u64, u64, u64, u64, u64) {
    let of = |what: &'static str| told.iter().filter(move |(_, kind, ..)| *kind == what);
    let threads = of("0 span").filter(|(_, _, number, _)| spans[usize::from(*number)].thread).count() as u64;
    let all = of("0 span").count() as u64;
    let open = of("0 span").filter(|(.., is_ended)| !is_ended).count() as u64;
    (threads, all - threads, open, of("1 event").count() as u64, of("2 log").count() as u64)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn rows_come_in_order_of_time(
        spans in spans(),
        logs in logs(),
        of_trace in any::<bool>(),
        (from, to) in prop_oneof![Just((i64::MIN, i64::MAX)), (time(), time())],
        kinds in (any::<bool>(), any::<bool>(), any::<bool>()),
        first_rows in 1..50_usize,
    ) {
        let lake = lake(&spans, &logs);
        let subject = if of_trace { Subject::Trace(trace_id(1)) } else { Subject::Process(process(1)) };
        let (from, to) = (from.min(to), from.max(to));
        let request = TimelineRequest {
            subject,
            kinds: Kinds { thread: kinds.0, asynchronous: kinds.1, logs: kinds.2, metrics: true },
            range: TimeRange { from: Timestamp::from_nanos(from), to: Timestamp::from_nanos(to) },
        };
        let timeline = lake.traces(1 << 20).timeline(request).with_first_rows(first_rows);
        let mut notes = Notes { from, told: Vec::new(), most: usize::MAX };
        prop_assert_eq!(timeline.visit(&mut notes), Ok(ControlFlow::Continue(())));
        let times: Vec<_> = notes.told.iter().map(|(time, what, ..)| (*time, *what)).collect();
        prop_assert!(times.is_sorted(), "{:?}", notes.told);
        let mut told = notes.told.clone();
        told.sort_unstable();
        let expected = expected(&spans, &logs, &request);
        prop_assert_eq!(&told, &expected);

        // Broken off, it tells the beginning.
        if !told.is_empty() {
            let most = told.len().div_ceil(2);
            let mut half = Notes { from, told: Vec::new(), most };
            prop_assert_eq!(timeline.visit(&mut half), Ok(ControlFlow::Break(())));
            prop_assert_eq!(&half.told[..], &notes.told[..most]);
        }

        let has_doubles = spans.iter().any(|span| span.open.is_some());
        let survey = timeline.survey(|_, _| ControlFlow::Continue(())).unwrap().unwrap();
        let Survey { thread_spans, async_spans, open_spans, events, logs, .. } = survey;
        let counts = counted(&expected, &spans);
        if has_doubles {
            prop_assert!(thread_spans >= counts.0 && async_spans >= counts.1);
        } else {
            prop_assert_eq!((thread_spans, async_spans, open_spans), (counts.0, counts.1, counts.2));
        }
        prop_assert_eq!((events, logs), (counts.3, counts.4));
        let first = expected.iter().map(|(time, ..)| *time).min();
        prop_assert_eq!(survey.range.map(|(first, _)| first.nanos()), first);
        let known: BTreeSet<_> = spans.iter().map(|span| trace_id(span.trace)).collect();
        prop_assert_eq!(timeline.knows_trace(trace_id(1)), Ok(known.contains(&trace_id(1))));
    }
}
