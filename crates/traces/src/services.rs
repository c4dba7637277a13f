//! Which services call each other: each span is looked at once, beside the span that caused it.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{Array, ArrayRef};
use foldhash::{HashMap as FastMap, HashMapExt};
use glasshouse_model::{
    CallFigures, DurationNs, NodeKind, ServiceEdge, ServiceMap, ServiceNode, SpanKind, StatusCode, TimeRange,
    Timestamp, TraceFilter,
};
use glasshouse_tables::Snapshot;
use glasshouse_tables::attributes::{get, json_get};
use glasshouse_tables::{ShredType, ShreddedColumn};

use crate::attribute;
use crate::cells::{self, Selection, Texts};
use crate::error::Failure;
use crate::newest::Newest;
use crate::source::{Absent, Source};
use crate::spread::{Matching, span_key, with_duration};
use crate::store::{Stop, Traces};

/// How much earlier than the spans of a range the spans may have begun that caused them; or later, where clocks differ.
const CAUSED: DurationNs = DurationNs::from_secs(900);

/// Nodes of a map; what comes beyond is one node of its kind together.
const MAX_NODES: usize = 1_000;
const OTHERS: &str = "(others)";

/// Keys by which spans name what they call, the most telling first.
const CALLED: [(&str, NodeKind); 4] = [
    ("peer.service", NodeKind::Peer),
    ("db.system.name", NodeKind::Database),
    ("db.system", NodeKind::Database),
    ("messaging.system", NodeKind::Messaging),
];

type Key = (NodeKind, String);

/// A span whose parent was not beside it.
struct Orphan {
    service: u32,
    duration: Option<DurationNs>,
    has_failed: bool,
}

/// The services of matching spans and what calls them.
pub(crate) fn map(
    traces: &Traces,
    snapshot: &Snapshot,
    filter: &TraceFilter,
    stop: &Stop,
) -> Result<ServiceMap, Failure> {
    let filter = with_duration(filter);
    let mut graph = Graph::default();
    let mut orphans: FastMap<u64, Vec<Orphan>> = FastMap::new();
    let mut held = stop.scratch();
    let mut matching = Matching::new(traces, snapshot, &filter, stop)?;
    while let Some((source, rows)) = matching.next()? {
        let mut beside = stop.scratch();
        beside.grow(source.len() * 2 * size_of::<(u64, u32)>())?;
        let known = services_by_span(&source, &mut graph)?;
        let called = called(&source, &rows, &traces.absent)?;
        let columns = Columns::new(&source)?;
        let texts = columns.texts()?;
        for (row, called) in rows.iter().map(|row| *row as usize).zip(called) {
            let service = graph.node(NodeKind::Service, texts.service.get(row).unwrap_or_default());
            let (duration, has_failed) =
                (columns.duration(row)?, texts.status.get(row) == Some(StatusCode::Error.as_str()));
            let parent = columns.parent(row)?;
            let kind = texts.kind.get(row).and_then(SpanKind::from_name).unwrap_or_default();
            if parent.is_none() || matches!(kind, SpanKind::Server | SpanKind::Consumer) {
                graph.requests(service).add(duration, has_failed);
            }
            if let Some((kind, name)) = called {
                let node = graph.node(kind, &name);
                graph.requests(node).add(duration, has_failed);
                graph.calls(service, node).add(duration, has_failed);
            }
            match parent.map(|key| (key, known.get(&key))) {
                None => {}
                Some((_, Some(&caller))) if caller == service => {}
                Some((_, Some(&caller))) => graph.calls(caller, service).add(duration, has_failed),
                Some((key, None)) => {
                    held.grow(2 * size_of::<(u64, Vec<Orphan>)>() + size_of::<Orphan>())?;
                    orphans.entry(key).or_default().push(Orphan { service, duration, has_failed });
                }
            }
        }
    }
    adopt(traces, snapshot, filter.range, orphans, &mut graph, stop)?;
    Ok(graph.finish())
}

