//! What a server that received the whole workload must answer.

use glasshouse_model::{DurationNs, SpanId, Timestamp, TraceId};

use super::attributes::user_id;
use super::trace::MadeSpan;

/// Facts of every span and trace, kept small: the workload has millions of spans.
#[derive(Debug)]
pub struct Answers {
    /// Service and name of every operation.
    operations: Vec<(&'static str, String)>,
    traces: Vec<TraceFact>,
    spans: Vec<SpanFact>,
    events: u64,
}

#[derive(Debug, Clone, Copy)]
struct TraceFact {
    id: [u8; 16],
    start: Timestamp,
    user: u32,
    /// Position of its first span; the others follow.
    first_span: usize,
}

#[derive(Debug, Clone, Copy)]
struct SpanFact {
    id: [u8; 8],
    start: Timestamp,
    duration: DurationNs,
    operation: u16,
    is_error: bool,
}

/// A search whose answer is known. Every condition must be met by one span of the trace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the trace search")]
pub struct Question {
    pub service: String,
    pub operation: Option<String>,
    pub min_duration: Option<DurationNs>,
    pub error: bool,
    pub user_id: Option<String>,
}

/// A span as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are OpenTelemetry's")]
pub struct ExpectedSpan<'a> {
    pub span_id: SpanId,
    pub service: &'a str,
    pub name: &'a str,
    pub start_time: Timestamp,
    pub duration: DurationNs,
    pub is_error: bool,
}

/// A trace as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedTrace<'a> {
    /// The trace's id.
    pub trace_id: TraceId,
    /// `user.id` of all its spans.
    pub user_id: String,
    /// Its spans, the root first.
    pub spans: Vec<ExpectedSpan<'a>>,
}

impl Answers {
    pub(super) fn new(operations: Vec<(&'static str, String)>) -> Self {
        Self { operations, traces: Vec::new(), spans: Vec::new(), events: 0 }
    }

    pub(super) fn add(&mut self, spans: &[MadeSpan]) {
        let first = &spans[0];
        let time = |nanos: u64| Timestamp::from_unix_nanos(nanos).expect("workloads happen before 2262");
        self.traces.push(TraceFact {
            id: first.span.trace_id.as_slice().try_into().expect("trace ids have 16 bytes"),
            start: spans.iter().map(|s| time(s.span.start_time_unix_nano)).min().expect("a trace has spans"),
            user: first.user,
            first_span: self.spans.len(),
        });
        for made in spans {
            let start = time(made.span.start_time_unix_nano);
            self.events += made.span.events.len() as u64;
            self.spans.push(SpanFact {
                id: made.span.span_id.as_slice().try_into().expect("span ids have 8 bytes"),
                start,
                duration: time(made.span.end_time_unix_nano) - start,
                operation: made.operation as u16,
                is_error: made.is_error,
            });
        }
    }

    /// Spans sent.
    pub fn spans(&self) -> u64 {
        self.spans.len() as u64
    }

    /// Traces sent.
    pub fn traces(&self) -> usize {
        self.traces.len()
    }

    /// Span events sent.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// Sum of the durations of all spans, in nanoseconds: with the count, a checksum of what arrived.
    pub fn total_duration(&self) -> i64 {
        self.spans.iter().map(|span| span.duration.nanos()).sum()
    }

    /// Start of the earliest span and of the latest.
    pub fn start_times(&self) -> Option<(Timestamp, Timestamp)> {
        let starts = || self.spans.iter().map(|span| span.start);
        Some((starts().min()?, starts().max()?))
    }

    /// A trace by its number, counted from zero in the order of sending.
    pub fn trace(&self, number: usize) -> ExpectedTrace<'_> {
        let fact = &self.traces[number];
        let spans = self.spans_of(number).iter().map(|span| {
            let (service, name) = &self.operations[usize::from(span.operation)];
            ExpectedSpan {
                span_id: SpanId::from_bytes(span.id).expect("generated ids are not zero"),
                service,
                name,
                start_time: span.start,
                duration: span.duration,
                is_error: span.is_error,
            }
        });
        ExpectedTrace { trace_id: trace_id(fact), user_id: user_id(fact.user), spans: spans.collect() }
    }

    /// The newest matching traces: latest start first, equal starts in descending order of id.
    pub fn find(&self, question: &Question, limit: usize) -> Vec<TraceId> {
        let wanted: Vec<bool> = self
            .operations
            .iter()
            .map(|(service, name)| {
                question.service == *service && question.operation.as_ref().is_none_or(|operation| operation == name)
            })
            .collect();
        let matches = |span: &SpanFact| {
            wanted[usize::from(span.operation)]
                && question.min_duration.is_none_or(|least| span.duration >= least)
                && (!question.error || span.is_error)
        };
        let mut found: Vec<&TraceFact> = (0..self.traces.len())
            .filter(|number| {
                let of_user = |user: &String| *user == user_id(self.traces[*number].user);
                question.user_id.as_ref().is_none_or(of_user) && self.spans_of(*number).iter().any(matches)
            })
            .map(|number| &self.traces[number])
            .collect();
        found.sort_unstable_by_key(|trace| std::cmp::Reverse((trace.start, trace.id)));
        found.into_iter().take(limit).map(trace_id).collect()
    }

    fn spans_of(&self, number: usize) -> &[SpanFact] {
        let end = self.traces.get(number + 1).map_or(self.spans.len(), |next| next.first_span);
        &self.spans[self.traces[number].first_span..end]
    }
}

fn trace_id(fact: &TraceFact) -> TraceId {
    TraceId::from_bytes(fact.id).expect("generated ids are not zero")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Config, Generator};

    #[test]
    fn searches_find_the_traces_that_have_such_a_span() {
        let mut generator = Generator::new(Config {
            spans: 20_000,
            seed: 1,
            from: Timestamp::from_nanos(1_700_000_000_000_000_000),
            over: DurationNs::from_secs(60),
            spans_per_request: 1000,
            one_process: false,
        });
        generator.by_ref().for_each(drop);
        let answers = generator.into_answers();
        assert_eq!(answers.spans(), 20_000);
        let trace = answers.trace(answers.traces() / 2);
        let root = &trace.spans[0];
        let question = Question {
            service: root.service.to_owned(),
            operation: Some(root.name.to_owned()),
            min_duration: Some(root.duration),
            error: root.is_error,
            user_id: Some(trace.user_id.clone()),
        };
        assert!(answers.find(&question, 20).contains(&trace.trace_id));
        let other_user = Question { user_id: Some("nobody".to_owned()), ..question.clone() };
        assert_eq!(answers.find(&other_user, 20), []);
        let slower = Question { min_duration: Some(DurationNs::from_secs(3600)), ..question };
        assert_eq!(answers.find(&slower, 20), []);
    }
}
