//! What can be said on the command line. Names are a contract: scripts use them.

#![expect(clippy::doc_markdown, reason = "help is shown as it is written")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use glasshouse_model::{Kinds, ProcessId, TraceId};
use glasshouse_traces::KindRule;

use crate::endpoints::DEFAULT_HTTP;
use crate::units::{Listener, Size, address, duration};

/// Observability in one binary: spans, logs and metrics from any OpenTelemetry program, kept in an open lake.
///
/// Every flag is also an environment variable and a key of the configuration file. Flags win over the
/// environment, the environment over the file.
#[derive(Debug, Parser)]
#[command(name = "glasshouse", version, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Args)]
pub struct Global {
    /// Configuration file (TOML); a key is a flag without its dashes
    #[arg(long, global = true, value_name = "FILE", env = "GLASSHOUSE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Which log lines go to standard error: a level or a filter such as info,glasshouse_lake=debug
    #[arg(long, global = true, value_name = "FILTER", env = "GLASSHOUSE_LOG")]
    pub log: Option<String>,
    /// How log lines look
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, env = "GLASSHOUSE_LOG_FORMAT")]
    pub log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Receive telemetry, keep it and answer questions about it
    Serve(Box<ServeArguments>),
    /// Run a small simulated shop that sends its telemetry
    Demo(DemoArguments),
    /// Ask the lake in SQL
    Query(QueryArguments),
    /// Write a process, a trace or the spans of a query as a Perfetto trace, for https://ui.perfetto.dev
    Perfetto(PerfettoArguments),
    /// Write the spans of a process or a trace, or the rows of a query, for other tools
    Export(ExportArguments),
    /// Send files of spans, logs or metrics to a server: OTLP, Jaeger, Zipkin
    Import(ImportArguments),
    /// Measure ingest, storage and queries on this machine
    Bench(BenchArguments),
    /// Check a lake: files, catalog and write-ahead log
    Doctor(DoctorArguments),
    /// Flush and merge a lake until nothing is left to do, while no server runs
    Compact(CompactArguments),
    /// Print the OpenAPI description of the HTTP API
    #[command(hide = true)]
    Openapi,
}

#[derive(Debug, Args)]
pub struct ServeArguments {
    /// Folder of the lake [default: $XDG_DATA_HOME/glasshouse or ~/.local/share/glasshouse]
    #[arg(long, value_name = "DIR", env = "GLASSHOUSE_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address of web app, API and OTLP/HTTP
    #[arg(long, value_name = "ADDR", default_value = DEFAULT_HTTP, value_parser = address, env = "GLASSHOUSE_HTTP")]
    pub http: SocketAddr,
    /// Address of OTLP/gRPC, or off
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4317", env = "GLASSHOUSE_OTLP_GRPC")]
    pub otlp_grpc: Listener,
    /// Address of OTLP/HTTP on its standard port, or off
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4318", env = "GLASSHOUSE_OTLP_HTTP")]
    pub otlp_http: Listener,
    /// Address of Arrow Flight SQL, or off
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:32010", env = "GLASSHOUSE_FLIGHT_SQL")]
    pub flight_sql: Listener,
    /// Where data files go, for example s3://bucket/prefix, gs://… or az://… [default: DATA_DIR/data]
    #[arg(long, value_name = "URL", env = "GLASSHOUSE_OBJECT_STORE")]
    pub object_store: Option<url::Url>,
    /// Catalog: sqlite:PATH or postgres://USER:PASSWORD@HOST/DATABASE [default: sqlite:DATA_DIR/catalog.sqlite]
    #[arg(long, value_name = "URL", env = "GLASSHOUSE_CATALOG", hide_env_values = true)]
    pub catalog: Option<String>,
    /// Memory that the process may take
    #[arg(long, value_name = "SIZE", default_value = "512MiB", env = "GLASSHOUSE_MEMORY_LIMIT")]
    pub memory_limit: Size,
    #[command(flatten)]
    pub retention: RetentionArguments,
    /// Largest request body, after decompression
    #[arg(long, value_name = "SIZE", default_value = "64MiB", env = "GLASSHOUSE_MAX_REQUEST_SIZE")]
    pub max_request_size: Size,
    /// Longest time that a SQL query may take
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration, env = "GLASSHOUSE_QUERY_TIMEOUT")]
    pub query_timeout: Duration,
    /// Web origins that browsers may send from; * for all. May be given several times
    #[arg(long, value_name = "ORIGIN", env = "GLASSHOUSE_ALLOWED_ORIGIN", value_delimiter = ',')]
    pub allowed_origin: Vec<String>,
    /// Say of what kind traces are: KIND=KEY or KIND=KEY=VALUE for spans with an attribute, before the usual rules. May
    /// be given several times
    #[arg(long, value_name = "RULE", env = "GLASSHOUSE_TRACE_KIND", value_delimiter = ',')]
    pub trace_kind: Vec<KindRule>,
}

