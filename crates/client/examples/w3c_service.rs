//! A service that passes its trace on, for the test harness of W3C Trace Context
//! (<https://github.com/w3c/trace-context/tree/main/test>).
//!
//! ```text
//! cargo run -p glasshouse-client --example w3c_service -- 127.0.0.1:5000 http://127.0.0.1:4318
//! STRICT_LEVEL=2 SPEC_LEVEL=2 python test.py http://127.0.0.1:5000/test
//! ```

use std::error::Error;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use glasshouse_client::propagation::{extract, inject};
use glasshouse_client::{SpanKind, Tracer, WithContext as _};
use serde::Deserialize;
use serde_json::Value;

/// A request that is to be sent.
#[derive(Debug, Deserialize)]
struct Call {
    url: String,
    arguments: Value,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:5000".to_owned());
    let endpoint = arguments.next().unwrap_or_else(|| "http://127.0.0.1:4318".to_owned());
    let tracer = Tracer::builder(&endpoint).service("w3c").connect()?;
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, Router::new().route("/test", post(test)).with_state(tracer)).await?;
    Ok(())
}

async fn test(
    State(tracer): State<Tracer>,
    headers: HeaderMap,
    Json(calls): Json<Vec<Call>>,
) -> Result<Json<Value>, (StatusCode, String)> {
    let span = tracer.span("POST /test").with_kind(SpanKind::Server);
    let span = match extract(&headers) {
        Some(parent) => span.with_parent(&parent),
        None => span.without_parent(),
    };
    let answer = async {
        for call in calls {
            send(&tracer, call).await.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;
        }
        Ok(Json(Value::Null))
    };
    answer.in_span(span.start()).await
}

async fn send(tracer: &Tracer, call: Call) -> Result<(), ureq::Error> {
    let mut span = tracer.span("POST").with_kind(SpanKind::Client).with_attribute("url.full", &call.url).start();
    let mut request = ureq::post(&call.url).content_type("application/json");
    if let (Some(context), Some(headers)) = (span.context(), request.headers_mut()) {
        inject(context, headers);
    }
    let body = call.arguments.to_string();
    let sent = tokio::task::spawn_blocking(move || request.send(body)).await;
    let answered = sent.expect("to send does not panic").map(drop);
    if let Err(error) = &answered {
        span.record_error(error);
    }
    answered
}
