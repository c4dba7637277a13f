//! Requests of 1,000 spans received, decoded and dropped, over one connection of loopback: the cost of the
//! server's own layers. One thread does the client's work too, so these are lower bounds.
//! `cargo bench -p glasshouse-server --bench receive`
#![allow(missing_docs, reason = "criterion's macros make a public function")]

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use glasshouse_formats::Formats;
use glasshouse_model::{
    AttributeSurvey, Differences, DurationNs, FlameChart, Heatmap, LogRecord, ServiceMap, Span, SpanId, SpanSelection,
    SpanSeries, SystemClock, TimelineRequest, Timestamp, Trace, TraceFilter, TraceId, TraceOutline, TracePage,
    TraceProcess,
};
use glasshouse_server::{Parts, Running, Server, ServerConfig};
use glasshouse_tables::ports::{
    ByteStream, Decoder, Document, DocumentError, DocumentText, Documents, ExportEncoding, Exporter, Figure, Ingest,
    PartState, PlanSteps, QueryEngine, QueryError, SpanFormat, SqlDescription, SqlRequest, SqlStream, Status,
    Submission, SubmitError, TraceStore, WireFormat,
};
use glasshouse_workload::bench::{Config, Generator};
use uuid::Uuid;

/// The binary's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SPANS: usize = 1000;

/// Drops what it gets and knows nothing.
struct Nowhere;

#[async_trait]
impl Ingest for Nowhere {
    async fn submit(&self, _: Submission) -> Result<(), SubmitError> {
        Ok(())
    }
}

#[async_trait]
impl QueryEngine for Nowhere {
    async fn query(&self, _: SqlRequest) -> Result<SqlStream, QueryError> {
        Err(QueryError::Invalid("no tables here".to_owned()))
    }

    async fn describe(&self, _: &str) -> Result<SqlDescription, QueryError> {
        Err(QueryError::Invalid("no tables here".to_owned()))
    }
}

#[async_trait]
impl TraceStore for Nowhere {
    async fn find_traces(&self, _: &TraceFilter) -> Result<TracePage, QueryError> {
        Ok(TracePage::default())
    }

    async fn trace(&self, _: TraceId) -> Result<Option<Trace>, QueryError> {
        Ok(None)
    }

    async fn outline(&self, _: TraceId) -> Result<Option<TraceOutline>, QueryError> {
        Ok(None)
    }

    async fn find_spans(&self, _: TraceId, _: &str, _: usize) -> Result<Vec<SpanId>, QueryError> {
        Ok(Vec::new())
    }

    async fn span(&self, _: TraceId, _: SpanId) -> Result<Option<(Span, Option<TraceProcess>)>, QueryError> {
        Ok(None)
    }

    async fn heatmap(&self, _: &TraceFilter, _: usize) -> Result<Heatmap, QueryError> {
        Ok(Heatmap::default())
    }

    async fn differences(&self, _: &TraceFilter, _: &SpanSelection, _: usize) -> Result<Differences, QueryError> {
        Ok(Differences::default())
    }

    async fn series(&self, _: &TraceFilter, _: usize) -> Result<SpanSeries, QueryError> {
        Ok(SpanSeries::default())
    }

    async fn service_map(&self, _: &TraceFilter) -> Result<ServiceMap, QueryError> {
        Ok(ServiceMap::default())
    }

    async fn attributes(&self, _: &TraceFilter) -> Result<AttributeSurvey, QueryError> {
        Ok(AttributeSurvey::default())
    }

    async fn trace_logs(&self, _: TraceId, _: Option<SpanId>, _: usize) -> Result<Vec<LogRecord>, QueryError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Exporter for Nowhere {
    async fn plan(&self, _: TimelineRequest) -> Result<Option<PlanSteps>, QueryError> {
        Ok(None)
    }

    async fn perfetto(&self, _: TimelineRequest, _: ExportEncoding) -> Result<Option<ByteStream>, QueryError> {
        Ok(None)
    }

    async fn spans(
        &self,
        _: TimelineRequest,
        _: SpanFormat,
        _: ExportEncoding,
    ) -> Result<Option<ByteStream>, QueryError> {
        Ok(None)
    }

    async fn flame_chart(&self, _: TimelineRequest, _: u32) -> Result<Option<FlameChart>, QueryError> {
        Ok(None)
    }
}

#[async_trait]
impl Documents for Nowhere {
    async fn list(&self, _: &str) -> Result<Vec<Document>, DocumentError> {
        Ok(Vec::new())
    }

