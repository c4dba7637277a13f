//! A trace as a tree: who is whose parent, how deep, and how long each span worked itself.

use std::collections::HashMap;

/// What the tree is told of a span.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    pub(crate) span_id: &'a str,
    pub(crate) parent_span_id: Option<&'a str>,
    pub(crate) start: i64,
    /// `None` while the span is open.
    pub(crate) end: Option<i64>,
}

/// A span's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// The span's position in what was given.
    pub(crate) index: usize,
    /// Steps to the root; 0 for a root and for a span whose parent is unknown.
    pub(crate) depth: i64,
    /// Duration without the time in which at least one child runs; `None` while the span is open.
    pub(crate) self_time: Option<i64>,
}

/// Places spans with distinct ids, parents before their children, siblings by start. Spans that are each
/// other's ancestors are entered at the one that starts first.
pub(crate) fn places(nodes: &[Node<'_>]) -> Vec<Place> {
    let by_id: HashMap<&str, usize> = nodes.iter().enumerate().map(|(i, node)| (node.span_id, i)).collect();
    let parent_of = |index: usize| {
        let parent = nodes[index].parent_span_id?;
        by_id.get(parent).copied().filter(|parent| *parent != index)
    };
    let mut by_start: Vec<usize> = (0..nodes.len()).collect();
    by_start.sort_by_key(|index| (nodes[*index].start, nodes[*index].span_id));

    let mut children: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut roots = Vec::new();
    for &index in &by_start {
        match parent_of(index) {
            Some(parent) => children[parent].push(index),
            None => roots.push(index),
        }
    }
    let mut places = Vec::with_capacity(nodes.len());
    let mut seen = vec![false; nodes.len()];
    // After the roots everything once more: what is not seen by then is in a cycle.
    for root in roots.into_iter().chain(by_start) {
        let mut ahead = vec![(root, 0)];
        while let Some((index, depth)) = ahead.pop() {
            if std::mem::replace(&mut seen[index], true) {
                continue;
            }
            places.push(Place { index, depth, self_time: self_time(nodes, index, &children[index]) });
            ahead.extend(children[index].iter().rev().map(|child| (*child, depth + 1)));
        }
    }
    places
}

/// `children` in order of their start. An open child runs until its parent ends.
fn self_time(nodes: &[Node<'_>], index: usize, children: &[usize]) -> Option<i64> {
    let Node { start, end, .. } = nodes[index];
    let end = end?.max(start);
    let mut covered = 0;
    let mut reached = start;
    for child in children {
        let from = nodes[*child].start.clamp(reached, end);
        let to = nodes[*child].end.unwrap_or(end).clamp(from, end);
        covered += to - from;
        reached = reached.max(to);
    }
    Some(end - start - covered)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(nodes: &[(&str, Option<&str>, i64, Option<i64>)], expected: &[(&str, i64, Option<i64>)]) {
        let nodes: Vec<_> = nodes
            .iter()
            .map(|&(span_id, parent_span_id, start, end)| Node { span_id, parent_span_id, start, end })
            .collect();
        let places: Vec<_> =
            places(&nodes).into_iter().map(|p| (nodes[p.index].span_id, p.depth, p.self_time)).collect();
        assert_eq!(places, expected);
    }

    #[test]
    fn children_follow_their_parents_and_overlaps_count_once() {
        check(
            &[
                ("c", Some("a"), 40, Some(70)),
                ("a", None, 0, Some(100)),
                ("b", Some("a"), 10, Some(50)),
                ("d", Some("b"), 10, Some(20)),
            ],
            &[("a", 0, Some(40)), ("b", 1, Some(30)), ("d", 2, Some(10)), ("c", 1, Some(30))],
        );
    }

    #[test]
    fn children_outside_their_parent_take_only_what_is_inside() {
        check(
            &[("a", None, 0, Some(10)), ("b", Some("a"), -5, Some(2)), ("c", Some("a"), 9, Some(90))],
            &[("a", 0, Some(7)), ("b", 1, Some(7)), ("c", 1, Some(81))],
        );
    }

    #[test]
    fn orphans_are_roots_and_open_spans_have_no_self_time() {
        check(
            &[("a", None, 0, None), ("b", Some("a"), 1, Some(3)), ("x", Some("gone"), 2, Some(4))],
            &[("a", 0, None), ("b", 1, Some(2)), ("x", 0, Some(2))],
        );
    }

    #[test]
    fn cycles_end() {
        check(
            &[
                ("a", Some("c"), 5, Some(6)),
                ("b", Some("a"), 6, Some(7)),
                ("c", Some("b"), 7, Some(8)),
                ("s", Some("s"), 0, Some(1)),
            ],
            &[("s", 0, Some(1)), ("a", 0, Some(1)), ("b", 1, Some(1)), ("c", 2, Some(1))],
        );
    }
}
