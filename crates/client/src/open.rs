//! Spans that run for long are told of before they end, so that a program that dies leaves a trace of what it did.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use glasshouse_model::SpanKind;

use crate::clock::Ticks;
use crate::ids::{SpanWord, TraceWords};
use crate::otlp::Wire as _;
use crate::ring::SpanRecord;

/// Threads that start and end spans are spread over so many maps.
const PARTS: usize = 16;
/// Spans that are known at most; others are told of when they end.
const MOST: usize = 100_000;
/// OTLP's field of a span's name.
const NAME: u32 = 5;

/// Spans that run and were not told of.
#[derive(Debug)]
pub(crate) struct OpenSpans {
    /// How long a span runs before it is told of.
    after: Duration,
    count: AtomicUsize,
    parts: [Mutex<HashMap<SpanWord, Open>>; PARTS],
}

/// A span as it was when it started.
#[derive(Debug)]
pub(crate) struct Open {
    pub since: Ticks,
    pub name: Cow<'static, str>,
    pub trace: TraceWords,
    pub span: SpanWord,
    pub parent: SpanWord,
    /// Nanoseconds since the Unix epoch.
    pub start: u64,
    /// As OTLP has them.
    pub flags: u32,
    pub kind: SpanKind,
    /// Fields of OTLP's `Span`.
    pub fields: Vec<u8>,
}

impl OpenSpans {
    pub fn new(after: Duration) -> Self {
        Self { after, count: AtomicUsize::new(0), parts: Default::default() }
    }

    fn part(&self, span: SpanWord) -> MutexGuard<'_, HashMap<SpanWord, Open>> {
        let [.., last] = span.to_bytes();
        self.parts[usize::from(last) % PARTS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A span started.
    pub fn add(&self, open: Open) {
        if self.count.fetch_add(1, Ordering::Relaxed) < MOST {
            self.part(open.span).insert(open.span, open);
        } else {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// It ended.
    pub fn remove(&self, span: SpanWord) {
        let known = self.part(span).remove(&span);
        if known.is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Gives those that ran for so long, once each: without an end, and with the fields beside them.
    pub fn take_due(&self, now: Ticks, mut take: impl FnMut(&SpanRecord, &[u8])) {
        let after = self.after.as_nanos() as u64;
        for part in &self.parts {
            let mut part = part.lock().unwrap_or_else(PoisonError::into_inner);
            let due: Vec<_> = part.extract_if(|_, open| now.since(open.since) >= after).collect();
            // Nobody who starts a span waits until these are taken.
            drop(part);
            self.count.fetch_sub(due.len(), Ordering::Relaxed);
            for (_, open) in due {
                let (record, fields) = open.record();
                take(&record, &fields);
            }
        }
    }
}

impl Open {
    fn record(self) -> (SpanRecord, Vec<u8>) {
        let Self { name, trace, span, parent, start, flags, kind, mut fields, .. } = self;
        let name = match name {
            Cow::Borrowed(name) => name,
            Cow::Owned(name) => {
                fields.bytes_field(NAME, name.as_bytes());
                ""
            }
        };
        let len = fields.len() as u32;
        let end = 0;
        let is_of_thread = false;
        (SpanRecord { name, trace, span, parent, start, end, flags, kind, is_of_thread, fields: len }, fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(number: u64) -> Open {
        Open {
            since: Ticks::default(),
            name: Cow::Borrowed("work"),
            trace: TraceWords::NONE,
            span: SpanWord::from(glasshouse_model::SpanId::from_slice(&(number + 1).to_be_bytes()).unwrap()),
            parent: SpanWord::NONE,
            start: 0,
            flags: 0,
            kind: SpanKind::Internal,
            fields: Vec::new(),
        }
    }

    #[test]
    fn no_more_are_known_than_there_is_room_for() {
        let spans = OpenSpans::new(Duration::ZERO);
        let told = |spans: &OpenSpans| {
            let mut told = 0;
            spans.take_due(Ticks::default(), |_, _| told += 1);
            told
        };
        for number in 0..MOST as u64 + 10 {
            spans.add(open(number));
        }
        spans.remove(open(MOST as u64 + 5).span);
        spans.remove(open(7).span);
        assert_eq!(told(&spans), MOST - 1);
        spans.add(open(1));
        assert_eq!((told(&spans), spans.count.into_inner()), (1, 0));
    }
}