    async fn create(&self, _: &str, _: DocumentText) -> Result<Document, DocumentError> {
        Err(DocumentError::Full(0))
    }

    async fn replace(&self, _: &str, _: Uuid, _: i64, _: DocumentText) -> Result<Document, DocumentError> {
        Err(DocumentError::Unknown)
    }

    async fn remove(&self, _: &str, _: Uuid, _: Option<i64>) -> Result<(), DocumentError> {
        Err(DocumentError::Unknown)
    }
}

impl Status for Nowhere {
    fn parts(&self) -> Vec<PartState> {
        Vec::new()
    }

    fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }
}

async fn server() -> Running {
    let nowhere = Arc::new(Nowhere);
    let parts = Parts {
        decoder: Arc::new(Formats),
        ingest: nowhere.clone(),
        traces: nowhere.clone(),
        query: nowhere.clone(),
        exporter: nowhere.clone(),
        documents: nowhere.clone(),
        status: nowhere,
        clock: Arc::new(SystemClock),
        flight_sql: None,
    };
    Server::start(ServerConfig::any_port(), parts).await.expect("any port is free")
}

fn request() -> Bytes {
    let config = Config {
        spans: SPANS as u64,
        seed: 1,
        from: Timestamp::from_nanos(1_700_000_000_000_000_000),
        over: DurationNs::from_secs(1),
        spans_per_request: SPANS,
        one_process: false,
    };
    Generator::new(config).next().expect("there are spans").body
}

fn receive(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime starts");
    rustls::crypto::ring::default_provider().install_default().expect("nothing installed one before");
    let server = runtime.block_on(server());
    let body = request();

    let mut group = criterion.benchmark_group("receive");
    group.throughput(Throughput::Elements(SPANS as u64)).measurement_time(Duration::from_secs(5));
    group.bench_function("decode alone", |bencher| {
        bencher.iter(|| {
            Formats.decode(WireFormat::OtlpTracesProtobuf, &body, Timestamp::default()).expect("it is well-formed")
        });
    });

    let http = reqwest::Client::new();
    let url = format!("http://{}/v1/traces", server.addresses().http);
    let send = async |body: Bytes, encoding: &str| {
        let request =
            http.post(&url).header("content-type", "application/x-protobuf").header("content-encoding", encoding);
        assert_eq!(request.body(body).send().await.expect("the server answers").status(), 200);
    };
    group.bench_function("OTLP/HTTP", |bencher| bencher.iter(|| runtime.block_on(send(body.clone(), "identity"))));
    let zstd = Bytes::from(zstd::encode_all(&body[..], 3).expect("memory takes every byte"));
    group.bench_function("OTLP/HTTP zstd", |bencher| bencher.iter(|| runtime.block_on(send(zstd.clone(), "zstd"))));
    let mut gzip = flate2::read::GzEncoder::new(&body[..], flate2::Compression::default());
    let mut packed = Vec::new();
    std::io::Read::read_to_end(&mut gzip, &mut packed).expect("memory takes every byte");
    let gzip = Bytes::from(packed);
    group.bench_function("OTLP/HTTP gzip", |bencher| bencher.iter(|| runtime.block_on(send(gzip.clone(), "gzip"))));

    let grpc = reqwest::Client::builder().http2_prior_knowledge().build().expect("a client is made");
    let address = server.addresses().otlp_grpc.expect("it listens");
    let url = format!("http://{address}/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    let mut framed = BytesMut::with_capacity(body.len() + 5);
    framed.put_u8(0);
    framed.put_u32(body.len() as u32);
    framed.extend_from_slice(&body);
    let framed = framed.freeze();
    let call = async || {
        let request = grpc.post(&url).header("content-type", "application/grpc").body(framed.clone());
        let answer = request.send().await.expect("the server answers").bytes().await.expect("the answer is whole");
        assert_eq!(&answer[..], [0; 5]);
    };
    group.bench_function("OTLP/gRPC", |bencher| bencher.iter(|| runtime.block_on(call())));
    group.finish();
}

criterion_group!(benches, receive);
criterion_main!(benches);
