//! How matching spans spread over time and duration, what tells some of them from the others, and which attributes
//! they have: counted where the rows are.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use arrow::array::ArrayRef;
use foldhash::{HashMap as FastMap, HashMapExt, HashSet as FastSet, HashSetExt};
use glasshouse_model::{
    AttributeSurvey, CallFigures, Differences, DurationNs, Heatmap, HeatmapCell, ProcessId, SpanSelection, SpanSeries,
    StatusCode, TimeRange, Timestamp, TraceFilter, round_step,
};
use glasshouse_tables::Snapshot;

use crate::cells::{self, Selection, Texts};
use crate::error::Failure;
use crate::filter::Wanted;
use crate::newest::Newest;
use crate::source::Source;
use crate::store::{Scratch, Stop, Traces};
use crate::tally::Tally;

/// Rows of a heatmap that a decade of durations has.
const ROWS_PER_DECADE: i32 = 10;
/// From 1 ns to more than an hour.
const DECADES: i32 = 13;
/// Spans that a survey of attributes looks at.
const SURVEYED: u64 = 20_000;

/// Numbers of matching spans by start and duration, in at most so many columns. Open spans have no duration.
pub(crate) fn heatmap(
    traces: &Traces,
    snapshot: &Snapshot,
    filter: &TraceFilter,
    columns: usize,
    stop: &Stop,
) -> Result<Heatmap, Failure> {
    let filter = with_duration(filter);
    let mut cells: FastMap<(i64, u32), (u64, u64)> = FastMap::new();
    let bounds = bounds();
    let mut matching = Matching::new(traces, snapshot, &filter, stop)?;
    let Some(range) = matching.newest.closed_range() else { return Ok(Heatmap::default()) };
    let step = aligned_step(range, columns);
    while let Some((source, rows)) = matching.next()? {
        let (starts, durations) = (source.required("start_time")?, source.required("duration_ns")?);
        let (starts, durations) = (cells::times(&starts)?, cells::integers(&durations)?);
        let status = source.required("status_code")?;
        let mut failed = vec![0; source.len()];
        let rows = Selection::of(source.len(), rows);
        Texts::new(&status)?.look(&rows, |code| u64::from(code == StatusCode::Error.as_str()), &mut failed);
        rows.each(|row| {
            let time = Timestamp::from_nanos(starts.value(row)).floor(step);
            let above = bounds.partition_point(|least| *least <= durations.value(row)).max(1) - 1;
            let cell = cells.entry((time.nanos(), above as u32)).or_default();
            cell.0 += 1;
            cell.1 += failed[row];
        });
    }
    let mut cells: Vec<HeatmapCell> = cells
        .into_iter()
        .map(|((time, row), (span_count, error_count))| HeatmapCell {
            time: Timestamp::from_nanos(time),
            row,
            span_count,
            error_count,
        })
        .collect();
    cells.sort_unstable_by_key(|cell| (cell.time, cell.row));
    Ok(Heatmap { step, bounds: bounds.into_iter().map(DurationNs::from_nanos).collect(), cells })
}

/// Figures of matching spans that have ended over time, in at most so many steps.
pub(crate) fn series(
    traces: &Traces,
    snapshot: &Snapshot,
    filter: &TraceFilter,
    steps: usize,
    stop: &Stop,
) -> Result<SpanSeries, Failure> {
    let filter = with_duration(filter);
    let mut matching = Matching::new(traces, snapshot, &filter, stop)?;
    let Some(range) = matching.newest.closed_range() else { return Ok(SpanSeries::default()) };
    let step = aligned_step(range, steps);
    let mut points: BTreeMap<Timestamp, CallFigures> = BTreeMap::new();
    while let Some((source, rows)) = matching.next()? {
        let (starts, durations) = (source.required("start_time")?, source.required("duration_ns")?);
        let (starts, durations) = (cells::times(&starts)?, cells::integers(&durations)?);
        let status = source.required("status_code")?;
        let status = Texts::new(&status)?;
        for row in rows.into_iter().map(|row| row as usize) {
            let time = Timestamp::from_nanos(starts.value(row)).floor(step);
            let duration = cells::value(durations, row).map(DurationNs::from_nanos);
            points.entry(time).or_default().add(duration, status.get(row) == Some(StatusCode::Error.as_str()));
        }
    }
    Ok(SpanSeries { step, points: points.into_iter().collect() })
}

