//! Heatmaps, differences and surveys of attributes, compared with counting by hand.

use std::collections::{BTreeMap, BTreeSet};

use glasshouse_model::{
    CallFigures, DurationNs, NodeKind, SpanKind, SpanSelection, StatusCode, TimeRange, Timestamp, TraceFilter, Value,
    ValuePlace, round_step,
};
use glasshouse_tables::ports::TraceStore;
use proptest::prelude::*;

use crate::lake::Place;
use crate::naive::{self, Row};
use crate::search::{EPOCH, TICK, attribute, filter, lake, place, process_id, row, runtime, span_id, trace_id};

/// What a node is, and its name.
type Node<'a> = (NodeKind, &'a str);

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn heatmaps_count_each_matching_span_once(
        rows in prop::collection::vec((row(), prop::option::weighted(0.3, place()), prop::option::weighted(0.3, place())), 0..40),
        resources in prop::collection::vec((place(), (0..3u8).prop_map(process_id), prop::collection::vec(attribute(), 0..2)), 0..5),
        filters in prop::collection::vec(filter(), 4),
        cache in prop::sample::select(vec![0u64, 1 << 24]),
    ) {
        // Some rows were sent twice, as they were; some spans were told before they ended.
        let mut known = BTreeSet::new();
        let mut stored = Vec::new();
        for ((place, row), again, before) in rows {
            if known.insert((row.trace_id, row.span_id)) {
                if let Some(before) = before.filter(|_| row.end.is_some()) {
                    let open = Row { end: None, status: StatusCode::Unset, attributes: vec![], ingest: EPOCH - 1, ..row.clone() };
                    stored.push((before, open));
                }
                stored.extend([Some(place), again].into_iter().flatten().map(|place| (place, row.clone())));
            }
        }
        let traces = lake(&stored, &resources).into_traces(cache);
        let latest: BTreeMap<_, _> = resources.into_iter().map(|(_, process, resource)| (process, resource)).collect();
        known.clear();
        let rows: Vec<Row> =
            stored.into_iter().map(|(_, row)| row).rev().filter(|row| known.insert((row.trace_id, row.span_id))).collect();
        for filter in filters {
            let map = runtime().block_on(traces.heatmap(&filter, 7)).unwrap();
            let mut expected: BTreeMap<(Timestamp, usize), (u64, u64)> = BTreeMap::new();
            let matching = rows.iter().filter(|row| naive::matches(row, &latest, &filter));
            for (row, end) in matching.filter_map(|row| Some((row, row.end?))) {
                let duration = DurationNs::from_nanos(end - row.start);
                let above = map.bounds.iter().rposition(|least| *least <= duration).unwrap();
                let cell = expected.entry((Timestamp::from_nanos(row.start).floor(map.step), above)).or_default();
                cell.0 += 1;
                cell.1 += u64::from(row.status == StatusCode::Error);
            }
            let cells: BTreeMap<_, _> =
                map.cells.iter().map(|cell| ((cell.time, cell.row as usize), (cell.span_count, cell.error_count))).collect();
            prop_assert_eq!(cells, expected, "{:?}", filter);
            prop_assert!(map.cells.is_sorted_by_key(|cell| (cell.time, cell.row)));
            let columns: BTreeSet<Timestamp> = map.cells.iter().map(|cell| cell.time).collect();
            prop_assert!(columns.len() <= 7, "{} columns", columns.len());
            let rows_range = TimeRange { from: Timestamp::from_nanos(EPOCH), to: Timestamp::from_nanos(EPOCH + 8 * TICK) };
            let coarsest = round_step(rows_range, 7);
            prop_assert!(map.step <= coarsest);

            let series = runtime().block_on(traces.series(&filter, 5)).unwrap();
            let mut points: BTreeMap<Timestamp, CallFigures> = BTreeMap::new();
            let has_ended = |row: &&Row| row.end.is_some() && naive::matches(row, &latest, &filter);
            for row in rows.iter().filter(has_ended) {
                let duration = row.end.map(|end| DurationNs::from_nanos(end - row.start));
                let point = points.entry(Timestamp::from_nanos(row.start).floor(series.step)).or_default();
                point.add(duration, row.status == StatusCode::Error);
            }
            prop_assert_eq!(series.points, points.into_iter().collect::<Vec<_>>(), "{:?}", filter);

            let map = runtime().block_on(traces.service_map(&filter)).unwrap();
            let mut nodes: BTreeMap<Node<'_>, u64> = BTreeMap::new();
            let mut edges: BTreeMap<(Node<'_>, Node<'_>), (u64, u64)> = BTreeMap::new();
            for row in rows.iter().filter(has_ended) {
                let own = (NodeKind::Service, row.service);
                *nodes.entry(own).or_default() += u64::from(naive::is_request(row));
                let mut calls = Vec::new();
                let database = row.attributes.iter().find(|(key, _)| *key == "db.system");
                if row.kind == SpanKind::Client && database.is_some() {
                    *nodes.entry((NodeKind::Database, "postgresql")).or_default() += 1;
                    calls.push((own, (NodeKind::Database, "postgresql")));
                }
                let is_parent = |other: &&Row| (other.trace_id, Some(other.span_id)) == (row.trace_id, row.parent);
                if let Some(caller) = rows.iter().find(is_parent).filter(|caller| caller.service != row.service) {
                    calls.push(((NodeKind::Service, caller.service), own));
                }
                for call in calls {
                    let calls = edges.entry(call).or_default();
                    calls.0 += 1;
                    calls.1 += u64::from(row.status == StatusCode::Error);
                }
            }
            let key = |at: u32| (map.nodes[at as usize].kind, map.nodes[at as usize].name.as_str());
            let told: BTreeMap<_, _> = map
                .edges
                .iter()
                .map(|edge| ((key(edge.from), key(edge.to)), (edge.calls.count, edge.calls.error_count)))
                .collect();
            prop_assert_eq!(&told, &edges, "{:?}", filter);
            let is_called = |node: &(NodeKind, &str)| edges.keys().any(|(from, to)| from == node || to == node);
            nodes.retain(|node, count| *count > 0 || is_called(node));
            for (from, to) in edges.keys() {
                nodes.entry(*from).or_default();
                nodes.entry(*to).or_default();
            }
            let told: BTreeMap<_, _> =
                map.nodes.iter().map(|node| ((node.kind, node.name.as_str()), node.requests.count)).collect();
            prop_assert_eq!(told, nodes, "{:?}", filter);
        }
    }
}

