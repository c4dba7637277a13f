//! Stand-ins for what lies behind the ports, and a client.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use glasshouse_model::{
    AttributeKey, AttributeSurvey, Attributes, CallFigures, Clock, Differences, DurationNs, FlameChart, FlameRow,
    FlameSlice, FlameTrack, Heatmap, HeatmapCell, LogRecord, NodeKind, OutlineSpan, ProcessId, ServiceEdge, ServiceMap,
    ServiceNode, Severity, Span, SpanEvent, SpanId, SpanKind, SpanLink, SpanSelection, SpanSeries, StatusCode, Subject,
    Survey, SurveyProgress, TimelineRequest, Timestamp, Trace, TraceFilter, TraceId, TraceOutline, TracePage,
    TraceProcess, Value, ValueDifference, ValuePlace,
};
use glasshouse_server::{Running, Server, ServerConfig};
use glasshouse_tables::ports::{
    ByteStream, DecodeError, Decoded, Decoder, Document, DocumentError, DocumentText, Documents, ExportEncoding,
    ExportPlan, Exporter, Figure, Ingest, PartState, PlanStep, PlanSteps, QueryEngine, QueryError, Rejection,
    SpanFormat, SqlDescription, SqlRequest, SqlStream, Status, Submission, SubmitError, TraceStore, WireFormat,
};
use glasshouse_tables::{Batches, EventRow, SpanEventsBuilder, Table};
use tokio::sync::Semaphore;
use uuid::Uuid;

pub const NOW: Timestamp = Timestamp::from_nanos(1_769_860_800_000_000_000);
pub const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
pub const SPAN: &str = "00f067aa0ba902b7";
pub const PROCESS: &str = "0f3b4e6a-1c2d-4e5f-8a9b-0c1d2e3f4a5b";

/// Accepts everything, unless the body says otherwise: `malformed`, `panic`, `reject`, `empty`.
#[derive(Debug, Default)]
pub struct FakeDecoder;

impl Decoder for FakeDecoder {
    fn decode(&self, _: WireFormat, body: &[u8], received: Timestamp) -> Result<Decoded, DecodeError> {
        let has = |word: &str| body.windows(word.len()).any(|window| window == word.as_bytes());
        if has("malformed") {
            return Err(DecodeError { what: "wrong wire type".to_owned(), place: "spans[3].name".to_owned() });
        }
        assert!(!has("panic"), "the decoder panics");
        if body.is_empty() || has("empty") {
            return Ok(Decoded::default());
        }
        let mut batches = Batches::default();
        batches.set(Table::SpanEvents, event(received));
        let mut decoded = Decoded { batches, accepted: 1, ..Decoded::default() };
        if has("reject") {
            decoded.rejected = 2;
            decoded.rejections = [1, 4].map(|index| Rejection { index, reason: "no trace id".to_owned() }).into();
        }
        Ok(decoded)
    }
}

fn event(received: Timestamp) -> arrow::record_batch::RecordBatch {
    let mut builder = SpanEventsBuilder::default();
    builder.push(&EventRow {
        trace_id: TRACE.parse().unwrap(),
        span_id: SPAN.parse().unwrap(),
        process_id: PROCESS.parse().unwrap(),
        service_name: "shop",
        time: received,
        name: "event",
        attributes: &[],
        dropped_attributes_count: 0,
    });
    builder.finish(received)
}

/// Keeps submissions in memory; may refuse them, or hold them back.
#[derive(Debug)]
pub struct FakeIngest {
    pub kept: Mutex<Vec<Submission>>,
    pub refuse: Mutex<Option<SubmitError>>,
    /// A submission needs a permit to be kept.
    pub gate: Semaphore,
    /// Submissions that arrived.
    pub arrived: tokio::sync::watch::Sender<usize>,
}

#[async_trait]
impl Ingest for FakeIngest {
    async fn submit(&self, submission: Submission) -> Result<(), SubmitError> {
        self.arrived.send_modify(|arrived| *arrived += 1);
        self.gate.acquire().await.unwrap().forget();
        if let Some(error) = self.refuse.lock().unwrap().clone() {
            return Err(error);
        }
        self.kept.lock().unwrap().push(submission);
        Ok(())
    }
}