/// How long and how much is kept; everything, unless told otherwise.
#[derive(Debug, Args)]
pub struct RetentionArguments {
    /// Drop data older than this, for example 30d
    #[arg(long, value_name = "AGE", value_parser = duration, env = "GLASSHOUSE_RETENTION")]
    pub retention: Option<Duration>,
    /// The same for traces only
    #[arg(long, value_name = "AGE", value_parser = duration, env = "GLASSHOUSE_RETENTION_TRACES")]
    pub retention_traces: Option<Duration>,
    /// The same for logs only
    #[arg(long, value_name = "AGE", value_parser = duration, env = "GLASSHOUSE_RETENTION_LOGS")]
    pub retention_logs: Option<Duration>,
    /// The same for metrics only
    #[arg(long, value_name = "AGE", value_parser = duration, env = "GLASSHOUSE_RETENTION_METRICS")]
    pub retention_metrics: Option<Duration>,
    /// Drop the oldest traces while their files are larger than this together
    #[arg(long, value_name = "SIZE", env = "GLASSHOUSE_RETENTION_TRACES_SIZE")]
    pub retention_traces_size: Option<Size>,
    /// Drop the oldest logs while their files are larger than this together
    #[arg(long, value_name = "SIZE", env = "GLASSHOUSE_RETENTION_LOGS_SIZE")]
    pub retention_logs_size: Option<Size>,
    /// Drop the oldest metrics while their files are larger than this together
    #[arg(long, value_name = "SIZE", env = "GLASSHOUSE_RETENTION_METRICS_SIZE")]
    pub retention_metrics_size: Option<Size>,
}

#[derive(Debug, Args)]
pub struct DemoArguments {
    /// Visits of customers a second, each of them a trace
    #[arg(long, value_name = "N", default_value_t = 5.0, env = "GLASSHOUSE_TRACES_PER_SECOND")]
    pub traces_per_second: f64,
    /// Stop after this time [default: run until stopped]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, env = "GLASSHOUSE_FOR")]
    pub duration: Option<Duration>,
    /// Where to send: the base URL of any OTLP receiver [default: the local server]
    #[arg(long, value_name = "URL", env = "GLASSHOUSE_ENDPOINT")]
    pub endpoint: Option<url::Url>,
    /// How to send
    #[arg(long, value_enum, default_value_t = Protocol::Http, env = "GLASSHOUSE_PROTOCOL")]
    pub protocol: Protocol,
    /// Equal seeds make equal visits
    #[arg(long, value_name = "S", default_value_t = 1, env = "GLASSHOUSE_SEED")]
    pub seed: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// OTLP/HTTP with protobuf
    Http,
    /// OTLP/gRPC
    Grpc,
}

