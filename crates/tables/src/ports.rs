//! The ports: what the parts of Glasshouse ask of each other, in Arrow batches and plain types.
//! `server` knows only these, so it is built and tested without a lake or a query engine.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use glasshouse_model::{
    AttributeSurvey, Differences, FlameChart, Heatmap, LogRecord, ServiceMap, Span, SpanId, SpanSelection, SpanSeries,
    Survey, SurveyProgress, TimeRange, TimelineRequest, Timestamp, Trace, TraceFilter, TraceId, TraceOutline,
    TracePage, TraceProcess,
};
use uuid::Uuid;

use crate::Batches;

/// What the bytes of a request are. The numbers are written to the WAL: never reuse one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names say it")]
pub enum WireFormat {
    OtlpTracesProtobuf = 1,
    OtlpLogsProtobuf = 2,
    OtlpMetricsProtobuf = 3,
    OtlpTracesJson = 4,
    OtlpLogsJson = 5,
    OtlpMetricsJson = 6,
    NativeSpansJson = 7,
    ZipkinV2Json = 8,
}

impl WireFormat {
    /// Every format.
    pub const ALL: [Self; 8] = [
        Self::OtlpTracesProtobuf,
        Self::OtlpLogsProtobuf,
        Self::OtlpMetricsProtobuf,
        Self::OtlpTracesJson,
        Self::OtlpLogsJson,
        Self::OtlpMetricsJson,
        Self::NativeSpansJson,
        Self::ZipkinV2Json,
    ];

    /// The format of a number from the WAL.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|format| *format as u8 == number)
    }
}

/// An item of a request that was refused while the others were kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Position among the request's spans, log records or data points, counted from zero.
    pub index: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// A decoded request.
#[derive(Debug, Clone, Default)]
pub struct Decoded {
    /// The rows to keep.
    pub batches: Batches,
    /// Spans, log records or data points among them.
    pub accepted: usize,
    /// The items to refuse. At most [`Decoded::MAX_REASONS`] are listed; `rejected` counts them all.
    pub rejections: Vec<Rejection>,
    /// How many items are refused.
    pub rejected: usize,
}

impl Decoded {
    /// Rejections that a decoder lists.
    pub const MAX_REASONS: usize = 100;
}

/// The bytes are not what they should be: nothing of the request is kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at {place}")]
pub struct DecodeError {
    /// What is wrong.
    pub what: String,
    /// Where: a byte offset, or a path such as `resourceSpans[0].scopeSpans[1].spans[2].traceId`.
    pub place: String,
}

/// Turns wire bytes into rows. Pure: the same bytes and time give the same rows, which is what makes
/// WAL replay exact.
pub trait Decoder: Send + Sync {
    /// Decodes a request that was received at `received`.
    fn decode(&self, format: WireFormat, body: &[u8], received: Timestamp) -> Result<Decoded, DecodeError>;
}

/// A decoded request on its way into the lake.
#[derive(Debug, Clone)]
pub struct Submission {
    /// What `body` is.
    pub format: WireFormat,
    /// The accepted bytes, uncompressed: they go to the WAL as they are.
    pub body: Bytes,
    /// When the request arrived; becomes `ingest_time`.
    pub received: Timestamp,
    /// The rows that `body` decodes to.
    pub batches: Batches,
}

/// Why a submission was refused. Nothing of it was kept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// The memory budget is used up; the sender should come back.
    #[error("overloaded: {reason}")]
    Overloaded {
        /// What is full.
        reason: String,
        /// When to try again.
        retry_after: Duration,
    },
    /// The request alone is larger than the memory for requests; sending it again cannot help.
    #[error("request too large: {0}")]
    TooLarge(String),
    /// The lake cannot keep data at present (disk full, shutting down).
    #[error("cannot keep data: {0}")]
    Unavailable(String),
}

