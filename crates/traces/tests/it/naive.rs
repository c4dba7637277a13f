//! The documented meaning of a search, word by word, over rows in memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use glasshouse_model::{
    AttributeFilter, Attributes, DurationNs, ProcessId, SpanId, SpanKind, StatusCode, Timestamp, TraceFilter, TraceId,
    TraceKind, TraceSummary, Value,
};

/// Rules for the kinds of traces: of a value in several types, and of a key that only JSON has.
pub const KIND_RULES: [&str; 2] = ["build=ratio=1.0", "query=odd \"key\\"];

/// A row of `spans`.
#[derive(Debug, Clone)]
pub struct Row {
    pub trace_id: TraceId,
    pub span_id: SpanId,
    pub parent: Option<SpanId>,
    pub process: ProcessId,
    pub service: &'static str,
    pub name: &'static str,
    pub kind: SpanKind,
    pub start: i64,
    pub end: Option<i64>,
    pub status: StatusCode,
    pub attributes: Vec<(&'static str, Value)>,
    pub ingest: i64,
}

/// The spans of each trace, each once.
pub fn spans(rows: &[Row]) -> BTreeMap<TraceId, Vec<&Row>> {
    let mut spans: BTreeMap<(TraceId, SpanId), &Row> = BTreeMap::new();
    for row in rows {
        let known = spans.entry((row.trace_id, row.span_id)).or_insert(row);
        if (known.end.is_some(), known.ingest) < (row.end.is_some(), row.ingest) {
            *known = row;
        }
    }
    let mut traces: BTreeMap<TraceId, Vec<&Row>> = BTreeMap::new();
    for ((trace_id, _), row) in spans {
        traces.entry(trace_id).or_default().push(row);
    }
    for spans in traces.values_mut() {
        spans.sort_by_key(|span| (span.start, span.span_id));
    }
    traces
}

/// All matching traces, newest first; the filter's limit and cursor aside.
pub fn find(
    rows: &[Row],
    resources: &BTreeMap<ProcessId, Vec<(&'static str, Value)>>,
    filter: &TraceFilter,
) -> Vec<TraceSummary> {
    let traces = spans(rows).into_iter();
    let matching = traces.filter(|(_, spans)| spans.iter().any(|span| matches(span, resources, filter)));
    // A trace begins with its earliest row, replaced ones included.
    let start = |id| rows.iter().filter(|row| row.trace_id == id).map(|row| row.start).min().unwrap();
    let mut found: Vec<_> = matching.map(|(id, spans)| summary(id, start(id), &spans)).collect();
    found.sort_by_key(|trace| Reverse((trace.start_time, trace.trace_id)));
    found
}

pub fn matches(span: &Row, resources: &BTreeMap<ProcessId, Vec<(&'static str, Value)>>, filter: &TraceFilter) -> bool {
    let duration = span.end.map(|end| DurationNs::from_nanos(end - span.start));
    let attribute = |wanted: &AttributeFilter| {
        let of = |attributes: &[(&str, Value)]| {
            attributes.iter().find(|(key, _)| *key == wanted.key).and_then(|(_, value)| text(value))
        };
        let own = of(&span.attributes);
        own.or_else(|| of(resources.get(&span.process)?)) == Some(wanted.value.clone())
    };
    filter.service.as_ref().is_none_or(|service| service == span.service)
        && filter.operation.as_ref().is_none_or(|name| name == span.name)
        && filter.min_duration.is_none_or(|min| duration.is_some_and(|duration| duration >= min))
        && filter.max_duration.is_none_or(|max| duration.is_some_and(|duration| duration <= max))
        && filter.error.is_none_or(|error| error == (span.status == StatusCode::Error))
        && filter.range.contains(Timestamp::from_nanos(span.start))
        && filter.attributes.iter().all(attribute)
        && filter.kind.is_none_or(|kind| kind == span.kind)
        && filter.root.is_none_or(|root| root == span.parent.is_none())
        && filter.request.is_none_or(|request| request == is_request(span))
        && filter.text.as_ref().is_none_or(|text| has_words(span, text))
}

/// Whether a span is of a kind that others call, or has no parent.
pub fn is_request(span: &Row) -> bool {
    span.parent.is_none() || matches!(span.kind, SpanKind::Server | SpanKind::Consumer)
}

/// Whether each word is in the span's name, its service or an attribute.
pub fn has_words(span: &Row, words: &str) -> bool {
    let attributes = span.attributes.iter().map(|(key, value)| format!("{key}={}", text(value).unwrap_or_default()));
    let texts: Vec<String> =
        attributes.chain([span.name.to_owned(), span.service.to_owned()]).map(|text| text.to_lowercase()).collect();
    words.to_lowercase().split_whitespace().all(|word| texts.iter().any(|text| text.contains(word)))
}

pub fn text(value: &Value) -> Option<String> {
    Some(match value {
        Value::Empty => return None,
        Value::String(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Double(value) => format!("{value:?}"),
        Value::Array(items) => format!("[{}]", items.iter().filter_map(text).collect::<Vec<_>>().join(",")),
        other => unreachable!("not among the test's values: {other:?}"),
    })
}

fn summary(trace_id: TraceId, start: i64, spans: &[&Row]) -> TraceSummary {
    let known: BTreeSet<SpanId> = spans.iter().map(|span| span.span_id).collect();
    let root = spans.iter().find(|span| span.parent.is_none_or(|parent| !known.contains(&parent)));
    let root = root.unwrap_or(&spans[0]);
    let end = spans.iter().map(|span| span.end.unwrap_or(span.start)).max().unwrap();
    let services: BTreeSet<&str> = spans.iter().map(|span| span.service).collect();
    let kinds: Vec<TraceKind> = spans.iter().filter_map(|span| kind(span)).collect();
    let kind = kind(root).or_else(|| match kinds[..] {
        [first, ..] if kinds.iter().any(|kind| *kind != first) => Some(TraceKind::Mixed),
        [first, ..] => Some(first),
        [] => None,
    });
    TraceSummary {
        trace_id,
        root_service: root.service.to_owned(),
        root_name: root.name.to_owned(),
        start_time: Timestamp::from_nanos(start),
        duration_ns: DurationNs::from_nanos(end - start),
        span_count: spans.len() as u32,
        error_count: spans.iter().filter(|span| span.status == StatusCode::Error).count() as u32,
        services: services.into_iter().map(str::to_owned).collect(),
        kind: kind.unwrap_or(TraceKind::Other),
    }
}

/// What [`KIND_RULES`] and, after them, the usual rules say of a span.
fn kind(span: &Row) -> Option<TraceKind> {
    let value = |key: &str| span.attributes.iter().find(|(k, _)| *k == key).and_then(|(_, value)| text(value));
    Some(match () {
        () if value("ratio").as_deref() == Some("1.0") => TraceKind::Build,
        () if value("odd \"key\\").is_some() => TraceKind::Query,
        () if value("http.request.method").is_some() => TraceKind::Http,
        () if value("rpc.system").is_some() => TraceKind::Rpc,
        () if value("db.system").is_some() => TraceKind::Database,
        () => return None,
    })
}

/// Attributes as a map: files do not keep the order of different keys.
pub fn sorted(attributes: &[(&'static str, Value)]) -> Attributes {
    let mut sorted: Vec<_> = attributes.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    Attributes(sorted)
}
