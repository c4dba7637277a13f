//! The workload that `docs/performance.md` measures with: 20 services of 3 instances and 200
//! operations, traces of 8 to 40 spans in trees up to 9 deep, 8 to 12 attributes a span, 1 % errors,
//! 5 % of spans with events, durations log-normal with a rare tail. Spans come as a collector sends
//! them: in the order in which they end, a request holding the spans of all processes.

mod answers;
mod attributes;
mod landscape;
mod trace;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use bytes::Bytes;
use glasshouse_model::{DurationNs, Timestamp};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

pub use answers::{Answers, ExpectedSpan, ExpectedTrace, Question};
use landscape::Landscape;
use trace::MadeSpan;

/// What to generate.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// Spans in all.
    pub spans: u64,
    /// Equal seeds give equal requests, times apart from `from`.
    pub seed: u64,
    /// Start of the first trace.
    pub from: Timestamp,
    /// Time over which the traces start.
    pub over: DurationNs,
    /// Spans in a request.
    pub spans_per_request: usize,
    /// Whether one process sends all spans, instead of the instances of all services.
    pub one_process: bool,
}

/// An encoded `ExportTraceServiceRequest`.
#[derive(Debug, Clone)]
pub struct Request {
    /// Protobuf bytes.
    pub body: Bytes,
    /// Spans in it.
    pub spans: usize,
}

/// Makes the requests one after the other. When it has ended, [`Generator::into_answers`] tells what a
/// server that received them all must answer.
pub struct Generator {
    config: Config,
    random: SmallRng,
    landscape: Landscape,
    resources: Vec<Resource>,
    /// Spans that have not ended at the time of the trace made last.
    running: BinaryHeap<Reverse<Running>>,
    answers: Answers,
    made: u64,
    sequence: u64,
}

struct Running {
    end: u64,
    /// Breaks ties, so that the order is the same in every run.
    sequence: u64,
    span: MadeSpan,
}

impl PartialEq for Running {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Running {}
impl PartialOrd for Running {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Running {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.end, self.sequence).cmp(&(other.end, other.sequence))
    }
}

impl Generator {
    /// A generator at its beginning.
    pub fn new(config: Config) -> Self {
        let mut random = SmallRng::seed_from_u64(config.seed);
        let landscape = Landscape::new();
        let resources = Landscape::resources(&mut random);
        Self {
            config,
            random,
            resources,
            running: BinaryHeap::new(),
            answers: Answers::new(landscape.operation_names()),
            landscape,
            made: 0,
            sequence: 0,
        }
    }

    /// The right answers about everything generated so far.
    pub fn into_answers(self) -> Answers {
        self.answers
    }

    /// Start of the next trace, without its jitter.
    fn clock(&self) -> Timestamp {
        let progress = self.made as f64 / self.config.spans as f64;
        self.config.from + DurationNs::from_nanos((self.config.over.nanos() as f64 * progress) as i64)
    }

    fn make_trace(&mut self) {
        let left = self.config.spans - self.made;
        let size = trace_size(self.random.random_range(trace::MIN_SPANS..=trace::MAX_SPANS), left);
        let gap = self.config.over.nanos() as f64 * size as f64 / self.config.spans as f64;
        let start = self.clock() + DurationNs::from_nanos((self.random.random::<f64>() * gap) as i64);
        let spans = trace::make(&self.landscape, &mut self.random, start, size as usize);
        self.made += spans.len() as u64;
        self.answers.add(&spans);
        for mut span in spans {
            if self.config.one_process {
                span.process = 0;
            }
            self.sequence += 1;
            self.running.push(Reverse(Running { end: span.span.end_time_unix_nano, sequence: self.sequence, span }));
        }
    }

    /// The next span to end, once no later trace can end one before it.
    fn next_ended(&mut self) -> Option<MadeSpan> {
        while self.made < self.config.spans {
            let now = crate::otlp::unix_nanos(self.clock());
            if self.running.peek().is_some_and(|next| next.0.end <= now) {
                break;
            }
            self.make_trace();
        }
        self.running.pop().map(|next| next.0.span)
    }
}

/// The wanted size, changed so that the traces that follow can make up the spans that are left.
fn trace_size(wanted: u64, left: u64) -> u64 {
    if left <= trace::MAX_SPANS { left } else { wanted.min(left - trace::MIN_SPANS) }
}

impl Iterator for Generator {
    type Item = Request;