type Answers = Box<dyn Fn(&SqlRequest) -> Result<SqlStream, QueryError> + Send + Sync>;

/// Answers as it is told to, and remembers the questions.
pub struct FakeQuery {
    pub asked: Mutex<Vec<SqlRequest>>,
    pub answer: Mutex<Answers>,
}

#[async_trait]
impl QueryEngine for FakeQuery {
    async fn query(&self, request: SqlRequest) -> Result<SqlStream, QueryError> {
        let answer = self.answer.lock().unwrap()(&request);
        self.asked.lock().unwrap().push(request);
        answer
    }

    async fn describe(&self, _: &str) -> Result<SqlDescription, QueryError> {
        Err(QueryError::Invalid("not asked in these tests".to_owned()))
    }
}

/// An answer of these batches.
pub fn stream(batches: Vec<Result<arrow::record_batch::RecordBatch, QueryError>>) -> SqlStream {
    let schema = batches.iter().flatten().next().unwrap().schema();
    SqlStream { schema, batches: futures::stream::iter(batches).boxed(), statistics: Arc::default() }
}

/// Knows one trace.
#[derive(Debug, Default)]
pub struct FakeTraces {
    pub filters: Mutex<Vec<TraceFilter>>,
    pub spans: Mutex<usize>,
}

#[async_trait]
impl TraceStore for FakeTraces {
    async fn find_traces(&self, filter: &TraceFilter) -> Result<TracePage, QueryError> {
        self.filters.lock().unwrap().push(filter.clone());
        match filter.service.as_deref() {
            Some("panic") => panic!("the store panics"),
            Some("fail") => Err(QueryError::Failed("disk on fire".to_owned())),
            Some("limit") => Err(QueryError::Limit("more than 1 GiB".to_owned())),
            _ => Ok(page()),
        }
    }

    async fn trace(&self, trace_id: TraceId) -> Result<Option<Trace>, QueryError> {
        let spans = *self.spans.lock().unwrap();
        Ok((trace_id.to_string() == TRACE).then(|| trace(spans.max(1))))
    }

    async fn outline(&self, trace_id: TraceId) -> Result<Option<TraceOutline>, QueryError> {
        let span = OutlineSpan {
            span_id: SPAN.parse().unwrap(),
            parent_span_id: None,
            start_time: NOW,
            end_time: None,
            service: 0,
            name: 0,
            kind: SpanKind::Server,
            status_code: StatusCode::Unset,
        };
        Ok((trace_id.to_string() == TRACE).then(|| TraceOutline {
            trace_id,
            services: vec!["shop".to_owned()],
            names: vec!["checkout".to_owned()],
            spans: vec![span],
            events: Vec::new(),
        }))
    }

    async fn find_spans(&self, _: TraceId, text: &str, limit: usize) -> Result<Vec<SpanId>, QueryError> {
        let count = text.parse().unwrap_or(0);
        Ok(vec![SPAN.parse().unwrap(); usize::min(count, limit)])
    }

    async fn span(
        &self,
        trace_id: TraceId,
        span_id: SpanId,
    ) -> Result<Option<(Span, Option<TraceProcess>)>, QueryError> {
        let mut trace = trace(1);
        let is_known = trace_id.to_string() == TRACE && span_id.to_string() == SPAN;
        Ok(is_known.then(|| (trace.spans.remove(0), trace.processes.pop())))
    }

    async fn heatmap(&self, filter: &TraceFilter, columns: usize) -> Result<Heatmap, QueryError> {
        self.filters.lock().unwrap().push(filter.clone());
        let cell = HeatmapCell { time: NOW, row: 0, span_count: columns as u64, error_count: 1 };
        Ok(Heatmap { step: DurationNs::from_secs(1), bounds: vec![DurationNs::ZERO], cells: vec![cell] })
    }

