//! SQL over HTTP: rows as JSON, as an Arrow IPC stream or as a file, computed while they are sent.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use arrow::record_batch::RecordBatch;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use glasshouse_api::{ErrorBody, QueryRequest, QueryResult, QueryStatistics};
use glasshouse_formats::{RowFormat, RowWriter};
use glasshouse_model::DurationNs;
use glasshouse_tables::ports::{QueryError, SqlRequest, SqlStatistics, SqlStream};
use tokio::sync::OwnedSemaphorePermit;

use crate::Refusal;
use crate::body::read_json;
use crate::exports::download;
use crate::json_rows::{columns, write_rows};
use crate::params::{Params, time_range};
use crate::sql::named_parameters;
use crate::state::App;

/// Largest request.
const MAX_REQUEST: usize = 1 << 20;
/// Bytes of an answer that are sent at once.
const CHUNK: usize = 64 << 10;

/// Answers a question in SQL.
///
/// The answer is computed while it is read; closing the connection stops the work. When it fails after it
/// has begun, the connection is aborted: an answer that ends well is whole.
#[utoipa::path(post, path = "/api/query", operation_id = "run_query", tag = "query", request_body = QueryRequest,
    responses((status = 200, description = "The rows: JSON, or what `Accept` asks for: an Arrow IPC stream (`application/vnd.apache.arrow.stream`), Parquet (`application/vnd.apache.parquet`) or CSV (`text/csv`)",
            content((QueryResult = "application/json"), (Vec<u8> = "application/vnd.apache.arrow.stream"))),
        (status = 400, description = "The statement or the request is wrong, or needs more than one query may have", body = ErrorBody),
        (status = 415, description = "The request is not JSON", body = ErrorBody),
        (status = 429, description = "Too many queries are running; see `Retry-After`", body = ErrorBody)))]
pub(crate) async fn query(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    let request = read_request(&app, &headers, body).await?;
    let format = wanted(&headers);
    let content_type = format.map_or("application/json", RowFormat::content_type);
    let chunks = answer(&app, request, format).await?;
    let chunks = chunks.map(|chunk| chunk.map_err(std::io::Error::other));
    Ok(([(CONTENT_TYPE, HeaderValue::from_static(content_type))], Body::from_stream(chunks)).into_response())
}

/// Answers a question in SQL as a file.
///
/// As `POST /api/query`, for links and downloads.
#[utoipa::path(get, path = "/api/query", operation_id = "download_query", tag = "query",
    params(("sql" = String, Query, description = "One read-only statement"),
        ("format" = String, Query, description = "`csv`, `json` (one array of objects), `parquet` or `arrow` (an IPC stream)"),
        ("from" = Option<String>, Query, description = "Only rows from this time on are read"),
        ("to" = Option<String>, Query, description = "Only rows before this time are read"),
        ("limit" = Option<u32>, Query, description = "Most rows to answer"),
        ("param.NAME" = Option<String>, Query, description = "Text that `$NAME` stands for")),
    responses((status = 200, description = "The file", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 400, description = "A parameter or the statement is wrong, or it needs more than one query may have", body = ErrorBody),
        (status = 429, description = "Too many queries are running; see `Retry-After`", body = ErrorBody)))]
pub(crate) async fn file(State(app): State<App>, headers: HeaderMap, mut params: Params) -> Result<Response, Refusal> {
    check_site(&headers)?;
    let sql = params.text("sql")?.ok_or_else(|| Refusal::invalid("there is no statement in sql"))?;
    let format = params.text("format")?.unwrap_or_default();
    let format = RowFormat::from_name(&format).ok_or_else(|| {
        let names = RowFormat::ALL.map(RowFormat::name).join(", ");
        Refusal::invalid(format!("there is no format {format:?}")).with_details(format!("{names} exist"))
    })?;
    let range = params.range(app.now())?;
    let limit = params.parsed("limit", str::parse)?;
    let mut values = BTreeMap::new();
    for (name, text) in params.prefixed("param.") {
        if values.insert(name.clone(), text.into()).is_some() {
            return Err(Refusal::invalid(format!("parameter param.{name} is given twice")));
        }
    }
    params.finish()?;
    let request = SqlRequest { sql, parameters: named_parameters(&values)?, range, limit, snapshot: None };
    let chunks = answer(&app, request, Some(format)).await?;
    Ok(download(&format!("query.{}", format.name()), format.content_type(), chunks))
}

/// Refuses what a page of another site made a browser ask: unlike a POST of JSON, a link or a picture needs no leave to do it.
fn check_site(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get("sec-fetch-site").map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(Refusal::forbidden("another site may not ask this")),
    }
}

/// The format that is asked for; `None` for our own JSON.
fn wanted(headers: &HeaderMap) -> Option<RowFormat> {
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let kinds = values.flat_map(|value| value.split(',')).filter_map(|kind| kind.split(';').next()).map(str::trim);
    let of_kind = |kind: &str| {
        let is = |format: &RowFormat| format.content_type().split(';').next() == Some(kind);
        [RowFormat::Arrow, RowFormat::Parquet, RowFormat::Csv].into_iter().find(is)
    };
    kinds.into_iter().find_map(of_kind)
}

