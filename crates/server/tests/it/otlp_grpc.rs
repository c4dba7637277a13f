use std::time::Duration;

use glasshouse_tables::ports::{SubmitError, WireFormat};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use tonic::Code;
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;

use crate::fakes::{World, assert_error};
use glasshouse_server::ServerConfig;

async fn channel(world: &World) -> Channel {
    let address = world.server.addresses().otlp_grpc.unwrap();
    Channel::from_shared(format!("http://{address}")).unwrap().connect().await.unwrap()
}

fn spans(name: &str) -> ExportTraceServiceRequest {
    let span = Span { name: name.to_owned(), ..Span::default() };
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] }
}

#[tokio::test]
async fn every_signal_is_kept_as_the_bytes_it_was() {
    let world = World::new().await;
    let channel = channel(&world).await;
    let request = spans("GET /");
    let answer = TraceServiceClient::new(channel.clone()).export(request.clone()).await.unwrap();
    assert_eq!(answer.into_inner().partial_success, None);
    let submission = world.ingest.kept.lock().unwrap().pop().unwrap();
    assert_eq!(submission.format, WireFormat::OtlpTracesProtobuf);
    assert_eq!(submission.body, request.encode_to_vec());

    LogsServiceClient::new(channel.clone()).export(ExportLogsServiceRequest::default()).await.unwrap();
    MetricsServiceClient::new(channel).export(ExportMetricsServiceRequest::default()).await.unwrap();
    assert_eq!(world.kept(), 0, "empty requests leave nothing to keep");
}

#[tokio::test]
async fn compressed_and_large_messages_arrive() {
    let world = World::new().await;
    let channel = channel(&world).await;
    let request = spans(&"x".repeat(5 << 20));
    for encoding in [None, Some(CompressionEncoding::Gzip), Some(CompressionEncoding::Zstd)] {
        let client = TraceServiceClient::new(channel.clone());
        let mut client = match encoding {
            Some(encoding) => client.send_compressed(encoding).accept_compressed(encoding),
            None => client,
        };
        client.export(request.clone()).await.unwrap();
        assert_eq!(world.ingest.kept.lock().unwrap().pop().unwrap().body, request.encode_to_vec(), "{encoding:?}");
    }
}

#[tokio::test]
async fn many_calls_share_a_connection() {
    let world = World::new().await;
    let channel = channel(&world).await;
    let calls = (0..100).map(|index| {
        let mut client = TraceServiceClient::new(channel.clone());
        async move { client.export(spans(&format!("{index}"))).await }
    });
    for result in futures::future::join_all(calls).await {
        result.unwrap();
    }
    assert_eq!(world.kept(), 100);
}

#[tokio::test]
async fn refusals_have_the_right_codes() {
    let config = ServerConfig { max_body: 1 << 20, max_in_flight: 4 << 20, ..ServerConfig::any_port() };
    let world = World::with(config).await;
    let channel = channel(&world).await;
    let mut client = TraceServiceClient::new(channel.clone());

    let partial = client.export(spans("reject")).await.unwrap().into_inner().partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 2);

    let status = client.export(spans("malformed")).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::InvalidArgument, "wrong wire type: at spans[3].name"));

    let status = client.export(spans("panic")).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);

    let status = client.export(spans(&"x".repeat(2 << 20))).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert!(status.details().is_empty(), "no hint to send the same again");

    let bomb = spans(&"x".repeat(50 << 20));
    let mut packed = TraceServiceClient::new(channel).send_compressed(CompressionEncoding::Zstd);
    let status = packed.export(bomb).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");

    *world.ingest.refuse.lock().unwrap() =
        Some(SubmitError::Overloaded { reason: "full".to_owned(), retry_after: Duration::from_millis(1500) });
    let status = client.export(spans("x")).await.unwrap_err();
    assert_eq!((status.code(), status.message()), (Code::ResourceExhausted, "full"));
    assert_eq!(retry_delay(status.details()), (1, 500_000_000));

    *world.ingest.refuse.lock().unwrap() = Some(SubmitError::Unavailable("disk full".to_owned()));
    assert_eq!(client.export(spans("x")).await.unwrap_err().code(), Code::Unavailable);
}

