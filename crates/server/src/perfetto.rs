//! Perfetto traces of processes and traces, made while they are sent.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use glasshouse_api::{ErrorBody, PerfettoCounts, PerfettoInfo, PerfettoProgress, PerfettoRequest, PerfettoValidation};
use glasshouse_model::{ProcessId, Subject, TimelineRequest, TraceId};
use glasshouse_perfetto::Validator;
use glasshouse_tables::ports::{ExportEncoding, ExportPlan, PlanStep, QueryError};

use crate::Refusal;
use crate::body::{self, read_json};
use crate::exports::{self, begun, download, held, read_parameters, request, unknown};
use crate::params::{Params, PathParam, parse_process_id};
use crate::state::App;

const CONTENT_TYPE: &str = "application/octet-stream";
/// Largest request.
const MAX_REQUEST: usize = 64 << 10;

/// Counts what a Perfetto trace of a process would hold.
#[utoipa::path(get, path = "/api/perfetto/{process_id}/info", operation_id = "perfetto_info", tag = "perfetto",
    params(("process_id" = String, Path, description = "UUID"),
        ("kinds" = Option<String>, Query, description = "Of `thread,async,logs,metrics`, with commas; all when not given"),
        ("begin" = Option<String>, Query, description = "From this time on: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds"),
        ("end" = Option<String>, Query, description = "Before this time")),
    responses((status = 200, description = "Counts, range and estimates", body = PerfettoInfo),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
        (status = 404, description = "No such process is known", body = ErrorBody)))]
pub(crate) async fn info(
    State(app): State<App>,
    PathParam(process_id): PathParam,
    params: Params,
) -> Result<Json<PerfettoInfo>, Refusal> {
    let process_id = parse_process_id(&process_id)?;
    let (request, encoding) = read_parameters(&app, Subject::Process(process_id), params)?;
    if encoding != ExportEncoding::Plain {
        return Err(Refusal::invalid("there is no parameter \"gzip\" here"));
    }
    let _turn = app.query_turn().await?;
    let steps = app.exporter.plan(request).await?.ok_or_else(|| unknown(request.subject))?;
    let last = steps.try_fold(None, |_, step| async move { Ok(Some(step)) }).await?;
    match last {
        Some(PlanStep::Planned(plan)) => Ok(Json(describe(process_id, &plan))),
        _ => Err(Refusal::internal("the rows could not be counted")),
    }
}

/// A Perfetto trace of a process.
///
/// It is made while it is read; closing the connection stops the work. When it fails after it has begun, the
/// connection is aborted: what ends well is whole.
#[utoipa::path(get, path = "/api/perfetto/{process_id}/trace", operation_id = "perfetto_trace", tag = "perfetto",
    params(("process_id" = String, Path, description = "UUID"),
        ("kinds" = Option<String>, Query, description = "Of `thread,async,logs,metrics`, with commas; all when not given"),
        ("begin" = Option<String>, Query, description = "From this time on; spans that began before are cut"),
        ("end" = Option<String>, Query, description = "Before this time"),
        ("gzip" = Option<bool>, Query, description = "Whether to compress the file, which Perfetto opens as well")),
    responses((status = 200, description = "The trace", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
        (status = 404, description = "No such process is known", body = ErrorBody),
        (status = 429, description = "Too many exports are running; see `Retry-After`", body = ErrorBody)))]
pub(crate) async fn trace(
    State(app): State<App>,
    PathParam(process_id): PathParam,
    params: Params,
) -> Result<Response, Refusal> {
    let process_id = parse_process_id(&process_id)?;
    let (request, encoding) = read_parameters(&app, Subject::Process(process_id), params)?;
    answer(&app, &process_id.to_string(), request, encoding).await
}

/// The same with progress: lines of JSON (`progress`, then `plan`), a line `{"type":"binary_start"}`, then the bytes of
/// the trace. When it fails after that, the connection is aborted; before, a line `error` says why and is the last.
#[utoipa::path(post, path = "/api/perfetto/{process_id}/generate", operation_id = "perfetto_generate", tag = "perfetto",
    params(("process_id" = String, Path, description = "UUID")), request_body = PerfettoRequest,
    responses((status = 200, description = "Lines of `PerfettoProgress`, then the trace", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 400, description = "The request is wrong", body = ErrorBody),
        (status = 404, description = "No such process is known", body = ErrorBody),
        (status = 429, description = "Too many exports are running; see `Retry-After`", body = ErrorBody)))]
