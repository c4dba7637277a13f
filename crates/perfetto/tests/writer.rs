//! What the writer writes, read back: every hard case, and random spans.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::HashMap;

use glasshouse_model::{SpanId, SpanKind, StatusCode, TraceId, Value};
use glasshouse_perfetto::message::{AnnotationValue, DebugAnnotation, EventName, Trace, TrackEvent};
use glasshouse_perfetto::{
    Attributes, CounterValue, LogRecord, MetricPoint, Process, ProcessIndex, Span, SpanEvent, SpanKey, SpanLink,
    StartOrder, Validation, Window, Writer, order_equal_starts, validate,
};
use glasshouse_tables::attributes::PackedWriter;
use proptest::prelude::*;
use prost::Message;

const T: i64 = 1_700_000_000_000_000_000;

fn key(id: u64) -> SpanKey {
    SpanKey { trace: TraceId::from_bytes([7; 16]).unwrap(), span: SpanId::from_bytes(id.to_be_bytes()).unwrap() }
}

fn span(process: ProcessIndex, id: u64, start: i64, end: Option<i64>) -> Span<'static> {
    Span {
        process,
        key: key(id),
        parent: None,
        name: "work".into(),
        start: T + start,
        end: end.map(|end| T + end),
        thread: None,
        kind: SpanKind::Internal,
        status: StatusCode::Unset,
        status_message: "",
        scope: "".into(),
        clock_skew: None,
        attributes: Attributes::Packed(&[]),
    }
}

fn process(writer: &mut Writer) -> ProcessIndex {
    writer.process(&Process { name: "shop", pid: Some(42), command_line: None, start_time: None, labels: &[] })
}

/// A slice as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Slice {
    track: String,
    name: String,
    start: i64,
    end: Option<i64>,
    depth: usize,
    span: String,
    parent: Option<String>,
}

/// Replays a trace as trace processor does: an end closes what was opened last on its track.
fn slices(trace: &[u8]) -> (Vec<Slice>, Validation) {
    let validation = validate(trace).unwrap();
    assert_eq!(validation.errors, [] as [&str; 0]);
    let trace = Trace::decode(trace).unwrap();
    let (mut names, mut annotations, mut texts) = (HashMap::new(), HashMap::new(), HashMap::new());
    let mut tracks: HashMap<u64, (String, Vec<usize>)> = HashMap::new();
    let (mut slices, mut clock) = (Vec::<Slice>::new(), 0);
    for packet in &trace.packet {
        for set in packet.clock_snapshot.iter().flat_map(|snapshot| &snapshot.clocks) {
            if set.is_incremental == Some(true) {
                clock = set.timestamp() as i64;
            }
        }
        if packet.sequence_flags() & 1 != 0 {
            names.clear();
            annotations.clear();
            texts.clear();
        }
        if let Some(data) = &packet.interned_data {
            names.extend(data.event_names.iter().map(|entry| (entry.iid(), entry.name().to_owned())));
            annotations.extend(data.debug_annotation_names.iter().map(|entry| (entry.iid(), entry.name().to_owned())));
            texts.extend(
                data.debug_annotation_string_values
                    .iter()
                    .map(|entry| (entry.iid(), String::from_utf8(entry.str().to_vec()).unwrap())),
            );
        }
        if let Some(track) = &packet.track_descriptor {
            let thread = track.thread.as_ref().map(|thread| thread.thread_name().to_owned());
            let name = thread.unwrap_or_else(|| track.name().to_owned());
            tracks.insert(track.uuid(), (name, Vec::new()));
        }
        let Some(event) = &packet.track_event else { continue };
        clock += packet.timestamp() as i64;
        let (track, stack) = tracks.get_mut(&event.track_uuid()).unwrap();
        match event.r#type() {
            1 => {
                let text = |key: &str| annotation(event, key, &annotations, &texts);
                let name = match event.name.as_ref().unwrap() {
                    EventName::Interned(iid) => names[iid].clone(),
                    EventName::Inline(name) => name.clone(),
                };
                let parent = stack.last().map(|open| slices[*open].span.clone());
                stack.push(slices.len());
                let (depth, span) = (stack.len() - 1, text("otel.span_id").unwrap());
                slices.push(Slice { track: track.clone(), name, start: clock - T, end: None, depth, span, parent });
            }
            2 => slices[stack.pop().unwrap()].end = Some(clock - T),
            _ => {}
        }
    }
    (slices, validation)
}

