//! Which metrics there are.

use axum::Json;
use axum::extract::State;
use glasshouse_api::{ErrorBody, Metric, MetricList};
use glasshouse_model::{TimeRange, Timestamp};

use crate::Refusal;
use crate::params::{Params, PathParam, parse_process_id};
use crate::sql::{self, Parameters};
use crate::state::App;

const MAX_METRICS: usize = 2_000;

/// Lists metrics, by name.
#[utoipa::path(get, path = "/api/metrics", operation_id = "list_metrics", tag = "metrics",
    params(("service" = Option<String>, Query, description = "`service.name` of who sent them"),
        ("from" = Option<String>, Query, description = "With points from this time on"),
        ("to" = Option<String>, Query, description = "With points before this time")),
    responses((status = 200, description = "The metrics", body = MetricList),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn list(State(app): State<App>, mut params: Params) -> Result<Json<MetricList>, Refusal> {
    let service = params.text("service")?;
    let range = params.range(app.now())?;
    params.finish()?;
    find(&app, service.map(|service| ("service_name", service)), range).await
}

/// Lists the metrics of a process, by name.
#[utoipa::path(get, path = "/api/process/{process_id}/metrics", operation_id = "list_process_metrics", tag = "processes",
    params(("process_id" = String, Path, description = "UUID"),
        ("from" = Option<String>, Query, description = "With points from this time on"),
        ("to" = Option<String>, Query, description = "With points before this time")),
    responses((status = 200, description = "The metrics; none when nothing is known of the process", body = MetricList),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn of_process(
    State(app): State<App>,
    PathParam(process_id): PathParam,
    mut params: Params,
) -> Result<Json<MetricList>, Refusal> {
    let process_id = parse_process_id(&process_id)?;
    let range = params.range(app.now())?;
    params.finish()?;
    find(&app, Some(("process_id", process_id.to_string())), range).await
}

async fn find(app: &App, of: Option<(&'static str, String)>, range: TimeRange) -> Result<Json<MetricList>, Refusal> {
    let mut values = Parameters::default();
    let condition = of.map_or_else(String::new, |(column, value)| format!("WHERE {column} = {}", values.text(&value)));
    let sql = format!(
        "SELECT name, kind, max(unit) AS unit, max(description) AS description, count(*) AS points, count(*) OVER () AS found, \
         min(start_time) AS start_time, min(time) AS first_time, max(time) AS last_time FROM metrics {condition} \
         GROUP BY name, kind ORDER BY name, kind LIMIT {MAX_METRICS}"
    );
    let _turn = app.query_turn().await?;
    let mut metrics = Vec::new();
    let mut found = 0;
    for rows in sql::rows(app, sql, values, range).await? {
        let text = |name| rows.text(name);
        let (name, kind, unit, description) = (text("name")?, text("kind")?, text("unit")?, text("description")?);
        let points = rows.integer("points")?;
        let all = rows.integer("found")?;
        found = found.max((0..rows.len()).map(|row| all.count(row)).max().unwrap_or(0));
        let start_time = rows.time("start_time")?;
        let (first_time, last_time) = (rows.time("first_time")?, rows.time("last_time")?);
        metrics.extend((0..rows.len()).map(|row| Metric {
            name: name.owned(row).unwrap_or_default(),
            unit: unit.owned(row).unwrap_or_default(),
            description: description.owned(row).unwrap_or_default(),
            kind: kind.owned(row).unwrap_or_default(),
            point_count: points.count(row),
            start_time: start_time.get(row).map(Timestamp::from_nanos),
            first_time: Timestamp::from_nanos(first_time.get(row).unwrap_or_default()),
            last_time: Timestamp::from_nanos(last_time.get(row).unwrap_or_default()),
        }));
    }
    let hidden_metric_count = found.saturating_sub(metrics.len() as u64) as u32;
    Ok(Json(MetricList { metrics, hidden_metric_count }))
}
