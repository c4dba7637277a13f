//! What the writer writes, read back: every hard case, and random spans.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use glasshouse_model::{SpanId, SpanKind, StatusCode, TraceId, Value};
use glasshouse_perfetto::message::{
    AnnotationValue, DebugAnnotation, EventName, InternedBytes, InternedText, Trace, TracePacket, TrackEvent,
};
use glasshouse_perfetto::{
    Attributes, CounterValue, LogRecord, MetricPoint, Process, ProcessIndex, Span, SpanEvent, SpanKey, SpanLink,
    StartOrder, Validation, Window, Writer, order_equal_starts, validate,
};
use glasshouse_tables::attributes::{AttributeColumns, AttributeRow, PackedWriter};
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

/// What a reader knows by number.
#[derive(Default)]
struct Interned {
    names: HashMap<u64, String>,
    annotations: HashMap<u64, String>,
    texts: HashMap<u64, String>,
}

impl Interned {
    fn read(&mut self, packet: &TracePacket) {
        if packet.sequence_flags() & 1 != 0 {
            *self = Self::default();
        }
        let Some(data) = &packet.interned_data else { return };
        let text = |entry: &InternedText| (entry.iid(), entry.name().to_owned());
        let bytes = |entry: &InternedBytes| (entry.iid(), String::from_utf8(entry.str().to_vec()).unwrap());
        self.names.extend(data.event_names.iter().map(text));
        self.annotations.extend(data.debug_annotation_names.iter().map(text));
        self.texts.extend(data.debug_annotation_string_values.iter().map(bytes));
    }

    fn annotations(&self, event: &TrackEvent) -> BTreeMap<String, String> {
        let name = |a: &DebugAnnotation| a.name_iid.map_or(a.name().to_owned(), |iid| self.annotations[&iid].clone());
        let value = |a: &DebugAnnotation| match a.value.as_ref() {
            Some(AnnotationValue::Text(text)) => text.clone(),
            Some(AnnotationValue::InternedText(iid)) => self.texts[iid].clone(),
            Some(AnnotationValue::Int(value)) => value.to_string(),
            Some(AnnotationValue::Bool(value)) => value.to_string(),
            Some(AnnotationValue::Double(value)) => value.to_string(),
            _ => format!("{a:?}"),
        };
        event.debug_annotations.iter().map(|a| (name(a), value(a))).collect()
    }
}

/// Replays a trace as trace processor does: an end closes what was opened last on its track.
fn slices(trace: &[u8]) -> (Vec<Slice>, Validation) {
    let validation = validate(trace).unwrap();
    assert_eq!(validation.errors, [] as [&str; 0]);
    let trace = Trace::decode(trace).unwrap();
    let mut interned = Interned::default();
    let mut tracks: HashMap<u64, (String, Vec<usize>)> = HashMap::new();
    let (mut slices, mut clock) = (Vec::<Slice>::new(), 0);
    for packet in &trace.packet {
        for set in packet.clock_snapshot.iter().flat_map(|snapshot| &snapshot.clocks) {
            if set.is_incremental == Some(true) {
                clock = set.timestamp() as i64;
            }
        }
        interned.read(packet);
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
                let name = match event.name.as_ref().unwrap() {
                    EventName::Interned(iid) => interned.names[iid].clone(),
                    EventName::Inline(name) => name.clone(),
                };
                let parent = stack.last().map(|open| slices[*open].span.clone());
                stack.push(slices.len());
                let (depth, span) = (stack.len() - 1, interned.annotations(event)["otel.span_id"].clone());
                slices.push(Slice { track: track.clone(), name, start: clock - T, end: None, depth, span, parent });
            }
            2 => slices[stack.pop().unwrap()].end = Some(clock - T),
            _ => {}
        }
    }
    (slices, validation)
}

