//! Ids that nobody else has.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::SystemTime;

use glasshouse_model::{SpanId, TraceId};

/// Ids at random.
#[derive(Debug)]
pub(crate) struct Ids(u64);

impl Ids {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Wyrand ([wyhash](https://github.com/wangyi-fudan/wyhash)).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0xa076_1d64_78bd_642f);
        let product = u128::from(self.0) * u128::from(self.0 ^ 0xe703_7ed1_a0b4_28db);
        (product >> 64) as u64 ^ product as u64
    }

    #[inline]
    pub fn span_id(&mut self) -> SpanId {
        loop {
            if let Some(id) = SpanId::from_bytes(self.next().to_be_bytes()) {
                return id;
            }
        }
    }

    #[inline]
    pub fn trace_id(&mut self) -> TraceId {
        loop {
            let bytes = (u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes();
            if let Some(id) = TraceId::from_bytes(bytes) {
                return id;
            }
        }
    }
}

/// A random UUID (version 4).
pub(crate) fn random_uuid() -> String {
    let id = RandomState::new().hash_one(std::process::id());
    let mut ids = Ids::new(id ^ RandomState::new().hash_one(SystemTime::now()));
    let mut bytes = *ids.trace_id().as_bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let number = u128::from_be_bytes(bytes);
    let digits = format!("{number:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}
