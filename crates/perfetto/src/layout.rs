//! Where the spans of a process are drawn: the places that they have in its Perfetto trace.

use foldhash::{HashMap, HashMapExt as _};
use glasshouse_model::SpanId;

use crate::input::SpanKey;
use crate::landscape::MAX_THREADS;
use crate::tracks::{Family, Tracks};

/// Gives the spans of a process their places. They come in order of their start, those of the same start as
/// [`crate::order_equal_starts`] orders them, each once. Memory depends on the spans open at once.
#[derive(Debug)]
pub struct Layout {
    tracks: Tracks,
    threads: HashMap<i64, Family>,
    asynchronous: Family,
}

/// The place of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// The thread whose place it is; `None` for what is asynchronous.
    pub thread: Option<i64>,
    /// Which of the lanes there: slices of a lane nest. Lane 0 of a thread is what it did; others hold what does not nest in that.
    pub lane: usize,
    /// How many spans of the lane it is in.
    pub depth: usize,
}

impl Default for Layout {
    fn default() -> Self {
        let mut tracks = Tracks::default();
        let asynchronous = tracks.family_of_async();
        Self { tracks, threads: HashMap::new(), asynchronous }
    }
}

impl Layout {
    /// The place of a span. Times are nanoseconds; `end` is `None` while it is open.
    pub fn place(
        &mut self,
        key: &SpanKey,
        parent: Option<SpanId>,
        start: i64,
        end: Option<i64>,
        thread: Option<i64>,
    ) -> Slot {
        let end = end.map(|end| end.max(start));
        let tracks = &mut self.tracks;
        let is_known = |id: &i64| self.threads.len() < MAX_THREADS || self.threads.contains_key(id);
        let thread = thread.filter(is_known);
        let family =
            thread.map_or(self.asynchronous, |id| *self.threads.entry(id).or_insert_with(|| tracks.family_of_thread()));
        let parent = parent.map(|span| SpanKey { trace: key.trace, span }.number());
        let placed = tracks.place(family, key.number(), parent, start, end, |_, _| {});
        Slot { thread, lane: placed.position, depth: placed.depth }
    }
}

#[cfg(test)]
mod tests {
    use glasshouse_model::TraceId;

    use super::*;

    /// Id, parent, start, end, thread.
    type Given = (u8, u8, i64, Option<i64>, Option<i64>);

    /// Places spans; checks their thread, lane and depth.
    fn check(spans: &[Given], expected: &[(Option<i64>, usize, usize)]) {
        let trace = TraceId::from_bytes([1; 16]).unwrap();
        let mut layout = Layout::default();
        let places = spans.iter().map(|&(id, parent, start, end, thread)| {
            let key = SpanKey { trace, span: SpanId::from_bytes([id; 8]).unwrap() };
            let slot = layout.place(&key, SpanId::from_bytes([parent; 8]), start, end, thread);
            (slot.thread, slot.lane, slot.depth)
        });
        assert_eq!(places.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn calls_of_a_thread_are_in_each_other() {
        let on = Some(7);
        check(
            &[(1, 0, 0, Some(100), on), (2, 1, 10, Some(50), on), (3, 2, 20, Some(30), on), (4, 1, 50, Some(90), on)],
            &[(on, 0, 0), (on, 0, 1), (on, 0, 2), (on, 0, 1)],
        );
    }

    #[test]
    fn an_open_span_is_in_nothing_that_ends() {
        let on = Some(1);
        check(
            &[(1, 0, 0, Some(5_000), on), (2, 1, 500, None, on), (3, 2, 1_500, Some(1_600), on)],
            &[(on, 0, 0), (on, 1, 0), (on, 0, 1)],
        );
    }

    #[test]
    fn what_does_not_nest_gets_another_lane() {
        let on = Some(7);
        check(&[(1, 0, 0, Some(50), on), (2, 0, 10, Some(70), on)], &[(on, 0, 0), (on, 1, 0)]);
        check(
            &[(1, 0, 0, Some(50), None), (2, 0, 10, Some(40), None), (3, 1, 20, Some(30), None)],
            &[(None, 0, 0), (None, 1, 0), (None, 0, 1)],
        );
    }
}