    async fn differences(
        &self,
        filter: &TraceFilter,
        selection: &SpanSelection,
        limit: usize,
    ) -> Result<Differences, QueryError> {
        self.filters.lock().unwrap().push(filter.clone());
        let value = |key: String| ValueDifference {
            place: ValuePlace::Span,
            key,
            value: "gold".to_owned(),
            selected_count: 3,
            rest_count: 1,
        };
        let values = (0..100).map(|n| value(format!("{n} {selection:?}"))).take(limit).collect();
        Ok(Differences { selected_count: 4, rest_count: 9, values })
    }

    async fn series(&self, filter: &TraceFilter, steps: usize) -> Result<SpanSeries, QueryError> {
        self.filters.lock().unwrap().push(filter.clone());
        let mut figures = CallFigures::default();
        (0..steps).for_each(|_| figures.add(Some(DurationNs::from_secs(1)), false));
        Ok(SpanSeries { step: DurationNs::from_secs(60), points: vec![(NOW, figures)] })
    }

    async fn service_map(&self, filter: &TraceFilter) -> Result<ServiceMap, QueryError> {
        self.filters.lock().unwrap().push(filter.clone());
        let mut calls = CallFigures::default();
        calls.add(Some(DurationNs::ZERO), true);
        let node = |kind, name: &str| ServiceNode { kind, name: name.to_owned(), requests: calls.clone() };
        let nodes = vec![node(NodeKind::Service, "shop"), node(NodeKind::Database, "postgresql")];
        Ok(ServiceMap { nodes, edges: vec![ServiceEdge { from: 0, to: 1, calls }] })
    }

    async fn attributes(&self, _: &TraceFilter) -> Result<AttributeSurvey, QueryError> {
        let key = AttributeKey {
            place: ValuePlace::Resource,
            key: "host.name".to_owned(),
            span_count: 2,
            values: vec![("a".to_owned(), 2)],
        };
        Ok(AttributeSurvey { span_count: 2, keys: vec![key] })
    }

    async fn trace_logs(
        &self,
        trace_id: TraceId,
        span_id: Option<SpanId>,
        limit: usize,
    ) -> Result<Vec<LogRecord>, QueryError> {
        let record = |index: usize| LogRecord {
            time: NOW,
            observed_time: None,
            process_id: PROCESS.parse().unwrap(),
            service_name: "shop".to_owned(),
            severity: Severity(17),
            severity_text: "error".to_owned(),
            scope_name: String::new(),
            event_name: String::new(),
            body: Value::String(format!("record {index}")),
            trace_id: Some(trace_id),
            span_id: index.is_multiple_of(2).then(|| SPAN.parse().unwrap()),
            flags: 1,
            attributes: Attributes::default(),
        };
        let is_wanted = |record: &LogRecord| span_id.is_none() || record.span_id == span_id;
        Ok((0..10).map(record).filter(is_wanted).take(limit).collect())
    }
}

fn page() -> TracePage {
    let summary = glasshouse_model::TraceSummary {
        trace_id: TRACE.parse().unwrap(),
        root_service: "shop".to_owned(),
        root_name: "GET /".to_owned(),
        start_time: NOW,
        duration_ns: DurationNs::from_nanos(9_007_199_254_740_993),
        span_count: 2,
        error_count: 1,
        services: vec!["cart".to_owned(), "shop".to_owned()],
        kind: glasshouse_model::TraceKind::Http,
    };
    TracePage { next_cursor: Some(summary.cursor()), traces: vec![summary] }
}

