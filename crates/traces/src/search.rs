//! The newest traces that match.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use glasshouse_files::{FileCache, FileReader};
use glasshouse_model::{Cursor, Timestamp, TraceFilter, TraceId, TracePage, TraceSummary};
use glasshouse_tables::{DataFile, Snapshot, Table};

use crate::attribute::{WantedAttribute, WantedValue};
use crate::cells;
use crate::error::Failure;
use crate::filter::Wanted;
use crate::kind::KindRules;
use crate::source::{Absent, Source};
use crate::store::{Stop, Traces};
use crate::summary::{self, Draft};
use crate::{lookup, spans};

/// Traces that are looked up beyond those that are missing, because some will prove too old or not to match.
const SPARE: usize = 8;
/// Most traces that are looked up together: their rows are in memory at once.
const MAX_TOGETHER: usize = 512;

/// Finds a page of traces.
///
/// A trace's place in the list is its start, which is not later than the start of any of its rows. So rows
/// are visited from the latest start on, matching rows make their traces candidates, and a candidate is looked
/// up when nothing unvisited can come before it. The page is complete when its last trace started after
/// everything that was not visited.
pub(crate) fn search(
    traces: &Traces,
    snapshot: &Snapshot,
    filter: &TraceFilter,
    stop: &Stop,
) -> Result<TracePage, Failure> {
    let Traces { files, processes, absent, kinds, .. } = traces;
    if filter.limit == 0 {
        return Ok(TracePage::default());
    }
    let attributes = filter.attributes.iter().map(|attribute| {
        let processes = processes.with(snapshot, files, attribute)?;
        Ok(WantedAttribute { key: &attribute.key, value: WantedValue::Text(&attribute.value), processes })
    });
    let wanted = Wanted { filter, attributes: attributes.collect::<Result<_, Failure>>()? };
    let lookup = Lookup { snapshot, files, wanted: &wanted, stop };
    let mut queue = Queue::new(snapshot, filter)?;
    let mut candidates = Candidates::default();
    // One more than asked for tells whether there is a next page.
    let mut page = Page::new(filter.limit.saturating_add(1), filter.cursor);
    loop {
        stop.check()?;
        let next = queue.latest();
        if next.is_none() || page.missing() <= candidates.later_than(next) {
            // Behind a cursor many candidates prove too new: more and more are looked up together.
            let mut count = page.missing() + SPARE;
            loop {
                let ids = candidates.take(next, page.floor(), count);
                if ids.is_empty() {
                    break;
                }
                for draft in lookup.matching(&ids)? {
                    page.offer(draft);
                }
                count = (count * 2).min(MAX_TOGETHER);
            }
        }
        if next.is_none_or(|next| page.floor().is_some_and(|floor| floor > next)) {
            return page.finish(filter.limit, kinds, absent, stop);
        }
        if let Some(source) = queue.visit(files, filter)? {
            let rows = wanted.rows(&source, absent)?;
            candidates.add(&source, rows)?;
        }
    }
}

/// Looks up whole traces.
struct Lookup<'a> {
    snapshot: &'a Snapshot,
    files: &'a FileCache,
    wanted: &'a Wanted<'a>,
    stop: &'a Stop,
}

impl Lookup<'_> {
    /// Summaries of those candidates that match indeed: the matching row of a span may be one that does not
    /// count any more.
    fn matching(&self, ids: &[TraceId]) -> Result<Vec<Draft>, Failure> {
        let find = |ids: &[TraceId], columns| {
            lookup::find(self.snapshot, self.files, Table::Spans, &lookup::Wanted::new(ids), columns, self.stop)
        };
        let mut drafts = summary::summaries(&find(ids, summary::COLUMNS)?)?;
        let doubtful: Vec<TraceId> =
            drafts.iter().filter(|draft| draft.has_versions).map(|draft| draft.summary.trace_id).collect();
        if !doubtful.is_empty() {
            let spans = spans::load(&find(&doubtful, spans::COLUMNS)?, &find(&doubtful, spans::ATTRIBUTES)?)?;
            let matching: Vec<TraceId> =
                spans.iter().filter(|span| self.wanted.matches(span)).map(|span| span.trace_id).collect();
            drafts.retain(|draft| !draft.has_versions || matching.contains(&draft.summary.trace_id));
        }
        Ok(drafts)
    }
}

/// What is still to be visited, the latest start first.
struct Queue {
    heap: BinaryHeap<Entry>,
    visited: usize,
}

struct Entry {
    latest: i64,
    /// Tells entries of the same time apart.
    number: usize,
    place: Place,
}

enum Place {
    /// A file that was not opened yet.
    File(Arc<DataFile>),
    Group(Arc<FileReader>, usize),
    Hot(Source),
}

impl Queue {
    fn new(snapshot: &Snapshot, filter: &TraceFilter) -> Result<Self, Failure> {
        let mut queue = Self { heap: BinaryHeap::new(), visited: 0 };
        for batch in snapshot.hot_batches(Table::Spans) {
            let times = cells::times(cells::column(batch, "start_time")?)?;
            if let (Some(first), Some(last)) = (arrow::compute::min(times), arrow::compute::max(times)) {
                queue.push((first, last), Place::Hot(Source::Hot(batch.clone())), filter);
            }
        }
        for file in snapshot.files(Table::Spans, filter.range) {
            queue.push((file.min_time.nanos(), file.max_time.nanos()), Place::File(Arc::clone(file)), filter);
        }
        Ok(queue)
    }

