//! Spans that both sides of a call report under one id.
//!
//! With B3 propagation, the client and the server of a call write the same trace id and span id; the
//! server says `shared`. In a table of spans an id names one span, so the server's half gets an id of its
//! own, and the client's half becomes its parent. Several servers may share one client's span (a message
//! to many). What a server did within moves under its half; it is told from the client's own children by
//! its service, address and time.

use std::collections::{HashMap, HashSet};

use glasshouse_model::{SpanId, SpanKind, TraceId};
use xxhash_rust::xxh3::Xxh3Default;

use super::wire::ZipkinSpan;

/// Server halves of one id among which a child's parent is looked for.
const MAX_HALVES: usize = 128;

type Key = (TraceId, SpanId);

/// The shared spans of a request.
#[derive(Debug, Default)]
pub(super) struct SharedSpans {
    /// Ids that a client's half has.
    clients: HashSet<Key>,
    /// The servers' halves of each shared id.
    servers: HashMap<Key, Vec<ServerHalf>>,
}

#[derive(Debug)]
struct ServerHalf {
    service: String,
    address: String,
    timestamp: Option<u64>,
    /// Whether its sender says that it is shared.
    is_marked: bool,
    id: SpanId,
}

impl SharedSpans {
    /// Notes a span that may be one half of a shared one.
    pub fn add(&mut self, span: &ZipkinSpan<'_>) {
        let key = (span.trace_id, span.id);
        if span.kind == Some(SpanKind::Client) {
            self.clients.insert(key);
        } else if span.shared || span.kind == Some(SpanKind::Server) {
            let half = ServerHalf {
                service: span.service_name().unwrap_or_default().to_owned(),
                address: span.local_address(),
                timestamp: span.timestamp,
                is_marked: span.shared,
                id: server_id(span),
            };
            let halves = self.servers.entry(key).or_default();
            if halves.len() < MAX_HALVES {
                halves.push(half);
            }
        }
    }

    /// To be called when all spans are known: servers that share no id are spans of their own.
    pub fn finish(&mut self) {
        let clients = &self.clients;
        self.servers.retain(|key, halves| {
            if !clients.contains(key) {
                halves.retain(|half| half.is_marked);
            }
            !halves.is_empty()
        });
    }

    /// Senders that do not write `shared` are recognised when both halves are in one request.
    fn is_server_half(&self, span: &ZipkinSpan<'_>) -> bool {
        match span.kind {
            Some(SpanKind::Client) => false,
            Some(SpanKind::Server) => span.shared || self.clients.contains(&(span.trace_id, span.id)),
            _ => span.shared,
        }
    }

    /// The id that the span has in our tables.
    pub fn own_id(&self, span: &ZipkinSpan<'_>) -> SpanId {
        if self.is_server_half(span) { server_id(span) } else { span.id }
    }

    /// The parent that the span has in our tables.
    pub fn parent_id(&self, span: &ZipkinSpan<'_>) -> Option<SpanId> {
        if self.is_server_half(span) {
            return Some(span.id);
        }
        let parent = span.parent_id?;
        let service = span.service_name().unwrap_or_default();
        let address = span.local_address();
        // Of the service's halves: the one on the same machine that began last before the span did.
        let half = self
            .servers
            .get(&(span.trace_id, parent))
            .into_iter()
            .flatten()
            .filter(|half| half.service == service)
            .max_by_key(|half| (half.address == address, half.timestamp <= span.timestamp, half.timestamp));
        Some(half.map_or(parent, |half| half.id))
    }
}

/// Id of a server's half of a shared span, derived from what names it. It is the same in every request,
/// so that sending the span again changes nothing.
fn server_id(span: &ZipkinSpan<'_>) -> SpanId {
    let mut hash = Xxh3Default::new();
    hash.update(span.trace_id.as_bytes());
    hash.update(span.id.as_bytes());
    hash.update(&span.timestamp.unwrap_or(0).to_be_bytes());
    hash.update(span.service_name().unwrap_or_default().as_bytes());
    hash.update(&[0]);
    hash.update(span.local_address().as_bytes());
    SpanId::from_bytes(hash.digest().max(1).to_be_bytes()).expect("the hash is at least 1")
}
