//! Requests between real servers and clients: reqwest to axum to tonic to a task.

use std::convert::Infallible;
use std::time::Duration;

use crate::server::{Answer, DEADLINE, Server, attributes, eventually, named, text};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{MatchedPath, Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use futures::{StreamExt as _, stream};
use glasshouse_client::tower::{ClientLayer, ServerLayer};
use glasshouse_client::{Sampler, Tracer, TracingLayer, WithContext as _, context};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use tokio::net::TcpListener;
use tonic::transport::{Channel, Endpoint};
use tower::{Service as _, ServiceBuilder, ServiceExt as _};
use tracing::{info, instrument};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};

const SERVICE: &str = "opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Any service of gRPC would do: this one is there.
struct Stock(Tracer);

#[tonic::async_trait]
impl TraceService for Stock {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let wanted = request.into_inner().resource_spans.len();
        look_up(wanted).await;
        // It goes on when the answer was given.
        let worker = self.0.span("restock").start();
        tokio::spawn(async { info!("restocked") }.in_span(worker)).await.unwrap();
        match wanted {
            0 => Ok(tonic::Response::new(ExportTraceServiceResponse::default())),
            1 => Err(tonic::Status::not_found("größe 7")),
            _ => Err(tonic::Status::internal("shelf broke")),
        }
    }
}

#[instrument]
async fn look_up(wanted: usize) {
    tokio::task::yield_now().await;
    info!("looked up");
}

type Stocks = TraceServiceClient<glasshouse_client::tower::ClientService<Channel>>;

#[derive(Clone)]
struct Shop {
    stocks: Stocks,
    tracer: Tracer,
}

async fn order(State(Shop { mut stocks, .. }): State<Shop>, Path(id): Path<usize>) -> Result<String, StatusCode> {
    let request = ExportTraceServiceRequest { resource_spans: vec![ResourceSpans::default(); id] };
    match stocks.export(request).await {
        Ok(_) => Ok("ordered".to_owned()),
        Err(status) if status.code() == tonic::Code::NotFound => Err(StatusCode::NOT_FOUND),
        Err(_) => Err(StatusCode::BAD_GATEWAY),
    }
}

/// An answer that ends as it is asked for: `whole`, which a span tells of, `broken`, or never.
async fn answer(State(Shop { tracer, .. }): State<Shop>, Path(end): Path<String>) -> Body {
    let chunk = move |number: u32| {
        let (tracer, end) = (tracer.clone(), end.clone());
        async move {
            match (number, end.as_str()) {
                (0, _) => Some((Ok(Bytes::from_static(b"x")), 1)),
                (1, "broken") => Some((Err(std::io::Error::other("broken")), 2)),
                (_, "never") => std::future::pending().await,
                _ => {
                    tracer.span("end of answer").start().end();
                    None
                }
            }
        }
    };
    Body::from_stream(stream::unfold(0, chunk))
}

/// An answer that tells its length, and makes spans while it is sent.
async fn told(State(Shop { tracer, .. }): State<Shop>) -> impl IntoResponse {
    let chunks = ["x", "y", "z"].map(|chunk| Ok::<_, Infallible>(Bytes::from_static(chunk.as_bytes())));
    let chunks = stream::iter(chunks).enumerate().map(move |(number, chunk)| {
        if number == 1 {
            tracer.span("chunk").start().end();
        }
        chunk
    });
    ([(header::CONTENT_LENGTH, "3")], Body::from_stream(chunks.chain(stream::pending())))
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, format!("http://{address}"))
}

/// Runs both services until the test ends; gives the address of the first.
async fn shop(tracer: &Tracer) -> String {
    let (stock, stock_url) = listener().await;
    let service = TraceServiceServer::new(Stock(tracer.clone()));
    let incoming =
        stream::unfold(stock, |stock| async { Some((stock.accept().await.map(|(stream, _)| stream), stock)) });
    let server = tonic::transport::Server::builder().layer(ServerLayer::new(tracer.clone())).add_service(service);
    tokio::spawn(server.serve_with_incoming(incoming));
    let channel = Endpoint::from_shared(stock_url).unwrap().connect_lazy();
    let channel = ServiceBuilder::new().layer(ClientLayer::new(tracer.clone())).service(channel);

    let route = |extensions: &http::Extensions| Some(extensions.get::<MatchedPath>()?.as_str().to_owned());
    let app = Router::new()
        .route("/orders/{id}", get(order))
        .route("/answer/{end}", get(answer))
        .route("/told", get(told))
        .layer(ServerLayer::new(tracer.clone()).with_route(route))
        .with_state(Shop { stocks: TraceServiceClient::new(channel), tracer: tracer.clone() });
    let (shop, shop_url) = listener().await;
    tokio::spawn(async { axum::serve(shop, app).await });
    shop_url
}

