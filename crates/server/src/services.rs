//! Services and their operations: rate, errors and durations, computed on read.

use axum::Json;
use axum::extract::State;
use glasshouse_api::{ErrorBody, Operation, OperationList, Service, ServiceList};
use glasshouse_model::{DurationNs, Timestamp};

use crate::Refusal;
use crate::params::{Params, PathParam};
use crate::sql::{self, Parameters};
use crate::state::App;

const MAX_SERVICES: usize = 10_000;
const MAX_OPERATIONS: usize = 1_000;

/// Lists services with rate, errors and durations of their requests.
#[utoipa::path(get, path = "/api/services", operation_id = "list_services", tag = "services",
    params(("from" = Option<String>, Query, description = "Spans that start from this time on: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds"),
        ("to" = Option<String>, Query, description = "Spans that start before this time")),
    responses((status = 200, description = "The services", body = ServiceList),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn list(State(app): State<App>, mut params: Params) -> Result<Json<ServiceList>, Refusal> {
    let range = params.range(app.now())?;
    params.finish()?;
    let is_request = "(kind IN ('SERVER', 'CONSUMER') OR parent_span_id IS NULL)";
    let quantile = |q: f64| format!("CAST(approx_percentile_cont(request_ns, {q}) AS BIGINT)");
    let sql = format!(
        "SELECT service_name, count(*) AS spans, count(request) AS requests, count(failed_request) AS errors, \
         count(DISTINCT process_id) AS processes, {p50} AS p50, {p95} AS p95, {p99} AS p99, \
         min(start_time) AS first_seen, max(start_time) AS last_seen \
         FROM (SELECT service_name, process_id, start_time, \
             CASE WHEN {is_request} THEN 1 END AS request, \
             CASE WHEN {is_request} AND status_code = 'ERROR' THEN 1 END AS failed_request, \
             CASE WHEN {is_request} THEN duration_ns END AS request_ns FROM spans) \
         GROUP BY service_name ORDER BY service_name LIMIT {MAX_SERVICES}",
        p50 = quantile(0.5),
        p95 = quantile(0.95),
        p99 = quantile(0.99),
    );
    let _turn = app.query_turn().await?;
    let mut services = Vec::new();
    for rows in sql::rows(&app, sql, Parameters::default(), range).await? {
        let name = rows.text("service_name")?;
        let (spans, requests, errors) = (rows.integer("spans")?, rows.integer("requests")?, rows.integer("errors")?);
        let processes = rows.integer("processes")?;
        let (p50, p95, p99) = (rows.integer("p50")?, rows.integer("p95")?, rows.integer("p99")?);
        let (first_seen, last_seen) = (rows.time("first_seen")?, rows.time("last_seen")?);
        services.extend((0..rows.len()).map(|row| Service {
            name: name.owned(row).unwrap_or_default(),
            span_count: spans.count(row),
            request_count: requests.count(row),
            error_count: errors.count(row),
            process_count: processes.count(row),
            p50_ns: p50.get(row).map(DurationNs::from_nanos),
            p95_ns: p95.get(row).map(DurationNs::from_nanos),
            p99_ns: p99.get(row).map(DurationNs::from_nanos),
            first_seen: Timestamp::from_nanos(first_seen.get(row).unwrap_or_default()),
            last_seen: Timestamp::from_nanos(last_seen.get(row).unwrap_or_default()),
        }));
    }
    Ok(Json(ServiceList { services }))
}

/// Lists the operations of a service, most calls first.
#[utoipa::path(get, path = "/api/services/{name}/operations", operation_id = "list_operations", tag = "services",
    params(("name" = String, Path, description = "`service.name`"),
        ("from" = Option<String>, Query, description = "Spans that start from this time on"),
        ("to" = Option<String>, Query, description = "Spans that start before this time")),
    responses((status = 200, description = "The operations, at most 1000; none when the service has no span in the time", body = OperationList),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn operations(
    State(app): State<App>,
    PathParam(service): PathParam,
    mut params: Params,
) -> Result<Json<OperationList>, Refusal> {
    let range = params.range(app.now())?;
    params.finish()?;
    let mut values = Parameters::default();
    let service = values.text(&service);
    let quantile = |q: f64| format!("CAST(approx_percentile_cont(duration_ns, {q}) AS BIGINT)");
    let sql = format!(
        "SELECT name, kind, count(*) AS spans, count(CASE WHEN status_code = 'ERROR' THEN 1 END) AS errors, \
         {p50} AS p50, {p95} AS p95, {p99} AS p99, max(duration_ns) AS longest \
         FROM spans WHERE service_name = {service} GROUP BY name, kind ORDER BY spans DESC, name, kind LIMIT {MAX_OPERATIONS}",
        p50 = quantile(0.5),
        p95 = quantile(0.95),
        p99 = quantile(0.99),
    );
    let _turn = app.query_turn().await?;
    let mut operations = Vec::new();
    for rows in sql::rows(&app, sql, values, range).await? {
        let (name, kind) = (rows.text("name")?, rows.text("kind")?);
        let (spans, errors) = (rows.integer("spans")?, rows.integer("errors")?);
        let (p50, p95, p99) = (rows.integer("p50")?, rows.integer("p95")?, rows.integer("p99")?);
        let longest = rows.integer("longest")?;
        operations.extend((0..rows.len()).map(|row| Operation {
            name: name.owned(row).unwrap_or_default(),
            kind: kind.owned(row).unwrap_or_default(),
            span_count: spans.count(row),
            error_count: errors.count(row),
            p50_ns: p50.get(row).map(DurationNs::from_nanos),
            p95_ns: p95.get(row).map(DurationNs::from_nanos),
            p99_ns: p99.get(row).map(DurationNs::from_nanos),
            max_ns: longest.get(row).map(DurationNs::from_nanos),
        }));
    }
    Ok(Json(OperationList { operations }))
}