fn annotation(
    event: &TrackEvent,
    key: &str,
    names: &HashMap<u64, String>,
    texts: &HashMap<u64, String>,
) -> Option<String> {
    let is_it = |a: &&DebugAnnotation| a.name_iid.map_or(a.name() == key, |iid| names[&iid] == key);
    match event.debug_annotations.iter().find(is_it)?.value.as_ref()? {
        AnnotationValue::Text(text) => Some(text.clone()),
        AnnotationValue::InternedText(iid) => Some(texts[iid].clone()),
        AnnotationValue::Int(value) => Some(value.to_string()),
        AnnotationValue::Bool(value) => Some(value.to_string()),
        other => Some(format!("{other:?}")),
    }
}

fn id(number: u64) -> String {
    format!("{number:016x}")
}

#[test]
fn overlapping_spans_get_tracks_of_their_own_and_children_go_into_their_parents() {
    let mut writer = Writer::new(Window::ALL);
    let shop = process(&mut writer);
    writer.span(&span(shop, 1, 0, Some(100)), &[]);
    writer.span(&Span { parent: Some(key(1).span), ..span(shop, 2, 10, Some(50)) }, &[]);
    writer.span(&span(shop, 3, 20, Some(120)), &[]);
    // Overlaps its sibling 2, so it cannot be in 1 on the same track.
    writer.span(&Span { parent: Some(key(1).span), ..span(shop, 4, 30, Some(60)) }, &[]);
    // The first track is free again at the very moment.
    writer.span(&span(shop, 5, 100, Some(110)), &[]);
    writer.finish();
    let figures = writer.figures();
    let (slices, validation) = slices(&writer.take());
    let seen: Vec<_> = slices.iter().map(|slice| (slice.depth, slice.parent.clone(), slice.end)).collect();
    assert_eq!(
        seen,
        [
            (0, None, Some(100)),
            (1, Some(id(1)), Some(50)),
            (0, None, Some(120)),
            (0, None, Some(60)),
            (0, None, Some(110)),
        ]
    );
    // Process and three tracks.
    assert_eq!((validation.tracks, validation.flows, figures.flows), (4, 1, 1));
}

#[test]
fn open_and_crossing_spans_are_kept_and_say_so() {
    let mut writer = Writer::new(Window { from: T + 50, to: T + 200 });
    let shop = process(&mut writer);
    writer.span(&span(shop, 1, 0, Some(100)), &[]);
    writer.span(&span(shop, 2, 60, Some(900)), &[]);
    writer.span(&span(shop, 3, 70, None), &[]);
    writer.finish();
    let figures = writer.figures();
    assert_eq!((figures.spans, figures.open_spans, figures.cut_spans), (3, 1, 2));
    let (slices, validation) = slices(&writer.take());
    let times: Vec<_> = slices.iter().map(|slice| (slice.start, slice.end)).collect();
    assert_eq!(times, [(50, Some(100)), (60, Some(200)), (70, None)]);
    assert_eq!(validation.open_slices, 1);
}

#[test]
fn spans_of_no_length_and_equal_times_nest_as_their_parents_say() {
    let mut writer = Writer::new(Window::ALL);
    let shop = process(&mut writer);
    let on_thread = |id, start, end, parent: Option<u64>| Span {
        thread: Some((9, "main")),
        parent: parent.map(|parent| key(parent).span),
        ..span(shop, id, start, Some(end))
    };
    let mut rows = vec![
        on_thread(1, 0, 10, None),
        on_thread(2, 0, 10, Some(1)),
        on_thread(3, 0, 0, Some(2)),
        on_thread(4, 10, 10, Some(2)),
        on_thread(5, 10, 10, Some(2)),
        on_thread(6, 10, 20, None),
        on_thread(7, 10, 10, Some(6)),
    ];
    rows.sort_by_key(|span| span.start);
    write_all(&mut writer, &rows);
    writer.finish();
    let (slices, validation) = slices(&writer.take());
    let parents: HashMap<_, _> = slices.iter().map(|slice| (slice.span.clone(), slice.parent.clone())).collect();
    for (child, parent) in [(1, None), (2, Some(1)), (3, Some(2)), (4, Some(2)), (5, Some(2)), (6, None), (7, Some(6))]
    {
        assert_eq!(parents[&id(child)], parent.map(id), "{child}");
    }
    assert!(slices.iter().all(|slice| slice.track == "main"));
    assert_eq!(validation.tracks, 2);
}