#[derive(Debug, Args)]
pub struct QueryArguments {
    /// One read-only statement
    pub sql: String,
    /// How the rows are printed
    #[arg(long, value_enum, default_value_t = OutputFormat::Table, env = "GLASSHOUSE_FORMAT")]
    pub format: OutputFormat,
    /// Where the rows go [default: standard output]
    #[arg(long, short, value_name = "FILE", env = "GLASSHOUSE_OUTPUT")]
    pub output: Option<PathBuf>,
    /// Only rows from this time on: RFC 3339, or relative such as -15m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, env = "GLASSHOUSE_FROM")]
    pub from: Option<String>,
    /// Only rows before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, env = "GLASSHOUSE_TO")]
    pub to: Option<String>,
    /// Most rows to print
    #[arg(long, value_name = "N", env = "GLASSHOUSE_LIMIT")]
    pub limit: Option<usize>,
    #[command(flatten)]
    pub place: PlaceArguments,
}

#[derive(Debug, Args)]
pub struct PlaceArguments {
    /// The server to ask
    #[arg(long, value_name = "URL", env = "GLASSHOUSE_ENDPOINT")]
    pub endpoint: Option<url::Url>,
    /// The lake to ask: through the server that has it, or directly when none runs [default: as for serve; when no
    /// lake is there, the server at 127.0.0.1:9090]
    #[arg(long, value_name = "DIR", env = "GLASSHOUSE_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["process", "trace", "sql"]))]
pub struct PerfettoArguments {
    /// All that a process sent: its id
    #[arg(long, value_name = "ID", env = "GLASSHOUSE_PROCESS")]
    pub process: Option<ProcessId>,
    /// A trace, with the log records of its spans: its id
    #[arg(long, value_name = "ID", env = "GLASSHOUSE_TRACE")]
    pub trace: Option<TraceId>,
    /// Spans that a query answers: rows with trace_id, span_id, name and start_time, and what else they have of the
    /// columns of spans
    #[arg(long, env = "GLASSHOUSE_SQL")]
    pub sql: Option<String>,
    /// What to show of it: thread (spans of threads), async (other spans), logs, metrics [default: all]
    #[arg(long, value_name = "KINDS", env = "GLASSHOUSE_KINDS", conflicts_with = "sql")]
    pub kinds: Option<Kinds>,
    /// From this time on: RFC 3339, or relative such as -15m; spans that began before are cut
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, env = "GLASSHOUSE_FROM")]
    pub from: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, env = "GLASSHOUSE_TO")]
    pub to: Option<String>,
    /// File to write; compressed when its name ends with .gz
    #[arg(long, short, value_name = "FILE", env = "GLASSHOUSE_OUTPUT")]
    pub output: PathBuf,
    #[command(flatten)]
    pub place: PlaceArguments,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["process", "trace", "sql"]))]
pub struct ExportArguments {
    /// What is written
    #[arg(long, value_enum, env = "GLASSHOUSE_FORMAT")]
    pub format: ExportFormat,
    /// The spans of a process: its id
    #[arg(long, value_name = "ID", env = "GLASSHOUSE_PROCESS")]
    pub process: Option<ProcessId>,
    /// The spans of a trace: its id
    #[arg(long, value_name = "ID", env = "GLASSHOUSE_TRACE")]
    pub trace: Option<TraceId>,
    /// The rows that a query answers; of parquet and csv
    #[arg(long, env = "GLASSHOUSE_SQL")]
    pub sql: Option<String>,
    /// Spans that ran at this time or later: RFC 3339, or relative such as -15m
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, env = "GLASSHOUSE_FROM")]
    pub from: Option<String>,
    /// Spans that started before this time
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, env = "GLASSHOUSE_TO")]
    pub to: Option<String>,
    /// File to write; spans are compressed when its name ends with .gz [default: standard output]
    #[arg(long, short, value_name = "FILE", env = "GLASSHOUSE_OUTPUT")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub place: PlaceArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// OTLP as lines of JSON, as OpenTelemetry's file exporter writes it
    OtlpJson,
    /// OTLP as one protobuf message (TracesData)
    OtlpProto,
    /// JSON that Jaeger's web app loads
    Jaeger,
    /// Zipkin's v2 list of spans, JSON
    Zipkin,
    /// Trace Event Format, JSON for Chrome's tracing, Perfetto, speedscope
    Chrome,
    /// Rows as a Parquet file
    Parquet,
    /// Rows as text, with commas between columns
    Csv,
}

