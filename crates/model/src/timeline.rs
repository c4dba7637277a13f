//! What is asked for in order of time: the rows of a process or of a trace.

use std::fmt;
use std::str::FromStr;

use crate::{ProcessId, TimeRange, Timestamp, TraceId};

/// Whose rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// All that a process sent.
    Process(ProcessId),
    /// A trace, whichever processes it went through. It has no metrics.
    Trace(TraceId),
}

/// Which rows. Events and links come with their spans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each kind is chosen for itself")]
pub struct Kinds {
    /// Spans that say which thread they ran on.
    pub thread: bool,
    /// The other spans.
    pub asynchronous: bool,
    /// Log records.
    pub logs: bool,
    /// Metric points.
    pub metrics: bool,
}

impl Kinds {
    /// Every kind.
    pub const ALL: Self = Self { thread: true, asynchronous: true, logs: true, metrics: true };

    const NAMES: [&str; 4] = ["thread", "async", "logs", "metrics"];

    /// Whether there are spans among them.
    pub fn has_spans(self) -> bool {
        self.thread || self.asynchronous
    }

    fn chosen(self) -> impl Iterator<Item = &'static str> {
        let chosen = [self.thread, self.asynchronous, self.logs, self.metrics];
        Self::NAMES.into_iter().zip(chosen).filter(|(_, chosen)| *chosen).map(|(name, _)| name)
    }
}

impl Default for Kinds {
    fn default() -> Self {
        Self::ALL
    }
}

/// Names with commas between them.
impl fmt::Display for Kinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.chosen().collect::<Vec<_>>().join(","))
    }
}

/// What is no list of kinds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KindsError(String);

impl fmt::Display for KindsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is no kind; there are {}", self.0, Kinds::NAMES.join(", "))
    }
}

impl std::error::Error for KindsError {}

impl FromStr for Kinds {
    type Err = KindsError;

    fn from_str(text: &str) -> Result<Self, KindsError> {
        let mut kinds = Self { thread: false, asynchronous: false, logs: false, metrics: false };
        for name in text.split(',').map(str::trim) {
            match name {
                "thread" => kinds.thread = true,
                "async" => kinds.asynchronous = true,
                "logs" => kinds.logs = true,
                "metrics" => kinds.metrics = true,
                _ => return Err(KindsError(name.to_owned())),
            }
        }
        Ok(kinds)
    }
}

/// Rows in order of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimelineRequest {
    /// Whose.
    pub subject: Subject,
    /// Which.
    pub kinds: Kinds,
    /// Spans that ran in it, and whatever else happened in it.
    pub range: TimeRange,
}

/// How many rows there are of each kind, and from when to when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Survey {
    /// Spans that say their thread.
    pub thread_spans: u64,
    /// The other spans.
    pub async_spans: u64,
    /// Of all spans, those without an end.
    pub open_spans: u64,
    /// Events of spans.
    pub events: u64,
    /// Links of spans.
    pub links: u64,
    /// Log records.
    pub logs: u64,
    /// Metric points.
    pub points: u64,
    /// The earliest and the latest moment that rows tell of.
    pub range: Option<(Timestamp, Timestamp)>,
}

/// How far a survey is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SurveyProgress {
    /// Batches and files that were looked at, …
    pub done: u64,
    /// … of so many.
    pub total: u64,
}

impl Survey {
    /// Spans of either kind.
    pub fn spans(&self) -> u64 {
        self.thread_spans + self.async_spans
    }

    /// Everything there is to write: spans and what belongs to them, log records, points.
    pub fn items(&self) -> u64 {
        self.spans() + self.events + self.links + self.logs + self.points
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_written_as_they_are_read() {
        for text in ["thread", "async,logs", "thread,async,logs,metrics"] {
            assert_eq!(text.parse::<Kinds>().map(|kinds| kinds.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("logs, spans".parse::<Kinds>(), Err(KindsError("spans".to_owned())));
        assert!("".parse::<Kinds>().is_err());
    }
}
