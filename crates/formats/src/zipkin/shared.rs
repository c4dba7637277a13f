//! Spans that both sides of a call report under one id.
//!
//! With B3 propagation, the client and the server of a call write the same trace id and span id; the
//! server says `shared`. In a table of spans an id names one span, so the server's half gets an id of its
//! own, derived from the shared one, and the client's half becomes its parent. What the server did within
//! moves under the server's half; it is told from the client's own children by its service.

use std::collections::{HashMap, HashSet};

use glasshouse_model::{SpanId, SpanKind, TraceId};
use xxhash_rust::xxh3::xxh3_64;

use super::wire::ZipkinSpan;

type Key = (TraceId, SpanId);

/// The shared spans of a request.
#[derive(Debug, Default)]
pub(super) struct SharedSpans {
    /// Ids that a client's half has.
    clients: HashSet<Key>,
    /// Services whose server half of the span is in the request.
    servers: HashMap<Key, Vec<String>>,
}

impl SharedSpans {
    pub fn of<'s, 'a: 's>(spans: impl Iterator<Item = &'s ZipkinSpan<'a>> + Clone) -> Self {
        let mut shared = Self::default();
        for span in spans.clone().filter(|span| span.kind == Some(SpanKind::Client)) {
            shared.clients.insert((span.trace_id, span.id));
        }
        for span in spans {
            if shared.is_server_half(span) {
                let service = span.service_name().unwrap_or_default().to_owned();
                shared.servers.entry((span.trace_id, span.id)).or_default().push(service);
            }
        }
        shared
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
        if self.is_server_half(span) { server_id(span.trace_id, span.id) } else { span.id }
    }

    /// The parent that the span has in our tables.
    pub fn parent_id(&self, span: &ZipkinSpan<'_>) -> Option<SpanId> {
        if self.is_server_half(span) {
            return Some(span.id);
        }
        let parent = span.parent_id?;
        let servers = self.servers.get(&(span.trace_id, parent));
        let service = span.service_name().unwrap_or_default();
        let within_server = servers.is_some_and(|services| services.iter().any(|server| server == service));
        Some(if within_server { server_id(span.trace_id, parent) } else { parent })
    }
}

/// Id of the server's half of a shared span: the same in every request, so that sending it again changes
/// nothing.
fn server_id(trace_id: TraceId, span_id: SpanId) -> SpanId {
    let mut bytes = [0; 24];
    bytes[..16].copy_from_slice(trace_id.as_bytes());
    bytes[16..].copy_from_slice(span_id.as_bytes());
    let hash = xxh3_64(&bytes).max(1);
    SpanId::from_bytes(hash.to_be_bytes()).expect("the hash is at least 1")
}
