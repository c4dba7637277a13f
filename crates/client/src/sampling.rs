//! Which traces are kept.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::clock::Ticks;
use crate::context::SpanContext;
use crate::ids::TraceWords;

/// Decides whether a span is recorded, when it starts.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Sampler {
    /// Every span.
    Always,
    /// None.
    Never,
    /// This part of all traces, from 0 to 1. All programs with the same ratio keep the same traces, for it depends on the
    /// trace's id only.
    Ratio(f64),
    /// No more traces than this begin here in a second, on average; a second's worth, or one, may begin at once. Where there
    /// is a parent, as that says.
    PerSecond(f64),
    /// As the parent says, where there is one; else as another sampler says.
    ParentBased(Box<Sampler>),
}

impl Default for Sampler {
    /// As the parent says; every trace that begins here.
    fn default() -> Self {
        Self::ParentBased(Box::new(Self::Always))
    }
}

/// A sampler at work.
#[derive(Debug)]
pub(crate) struct Decide {
    rule: Rule,
    follows_parent: bool,
}

#[derive(Debug)]
enum Rule {
    Always,
    Never,
    /// Traces whose id is below this.
    Below(u64),
    PerSecond(Tokens),
}

impl Decide {
    pub fn new(sampler: &Sampler) -> Self {
        match sampler {
            Sampler::ParentBased(root) => Self { follows_parent: true, ..Self::new(root) },
            Sampler::Always => Self { rule: Rule::Always, follows_parent: false },
            Sampler::Never => Self { rule: Rule::Never, follows_parent: false },
            // What is no number keeps nothing.
            Sampler::Ratio(ratio) if *ratio >= 1.0 => Self { rule: Rule::Always, follows_parent: false },
            Sampler::Ratio(ratio) => {
                Self { rule: Rule::Below((ratio * (1_u64 << 63) as f64) as u64 * 2), follows_parent: false }
            }
            Sampler::PerSecond(rate) => Self { rule: Rule::PerSecond(Tokens::new(*rate)), follows_parent: true },
        }
    }

    /// Whether a span is recorded.
    #[inline]
    pub fn keeps(&self, trace: TraceWords, parent: Option<&SpanContext>, now: Ticks) -> bool {
        if let (true, Some(parent)) = (self.follows_parent, parent) {
            return parent.is_sampled();
        }
        match &self.rule {
            Rule::Always => true,
            Rule::Never => false,
            Rule::Below(limit) => {
                let bytes = trace.to_bytes();
                let end = bytes.last_chunk().expect("an id has sixteen bytes");
                u64::from_be_bytes(*end) < *limit
            }
            Rule::PerSecond(tokens) => tokens.take(now),
        }
    }
}

/// How many may still begin, told as the time up to which all were used.
#[derive(Debug)]
struct Tokens {
    /// Nanoseconds that one takes.
    each: i64,
    used_until: AtomicI64,
}

impl Tokens {
    fn new(rate: f64) -> Self {
        let each = if rate > 0.0 { (1e9 / rate) as i64 } else { i64::MAX };
        Self { each: each.max(1), used_until: AtomicI64::new(i64::MIN) }
    }

    fn take(&self, now: Ticks) -> bool {
        if self.each == i64::MAX {
            return false;
        }
        let now = now.unix_nanos(0) as i64;
        // A second's worth, or one.
        let saved = self.each.max(1_000_000_000);
        let taken = self.used_until.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            let used = used.max(now.saturating_sub(saved));
            let next = used.saturating_add(self.each);
            (next <= now).then_some(next)
        });
        taken.is_ok()
    }
}
