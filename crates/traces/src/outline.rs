//! The shape of a trace, and what is found in it: its rows are read piece by piece, and of each only what is told is
//! kept.

use std::cmp::Reverse;
use std::collections::HashMap;

use arrow::array::Array;
use arrow::record_batch::RecordBatch;
use glasshouse_files::FileCache;
use glasshouse_model::{OutlineEvent, OutlineSpan, SpanId, SpanKind, StatusCode, Timestamp, TraceId, TraceOutline};
use glasshouse_tables::{Snapshot, Table};

use crate::cells;
use crate::error::Failure;
use crate::lookup::{Rows, Wanted};
use crate::spans::{Version, Versions, texts};
use crate::store::Stop;
use crate::words::{self, Words};

const SPANS: &[&str] = &[
    "trace_id",
    "span_id",
    "parent_span_id",
    "service_name",
    "name",
    "kind",
    "start_time",
    "end_time",
    "status_code",
    "ingest_time",
];
const EVENTS: &[&str] = &["trace_id", "span_id", "time", "name"];

/// The shape of a trace; `None` when none of its spans is known.
pub(crate) fn of_trace(
    snapshot: &Snapshot,
    files: &FileCache,
    trace_id: TraceId,
    stop: &Stop,
) -> Result<Option<TraceOutline>, Failure> {
    let wanted = Wanted::new(&[trace_id]);
    let rows = Rows::new(snapshot, files, Table::Spans, &wanted, SPANS, stop)?;
    let (mut services, mut names) = (Names::default(), Names::default());
    let spans = latest(&rows, SPANS, stop, |batch, shapes| {
        let parents = cells::ids(cells::column(batch, "parent_span_id")?)?;
        let (service, name) = (texts(batch, "service_name")?, texts(batch, "name")?);
        let (kind, status) = (texts(batch, "kind")?, texts(batch, "status_code")?);
        shapes.extend((0..batch.num_rows()).map(|row| Shape {
            parent: parents.is_valid(row).then(|| SpanId::from_slice(parents.value(row))).flatten(),
            service: services.position(service.value(row)),
            name: names.position(name.value(row)),
            kind: SpanKind::from_name(kind.value(row)).unwrap_or_default(),
            status: StatusCode::from_name(status.value(row)).unwrap_or_default(),
        }));
        Ok(())
    })?;
    if spans.is_empty() {
        return Ok(None);
    }
    let spans: Vec<OutlineSpan> = spans.into_iter().map(|row| row.of.span(row.id, row.version)).collect();

    let rows = Rows::new(snapshot, files, Table::SpanEvents, &wanted, EVENTS, stop)?;
    let mut events = Vec::new();
    let mut scratch = stop.scratch();
    if rows.count() > 0 {
        scratch.grow(spans.len() * 2 * size_of::<(SpanId, u32)>())?;
        let numbers = spans.iter().zip(0u32..);
        let positions: HashMap<SpanId, u32> = numbers.map(|(span, number)| (span.span_id, number)).collect();
        rows.each(EVENTS, |_, batch| {
            let span_id = cells::ids(cells::column(batch, "span_id")?)?;
            let time = cells::times(cells::column(batch, "time")?)?;
            let name = texts(batch, "name")?;
            scratch.grow(batch.num_rows() * size_of::<OutlineEvent>())?;
            for row in 0..batch.num_rows() {
                let span = SpanId::from_slice(span_id.value(row)).and_then(|id| positions.get(&id));
                if let Some(&span) = span {
                    let time = Timestamp::from_nanos(time.value(row));
                    events.push(OutlineEvent { span, time, name: names.position(name.value(row)) });
                }
            }
            Ok(())
        })?;
        events.sort_unstable();
        events.dedup();
    }
    scratch.keep();
    Ok(Some(TraceOutline { trace_id, services: services.list, names: names.list, spans, events }))
}