pub(crate) async fn generate(
    State(app): State<App>,
    PathParam(process_id): PathParam,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let wanted: PerfettoRequest = read_json(&headers, body, MAX_REQUEST, &app.body_limits, "that for a trace").await?;
    let process_id = parse_process_id(&process_id)?;
    let kinds = wanted.kinds.map(|kinds| kinds.join(","));
    let subject = Subject::Process(process_id);
    let request = request(&app, subject, kinds.as_deref(), wanted.begin.as_deref(), wanted.end.as_deref())?;
    let turn = app.export_turn()?;
    let steps = app.exporter.plan(request).await?.ok_or_else(|| unknown(request.subject))?;
    let lines = steps.map_ok(move |step| match step {
        PlanStep::Looked(progress, survey) => line(&PerfettoProgress::Progress {
            done: progress.done,
            total: progress.total,
            counts: PerfettoCounts::from(&survey),
        }),
        PlanStep::Planned(plan) => line(&PerfettoProgress::Plan(describe(process_id, &plan))),
    });
    let exporter = std::sync::Arc::clone(&app.exporter);
    let trace = futures::stream::once(async move {
        let gone = || QueryError::Failed(format!("process {process_id} is not known any more"));
        let trace = exporter.perfetto(request, ExportEncoding::Plain).await?.ok_or_else(gone)?;
        // What fails at once is told in words, as long as there may be words.
        let trace = begun(trace).await?;
        let start = futures::stream::iter([Ok(line(&PerfettoProgress::BinaryStart))]);
        Ok::<_, QueryError>(start.chain(trace))
    });
    let parts = lines.chain(trace.try_flatten());
    let answer = futures::stream::unfold(Some((parts.boxed(), false)), |state| async move {
        let (mut parts, has_begun) = state?;
        match parts.next().await? {
            Ok(part) => {
                let has_begun = has_begun || part == line(&PerfettoProgress::BinaryStart);
                Some((Ok(part), Some((parts, has_begun))))
            }
            Err(error) if has_begun => Some((Err(error), None)),
            // An aborted connection would take the words with it.
            Err(error) => Some((Ok(line(&PerfettoProgress::Error { message: error.to_string() })), None)),
        }
    });
    let answer = answer.fuse();
    Ok(download(&file_name(&process_id.to_string(), ExportEncoding::Plain), CONTENT_TYPE, held(answer, turn)))
}

/// Checks a Perfetto trace strictly: what Perfetto would repair or drop without a word is an error here.
#[utoipa::path(post, path = "/api/perfetto/validate", operation_id = "perfetto_validate", tag = "perfetto",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "What is in the trace, and what is wrong with it", body = PerfettoValidation),
        (status = 400, description = "These bytes are no Perfetto trace", body = ErrorBody),
        (status = 429, description = "Too many exports are running; see `Retry-After`", body = ErrorBody)))]
pub(crate) async fn validate(State(app): State<App>, body: Body) -> Result<Json<PerfettoValidation>, Refusal> {
    let _turn = app.export_turn()?;
    let mut body = body;
    let mut validator = Validator::default();
    while let Some(chunk) = body::next_data(&mut body, app.body_limits.timeout).await? {
        // Decoding takes its time: not on a thread that serves others.
        let pushed = tokio::task::spawn_blocking(move || validator.push(&chunk).map(|()| validator)).await;
        validator = pushed.map_err(|panic| Refusal::internal(panic.to_string()))?.map_err(invalid)?;
    }
    let found = validator.finish().map_err(invalid)?;
    Ok(Json(PerfettoValidation {
        is_valid: found.error_count == 0,
        packets: found.packets,
        tracks: found.tracks,
        slices: found.slices,
        open_slices: found.open_slices,
        instants: found.instants,
        counters: found.counters,
        flows: found.flows,
        flows_unchecked: found.flows_unchecked,
        errors: found.errors,
        error_count: found.error_count,
    }))
}

/// A trace as a Perfetto trace, each of its processes with its log records.
pub(crate) async fn of_trace(app: &App, trace_id: TraceId, params: Params) -> Result<Response, Refusal> {
    let (request, encoding) = read_parameters(app, Subject::Trace(trace_id), params)?;
    answer(app, &trace_id.to_string(), request, encoding).await
}

async fn answer(
    app: &App,
    name: &str,
    request: TimelineRequest,
    encoding: ExportEncoding,
) -> Result<Response, Refusal> {
    let bytes = app.exporter.perfetto(request, encoding);
    exports::answer(app, request, bytes, &file_name(name, encoding), CONTENT_TYPE).await
}

#[expect(clippy::needless_pass_by_value, reason = "it is what map_err gives")]
fn invalid(error: glasshouse_perfetto::ValidationError) -> Refusal {
    Refusal::invalid(error.to_string())
}

fn describe(process_id: ProcessId, plan: &ExportPlan) -> PerfettoInfo {
    PerfettoInfo {
        process_id,
        counts: PerfettoCounts::from(&plan.survey),
        begin: plan.survey.range.map(|(begin, _)| begin),
        end: plan.survey.range.map(|(_, end)| end),
        packets: plan.packets,
        estimated_bytes: plan.estimated_bytes,
        estimated_seconds: plan.estimated_time.as_secs_f64(),
    }
}

fn line(progress: &PerfettoProgress) -> Bytes {
    let mut line = serde_json::to_vec(progress).expect("API types have string keys");
    line.push(b'\n');
    line.into()
}

fn file_name(id: &str, encoding: ExportEncoding) -> String {
    exports::file_name(id, "pftrace", encoding)
}
