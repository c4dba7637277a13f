//! Files for other tools, made while they are sent. Closing the connection stops the work. What fails after it has begun
//! ends with an aborted connection: what ends well is whole.

use std::future::Future;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt};
use glasshouse_api::ErrorBody;
use glasshouse_model::{Kinds, Subject, TimelineRequest, TraceId};
use glasshouse_tables::ports::{ByteStream, ExportEncoding, QueryError, SpanFormat};
use tokio::sync::OwnedSemaphorePermit;

use crate::Refusal;
use crate::params::{Params, PathParam, parse_process_id, time_range};
use crate::state::App;

/// The spans of a process, with their events and links, as a file for another tool.
///
/// It is made while it is read; when it fails after it has begun, the connection is aborted: what ends well is whole.
#[utoipa::path(get, path = "/api/process/{process_id}/spans", operation_id = "process_spans", tag = "processes",
    params(("process_id" = String, Path, description = "UUID"),
        ("format" = String, Query, description = "`otlp` (one JSON object), `otlp-json` (lines of JSON), `otlp-proto`, `jaeger`, `zipkin` or `chrome`"),
        ("kinds" = Option<String>, Query, description = "Of `thread,async`: spans that tell their thread, and the others; both when not given"),
        ("begin" = Option<String>, Query, description = "Spans that ran at this time or later"),
        ("end" = Option<String>, Query, description = "Spans that started before this time"),
        ("gzip" = Option<bool>, Query, description = "Whether to compress the file")),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/json"),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
        (status = 404, description = "No such process is known", body = ErrorBody),
        (status = 429, description = "Too many exports are running; see `Retry-After`", body = ErrorBody)))]
pub(crate) async fn process_spans(
    State(app): State<App>,
    PathParam(process_id): PathParam,
    mut params: Params,
) -> Result<Response, Refusal> {
    let process_id = parse_process_id(&process_id)?;
    let format = span_format(params.text("format")?.as_deref().unwrap_or_default(), &[])?;
    spans(&app, Subject::Process(process_id), &process_id.to_string(), format, params).await
}

/// The spans of a trace as a file for another tool.
pub(crate) async fn of_trace(
    app: &App,
    trace_id: TraceId,
    format: SpanFormat,
    params: Params,
) -> Result<Response, Refusal> {
    spans(app, Subject::Trace(trace_id), &trace_id.to_string(), format, params).await
}

async fn spans(
    app: &App,
    subject: Subject,
    name: &str,
    format: SpanFormat,
    params: Params,
) -> Result<Response, Refusal> {
    let (request, encoding) = read_parameters(app, subject, params)?;
    let bytes = app.exporter.spans(request, format, encoding);
    let name = file_name(name, format.file_ending(), encoding);
    let content_type = match encoding {
        ExportEncoding::Plain => format.content_type(),
        ExportEncoding::Gzip => "application/gzip",
    };
    answer(app, request, bytes, &name, content_type).await
}

/// The format of a name; `others` exist beside the formats of spans.
pub(crate) fn span_format(name: &str, others: &[&str]) -> Result<SpanFormat, Refusal> {
    SpanFormat::from_name(name).ok_or_else(|| {
        let names = [others, &SpanFormat::ALL.map(SpanFormat::name)].concat().join(", ");
        Refusal::invalid(format!("there is no format {name:?}")).with_details(format!("{names} exist"))
    })
}

/// Sends an export, one of the few that run at once.
pub(crate) async fn answer(
    app: &App,
    request: TimelineRequest,
    bytes: impl Future<Output = Result<Option<ByteStream>, QueryError>>,
    name: &str,
    content_type: &'static str,
) -> Result<Response, Refusal> {
    let turn = app.export_turn()?;
    let bytes = bytes.await?.ok_or_else(|| unknown(request.subject))?;
    // Most failures show in the first bytes, while a status can still tell of them.
    let bytes = begun(bytes).await?;
    Ok(download(name, content_type, held(bytes, turn)))
}

/// Reads what is exported, and whether it is compressed.
pub(crate) fn read_parameters(
    app: &App,
    subject: Subject,
    mut params: Params,
) -> Result<(TimelineRequest, ExportEncoding), Refusal> {
    let (kinds, begin, end) = (params.text("kinds")?, params.text("begin")?, params.text("end")?);
    let gzip = params.flag("gzip")?.unwrap_or(false);
    params.finish()?;
    let request = request(app, subject, kinds.as_deref(), begin.as_deref(), end.as_deref())?;
    Ok((request, if gzip { ExportEncoding::Gzip } else { ExportEncoding::Plain }))
}

/// What is exported.
pub(crate) fn request(
    app: &App,
    subject: Subject,
    kinds: Option<&str>,
    begin: Option<&str>,
    end: Option<&str>,
) -> Result<TimelineRequest, Refusal> {
    let kinds =
        kinds.map_or(Ok(Kinds::ALL), str::parse).map_err(|error| Refusal::invalid(format!("kinds: {error}")))?;
    let range = time_range(("begin", begin), ("end", end), app.now())?;
    Ok(TimelineRequest { subject, kinds, range })
}

pub(crate) fn unknown(subject: Subject) -> Refusal {
    Refusal::not_found(match subject {
        Subject::Process(id) => format!("no process {id}"),
        Subject::Trace(id) => format!("no trace {id}"),
    })
}

/// Waits for the first bytes.
pub(crate) async fn begun(mut bytes: ByteStream) -> Result<ByteStream, QueryError> {
    let first = bytes.next().await.transpose()?;
    Ok(futures::stream::iter(first.map(Ok)).chain(bytes).boxed())
}

/// Gives the turn back when the last byte was sent or nobody reads any more.
pub(crate) fn held(
    bytes: impl Stream<Item = Result<Bytes, QueryError>> + Send + 'static,
    turn: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Bytes, QueryError>> + Send + 'static {
    bytes.inspect(move |_| {
        let _held = &turn;
    })
}

/// A file that is made while it is sent.
pub(crate) fn download(
    name: &str,
    content_type: &'static str,
    bytes: impl Stream<Item = Result<Bytes, QueryError>> + Send + 'static,
) -> Response {
    let bytes = bytes.map_err(std::io::Error::other);
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).expect("ids are plain text");
    let headers = [(CONTENT_TYPE, HeaderValue::from_static(content_type)), (CONTENT_DISPOSITION, disposition)];
    (headers, Body::from_stream(bytes)).into_response()
}

pub(crate) fn file_name(id: &str, ending: &str, encoding: ExportEncoding) -> String {
    match encoding {
        ExportEncoding::Plain => format!("{id}.{ending}"),
        ExportEncoding::Gzip => format!("{id}.{ending}.gz"),
    }
}
