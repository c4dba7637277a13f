//! Where arrows may begin: an arrow to a span whose origin the reader never saw would be an error.

use crate::input::SpanNumber;

/// Sets of spans, each of those whose number tells it.
const SETS: usize = 1 << 15;
/// Spans that a set remembers.
const WAYS: usize = 16;

/// The spans that were written lately: of the last hundred thousand all but one in millions, and most of the last half a
/// million. That is a table without chains, in which a span takes the place of the oldest of its set, so that to remember
/// a span is to store it and waits for nothing.
#[derive(Debug)]
pub(crate) struct Flows {
    sets: Box<[[u64; WAYS]]>,
    /// The place of each set that is taken next.
    next: Box<[u8]>,
}

impl Default for Flows {
    fn default() -> Self {
        Self { sets: vec![[0; WAYS]; SETS].into_boxed_slice(), next: vec![0; SETS].into_boxed_slice() }
    }
}

impl Flows {
    /// Remembers a span.
    pub fn begin(&mut self, span: SpanNumber) {
        let set = set_of(span);
        let next = &mut self.next[set];
        self.sets[set][usize::from(*next) % WAYS] = span.0;
        *next = next.wrapping_add(1);
    }

    /// Whether a span was written lately.
    pub fn knows(&self, span: SpanNumber) -> bool {
        self.sets[set_of(span)].contains(&span.0)
    }
}

fn set_of(span: SpanNumber) -> usize {
    span.0 as usize % SETS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_hundred_thousand_are_known() {
        let number = |i: u64| SpanNumber(xxhash_rust::xxh3::xxh3_64(&i.to_le_bytes()));
        let mut flows = Flows::default();
        (0..1_000_000).for_each(|i| flows.begin(number(i)));
        assert!((900_000..1_000_000).all(|i| flows.knows(number(i))));
        // Few sets have had so few others since.
        assert!((0..100_000).filter(|i| flows.knows(number(*i))).count() < 5_000);
        assert!(!(1_000_000..1_100_000).any(|i| flows.knows(number(i))));
    }
}
