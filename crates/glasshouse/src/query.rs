//! `glasshouse query`: SQL over a server, or straight over a data folder when no server has it.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Write};
use std::path::Path;

use clap::ArgMatches;
use clap::parser::ValueSource;
use futures::TryStreamExt as _;
use glasshouse_api::QueryRequest;
use glasshouse_model::{Clock as _, SystemClock, TimeRange, Timestamp};
use glasshouse_tables::ports::{QueryEngine as _, SqlRequest, SqlStream};
use url::Url;

use crate::cli::{OutputFormat, QueryArguments};
use crate::client::{Client, ClientError};
use crate::endpoints::{self, DEFAULT_HTTP, Endpoints};
use crate::failure::Failure;
use crate::output::{OutputError, RowWriter};
use crate::serve::LocalLake;

const WHAT: &str = "query failed";

/// Leaves one of server and folder where both are given: a flag wins over the environment, the environment over the
/// file, and otherwise the server.
pub fn choose_place(arguments: &mut QueryArguments, matches: &ArgMatches) -> Result<(), Failure> {
    let [endpoint, data_dir] = ["endpoint", "data_dir"].map(|name| matches.value_source(name));
    match endpoint.cmp(&data_dir) {
        Ordering::Equal if endpoint == Some(ValueSource::CommandLine) => {
            return Err(Failure::wrong_use("cannot use --endpoint with --data-dir", "each names what to ask"));
        }
        Ordering::Less => arguments.endpoint = None,
        Ordering::Equal | Ordering::Greater => arguments.data_dir = None,
    }
    Ok(())
}

/// Runs the command.
pub async fn run(arguments: QueryArguments) -> Result<(), Failure> {
    let range = range(&arguments)?;
    if let Some(endpoint) = &arguments.endpoint {
        let stream = remote(endpoint, &arguments).await?;
        return print(stream, &arguments).await;
    }
    let data_dir = endpoints::data_dir(arguments.data_dir.clone())?;
    if let Some(endpoint) = Endpoints::of(&data_dir).and_then(|endpoints| endpoints.http_url().parse::<Url>().ok()) {
        let stream = remote(&endpoint, &arguments).await?;
        return print(stream, &arguments).await;
    }
    if !data_dir.join("catalog.sqlite").exists() {
        let stream = without_lake(&data_dir, &arguments).await?;
        return print(stream, &arguments).await;
    }
    let lake = LocalLake::open(&data_dir).await?;
    let request = SqlRequest { sql: arguments.sql.clone(), range, limit: arguments.limit, ..Default::default() };
    let printed = match lake.engine.query(request).await {
        Ok(stream) => print(stream, &arguments).await,
        Err(error) => Err(Failure::new(WHAT, error)),
    };
    lake.close().await;
    printed
}

fn range(arguments: &QueryArguments) -> Result<TimeRange, Failure> {
    let now = SystemClock.now();
    let parse = |flag: &str, text: &Option<String>, default| match text {
        Some(text) => Timestamp::parse(text, now).map_err(|error| Failure::wrong_use(format!("wrong {flag}"), error)),
        None => Ok(default),
    };
    Ok(TimeRange {
        from: parse("--from", &arguments.from, TimeRange::ALL.from)?,
        to: parse("--to", &arguments.to, TimeRange::ALL.to)?,
    })
}

async fn remote(endpoint: &Url, arguments: &QueryArguments) -> Result<SqlStream, Failure> {
    ask(endpoint, arguments).await.map_err(|error| match error {
        ClientError::Transport(why) => {
            Failure::new(format!("cannot reach {endpoint}"), why).hint("start a server with `glasshouse serve`")
        }
        other => Failure::new(WHAT, other),
    })
}

async fn ask(endpoint: &Url, arguments: &QueryArguments) -> Result<SqlStream, ClientError> {
    let request = QueryRequest {
        sql: arguments.sql.clone(),
        from: arguments.from.clone(),
        to: arguments.to.clone(),
        limit: arguments.limit,
        snapshot: None,
    };
    Client::new(endpoint).query(&request).await
}

/// Asks the server at the usual address, which may have another folder, unless a folder was named.
async fn without_lake(data_dir: &Path, arguments: &QueryArguments) -> Result<SqlStream, Failure> {
    let no_lake = |why: &str| {
        Failure::new(format!("no lake in {}", data_dir.display()), why)
            .hint("name the folder with --data-dir or a server with --endpoint")
    };
    if arguments.data_dir.is_some() {
        return Err(no_lake("there is no catalog"));
    }
    let endpoint = Url::parse(&format!("http://{DEFAULT_HTTP}")).expect("the address is a constant");
    ask(&endpoint, arguments).await.map_err(|error| match error {
        ClientError::Transport(_) => no_lake(&format!("there is no catalog, and nothing answers at {DEFAULT_HTTP}")),
        other => Failure::new(format!("query failed at {endpoint}"), other),
    })
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
        Err(error) if !error.is_broken_pipe() => Err(Failure::new("cannot write the rows", error)),
        _ => Ok(()),
    }
}

/// The outer result is the query's, the inner one the output's.
async fn write(
    mut stream: SqlStream,
    format: OutputFormat,
    out: Box<dyn Write + Send>,
) -> Result<Result<(), OutputError>, Failure> {
    let mut writer = match RowWriter::new(format, &stream.schema, out) {
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
