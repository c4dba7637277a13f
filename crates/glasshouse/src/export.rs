//! `glasshouse export`: spans, or the rows of a query, as a file for another tool.

use std::io::{IsTerminal as _, Write as _};
use std::pin::pin;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt as _, TryStreamExt as _};
use glasshouse_model::{Kinds, Subject, TimelineRequest};
use glasshouse_tables::ports::{ExportEncoding, QueryError, SpanFormat};
use indicatif::{HumanBytes, ProgressBar};

use crate::cli::{ExportArguments, ExportFormat, OutputFormat, QueryArguments};
use crate::client::{Client, ClientError, success};
use crate::draft_file::{DraftFile, Sink};
use crate::failure::Failure;
use crate::place::{self, Place};
use crate::query;
use crate::serve::{LocalLake, stop_signal};

const WHAT: &str = "nothing was exported";

type Bytestream = BoxStream<'static, Result<Bytes, Failure>>;

/// Runs the command.
pub async fn run(arguments: ExportArguments) -> Result<(), Failure> {
    let format = match arguments.format {
        ExportFormat::OtlpJson => SpanFormat::OtlpJson,
        ExportFormat::OtlpProto => SpanFormat::OtlpProto,
        ExportFormat::Jaeger => SpanFormat::Jaeger,
        ExportFormat::Zipkin => SpanFormat::Zipkin,
        ExportFormat::Chrome => SpanFormat::Chrome,
        ExportFormat::Parquet => return rows(arguments, OutputFormat::Parquet).await,
        ExportFormat::Csv => return rows(arguments, OutputFormat::Csv).await,
    };
    let subject = match (arguments.process, arguments.trace) {
        (Some(id), _) => Subject::Process(id),
        (_, Some(id)) => Subject::Trace(id),
        _ => {
            return Err(Failure::wrong_use(WHAT, format!("{} is no form of rows", format.name()))
                .hint("--sql goes with --format parquet or csv"));
        }
    };
    let range = place::range(arguments.from.as_deref(), arguments.to.as_deref())?;
    let place = Place::find(&arguments.place)?;
    let out = Out::open(&arguments, format)?;
    match &place {
        Place::Server(endpoint) | Place::UsualServer { endpoint, .. } => {
            let bytes = remote(&Client::new(endpoint), subject, format, &arguments).await;
            out.write(bytes.map_err(|error| place.failure(WHAT, &error))?).await
        }
        Place::Folder(data_dir) => {
            let lake = LocalLake::open(data_dir).await?;
            let request = TimelineRequest { subject, kinds: Kinds::ALL, range };
            let written = match lake.exporter.spans(request, format, ExportEncoding::Plain).await {
                Ok(Some(bytes)) => {
                    out.write(bytes.map_err(|error: QueryError| Failure::new(WHAT, error)).boxed()).await
                }
                Ok(None) => Err(Failure::new(WHAT, unknown(subject))),
                Err(error) => Err(Failure::new(WHAT, error)),
            };
            lake.close().await;
            written
        }
    }
}

fn unknown(subject: Subject) -> String {
    match subject {
        Subject::Process(id) => format!("no process {id}"),
        Subject::Trace(id) => format!("no trace {id}"),
    }
}

/// Rows are what `glasshouse query` writes.
async fn rows(arguments: ExportArguments, format: OutputFormat) -> Result<(), Failure> {
    let ExportArguments { process, trace, sql, from, to, output, place, .. } = arguments;
    let sql = match (process, trace) {
        (Some(id), _) => format!("SELECT * FROM process_spans('{id}')"),
        (_, Some(id)) => format!("SELECT * FROM trace_spans('{id}')"),
        _ => sql.expect("one of the three is given"),
    };
    let Some(output) = output else {
        return query::run(QueryArguments { sql, format, output: None, from, to, limit: None, place }).await;
    };
    if output.extension().is_some_and(|ending| ending == "gz") {
        return Err(Failure::wrong_use(WHAT, "rows are not compressed by gzip").hint("Parquet is compressed by itself"));
    }
    let file = DraftFile::create(&output)?;
    let draft = Some(file.draft().to_owned());
    query::run(QueryArguments { sql, format, output: draft, from, to, limit: None, place }).await?;
    file.keep()?;
    Ok(())
}

async fn remote(
    client: &Client,
    subject: Subject,
    format: SpanFormat,
    arguments: &ExportArguments,
) -> Result<Bytestream, ClientError> {
    let path = match subject {
        Subject::Process(id) => format!("/api/process/{id}/spans"),
        Subject::Trace(id) => format!("/v1/traces/{id}"),
    };
    let mut query = vec![("format", format.name())];
    let given = [("begin", &arguments.from), ("end", &arguments.to)];
    query.extend(given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?))));
    let answer = success(client.get(&path).query(&query).send().await?).await?;
    let broken = |error: reqwest::Error| Failure::new("the export broke off", ClientError::from(error));
    Ok(answer.bytes_stream().map_err(broken).boxed())
}

/// Where an export goes.
enum Out {
    File(DraftFile),
    Standard,
}

impl Out {
    fn open(arguments: &ExportArguments, format: SpanFormat) -> Result<Self, Failure> {
        match &arguments.output {
            Some(path) => Ok(Self::File(DraftFile::create(path)?)),
            None if format == SpanFormat::OtlpProto && std::io::stdout().is_terminal() => {
                Err(Failure::wrong_use("not printed", "the format is binary and the output a terminal")
                    .hint("name a file with --output"))
            }
            None => Ok(Self::Standard),
        }
    }

    /// Writes all bytes, showing how many there are.
    async fn write(self, mut bytes: Bytestream) -> Result<(), Failure> {
        let (started, mut written) = (Instant::now(), 0);
        let file = match self {
            Self::File(file) => file,
            Self::Standard => {
                let mut out = std::io::stdout().lock();
                while let Some(chunk) = bytes.try_next().await? {
                    match out.write_all(&chunk) {
                        // The reader of a pipe may go away.
                        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
                        written => written.map_err(|error| Failure::new("cannot write", error))?,
                    }
                }
                return match out.flush() {
                    Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
                    flushed => flushed.map_err(|error| Failure::new("cannot write", error)),
                };
            }
        };
        // Until here, and on standard output, a signal ends the process at once.
        let mut interrupted = pin!(stop_signal());
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(200));
        let mut out: Sink<_> = file.sink();
        loop {
            let chunk = tokio::select! {
                chunk = bytes.try_next() => chunk?,
                signal = &mut interrupted => return Err(Failure::new(WHAT, signal)),
            };
            let Some(chunk) = chunk else { break };
            written += chunk.len() as u64;
            out.write_all(&chunk).map_err(|error| file.cannot(error))?;
            bar.set_message(HumanBytes(written).to_string());
        }
        out.finish().map_err(|error| file.cannot(error))?;
        bar.finish_and_clear();
        let path = file.keep()?;
        eprintln!("{}: {} in {:.1?}", path.display(), HumanBytes(written), started.elapsed());
        Ok(())
    }
}