/// Where accepted rows go.
#[async_trait]
pub trait Ingest: Send + Sync {
    /// Keeps the rows. When this returns `Ok`, they are durable and the next query sees them.
    async fn submit(&self, submission: Submission) -> Result<(), SubmitError>;
}

/// Why a question to the store was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// The question is wrong: syntax, unknown names, a statement that is not allowed.
    #[error("{0}")]
    Invalid(String),
    /// The question needs more memory, rows or time than it may have.
    #[error("{0}")]
    Limit(String),
    /// Too much is being done already: it may be asked again a little later.
    #[error("{0}")]
    Busy(String),
    /// The store could not be read.
    #[error("{0}")]
    Failed(String),
}

/// A question in SQL.
#[derive(Debug, Clone, Default)]
pub struct SqlRequest {
    /// One read-only statement.
    pub sql: String,
    /// Values of `$1`, `$2`, …: one row, one column each. A column called `$name` is the value of that name, unless
    /// the name is a number.
    pub parameters: Option<RecordBatch>,
    /// Only rows of this time are read, whatever the SQL says.
    pub range: TimeRange,
    /// Most rows to answer.
    pub limit: Option<usize>,
    /// Reads the catalogued files of this lake snapshot only, without the hot buffer.
    pub snapshot: Option<i64>,
}

/// An answer that is computed while it is read. Dropping it stops the work.
pub struct SqlStream {
    /// Columns of every batch.
    pub schema: SchemaRef,
    /// The rows.
    pub batches: BoxStream<'static, Result<RecordBatch, QueryError>>,
    /// What it took: set before the rows end, where somebody measures.
    pub statistics: Arc<OnceLock<SqlStatistics>>,
}

/// What an answer took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SqlStatistics {
    /// From the question until its plan was made.
    pub planning: Duration,
    /// From the question until the last row was computed.
    pub elapsed: Duration,
    /// Rows that were looked at: not those which statistics and indexes rule out.
    pub rows_read: u64,
    /// Bytes read of files.
    pub bytes_read: u64,
    /// Files that could not be ruled out before they were read, and those of the same tables that could.
    pub files_read: u64,
    /// See [`Self::files_read`].
    pub files_skipped: u64,
    /// Most memory that was held at once by what keeps rows: sorts, groups and joins. In bytes.
    pub peak_memory: u64,
    /// Bytes written to disk for want of memory.
    pub spilled_bytes: u64,
}

impl fmt::Debug for SqlStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStream").field("schema", &self.schema).finish_non_exhaustive()
    }
}

/// What a statement would answer, without running it.
#[derive(Debug, Clone)]
pub struct SqlDescription {
    /// Columns of the answer.
    pub schema: SchemaRef,
    /// Types of `$1`, `$2`, …, where they can be told.
    pub parameters: SchemaRef,
}

/// SQL over the lake.
#[async_trait]
pub trait QueryEngine: Send + Sync {
    /// Plans the statement and begins to answer it.
    async fn query(&self, request: SqlRequest) -> Result<SqlStream, QueryError>;

    /// Plans the statement only.
    async fn describe(&self, sql: &str) -> Result<SqlDescription, QueryError>;
}

/// What people keep beside the data: saved views and the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Tells it from others.
    pub id: Uuid,
    /// What it says.
    pub text: DocumentText,
    /// Changes with each change.
    pub revision: i64,
    /// When it was last changed.
    pub updated: Timestamp,
}

/// What a document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentText {
    /// For people; without control characters.
    pub name: String,
    /// The rest, in a form of its kind; without control characters.
    pub body: String,
}

/// Why nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// There is none of this kind with this id.
    #[error("it is not known, or was deleted")]
    Unknown,
    /// It has another revision.
    #[error("somebody else has changed it since: it has revision {0}")]
    Stale(i64),
    /// There are too many of its kind.
    #[error("there are {0} already, which is the most")]
    Full(usize),
    /// It could not be read or kept; trying again may help.
    #[error("{0}")]
    Unavailable(String),
}