/// The known trace with this many spans.
pub fn trace(spans: usize) -> Trace {
    let trace_id: TraceId = TRACE.parse().unwrap();
    let process_id: ProcessId = PROCESS.parse().unwrap();
    let text = |key: &str, value: &str| Attributes(vec![(key.to_owned(), Value::String(value.to_owned()))]);
    let span = |index: usize| Span {
        trace_id,
        span_id: SpanId::from_bytes((index as u64 + 1).to_be_bytes()).unwrap(),
        parent_span_id: (index > 0).then(|| SpanId::from_bytes(1_u64.to_be_bytes()).unwrap()),
        process_id,
        service_name: "shop".to_owned(),
        name: "GET /".to_owned(),
        kind: SpanKind::Server,
        start_time: NOW,
        end_time: (index == 0).then(|| NOW + DurationNs::from_secs(1)),
        status_code: StatusCode::Error,
        status_message: "boom".to_owned(),
        thread_id: Some(i64::MAX),
        thread_name: None,
        scope_name: "http".to_owned(),
        scope_version: "1".to_owned(),
        trace_state: String::new(),
        flags: 257,
        attributes: Attributes(vec![("n".to_owned(), Value::Int(i64::MAX)), ("d".to_owned(), Value::Double(f64::NAN))]),
        dropped_attributes_count: 0,
        dropped_events_count: 0,
        dropped_links_count: 0,
        events: vec![SpanEvent {
            time: NOW,
            name: "hit".to_owned(),
            attributes: text("k", "v"),
            dropped_attributes_count: 0,
        }],
        links: vec![SpanLink {
            trace_id,
            span_id: SPAN.parse().unwrap(),
            trace_state: String::new(),
            attributes: Attributes::default(),
            dropped_attributes_count: 0,
            flags: 0,
        }],
    };
    let processes =
        vec![TraceProcess { process_id, service_name: "shop".to_owned(), resource: text("service.name", "shop") }];
    Trace { trace_id, spans: (0..spans).map(span).collect(), processes }
}

#[derive(Debug, Default)]
pub struct FakeStatus {
    pub problem: Mutex<Option<String>>,
}

/// Keeps documents as long as it lives, but those called `full` and `unavailable`.
#[derive(Debug, Default)]
pub struct FakeDocuments(Mutex<Vec<Document>>);

#[async_trait]
impl Documents for FakeDocuments {
    async fn list(&self, _: &str) -> Result<Vec<Document>, DocumentError> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn create(&self, _: &str, text: DocumentText) -> Result<Document, DocumentError> {
        match text.name.as_str() {
            "full" => return Err(DocumentError::Full(7)),
            "unavailable" => return Err(DocumentError::Unavailable("the catalog was locked".to_owned())),
            _ => {}
        }
        let document = Document { id: Uuid::new_v4(), text, revision: 1, updated: NOW };
        self.0.lock().unwrap().push(document.clone());
        Ok(document)
    }

    async fn replace(&self, _: &str, id: Uuid, revision: i64, text: DocumentText) -> Result<Document, DocumentError> {
        let mut documents = self.0.lock().unwrap();
        let found = documents.iter_mut().find(|document| document.id == id).ok_or(DocumentError::Unknown)?;
        if found.revision != revision {
            return Err(DocumentError::Stale(found.revision));
        }
        *found = Document { text, revision: revision + 1, ..found.clone() };
        Ok(found.clone())
    }

    async fn remove(&self, _: &str, id: Uuid, revision: Option<i64>) -> Result<(), DocumentError> {
        let mut documents = self.0.lock().unwrap();
        let position = documents.iter().position(|document| document.id == id).ok_or(DocumentError::Unknown)?;
        if revision.is_some_and(|revision| revision != documents[position].revision) {
            return Err(DocumentError::Stale(documents[position].revision));
        }
        documents.remove(position);
        Ok(())
    }
}

impl Status for FakeStatus {
    fn parts(&self) -> Vec<PartState> {
        vec![PartState { part: "wal", is_needed_to_accept: true, problem: self.problem.lock().unwrap().clone() }]
    }

    fn figures(&self) -> Vec<Figure> {
        let rows = |table: &str, value| Figure {
            name: "glasshouse_rows_total",
            help: "Rows accepted",
            is_counter: true,
            labels: vec![("table", table.to_owned())],
            value,
        };
        let memory = Figure {
            name: "glasshouse_hot_bytes",
            help: "Memory of the hot buffer",
            is_counter: false,
            labels: vec![],
            value: 12.0,
        };
        vec![rows("spans", 3.0), memory, rows("lo\"gs", 4.0)]
    }
}

