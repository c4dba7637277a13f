//! The order of spans that start at the same moment.

use std::collections::HashMap;

use glasshouse_model::SpanId;

use crate::input::SpanKey;

/// What decides the order of a span among those that start when it does.
#[derive(Debug, Clone, Copy)]
pub struct StartOrder<T> {
    /// The span.
    pub key: SpanKey,
    /// Its parent.
    pub parent: Option<SpanId>,
    /// How long it took in nanoseconds; `None` while it is open.
    pub duration: Option<i64>,
    /// What the caller knows it by.
    pub item: T,
}

/// Orders spans that start at the same moment as [`crate::Writer`] asks for, and drops those that came twice (of
/// an open and an ended one, the open). First come those of no length whose parent does not start now: they belong
/// to what is about to end. Then parents before their children, then longer before shorter.
pub fn order_equal_starts<T: Copy>(spans: &mut Vec<StartOrder<T>>) {
    if spans.len() < 2 {
        return;
    }
    let length = |span: &StartOrder<T>| span.duration.unwrap_or(i64::MAX);
    spans.sort_by_key(|span| std::cmp::Reverse(length(span)));
    let mut positions: HashMap<SpanKey, usize> = HashMap::with_capacity(spans.len());
    for (position, span) in spans.iter().enumerate() {
        let seen = positions.entry(span.key).or_insert(position);
        if spans[*seen].duration.is_none() {
            *seen = position;
        }
    }
    let parent_of = |span: &StartOrder<T>| {
        let parent = SpanKey { trace: span.key.trace, span: span.parent? };
        positions.get(&parent).copied()
    };
    let mut ordered = Vec::with_capacity(positions.len());
    let mut is_placed = vec![false; spans.len()];
    let mut chain = Vec::new();
    let is_early = |span: &StartOrder<T>| span.duration == Some(0) && parent_of(span).is_none();
    let turns = [true, false].into_iter().flat_map(|early| (0..spans.len()).map(move |position| (early, position)));
    for (early, position) in turns {
        if is_early(&spans[position]) != early {
            continue;
        }
        // Up to the first ancestor that has its place; marked at once, so that a cycle ends too.
        let mut next = Some(positions[&spans[position].key]);
        while let Some(position) = next.filter(|position| !is_placed[*position]) {
            is_placed[position] = true;
            chain.push(position);
            next = parent_of(&spans[position]);
        }
        ordered.extend(chain.drain(..).rev().map(|position| spans[position]));
    }
    *spans = ordered;
}

#[cfg(test)]
mod tests {
    use glasshouse_model::TraceId;

    use super::*;

    fn check(spans: &[(u8, u8, Option<i64>)], expected: &[u8]) {
        let trace = TraceId::from_bytes([1; 16]).unwrap();
        let mut spans: Vec<_> = spans
            .iter()
            .map(|&(id, parent, duration)| StartOrder {
                key: SpanKey { trace, span: SpanId::from_bytes([id; 8]).unwrap() },
                parent: SpanId::from_bytes([parent; 8]),
                duration,
                item: id,
            })
            .collect();
        order_equal_starts(&mut spans);
        assert_eq!(spans.iter().map(|span| span.item).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn parents_come_first_then_the_longer() {
        check(&[(1, 0, Some(5)), (2, 0, Some(9))], &[2, 1]);
        check(&[(1, 2, Some(9)), (2, 3, Some(5)), (3, 0, Some(1))], &[3, 2, 1]);
        check(&[(1, 0, Some(5)), (2, 0, None)], &[2, 1]);
    }

    #[test]
    fn points_of_what_ends_now_come_before_what_begins() {
        check(&[(1, 0, Some(5)), (2, 9, Some(0)), (3, 1, Some(0))], &[2, 1, 3]);
    }

    #[test]
    fn doubles_are_dropped_and_cycles_end() {
        check(&[(1, 0, None), (1, 0, Some(5)), (1, 0, Some(5))], &[1]);
        check(&[(1, 2, Some(5)), (2, 1, Some(4))], &[2, 1]);
        check(&[(1, 1, Some(5))], &[1]);
    }
}