/// The spans of a trace that have all words of a text, in themselves or in their events, in order of start, then of
/// id; at most `limit`.
pub(crate) fn find_spans(
    snapshot: &Snapshot,
    files: &FileCache,
    trace_id: TraceId,
    text: &str,
    limit: usize,
    stop: &Stop,
) -> Result<Vec<SpanId>, Failure> {
    let words = Words::new(text);
    let wanted = Wanted::new(&[trace_id]);
    let columns = [&["trace_id", "span_id"], &Versions::COLUMNS[..], words::COLUMNS, &["attributes"]].concat();
    let rows = Rows::new(snapshot, files, Table::Spans, &wanted, &columns, stop)?;
    let mut spans = latest(&rows, &columns, stop, |batch, found| {
        let attributes = cells::bytes(cells::column(batch, "attributes")?)?;
        found.extend(attributes.iter().map(|packed| packed.map_or(0, |packed| words.in_attributes(packed))));
        for name in words::COLUMNS {
            let texts = texts(batch, name)?.iter().map(Option::unwrap_or_default);
            found.iter_mut().zip(texts).for_each(|(found, text)| *found |= words.in_text(text));
        }
        Ok(())
    })?;
    let columns = ["trace_id", "span_id", "name", "attributes"];
    let rows = Rows::new(snapshot, files, Table::SpanEvents, &wanted, &columns, stop)?;
    let mut in_events: HashMap<SpanId, words::Found> = HashMap::new();
    rows.each(&columns, |_, batch| {
        let span_id = cells::ids(cells::column(batch, "span_id")?)?;
        let attributes = cells::bytes(cells::column(batch, "attributes")?)?;
        let name = texts(batch, "name")?;
        for row in 0..batch.num_rows() {
            let found = words.in_text(name.value(row)) | words.in_attributes(attributes.value(row));
            if found != 0
                && let Some(id) = SpanId::from_slice(span_id.value(row))
            {
                *in_events.entry(id).or_default() |= found;
            }
        }
        Ok(())
    })?;
    spans.retain(|span| span.of | in_events.get(&span.id).copied().unwrap_or_default() == words.all());
    Ok(spans.into_iter().map(|span| span.id).take(limit).collect())
}

/// What is kept of a span.
struct Kept<T> {
    id: SpanId,
    version: Version,
    of: T,
}

/// What `read` keeps, one for each row, of the latest version of each span of a trace, in order of start, then of id.
fn latest<T>(
    rows: &Rows<'_>,
    columns: &[&'static str],
    stop: &Stop,
    mut read: impl FnMut(&RecordBatch, &mut Vec<T>) -> Result<(), Failure>,
) -> Result<Vec<Kept<T>>, Failure> {
    let mut scratch = stop.scratch();
    scratch.grow(usize::try_from(rows.count()).unwrap_or(usize::MAX).saturating_mul(size_of::<Kept<T>>()))?;
    let mut spans: Vec<Kept<T>> = Vec::with_capacity(rows.count() as usize);
    let mut kept = Vec::new();
    rows.each(columns, |_, batch| {
        let span_id = cells::ids(cells::column(batch, "span_id")?)?;
        let versions = Versions::new(batch)?;
        read(batch, &mut kept)?;
        spans.extend(kept.drain(..).enumerate().filter_map(|(row, of)| {
            Some(Kept { id: SpanId::from_slice(span_id.value(row))?, version: versions.of(row), of })
        }));
        Ok(())
    })?;
    spans.sort_unstable_by_key(|span| (span.id, Reverse(span.version)));
    spans.dedup_by_key(|span| span.id);
    spans.sort_unstable_by_key(|span| (span.version.start_time, span.id));
    scratch.keep();
    Ok(spans)
}

/// What a version does not tell of an [`OutlineSpan`].
struct Shape {
    parent: Option<SpanId>,
    service: u32,
    name: u32,
    kind: SpanKind,
    status: StatusCode,
}

impl Shape {
    fn span(self, span_id: SpanId, version: Version) -> OutlineSpan {
        OutlineSpan {
            span_id,
            parent_span_id: self.parent,
            start_time: Timestamp::from_nanos(version.start_time),
            end_time: version.end_time.map(Timestamp::from_nanos),
            service: self.service,
            name: self.name,
            kind: self.kind,
            status_code: self.status,
        }
    }
}

/// Texts by the order in which they came.
#[derive(Default)]
struct Names {
    list: Vec<String>,
    positions: HashMap<String, u32>,
    last: u32,
}

impl Names {
    fn position(&mut self, text: &str) -> u32 {
        if self.list.get(self.last as usize).is_some_and(|last| last == text) {
            return self.last;
        }
        self.last = if let Some(known) = self.positions.get(text) {
            *known
        } else {
            self.list.push(text.to_owned());
            let position = self.list.len() as u32 - 1;
            self.positions.insert(text.to_owned(), position);
            position
        };
        self.last
    }
}
