//! Which track a span goes to, so that the slices of every track nest: a slice ends before what it is in.
//!
//! A *family* of tracks belongs to a thread, or to what a process does asynchronously. On the track of a thread a
//! span goes into whatever runs there, as a call does. Everywhere else it goes into its parent, or else to a track on
//! which nothing runs. What does not nest gets a track of its own. Memory is bounded by the spans open at once.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use crate::input::SpanNumber;

/// Slices within each other beyond which another track is taken: trace processor drops slices deeper than 512.
pub(crate) const MAX_DEPTH: usize = 500;

/// A track of [`Tracks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TrackIndex(pub usize);

/// A family of [`Tracks`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Family(usize);

/// Where a span went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Placed {
    pub track: TrackIndex,
    /// How many tracks of its family came before it.
    pub position: usize,
    /// How many slices of the track it is in.
    pub depth: usize,
    /// Whether the track is used for the first time.
    pub is_new: bool,
    /// Whether the slice is directly in that of its parent.
    pub is_in_parent: bool,
}

/// The tracks and what is open on them.
#[derive(Debug, Default)]
pub(crate) struct Tracks {
    all: Vec<Track>,
    families: Vec<Lanes>,
    ends: BinaryHeap<Reverse<End>>,
    open: HashMap<SpanNumber, TrackIndex, BuildHasherDefault<AsItIs>>,
    begun: u64,
}

#[derive(Debug)]
struct Track {
    family: Family,
    position: usize,
    stack: Vec<Slice>,
    /// Points of the same time, which stand on top of each other: when, and how many.
    points: (i64, usize),
}

#[derive(Debug)]
struct Slice {
    span: SpanNumber,
    end: Option<i64>,
    number: u64,
}

#[derive(Debug)]
struct Lanes {
    tracks: Vec<TrackIndex>,
    /// Whether the first track is a thread's.
    has_thread: bool,
    /// Positions of tracks on which nothing runs.
    free: Positions,
}

/// A set of positions, of which the first is asked for.
#[derive(Debug, Default)]
struct Positions(Vec<u64>);

impl Positions {
    fn insert(&mut self, position: usize) {
        if self.0.len() <= position / 64 {
            self.0.resize(position / 64 + 1, 0);
        }
        self.0[position / 64] |= 1 << (position % 64);
    }

    fn remove(&mut self, position: usize) {
        if let Some(word) = self.0.get_mut(position / 64) {
            *word &= !(1 << (position % 64));
        }
    }

    fn first(&self) -> Option<usize> {
        let (at, word) = self.0.iter().enumerate().find(|(_, word)| **word != 0)?;
        Some(at * 64 + word.trailing_zeros() as usize)
    }
}

/// Numbers of spans are hashes already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn write(&mut self, _: &[u8]) {
        unreachable!("only numbers are hashed")
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Ends in order of time; of those at the same time, what began later ends first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct End {
    time: i64,
    number: Reverse<u64>,
    track: usize,
}

/// Tells when a slice ends: its track and the time.
pub(crate) trait Ended: FnMut(TrackIndex, i64) {}
impl<F: FnMut(TrackIndex, i64)> Ended for F {}

impl Tracks {
    pub fn family_of_thread(&mut self) -> Family {
        self.family(true)
    }

    pub fn family_of_async(&mut self) -> Family {
        self.family(false)
    }

    fn family(&mut self, has_thread: bool) -> Family {
        self.families.push(Lanes { tracks: Vec::new(), has_thread, free: Positions::default() });
        Family(self.families.len() - 1)
    }

    /// How many spans are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// Whether a span is open.
    pub fn is_open(&self, span: SpanNumber) -> bool {
        self.open.contains_key(&span)
    }

    /// The track of an open span when nothing else runs within it.
    pub fn top(&self, span: SpanNumber) -> Option<TrackIndex> {
        let track = *self.open.get(&span)?;
        (self.all[track.0].stack.last()?.span == span).then_some(track)
    }

    /// Whether a track still takes a point at a time; counts it.
    pub fn take_point(&mut self, track: TrackIndex, time: i64) -> bool {
        let Track { stack, points, .. } = &mut self.all[track.0];
        if points.0 != time {
            *points = (time, 0);
        }
        points.1 += 1;
        stack.len() + points.1 < MAX_DEPTH
    }