/// A thousand spans, of which those of the tier "gold" are slow in Berlin's process.
fn tiers() -> Vec<(Place, Row)> {
    let rows = (0..1000i64).map(|n| {
        let is_gold = n % 10 == 0;
        let row = Row {
            trace_id: trace_id((n % 200) as u8),
            span_id: span_id((n / 200) as u8),
            parent: None,
            process: process_id(u8::from(is_gold)),
            service: "cart",
            name: "checkout",
            kind: SpanKind::Server,
            start: EPOCH + n,
            end: Some(EPOCH + n + if is_gold { 900_000 } else { 1_000 }),
            status: StatusCode::Unset,
            attributes: vec![
                ("tier", Value::String(if is_gold { "gold" } else { "basic" }.to_owned())),
                ("user.id", Value::Int(n)),
                ("shard", Value::Int(n % 3)),
            ],
            ingest: EPOCH,
        };
        (if n % 2 == 0 { Place::File(0) } else { Place::Hot(0) }, row)
    });
    rows.collect()
}

fn selected(selection: SpanSelection) -> glasshouse_model::Differences {
    let berlin = vec![("city", Value::String("Berlin".to_owned()))];
    let resources = [(Place::File(0), process_id(1), berlin), (Place::Hot(1), process_id(0), vec![])];
    let traces = lake(&tiers(), &resources).into_traces(1 << 24);
    runtime().block_on(traces.differences(&TraceFilter::default(), &selection, 10)).unwrap()
}

