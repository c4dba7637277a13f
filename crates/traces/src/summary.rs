//! Traces in short, told without their rows in memory: of each span only its id is kept.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, FixedSizeBinaryArray, StringArray};
use arrow::record_batch::RecordBatch;
use glasshouse_model::{SpanId, StatusCode, Timestamp, TraceId, TraceKind, TraceSummary};

use crate::cells;
use crate::error::Failure;
use crate::lookup::{RowPlace, Rows};
use crate::source::Source;
use crate::spans::{Version, Versions, texts};
use crate::store::Stop;

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

/// Bytes that a row takes while summaries are made: the id, and where it is.
const BYTES_PER_ROW: usize = 2 * size_of::<SpanId>() + size_of::<RowPlace>();
/// Bytes that a row takes besides when its span has others: it waits until all are seen.
const BYTES_PER_VERSION: usize = 2 * (size_of::<SpanId>() + size_of::<Row>());

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

/// Summaries of all traces among rows that have [`COLUMNS`].
pub(crate) fn summaries(rows: &Rows<'_>, stop: &Stop) -> Result<Vec<Draft>, Failure> {
    let mut scratch = stop.scratch();
    let mut traces = Traces::default();
    rows.each(&["trace_id", "span_id"], |_, batch| {
        let (trace_id, span_id) = (id_column(batch, "trace_id")?, id_column(batch, "span_id")?);
        scratch.grow(batch.num_rows() * BYTES_PER_ROW)?;
        for row in 0..batch.num_rows() {
            if let Some(span) = SpanId::from_slice(span_id.value(row)) {
                traces.of(trace_id.value(row)).ids.push(span);
            }
        }
        Ok(())
    })?;
    traces.list.iter_mut().for_each(Gathered::find_repeated);
    rows.each(COLUMNS, |piece, batch| {
        let columns = Columns::new(batch)?;
        let mut texts = Interner::default();
        for row in 0..batch.num_rows() {
            let Some(id) = SpanId::from_slice(columns.span_id.value(row)) else { continue };
            let trace = traces.of(columns.trace_id.value(row));
            let row = columns.row(row, (piece, row as u32), &mut texts);
            trace.earliest = trace.earliest.min(row.version.start_time);
            if trace.repeated.binary_search(&id).is_err() {
                trace.add(id, row);
            } else {
                scratch.grow(BYTES_PER_VERSION)?;
                trace.note(id, row);
            }
        }
        Ok(())
    })?;
    Ok(traces.list.into_iter().filter_map(|trace| trace.finish(rows)).collect())
}

/// Traces by their ids. Rows of a trace are mostly beside each other.
#[derive(Default)]
struct Traces {
    list: Vec<Gathered>,
    known: HashMap<[u8; TraceId::LEN], usize>,
    last: usize,
}

impl Traces {
    fn of(&mut self, id: &[u8]) -> &mut Gathered {
        if self.list.get(self.last).is_none_or(|trace| trace.id != id) {
            let id = id.try_into().expect("a column of trace ids has values of their length");
            self.last = *self.known.entry(id).or_insert_with(|| {
                self.list.push(Gathered::new(id));
                self.list.len() - 1
            });
        }
        &mut self.list[self.last]
    }
}

/// What is known of a trace so far.
struct Gathered {
    id: [u8; TraceId::LEN],
    /// The ids of its spans; in order, each once, after [`Gathered::find_repeated`].
    ids: Vec<SpanId>,
    /// Those of more than one row, in order.
    repeated: Vec<SpanId>,
    /// The best row so far of each of them.
    versions: HashMap<SpanId, Row>,
    earliest: i64,
    end: i64,
    errors: u32,
    services: BTreeSet<Arc<str>>,
    last_service: Option<Arc<str>>,
    /// The earliest span without a known parent.
    root: Option<(SpanId, Row)>,
    /// The earliest span. Spans that are each other's parents have no root: it stands for that.
    first: Option<(SpanId, Row)>,
    places: Vec<RowPlace>,
}

/// A row, as far as summaries need it.
#[derive(Clone)]
struct Row {
    version: Version,
    parent: Option<SpanId>,
    service: Arc<str>,
    name: Arc<str>,
    has_failed: bool,
    place: RowPlace,
}

impl Gathered {
    fn new(id: [u8; TraceId::LEN]) -> Self {
        Self {
            id,
            ids: Vec::new(),
            repeated: Vec::new(),
            versions: HashMap::new(),
            earliest: i64::MAX,
            end: i64::MIN,
            errors: 0,
            services: BTreeSet::new(),
            last_service: None,
            root: None,
            first: None,
            places: Vec::new(),
        }
    }

