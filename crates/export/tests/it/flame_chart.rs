//! Charts against the spans that they are drawn of.

use std::collections::{HashMap, HashSet};

use glasshouse_export::Exports;
use glasshouse_model::{
    FlameChart, FlameSlice, Kinds, ProcessId, SpanId, Subject, TimeRange, TimelineRequest, Timestamp,
};
use glasshouse_tables::ports::{Exporter as _, WireFormat};
use serde_json::{Value, json};

use crate::lake::Lake;

const PROCESS: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[derive(Debug, Clone)]
struct Sent {
    id: u64,
    parent: u64,
    start: i64,
    end: Option<i64>,
    thread: Option<i64>,
    is_error: bool,
}

/// Numbers that look random, the same ones each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Calls within calls on some threads, and work that overlaps without a thread.
fn spans(count: u64) -> Vec<Sent> {
    let mut numbers = Numbers(7);
    let mut sent: Vec<Sent> = Vec::new();
    let mut open: HashMap<i64, Vec<(u64, i64)>> = HashMap::new();
    let mut now = 1_000_000;
    for id in 1..=count {
        now += numbers.below(200) as i64;
        let thread = Some(numbers.below(4) as i64).filter(|thread| *thread > 0);
        let bits = numbers.below(16);
        let length = 1 + numbers.below(1 << bits) as i64;
        let is_error = numbers.below(10) == 0;
        let stack = open.entry(thread.unwrap_or_default()).or_default();
        stack.retain(|(_, end)| *end > now);
        let outer = stack.last().copied();
        // On a thread they nest; the others end when they like, some never.
        let end = match (thread, outer) {
            (Some(_), Some((_, end))) => Some(end.min(now + length)),
            (Some(_), None) => Some(now + length),
            (None, _) => (id % 500 != 0).then_some(now + length),
        };
        stack.push((id, end.unwrap_or(i64::MAX)));
        sent.push(Sent { id, parent: outer.map_or(0, |(id, _)| id), start: now, end, thread, is_error });
    }
    sent
}

fn request(spans: &[Sent]) -> (WireFormat, Vec<u8>) {
    let spans: Vec<Value> = spans
        .iter()
        .map(|span| {
            let mut json = json!({
                "traceId": TRACE, "spanId": format!("{:016x}", span.id), "name": format!("work {}", span.id % 7),
                "startTimeUnixNano": span.start.to_string(),
            });
            if span.parent != 0 {
                json["parentSpanId"] = format!("{:016x}", span.parent).into();
            }
            if let Some(end) = span.end {
                json["endTimeUnixNano"] = end.to_string().into();
            }
            if let Some(thread) = span.thread {
                let named = |key: &str, value: Value| json!({"key": key, "value": value});
                json["attributes"] = json!([
                    named("thread.id", json!({"intValue": thread.to_string()})),
                    named("thread.name", json!({"stringValue": format!("worker {thread}")})),
                ]);
            }
            if span.is_error {
                json["status"] = json!({"code": 2});
            }
            json
        })
        .collect();
    let resource = json!([{"key": "service.instance.id", "value": {"stringValue": PROCESS}}]);
    let body = json!({"resourceSpans": [{"resource": {"attributes": resource}, "scopeSpans": [{"spans": spans}]}]});
    (WireFormat::OtlpTracesJson, body.to_string().into_bytes())
}

async fn drawn(lake: &Lake, range: TimeRange, columns: u32) -> FlameChart {
    let process: ProcessId = PROCESS.parse().unwrap();
    let request = TimelineRequest { subject: Subject::Process(process), kinds: Kinds::ALL, range };
    Exports::new(lake.traces.clone()).flame_chart(request, columns).await.unwrap().unwrap()
}

fn slices(chart: &FlameChart) -> impl Iterator<Item = &FlameSlice> {
    chart.tracks.iter().flat_map(|track| &track.rows).flat_map(|row| &row.slices)
}

fn range(from: i64, to: i64) -> TimeRange {
    TimeRange { from: Timestamp::from_nanos(from), to: Timestamp::from_nanos(to) }
}

/// Where the spans of a chart that stand alone are: thread, lane, depth.
fn places(chart: &FlameChart) -> HashMap<SpanId, (Option<i64>, usize, usize)> {
    let mut places = HashMap::new();
    for track in &chart.tracks {
        for row in &track.rows {
            let alone = row.slices.iter().filter_map(|slice| slice.span);
            let place = (track.thread.as_ref().map(|(id, _)| *id), row.lane, row.depth);
            places.extend(alone.map(|(_, span)| (span, place)));
        }
    }
    places
}