    /// Ends what ends before `time`; when `at_too`, also what ends at it.
    pub fn end_until(&mut self, time: i64, at_too: bool, mut ended: impl Ended) {
        while let Some(Reverse(end)) = self.ends.peek() {
            if end.time > time || (end.time == time && !at_too) {
                break;
            }
            let End { time, number, track } = self.ends.pop().expect("it was seen").0;
            // What ended already left its entry behind.
            if self.all[track].stack.last().is_some_and(|top| top.number == number.0) {
                self.pop(TrackIndex(track));
                ended(TrackIndex(track), time);
            }
        }
    }

    /// Ends everything that has an end.
    pub fn end_all(&mut self, ended: impl Ended) {
        self.end_until(i64::MAX, true, ended);
    }

    /// Finds the place of a span. Spans come in order of their start, those of the same start as
    /// [`crate::order_equal_starts`] orders them, each once.
    pub fn place(
        &mut self,
        family: Family,
        span: SpanNumber,
        parent: Option<SpanNumber>,
        start: i64,
        end: Option<i64>,
        mut ended: impl Ended,
    ) -> Placed {
        // A span of no length may belong to one that ends right now, and is told by its parent.
        let is_point = end == Some(start);
        self.end_until(start, !is_point, &mut ended);
        let lanes = &self.families[family.0];
        let main = lanes.has_thread.then(|| lanes.tracks.first().copied()).flatten();
        let of_parent = parent.and_then(|parent| self.open.get(&parent).copied());
        let of_parent = of_parent.filter(|track| self.all[track.0].family == family);
        let mut chosen = None;
        if let Some(track) = main {
            self.end_strangers(track, parent, start, &mut ended);
            chosen = self.fits(track, end).then_some(track);
        }
        if let (None, Some(track), Some(parent)) = (chosen, of_parent, parent) {
            self.end_strangers(track, Some(parent), start, &mut ended);
            let is_top = self.all[track.0].stack.last().is_some_and(|top| top.span == parent);
            chosen = (is_top && self.fits(track, end)).then_some(track);
        }
        let lanes = &mut self.families[family.0];
        let chosen = chosen.or_else(|| Some(lanes.tracks[lanes.free.first()?]));
        let is_new = chosen.is_none();
        let track = chosen.unwrap_or_else(|| {
            let track = TrackIndex(self.all.len());
            self.all.push(Track { family, position: lanes.tracks.len(), stack: Vec::new(), points: (i64::MIN, 0) });
            lanes.tracks.push(track);
            track
        });
        let Track { position, stack, .. } = &mut self.all[track.0];
        lanes.free.remove(*position);
        let is_in_parent = parent.is_some() && stack.last().map(|top| top.span) == parent;
        let depth = stack.len();
        self.begun += 1;
        stack.push(Slice { span, end, number: self.begun });
        self.open.insert(span, track);
        if let Some(time) = end {
            self.ends.push(Reverse(End { time, number: Reverse(self.begun), track: track.0 }));
        }
        Placed { track, position: *position, depth, is_new, is_in_parent }
    }

    /// Ends what ends at `time` on a track, but not a span's parent and what that is in.
    fn end_strangers(&mut self, track: TrackIndex, parent: Option<SpanNumber>, time: i64, ended: &mut impl Ended) {
        let stack = &self.all[track.0].stack;
        let kept = stack.iter().rposition(|slice| Some(slice.span) == parent).map_or(0, |position| position + 1);
        while let Some(top) = self.all[track.0].stack[kept..].last()
            && top.end == Some(time)
        {
            self.pop(track);
            ended(track, time);
        }
    }

    fn fits(&self, track: TrackIndex, end: Option<i64>) -> bool {
        let stack = &self.all[track.0].stack;
        match (stack.last().map(|top| top.end), end) {
            (None | Some(None), _) => stack.len() < MAX_DEPTH,
            (Some(Some(_)), None) => false,
            (Some(Some(outer)), Some(inner)) => inner <= outer && stack.len() < MAX_DEPTH,
        }
    }

    fn pop(&mut self, track: TrackIndex) {
        let Track { family, position, stack, .. } = &mut self.all[track.0];
        if let Some(slice) = stack.pop() {
            self.open.remove(&slice.span);
        }
        if stack.is_empty() {
            self.families[family.0].free.insert(*position);
        }
    }
}
