//! SQL over HTTP: rows as JSON or as an Arrow IPC stream, computed while they are sent.

use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::record_batch::RecordBatch;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::StreamExt;
use glasshouse_api::{ErrorBody, QueryRequest, QueryResult};
use glasshouse_tables::ports::{SqlRequest, SqlStream};
use tokio::sync::OwnedSemaphorePermit;

use crate::Refusal;
use crate::body::{self, BodyLimits, Encoding};
use crate::json_rows::{columns, write_rows};
use crate::params::time_range;
use crate::state::App;

pub(crate) const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";
/// Largest request.
const MAX_REQUEST: usize = 1 << 20;
/// Bytes of an answer that are sent at once.
const CHUNK: usize = 64 << 10;

/// Answers a question in SQL.
///
/// The answer is computed while it is read; closing the connection stops the work. When it fails after it
/// has begun, the connection is aborted: an answer that ends well is whole.
#[utoipa::path(post, path = "/api/query", operation_id = "run_query", tag = "query", request_body = QueryRequest,
    responses((status = 200, description = "The rows: JSON, or an Arrow IPC stream when `Accept` asks for `application/vnd.apache.arrow.stream`",
            content((QueryResult = "application/json"), (Vec<u8> = "application/vnd.apache.arrow.stream"))),
        (status = 400, description = "The statement or the request is wrong, or needs more than one query may have", body = ErrorBody),
        (status = 415, description = "The request is not JSON", body = ErrorBody),
        (status = 429, description = "Too many queries are running; see `Retry-After`", body = ErrorBody)))]
pub(crate) async fn query(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    let request = read_request(&app, &headers, body).await?;
    let turn = app.query_turn().await?;
    let stream = app.query.query(request).await?;
    let wants_arrow = headers.get_all(ACCEPT).iter().any(|value| {
        value.to_str().is_ok_and(|value| {
            value.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == ARROW_STREAM))
        })
    });
    let (content_type, encoder) = if wants_arrow {
        (ARROW_STREAM, Encoder::arrow(&stream)?)
    } else {
        ("application/json", Encoder::json(&stream))
    };
    let mut answer = Answer { stream, encoder: Some(encoder), _turn: turn };
    // Most failures show in the first rows, while a status can still tell of them.
    let first = answer.next_chunk().await?;
    let rest = futures::stream::unfold(answer, |mut answer| async move {
        let chunk = answer.next_chunk().await.transpose()?;
        if let Err(refusal) = &chunk {
            tracing::warn!(error = refusal.message, "a query failed while its answer was being sent");
        }
        Some((chunk.map_err(|refusal| std::io::Error::other(refusal.message)), answer))
    });
    // Who compresses asks once more after the end.
    let chunks = futures::stream::iter(first.map(Ok)).chain(rest).fuse();
    Ok(([(CONTENT_TYPE, content_type)], Body::from_stream(chunks)).into_response())
}

async fn read_request(app: &App, headers: &HeaderMap, body: Body) -> Result<SqlRequest, Refusal> {
    body::require_json(headers)?;
    let limits = BodyLimits { max_body: MAX_REQUEST, ..app.body_limits.clone() };
    let received = body::read(body, Encoding::Identity, None, &limits).await?;
    let request: QueryRequest = serde_json::from_slice(&received.bytes)
        .map_err(|error| Refusal::invalid("the request is not a query").with_details(error.to_string()))?;
    if request.sql.trim().is_empty() {
        return Err(Refusal::invalid("there is no statement in sql"));
    }
    Ok(SqlRequest {
        range: time_range(("from", request.from.as_deref()), ("to", request.to.as_deref()), app.now())?,
        sql: request.sql,
        parameters: None,
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
    Arrow(Box<StreamWriter<Vec<u8>>>),
}

impl Answer {
    /// The next bytes; `None` at the end.
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, Refusal> {
        let Some(encoder) = &mut self.encoder else { return Ok(None) };
        while encoder.len() < CHUNK {
            let Some(batch) = self.stream.batches.next().await else {
                return self.encoder.take().map(Encoder::finish).transpose();
            };
            encoder.push(&batch?)?;
        }
        Ok(Some(encoder.take()))
    }
}

impl Encoder {
    fn json(stream: &SqlStream) -> Self {
        let mut out = b"{\"columns\":".to_vec();
        serde_json::to_writer(&mut out, &columns(&stream.schema)).expect("columns have string keys");
        out.extend_from_slice(b",\"rows\":[");
        Self::Json { out, is_first: true, rows: 0 }
    }

    fn arrow(stream: &SqlStream) -> Result<Self, Refusal> {
        let writer = StreamWriter::try_new(Vec::new(), &stream.schema).map_err(|error| encoding(&error))?;
        Ok(Self::Arrow(Box::new(writer)))
    }

    fn len(&self) -> usize {
        match self {
            Self::Json { out, .. } => out.len(),
            Self::Arrow(writer) => writer.get_ref().len(),
        }
    }

    fn push(&mut self, batch: &RecordBatch) -> Result<(), Refusal> {
        match self {
            Self::Json { out, is_first, rows } => {
                *rows += batch.num_rows() as u64;
                write_rows(batch, is_first, out).map_err(|error| encoding(&error))
            }
            Self::Arrow(writer) => writer.write(batch).map_err(|error| encoding(&error)),
        }
    }

    fn take(&mut self) -> Bytes {
        match self {
            Self::Json { out, .. } => std::mem::take(out).into(),
            Self::Arrow(writer) => std::mem::take(writer.get_mut()).into(),
        }
    }

    fn finish(self) -> Result<Bytes, Refusal> {
        match self {
            Self::Json { mut out, rows, .. } => {
                out.extend_from_slice(format!("],\"row_count\":{rows}}}").as_bytes());
                Ok(out.into())
            }
            Self::Arrow(mut writer) => {
                writer.finish().map_err(|error| encoding(&error))?;
                Ok(std::mem::take(writer.get_mut()).into())
            }
        }
    }
}

fn encoding(error: &ArrowError) -> Refusal {
    Refusal::internal("the rows could not be written").with_details(error.to_string())
}