/// Writes spans that are sorted by their start, those of equal starts in the order that the writer asks for.
fn write_all(writer: &mut Writer, spans: &[Span<'_>]) -> usize {
    let mut written = 0;
    for group in spans.chunk_by(|a, b| a.start == b.start) {
        let mut group: Vec<_> = group
            .iter()
            .map(|span| StartOrder {
                key: span.key,
                parent: span.parent,
                duration: span.end.map(|end| end - span.start),
                item: span,
            })
            .collect();
        order_equal_starts(&mut group);
        written += group.len();
        for span in group {
            writer.span(span.item, &[]);
        }
    }
    written
}

#[test]
fn nesting_deeper_than_trace_processor_takes_goes_on_elsewhere() {
    let mut writer = Writer::new(Window::ALL);
    let shop = process(&mut writer);
    for depth in 0..1200_i64 {
        let parent = (depth > 0).then(|| key(depth as u64).span);
        writer.span(&Span { parent, ..span(shop, depth as u64 + 1, depth, Some(5000 - depth)) }, &[]);
    }
    writer.finish();
    let (slices, _) = slices(&writer.take());
    assert_eq!(slices.len(), 1200);
    assert!(slices.iter().all(|slice| slice.depth < 512 && slice.end.is_some()));
}

#[test]
fn names_never_fill_memory_and_are_read_back_all_the_same() {
    let mut writer = Writer::new(Window::ALL);
    let shop = process(&mut writer);
    let mut expected = Vec::new();
    for i in 0..100_000_i64 {
        let name = format!("GET /items/{i}");
        writer.span(&Span { name: name.as_str().into(), ..span(shop, i as u64 + 1, i * 10, Some(i * 10 + 5)) }, &[]);
        expected.push(name);
    }
    writer.finish();
    let (slices, _) = slices(&writer.take());
    assert!(slices.iter().map(|slice| &slice.name).eq(&expected));
}

#[test]
fn everything_else_is_there_too() {
    let mut packed = PackedWriter::new();
    packed.push("code.file.path", &Value::String("src/cart.rs".into()));
    packed.push("code.line.number", &Value::Int(7));
    packed.push("sizes", &Value::Array(vec![Value::Int(1), Value::Double(2.5)]));
    packed.push("long", &Value::String("ü".repeat(1 << 20)));
    let attributes = packed.packed().to_vec();
    let mut writer = Writer::new(Window::ALL);
    let shop = process(&mut writer);
    let other = writer.process(&Process {
        name: "bank",
        pid: Some(42),
        command_line: Some("bank --fast"),
        start_time: Some(T),
        labels: &["host-1"],
    });
    writer.span(&Span { attributes: Attributes::Packed(&attributes), ..span(shop, 1, 0, Some(100)) }, &[]);
    let thread = Some((140_123_456_789_012, "worker"));
    let links = [SpanLink { to: key(1), attributes: &[] }, SpanLink { to: key(999), attributes: &[] }];
    writer.span(&Span { thread, ..span(other, 2, 10, Some(90)) }, &links);
    writer.event(&SpanEvent { process: shop, span: key(1), time: T + 20, name: "exception", attributes: &attributes });
    writer.event(&SpanEvent { process: shop, span: key(77), time: T + 21, name: "late", attributes: &[] });
    writer.log(&LogRecord {
        process: shop,
        time: T + 30,
        severity: "ERROR",
        body: "it broke\nhere",
        event_name: "",
        scope: "cart",
        trace: Some(key(1).trace),
        span: Some(key(1).span),
        attributes: &[],
    });
    for (time, value) in [(40, CounterValue::Int(3)), (50, CounterValue::Double(f64::NAN))] {
        let point = MetricPoint {
            process: shop,
            time: T + time,
            name: "queue",
            unit: "{item}",
            description: "waiting",
            value,
            attributes: &[],
        };
        writer.point(&point);
    }
    writer.finish();
    let found = validate(&writer.take()).unwrap();
    assert_eq!(found.errors, [] as [&str; 0]);
    // The event, the late one, two links, the log record.
    assert_eq!((found.slices, found.instants, found.counters, found.flows), (2, 5, 2, 1));
    // Two processes, a thread, spans, events, logs, a counter.
    assert_eq!((found.tracks, found.open_slices), (7, 0));
}

fn random_spans() -> impl Strategy<Value = Vec<(u64, i64, Option<i64>, Option<i64>)>> {
    let span = (0_u64..40, 0_i64..30, prop::option::weighted(0.95, 0_i64..20), prop::option::of(0_i64..3));
    prop::collection::vec(span, 1..60)
}

proptest! {
    #[test]
    fn every_span_is_there_once_with_its_times_and_in_nothing_but_its_parent(rows in random_spans()) {
        let mut writer = Writer::new(Window::ALL);
        let shop = process(&mut writer);
        let mut spans: Vec<Span<'_>> = rows
            .iter()
            .enumerate()
            .map(|(i, &(parent, start, duration, thread))| Span {
                parent: (parent > 0 && parent != i as u64 + 1).then(|| key(parent).span),
                thread: thread.map(|thread| (thread, "")),
                ..span(shop, i as u64 + 1, start, duration.map(|duration| start + duration))
            })
            .collect();
        spans.sort_by_key(|span| span.start);
        let written = write_all(&mut writer, &spans);
        writer.finish();
        prop_assert_eq!(written, spans.len());
        prop_assert_eq!(writer.open_spans(), spans.iter().filter(|span| span.end.is_none()).count());
        let (slices, _) = slices(&writer.take());
        prop_assert_eq!(slices.len(), spans.len());
        let by_id: HashMap<_, _> = spans.iter().map(|span| (span.key.span.to_string(), span)).collect();
        for slice in &slices {
            let span = by_id[&slice.span];
            prop_assert_eq!((slice.start, slice.end), (span.start - T, span.end.map(|end| end - T)));
            // On the track of a thread, what runs within something is called by it.
            if let Some(parent) = &slice.parent && span.thread.is_none() {
                prop_assert_eq!(Some(parent.clone()), span.parent.map(|parent| parent.to_string()));
            }
            if let Some(parent) = &slice.parent {
                let outer = by_id[parent];
                prop_assert!(outer.start <= span.start);
                prop_assert!(outer.end.is_none() || span.end.is_some_and(|end| end <= outer.end.unwrap()));
            }
        }
    }
}

/// A small good trace, changed, must be found to be wrong.
#[test]
fn what_is_wrong_with_a_trace_is_told() {
    let mut writer = Writer::new(Window::ALL);
    let shop = process(&mut writer);
    writer.span(&span(shop, 1, 0, Some(100)), &[]);
    writer.finish();
    let good = Trace::decode(writer.take().as_slice()).unwrap();
    assert_eq!(validate(&good.encode_to_vec()).unwrap().error_count, 0);
    let check = |change: &dyn Fn(&mut Trace), expected: &str| {
        let mut changed = good.clone();
        change(&mut changed);
        let found = validate(&changed.encode_to_vec()).unwrap();
        assert!(found.errors.iter().any(|error| error.contains(expected)), "{expected}: {:?}", found.errors);
    };
    check(&|trace| drop(trace.packet.remove(0)), "unknown parent");
    check(&|trace| drop(trace.packet.remove(1)), "unknown track");
    check(&|trace| trace.packet.push(trace.packet.last().unwrap().clone()), "ends that never began");
    check(&|trace| trace.packet.insert(1, trace.packet[0].clone()), "described twice");
    check(&|trace| trace.packet.iter_mut().for_each(|packet| packet.interned_data = None), "is not interned");
    check(&|trace| trace.packet.retain(|packet| packet.clock_snapshot.is_none()), "incremental state");
    check(&|trace| trace.packet.last_mut().unwrap().timestamp = Some((-200_i64) as u64), "time goes back");
    let bytes = good.encode_to_vec();
    assert!(validate(&bytes[..bytes.len() - 1]).unwrap_err().to_string().contains("of which"));
    assert!(validate(b"not a trace").is_err());
}