/// The least durations of rows, the first 0.
fn bounds() -> Vec<i64> {
    let powers = (0..ROWS_PER_DECADE * DECADES).map(|row| 10f64.powf(f64::from(row) / f64::from(ROWS_PER_DECADE)));
    let mut bounds = vec![0];
    bounds.extend(powers.map(|least| least.round() as i64));
    bounds.dedup();
    bounds
}

/// Which values are more frequent among the selected matching spans than among the others. Open spans are left out.
pub(crate) fn differences(
    traces: &Traces,
    snapshot: &Snapshot,
    filter: &TraceFilter,
    selection: &SpanSelection,
    most: usize,
    stop: &Stop,
) -> Result<Differences, Failure> {
    let filter = with_duration(filter);
    let selection = TraceFilter {
        range: selection.range,
        min_duration: selection.min_duration,
        max_duration: selection.max_duration,
        error: selection.error,
        ..TraceFilter::default()
    };
    let selection = Wanted::new(traces, snapshot, &selection)?;
    let mut matching = Matching::new(traces, snapshot, &filter, stop)?;
    let mut scratch = stop.scratch();
    let mut tally = Tally::new(stop);
    let mut chosen: Vec<(Source, Vec<u32>)> = Vec::new();
    let mut others: Vec<(Source, Vec<u32>)> = Vec::new();
    let (mut selected_count, mut rest_count) = (0, 0);
    let mut processes = Processes::default();
    while let Some((source, rows)) = matching.next()? {
        let selected = selection.rows(&source, Selection::of(source.len(), rows.clone()), &traces.absent)?;
        scratch.grow(rows.len() * size_of::<u32>())?;
        let mut next = selected.iter().peekable();
        let rest: Vec<u32> = rows.into_iter().filter(|row| next.next_if_eq(&row).is_none()).collect();
        selected_count += selected.len() as u64;
        rest_count += rest.len() as u64;
        if !selected.is_empty() {
            tally.count(&source, &selected)?;
            processes.count(&source, &selected)?;
            chosen.push((source.clone(), selected));
        }
        if !rest.is_empty() {
            others.push((source, rest));
        }
    }
    processes.tell(traces, snapshot, &mut tally)?;
    // The first count forgets rare values as it goes; those that are left are counted exactly.
    let mut of_selected = tally.frequent(selected_count);
    let mut of_rest = of_selected.emptied();
    for (tally, places) in [(&mut of_selected, chosen), (&mut of_rest, others)] {
        let mut processes = Processes::default();
        for (source, rows) in places {
            stop.check()?;
            tally.count(&source, &rows)?;
            processes.count(&source, &rows)?;
        }
        processes.tell(traces, snapshot, tally)?;
    }
    let values = of_selected.differences(selected_count, &of_rest, rest_count, most);
    Ok(Differences { selected_count, rest_count, values })
}

/// The attributes of the newest matching spans and of their resources.
pub(crate) fn attributes(
    traces: &Traces,
    snapshot: &Snapshot,
    filter: &TraceFilter,
    stop: &Stop,
) -> Result<AttributeSurvey, Failure> {
    let mut matching = Matching::new(traces, snapshot, filter, stop)?;
    let mut tally = Tally::new(stop);
    let mut processes = Processes::default();
    let mut span_count = 0;
    while span_count < SURVEYED
        && let Some((source, mut rows)) = matching.next()?
    {
        // The rows of a source are in order of trace, not of time: some of all are as new as any.
        let room = (SURVEYED - span_count) as usize;
        if rows.len() > room {
            let every = rows.len().div_ceil(room);
            rows = rows.into_iter().step_by(every).collect();
        }
        span_count += rows.len() as u64;
        tally.count(&source, &rows)?;
        processes.count(&source, &rows)?;
    }
    processes.tell(traces, snapshot, &mut tally)?;
    Ok(AttributeSurvey { span_count, keys: tally.keys() })
}

