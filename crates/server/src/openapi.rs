//! The description of the HTTP API.

use axum::Json;
use utoipa::OpenApi;

use crate::ingest::{otlp_http, stream, zipkin};
use crate::{
    exports, health, logs, metrics, perfetto, process_statistics, processes, prometheus, query, services, spread,
    timeline, traces, views,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Glasshouse",
        description = "Spans, logs and metrics in, traces and SQL out. 64-bit integers (times in Unix nanoseconds, \
             durations in nanoseconds, counts) are decimal strings."
    ),
    paths(
        otlp_http::traces,
        otlp_http::logs,
        otlp_http::metrics,
        stream::upgrade,
        zipkin::spans,
        traces::find,
        traces::get,
        traces::outline,
        traces::spans,
        traces::span,
        traces::logs,
        spread::heatmap,
        spread::series,
        spread::service_map,
        spread::differences,
        spread::attributes,
        query::query,
        query::file,
        processes::list,
        processes::get,
        process_statistics::get,
        timeline::of_process,
        logs::list,
        logs::of_process,
        logs::histogram,
        metrics::of_process,
        views::list,
        views::create,
        views::change,
        views::delete,
        metrics::list,
        metrics::attributes,
        metrics::exemplars,
        metrics::series,
        exports::process_spans,
        perfetto::info,
        perfetto::trace,
        perfetto::generate,
        perfetto::validate,
        services::list,
        services::operations,
        health::live,
        health::ready,
        prometheus::metrics,
    ),
    components(schemas(glasshouse_api::StreamRequest, glasshouse_api::PerfettoProgress, glasshouse_api::KeyValueList, glasshouse_api::ArrayValue)),
    tags(
        (name = "ingest", description = "Sending spans, logs and metrics"),
        (name = "traces", description = "Finding and reading traces"),
        (name = "query", description = "SQL"),
        (name = "processes", description = "Who sent"),
        (name = "logs", description = "Log records"),
        (name = "metrics", description = "Metrics"),
        (name = "perfetto", description = "Perfetto traces"),
        (name = "services", description = "Rate, errors and durations"),
        (name = "views", description = "Saved views of the web app"),
        (name = "operations", description = "Health and figures of the server"),
    )
)]
struct Description;

/// The OpenAPI document of the HTTP API; served at `/api/openapi.json`, and what the web app's types are
/// generated from.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

pub(crate) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(openapi())
}
