//! A whole trace.

use std::collections::HashMap;

use arrow::array::FixedSizeBinaryArray;
use arrow::record_batch::RecordBatch;
use glasshouse_files::FileCache;
use glasshouse_model::{ProcessId, Span, SpanEvent, SpanId, SpanLink, Timestamp, Trace, TraceId, TraceProcess};
use glasshouse_tables::{Snapshot, Table, attributes};

use crate::cells;
use crate::error::Failure;
use crate::lookup::{Rows, Wanted, find};
use crate::spans::{self, texts};
use crate::store::Stop;

/// The columns that [`Details::add_events`] needs.
pub(crate) const EVENTS: &[&str] =
    &["trace_id", "span_id", "time", "name", "attributes", "dropped_attributes_count", "ingest_time"];
/// The columns that [`Details::add_links`] needs.
pub(crate) const LINKS: &[&str] = &[
    "trace_id",
    "span_id",
    "linked_trace_id",
    "linked_span_id",
    "trace_state",
    "attributes",
    "flags",
    "dropped_attributes_count",
    "ingest_time",
];

type SpanKey = (TraceId, SpanId);

/// Events and links of spans.
#[derive(Debug, Default)]
pub(crate) struct Details {
    events: Vec<Row<(SpanKey, i64, String, String), SpanEvent>>,
    links: Vec<Row<(SpanKey, SpanKey, String, String), SpanLink>>,
}

/// What tells a row from others, when it was accepted, and what it says.
type Row<K, T> = (K, i64, T);

impl Details {
    /// Adds rows of events.
    pub fn add_events(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let ids = |name| cells::ids(cells::column(batch, name)?);
        let (trace_id, span_id) = (ids("trace_id")?, ids("span_id")?);
        let time = cells::times(cells::column(batch, "time")?)?;
        let name = texts(batch, "name")?;
        let packed = cells::bytes(cells::column(batch, "attributes")?)?;
        let dropped = cells::integers(cells::column(batch, "dropped_attributes_count")?)?;
        let ingest_time = cells::times(cells::column(batch, "ingest_time")?)?;
        for row in 0..batch.num_rows() {
            let Some(span) = key(trace_id, span_id, row) else { continue };
            let event = SpanEvent {
                time: Timestamp::from_nanos(time.value(row)),
                name: name.value(row).to_owned(),
                attributes: attributes::to_model(packed.value(row)),
                dropped_attributes_count: dropped.value(row) as u32,
            };
            let identity = (span, time.value(row), event.name.clone(), json(packed.value(row)));
            self.events.push((identity, ingest_time.value(row), event));
        }
        Ok(())
    }

    /// Adds rows of links.
    pub fn add_links(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let ids = |name| cells::ids(cells::column(batch, name)?);
        let (trace_id, span_id) = (ids("trace_id")?, ids("span_id")?);
        let (linked_trace_id, linked_span_id) = (ids("linked_trace_id")?, ids("linked_span_id")?);
        let trace_state = texts(batch, "trace_state")?;
        let packed = cells::bytes(cells::column(batch, "attributes")?)?;
        let flags = cells::integers(cells::column(batch, "flags")?)?;
        let dropped = cells::integers(cells::column(batch, "dropped_attributes_count")?)?;
        let ingest_time = cells::times(cells::column(batch, "ingest_time")?)?;
        for row in 0..batch.num_rows() {
            let keys = (key(trace_id, span_id, row), key(linked_trace_id, linked_span_id, row));
            let (Some(span), Some(linked)) = keys else { continue };
            let link = SpanLink {
                trace_id: linked.0,
                span_id: linked.1,
                trace_state: trace_state.value(row).to_owned(),
                attributes: attributes::to_model(packed.value(row)),
                dropped_attributes_count: dropped.value(row) as u32,
                flags: flags.value(row) as u32,
            };
            let identity = (span, linked, link.trace_state.clone(), json(packed.value(row)));
            self.links.push((identity, ingest_time.value(row), link));
        }
        Ok(())
    }