#[tokio::test]
async fn a_chart_counts_every_span_of_its_range_once() {
    let sent = spans(1_000);
    // Some of them were sent again.
    let again = request(&sent[100..200]);
    for in_files in [false, true] {
        let lake = Lake::new(&[request(&sent[..500]), request(&sent[500..]), again.clone()], in_files);
        let (first, last) = (sent[0].start, sent.last().unwrap().start);
        let middle = i64::midpoint(first, last);
        for range in [range(first, last + 1), range(first + 5_000, middle), range(middle, middle + 300), TimeRange::ALL]
        {
            for columns in [1, 10, 1_000] {
                let chart = drawn(&lake, range, columns).await;
                let runs = |span: &&Sent| {
                    let is_before = span.start < range.from.nanos();
                    let ends_inside = span.end.is_none_or(|end| end > range.from.nanos());
                    span.start < range.to.nanos() && (!is_before || ends_inside)
                };
                let expected: Vec<&Sent> = sent.iter().filter(runs).collect();
                assert_eq!(chart.hidden_span_count, 0);
                assert_eq!(chart.span_count, expected.len() as u64, "{range:?} in {columns} columns");
                assert_eq!(slices(&chart).map(|slice| slice.count).sum::<u64>(), chart.span_count);
                let errors = expected.iter().filter(|span| span.is_error).count() as u64;
                assert_eq!(slices(&chart).map(|slice| slice.error_count).sum::<u64>(), errors);
                let total: i64 = expected.iter().filter_map(|span| Some(span.end? - span.start)).sum();
                assert_eq!(slices(&chart).map(|slice| slice.total.nanos()).sum::<i64>(), total);
                for row in chart.tracks.iter().flat_map(|track| &track.rows) {
                    for pair in row.slices.windows(2) {
                        let end = pair[0].end.unwrap_or(Timestamp::MAX);
                        assert!(end <= pair[1].start, "{pair:?} overlap");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_seen_of_a_thread_stays_where_it_is() {
    let sent = spans(3_000);
    let lake = Lake::new(&[request(&sent)], true);
    let whole = places(&drawn(&lake, TimeRange::ALL, 10_000).await);
    assert_eq!(whole.len(), sent.len(), "nothing is put together");
    let threads: HashSet<_> = whole.values().filter_map(|(thread, _, _)| *thread).collect();
    assert_eq!(threads.len(), 3);
    let mut compared = 0;
    for begin in sent.iter().step_by(97).map(|span| span.start + 1) {
        let part = places(&drawn(&lake, range(begin, begin + 9_000), 10_000).await);
        for (span, place) in part.iter().filter(|(_, place)| place.0.is_some()) {
            assert_eq!(whole[span], *place, "{span} from {begin}");
            compared += 1;
        }
    }
    assert!(compared > 1_000, "{compared}");
}

#[tokio::test]
async fn a_chart_stays_small() {
    let sent = spans(80_000);
    let lake = Lake::new(&[request(&sent)], false);
    let chart = drawn(&lake, TimeRange::ALL, 10_000).await;
    assert!(slices(&chart).count() <= 50_000);
    assert!(slices(&chart).count() > 20_000, "it became coarser than it must");
    assert_eq!(chart.span_count, 80_000);
    assert_eq!(slices(&chart).map(|slice| slice.count).sum::<u64>(), 80_000);
    assert_eq!(chart.names.len(), 7);
    let names: HashSet<_> = slices(&chart).map(|slice| slice.name).collect();
    assert!(names.iter().all(|name| (*name as usize) < 7));
    assert!(chart.tracks.iter().all(|track| track.resolution.nanos().count_ones() == 1));
}

#[tokio::test]
async fn extreme_ranges_are_drawn() {
    let sent = [Sent { id: 1, parent: 0, start: 5, end: None, thread: Some(1), is_error: false }];
    let lake = Lake::new(&[request(&sent)], false);
    for (from, to) in [(0, i64::MAX - 1), (i64::MIN + 1, i64::MAX - 1), (1_000, 2_000)] {
        let chart = drawn(&lake, range(from, to), 1).await;
        assert_eq!(chart.span_count, 1);
        assert!(chart.tracks[0].resolution.nanos() > 0);
        let (first, last) = chart.range.unwrap();
        assert!(first <= last && first.nanos() >= from);
    }
}

#[tokio::test]
async fn what_is_asynchronous_leaves_rows_to_threads() {
    let async_spans = (1..=1_600).map(|id| (id, None));
    let sent: Vec<Sent> = async_spans
        .chain([(5_000, Some(3))])
        .map(|(id, thread)| Sent { id, parent: 0, start: id as i64, end: None, thread, is_error: false })
        .collect();
    let chart = drawn(&Lake::new(&[request(&sent)], false), TimeRange::ALL, 100).await;
    assert_eq!((chart.span_count, chart.hidden_span_count), (1_501, 100));
    assert_eq!(chart.tracks[0].thread, Some((3, "worker 3".to_owned())));
}

#[tokio::test]
async fn long_names_are_cut_between_characters() {
    let (format, body) = request(&spans(1));
    let body = String::from_utf8(body).unwrap().replace("work 1", &"ü".repeat(500_000));
    let chart = drawn(&Lake::new(&[(format, body.into_bytes())], false), TimeRange::ALL, 10).await;
    assert_eq!(chart.names, ["ü".repeat(100)]);
}