/// Finds the parents that were elsewhere.
fn adopt(
    traces: &Traces,
    snapshot: &Snapshot,
    range: TimeRange,
    mut orphans: FastMap<u64, Vec<Orphan>>,
    graph: &mut Graph,
    stop: &Stop,
) -> Result<(), Failure> {
    let range = TimeRange {
        from: Timestamp::from_nanos(range.from.nanos().saturating_sub(CAUSED.nanos())),
        to: Timestamp::from_nanos(range.to.nanos().saturating_add(CAUSED.nanos())),
    };
    let mut newest = Newest::new(snapshot, range)?;
    while newest.latest().is_some() && !orphans.is_empty() {
        stop.check()?;
        let Some(source) = newest.visit(&traces.files)? else { continue };
        let columns = Columns::new(&source)?;
        let texts = columns.texts()?;
        for row in 0..source.len() {
            let Some(found) = orphans.remove(&columns.key(row)?) else { continue };
            let caller = graph.node(NodeKind::Service, texts.service.get(row).unwrap_or_default());
            for Orphan { service, duration, has_failed } in found {
                if service != caller {
                    graph.calls(caller, service).add(duration, has_failed);
                }
            }
        }
    }
    Ok(())
}

/// The service of each span of a source.
fn services_by_span(source: &Source, graph: &mut Graph) -> Result<FastMap<u64, u32>, Failure> {
    let columns = Columns::new(source)?;
    let texts = columns.texts()?;
    let mut known = FastMap::with_capacity(source.len());
    for row in 0..source.len() {
        let service = graph.node(NodeKind::Service, texts.service.get(row).unwrap_or_default());
        known.insert(columns.key(row)?, service);
    }
    Ok(known)
}

/// What rows say that they call.
fn called(source: &Source, rows: &[u32], absent: &Absent) -> Result<Vec<Option<Key>>, Failure> {
    let mut called: Vec<Option<Key>> = vec![None; rows.len()];
    let kinds = source.required("kind")?;
    let mut is_caller = vec![0; source.len()];
    let selection = Selection::of(source.len(), rows.to_vec());
    let of_kind = |kind: &str| u64::from(kind == SpanKind::Client.as_str() || kind == SpanKind::Producer.as_str());
    Texts::new(&kinds)?.look(&selection, of_kind, &mut is_caller);
    let mut look = |kind: NodeKind, value: &dyn Fn(usize) -> Option<String>| {
        for (row, called) in rows.iter().map(|row| *row as usize).zip(&mut called) {
            if is_caller[row] != 0 && called.is_none() {
                *called = value(row).filter(|name| !name.is_empty()).map(|name| (kind, name));
            }
        }
    };
    for (key, kind) in CALLED {
        match source {
            Source::Hot(batch) => {
                let packed = cells::bytes(cells::column(batch, "attributes")?)?;
                look(kind, &|row| Some(get(packed.value(row), key)?.to_text()?.into_owned()));
            }
            Source::Group(file, group) => {
                let name = ShreddedColumn { kind: ShredType::String, key: key.to_owned() }.to_string();
                if !source.is_null(&name)
                    && let Some(column) = source.column(&name)?
                {
                    let texts = Texts::new(&column)?;
                    look(kind, &|row| texts.get(row).map(str::to_owned));
                }
                if let Some(json) = absent.json_with(file, *group, key)? {
                    let texts = Texts::new(&json)?;
                    look(kind, &|row| attribute::text(&json_get(texts.get(row)?, key)?));
                }
            }
        }
    }
    Ok(called)
}

/// Nodes and edges under construction.
#[derive(Default)]
struct Graph {
    nodes: Vec<(Key, CallFigures)>,
    positions: FastMap<Key, u32>,
    edges: FastMap<(u32, u32), CallFigures>,
    last: u32,
}

impl Graph {
    fn node(&mut self, kind: NodeKind, name: &str) -> u32 {
        let is_last = |((k, n), _): &(Key, _)| *k == kind && n == name;
        if !self.nodes.get(self.last as usize).is_some_and(is_last) {
            let key = (kind, name.to_owned());
            self.last = if let Some(known) = self.positions.get(&key) {
                *known
            } else if self.nodes.len() >= MAX_NODES && name != OTHERS {
                return self.node(kind, OTHERS);
            } else {
                self.nodes.push((key.clone(), CallFigures::default()));
                let position = self.nodes.len() as u32 - 1;
                self.positions.insert(key, position);
                position
            };
        }
        self.last
    }