#[test]
fn what_slow_spans_have_in_common_is_told() {
    let slow = SpanSelection { min_duration: Some(DurationNs::from_nanos(10_000)), ..SpanSelection::default() };
    let differences = selected(slow);
    assert_eq!((differences.selected_count, differences.rest_count), (100, 900));
    let told: Vec<_> = differences.values.iter().map(|it| (it.place, &*it.key, &*it.value)).collect();
    assert_eq!(told, [(ValuePlace::Span, "tier", "gold"), (ValuePlace::Resource, "city", "Berlin")]);
    assert!(differences.values.iter().all(|it| (it.selected_count, it.rest_count) == (100, 0)));
}

#[test]
fn a_selection_of_all_or_of_nothing_differs_from_nothing() {
    let all = selected(SpanSelection::default());
    assert_eq!((all.selected_count, all.rest_count, all.values.len()), (1000, 0, 0));
    let nothing = selected(SpanSelection { error: Some(true), ..SpanSelection::default() });
    assert_eq!((nothing.selected_count, nothing.rest_count, nothing.values.len()), (0, 1000, 0));
}

#[test]
fn attributes_are_told_with_their_most_frequent_values() {
    let traces = lake(&tiers(), &[(Place::File(0), process_id(1), vec![("city", Value::String("Berlin".to_owned()))])])
        .into_traces(1 << 24);
    let survey = runtime().block_on(traces.attributes(&TraceFilter::default())).unwrap();
    assert_eq!(survey.span_count, 1000);
    let keys: Vec<_> = survey.keys.iter().map(|key| (&*key.key, key.span_count)).collect();
    assert_eq!(keys, [("shard", 1000), ("tier", 1000), ("user.id", 1000), ("city", 100)]);
    assert_eq!(survey.keys[1].values, [("basic".to_owned(), 900), ("gold".to_owned(), 100)]);
    assert_eq!(survey.keys[2].values.len(), 20);
}

#[test]
fn a_peer_that_sends_spans_is_that_service() {
    let span = |id: u8, parent: Option<u8>, service, kind, peer: Option<&str>| Row {
        trace_id: trace_id(0),
        span_id: span_id(id),
        parent: parent.map(span_id),
        process: process_id(0),
        service,
        name: "call",
        kind,
        start: EPOCH,
        end: Some(EPOCH + 1),
        status: StatusCode::Unset,
        attributes: peer.map(|peer| ("peer.service", Value::String(peer.to_owned()))).into_iter().collect(),
        ingest: EPOCH,
    };
    let rows = [
        (Place::Hot(0), span(0, None, "frontend", SpanKind::Server, None)),
        (Place::File(0), span(1, Some(0), "frontend", SpanKind::Client, Some("cart"))),
        (Place::Hot(1), span(2, Some(1), "cart", SpanKind::Server, None)),
        (Place::File(1), span(3, Some(2), "cart", SpanKind::Client, Some("bank"))),
        (Place::File(1), span(4, Some(2), "cart", SpanKind::Client, Some("frontend"))),
    ];
    let traces = lake(&rows, &[]).into_traces(0);
    let map = runtime().block_on(traces.service_map(&TraceFilter::default())).unwrap();
    let nodes: Vec<_> = map.nodes.iter().map(|node| (node.kind, node.name.as_str(), node.requests.count)).collect();
    let service = NodeKind::Service;
    assert_eq!(nodes, [(service, "cart", 1), (service, "frontend", 1), (NodeKind::Peer, "bank", 1)]);
    let edges: Vec<_> = map.edges.iter().map(|edge| (edge.from, edge.to, edge.calls.count)).collect();
    // That cart calls the frontend is told by one side only.
    assert_eq!(edges, [(0, 1, 1), (0, 2, 1), (1, 0, 1)]);
}