/// `google.rpc.RetryInfo` in `google.rpc.Status`.
fn retry_delay(details: &[u8]) -> (i64, i32) {
    #[derive(Clone, PartialEq, Message)]
    struct Status {
        #[prost(int32, tag = "1")]
        code: i32,
        #[prost(string, tag = "2")]
        message: String,
        #[prost(message, repeated, tag = "3")]
        details: Vec<Any>,
    }
    #[derive(Clone, PartialEq, Message)]
    struct Any {
        #[prost(string, tag = "1")]
        type_url: String,
        #[prost(message, optional, tag = "2")]
        value: Option<RetryInfo>,
    }
    #[derive(Clone, PartialEq, Message)]
    struct RetryInfo {
        #[prost(message, optional, tag = "1")]
        retry_delay: Option<Delay>,
    }
    #[derive(Clone, PartialEq, Message)]
    struct Delay {
        #[prost(int64, tag = "1")]
        seconds: i64,
        #[prost(int32, tag = "2")]
        nanos: i32,
    }
    let status = Status::decode(details).unwrap();
    assert_eq!(status.code, Code::ResourceExhausted as i32);
    let detail = status.details[0].clone();
    assert_eq!(detail.type_url, "type.googleapis.com/google.rpc.RetryInfo");
    let delay = detail.value.unwrap().retry_delay.unwrap();
    (delay.seconds, delay.nanos)
}

#[tokio::test]
async fn unknown_methods_and_broken_frames_are_answered() {
    let world = World::new().await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let address = world.server.addresses().otlp_grpc.unwrap();
    let call = async |path: &str, content_type: &str, body: &'static [u8]| {
        let request = client.post(format!("http://{address}{path}")).header("content-type", content_type);
        let response = request.body(body).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let code: i32 = response.headers()["grpc-status"].to_str().unwrap().parse().unwrap();
        Code::from(code)
    };
    let export = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    let grpc = "application/grpc";
    assert_eq!(call("/x.Y/Z", grpc, &[0; 5]).await, Code::Unimplemented);
    assert_eq!(call(export, "text/plain", &[0; 5]).await, Code::Unimplemented);
    assert_eq!(call(export, grpc, &[0; 3]).await, Code::InvalidArgument, "half a prefix");
    assert_eq!(call(export, grpc, &[0, 0, 0, 0, 9, 1]).await, Code::InvalidArgument, "half a message");
    assert_eq!(call(export, grpc, &[0, 0, 0, 0, 0, 1]).await, Code::InvalidArgument, "more than a message");
    assert_eq!(call(export, grpc, &[7, 0, 0, 0, 0]).await, Code::InvalidArgument, "unknown flag");
    assert_eq!(call(export, grpc, &[1, 0, 0, 0, 1, 1]).await, Code::InvalidArgument, "no encoding named");
    assert_eq!(call(export, grpc, &[0, 255, 255, 255, 255]).await, Code::ResourceExhausted);
}

#[tokio::test]
async fn grpc_health_is_told() {
    let world = World::new().await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let address = world.server.addresses().otlp_grpc.unwrap();
    let request = client.post(format!("http://{address}/grpc.health.v1.Health/Check"));
    let response = request.header("content-type", "application/grpc").body(vec![0; 5]).send().await.unwrap();
    assert_eq!(response.bytes().await.unwrap().to_vec(), [0, 0, 0, 0, 2, 8, 1]);
}

#[tokio::test]
async fn what_is_no_call_is_never_answered_with_success() {
    let world = World::new().await;
    let address = world.server.addresses().otlp_grpc.unwrap();
    let response = world.client.post(format!("http://{address}/v1/unknown")).body("x").send().await.unwrap();
    assert_error(response, 404, "not_found", "/v1/unknown").await;
}
