use std::ops::Range;

/// Rows of a file, counted from its first: ranges in ascending order that neither touch nor overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowRanges(Vec<Range<u64>>);

impl RowRanges {
    /// These rows; the ranges may come in any order and overlap.
    pub fn new(mut ranges: Vec<Range<u64>>) -> Self {
        ranges.retain(|range| !range.is_empty());
        ranges.sort_unstable_by_key(|range| range.start);
        let mut merged: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        Self(merged)
    }

    /// All rows of a file.
    pub fn all(rows: u64) -> Self {
        std::iter::once(0..rows).collect()
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.0.iter().cloned()
    }

    /// How many rows these are.
    pub fn rows(&self) -> u64 {
        self.0.iter().map(|range| range.end - range.start).sum()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same rows in pieces of at most so many.
    pub fn pieces(&self, most: u64) -> impl Iterator<Item = Self> + '_ {
        let mut ranges = self.iter();
        let mut rest: Option<Range<u64>> = None;
        std::iter::from_fn(move || {
            let mut piece = Vec::new();
            let mut room = most;
            while room > 0
                && let Some(range) = rest.take().or_else(|| ranges.next())
            {
                let end = range.end.min(range.start.saturating_add(room));
                room -= end - range.start;
                rest = (end < range.end).then_some(end..range.end);
                piece.push(range.start..end);
            }
            (!piece.is_empty()).then_some(Self(piece))
        })
    }

    /// The rows of `part`, counted from its first row.
    pub(crate) fn within(&self, part: Range<u64>) -> impl Iterator<Item = Range<usize>> + '_ {
        let from = self.0.partition_point(|range| range.end <= part.start);
        self.0[from..].iter().take_while(move |range| range.start < part.end).map(move |range| {
            let start = range.start.max(part.start) - part.start;
            let end = range.end.min(part.end) - part.start;
            start as usize..end as usize
        })
    }
}

impl FromIterator<Range<u64>> for RowRanges {
    fn from_iter<I: IntoIterator<Item = Range<u64>>>(ranges: I) -> Self {
        Self::new(ranges.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "a range is one element here")]
    fn ranges_are_joined_and_cut() {
        let rows = RowRanges::new(vec![20..30, 0..5, 3..8, 8..9, 40..40]);
        assert_eq!(rows.iter().collect::<Vec<_>>(), [0..9, 20..30]);
        assert_eq!(rows.rows(), 19);
        assert_eq!(rows.within(5..25).collect::<Vec<_>>(), [0..4, 15..20]);
        assert_eq!(rows.within(9..20).count(), 0);
        assert_eq!(RowRanges::all(7).iter().collect::<Vec<_>>(), [0..7]);
        assert!(RowRanges::all(0).is_empty());
        let pieces: Vec<Vec<_>> = rows.pieces(8).map(|piece| piece.iter().collect()).collect();
        assert_eq!(pieces, [vec![0..8], vec![8..9, 20..27], vec![27..30]]);
        assert_eq!(RowRanges::all(16).pieces(8).count(), 2);
    }
}
