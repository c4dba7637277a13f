//! A shop (axum) that asks its stock (tonic) before it takes an order; the stock has shelves counted by a worker with a
//! thread of its own, and the shop has the parcel packed by a task that goes on after the answer: one trace through all of
//! them, with the log records of `tracing`.
//!
//! `services [URL [SHOP STOCK]]`, then `curl http://127.0.0.1:3000/orders/7`. SHOP and STOCK are addresses to listen on.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;

use axum::extract::{MatchedPath, Path, State};
use axum::http::{Extensions, StatusCode};
use axum::routing::get;
use glasshouse_client::tower::{ClientLayer, ClientService, ServerLayer};
use glasshouse_client::{SpanContext, Tracer, TracingLayer, WithContext as _, context};
use http::Request;
use tonic::body::Body;
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tower::ServiceBuilder;
use tower::util::MapRequestLayer;
use tracing::{info, instrument, warn};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// What a request needs.
#[derive(Clone)]
struct Shop {
    stock: HealthClient<ClientService<Channel>>,
    tracer: Tracer,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |default: &str| arguments.next().unwrap_or_else(|| default.to_owned());
    let url = argument("http://localhost:4318");
    let (shop_address, stock_address) = (argument("127.0.0.1:3000"), argument("127.0.0.1:3001"));
    // In a program of your own there is one tracer, for there is one service.
    let shop = Tracer::builder(&url).service("shop").connect_checked()?;
    let stock = Tracer::builder(&url).service("stock").connect()?;
    tracing_subscriber::registry().with(TracingLayer::new(shop.clone()).with_filter(LevelFilter::INFO)).init();

    let stock_address: SocketAddr = stock_address.parse()?;
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_service_status("pens", tonic_health::ServingStatus::Serving).await;
    let worker = count_shelves(stock.clone())?;
    let ask_worker = MapRequestLayer::new(move |request: Request<Body>| {
        // What is counted belongs to who asks.
        drop(worker.send(context::current()));
        request
    });
    let mut server = tonic::transport::Server::builder().layer(ServerLayer::new(stock)).layer(ask_worker);
    tokio::spawn(server.add_service(health).serve(stock_address));

    let channel = Endpoint::from_shared(format!("http://{stock_address}"))?.connect_lazy();
    let channel = ServiceBuilder::new().layer(ClientLayer::new(shop.clone())).service(channel);
    let route = |extensions: &Extensions| Some(extensions.get::<MatchedPath>()?.as_str().to_owned());
    let app = axum::Router::new()
        .route("/orders/{id}", get(order))
        .layer(ServerLayer::new(shop.clone()).with_route(route))
        .with_state(Shop { stock: HealthClient::new(channel), tracer: shop.clone() });
    let listener = tokio::net::TcpListener::bind(shop_address).await?;
    println!("curl http://{}/orders/7", listener.local_addr()?);
    axum::serve(listener, app).with_graceful_shutdown(async { drop(tokio::signal::ctrl_c().await) }).await?;
    Ok(())
}

#[instrument(skip(shop))]
async fn order(State(mut shop): State<Shop>, Path(id): Path<u32>) -> Result<String, StatusCode> {
    let pens = HealthCheckRequest { service: "pens".to_owned() };
    if let Err(status) = shop.stock.check(pens).await {
        warn!(%status, "the stock does not answer");
        return Err(StatusCode::BAD_GATEWAY);
    }
    info!(price = price(id), "ordered");
    // The answer does not wait for it.
    let parcel = shop.tracer.span("pack parcel").with_attribute("order", id).start();
    tokio::spawn(async move { info!(id, "packed") }.in_span(parcel));
    Ok(format!("order {id} is on its way\n"))
}

/// A worker with a thread of its own, and the way to ask it, each time in the span of who asks.
fn count_shelves(tracer: Tracer) -> std::io::Result<mpsc::Sender<Option<SpanContext>>> {
    let (asks, asked) = mpsc::channel();
    thread::Builder::new().name("shelves".to_owned()).spawn(move || {
        while let Ok(from) = asked.recv() {
            let _from = context::enter(from);
            let mut span = tracer.span("count shelves").start();
            span.set_attribute("shelves", (0..100_000).filter(|shelf| shelf % 7 == 0).count());
        }
    })?;
    Ok(asks)
}

/// Takes its time on one thread.
#[instrument]
fn price(id: u32) -> u32 {
    (0..id * 1000).fold(id, |price, n| price.wrapping_mul(31).wrapping_add(n)) % 100
}