#[derive(Debug)]
struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        NOW
    }
}

type Chunks = Box<dyn Fn() -> ByteStream + Send + Sync>;

/// Knows one process and one trace, and exports what it is told to; remembers the questions.
pub struct FakeExporter {
    pub asked: Mutex<Vec<(TimelineRequest, ExportEncoding)>>,
    /// What was to be drawn, with how many columns.
    pub drawn: Mutex<Vec<(TimelineRequest, u32)>>,
    pub chunks: Mutex<Chunks>,
    /// Why planning fails, when it does.
    pub failure: Mutex<Option<QueryError>>,
}

pub const SURVEY: Survey = Survey {
    thread_spans: 1,
    async_spans: 20,
    open_spans: 2,
    events: 3,
    links: 4,
    logs: 5,
    points: 6,
    range: Some((Timestamp::from_nanos(7), Timestamp::from_nanos(8))),
};

/// A span on a thread, and two put together beside it.
fn chart() -> FlameChart {
    let slice = FlameSlice {
        start: Timestamp::from_nanos(10),
        end: None,
        name: 0,
        longest: DurationNs::default(),
        total: DurationNs::default(),
        count: 1,
        error_count: 0,
        span: Some((TRACE.parse().unwrap(), "00f067aa0ba902b7".parse().unwrap())),
    };
    let two = FlameSlice {
        end: Some(Timestamp::from_nanos(17)),
        longest: DurationNs::from_nanos(4),
        total: DurationNs::from_nanos(6),
        count: 2,
        error_count: 1,
        span: None,
        ..slice.clone()
    };
    let row = |slice| vec![FlameRow { lane: 0, depth: 0, slices: vec![slice] }];
    FlameChart {
        names: vec!["GET /".to_owned()],
        tracks: vec![
            FlameTrack {
                thread: Some((7, "main".to_owned())),
                resolution: DurationNs::from_nanos(4),
                rows: row(slice),
            },
            FlameTrack { thread: None, resolution: DurationNs::from_nanos(8), rows: row(two) },
        ],
        span_count: 3,
        hidden_span_count: 0,
        range: Some((Timestamp::from_nanos(10), Timestamp::from_nanos(17))),
    }
}

fn is_known(request: &TimelineRequest) -> bool {
    request.subject == Subject::Process(PROCESS.parse().unwrap())
        || request.subject == Subject::Trace(TRACE.parse().unwrap())
}

#[async_trait]
impl Exporter for FakeExporter {
    async fn plan(&self, request: TimelineRequest) -> Result<Option<PlanSteps>, QueryError> {
        self.asked.lock().unwrap().push((request, ExportEncoding::Plain));
        let progress = SurveyProgress { done: 1, total: 2 };
        let plan = ExportPlan {
            survey: SURVEY,
            packets: 50,
            estimated_bytes: 6_000_000_000,
            estimated_time: Duration::from_millis(1500),
        };
        let last = match self.failure.lock().unwrap().clone() {
            Some(failure) => Err(failure),
            None => Ok(PlanStep::Planned(plan)),
        };
        let steps = [Ok(PlanStep::Looked(progress, Survey::default())), last];
        Ok(is_known(&request).then(|| futures::stream::iter(steps).boxed()))
    }

    async fn perfetto(
        &self,
        request: TimelineRequest,
        encoding: ExportEncoding,
    ) -> Result<Option<ByteStream>, QueryError> {
        self.asked.lock().unwrap().push((request, encoding));
        Ok(is_known(&request).then(|| self.chunks.lock().unwrap()()))
    }

    async fn spans(
        &self,
        request: TimelineRequest,
        format: SpanFormat,
        encoding: ExportEncoding,
    ) -> Result<Option<ByteStream>, QueryError> {
        self.asked.lock().unwrap().push((request, encoding));
        let name = bytes::Bytes::from_static(format.name().as_bytes());
        Ok(is_known(&request).then(|| futures::stream::iter([Ok(name)]).boxed()))
    }

