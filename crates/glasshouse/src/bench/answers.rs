//! Checks answers against what was sent.

use std::collections::BTreeSet;

use arrow::array::AsArray as _;
use arrow::datatypes::Int64Type;
use futures::TryStreamExt as _;
use glasshouse_api::QueryRequest;
use glasshouse_workload::bench::{Answers, ExpectedTrace};
use serde::Deserialize;

use crate::client::Client;
use crate::failure::Failure;

/// How much the lake holds.
#[derive(Debug, Clone, Copy)]
pub struct Counts {
    spans: i64,
    /// Sum of all durations: with the count, a checksum.
    duration: i64,
    events: i64,
}

/// Asks how much the lake holds.
pub async fn count(client: &Client) -> Result<Counts, Failure> {
    Ok(Counts {
        spans: number(client, "SELECT count(*) FROM spans").await?,
        duration: number(client, "SELECT coalesce(sum(duration_ns), 0) FROM spans").await?,
        events: number(client, "SELECT count(*) FROM span_events").await?,
    })
}

async fn number(client: &Client, sql: &str) -> Result<i64, Failure> {
    let what = "cannot count what the server holds";
    let request = QueryRequest { sql: sql.to_owned(), ..Default::default() };
    let stream = client.query(&request).await.map_err(|error| Failure::new(what, error))?;
    let batches: Vec<_> = stream.batches.try_collect().await.map_err(|error| Failure::new(what, error))?;
    let column = batches.iter().find(|batch| batch.num_rows() == 1).map(|batch| batch.column(0));
    let value = column.and_then(|column| column.as_primitive_opt::<Int64Type>()).map(|column| column.value(0));
    value.ok_or_else(|| Failure::new(what, "the answer is not one number"))
}

impl Counts {
    /// Rows that were sent since `before` and are not there, or are there twice: must be 0.
    pub fn missing(&self, before: &Self, answers: &Answers) -> u64 {
        let spans = (answers.spans() as i64 - (self.spans - before.spans)).unsigned_abs();
        let events = (answers.events() as i64 - (self.events - before.events)).unsigned_abs();
        let is_same_time = self.duration - before.duration == answers.total_duration();
        spans + events + u64::from(!is_same_time)
    }
}

#[derive(Deserialize)]
struct TraceAnswer {
    spans: Vec<SpanAnswer>,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct SpanAnswer {
    span_id: String,
    service_name: String,
    name: String,
    start_time: String,
    duration_ns: String,
    status_code: String,
}

/// Whether a trace was answered as it was sent.
pub fn check_trace(body: &[u8], expected: &ExpectedTrace<'_>) -> Result<(), String> {
    let answer: TraceAnswer = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let got: BTreeSet<SpanAnswer> = answer.spans.into_iter().collect();
    let wanted = expected.spans.iter().map(|span| SpanAnswer {
        span_id: span.span_id.to_string(),
        service_name: span.service.to_owned(),
        name: span.name.to_owned(),
        start_time: span.start_time.to_string(),
        duration_ns: span.duration.to_string(),
        status_code: if span.is_error { "ERROR" } else { "UNSET" }.to_owned(),
    });
    let wanted: BTreeSet<SpanAnswer> = wanted.collect();
    match wanted.symmetric_difference(&got).next() {
        None => Ok(()),
        Some(span) => {
            Err(format!("trace {}: {} spans instead of {}, e.g. {span:?}", expected.trace_id, got.len(), wanted.len()))
        }
    }
}

#[derive(Deserialize)]
struct ListAnswer {
    traces: Vec<SummaryAnswer>,
}

#[derive(Deserialize)]
struct SummaryAnswer {
    trace_id: String,
}

/// Whether a search found these traces, in this order.
pub fn check_list(body: &[u8], expected: &[String]) -> Result<(), String> {
    let answer: ListAnswer = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let got: Vec<String> = answer.traces.into_iter().map(|trace| trace.trace_id).collect();
    if got == expected {
        return Ok(());
    }
    let wrong = got.iter().zip(expected).take_while(|(got, wanted)| got == wanted).count();
    Err(format!("{} traces instead of {}, different from number {wrong}", got.len(), expected.len()))
}

#[derive(Deserialize)]
struct RowsAnswer {
    rows: Vec<Vec<serde_json::Value>>,
}

/// Whether the rows of a SQL answer count all spans, the count being the second column.
pub fn check_total(body: &[u8], expected: u64) -> Result<(), String> {
    let answer: RowsAnswer = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let counts = answer.rows.iter().map(|row| row.get(1)?.as_str()?.parse::<u64>().ok());
    match counts.sum::<Option<u64>>() {
        Some(total) if total >= expected => Ok(()),
        other => Err(format!("counts {other:?} instead of {expected}")),
    }
}
