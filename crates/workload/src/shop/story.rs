//! Writes down what happens during one visit. Times run from zero; [`Story::tell`] moves them so that
//! everything is over at the given moment.

use glasshouse_model::{DurationNs, Timestamp};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use rand::Rng;
use rand::rngs::SmallRng;

use super::service::Service;
use crate::otlp::{SAMPLED, any_text, error_status, log_normal, milliseconds, random_id, text, unix_nanos};

/// A moment of the story, nanoseconds after its beginning.
pub(super) type Moment = u64;

/// What happened, with times of the calendar.
pub(super) struct Told {
    pub spans: Vec<(Service, Span)>,
    pub logs: Vec<(Service, LogRecord)>,
}

pub(super) struct Story<'a> {
    pub random: &'a mut SmallRng,
    /// Orders placed since the shop opened.
    orders: &'a mut u64,
    told: Told,
}

/// A span that goes on.
pub(super) struct Running {
    service: Service,
    pub span: Span,
}

/// How a call went.
pub(super) type Outcome = Result<(), Failure>;

/// A failure on its way up through the callers.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub kind: &'static str,
    pub message: String,
}

impl<'a> Story<'a> {
    pub fn new(random: &'a mut SmallRng, orders: &'a mut u64) -> Self {
        Self { random, orders, told: Told { spans: Vec::new(), logs: Vec::new() } }
    }

    /// Number of the next order.
    pub fn next_order(&mut self) -> u64 {
        *self.orders += 1;
        *self.orders
    }

    /// Some work that takes about so many milliseconds.
    pub fn after(&mut self, moment: Moment, median_ms: f64) -> Moment {
        moment + milliseconds(log_normal(self.random, median_ms, 0.5)).nanos() as Moment
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.random.random_bool(probability)
    }

    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.random.random_range(0..choices.len())]
    }

    /// Begins a trace of its own.
    pub fn begin(&mut self, service: Service, kind: SpanKind, name: &str, at: Moment) -> Running {
        let span = Span {
            trace_id: random_id::<16>(self.random).to_vec(),
            span_id: random_id::<8>(self.random).to_vec(),
            flags: SAMPLED,
            name: name.to_owned(),
            kind: kind as i32,
            start_time_unix_nano: at,
            ..Default::default()
        };
        Running { service, span }
    }

    /// Begins a span below another one.
    pub fn begin_below(
        &mut self,
        parent: &Running,
        service: Service,
        kind: SpanKind,
        name: &str,
        at: Moment,
    ) -> Running {
        let mut running = self.begin(service, kind, name, at);
        running.span.trace_id.clone_from(&parent.span.trace_id);
        running.span.parent_span_id.clone_from(&parent.span.span_id);
        running
    }

    /// Ends a span; a failure becomes its status.
    pub fn end(&mut self, mut running: Running, at: Moment, outcome: &Outcome) {
        running.span.end_time_unix_nano = at;
        if let Err(failure) = outcome {
            running.span.status = Some(error_status(&failure.message));
        }
        self.told.spans.push((running.service, running.span));
    }

    pub fn log(
        &mut self,
        during: &Running,
        at: Moment,
        severity: SeverityNumber,
        body: &str,
        attributes: Vec<KeyValue>,
    ) {
        let record = LogRecord {
            time_unix_nano: at,
            observed_time_unix_nano: at,
            severity_number: severity as i32,
            severity_text: severity.as_str_name().trim_start_matches("SEVERITY_NUMBER_").to_owned(),
            body: Some(any_text(body)),
            attributes,
            flags: SAMPLED,
            trace_id: during.span.trace_id.clone(),
            span_id: during.span.span_id.clone(),
            ..Default::default()
        };
        self.told.logs.push((during.service, record));
    }

    /// Moves all times so that the last span ends at `now`.
    pub fn tell(mut self, now: Timestamp) -> Told {
        let length = self.told.spans.iter().map(|(_, span)| span.end_time_unix_nano).max().unwrap_or(0);
        let beginning = unix_nanos(now - DurationNs::from_nanos(length as i64));
        for (_, span) in &mut self.told.spans {
            span.start_time_unix_nano += beginning;
            span.end_time_unix_nano += beginning;
            for event in &mut span.events {
                event.time_unix_nano += beginning;
            }
        }
        for (_, record) in &mut self.told.logs {
            record.time_unix_nano += beginning;
            record.observed_time_unix_nano += beginning;
        }
        self.told
    }
}

impl Running {
    pub fn service(&self) -> Service {
        self.service
    }

    pub fn with(mut self, attributes: impl IntoIterator<Item = KeyValue>) -> Self {
        self.span.attributes.extend(attributes);
        self
    }

    pub fn add(&mut self, attribute: KeyValue) {
        self.span.attributes.push(attribute);
    }

    pub fn event(&mut self, at: Moment, name: &str, attributes: Vec<KeyValue>) {
        let event = Event { time_unix_nano: at, name: name.to_owned(), attributes, ..Default::default() };
        self.span.events.push(event);
    }

    /// The exception event that OpenTelemetry's SDKs record.
    pub fn exception(&mut self, at: Moment, failure: &Failure, frame: &str) {
        let attributes = vec![
            text("exception.type", failure.kind),
            text("exception.message", failure.message.as_str()),
            text("exception.stacktrace", format!("{}: {}\n    at {frame}", failure.kind, failure.message)),
        ];
        self.event(at, "exception", attributes);
    }

    pub fn link_to(&mut self, other: &Running, attributes: Vec<KeyValue>) {
        self.span.links.push(Link {
            trace_id: other.span.trace_id.clone(),
            span_id: other.span.span_id.clone(),
            flags: SAMPLED,
            attributes,
            ..Default::default()
        });
    }
}
