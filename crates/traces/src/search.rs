//! The newest traces that match.

use std::collections::{BinaryHeap, HashMap, HashSet};

use glasshouse_files::FileCache;
use glasshouse_model::{Cursor, TraceFilter, TraceId, TracePage, TraceSummary};
use glasshouse_tables::{Snapshot, Table};

use crate::cells::{self, Selection};
use crate::error::Failure;
use crate::filter::Wanted;
use crate::kind::KindRules;
use crate::lookup::{self, Rows};
use crate::newest::Newest;
use crate::source::{Absent, Source};
use crate::store::{Stop, Traces};
use crate::summary::{self, Draft};

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
    let Traces { files, absent, kinds, .. } = traces;
    if filter.limit == 0 {
        return Ok(TracePage::default());
    }
    let wanted = Wanted::new(traces, snapshot, filter)?;
    let lookup = Lookup { snapshot, files, absent, wanted: &wanted, stop };
    let mut queue = Newest::new(snapshot, filter.range)?;
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
        if let Some(source) = queue.visit(files)? {
            let rows = wanted.rows(&source, Selection::all(source.len()), absent)?;
            candidates.add(&source, rows)?;
        }
    }
}

/// Looks up whole traces.
struct Lookup<'a> {
    snapshot: &'a Snapshot,
    files: &'a FileCache,
    absent: &'a Absent,
    wanted: &'a Wanted<'a>,
    stop: &'a Stop,
}

impl Lookup<'_> {
    /// Summaries of those candidates that match indeed: the matching row of a span may be one that does not
    /// count any more. Large traces that do not fit into memory together are looked up one by one.
    fn matching(&self, ids: &[TraceId]) -> Result<Vec<Draft>, Failure> {
        match self.matching_together(ids) {
            Err(Failure::TooLarge) if ids.len() > 1 => {
                let (first, second) = ids.split_at(ids.len() / 2);
                let mut drafts = self.matching(first)?;
                drafts.extend(self.matching(second)?);
                Ok(drafts)
            }
            drafts => drafts,
        }
    }

    fn matching_together(&self, ids: &[TraceId]) -> Result<Vec<Draft>, Failure> {
        let wanted = lookup::Wanted::new(ids);
        let rows = Rows::new(self.snapshot, self.files, Table::Spans, &wanted, summary::COLUMNS, self.stop)?;
        let mut drafts = summary::summaries(&rows, self.stop)?;
        let matching = self.matching_now(&drafts)?;
        drafts.retain(|draft| !draft.has_versions || matching.contains(&draft.summary.trace_id));
        let mut held = self.stop.scratch();
        for draft in &drafts {
            held.grow(draft.summary.span_count as usize * size_of::<u32>())?;
        }
        held.keep();
        Ok(drafts)
    }

    /// Of the traces with replaced rows those with a matching row that counts. Each source is looked at once.
    fn matching_now(&self, drafts: &[Draft]) -> Result<HashSet<TraceId>, Failure> {
        let mut sources: HashMap<_, (&Source, Vec<(u32, TraceId)>)> = HashMap::new();
        for draft in drafts.iter().filter(|draft| draft.has_versions) {
            for (source, rows) in &draft.spans {
                let (_, known) = sources.entry(source.id()).or_insert_with(|| (source, Vec::new()));
                known.extend(rows.iter().map(|row| (*row, draft.summary.trace_id)));
            }
        }
        let mut matching = HashSet::new();
        for (source, mut rows) in sources.into_values() {
            self.stop.check()?;
            rows.sort_unstable();
            let selection = Selection::of(source.len(), rows.iter().map(|(row, _)| *row).collect());
            let found = self.wanted.rows(source, selection, self.absent)?;
            let of_row = |row: u32| rows.binary_search_by_key(&row, |(row, _)| *row).ok().map(|at| rows[at].1);
            matching.extend(found.into_iter().filter_map(of_row));
        }
        Ok(matching)
    }
}

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
