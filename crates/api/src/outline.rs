use std::collections::HashMap;
use std::fmt::Write;

use glasshouse_model as model;
use glasshouse_model::{SpanId, Timestamp, TraceId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Span, TraceProcess};

/// The shape of a trace: what a waterfall or a flame graph draws, in columns, so that a trace of a million spans is some
/// fifty megabytes. Each column has an entry for each span, in order of start, then of id. Times are numbers, for drawing:
/// beyond 2^53 ns (104 days), JavaScript rounds them; a span asked for by itself is exact.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TraceOutline {
    /// 32 lower-case hex digits.
    #[schema(value_type = String)]
    pub trace_id: TraceId,
    /// Start of the earliest span, Unix nanoseconds.
    #[schema(value_type = String)]
    pub start_time: Timestamp,
    /// Services, each once.
    pub services: Vec<String>,
    /// Names of spans and events, each once.
    pub names: Vec<String>,
    /// The spans' ids, 16 lower-case hex digits each, with nothing between them.
    pub span_ids: String,
    /// Positions of the parents: -1 for a root; from the number of spans on, positions in `missing_parents`.
    pub parents: Vec<i32>,
    /// Ids of parents that are not here, written as `span_ids` are.
    pub missing_parents: String,
    /// Starts, in nanoseconds after `start_time`.
    pub starts: Vec<i64>,
    /// Durations in nanoseconds; null for an open span.
    pub durations: Vec<Option<i64>>,
    /// Positions in `services`.
    pub span_services: Vec<u32>,
    /// Positions in `names`.
    pub span_names: Vec<u32>,
    /// The kinds, a digit each, as OTLP numbers them: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer,
    /// 5 consumer.
    pub kinds: String,
    /// The status codes, a digit each, as OTLP numbers them: 0 unset, 1 ok, 2 error.
    pub status_codes: String,
    /// What happened within the spans, in order of span, then of time.
    pub events: OutlineEvents,
}

/// Events in columns. Equal ones of a span are told once.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct OutlineEvents {
    /// Positions of the spans.
    pub spans: Vec<u32>,
    /// Times, in nanoseconds after `start_time`.
    pub times: Vec<i64>,
    /// Positions in `names`.
    pub names: Vec<u32>,
}

/// Spans that were found within a trace.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FoundSpans {
    /// Their ids, 16 lower-case hex digits each, in order of start, then of id.
    #[schema(value_type = Vec<String>)]
    pub span_ids: Vec<SpanId>,
    /// Whether there are more.
    pub more: bool,
}

/// A span and the process that sent it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SpanDetails {
    /// The span.
    pub span: Span,
    /// Its process; absent when nothing is known of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub process: Option<TraceProcess>,
}

impl From<model::TraceOutline> for TraceOutline {
    fn from(outline: model::TraceOutline) -> Self {
        let model::TraceOutline { trace_id, services, names, spans, events } = outline;
        let start_time = spans.first().map_or(Timestamp::MIN, |span| span.start_time);
        let after_start = |time: Timestamp| (time - start_time).nanos();
        let mut ids = Ids::with_capacity(spans.len());
        let positions: HashMap<SpanId, i32> = spans.iter().zip(0..).map(|(span, at)| (span.span_id, at)).collect();
        let mut missing = HashMap::new();
        let mut missing_ids = Ids::default();
        let mut parents = Vec::with_capacity(spans.len());
        for span in &spans {
            ids.push(span.span_id);
            parents.push(match span.parent_span_id {
                None => -1,
                Some(parent) => positions.get(&parent).copied().unwrap_or_else(|| {
                    let next = (spans.len() + missing.len()) as i32;
                    *missing.entry(parent).or_insert_with(|| {
                        missing_ids.push(parent);
                        next
                    })
                }),
            });
        }
        Self {
            trace_id,
            start_time,
            services,
            names,
            span_ids: ids.0,
            parents,
            missing_parents: missing_ids.0,
            starts: spans.iter().map(|span| after_start(span.start_time)).collect(),
            durations: spans.iter().map(|span| span.end_time.map(|end| (end - span.start_time).nanos())).collect(),
            span_services: spans.iter().map(|span| span.service).collect(),
            span_names: spans.iter().map(|span| span.name).collect(),
            kinds: spans.iter().map(|span| digit(span.kind as i32)).collect(),
            status_codes: spans.iter().map(|span| digit(span.status_code as i32)).collect(),
            events: OutlineEvents {
                spans: events.iter().map(|event| event.span).collect(),
                times: events.iter().map(|event| after_start(event.time)).collect(),
                names: events.iter().map(|event| event.name).collect(),
            },
        }
    }
}

/// Ids one behind the other.
#[derive(Default)]
struct Ids(String);

impl Ids {
    fn with_capacity(ids: usize) -> Self {
        Self(String::with_capacity(ids * 2 * SpanId::LEN))
    }

    fn push(&mut self, id: SpanId) {
        write!(self.0, "{id}").expect("memory takes every text");
    }
}

fn digit(number: i32) -> char {
    char::from_digit(number as u32, 10).expect("kinds and codes are fewer than ten")
}

#[cfg(test)]
mod tests {
    use glasshouse_model::{OutlineEvent, OutlineSpan, SpanKind, StatusCode};

    use super::*;

    #[test]
    fn parents_that_are_missing_stand_behind_the_spans() {
        let id = |number: u8| SpanId::from_slice(&[number; 8]).expect("not zero");
        let at = Timestamp::from_nanos;
        let span = |number, parent: Option<u8>, start, end: Option<i64>| OutlineSpan {
            span_id: id(number),
            parent_span_id: parent.map(id),
            start_time: at(start),
            end_time: end.map(at),
            service: 0,
            name: 1,
            kind: SpanKind::Client,
            status_code: StatusCode::Error,
        };
        let outline = TraceOutline::from(model::TraceOutline {
            trace_id: TraceId::from_slice(&[1; 16]).expect("not zero"),
            services: vec!["shop".to_owned()],
            names: vec!["retry".to_owned(), "pay".to_owned()],
            spans: vec![span(1, None, 100, None), span(2, Some(9), 110, Some(150)), span(3, Some(1), 120, Some(119))],
            events: vec![OutlineEvent { span: 1, time: at(130), name: 0 }],
        });
        assert_eq!(outline.parents, [-1, 3, 0]);
        assert_eq!((&*outline.missing_parents, outline.span_ids.len()), ("0909090909090909", 48));
        assert_eq!((&outline.starts[..], &outline.durations[..]), (&[0, 10, 20][..], &[None, Some(40), Some(-1)][..]));
        assert_eq!((&*outline.kinds, &*outline.status_codes), ("333", "222"));
        assert_eq!((&outline.events.spans[..], &outline.events.times[..]), (&[1][..], &[30][..]));
    }
}