    /// Rows whose starts lie within these bounds have to be visited, if the filter's range meets them.
    fn push(&mut self, (first, last): (i64, i64), place: Place, filter: &TraceFilter) {
        if filter.range.overlaps(Timestamp::from_nanos(first), Timestamp::from_nanos(last)) {
            let latest = last.min(filter.range.to.nanos());
            self.visited += 1;
            self.heap.push(Entry { latest, number: self.visited, place });
        }
    }

    /// No row that was not visited starts later.
    fn latest(&self) -> Option<i64> {
        self.heap.peek().map(|entry| entry.latest)
    }

    /// The next rows to look at; `None` when a file was opened instead.
    fn visit(&mut self, files: &FileCache, filter: &TraceFilter) -> Result<Option<Source>, Failure> {
        match self.heap.pop().map(|entry| entry.place) {
            None => Ok(None),
            Some(Place::Hot(source)) => Ok(Some(source)),
            Some(Place::Group(file, group)) => Ok(Some(Source::Group(file, group))),
            Some(Place::File(file)) => {
                let reader = files.open(&file)?;
                for group in 0..reader.row_groups() {
                    let source = Source::Group(Arc::clone(&reader), group);
                    let bounds = source.bounds("start_time");
                    let bounds = bounds.unwrap_or((file.min_time.nanos(), file.max_time.nanos()));
                    self.push(bounds, Place::Group(Arc::clone(&reader), group), filter);
                }
                Ok(None)
            }
        }
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.latest, self.number).cmp(&(other.latest, other.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

/// Traces with a matching row, by the earliest start of such a row: the trace's own start is not later.
#[derive(Debug, Default)]
struct Candidates {
    /// Traces to look up; an entry whose bound is not the trace's any more counts for nothing.
    heap: BinaryHeap<(i64, TraceId)>,
    /// The bound of each trace; [`Self::TAKEN`] once it was looked up.
    bounds: HashMap<TraceId, i64>,
}

impl Candidates {
    const TAKEN: i64 = i64::MIN;

    fn add(&mut self, source: &Source, rows: Vec<u32>) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        let rows = source.rows(&["trace_id", "start_time"], rows)?;
        let ids = cells::ids(rows.column(0))?;
        let times = cells::times(rows.column(1))?;
        let mut run: Option<(&[u8], i64)> = None;
        for row in rows.positions() {
            let (id, start) = (ids.value(row), times.value(row));
            match &mut run {
                Some((known, earliest)) if *known == id => *earliest = start.min(*earliest),
                _ => {
                    self.note(run.replace((id, start)));
                }
            }
        }
        self.note(run);
        Ok(())
    }

    fn note(&mut self, run: Option<(&[u8], i64)>) {
        let Some((id, start)) = run.and_then(|(id, start)| Some((TraceId::from_slice(id)?, start))) else { return };
        let bound = self.bounds.entry(id).or_insert(i64::MAX);
        if start < *bound {
            *bound = start;
            self.heap.push((start, id));
        }
    }

    /// How many are due before anything that starts at `next`.
    fn later_than(&self, next: Option<i64>) -> usize {
        self.heap.iter().filter(|(bound, _)| next.is_none_or(|next| *bound > next)).count()
    }

    /// Takes out the latest ones that are due before `next` and may still come before or at `floor`.
    fn take(&mut self, next: Option<i64>, floor: Option<i64>, count: usize) -> Vec<TraceId> {
        let mut taken = Vec::new();
        while taken.len() < count
            && let Some((bound, id)) = self.heap.peek().copied()
            && next.is_none_or(|next| bound > next)
            && floor.is_none_or(|floor| bound >= floor)
        {
            self.heap.pop();
            if let Some(known) = self.bounds.get_mut(&id)
                && *known == bound
            {
                *known = Self::TAKEN;
                taken.push(id);
            }
        }
        taken
    }
}

/// The best traces so far.
struct Page {
    want: usize,
    cursor: Option<Cursor>,
    /// Newest first.
    drafts: Vec<Draft>,
}

impl Page {
    fn new(want: usize, cursor: Option<Cursor>) -> Self {
        Self { want, cursor, drafts: Vec::new() }
    }

    fn missing(&self) -> usize {
        self.want - self.drafts.len()
    }

    /// A trace that starts before this has no place on the page; `None` while there is room.
    fn floor(&self) -> Option<i64> {
        if self.missing() > 0 { None } else { self.drafts.last().map(|draft| draft.summary.start_time.nanos()) }
    }

    fn offer(&mut self, draft: Draft) {
        let place = draft.summary.cursor();
        if self.cursor.is_some_and(|cursor| place >= cursor) {
            return;
        }
        match self.drafts.binary_search_by(|known| place.cmp(&known.summary.cursor())) {
            Ok(_) => {}
            Err(at) => self.drafts.insert(at, draft),
        }
        self.drafts.truncate(self.want);
    }

    fn finish(mut self, limit: usize, kinds: &KindRules, absent: &Absent, stop: &Stop) -> Result<TracePage, Failure> {
        let more = self.drafts.len() > limit;
        self.drafts.truncate(limit);
        let kinds = kinds.of_traces(&self.drafts, absent, stop)?;
        let traces = self.drafts.into_iter().zip(kinds);
        let traces: Vec<_> = traces.map(|(draft, kind)| TraceSummary { kind, ..draft.summary }).collect();
        let next_cursor = traces.last().filter(|_| more).map(TraceSummary::cursor);
        Ok(TracePage { traces, next_cursor })
    }
}