    fn next(&mut self) -> Option<Request> {
        let mut processes: Vec<Vec<Span>> = vec![Vec::new(); self.resources.len()];
        let mut spans = 0;
        while spans < self.config.spans_per_request {
            let Some(made) = self.next_ended() else { break };
            processes[made.process].push(made.span);
            spans += 1;
        }
        let resource_spans = processes
            .into_iter()
            .zip(&self.resources)
            .filter(|(spans, _)| !spans.is_empty())
            .map(|(spans, resource)| ResourceSpans {
                resource: Some(resource.clone()),
                scope_spans: vec![ScopeSpans {
                    scope: Some(crate::otlp::scope("glasshouse.bench", "1.0.0")),
                    spans,
                    ..Default::default()
                }],
                ..Default::default()
            })
            .collect();
        let request = ExportTraceServiceRequest { resource_spans };
        (spans > 0).then(|| Request { body: request.encode_to_vec().into(), spans })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;

    fn config(spans: u64) -> Config {
        Config {
            spans,
            seed: 7,
            from: Timestamp::from_nanos(1_700_000_000_000_000_000),
            over: DurationNs::from_secs(60),
            spans_per_request: 1000,
            one_process: false,
        }
    }

    fn decode(requests: &[Request]) -> Vec<Span> {
        let decode = |request: &Request| ExportTraceServiceRequest::decode(request.body.clone()).unwrap();
        let spans = requests.iter().flat_map(|request| decode(request).resource_spans);
        spans.flat_map(|r| r.scope_spans).flat_map(|s| s.spans).collect()
    }

    #[test]
    fn the_workload_is_what_performance_md_says() {
        let mut generator = Generator::new(config(50_000));
        let requests: Vec<Request> = generator.by_ref().collect();
        let bytes: usize = requests.iter().map(|request| request.body.len()).sum();
        let per_span = bytes as f64 / 50_000.0;
        assert!((490.0..530.0).contains(&per_span), "{per_span} bytes a span on the wire");
        assert!(requests.iter().all(|request| request.spans == 1000));

        let spans = decode(&requests);
        assert_eq!(spans.len(), 50_000);
        let ids: HashSet<_> = spans.iter().map(|span| &span.span_id).collect();
        assert_eq!(ids.len(), 50_000, "span ids are unique");
        let attributes: HashSet<_> = spans.iter().map(|span| span.attributes.len()).collect();
        assert!(attributes.iter().all(|count| (8..=12).contains(count)), "{attributes:?} attributes");
        let share = |test: fn(&Span) -> bool| spans.iter().filter(|s| test(s)).count() as f64 / 50_000.0;
        let errors = share(|s| s.status.as_ref().is_some_and(|status| status.code == 2));
        assert!((0.008..0.012).contains(&errors), "{errors} errors");
        let events = share(|s| !s.events.is_empty());
        assert!((0.045..0.055).contains(&events), "{events} with events");
        let slow = share(|s| s.end_time_unix_nano - s.start_time_unix_nano > 1_000_000_000);
        assert!((0.0002..0.02).contains(&slow), "{slow} slower than a second");

        let mut traces: HashMap<&[u8], Vec<&Span>> = HashMap::new();
        for span in &spans {
            traces.entry(&span.trace_id).or_default().push(span);
        }
        let mut deepest = 0;
        for spans in traces.values() {
            assert!((8..=40).contains(&spans.len()), "a trace of {} spans", spans.len());
            let parents: HashMap<&[u8], &[u8]> =
                spans.iter().map(|s| (s.span_id.as_slice(), s.parent_span_id.as_slice())).collect();
            let depth = |id: &[u8]| {
                let ancestors =
                    std::iter::successors(Some(id), |id| parents.get(id).copied().filter(|p| !p.is_empty()));
                ancestors.count()
            };
            deepest = deepest.max(spans.iter().map(|s| depth(&s.span_id)).max().unwrap());
        }
        assert_eq!(deepest, 9);
    }

    #[test]
    fn requests_are_in_order_of_time_and_deterministic() {
        let first: Vec<Request> = Generator::new(config(5_000)).collect();
        let second: Vec<Request> = Generator::new(config(5_000)).collect();
        assert!(first.iter().zip(&second).all(|(a, b)| a.body == b.body));
        let ends: Vec<(u64, u64)> = first
            .iter()
            .map(|request| decode(std::slice::from_ref(request)))
            .map(|spans| {
                spans.iter().map(|s| s.end_time_unix_nano).fold((u64::MAX, 0), |r, t| (r.0.min(t), r.1.max(t)))
            })
            .collect();
        assert!(ends.windows(2).all(|pair| pair[0].1 <= pair[1].0), "a request begins where the last one ended");
    }

    #[test]
    fn all_spans_are_made_however_few() {
        for spans in [1, 8, 41, 47, 1001] {
            let made: usize = Generator::new(config(spans)).map(|request| request.spans).sum();
            assert_eq!(made as u64, spans);
        }
    }
}
