//! Draws the spans of a process: each has its place, and those too short to be seen are put together on the way.

use std::collections::BTreeMap;
use std::mem;
use std::ops::ControlFlow;

use foldhash::HashMap;
use glasshouse_model::{DurationNs, FlameChart, FlameRow, FlameSlice, FlameTrack, StatusCode, TimeRange, Timestamp};
use glasshouse_perfetto::{Layout, SpanKey, StartOrder, order_equal_starts};
use glasshouse_tables::ports::QueryError;
use glasshouse_traces::timeline::{SliceView, Timeline};

/// Slices of a chart. When there are more, the resolution becomes coarser.
const MAX_SLICES: usize = 50_000;
/// Rows of a chart; slices of further ones are only counted.
const MAX_ROWS: usize = 2_000;
/// Bytes of a name that are shown.
const MAX_NAME: usize = 200;

/// Draws the spans of a timeline, with about so many slices next to each other at most.
pub(crate) fn draw(timeline: &Timeline, columns: u32) -> Result<FlameChart, QueryError> {
    let mut chart = Chart::new(timeline.request().range, columns);
    let mut layout = Layout::default();
    let _ = timeline.visit_slices(|spans| {
        if let [only] = spans {
            chart.add(only, &mut layout);
        } else {
            for span in in_order(spans) {
                chart.add(&spans[span], &mut layout);
            }
        }
        ControlFlow::Continue(())
    })?;
    Ok(chart.finish())
}