    /// Gives each span its own.
    pub fn hand_out(self, spans: &mut [Span]) {
        let mut events: HashMap<SpanKey, Vec<SpanEvent>> = HashMap::new();
        for ((span, ..), event) in distinct(self.events) {
            events.entry(span).or_default().push(event);
        }
        let mut links: HashMap<SpanKey, Vec<SpanLink>> = HashMap::new();
        for ((span, ..), link) in distinct(self.links) {
            links.entry(span).or_default().push(link);
        }
        for span in spans {
            let key = (span.trace_id, span.span_id);
            span.events = events.remove(&key).unwrap_or_default();
            span.links = links.remove(&key).unwrap_or_default();
        }
    }
}

fn key(trace_id: &FixedSizeBinaryArray, span_id: &FixedSizeBinaryArray, row: usize) -> Option<SpanKey> {
    Some((TraceId::from_slice(trace_id.value(row))?, SpanId::from_slice(span_id.value(row))?))
}

/// Columns of the rows of a trace in `spans`. For the same snapshot and trace, always the same rows in the
/// same order.
pub(crate) fn rows(
    snapshot: &Snapshot,
    files: &FileCache,
    trace_id: TraceId,
    columns: &[&'static str],
    stop: &Stop,
) -> Result<Vec<RecordBatch>, Failure> {
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
    let mut details = Details::default();
    for found in find(snapshot, files, Table::SpanEvents, &wanted, EVENTS, stop)? {
        details.add_events(&found)?;
    }
    for found in find(snapshot, files, Table::SpanLinks, &wanted, LINKS, stop)? {
        details.add_links(&found)?;
    }
    Ok(details)
}

/// A span with all it carries; `None` when it is not known.
pub(crate) fn span(
    snapshot: &Snapshot,
    files: &FileCache,
    trace_id: TraceId,
    span_id: SpanId,
    stop: &Stop,
) -> Result<Option<Span>, Failure> {
    let of_span = |table: Table, columns: &[&'static str]| {
        let wanted = Wanted::new(&[trace_id]);
        let rows = Rows::new(snapshot, files, table, &wanted, &["trace_id", "span_id"], stop)?;
        let mut places = Vec::new();
        rows.each(&["trace_id", "span_id"], |piece, batch| {
            let ids = cells::ids(cells::column(batch, "span_id")?)?;
            let of_it = (0..batch.num_rows()).filter(|row| ids.value(*row) == span_id.as_bytes());
            places.extend(of_it.map(|row| (piece, row as u32)));
            Ok(())
        })?;
        let batches = rows.take(&places, columns)?;
        stop.hold(batches.iter().map(RecordBatch::get_array_memory_size).sum())?;
        Ok::<_, Failure>(batches)
    };
    let Some(mut span) = spans::load_whole(&of_span(Table::Spans, spans::WHOLE)?)?.pop() else { return Ok(None) };
    let mut details = Details::default();
    for events in of_span(Table::SpanEvents, EVENTS)? {
        details.add_events(&events)?;
    }
    for links in of_span(Table::SpanLinks, LINKS)? {
        details.add_links(&links)?;
    }
    details.hand_out(std::slice::from_mut(&mut span));
    Ok(Some(span))
}

/// Puts a trace together; `processes` knows the processes of ids.
pub(crate) fn assemble(
    trace_id: TraceId,
    mut spans: Vec<Span>,
    details: Details,
    processes: impl FnOnce(&[ProcessId]) -> Result<Vec<TraceProcess>, Failure>,
) -> Result<Trace, Failure> {
    let mut services: HashMap<ProcessId, &str> = HashMap::new();
    details.hand_out(&mut spans);
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
pub(crate) fn distinct<K: Ord, T>(mut rows: Vec<Row<K, T>>) -> Vec<(K, T)> {
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
