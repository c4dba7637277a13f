//! Draws the spans of a process: each has its place, and those too short to be seen are put together on the way.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::mem;
use std::ops::ControlFlow;

use foldhash::HashMap;
use glasshouse_model::{DurationNs, FlameChart, FlameRow, FlameSlice, FlameTrack, StatusCode, TimeRange, Timestamp};
use glasshouse_perfetto::{Layout, SpanKey, StartOrder, order_equal_starts};
use glasshouse_tables::ports::QueryError;
use glasshouse_traces::timeline::{SliceView, Timeline};

/// Slices of a chart. When there are more, resolutions become coarser.
const MAX_SLICES: usize = 50_000;
/// Rows of a chart, and of one of its tracks, which leaves some to others; slices of further ones are only counted.
const MAX_ROWS: usize = 10_000;
const MAX_TRACK_ROWS: usize = 1_500;
/// Names that are remembered; of slices that were put together, not all are shown.
const MAX_NAMES: usize = 2 * MAX_SLICES;
/// Nanoseconds beyond which a resolution does not become coarser.
const MAX_RESOLUTION: u64 = 1 << 62;
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

#[derive(Debug)]
struct Chart {
    range: TimeRange,
    /// The resolution that tracks begin with.
    finest: u64,
    names: Names,
    /// Threads by their id; what is asynchronous has none.
    tracks: HashMap<Option<i64>, Track>,
    rows: usize,
    slices: usize,
    span_count: u64,
    hidden_span_count: u64,
    first: i64,
    last: i64,
}

#[derive(Debug)]
struct Track {
    thread_name: String,
    /// A power of two of nanoseconds, so that what is put together is the same wherever the range begins.
    resolution: u64,
    /// By lane and depth.
    rows: BTreeMap<(usize, usize), Vec<FlameSlice>>,
    slices: usize,
}

impl Chart {
    fn new(range: TimeRange, columns: u32) -> Self {
        let is_bounded = range.from > Timestamp::MIN && range.to < Timestamp::MAX;
        let length = (range.to - range.from).nanos().max(1) as u64;
        // Without bounds it becomes as coarse as it must.
        let finest = if is_bounded {
            (length / u64::from(columns.max(1))).max(1).next_power_of_two().min(MAX_RESOLUTION)
        } else {
            1
        };
        Self {
            range,
            finest,
            names: Names::default(),
            tracks: HashMap::default(),
            rows: 0,
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
        let range = self.range;
        self.last = self.last.max(end.unwrap_or(span.start).clamp(range.from.nanos(), range.to.nanos()));
        let track = self.tracks.entry(slot.thread).or_insert_with(|| Track {
            thread_name: String::new(),
            resolution: self.finest,
            rows: BTreeMap::new(),
            slices: 0,
        });
        if track.thread_name.is_empty()
            && let (Some(_), Some((_, name))) = (slot.thread, span.thread)
        {
            cut(name).clone_into(&mut track.thread_name);
        }
        let of_track = track.rows.len();
        let row = match track.rows.entry((slot.lane, slot.depth)) {
            Entry::Occupied(row) => row.into_mut(),
            Entry::Vacant(place) if self.rows < MAX_ROWS && of_track < MAX_TRACK_ROWS => {
                self.rows += 1;
                place.insert(Vec::new())
            }
            Entry::Vacant(_) => {
                self.hidden_span_count += 1;
                return;
            }
        };
        self.span_count += 1;
        let length = end.map_or(DurationNs::default(), |end| DurationNs::from_nanos(end.saturating_sub(span.start)));
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
        if add(row, slice, track.resolution, || names.number(cut(span.name.as_str()))) {
            track.slices += 1;
            self.slices += 1;
        }
        if self.slices > MAX_SLICES {
            self.coarsen();
        }
        if self.names.all.len() > MAX_NAMES {
            self.forget_names();
        }
    }

    /// Tells less apart where most is told apart, until there is room. A track of many rows may have more slices, but not as
    /// many more as it has rows.
    fn coarsen(&mut self) {
        while self.slices > MAX_SLICES {
            let tracks = self.tracks.iter_mut().filter(|(_, track)| track.resolution < MAX_RESOLUTION);
            let Some((_, track)) =
                tracks.max_by_key(|(thread, track)| (track.slices * track.slices / track.rows.len().max(1), **thread))
            else {
                return;
            };
            track.resolution *= 2;
            let before = mem::take(&mut track.slices);
            for row in track.rows.values_mut() {
                for slice in mem::take(row) {
                    let name = slice.name;
                    add(row, slice, track.resolution, || name);
                }
                track.slices += row.len();
            }
            self.slices -= before - track.slices;
        }
    }

    /// Forgets the names that no slice shows any more.
    fn forget_names(&mut self) {
        let old = mem::take(&mut self.names);
        for slice in self.tracks.values_mut().flat_map(|track| track.rows.values_mut()).flatten() {
            slice.name = self.names.number(&old.all[slice.name as usize]);
        }
    }

    fn finish(mut self) -> FlameChart {
        self.forget_names();
        let mut tracks: Vec<_> = self.tracks.into_iter().filter(|(_, track)| track.slices > 0).collect();
        // What is asynchronous stands behind the threads.
        tracks.sort_unstable_by_key(|(thread, _)| (thread.is_none(), *thread));
        let tracks = tracks.into_iter().map(|(thread, track)| FlameTrack {
            thread: thread.map(|id| (id, track.thread_name)),
            resolution: DurationNs::from_nanos(track.resolution as i64),
            rows: track.rows.into_iter().map(|((lane, depth), slices)| FlameRow { lane, depth, slices }).collect(),
        });
        FlameChart {
            names: self.names.all,
            tracks: tracks.collect(),
            span_count: self.span_count,
            hidden_span_count: self.hidden_span_count,
            range: (self.first <= self.last)
                .then(|| (Timestamp::from_nanos(self.first), Timestamp::from_nanos(self.last))),
        }
    }
}

/// As much of a name as is shown.
fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_NAME)]
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
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.all.len() as u32;
        self.all.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}
