//! `glasshouse query`: SQL over a server, or straight over a data folder when no server has it.

use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Write};

use futures::TryStreamExt as _;
use glasshouse_api::QueryRequest;
use glasshouse_formats::RowWriteError;
use glasshouse_tables::ports::{QueryEngine as _, SqlRequest, SqlStream};

use crate::cli::{OutputFormat, QueryArguments};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Output, is_broken_pipe};
use crate::place::{self, Place};
use crate::serve::LocalLake;

const WHAT: &str = "query failed";

/// Runs the command.
pub async fn run(arguments: QueryArguments) -> Result<(), Failure> {
    let range = place::range(arguments.from.as_deref(), arguments.to.as_deref())?;
    let place = Place::find(&arguments.place)?;
    match &place {
        Place::Server(endpoint) | Place::UsualServer { endpoint, .. } => {
            let request = QueryRequest {
                sql: arguments.sql.clone(),
                from: arguments.from.clone(),
                to: arguments.to.clone(),
                limit: arguments.limit,
                ..QueryRequest::default()
            };
            let stream = Client::new(endpoint).query(&request).await;
            print(stream.map_err(|error| place.failure(WHAT, &error))?, &arguments).await
        }
        Place::Folder(data_dir) => {
            let lake = LocalLake::open(data_dir).await?;
            let request =
                SqlRequest { sql: arguments.sql.clone(), range, limit: arguments.limit, ..Default::default() };
            let printed = match lake.engine.query(request).await {
                Ok(stream) => print(stream, &arguments).await,
                Err(error) => Err(Failure::new(WHAT, error)),
            };
            lake.close().await;
            printed
        }
    }
}

async fn print(stream: SqlStream, arguments: &QueryArguments) -> Result<(), Failure> {
    let binary = matches!(arguments.format, OutputFormat::Arrow | OutputFormat::Parquet);
    let out: Box<dyn Write + Send> = match &arguments.output {
        Some(path) => {
            let cannot = |error| Failure::new(format!("cannot write {}", path.display()), error);
            Box::new(BufWriter::new(File::create(path).map_err(cannot)?))
        }
        None if binary && std::io::stdout().is_terminal() => {
            return Err(Failure::wrong_use("not printed", "the format is binary and the output a terminal")
                .hint("name a file with --output"));
        }
        None => Box::new(BufWriter::new(std::io::stdout())),
    };
    match write(stream, arguments.format, out).await? {
        Err(error) if !is_broken_pipe(&error) => Err(Failure::new("cannot write the rows", error)),
        _ => Ok(()),
    }
}

/// The outer result is the query's, the inner one the output's.
async fn write(
    mut stream: SqlStream,
    format: OutputFormat,
    out: Box<dyn Write + Send>,
) -> Result<Result<(), RowWriteError>, Failure> {
    let mut writer = match Output::new(format, &stream.schema, out) {
        Ok(writer) => writer,
        Err(error) => return Ok(Err(error)),
    };
    while let Some(batch) = stream.batches.try_next().await.map_err(|error| Failure::new(WHAT, error))? {
        if let Err(error) = writer.write(batch) {
            return Ok(Err(error));
        }
    }
    Ok(writer.finish())
}
