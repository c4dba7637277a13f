//! Traces: search, one whole trace, its log records.

use std::convert::Infallible;
use std::io::Write;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use glasshouse_api as api;
use glasshouse_model::{AttributeFilter, SpanId, SpanKind, Trace, TraceFilter, TraceId};

use crate::Refusal;
use crate::params::{Params, PathParam};
use crate::state::App;
use crate::{exports, perfetto};

const DEFAULT_TRACES: usize = 20;
const MAX_TRACES: usize = 1_000;
const DEFAULT_LOGS: usize = 1_000;
const MAX_LOGS: usize = 10_000;
const DEFAULT_FOUND: usize = 10_000;
const MAX_FOUND: usize = 1_000_000;
/// Bytes of JSON that are sent at once.
const CHUNK: usize = 64 << 10;

/// The conditions of a search: each that is given, one span of the trace must meet all of them.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `search` takes in OpenAPI")]
pub(crate) struct SearchParams {
    /// Service of the span.
    service: Option<String>,
    /// Name of the span.
    operation: Option<String>,
    /// Kind of the span: `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`.
    kind: Option<String>,
    /// Whether the span has no parent.
    root: Option<bool>,
    /// Whether the span is a request: of kind SERVER or CONSUMER, or without a parent.
    request: Option<bool>,
    /// Words that the span's name, its service, its status message or its attributes (as `key=value`) contain, all of
    /// them, each anywhere; letter case does not matter.
    text: Option<String>,
    /// Least duration of the span: `100ms`, `1.5s`, or nanoseconds.
    min_duration: Option<String>,
    /// Greatest duration of the span.
    max_duration: Option<String>,
    /// Whether the span's status is ERROR.
    error: Option<bool>,
    /// Attribute KEY of the span, or of its resource, compared as text; may be repeated with other keys.
    #[param(rename = "attr.KEY")]
    attribute: Option<String>,
    /// Earliest start of the span: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds.
    from: Option<String>,
    /// The span starts before this time.
    to: Option<String>,
}

/// Finds traces, newest first. A trace matches when one of its spans meets every condition.
#[utoipa::path(get, path = "/v1/traces", operation_id = "find_traces", tag = "traces",
    params(SearchParams,
        ("limit" = Option<u32>, Query, description = "Most traces, 1 to 1000; 20 when not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page of traces", body = api::TraceList),
        (status = 400, description = "A parameter is wrong", body = api::ErrorBody),
        (status = 429, description = "Overloaded; see `Retry-After`", body = api::ErrorBody)))]
pub(crate) async fn find(State(app): State<App>, mut params: Params) -> Result<Json<api::TraceList>, Refusal> {
    let filter = TraceFilter {
        limit: params.limit(DEFAULT_TRACES, MAX_TRACES)?,
        cursor: params.parsed("cursor", str::parse)?,
        ..search(&mut params, &app)?
    };
    params.finish()?;
    let _turn = app.query_turn().await?;
    Ok(Json(app.traces.find_traces(&filter).await?.into()))
}

/// Takes the conditions of [`SearchParams`].
pub(crate) fn search(params: &mut Params, app: &App) -> Result<TraceFilter, Refusal> {
    let kind = |text: &str| {
        SpanKind::from_name(&text.to_uppercase()).ok_or_else(|| {
            let names: Vec<String> = SpanKind::ALL.iter().map(|kind| kind.as_str().to_lowercase()).collect();
            format!("{text:?} is none of {}", names.join(", "))
        })
    };
    let [min_duration, max_duration] = params.durations("min_duration", "max_duration")?;
    let attributes = params.prefixed("attr.").into_iter();
    Ok(TraceFilter {
        service: params.text("service")?,
        operation: params.text("operation")?,
        kind: params.parsed("kind", kind)?,
        root: params.flag("root")?,
        request: params.flag("request")?,
        text: params.text("text")?,
        min_duration,
        max_duration,
        error: params.flag("error")?,
        range: params.range(app.now())?,
        attributes: attributes.map(|(key, value)| AttributeFilter { key, value }).collect(),
        ..TraceFilter::default()
    })
}