/// The shortest round step of which no more than so many, beginning at multiples of it, meet the range.
fn aligned_step(range: TimeRange, most: usize) -> DurationNs {
    let last = Timestamp::from_nanos(range.to.nanos() - 1);
    let mut fewer = most;
    loop {
        let step = round_step(range, fewer);
        let steps = (last.floor(step) - range.from.floor(step)).nanos() / step.nanos() + 1;
        if steps <= most as i64 || fewer == 1 {
            return step;
        }
        fewer -= 1;
    }
}

/// The same filter for spans that have ended only. A span that goes on counts once it has ended: so it does not matter
/// which of the rows of a span that was told while it was open and again at its end is found first.
pub(crate) fn with_duration(filter: &TraceFilter) -> TraceFilter {
    let least = filter.min_duration.unwrap_or(DurationNs::from_nanos(i64::MIN));
    TraceFilter { min_duration: Some(least), ..filter.clone() }
}

/// Rows of spans that match, the newest places first, each span once.
pub(crate) struct Matching<'a> {
    traces: &'a Traces,
    newest: Newest,
    wanted: Wanted<'a>,
    seen: FastSet<u64>,
    /// Bytes that `seen` takes.
    held: usize,
    scratch: Scratch<'a>,
    stop: &'a Stop,
}

impl<'a> Matching<'a> {
    pub fn new(
        traces: &'a Traces,
        snapshot: &Snapshot,
        filter: &'a TraceFilter,
        stop: &'a Stop,
    ) -> Result<Self, Failure> {
        Ok(Self {
            traces,
            newest: Newest::new(snapshot, filter.range)?,
            wanted: Wanted::new(traces, snapshot, filter)?,
            seen: FastSet::new(),
            held: 0,
            scratch: stop.scratch(),
            stop,
        })
    }

    pub fn next(&mut self) -> Result<Option<(Source, Vec<u32>)>, Failure> {
        while self.newest.latest().is_some() {
            self.stop.check()?;
            let Some(source) = self.newest.visit(&self.traces.files)? else { continue };
            let rows = self.wanted.rows(&source, Selection::all(source.len()), &self.traces.absent)?;
            let rows = self.first_seen(&source, rows)?;
            if !rows.is_empty() {
                return Ok(Some((source, rows)));
            }
        }
        Ok(None)
    }

    /// The rows whose spans were not among those before: a span that was sent twice counts once.
    fn first_seen(&mut self, source: &Source, rows: Vec<u32>) -> Result<Vec<u32>, Failure> {
        if rows.is_empty() {
            return Ok(rows);
        }
        let cells = source.rows(&["trace_id", "span_id"], rows.clone())?;
        let (traces, spans) = (cells::ids(cells.column(0))?, cells::ids(cells.column(1))?);
        let is_new = cells.positions().map(|row| self.seen.insert(span_key(traces.value(row), spans.value(row))));
        let is_new: Vec<bool> = is_new.collect();
        // A key, and a byte beside it.
        let held = self.seen.capacity() * (size_of::<u64>() + 1);
        self.scratch.grow(held - self.held)?;
        self.held = held;
        Ok(rows.into_iter().zip(is_new).filter(|(_, is_new)| *is_new).map(|(row, _)| row).collect())
    }
}

/// Tells spans apart: of a thousand million, two have the same key with a probability of three in a hundred.
pub(crate) fn span_key(trace_id: &[u8], span_id: &[u8]) -> u64 {
    foldhash::fast::FixedState::default().hash_one((trace_id, span_id))
}

/// Numbers of spans by process.
#[derive(Default)]
struct Processes(HashMap<ProcessId, u64>);

impl Processes {
    fn count(&mut self, source: &Source, rows: &[u32]) -> Result<(), Failure> {
        let column: ArrayRef = source.required("process_id")?;
        let ids = cells::ids(&column)?;
        for row in rows {
            if let Some(id) = ProcessId::from_slice(ids.value(*row as usize)) {
                *self.0.entry(id).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Adds the attributes of the resources.
    fn tell(self, traces: &Traces, snapshot: &Snapshot, tally: &mut Tally<'_>) -> Result<(), Failure> {
        let ids: Vec<ProcessId> = self.0.keys().copied().collect();
        for process in traces.processes.find(snapshot, &traces.files, &ids)? {
            tally.add_resource(&process.resource, self.0[&process.process_id])?;
        }
        Ok(())
    }
}