/// Where documents are kept. What is answered is durable.
#[async_trait]
pub trait Documents: Send + Sync {
    /// All of a kind, by name.
    async fn list(&self, kind: &str) -> Result<Vec<Document>, DocumentError>;

    /// Keeps a new one.
    async fn create(&self, kind: &str, text: DocumentText) -> Result<Document, DocumentError>;

    /// Replaces one that has still this revision.
    async fn replace(&self, kind: &str, id: Uuid, revision: i64, text: DocumentText)
    -> Result<Document, DocumentError>;

    /// Forgets one, if it has still this revision, where one is given.
    async fn remove(&self, kind: &str, id: Uuid, revision: Option<i64>) -> Result<(), DocumentError>;
}

/// The point questions, which have a way of their own through the lake.
#[async_trait]
pub trait TraceStore: Send + Sync {
    /// Newest traces that match.
    async fn find_traces(&self, filter: &TraceFilter) -> Result<TracePage, QueryError>;

    /// A whole trace; `None` when no span of it is known.
    async fn trace(&self, trace_id: TraceId) -> Result<Option<Trace>, QueryError>;

    /// The shape of a trace; `None` when no span of it is known.
    async fn outline(&self, trace_id: TraceId) -> Result<Option<TraceOutline>, QueryError>;

    /// The spans of a trace that have all words of a text, in themselves or in their events, in order of start, then
    /// of id; at most `limit`.
    async fn find_spans(&self, trace_id: TraceId, text: &str, limit: usize) -> Result<Vec<SpanId>, QueryError>;

    /// A span with all it carries, and its process; `None` when it is not known.
    async fn span(
        &self,
        trace_id: TraceId,
        span_id: SpanId,
    ) -> Result<Option<(Span, Option<TraceProcess>)>, QueryError>;

    /// Numbers of the spans that match, those that have ended, by start and duration, in at most so many columns. Of the
    /// filter, the limit and the cursor do not count, here and in the following.
    async fn heatmap(&self, filter: &TraceFilter, columns: usize) -> Result<Heatmap, QueryError>;

    /// What tells the selected ones of the spans that match, and that have ended, from the others: at most `limit`
    /// values.
    async fn differences(
        &self,
        filter: &TraceFilter,
        selection: &SpanSelection,
        limit: usize,
    ) -> Result<Differences, QueryError>;

    /// Figures of the spans that match over time, in at most so many steps.
    async fn series(&self, filter: &TraceFilter, steps: usize) -> Result<SpanSeries, QueryError>;

    /// The services of the spans that match, and the calls between them.
    async fn service_map(&self, filter: &TraceFilter) -> Result<ServiceMap, QueryError>;

    /// The attributes of the newest spans that match.
    async fn attributes(&self, filter: &TraceFilter) -> Result<AttributeSurvey, QueryError>;

    /// The log records of a trace, or of one of its spans, earliest first, at most `limit`.
    async fn trace_logs(
        &self,
        trace_id: TraceId,
        span_id: Option<SpanId>,
        limit: usize,
    ) -> Result<Vec<LogRecord>, QueryError>;
}

/// What an export of rows in order of time would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportPlan {
    /// The rows, counted.
    pub survey: Survey,
    /// Packets that will be written, extrapolated from the first rows: what a reader can measure its progress by.
    pub packets: u64,
    /// Bytes, extrapolated from the first rows.
    pub estimated_bytes: u64,
    /// Time to write them when the reader keeps up, likewise.
    pub estimated_time: Duration,
}

/// A step of planning an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlanStep {
    /// Some files were looked at.
    Looked(SurveyProgress, Survey),
    /// The plan: the last step.
    Planned(ExportPlan),
}

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ExportEncoding {
    /// As it is.
    #[default]
    Plain,
    /// Compressed by gzip.
    Gzip,
}