/// The whole trace, every span with all it carries.
#[utoipa::path(get, path = "/v1/traces/{trace_id}", operation_id = "get_trace", tag = "traces",
    params(("trace_id" = String, Path, description = "32 hex digits"),
        ("format" = Option<String>, Query, description = "`otlp` (`TracesData` as JSON), `otlp-json` (as lines of JSON), `otlp-proto`, `jaeger`, `zipkin`, `chrome`, or `perfetto` with the log records"),
        ("kinds" = Option<String>, Query, description = "Of other formats: which of `thread,async,logs`; all when not given"),
        ("begin" = Option<String>, Query, description = "Of other formats: from this time on; Perfetto traces cut the spans that began before"),
        ("end" = Option<String>, Query, description = "Of other formats: before this time"),
        ("gzip" = Option<bool>, Query, description = "Of other formats: whether to compress the file")),
    responses((status = 200, description = "The trace", body = api::Trace),
        (status = 400, description = "Not a trace id, or an unknown format", body = api::ErrorBody),
        (status = 404, description = "No span of the trace is known", body = api::ErrorBody)))]
pub(crate) async fn get(
    State(app): State<App>,
    PathParam(trace_id): PathParam,
    mut params: Params,
) -> Result<Response, Refusal> {
    let trace_id = parse_trace_id(&trace_id)?;
    match params.text("format")?.as_deref() {
        None | Some("json") => {}
        Some("perfetto") => return perfetto::of_trace(&app, trace_id, params).await,
        Some(name) => {
            let format = exports::span_format(name, &["json", "perfetto"])?;
            return exports::of_trace(&app, trace_id, format, params).await;
        }
    }
    params.finish()?;
    let _turn = app.query_turn().await?;
    let trace = app.traces.trace(trace_id).await?.ok_or_else(|| unknown(trace_id))?;
    Ok(stream_trace(trace))
}

/// The shape of a trace: what is drawn of it, in columns.
#[utoipa::path(get, path = "/v1/traces/{trace_id}/outline", operation_id = "trace_outline", tag = "traces",
    params(("trace_id" = String, Path, description = "32 hex digits")),
    responses((status = 200, description = "The shape", body = api::TraceOutline),
        (status = 400, description = "Not a trace id", body = api::ErrorBody),
        (status = 404, description = "No span of the trace is known", body = api::ErrorBody)))]
pub(crate) async fn outline(
    State(app): State<App>,
    PathParam(trace_id): PathParam,
    params: Params,
) -> Result<Response, Refusal> {
    let trace_id = parse_trace_id(&trace_id)?;
    params.finish()?;
    let _turn = app.query_turn().await?;
    let outline = app.traces.outline(trace_id).await?.ok_or_else(|| unknown(trace_id))?;
    // Of a million spans, it is work for more than a moment.
    let json = tokio::task::spawn_blocking(move || {
        let mut json = Vec::new();
        write_json(&api::TraceOutline::from(outline), &mut json);
        json
    });
    let json = json.await.map_err(|panic| Refusal::internal("the outline failed").with_details(panic.to_string()))?;
    Ok(([(CONTENT_TYPE, "application/json")], json).into_response())
}

/// Finds spans within a trace.
#[utoipa::path(get, path = "/v1/traces/{trace_id}/spans", operation_id = "find_spans", tag = "traces",
    params(("trace_id" = String, Path, description = "32 hex digits"),
        ("text" = String, Query, description = "Words that the span's name, its service, its status message, its attributes (as `key=value`) or the names and attributes of its events contain, all of them, each anywhere; letter case does not matter"),
        ("limit" = Option<u32>, Query, description = "Most spans, 1 to 1000000; 10000 when not given")),
    responses((status = 200, description = "The spans; none when the trace is not known", body = api::FoundSpans),
        (status = 400, description = "A parameter is wrong", body = api::ErrorBody)))]
pub(crate) async fn spans(
    State(app): State<App>,
    PathParam(trace_id): PathParam,
    mut params: Params,
) -> Result<Json<api::FoundSpans>, Refusal> {
    let trace_id = parse_trace_id(&trace_id)?;
    let text = params.text("text")?.ok_or_else(|| Refusal::invalid("parameter text is missing"))?;
    let limit = params.limit(DEFAULT_FOUND, MAX_FOUND)?;
    params.finish()?;
    let _turn = app.query_turn().await?;
    let mut span_ids = app.traces.find_spans(trace_id, &text, limit + 1).await?;
    let more = span_ids.len() > limit;
    span_ids.truncate(limit);
    Ok(Json(api::FoundSpans { span_ids, more }))
}

