//! A whole trace.

use std::collections::HashMap;

use glasshouse_files::FileCache;
use glasshouse_model::{ProcessId, Span, SpanEvent, SpanId, SpanLink, Timestamp, Trace, TraceId, TraceProcess};
use glasshouse_tables::{Snapshot, Table, attributes};

use crate::cells;
use crate::error::Failure;
use crate::lookup::{Found, Wanted, find};
use crate::spans::texts;
use crate::store::Stop;

const EVENTS: &[&str] = &["span_id", "time", "name", "attributes", "ingest_time"];
const LINKS: &[&str] =
    &["span_id", "start_time", "linked_trace_id", "linked_span_id", "trace_state", "attributes", "ingest_time"];

/// Events and links of the spans of a trace.
#[derive(Debug, Default)]
pub(crate) struct Details {
    events: HashMap<SpanId, Vec<SpanEvent>>,
    links: HashMap<SpanId, Vec<SpanLink>>,
}

/// Columns of the rows of a trace in `spans`. For the same snapshot and trace, always the same rows in the
/// same order.
pub(crate) fn rows(
    snapshot: &Snapshot,
    files: &FileCache,
    trace_id: TraceId,
    columns: &[&'static str],
    stop: &Stop,
) -> Result<Vec<Found>, Failure> {
    find(snapshot, files, Table::Spans, &Wanted::new(&[trace_id]), columns, stop)
}

/// The events and links of a trace.
pub(crate) fn details(
    snapshot: &Snapshot,
    files: &FileCache,
    trace_id: TraceId,
    stop: &Stop,
) -> Result<Details, Failure> {
    let wanted = Wanted::new(&[trace_id]);
    let mut events = Vec::new();
    for found in find(snapshot, files, Table::SpanEvents, &wanted, EVENTS, stop)? {
        let batch = &found.batch;
        let span_id = cells::ids(cells::column(batch, "span_id")?)?;
        let time = cells::times(cells::column(batch, "time")?)?;
        let name = texts(batch, "name")?;
        let packed = cells::bytes(cells::column(batch, "attributes")?)?;
        let ingest_time = cells::times(cells::column(batch, "ingest_time")?)?;
        for row in 0..batch.num_rows() {
            let Some(span_id) = SpanId::from_slice(span_id.value(row)) else { continue };
            let identity = (span_id, time.value(row), name.value(row).to_owned(), json(packed.value(row)));
            let event = SpanEvent {
                time: Timestamp::from_nanos(time.value(row)),
                name: name.value(row).to_owned(),
                attributes: attributes::to_model(packed.value(row)),
            };
            events.push((identity, ingest_time.value(row), event));
        }
    }
    let mut links = Vec::new();
    for found in find(snapshot, files, Table::SpanLinks, &wanted, LINKS, stop)? {
        let batch = &found.batch;
        let span_id = cells::ids(cells::column(batch, "span_id")?)?;
        let linked_trace_id = cells::ids(cells::column(batch, "linked_trace_id")?)?;
        let linked_span_id = cells::ids(cells::column(batch, "linked_span_id")?)?;
        let trace_state = texts(batch, "trace_state")?;
        let packed = cells::bytes(cells::column(batch, "attributes")?)?;
        let ingest_time = cells::times(cells::column(batch, "ingest_time")?)?;
        for row in 0..batch.num_rows() {
            let ids = (
                SpanId::from_slice(span_id.value(row)),
                TraceId::from_slice(linked_trace_id.value(row)),
                SpanId::from_slice(linked_span_id.value(row)),
            );
            let (Some(span), Some(linked_trace), Some(linked_span)) = ids else { continue };
            let link = SpanLink {
                trace_id: linked_trace,
                span_id: linked_span,
                trace_state: trace_state.value(row).to_owned(),
                attributes: attributes::to_model(packed.value(row)),
            };
            let identity = (span, linked_trace, linked_span, link.trace_state.clone(), json(packed.value(row)));
            links.push((identity, ingest_time.value(row), link));
        }
    }
    let mut details = Details::default();
    for ((span_id, ..), event) in distinct(events) {
        details.events.entry(span_id).or_default().push(event);
    }
    for ((span_id, ..), link) in distinct(links) {
        details.links.entry(span_id).or_default().push(link);
    }
    Ok(details)
}

/// Puts a trace together; `processes` knows the processes of ids.
pub(crate) fn assemble(
    trace_id: TraceId,
    mut spans: Vec<Span>,
    mut details: Details,
    processes: impl FnOnce(&[ProcessId]) -> Result<Vec<TraceProcess>, Failure>,
) -> Result<Trace, Failure> {
    let mut services: HashMap<ProcessId, &str> = HashMap::new();
    for span in &mut spans {
        span.events = details.events.remove(&span.span_id).unwrap_or_default();
        span.links = details.links.remove(&span.span_id).unwrap_or_default();
    }
    for span in &spans {
        services.entry(span.process_id).or_insert(&span.service_name);
    }
    let ids: Vec<ProcessId> = services.keys().copied().collect();
    let mut processes = processes(&ids)?;
    for process in &processes {
        services.remove(&process.process_id);
    }
    // The row of a process may have expired before its spans.
    processes.extend(services.into_iter().map(|(process_id, service_name)| TraceProcess {
        process_id,
        service_name: service_name.to_owned(),
        resource: attributes::to_model(&[]),
    }));
    processes.sort_unstable_by(|a, b| (&a.service_name, a.process_id).cmp(&(&b.service_name, b.process_id)));
    Ok(Trace { trace_id, spans, processes })
}

/// Rows sent again fall together; equal rows of one request stay as many as they were. Answers them in
/// order of identity.
pub(crate) fn distinct<K: Ord, T>(mut rows: Vec<(K, i64, T)>) -> Vec<(K, T)> {
    rows.sort_by(|(a, a_time, _), (b, b_time, _)| (a, a_time).cmp(&(b, b_time)));
    let mut distinct: Vec<(K, T)> = Vec::with_capacity(rows.len());
    let (mut known, mut seen, mut last_time) = (0, 0, 0);
    for (identity, time, row) in rows {
        if distinct.last().is_none_or(|(last, _)| *last != identity) {
            (known, seen, last_time) = (0, 0, time);
        } else if time != last_time {
            (seen, last_time) = (0, time);
        }
        seen += 1;
        if seen > known {
            known = seen;
            distinct.push((identity, row));
        }
    }
    distinct
}

/// Attributes in the form that does not depend on how they came.
pub(crate) fn json(packed: &[u8]) -> String {
    let mut json = String::new();
    attributes::packed_to_json(packed, &mut json);
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_again_is_shown_once_but_true_repeats_stay() {
        let rows = vec![("b", 1, 'w'), ("a", 1, 'x'), ("a", 1, 'x'), ("a", 2, 'x'), ("a", 2, 'x'), ("b", 2, 'w')];
        assert_eq!(distinct(rows), [("a", 'x'), ("a", 'x'), ("b", 'w')]);
    }
}