/// The annotations of every slice, and where in the code it is.
fn annotated(trace: &[u8]) -> Vec<(BTreeMap<String, String>, Option<String>)> {
    assert_eq!(validate(trace).unwrap().errors, [] as [&str; 0]);
    let mut interned = Interned::default();
    let mut locations = HashMap::new();
    let mut annotated = Vec::new();
    for packet in &Trace::decode(trace).unwrap().packet {
        interned.read(packet);
        for place in packet.interned_data.iter().flat_map(|data| &data.source_locations) {
            locations.insert(
                place.iid(),
                format!("{}:{}:{}", place.file_name(), place.function_name(), place.line_number()),
            );
        }
        let Some(event) = packet.track_event.as_ref().filter(|event| event.r#type() == 1) else { continue };
        let location = event.source_location_iid.map(|iid| locations[&iid].clone());
        annotated.push((interned.annotations(event), location));
    }
    annotated
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

/// Attributes that are hard to write from columns, of which a row has some.
fn hard_attributes(row: usize) -> Vec<(String, Value)> {
    let long = if row.is_multiple_of(100) { 2000 } else { 10 };
    let all = [
        ("http.route".to_owned(), Value::String(format!("/things/{}", row % 3))),
        ("short".to_owned(), Value::String(format!("{}", row % 7))),
        ("once".to_owned(), Value::String(format!("only here {row}"))),
        ("many".to_owned(), Value::String(format!("one of many {}", row / 2))),
        ("nul".to_owned(), Value::String(format!("a\0b{}", row % 4))),
        ("long".to_owned(), Value::String(format!("{}{}", "x".repeat(long), row % 2))),
        ("k".repeat(long), Value::String("a key that is long".to_owned())),
        ("size".to_owned(), Value::Int([0, 1, -1, i64::MAX, i64::MIN, 1 << 49][row % 6])),
        ("ratio".to_owned(), Value::Double(row as f64 / 3.0)),
        ("hit".to_owned(), Value::Bool(row.is_multiple_of(2))),
        ("code.file.path".to_owned(), Value::String(format!("src/{}.rs", row % 5))),
        ("code.line.number".to_owned(), Value::Int((row % 9) as i64)),
    ];
    all.into_iter().enumerate().filter(|(i, _)| !(row + i).is_multiple_of(4)).map(|(_, attribute)| attribute).collect()
}

/// The same as columns of a file; texts of `distinct` keys are not coded.
fn as_columns(rows: &[Vec<(String, Value)>], distinct: &[&str], chosen: &[u32]) -> AttributeColumns {
    let keys: BTreeMap<&str, &Value> = rows.iter().flatten().map(|(key, value)| (key.as_str(), value)).collect();
    let mut arrays: Vec<(String, ArrayRef)> = vec![("attributes".into(), Arc::new(StringArray::new_null(rows.len())))];
    for (key, first) in keys {
        let values = rows.iter().map(|row| row.iter().find(|(other, _)| other == key).map(|(_, value)| value));
        let (kind, array): (_, ArrayRef) = match first {
            Value::Int(_) => {
                let int = |value: Option<&Value>| if let Some(Value::Int(value)) = value { Some(*value) } else { None };
                ("int", Arc::new(values.map(int).collect::<Int64Array>()))
            }
            Value::Double(_) => {
                let double =
                    |value: Option<&Value>| if let Some(Value::Double(value)) = value { Some(*value) } else { None };
                ("double", Arc::new(values.map(double).collect::<Float64Array>()))
            }
            Value::Bool(_) => {
                let bool =
                    |value: Option<&Value>| if let Some(Value::Bool(value)) = value { Some(*value) } else { None };
                ("bool", Arc::new(values.map(bool).collect::<BooleanArray>()))
            }
            _ => {
                let texts: StringArray = values.map(|value| value.and_then(Value::as_str)).collect();
                let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
                let coded = |texts| cast(&texts, &dictionary).unwrap();
                ("str", if distinct.contains(&key) { Arc::new(texts) } else { coded(texts) })
            }
        };
        arrays.push((format!("{kind}:{key}"), array));
    }
    AttributeColumns::new(&RecordBatch::try_from_iter(arrays).unwrap(), "attributes", chosen).unwrap()
}

#[test]
fn columns_are_read_back_as_packed_attributes_are() {
    // So many texts that the reader is told to forget some, and that not all of a slice get a number.
    let slices = [0..9_000, 9_000..18_000, 18_000..27_000, 27_000..72_000];
    let slices: Vec<Vec<_>> = slices.into_iter().map(|rows| rows.map(hard_attributes).collect()).collect();
    let (mut of_memory, mut of_files) = (Writer::new(Window::ALL), Writer::new(Window::ALL));
    let (in_memory, in_files) = (process(&mut of_memory), process(&mut of_files));
    let mut start = 0;
    for rows in &slices {
        let all: Vec<u32> = (0..rows.len() as u32).collect();
        let columns = as_columns(rows, &["once", "nul"], &all);
        of_files.slice(&[&columns], 0);
        for (row, attributes) in rows.iter().enumerate() {
            let mut packed = PackedWriter::new();
            for (key, value) in attributes {
                packed.push(key, value);
            }
            start += 1;
            let span = |process| span(process, start as u64, start, Some(start + 1));
            of_memory.span(&Span { attributes: Attributes::Packed(packed.packed()), ..span(in_memory) }, &[]);
            let attributes = Attributes::Of { row: AttributeRow { batch: 0, row: row as u32 }, rest: &[] };
            of_files.span(&Span { attributes, ..span(in_files) }, &[]);
        }
    }
    of_memory.finish();
    of_files.finish();
    let (memory, files) = (annotated(&of_memory.take()), annotated(&of_files.take()));
    assert_eq!(memory.len(), 72_000);
    for (row, (memory, files)) in memory.iter().zip(&files).enumerate() {
        assert!(memory == files, "row {row}: {memory:?} {files:?}");
    }
}

#[test]
fn only_chosen_rows_are_in_the_trace_and_rests_go_with_their_columns() {
    let text = |key: &str, value: &str| (key.to_owned(), Value::String(value.to_owned()));
    let line = ("code.line.number".to_owned(), Value::Int(7));
    let mine = vec![text("code.file.path", "src/cart.rs"), line, text("http.route", "/things")];
    let other = vec![text("code.file.path", "src/secret.rs"), text("secret.key", "secret value")];
    let rows = [mine.clone(), other.clone(), mine.clone(), other.clone(), mine];
    let columns = as_columns(&rows, &[], &[0, 2, 4]);
    let mut rest = PackedWriter::new();
    rest.push("code.function.name", &Value::String("buy".into()));
    let mut writer = Writer::new(Window::ALL);
    let shop = process(&mut writer);
    writer.slice(&[&columns], 0);
    for (id, row) in [0, 2, 4].into_iter().enumerate() {
        let rest = if row == 4 { rest.packed() } else { &[] };
        let attributes = Attributes::Of { row: AttributeRow { batch: 0, row }, rest };
        writer.span(&Span { attributes, ..span(shop, id as u64 + 1, 0, Some(1)) }, &[]);
    }
    writer.finish();
    let trace = writer.take();
    assert!(!trace.windows(6).any(|bytes| bytes == b"secret"));
    let read = annotated(&trace);
    let location = |at: usize| read[at].1.as_deref().unwrap();
    assert_eq!([location(0), location(1), location(2)], ["src/cart.rs::7", "src/cart.rs::7", "src/cart.rs:buy:7"]);
    assert_eq!(read[2].0["code.function.name"], "buy");
    assert!(read.iter().all(|(annotations, _)| annotations["http.route"] == "/things"));
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
