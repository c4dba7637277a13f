//! Traces in short.

use std::collections::{BTreeSet, HashMap, HashSet};

use arrow::array::{Array, FixedSizeBinaryArray, PrimitiveArray, StringArray};
use arrow::datatypes::TimestampNanosecondType;
use glasshouse_model::{StatusCode, Timestamp, TraceId, TraceKind, TraceSummary};

use crate::cells;
use crate::error::Failure;
use crate::lookup::Found;
use crate::source::Source;
use crate::spans::{Version, texts};

/// The columns that [`summaries`] needs.
pub(crate) const COLUMNS: &[&str] = &[
    "trace_id",
    "span_id",
    "parent_span_id",
    "service_name",
    "name",
    "start_time",
    "end_time",
    "status_code",
    "ingest_time",
];

/// A trace in short, its kind not told yet. Its start is that of its earliest row, even of one that a later
/// version of the span replaced: so no row of a trace is earlier than the trace, which search relies on.
#[derive(Debug)]
pub(crate) struct Draft {
    pub summary: TraceSummary,
    /// Where the root span is.
    pub root: Vec<(Source, Vec<u32>)>,
    /// Where all spans are, those rows that count.
    pub spans: Vec<(Source, Vec<u32>)>,
    /// Whether some span has more than one row, so that not every row counts.
    pub has_versions: bool,
}

struct SummaryColumns<'a> {
    trace_id: &'a FixedSizeBinaryArray,
    span_id: &'a FixedSizeBinaryArray,
    parent_span_id: &'a FixedSizeBinaryArray,
    service_name: &'a StringArray,
    name: &'a StringArray,
    start_time: &'a PrimitiveArray<TimestampNanosecondType>,
    end_time: &'a PrimitiveArray<TimestampNanosecondType>,
    status_code: &'a StringArray,
    ingest_time: &'a PrimitiveArray<TimestampNanosecondType>,
}

/// The row that counts of one span.
#[derive(Debug, Clone, Copy)]
struct SpanRow<'a> {
    version: Version,
    id: &'a [u8],
    parent: Option<&'a [u8]>,
    batch: usize,
    row: usize,
}

/// Summaries of all traces among rows that have [`COLUMNS`].
pub(crate) fn summaries(found: &[Found]) -> Result<Vec<Draft>, Failure> {
    let batches = found.iter().map(SummaryColumns::new).collect::<Result<Vec<_>, _>>()?;
    let mut traces: HashMap<&[u8], Vec<SpanRow<'_>>> = HashMap::new();
    for (batch, columns) in batches.iter().enumerate() {
        for row in 0..columns.trace_id.len() {
            traces.entry(columns.trace_id.value(row)).or_default().push(columns.span(batch, row));
        }
    }
    Ok(traces
        .into_iter()
        .filter_map(|(id, mut rows)| {
            let all = rows.len();
            let start = rows.iter().map(|row| row.version.start_time).min()?;
            rows.sort_unstable_by_key(|row| (row.id, std::cmp::Reverse(row.version)));
            rows.dedup_by_key(|row| row.id);
            let has_versions = rows.len() < all;
            let (summary, root) = summarize(TraceId::from_slice(id)?, start, &rows, &batches)?;
            let root = sources(found, &[root]);
            rows.sort_unstable_by_key(|row| (row.batch, row.row));
            Some(Draft { summary, root, spans: sources(found, &rows), has_versions })
        })
        .collect())
}

/// Where rows, in ascending order, are.
fn sources(found: &[Found], rows: &[SpanRow<'_>]) -> Vec<(Source, Vec<u32>)> {
    let batches = rows.chunk_by(|a, b| a.batch == b.batch);
    batches.flat_map(|rows| found[rows[0].batch].sources(rows.iter().map(|row| row.row))).collect()
}

fn summarize<'a>(
    trace_id: TraceId,
    start: i64,
    spans: &[SpanRow<'a>],
    batches: &[SummaryColumns<'a>],
) -> Option<(TraceSummary, SpanRow<'a>)> {
    let known: HashSet<&[u8]> = spans.iter().map(|span| span.id).collect();
    let is_root = |span: &&SpanRow<'_>| span.parent.is_none_or(|parent| !known.contains(parent));
    let order = |span: &&SpanRow<'a>| (span.version.start_time, span.id);
    // Spans that are each other's parents have no root: the earliest stands for it.
    let root = *spans.iter().filter(is_root).min_by_key(order).or_else(|| spans.iter().min_by_key(order))?;
    let end = spans.iter().map(|span| span.version.end_time.unwrap_or(span.version.start_time)).max()?;
    let text = |span: &SpanRow<'_>, column: fn(&SummaryColumns<'a>) -> &'a StringArray| {
        column(&batches[span.batch]).value(span.row)
    };
    let services: BTreeSet<&str> = spans.iter().map(|span| text(span, |columns| columns.service_name)).collect();
    let errors = spans.iter().filter(|span| text(span, |columns| columns.status_code) == StatusCode::Error.as_str());
    let summary = TraceSummary {
        trace_id,
        root_service: text(&root, |columns| columns.service_name).to_owned(),
        root_name: text(&root, |columns| columns.name).to_owned(),
        start_time: Timestamp::from_nanos(start),
        duration_ns: Timestamp::from_nanos(end) - Timestamp::from_nanos(start),
        span_count: spans.len() as u32,
        error_count: errors.count() as u32,
        services: services.into_iter().map(str::to_owned).collect(),
        kind: TraceKind::Other,
    };
    Some((summary, root))
}

impl<'a> SummaryColumns<'a> {
    fn new(found: &'a Found) -> Result<Self, Failure> {
        let batch = &found.batch;
        let id = |name| cells::ids(cells::column(batch, name)?);
        let time = |name| cells::times(cells::column(batch, name)?);
        Ok(Self {
            trace_id: id("trace_id")?,
            span_id: id("span_id")?,
            parent_span_id: id("parent_span_id")?,
            service_name: texts(batch, "service_name")?,
            name: texts(batch, "name")?,
            start_time: time("start_time")?,
            end_time: time("end_time")?,
            status_code: texts(batch, "status_code")?,
            ingest_time: time("ingest_time")?,
        })
    }

    fn span(&self, batch: usize, row: usize) -> SpanRow<'a> {
        let end_time = cells::value(self.end_time, row);
        let version = Version {
            is_complete: end_time.is_some(),
            ingest_time: self.ingest_time.value(row),
            end_time,
            start_time: self.start_time.value(row),
        };
        let parent = self.parent_span_id.is_valid(row).then(|| self.parent_span_id.value(row));
        SpanRow { version, id: self.span_id.value(row), parent, batch, row }
    }
}