/// The order in which spans get their places: by start, then as [`order_equal_starts`] says.
fn in_order(spans: &[SliceView<'_>]) -> Vec<usize> {
    let mut order: Vec<_> = spans
        .iter()
        .enumerate()
        .map(|(item, span)| StartOrder {
            key: SpanKey { trace: span.trace_id, span: span.span_id },
            parent: span.parent_span_id,
            duration: span.end.map(|end| end.saturating_sub(span.start).max(0)),
            item,
        })
        .collect();
    order.sort_by_key(|span| spans[span.item].start);
    let same = order.chunk_by(|a, b| spans[a.item].start == spans[b.item].start);
    let ordered = same.flat_map(|same| {
        let mut same = same.to_vec();
        order_equal_starts(&mut same);
        same
    });
    ordered.map(|span| span.item).collect()
}

/// Where a row is: its track (threads by their id, what is asynchronous last), lane and depth.
type Place = (Option<i64>, usize, usize);

#[derive(Debug)]
struct Chart {
    range: TimeRange,
    /// A power of two of nanoseconds, so that what is put together is the same wherever the range begins.
    resolution: u64,
    names: Names,
    threads: HashMap<i64, String>,
    places: HashMap<Place, usize>,
    rows: Vec<Vec<FlameSlice>>,
    slices: usize,
    span_count: u64,
    hidden_span_count: u64,
    first: i64,
    last: i64,
}

impl Chart {
    fn new(range: TimeRange, columns: u32) -> Self {
        let is_bounded = range.from > Timestamp::MIN && range.to < Timestamp::MAX;
        let length = (range.to - range.from).nanos().max(1) as u64;
        // Without bounds it becomes as coarse as it must.
        let resolution = if is_bounded { (length / u64::from(columns.max(1))).max(1).next_power_of_two() } else { 1 };
        Self {
            range,
            resolution,
            names: Names::default(),
            threads: HashMap::default(),
            places: HashMap::default(),
            rows: Vec::new(),
            slices: 0,
            span_count: 0,
            hidden_span_count: 0,
            first: i64::MAX,
            last: i64::MIN,
        }
    }

    fn add(&mut self, span: &SliceView<'_>, layout: &mut Layout) {
        let key = SpanKey { trace: span.trace_id, span: span.span_id };
        let slot = layout.place(&key, span.parent_span_id, span.start, span.end, span.thread.map(|(id, _)| id));
        let end = span.end.map(|end| end.max(span.start));
        self.first = self.first.min(span.start.max(self.range.from.nanos()));
        self.last = self.last.max(end.unwrap_or(span.start).min(self.range.to.nanos()));
        let rows = self.rows.len();
        let row = match self.places.get(&(slot.thread, slot.lane, slot.depth)) {
            Some(row) => *row,
            None if rows < MAX_ROWS => {
                if let (Some(id), Some((_, name))) = (slot.thread, span.thread) {
                    let known = self.threads.entry(id).or_default();
                    if known.is_empty() {
                        name[..name.floor_char_boundary(MAX_NAME)].clone_into(known);
                    }
                }
                self.rows.push(Vec::new());
                self.places.insert((slot.thread, slot.lane, slot.depth), rows);
                rows
            }
            None => {
                self.hidden_span_count += 1;
                return;
            }
        };
        self.span_count += 1;
        let length = end.map_or(DurationNs::default(), |end| DurationNs::from_nanos(end - span.start));
        let slice = FlameSlice {
            start: Timestamp::from_nanos(span.start),
            end: end.map(Timestamp::from_nanos),
            name: 0,
            longest: length,
            total: length,
            count: 1,
            error_count: u64::from(span.status == StatusCode::Error),
            span: Some((span.trace_id, span.span_id)),
        };
        let names = &mut self.names;
        self.slices += usize::from(add(&mut self.rows[row], slice, self.resolution, || names.number(span)));
        while self.slices > MAX_SLICES && self.resolution < 1 << 62 {
            self.coarsen();
        }
    }

    /// Halves how much is told apart.
    fn coarsen(&mut self) {
        self.resolution *= 2;
        self.slices = 0;
        let old = mem::take(&mut self.names);
        for row in &mut self.rows {
            for slice in mem::take(row) {
                let name = slice.name;
                let names = &mut self.names;
                self.slices +=
                    usize::from(add(row, slice, self.resolution, || names.number_of(&old.all[name as usize])));
            }
        }
    }

    fn finish(self) -> FlameChart {
        let Self { mut threads, mut rows, places, .. } = self;
        // What is asynchronous stands behind the threads.
        let places: BTreeMap<_, _> = places
            .into_iter()
            .map(|((thread, lane, depth), row)| ((thread.is_none(), thread, lane, depth), row))
            .collect();
        let mut tracks: Vec<FlameTrack> = Vec::new();
        for ((_, thread, lane, depth), row) in places {
            let is_new = tracks.last().is_none_or(|track| track.thread.as_ref().map(|(id, _)| *id) != thread);
            if is_new {
                let thread = thread.map(|id| (id, threads.remove(&id).unwrap_or_default()));
                tracks.push(FlameTrack { thread, rows: Vec::new() });
            }
            let slices = mem::take(&mut rows[row]);
            if let Some(track) = tracks.last_mut() {
                track.rows.push(FlameRow { lane, depth, slices });
            }
        }
        let range =
            (self.first <= self.last).then(|| (Timestamp::from_nanos(self.first), Timestamp::from_nanos(self.last)));
        FlameChart {
            resolution: DurationNs::from_nanos(self.resolution as i64),
            names: self.names.all,
            tracks,
            span_count: self.span_count,
            hidden_span_count: self.hidden_span_count,
            range,
        }
    }
}

/// Adds a slice behind those of a row, or puts it together with the last. Gives whether there is one more. `name` is
/// asked for when the slice's name is the one that is shown.
fn add(row: &mut Vec<FlameSlice>, mut slice: FlameSlice, resolution: u64, name: impl FnOnce() -> u32) -> bool {
    let is_short = |slice: &FlameSlice| slice.end.is_some() && (slice.longest.nanos() as u64) < resolution;
    let part = |slice: &FlameSlice| slice.start.nanos().div_euclid(resolution as i64);
    let last = row.last_mut().filter(|last| is_short(last) && is_short(&slice) && part(last) == part(&slice));
    let Some(last) = last else {
        slice.name = name();
        row.push(slice);
        return true;
    };
    last.end = last.end.max(slice.end);
    last.count += slice.count;
    last.error_count += slice.error_count;
    last.total = DurationNs::from_nanos(last.total.nanos().saturating_add(slice.total.nanos()));
    last.span = None;
    if slice.longest > last.longest {
        last.longest = slice.longest;
        last.name = name();
    }
    false
}

/// Names of slices, each once.
#[derive(Debug, Default)]
struct Names {
    all: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Names {
    fn number(&mut self, span: &SliceView<'_>) -> u32 {
        let name = span.name.as_str();
        self.number_of(&name[..name.floor_char_boundary(MAX_NAME)])
    }

    fn number_of(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.all.len() as u32;
        self.all.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}