/// The bytes of an answer, once its beginning is known to be well.
async fn answer(
    app: &App,
    request: SqlRequest,
    format: Option<RowFormat>,
) -> Result<impl Stream<Item = Result<Bytes, QueryError>> + Send + use<>, Refusal> {
    let turn = app.query_turn().await?;
    let stream = app.query.query(request).await?;
    let encoder = match format {
        None => Encoder::json(&stream),
        Some(format) => Encoder::file(format, &stream)?,
    };
    let mut answer = Answer { stream, encoder: Some(encoder), _turn: turn };
    // Most failures show in the first rows, while a status can still tell of them.
    let first = answer.next_chunk().await?;
    let rest = futures::stream::unfold(answer, |mut answer| async move {
        let chunk = answer.next_chunk().await.transpose()?;
        if let Err(refusal) = &chunk {
            tracing::warn!(error = refusal.message, "a query failed while its answer was being sent");
        }
        Some((chunk.map_err(|refusal| QueryError::Failed(refusal.message)), answer))
    });
    // Who compresses asks once more after the end.
    Ok(futures::stream::iter(first.map(Ok)).chain(rest).fuse())
}

async fn read_request(app: &App, headers: &HeaderMap, body: Body) -> Result<SqlRequest, Refusal> {
    let request: QueryRequest = read_json(headers, body, MAX_REQUEST, &app.body_limits, "a query").await?;
    if request.sql.trim().is_empty() {
        return Err(Refusal::invalid("there is no statement in sql"));
    }
    Ok(SqlRequest {
        range: time_range(("from", request.from.as_deref()), ("to", request.to.as_deref()), app.now())?,
        sql: request.sql,
        parameters: named_parameters(&request.parameters)?,
        limit: request.limit,
        snapshot: request.snapshot,
    })
}

/// An answer on its way.
struct Answer {
    stream: SqlStream,
    /// `None` when the end is written.
    encoder: Option<Encoder>,
    _turn: OwnedSemaphorePermit,
}

enum Encoder {
    Json { out: Vec<u8>, is_first: bool, rows: u64 },
    File { writer: Box<RowWriter<Outbox>>, out: Outbox },
}

/// What was written and not sent yet.
#[derive(Debug, Clone, Default)]
struct Outbox(Arc<Mutex<Vec<u8>>>);

impl Outbox {
    fn with<T>(&self, then: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        then(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Outbox {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.with(|out| out.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Answer {
    /// The next bytes; `None` at the end.
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, Refusal> {
        while let Some(encoder) = &mut self.encoder {
            if encoder.len() >= CHUNK {
                return Ok(Some(encoder.take()));
            }
            let batch = self.stream.batches.next().await.transpose()?;
            let Some(mut encoder) = self.encoder.take() else { break };
            let statistics = self.stream.statistics.get().copied();
            // It takes its time: not on a thread that serves others.
            let encoded = tokio::task::spawn_blocking(move || match batch {
                Some(batch) => encoder.push(&batch).map(|()| (Some(encoder), None)),
                None => encoder.finish(statistics).map(|end| (None, Some(end))),
            });
            let (encoder, end) = encoded.await.map_err(|panic| Refusal::internal(panic.to_string()))??;
            self.encoder = encoder;
            if end.is_some() {
                return Ok(end);
            }
        }
        Ok(None)
    }
}

impl Encoder {
    fn json(stream: &SqlStream) -> Self {
        let mut out = b"{\"columns\":".to_vec();
        serde_json::to_writer(&mut out, &columns(&stream.schema)).expect("columns have string keys");
        out.extend_from_slice(b",\"rows\":[");
        Self::Json { out, is_first: true, rows: 0 }
    }

    fn file(format: RowFormat, stream: &SqlStream) -> Result<Self, Refusal> {
        let out = Outbox::default();
        let writer = RowWriter::new(format, &stream.schema, out.clone()).map_err(unwritable)?;
        Ok(Self::File { writer: Box::new(writer), out })
    }

    fn len(&self) -> usize {
        match self {
            Self::Json { out, .. } => out.len(),
            Self::File { out, .. } => out.with(|out| out.len()),
        }
    }

    fn push(&mut self, batch: &RecordBatch) -> Result<(), Refusal> {
        match self {
            Self::Json { out, is_first, rows } => {
                *rows += batch.num_rows() as u64;
                write_rows(batch, is_first, out).map_err(unwritable)
            }
            Self::File { writer, .. } => writer.write(batch).map_err(unwritable),
        }
    }

    fn take(&mut self) -> Bytes {
        match self {
            Self::Json { out, .. } => std::mem::take(out).into(),
            Self::File { out, .. } => out.with(std::mem::take).into(),
        }
    }

    fn finish(self, statistics: Option<SqlStatistics>) -> Result<Bytes, Refusal> {
        match self {
            Self::Json { mut out, rows, .. } => {
                out.extend_from_slice(format!("],\"row_count\":{rows}").as_bytes());
                if let Some(statistics) = statistics.map(api_statistics) {
                    out.extend_from_slice(b",\"statistics\":");
                    serde_json::to_writer(&mut out, &statistics).expect("statistics have string keys");
                }
                out.push(b'}');
                Ok(out.into())
            }
            Self::File { writer, out } => {
                writer.finish().map_err(unwritable)?;
                Ok(out.with(std::mem::take).into())
            }
        }
    }
}

fn api_statistics(statistics: SqlStatistics) -> QueryStatistics {
    let nanos =
        |duration: std::time::Duration| DurationNs::from_nanos(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX));
    QueryStatistics {
        planning_ns: nanos(statistics.planning),
        elapsed_ns: nanos(statistics.elapsed),
        rows_read: statistics.rows_read,
        bytes_read: statistics.bytes_read,
        files_read: statistics.files_read,
        files_skipped: statistics.files_skipped,
        peak_memory: statistics.peak_memory,
        spilled_bytes: statistics.spilled_bytes,
    }
}

fn unwritable(error: impl std::fmt::Display) -> Refusal {
    Refusal::internal("the rows could not be written").with_details(error.to_string())
}