/// A client, whose TLS is not used.
fn reqwest_client() -> reqwest::Client {
    // Another test may have been first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}

fn status(span: &Span) -> (i32, &str) {
    span.status.as_ref().map_or((0, ""), |status| (status.code, status.message.as_str()))
}

const SERVER: i32 = 2;
const CLIENT: i32 = 3;

#[tokio::test]
async fn a_request_is_one_trace_through_all_services() {
    let sink = Server::new(|_| Answer::ok());
    let tracer = Tracer::builder(&sink.url()).sampler(Sampler::Always).connect().unwrap();
    let subscriber =
        tracing_subscriber::registry().with(TracingLayer::new(tracer.clone()).with_filter(LevelFilter::INFO));
    let _default = tracing::subscriber::set_default(subscriber);
    let url = shop(&tracer).await;
    let mut client = ServiceBuilder::new().layer(ClientLayer::new(tracer.clone())).service(reqwest_client());
    let root = tracer.span("test").start();
    let root_id = root.context().unwrap().span_id();
    let run = async {
        for (order, expected) in [("0", 200), ("1", 404), ("2", 502), ("x", 400)] {
            let request =
                reqwest::Request::new(reqwest::Method::GET, format!("{url}/orders/{order}?sig=s").parse().unwrap());
            let answer = client.ready().await.unwrap().call(request).await.unwrap();
            assert_eq!(answer.status(), expected);
            answer.bytes().await.unwrap();
        }
    };
    run.in_span(root).await;
    tracer.flush(DEADLINE).unwrap();
    assert_eq!(context::current(), None);

    let (spans, logs) = (sink.spans(), sink.logs());
    assert!(spans.iter().all(|span| span.trace_id == spans[0].trace_id), "it is one trace");
    // From the order that works, down.
    let parent = |span: &Span| spans.iter().find(|other| other.span_id == span.parent_span_id).unwrap();
    let restock = spans.iter().filter(|span| span.name == "restock");
    let mut codes = Vec::new();
    for restock in restock {
        let rpc = parent(restock);
        assert_eq!((rpc.name.as_str(), rpc.kind), (SERVICE, SERVER));
        let call = parent(rpc);
        assert_eq!((call.name.as_str(), call.kind), (SERVICE, CLIENT));
        let order = parent(call);
        assert_eq!((order.name.as_str(), order.kind), ("GET /orders/{id}", SERVER));
        let request = parent(order);
        assert_eq!(
            (request.name.as_str(), request.kind, &request.parent_span_id[..]),
            ("GET", CLIENT, &root_id.as_bytes()[..])
        );
        let told = attributes(&request.attributes);
        let Any::StringValue(full) = told["url.full"] else { panic!("{told:?}") };
        assert!(full.starts_with(&url) && full.ends_with("?sig=REDACTED"), "{full}");
        let told = attributes(&order.attributes);
        assert_eq!((told["http.route"], told["url.scheme"]), (&text("/orders/{id}"), &text("http")));
        assert_eq!((told["url.query"], told["server.address"]), (&text("sig=REDACTED"), &text("127.0.0.1")));
        assert!(!told.contains_key("thread.id"), "it goes from thread to thread");
        let told = attributes(&call.attributes);
        assert_eq!((told["rpc.system.name"], told["rpc.method"]), (&text("grpc"), &text(SERVICE)));
        let looked_up = spans.iter().find(|span| span.name == "look_up" && span.parent_span_id == rpc.span_id).unwrap();
        for id in [&restock.span_id, &looked_up.span_id] {
            assert_eq!(logs.iter().filter(|log| log.span_id == *id).count(), 1);
        }
        for span in [restock, rpc, call, order] {
            assert!(parent(span).start_time_unix_nano <= span.start_time_unix_nano);
        }
        let code = |span: &Span, key: &str| attributes(&span.attributes)[key].clone();
        codes.push((
            code(call, "rpc.response.status_code"),
            [status(rpc).0, status(call).0, status(order).0, status(request).0],
            code(order, "http.response.status_code"),
        ));
        if codes.last().unwrap().0 == text("NOT_FOUND") {
            assert_eq!(status(call).1, "größe 7");
        }
    }
    let expected = [
        (text("OK"), [0, 0, 0, 0], Any::IntValue(200)),
        // Not to find something is no mistake of the server.
        (text("NOT_FOUND"), [0, 2, 0, 2], Any::IntValue(404)),
        (text("INTERNAL"), [2, 2, 2, 2], Any::IntValue(502)),
    ];
    for expected in &expected {
        assert!(codes.contains(expected), "{codes:#?}");
    }
    assert_eq!(codes.len(), 3);
}

#[tokio::test]
async fn a_span_ends_with_the_answer() {
    let sink = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&sink.url()).unwrap();
    let url = shop(&tracer).await;
    let get = async |path: &str| reqwest_client().get(format!("{url}{path}")).send().await.unwrap();
    get("/answer/whole").await.bytes().await.unwrap();
    // It may break off before its headers were sent.
    if let Ok(broken) = reqwest_client().get(format!("{url}/answer/broken")).send().await {
        broken.bytes().await.unwrap_err();
    }
    // It is not read to its end.
    drop(get("/answer/never").await);
    // Who has as many bytes as were told does not ask for more.
    assert_eq!(get("/told").await.text().await.unwrap(), "xyz");
    reqwest_client().head(format!("{url}/orders/x")).send().await.unwrap();
    reqwest_client().request("BREW".parse().unwrap(), format!("{url}/orders/x")).send().await.unwrap();
    tokio::task::spawn_blocking({
        let tracer = tracer.clone();
        move || eventually("all are over", || tracer.statistics().spans.recorded == 8)
    })
    .await
    .unwrap();
    tracer.flush(DEADLINE).unwrap();
    let spans = sink.spans();
    let error = |span: &Span| attributes(&span.attributes).get("error.type").map(|error| (*error).clone());
    let answers: Vec<&Span> = spans.iter().filter(|span| span.name == "GET /answer/{end}").collect();
    assert_eq!(answers.len(), 3);
    let whole = answers.iter().find(|span| error(span).is_none()).unwrap();
    let end = named(&spans, "end of answer");
    assert_eq!(end.parent_span_id, whole.span_id);
    assert!(whole.end_time_unix_nano >= end.end_time_unix_nano, "it lasts as long as its answer");
    assert!(answers.iter().any(|span| status(span) == (2, "the answer broke off")));
    assert!(answers.iter().any(|span| error(span) == Some(text("cancelled"))), "{answers:#?}");
    assert_eq!(error(named(&spans, "HEAD /orders/{id}")), None);
    let told = named(&spans, "GET /told");
    assert_eq!((error(told), &named(&spans, "chunk").parent_span_id), (None, &told.span_id));
    let brew = attributes(&named(&spans, "HTTP /orders/{id}").attributes);
    assert_eq!((brew["http.request.method"], brew["http.request.method_original"]), (&text("_OTHER"), &text("BREW")));
}