/// A form of spans, with their events and links, for other tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanFormat {
    /// One `TracesData` of OTLP as JSON.
    Otlp,
    /// The same as lines of JSON, each a request of its own, as OpenTelemetry's file exporter writes them.
    OtlpJson,
    /// One `TracesData` of OTLP in protobuf.
    OtlpProto,
    /// What Jaeger's web app loads and saves.
    Jaeger,
    /// Zipkin's v2 list of spans.
    Zipkin,
    /// The JSON object of the Trace Event Format.
    Chrome,
}

impl SpanFormat {
    /// Every format.
    pub const ALL: [Self; 6] = [Self::Otlp, Self::OtlpJson, Self::OtlpProto, Self::Jaeger, Self::Zipkin, Self::Chrome];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Otlp => "otlp",
            Self::OtlpJson => "otlp-json",
            Self::OtlpProto => "otlp-proto",
            Self::Jaeger => "jaeger",
            Self::Zipkin => "zipkin",
            Self::Chrome => "chrome",
        }
    }

    /// The format of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// MIME type of its files.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OtlpJson => "application/x-ndjson",
            Self::OtlpProto => "application/x-protobuf",
            Self::Otlp | Self::Jaeger | Self::Zipkin | Self::Chrome => "application/json",
        }
    }

    /// How names of its files end.
    pub fn file_ending(self) -> &'static str {
        match self {
            Self::Otlp => "otlp.json",
            Self::OtlpJson => "otlp.jsonl",
            Self::OtlpProto => "otlp.pb",
            Self::Jaeger => "jaeger.json",
            Self::Zipkin => "zipkin.json",
            Self::Chrome => "chrome.json",
        }
    }
}

/// Bytes that are made while they are read. Dropping it stops the work; a failure is its last item.
pub type ByteStream = BoxStream<'static, Result<Bytes, QueryError>>;

/// Steps of planning as they are done; the plan is the last.
pub type PlanSteps = BoxStream<'static, Result<PlanStep, QueryError>>;

/// Rows in order of time, as files for other tools and as they are drawn.
#[async_trait]
pub trait Exporter: Send + Sync {
    /// Counts what an export would hold; `None` when the process or trace is not known.
    async fn plan(&self, request: TimelineRequest) -> Result<Option<PlanSteps>, QueryError>;

    /// A Perfetto trace; `None` when the process or trace is not known.
    async fn perfetto(
        &self,
        request: TimelineRequest,
        encoding: ExportEncoding,
    ) -> Result<Option<ByteStream>, QueryError>;

    /// The spans with their events and links in another form; `None` when the process or trace is not known.
    async fn spans(
        &self,
        request: TimelineRequest,
        format: SpanFormat,
        encoding: ExportEncoding,
    ) -> Result<Option<ByteStream>, QueryError>;

    /// The spans as they are drawn, with about so many slices next to each other at most; `None` when the process or trace
    /// is not known. Dropping the future stops the work.
    async fn flame_chart(&self, request: TimelineRequest, columns: u32) -> Result<Option<FlameChart>, QueryError>;
}

/// One part's state, for the readiness answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartState {
    /// Name of the part, for example `wal`, `catalog`, `object_store`.
    pub part: &'static str,
    /// Whether nothing can be accepted while it does not work.
    pub is_needed_to_accept: bool,
    /// `None` when it works; else what is wrong.
    pub problem: Option<String>,
}

/// A figure of the lake for `/metrics`.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Prometheus name, with unit and `_total` for counters.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
    /// Whether it only grows.
    pub is_counter: bool,
    /// Label names and values.
    pub labels: Vec<(&'static str, String)>,
    /// The value.
    pub value: f64,
}

/// How the lake is.
pub trait Status: Send + Sync {
    /// State of each part.
    fn parts(&self) -> Vec<PartState>;

    /// Figures for Prometheus.
    fn figures(&self) -> Vec<Figure>;
}