    fn requests(&mut self, node: u32) -> &mut CallFigures {
        &mut self.nodes[node as usize].1
    }

    fn calls(&mut self, from: u32, to: u32) -> &mut CallFigures {
        self.edges.entry((from, to)).or_default()
    }

    /// A peer that sends spans itself is that service: calls that its own spans do not tell of stay, as calls of it.
    fn merge_peers(&mut self) {
        for peer in 0..self.nodes.len() as u32 {
            let ((kind, name), _) = &self.nodes[peer as usize];
            let service = self.positions.get(&(NodeKind::Service, name.clone())).copied();
            let Some(service) = service.filter(|_| *kind == NodeKind::Peer) else { continue };
            self.nodes[peer as usize].1 = CallFigures::default();
            for from in 0..self.nodes.len() as u32 {
                if let Some(calls) = self.edges.remove(&(from, peer))
                    && from != service
                {
                    self.edges.entry((from, service)).or_insert(calls);
                }
            }
        }
    }

    /// Nodes in order; without those that nothing was counted of, which a filter left out.
    fn finish(mut self) -> ServiceMap {
        self.merge_peers();
        let mut sorted: BTreeMap<Key, (u32, CallFigures)> = BTreeMap::new();
        let used: HashSet<u32> = self.edges.keys().flat_map(|(from, to)| [*from, *to]).collect();
        for (position, (key, figures)) in (0..).zip(self.nodes) {
            if figures.count > 0 || used.contains(&position) {
                sorted.insert(key, (position, figures));
            }
        }
        let moved: FastMap<u32, u32> = sorted.values().map(|(position, _)| *position).zip(0..).collect();
        let mut edges: Vec<ServiceEdge> = self
            .edges
            .into_iter()
            .map(|((from, to), calls)| ServiceEdge { from: moved[&from], to: moved[&to], calls })
            .collect();
        edges.sort_unstable_by_key(|edge| (edge.from, edge.to));
        let nodes = sorted.into_iter().map(|((kind, name), (_, requests))| ServiceNode { kind, name, requests });
        ServiceMap { nodes: nodes.collect(), edges }
    }
}

struct Columns {
    trace_id: ArrayRef,
    span_id: ArrayRef,
    parent: ArrayRef,
    service: ArrayRef,
    kind: ArrayRef,
    status: ArrayRef,
    duration: ArrayRef,
}

struct ColumnTexts<'a> {
    service: Texts<'a>,
    kind: Texts<'a>,
    status: Texts<'a>,
}

impl Columns {
    fn new(source: &Source) -> Result<Self, Failure> {
        Ok(Self {
            trace_id: source.required("trace_id")?,
            span_id: source.required("span_id")?,
            parent: source.required("parent_span_id")?,
            service: source.required("service_name")?,
            kind: source.required("kind")?,
            status: source.required("status_code")?,
            duration: source.required("duration_ns")?,
        })
    }

    fn texts(&self) -> Result<ColumnTexts<'_>, Failure> {
        Ok(ColumnTexts {
            service: Texts::new(&self.service)?,
            kind: Texts::new(&self.kind)?,
            status: Texts::new(&self.status)?,
        })
    }

    fn key(&self, row: usize) -> Result<u64, Failure> {
        Ok(span_key(cells::ids(&self.trace_id)?.value(row), cells::ids(&self.span_id)?.value(row)))
    }

    fn parent(&self, row: usize) -> Result<Option<u64>, Failure> {
        let parents = cells::ids(&self.parent)?;
        let trace_id = cells::ids(&self.trace_id)?;
        Ok(parents.is_valid(row).then(|| span_key(trace_id.value(row), parents.value(row))))
    }

    fn duration(&self, row: usize) -> Result<Option<DurationNs>, Failure> {
        Ok(cells::value(cells::integers(&self.duration)?, row).map(DurationNs::from_nanos))
    }
}
