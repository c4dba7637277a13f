//! Where arrows may begin: an arrow to a span whose origin the reader never saw would be an error.

use std::hash::{BuildHasherDefault, Hasher};

use crate::input::SpanKey;

/// Spans of a generation.
const GENERATION: usize = 1 << 17;

/// Numbers of spans, which are hashes already.
type Numbers = std::collections::HashSet<u64, BuildHasherDefault<AsItIs>>;

/// The spans that were written lately: at least the last hundred thousand.
#[derive(Debug, Default)]
pub(crate) struct Flows {
    current: Numbers,
    previous: Numbers,
}

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

impl Flows {
    /// Remembers a span; gives its number.
    pub fn begin(&mut self, span: &SpanKey) -> u64 {
        if self.current.len() >= GENERATION {
            std::mem::swap(&mut self.previous, &mut self.current);
            self.current.clear();
        }
        let number = number(span);
        self.current.insert(number);
        number
    }

    /// The number of a span that was written; `is_open` tells of those that were written longer ago and run still.
    pub fn known(&self, span: &SpanKey, is_open: bool) -> Option<u64> {
        let number = number(span);
        (is_open || self.current.contains(&number) || self.previous.contains(&number)).then_some(number)
    }
}

/// Span ids are unique in their trace only.
fn number(span: &SpanKey) -> u64 {
    let mut bytes = [0; 24];
    bytes[..16].copy_from_slice(span.trace.as_bytes());
    bytes[16..].copy_from_slice(span.span.as_bytes());
    xxhash_rust::xxh3::xxh3_64(&bytes).max(1)
}