    async fn flame_chart(&self, request: TimelineRequest, columns: u32) -> Result<Option<FlameChart>, QueryError> {
        self.drawn.lock().unwrap().push((request, columns));
        Ok(is_known(&request).then(chart))
    }
}

/// A running server with its fakes and a client.
pub struct World {
    pub server: Running,
    pub client: reqwest::Client,
    pub ingest: Arc<FakeIngest>,
    pub query: Arc<FakeQuery>,
    pub traces: Arc<FakeTraces>,
    pub status: Arc<FakeStatus>,
    pub exporter: Arc<FakeExporter>,
}

type Fakes = (Arc<FakeIngest>, Arc<FakeQuery>, Arc<FakeTraces>, Arc<FakeStatus>, Arc<FakeExporter>);

pub fn parts() -> (glasshouse_server::Parts, Fakes) {
    let ingest = Arc::new(FakeIngest {
        kept: Mutex::default(),
        refuse: Mutex::default(),
        gate: Semaphore::new(Semaphore::MAX_PERMITS / 2),
        arrived: tokio::sync::watch::Sender::new(0),
    });
    let answer: Answers = Box::new(|_| Err(QueryError::Invalid("no answer set".to_owned())));
    let query = Arc::new(FakeQuery { asked: Mutex::default(), answer: Mutex::new(answer) });
    let traces = Arc::new(FakeTraces::default());
    let status = Arc::new(FakeStatus::default());
    let exporter = Arc::new(FakeExporter {
        asked: Mutex::default(),
        drawn: Mutex::default(),
        chunks: Mutex::new(Box::new(|| futures::stream::empty().boxed())),
        failure: Mutex::default(),
    });
    let parts = glasshouse_server::Parts {
        decoder: Arc::new(FakeDecoder),
        ingest: ingest.clone(),
        traces: traces.clone(),
        query: query.clone(),
        exporter: exporter.clone(),
        documents: Arc::new(FakeDocuments::default()),
        status: status.clone(),
        clock: Arc::new(FixedClock),
        flight_sql: None,
    };
    (parts, (ingest, query, traces, status, exporter))
}

impl World {
    pub async fn new() -> Self {
        Self::with(ServerConfig::any_port()).await
    }

    pub async fn with(config: ServerConfig) -> Self {
        // Another test may have installed it before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (parts, (ingest, query, traces, status, exporter)) = parts();
        let server = Server::start(config, parts).await.unwrap();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        Self { server, client, ingest, query, traces, status, exporter }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.addresses().http)
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    pub async fn get_json(&self, path: &str) -> (u16, serde_json::Value) {
        let response = self.get(path).await;
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub async fn post(&self, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
        self.client.post(self.url(path)).header("content-type", content_type).body(body).send().await.unwrap()
    }

    pub fn kept(&self) -> usize {
        self.ingest.kept.lock().unwrap().len()
    }

    pub fn answer(&self, answer: impl Fn(&SqlRequest) -> Result<SqlStream, QueryError> + Send + Sync + 'static) {
        *self.query.answer.lock().unwrap() = Box::new(answer);
    }

    /// Submissions need permits from now on.
    pub fn hold_back(&self) {
        self.ingest.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub async fn submissions_arrived(&self, number: usize) {
        let mut arrived = self.ingest.arrived.subscribe();
        let all = arrived.wait_for(|arrived| *arrived >= number);
        tokio::time::timeout(Duration::from_secs(10), all).await.unwrap().unwrap();
    }
}

/// Checks an answer against our form of errors.
pub async fn assert_error(response: reqwest::Response, status: u16, kind: &str, words: &str) {
    assert_eq!(response.status().as_u16(), status);
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["error"]["type"], kind, "{body}");
    assert!(body.to_string().contains(words), "{words:?} in {body}");
}

/// Waits until a condition holds.
pub async fn eventually(mut condition: impl AsyncFnMut() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), holds).await.unwrap();
}
