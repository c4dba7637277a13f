//! Joins small batches into larger ones, so that a request of one span does not cost a batch of its own. Batches
//! of like size are joined, as in a log-structured merge: a row is copied a few times only, and order is kept.

use std::sync::Arc;

use arrow::compute::concat_batches;
use arrow::record_batch::RecordBatch;
use glasshouse_tables::{Batches, Table};

/// Batches that take more than this are left alone.
const LARGE: usize = 512 << 10;

/// What can be joined.
pub(crate) trait Join: Sized {
    /// Bytes that it takes.
    fn bytes(&self) -> usize;
    /// All of them, in order, as one.
    fn join(parts: &[Arc<Self>]) -> Self;
}

/// Parts in the order they came, joined now and then.
#[derive(Debug)]
pub(crate) struct Coalesced<T> {
    parts: Vec<Arc<T>>,
    sizes: Vec<usize>,
    bytes: usize,
    /// How many of the parts have been looked at by [`Coalesced::tidy`].
    tidied: usize,
}

impl<T> Default for Coalesced<T> {
    fn default() -> Self {
        Self { parts: Vec::new(), sizes: Vec::new(), bytes: 0, tidied: 0 }
    }
}

impl<T: Join> Coalesced<T> {
    pub(crate) fn push(&mut self, part: Arc<T>) {
        let bytes = part.bytes();
        self.bytes += bytes;
        self.sizes.push(bytes);
        self.parts.push(part);
    }

    pub(crate) fn parts(&self) -> &[Arc<T>] {
        &self.parts
    }

    pub(crate) fn into_parts(self) -> Vec<Arc<T>> {
        self.parts
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Joins what is small and alike.
    pub(crate) fn tidy(&mut self) {
        if self.tidied == self.parts.len() {
            return;
        }
        // New parts are joined with each other, then with older ones that are not much larger.
        let mut end = self.parts.len();
        while end > 0 {
            let mut start = end - 1;
            let mut total = self.sizes[start];
            while start > 0
                && (start > self.tidied || self.sizes[start - 1] <= 2 * total)
                && self.sizes[start - 1] + total <= LARGE
            {
                start -= 1;
                total += self.sizes[start];
            }
            if end - start > 1 {
                self.join(start, end);
            }
            if start <= self.tidied {
                break;
            }
            end = start;
        }
        self.tidied = self.parts.len();
    }

    fn join(&mut self, start: usize, end: usize) {
        let joined = T::join(&self.parts[start..end]);
        let bytes = joined.bytes();
        self.bytes = self.bytes - self.sizes[start..end].iter().sum::<usize>() + bytes;
        self.parts.splice(start..end, [Arc::new(joined)]);
        self.sizes.splice(start..end, [bytes]);
    }
}

impl Join for Batches {
    fn bytes(&self) -> usize {
        self.memory()
    }

    fn join(parts: &[Arc<Self>]) -> Self {
        let mut joined = Self::default();
        for table in Table::ALL {
            let batches: Vec<_> = parts.iter().filter_map(|part| part.get(table)).collect();
            if let Some(batch) = concat(table, &batches) {
                joined.set(table, batch);
            }
        }
        joined
    }
}

impl Join for RecordBatch {
    fn bytes(&self) -> usize {
        self.get_array_memory_size()
    }

    fn join(parts: &[Arc<Self>]) -> Self {
        concat_batches(&parts[0].schema(), parts.iter().map(AsRef::as_ref)).expect("parts have one schema")
    }
}

fn concat(table: Table, batches: &[&RecordBatch]) -> Option<RecordBatch> {
    match batches {
        [] => None,
        [one] => Some((*one).clone()),
        many => {
            Some(concat_batches(&table.stored_schema(), many.iter().copied()).expect("batches have the stored schema"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows that take `.1` bytes; joining keeps the rows in order.
    #[derive(Debug)]
    struct Rows(Vec<u32>, usize);

    impl Join for Rows {
        fn bytes(&self) -> usize {
            self.1
        }

        fn join(parts: &[Arc<Self>]) -> Self {
            Self(parts.iter().flat_map(|part| part.0.clone()).collect(), parts.iter().map(|part| part.1).sum())
        }
    }

    #[test]
    fn small_parts_are_few_in_order_and_copied_seldom() {
        let mut rows = Coalesced::default();
        let mut copied = 0;
        for number in 0..10_000 {
            rows.push(Arc::new(Rows(vec![number], 1000)));
            let before: Vec<_> = rows.parts().to_vec();
            rows.tidy();
            copied += rows
                .parts()
                .iter()
                .filter(|part| !before.iter().any(|b| Arc::ptr_eq(b, part)))
                .map(|p| p.0.len())
                .sum::<usize>();
        }
        let order: Vec<_> = rows.parts().iter().flat_map(|part| part.0.clone()).collect();
        assert_eq!(order, (0..10_000).collect::<Vec<_>>());
        assert_eq!(rows.bytes(), 10_000_000);
        assert!(rows.parts().len() < 60, "{} parts", rows.parts().len());
        assert!(copied < 10 * 10_000, "{copied} copies");
    }

    #[test]
    fn large_parts_are_left_alone() {
        let mut rows = Coalesced::default();
        for number in 0..10 {
            rows.push(Arc::new(Rows(vec![number], LARGE)));
            rows.push(Arc::new(Rows(vec![number], 10)));
            rows.tidy();
        }
        assert_eq!(rows.parts().len(), 20);
    }
}
