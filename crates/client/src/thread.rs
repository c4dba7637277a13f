//! Threads, as they tell themselves apart, and as others see them.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::otlp::{LOG_ATTRIBUTES, SPAN_ATTRIBUTES, attribute};
use crate::signal::Signal;

/// The attributes of a thread, in their form for the wire. A ring that threads share has none.
#[derive(Debug, Default)]
pub(crate) struct ThreadAttributes {
    /// As fields of OTLP's `Span`.
    span: Vec<u8>,
    /// As fields of OTLP's `LogRecord`.
    log: Vec<u8>,
}

impl ThreadAttributes {
    /// This thread.
    pub fn current() -> Self {
        let mut thread = Self::default();
        for (out, field) in [(&mut thread.span, SPAN_ATTRIBUTES), (&mut thread.log, LOG_ATTRIBUTES)] {
            if let Some(id) = system_thread_id() {
                attribute(out, field, "thread.id", id.into());
            }
            if let Some(name) = std::thread::current().name() {
                attribute(out, field, "thread.name", name.into());
            }
        }
        thread
    }

    /// Fields of what it records.
    #[inline]
    pub fn attributes(&self, signal: Signal) -> &[u8] {
        match signal {
            Signal::Spans => &self.span,
            Signal::Logs => &self.log,
            Signal::Metrics => &[],
        }
    }
}

/// Which thread of the program, by a number of ours: never 0.
#[inline]
pub(crate) fn number() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }
    NUMBER.with(|number| {
        if number.get() == 0 {
            number.set(LAST.fetch_add(1, Ordering::Relaxed) + 1);
        }
        number.get()
    })
}

thread_local! {
    static IS_BACKGROUND: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread sends what others record.
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) fn is_background() -> bool {
    IS_BACKGROUND.get()
}

/// This thread sends what others record.
pub(crate) fn set_background() {
    IS_BACKGROUND.set(true);
}

/// The number that the system, and so every other tool, has for this thread; `None` where it cannot be had.
fn system_thread_id() -> Option<i64> {
    // "PID/task/TID", on Linux.
    std::fs::read_link("/proc/thread-self").ok()?.file_name()?.to_str()?.parse().ok()
}
