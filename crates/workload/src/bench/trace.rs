//! One trace: a tree of spans through the services.

use glasshouse_model::{DurationNs, Timestamp};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use rand::Rng;
use rand::rngs::SmallRng;

use super::attributes::{self, Request};
use super::landscape::{self, Landscape, Work};
use crate::otlp::{SAMPLED, log_normal, milliseconds, random_id, unix_nanos};

pub(super) const MIN_SPANS: u64 = 8;
pub(super) const MAX_SPANS: u64 = 40;
const MAX_DEPTH: usize = 9;
const ERRORS: f64 = 0.01;
/// Traces that take many times as long as others.
const SLOW_TRACES: f64 = 0.004;
const USERS: f64 = 50_000.0;

/// A span and what the answers need to know of it.
pub(super) struct MadeSpan {
    pub span: Span,
    /// Number of the process among the landscape's resources.
    pub process: usize,
    /// Number of the operation in the landscape.
    pub operation: usize,
    /// Number of the user, the same for all spans of the trace.
    pub user: u32,
    pub is_error: bool,
}

/// A span's place in the tree, before it is written out.
#[derive(Clone, Copy)]
struct Node {
    parent: Option<usize>,
    depth: usize,
    operation: usize,
    instance: usize,
    start: Timestamp,
    duration: DurationNs,
}

/// Makes a trace of `size` spans that starts at `start`; the root comes first.
pub(super) fn make(landscape: &Landscape, random: &mut SmallRng, start: Timestamp, size: usize) -> Vec<MadeSpan> {
    let nodes = grow(landscape, random, start, size);
    let trace_id: [u8; 16] = random_id(random);
    // Squared, so that some users are seen often and most seldom.
    let user = (random.random::<f64>().powi(2) * USERS) as u32;
    let ids: Vec<[u8; 8]> = nodes.iter().map(|_| random_id(random)).collect();
    let mut spans = Vec::with_capacity(nodes.len());
    for (node, id) in nodes.iter().zip(&ids) {
        let operation = landscape.operation(node.operation);
        let is_error = random.random_bool(ERRORS);
        let request = Request { work: &operation.work, user, thread: node.instance, is_error };
        let end = node.start + node.duration;
        let span = Span {
            trace_id: trace_id.to_vec(),
            span_id: id.to_vec(),
            parent_span_id: node.parent.map_or_else(Vec::new, |parent| ids[parent].to_vec()),
            flags: SAMPLED,
            name: operation.name.clone(),
            kind: kind(&operation.work) as i32,
            start_time_unix_nano: unix_nanos(node.start),
            end_time_unix_nano: unix_nanos(end),
            attributes: attributes::of_span(&request, random),
            events: attributes::events(&request, random, node.start, node.duration),
            status: attributes::status(&request),
            ..Default::default()
        };
        let process = operation.service * landscape::INSTANCES + node.instance;
        spans.push(MadeSpan { span, process, operation: node.operation, user, is_error });
    }
    spans
}

/// Grows the tree: servers and consumers call, their calls are answered by other services.
fn grow(landscape: &Landscape, random: &mut SmallRng, start: Timestamp, size: usize) -> Vec<Node> {
    let slow = if random.random_bool(SLOW_TRACES) { random.random_range(15.0..60.0) } else { 1.0 };
    let service = random.random_range(0..landscape::SERVICE_COUNT);
    let root = Node {
        parent: None,
        depth: 1,
        operation: Landscape::number(service, landscape::HTTP_SERVERS[random.random_range(0..2)]),
        instance: random.random_range(0..landscape::INSTANCES),
        start,
        duration: milliseconds(log_normal(random, 90.0, 0.7) * slow),
    };
    let mut nodes = vec![root];
    let mut callers = vec![0];
    while nodes.len() < size {
        // Half of the calls come from the newest caller, which makes some trees deep; the others spread.
        let newest = random.random_bool(0.5);
        let caller = callers[if newest { callers.len() - 1 } else { random.random_range(0..callers.len()) }];
        let call = call_from(landscape, random, &nodes, caller);
        let position = nodes.len();
        nodes.push(call);
        if nodes.len() < size
            && call.depth < MAX_DEPTH
            && let Some(answer) = answer_to(landscape, random, &call, position)
        {
            nodes.push(answer);
            if answer.depth < MAX_DEPTH {
                callers.push(position + 1);
            }
        }
    }
    nodes
}

fn call_from(landscape: &Landscape, random: &mut SmallRng, nodes: &[Node], caller: usize) -> Node {
    let parent = nodes[caller];
    let position = match random.random_range(0..100) {
        0..24 => landscape::HTTP_CLIENT,
        24..48 => landscape::GRPC_CLIENT,
        48..72 => landscape::SQL[random.random_range(0..2)],
        72..90 => landscape::CACHE,
        _ => landscape::PRODUCER,
    };
    let share = log_normal(random, 0.12, 0.8).min(0.8);
    let duration = (parent.duration.nanos() as f64 * share) as i64;
    let latest_start = parent.duration.nanos() - duration;
    let offset = (random.random::<f64>() * latest_start as f64) as i64;
    Node {
        parent: Some(caller),
        depth: parent.depth + 1,
        operation: Landscape::number(landscape.operation(parent.operation).service, position),
        instance: parent.instance,
        start: parent.start + DurationNs::from_nanos(offset),
        duration: DurationNs::from_nanos(duration.max(1_000)),
    }
}

/// The other service's side of a call; `None` for calls to a database or a cache.
fn answer_to(landscape: &Landscape, random: &mut SmallRng, call: &Node, parent: usize) -> Option<Node> {
    let operation = landscape.operation(call.operation);
    let services = landscape::SERVICE_COUNT;
    let (service, position) = match operation.work {
        Work::HttpClient { .. } => ((operation.service + 7) % services, landscape::HTTP_SERVERS[0]),
        Work::GrpcClient { .. } => ((operation.service + 3) % services, landscape::GRPC_SERVER),
        Work::Producer { .. } => ((operation.service + 1) % services, landscape::CONSUMER),
        _ => return None,
    };
    let is_queued = position == landscape::CONSUMER;
    let (start, duration) = if is_queued {
        let wait = milliseconds(log_normal(random, 20.0, 1.0));
        (call.start + call.duration + wait, milliseconds(log_normal(random, 15.0, 0.8)))
    } else {
        let network = call.duration.nanos() as f64 * random.random_range(0.01..0.1);
        (
            call.start + DurationNs::from_nanos(network as i64),
            DurationNs::from_nanos((call.duration.nanos() as f64 - 2.0 * network) as i64),
        )
    };
    Some(Node {
        parent: Some(parent),
        depth: call.depth + 1,
        operation: Landscape::number(service, position),
        instance: random.random_range(0..landscape::INSTANCES),
        start,
        duration,
    })
}

fn kind(work: &Work) -> SpanKind {
    match work {
        Work::HttpServer { .. } | Work::GrpcServer { .. } => SpanKind::Server,
        Work::HttpClient { .. } | Work::GrpcClient { .. } | Work::Sql { .. } | Work::Cache { .. } => SpanKind::Client,
        Work::Producer { .. } => SpanKind::Producer,
        Work::Consumer { .. } => SpanKind::Consumer,
    }
}