    fn find_repeated(&mut self) {
        self.ids.sort_unstable();
        self.repeated = self.ids.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        self.repeated.dedup();
        self.ids.dedup();
    }

    /// Takes a row of a span that has others.
    fn note(&mut self, id: SpanId, row: Row) {
        let best = self.versions.entry(id).or_insert_with(|| row.clone());
        if best.version < row.version {
            *best = row;
        }
    }

    /// Takes the row that counts of a span.
    fn add(&mut self, id: SpanId, row: Row) {
        self.end = self.end.max(row.version.end_time.unwrap_or(row.version.start_time));
        self.errors += u32::from(row.has_failed);
        self.places.push(row.place);
        if self.last_service.as_ref() != Some(&row.service) {
            self.services.insert(Arc::clone(&row.service));
            self.last_service = Some(Arc::clone(&row.service));
        }
        let is_earlier = |best: &Option<(SpanId, Row)>| {
            best.as_ref()
                .is_none_or(|(best_id, best)| (row.version.start_time, id) < (best.version.start_time, *best_id))
        };
        let has_parent = |parent: SpanId| self.ids.binary_search(&parent).is_ok();
        if is_earlier(&self.first) {
            self.first = Some((id, row.clone()));
        }
        if is_earlier(&self.root) && !row.parent.is_some_and(has_parent) {
            self.root = Some((id, row));
        }
    }

    fn finish(mut self, rows: &Rows<'_>) -> Option<Draft> {
        for (id, row) in std::mem::take(&mut self.versions) {
            self.add(id, row);
        }
        self.places.sort_unstable();
        let (_, root) = self.root.or(self.first)?;
        let summary = TraceSummary {
            trace_id: TraceId::from_slice(&self.id)?,
            root_service: (*root.service).to_owned(),
            root_name: (*root.name).to_owned(),
            start_time: Timestamp::from_nanos(self.earliest),
            duration_ns: Timestamp::from_nanos(self.end) - Timestamp::from_nanos(self.earliest),
            span_count: self.places.len() as u32,
            error_count: self.errors,
            services: self.services.iter().map(|service| (**service).to_owned()).collect(),
            kind: TraceKind::Other,
        };
        Some(Draft {
            summary,
            root: rows.sources(&[root.place]),
            spans: rows.sources(&self.places),
            has_versions: !self.repeated.is_empty(),
        })
    }
}

/// Texts of which the one before is shared: in a file, equal ones are beside each other.
#[derive(Default)]
struct Interner {
    service: Option<Arc<str>>,
    name: Option<Arc<str>>,
}

fn shared(last: &mut Option<Arc<str>>, text: &str) -> Arc<str> {
    match last {
        Some(last) if **last == *text => Arc::clone(last),
        _ => Arc::clone(last.insert(text.into())),
    }
}

struct Columns<'a> {
    trace_id: &'a FixedSizeBinaryArray,
    span_id: &'a FixedSizeBinaryArray,
    parent_span_id: &'a FixedSizeBinaryArray,
    service_name: &'a StringArray,
    name: &'a StringArray,
    versions: Versions<'a>,
    status_code: &'a StringArray,
}

impl<'a> Columns<'a> {
    fn new(batch: &'a RecordBatch) -> Result<Self, Failure> {
        Ok(Self {
            trace_id: id_column(batch, "trace_id")?,
            span_id: id_column(batch, "span_id")?,
            parent_span_id: id_column(batch, "parent_span_id")?,
            service_name: texts(batch, "service_name")?,
            name: texts(batch, "name")?,
            versions: Versions::new(batch)?,
            status_code: texts(batch, "status_code")?,
        })
    }

    fn row(&self, row: usize, place: RowPlace, texts: &mut Interner) -> Row {
        let parent = self.parent_span_id.is_valid(row).then(|| self.parent_span_id.value(row));
        Row {
            version: self.versions.of(row),
            parent: parent.and_then(SpanId::from_slice),
            service: shared(&mut texts.service, self.service_name.value(row)),
            name: shared(&mut texts.name, self.name.value(row)),
            has_failed: self.status_code.value(row) == StatusCode::Error.as_str(),
            place,
        }
    }
}

fn id_column<'a>(batch: &'a RecordBatch, name: &'static str) -> Result<&'a FixedSizeBinaryArray, Failure> {
    cells::ids(cells::column(batch, name)?)
}
