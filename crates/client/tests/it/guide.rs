//! The code in docs/client.md, compiled, and that it is the same.

#![expect(dead_code, reason = "this is for the compiler")]

use std::error::Error;
use std::time::Duration;

use glasshouse_client::Tracer;
use tonic::transport::Channel;
use tonic_health::pb::health_client::HealthClient;
use tower::ServiceBuilder;

fn spans() -> Result<(), Box<dyn Error>> {
    use glasshouse_client::{SpanKind, Tracer, WithContext as _};
    use std::time::Duration;

    let tracer = Tracer::builder("http://localhost:4318").service("checkout").connect()?;

    let mut span = tracer.span("place order").with_kind(SpanKind::Server).with_attribute("order.items", 3).start();
    {
        let _current = span.enter(); // spans started on this thread are its children
        tracer.span("charge card").start().end();
    }
    span.add_event("confirmed", &[("mail", true.into())]);
    drop(span); // a span ends when it is dropped

    let task = async { /* … */ }.in_span(tracer.span("background work").start()); // current wherever it is polled

    tracer.shutdown(Duration::from_secs(5))?; // or drop the last clone: that waits up to 5 s
    drop(task);
    Ok(())
}

fn tracing(tracer: &Tracer) {
    use glasshouse_client::TracingLayer;
    use tracing_subscriber::filter::LevelFilter;
    use tracing_subscriber::{layer::Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

    tracing_subscriber::registry().with(TracingLayer::new(tracer.clone()).with_filter(LevelFilter::INFO)).init();
}

fn tower(tracer: &Tracer, channel: Channel) {
    use axum::{Router, extract::MatchedPath, routing::get};
    use glasshouse_client::tower::{ClientLayer, ServerLayer};

    let route = |extensions: &http::Extensions| Some(extensions.get::<MatchedPath>()?.as_str().to_owned());
    let layer = ServerLayer::new(tracer.clone()).with_route(route);
    let app = Router::new().route("/orders/{id}", get(order)).layer(layer);

    let channel = ServiceBuilder::new().layer(ClientLayer::new(tracer.clone())).service(channel);
    let stock = HealthClient::new(channel);
    let _: (Router, _) = (app, stock);
}

async fn order() {}

fn logs_and_metrics(tracer: &Tracer, took: Duration) {
    use glasshouse_client::{Level, MetricsCollector};

    tracer.log(Level::Warn, "the cart is stale").with_attribute("cart.age", 92).emit(); // of the current span

    let orders = tracer.metric("shop.orders").with_unit("{order}").with_attribute("shop.country", "fr").counter();
    orders.add(1); // also up_down_counter(), gauge(), histogram()

    let collector = MetricsCollector::new(tracer); // CPU, memory, threads, child processes, by itself
    collector.record_action("import", took, true); // and what the program does
}

/// What is there, without how it is laid out.
fn words(line: &str) -> String {
    let line = line.trim_start_matches("//!").trim_start_matches("# ");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_the_docs_show_is_what_is_compiled() {
    let docs = include_str!("../../../../docs/client.md");
    // The adapters' code is in the documentation of their crates, which is compiled.
    let compiled = [
        include_str!("guide.rs"),
        include_str!("../../../../adapters/rapace/src/lib.rs"),
        include_str!("../../../../adapters/picante/src/lib.rs"),
    ];
    let compiled: Vec<String> = compiled.iter().flat_map(|source| source.lines()).map(words).collect();
    let blocks: Vec<&str> = docs.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(blocks.len(), 6);
    for line in blocks.iter().flat_map(|block| block.lines()).map(words) {
        assert!(compiled.contains(&line), "docs/client.md: {line}");
    }
}

#[test]
fn the_metrics_of_the_docs_are_those_of_the_code() {
    let docs = include_str!("../../../../docs/client.md");
    let code = include_str!("../../src/monitor.rs");
    let names = |text: &str| {
        let rows = text.lines().map(|line| line.trim_start_matches("///").trim());
        let names = rows.filter_map(|row| row.strip_prefix("| `")?.split('`').next());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names(docs), names(code));
    assert!(names(code).len() == 12, "{:?}", names(code));
}
