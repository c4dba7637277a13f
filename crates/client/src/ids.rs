//! Ids that nobody else has.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::time::SystemTime;

use glasshouse_model::{SpanId, TraceId};

/// A trace's id as words, which processors move in one go. Zero before there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TraceWords([u64; 2]);

/// A span's id as a word. Zero when there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SpanWord(u64);

impl From<TraceId> for TraceWords {
    fn from(id: TraceId) -> Self {
        let (words, _) = id.as_bytes().as_chunks();
        Self([u64::from_ne_bytes(words[0]), u64::from_ne_bytes(words[1])])
    }
}

impl TraceWords {
    pub const NONE: Self = Self([0; 2]);

    pub fn to_bytes(self) -> [u8; TraceId::LEN] {
        let mut bytes = [0; TraceId::LEN];
        for (bytes, word) in bytes.chunks_exact_mut(8).zip(self.0) {
            bytes.copy_from_slice(&word.to_ne_bytes());
        }
        bytes
    }

    pub fn get(self) -> Option<TraceId> {
        TraceId::from_bytes(self.to_bytes())
    }
}

impl From<SpanId> for SpanWord {
    fn from(id: SpanId) -> Self {
        Self(u64::from_ne_bytes(*id.as_bytes()))
    }
}

impl SpanWord {
    pub const NONE: Self = Self(0);

    pub fn to_bytes(self) -> [u8; SpanId::LEN] {
        self.0.to_ne_bytes()
    }

    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    pub fn get(self) -> Option<SpanId> {
        SpanId::from_bytes(self.to_bytes())
    }
}

/// Ids at random: of traces from two sequences that have nothing to do with each other, of spans from the first.
#[derive(Debug)]
pub(crate) struct Ids([u64; 2]);

impl Ids {
    /// Begins with two numbers that nobody else has.
    pub fn new(seeds: [u64; 2]) -> Self {
        Self(seeds)
    }

    /// Wyrand ([wyhash](https://github.com/wangyi-fudan/wyhash)).
    fn next(&mut self, sequence: usize) -> u64 {
        let state = self.0[sequence].wrapping_add(0xa076_1d64_78bd_642f);
        self.0[sequence] = state;
        let product = u128::from(state) * u128::from(state ^ 0xe703_7ed1_a0b4_28db);
        (product >> 64) as u64 ^ product as u64
    }

    #[inline]
    pub fn span_id(&mut self) -> SpanWord {
        loop {
            let id = SpanWord(self.next(0));
            if !id.is_none() {
                return id;
            }
        }
    }

    #[inline]
    pub fn trace_id(&mut self) -> TraceWords {
        loop {
            let id = [self.next(0), self.next(1)];
            if id != [0; 2] {
                return TraceWords(id);
            }
        }
    }
}

/// A random UUID (version 4).
pub(crate) fn random_uuid() -> String {
    let mut ids = Ids::new(seeds((std::process::id(), SystemTime::now())));
    let mut bytes = ids.trace_id().to_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let number = u128::from_be_bytes(bytes);
    let digits = format!("{number:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// Numbers at random, that are others for each place that asks.
pub(crate) fn seeds(place: impl Hash) -> [u64; 2] {
    [(); 2].map(|()| RandomState::new().hash_one(&place))
}
