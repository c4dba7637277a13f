//! The HTTP API as the command line's own commands use it.

use std::sync::Arc;

use arrow::buffer::Buffer;
use arrow::datatypes::SchemaRef;
use arrow::ipc::reader::StreamDecoder;
use arrow::record_batch::RecordBatch;
use futures::{StreamExt as _, TryStreamExt as _};
use glasshouse_api::{ErrorBody, QueryRequest};
use glasshouse_tables::ports::{QueryError, SqlStream};
use reqwest::{Response, StatusCode};
use url::Url;

use crate::failure::causes;

const ARROW_STREAM: &str = "application/vnd.apache.arrow.stream";

/// Why a request was not answered with success.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server was not reached, or the connection broke.
    #[error("{0}")]
    Transport(String),
    /// The server refused.
    #[error("{message}")]
    Refused {
        /// HTTP status.
        status: StatusCode,
        /// What the server says.
        message: String,
    },
    /// The answer is not what it should be.
    #[error("the server's answer makes no sense: {0}")]
    Answer(String),
}

impl From<reqwest::Error> for ClientError {
    fn from(error: reqwest::Error) -> Self {
        Self::Transport(causes(&error.without_url()))
    }
}

/// A server's HTTP API. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
}

impl Client {
    pub fn new(base: &Url) -> Self {
        Self { http: connections(), base: base.as_str().trim_end_matches('/').to_owned() }
    }

    /// A client of the same server that shares no connection with this one.
    pub fn another_connection(&self) -> Self {
        Self { http: connections(), base: self.base.clone() }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.get(format!("{}{path}", self.base))
    }

    pub fn post(&self, path: &str) -> reqwest::RequestBuilder {
        self.http.post(format!("{}{path}", self.base))
    }

    /// Asks in SQL; rows arrive while they are computed.
    pub async fn query(&self, request: &QueryRequest) -> Result<SqlStream, ClientError> {
        let answer = self.post("/api/query").json(request).header("accept", ARROW_STREAM).send().await?;
        decode_stream(success(answer).await?).await
    }
}

fn connections() -> reqwest::Client {
    // Servers are asked directly, never through a proxy meant for the outside world.
    reqwest::Client::builder().no_proxy().tcp_nodelay(true).build().expect("rustls has a provider")
}

/// The answer itself when it is a success, else what the server says.
pub async fn success(answer: Response) -> Result<Response, ClientError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let body = answer.bytes().await?;
    let message = match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(ErrorBody { error }) => match error.details {
            Some(details) => format!("{} ({details})", error.message),
            None => error.message,
        },
        Err(_) => format!("{status}: {}", String::from_utf8_lossy(&body[..body.len().min(500)])),
    };
    Err(ClientError::Refused { status, message })
}

/// Reads an Arrow IPC stream as it arrives; returns once the schema is known.
async fn decode_stream(answer: Response) -> Result<SqlStream, ClientError> {
    struct Reader<S> {
        bytes: S,
        decoder: StreamDecoder,
        buffer: Buffer,
    }
    impl<S: futures::Stream<Item = reqwest::Result<bytes::Bytes>> + Unpin> Reader<S> {
        /// The next batch, or with `until_schema` the moment when the schema is known.
        async fn advance(&mut self, until_schema: bool) -> Result<Option<RecordBatch>, ClientError> {
            loop {
                let decoded =
                    self.decoder.decode(&mut self.buffer).map_err(|error| ClientError::Answer(error.to_string()))?;
                if decoded.is_some() || (until_schema && self.decoder.schema().is_some()) {
                    return Ok(decoded);
                }
                match self.bytes.try_next().await? {
                    Some(bytes) => self.buffer = Buffer::from(bytes),
                    None => {
                        return match self.decoder.finish() {
                            Ok(()) => Ok(None),
                            Err(error) => Err(ClientError::Answer(error.to_string())),
                        };
                    }
                }
            }
        }
    }
    let mut reader =
        Reader { bytes: answer.bytes_stream(), decoder: StreamDecoder::new(), buffer: Buffer::from(Vec::<u8>::new()) };
    let first = reader.advance(true).await?;
    let schema: SchemaRef =
        reader.decoder.schema().ok_or_else(|| ClientError::Answer("the stream has no schema".to_owned()))?;
    let rest = futures::stream::try_unfold(reader, async |mut reader| {
        let batch = reader.advance(false).await?;
        Ok(batch.map(|batch| (batch, reader)))
    });
    let batches = futures::stream::iter(first.map(Ok))
        .chain(rest)
        .map_err(|error: ClientError| QueryError::Failed(error.to_string()))
        .boxed();
    Ok(SqlStream { schema, batches, statistics: Arc::default() })
}