#[derive(Debug, Args)]
pub struct ImportArguments {
    /// Files of OTLP (lines of JSON, JSON, protobuf of traces), Jaeger's or Zipkin's JSON, compressed by gzip or not;
    /// - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub place: PlaceArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// Columns side by side, for people
    Table,
    /// A JSON array of rows
    Json,
    /// Comma-separated values with a line of names
    Csv,
    /// Arrow IPC stream
    Arrow,
    /// Parquet file
    Parquet,
}

#[derive(Debug, Clone, Args)]
pub struct BenchArguments {
    /// Spans to send
    #[arg(long, value_name = "N", default_value_t = 2_000_000, env = "GLASSHOUSE_SPANS")]
    pub spans: u64,
    /// Connections that send at once
    #[arg(long, value_name = "C", default_value_t = 4, env = "GLASSHOUSE_CONNECTIONS")]
    pub connections: usize,
    /// Equal seeds send equal spans, times apart. Use another for each run against the same lake
    #[arg(long, value_name = "S", default_value_t = 1, env = "GLASSHOUSE_SEED")]
    pub seed: u64,
    /// Measure this server instead of starting one
    #[arg(long, value_name = "URL", env = "GLASSHOUSE_ENDPOINT")]
    pub endpoint: Option<url::Url>,
    /// Write the figures to this file too
    #[arg(long, value_name = "FILE", env = "GLASSHOUSE_JSON")]
    pub json: Option<PathBuf>,
    /// Send so many spans a second instead of as many as possible, and ask nothing
    #[arg(long, value_name = "N", env = "GLASSHOUSE_RATE")]
    pub rate: Option<u64>,
    /// Let one process send all spans, and measure its export as a Perfetto trace instead of asking questions
    #[arg(long, conflicts_with = "rate", env = "GLASSHOUSE_PERFETTO")]
    pub perfetto: bool,
    /// Folder in which the measured lake is made, and deleted afterwards [default: the system's for temporary files]
    #[arg(long, value_name = "DIR", env = "GLASSHOUSE_SCRATCH_DIR")]
    pub scratch_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Folder of the lake [default: as for serve]
    #[arg(long, value_name = "DIR", env = "GLASSHOUSE_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where data files are, when not in the folder
    #[arg(long, value_name = "URL", env = "GLASSHOUSE_OBJECT_STORE")]
    pub object_store: Option<url::Url>,
    /// The catalog, when not in the folder
    #[arg(long, value_name = "URL", env = "GLASSHOUSE_CATALOG", hide_env_values = true)]
    pub catalog: Option<String>,
    /// Put right what can be without losing data; the folder must not be in use
    #[arg(long, env = "GLASSHOUSE_REPAIR")]
    pub repair: bool,
}

#[derive(Debug, Args)]
pub struct CompactArguments {
    /// Folder of the lake [default: as for serve]
    #[arg(long, value_name = "DIR", env = "GLASSHOUSE_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// Where data files are, when not in the folder
    #[arg(long, value_name = "URL", env = "GLASSHOUSE_OBJECT_STORE")]
    pub object_store: Option<url::Url>,
    /// The catalog, when not in the folder
    #[arg(long, value_name = "URL", env = "GLASSHOUSE_CATALOG", hide_env_values = true)]
    pub catalog: Option<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn every_flag_is_an_environment_variable_too() {
        let command = Cli::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands() {
            for argument in sub.get_arguments().filter(|argument| argument.get_long().is_some()) {
                let variable = argument.get_env().map(|name| name.to_string_lossy().into_owned());
                let flag = argument.get_long().unwrap_or_default();
                let expected = format!("GLASSHOUSE_{}", flag.to_uppercase().replace('-', "_"));
                assert_eq!(variable, Some(expected), "{} --{flag}", sub.get_name());
            }
        }
    }
}
