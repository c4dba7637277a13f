//! Which path is answered by whom.

use std::any::Any;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use glasshouse_api::ErrorKind;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::set_header::SetResponseHeaderLayer;

use crate::Refusal;
use crate::ingest::{grpc, otlp_http, stream, zipkin};
use crate::request_metrics::observe;
use crate::state::App;
use crate::{
    exports, health, logs, metrics, openapi, perfetto, process_statistics, processes, prometheus, query, services,
    spread, timeline, traces, views, web,
};

/// The main port: everything but gRPC.
pub(crate) fn http(app: App) -> Router {
    let reading = Router::new()
        .route("/v1/traces", get(traces::find))
        .route("/v1/traces/{trace_id}", get(traces::get))
        .route("/v1/traces/{trace_id}/outline", get(traces::outline))
        .route("/v1/traces/{trace_id}/spans", get(traces::spans))
        .route("/v1/traces/{trace_id}/spans/{span_id}", get(traces::span))
        .route("/v1/traces/{trace_id}/logs", get(traces::logs))
        .route("/api/traces/heatmap", get(spread::heatmap))
        .route("/api/traces/differences", get(spread::differences))
        .route("/api/traces/attributes", get(spread::attributes))
        .route("/api/query", post(query::query).get(query::file))
        .route("/api/processes", get(processes::list))
        .route("/api/process/{process_id}", get(processes::get))
        .route("/api/process/{process_id}/statistics", get(process_statistics::get))
        .route("/api/process/{process_id}/timeline", get(timeline::of_process))
        .route("/api/process/{process_id}/log-entries", get(logs::of_process))
        .route("/api/process/{process_id}/metrics", get(metrics::of_process))
        .route("/api/metrics", get(metrics::list))
        .route("/api/metrics/attributes", get(metrics::attributes))
        .route("/api/metrics/exemplars", get(metrics::exemplars))
        .route("/api/metrics/series", get(metrics::series))
        .route("/api/logs", get(logs::list))
        .route("/api/logs/histogram", get(logs::histogram))
        .route("/api/traces/series", get(spread::series))
        .route("/api/services", get(services::list))
        .route("/api/services/map", get(spread::service_map))
        .route("/api/services/{name}/operations", get(services::operations))
        .route("/api/views", get(views::list).post(views::create))
        .route("/api/views/{view_id}", put(views::change).delete(views::delete))
        .route("/api/openapi.json", get(openapi::document))
        .route("/metrics", get(prometheus::metrics))
        .layer(compression())
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")));
    let exports = Router::new()
        .route("/api/process/{process_id}/spans", get(exports::process_spans))
        .route("/api/perfetto/{process_id}/info", get(perfetto::info))
        .route("/api/perfetto/{process_id}/trace", get(perfetto::trace))
        .route("/api/perfetto/{process_id}/generate", post(perfetto::generate))
        .route("/api/perfetto/validate", post(perfetto::validate))
        .layer(SetResponseHeaderLayer::if_not_present(CACHE_CONTROL, HeaderValue::from_static("no-store")));
    let rest = Router::new()
        .route("/v1/traces/stream", get(stream::upgrade))
        .route("/api/v2/spans", post(zipkin::spans))
        .route("/health", get(health::live))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/api/health", get(health::ready));
    finish(reading.merge(exports).merge(rest).merge(otlp()).fallback(web::fallback), app)
}

/// OTLP/HTTP on its standard port.
pub(crate) fn otlp_http(app: App) -> Router {
    finish(otlp().fallback(not_found), app)
}

/// OTLP/gRPC. Who sends OTLP/HTTP to this port, a frequent mistake, is served as well.
pub(crate) fn otlp_grpc(app: App) -> Router {
    finish(grpc::calls().merge(otlp()).fallback(grpc::unknown_call), app)
}

/// Answers are compressed once, on their way: speed counts. Arrow streams and Parquet are compressed
/// themselves or read by programs on the same machine, whose libraries ask for gzip without meaning it.
fn compression() -> CompressionLayer<impl Predicate> {
    let columnar = NotForContentType::const_new("application/vnd.apache");
    CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(DefaultPredicate::new().and(columnar))
}

fn otlp() -> Router<App> {
    Router::new()
        .route("/v1/traces", post(otlp_http::traces))
        .route("/v1/logs", post(otlp_http::logs))
        .route("/v1/metrics", post(otlp_http::metrics))
}

fn finish(router: Router<App>, app: App) -> Router {
    let cors = app.origins.cors();
    router
        .method_not_allowed_fallback(method_not_allowed)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), observe))
        .layer(cors)
        .layer(SetResponseHeaderLayer::if_not_present(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")))
        .with_state(app)
}

async fn not_found(method: Method, uri: Uri) -> Refusal {
    Refusal::not_found(format!("there is no {method} {}", uri.path()))
}

async fn method_not_allowed(method: Method, uri: Uri) -> Refusal {
    Refusal::new(ErrorKind::MethodNotAllowed, format!("{} does not answer to {method}", uri.path()))
}

#[expect(clippy::needless_pass_by_value, reason = "the layer gives it")]
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = message.unwrap_or("unknown"), "a handler panicked");
    Refusal::internal("the server failed to handle the request; its log says more").into_response()
}