#[tokio::test]
async fn who_does_not_answer_is_told() {
    let sink = Server::new(|_| Answer::ok());
    let tracer = Tracer::connect(&sink.url()).unwrap();
    let (closed, url) = listener().await;
    drop(closed);
    let channel = Endpoint::from_shared(url.clone()).unwrap().connect_lazy();
    let layer = ClientLayer::new(tracer.clone()).with_server("stock.example", 50051);
    let channel = ServiceBuilder::new().layer(layer).service(channel);
    TraceServiceClient::new(channel).export(ExportTraceServiceRequest::default()).await.unwrap_err();
    // One that is not of gRPC.
    let (other, other_url) = listener().await;
    tokio::spawn(async {
        axum::serve(other, Router::new().fallback(|| async { StatusCode::SERVICE_UNAVAILABLE })).await
    });
    let channel = Endpoint::from_shared(other_url).unwrap().connect_lazy();
    let channel = ServiceBuilder::new().layer(ClientLayer::new(tracer.clone())).service(channel);
    TraceServiceClient::new(channel).export(ExportTraceServiceRequest::default()).await.unwrap_err();
    let client = ServiceBuilder::new().layer(ClientLayer::new(tracer.clone())).service(reqwest_client());
    client.oneshot(reqwest::Request::new(reqwest::Method::GET, url.parse().unwrap())).await.unwrap_err();
    // One that is not waited for.
    let never =
        tower::service_fn(|_: http::Request<Body>| std::future::pending::<Result<http::Response<Body>, Infallible>>());
    let never = ServiceBuilder::new().layer(ClientLayer::new(tracer.clone())).service(never);
    let request = http::Request::get("http://never.example/a").body(Body::empty()).unwrap();
    tokio::time::timeout(Duration::from_millis(5), never.oneshot(request)).await.unwrap_err();
    tracer.flush(DEADLINE).unwrap();
    let spans = sink.spans();
    let calls: Vec<_> =
        spans.iter().filter(|span| span.name == SERVICE).map(|span| attributes(&span.attributes)).collect();
    let told = |key: &str| calls.iter().map(|told| told.get(key).map(|value| (*value).clone())).collect::<Vec<_>>();
    assert_eq!(told("error.type"), [Some(text("_OTHER")), Some(text("UNAVAILABLE"))]);
    assert_eq!(told("server.address"), [Some(text("stock.example")), None]);
    let http: Vec<&Span> = spans.iter().filter(|span| span.name == "GET").collect();
    assert!(http.iter().any(|span| status(span).0 == 2));
    let told = attributes(&http.iter().find(|span| status(span).0 == 0).unwrap().attributes);
    assert_eq!((told["error.type"], told["server.address"]), (&text("cancelled"), &text("never.example")));
}