/// A span of a trace with all it carries, and its process.
#[utoipa::path(get, path = "/v1/traces/{trace_id}/spans/{span_id}", operation_id = "get_span", tag = "traces",
    params(("trace_id" = String, Path, description = "32 hex digits"),
        ("span_id" = String, Path, description = "16 hex digits")),
    responses((status = 200, description = "The span", body = api::SpanDetails),
        (status = 400, description = "Not ids", body = api::ErrorBody),
        (status = 404, description = "The span is not known", body = api::ErrorBody)))]
pub(crate) async fn span(
    State(app): State<App>,
    PathParam((trace_id, span_id)): PathParam<(String, String)>,
    params: Params,
) -> Result<Json<api::SpanDetails>, Refusal> {
    let trace_id = parse_trace_id(&trace_id)?;
    let span_id: SpanId =
        span_id.parse().map_err(|error| Refusal::invalid(format!("{span_id:?} is not a span id: {error}")))?;
    params.finish()?;
    let _turn = app.query_turn().await?;
    let found = app.traces.span(trace_id, span_id).await?;
    let (span, process) = found.ok_or_else(|| Refusal::not_found(format!("no span {span_id} in trace {trace_id}")))?;
    Ok(Json(api::SpanDetails { span: span.into(), process: process.map(Into::into) }))
}

/// The log records of a trace, earliest first.
#[utoipa::path(get, path = "/v1/traces/{trace_id}/logs", operation_id = "trace_logs", tag = "traces",
    params(("trace_id" = String, Path, description = "32 hex digits"),
        ("span_id" = Option<String>, Query, description = "Only records of this span: 16 hex digits"),
        ("limit" = Option<u32>, Query, description = "Most records, 1 to 10000; 1000 when not given")),
    responses((status = 200, description = "The records; none when the trace has none", body = api::LogList),
        (status = 400, description = "A parameter is wrong", body = api::ErrorBody)))]
pub(crate) async fn logs(
    State(app): State<App>,
    PathParam(trace_id): PathParam,
    mut params: Params,
) -> Result<Json<api::LogList>, Refusal> {
    let trace_id = parse_trace_id(&trace_id)?;
    let span_id: Option<SpanId> = params.parsed("span_id", str::parse)?;
    let limit = params.limit(DEFAULT_LOGS, MAX_LOGS)?;
    params.finish()?;
    let _turn = app.query_turn().await?;
    let records = app.traces.trace_logs(trace_id, span_id, limit).await?;
    Ok(Json(api::LogList { logs: records.into_iter().map(Into::into).collect() }))
}

fn unknown(trace_id: TraceId) -> Refusal {
    Refusal::not_found(format!("no trace {trace_id}"))
}

fn parse_trace_id(text: &str) -> Result<TraceId, Refusal> {
    text.parse().map_err(|error| Refusal::invalid(format!("{text:?} is not a trace id: {error}")))
}

/// Writes the form of [`api::Trace`] piece by piece: a trace of a million spans is several hundred
/// megabytes of JSON.
fn stream_trace(trace: Trace) -> Response {
    let mut head = Vec::new();
    let processes: Vec<_> = trace.processes.into_iter().map(api::TraceProcess::from).collect();
    write!(head, "{{\"trace_id\":\"{}\",\"processes\":", trace.trace_id).expect("memory takes every byte");
    write_json(&processes, &mut head);
    head.extend_from_slice(b",\"spans\":[");

    let mut spans = trace.spans.into_iter().map(api::Span::from);
    let mut chunk = head;
    let mut is_first = true;
    let mut is_done = false;
    let chunks = std::iter::from_fn(move || {
        while !is_done && chunk.len() < CHUNK {
            let Some(span) = spans.next() else {
                chunk.extend_from_slice(b"]}");
                is_done = true;
                break;
            };
            if !std::mem::take(&mut is_first) {
                chunk.push(b',');
            }
            write_json(&span, &mut chunk);
        }
        let bytes = Bytes::from(std::mem::take(&mut chunk));
        (!bytes.is_empty()).then_some(Ok::<_, Infallible>(bytes))
    });
    ([(CONTENT_TYPE, "application/json")], Body::from_stream(futures::stream::iter(chunks))).into_response()
}

fn write_json(value: &impl serde::Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("API types have string keys, and memory takes every byte");
}
