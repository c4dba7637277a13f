//! What a process has sent, counted on read.

use axum::Json;
use axum::extract::State;
use glasshouse_api::{ErrorBody, LevelCounts, ProcessStatistics};
use glasshouse_model::{Level, TimeRange, Timestamp};

use crate::Refusal;
use crate::params::{Params, PathParam, parse_process_id};
use crate::sql::{self, Parameters, Rows};
use crate::state::App;

/// Counts what a process has sent.
#[utoipa::path(get, path = "/api/process/{process_id}/statistics", operation_id = "get_process_statistics", tag = "processes",
    params(("process_id" = String, Path, description = "UUID"),
        ("from" = Option<String>, Query, description = "Rows from this time on"),
        ("to" = Option<String>, Query, description = "Rows before this time")),
    responses((status = 200, description = "Exact figures; zeros when nothing is known of the process", body = ProcessStatistics),
        (status = 400, description = "Not a UUID", body = ErrorBody)))]
pub(crate) async fn get(
    State(app): State<App>,
    PathParam(process_id): PathParam,
    mut params: Params,
) -> Result<Json<ProcessStatistics>, Refusal> {
    let id = parse_process_id(&process_id)?.to_string();
    let range = params.range(app.now())?;
    params.finish()?;

    let _turn = app.query_turn().await?;
    let level = |level: Level| format!("count(CASE WHEN level = {} THEN 1 END) AS {}", level as u8, column(level));
    let levels = Level::ALL.map(level).join(", ");
    let logs = format!(
        "count(*) AS logs, {levels}, count(CASE WHEN level IS NULL THEN 1 END) AS unspecified, min(time) AS first_time, max(time) AS last_time"
    );
    let ask = async |select: &str, table: &str| {
        let mut values = Parameters::default();
        let id = values.text(&id);
        one(&app, format!("SELECT {select} FROM {table} WHERE process_id = {id}"), values, range).await
    };
    let (spans, logs, metrics) = tokio::try_join!(
        ask(
            "count(*) AS spans, count(CASE WHEN end_time IS NULL THEN 1 END) AS open_spans, \
             count(CASE WHEN status_code = 'ERROR' THEN 1 END) AS errors, count(DISTINCT trace_id) AS traces, \
             count(DISTINCT thread_id) AS threads, min(start_time) AS first_time, \
             max(coalesce(end_time, start_time)) AS last_time",
            "spans"
        ),
        ask(&logs, "logs"),
        ask(
            "count(*) AS points, count(DISTINCT name) AS metrics, min(time) AS first_time, max(time) AS last_time",
            "metrics"
        ),
    )?;

    let times = |name: &str| {
        let times = [&spans, &logs, &metrics].map(|rows| Ok(rows.time(name)?.get(0).map(Timestamp::from_nanos)));
        times.into_iter().collect::<Result<Vec<_>, Refusal>>().map(|times| times.into_iter().flatten())
    };
    let count = |rows: &Rows, name: &str| Ok::<_, Refusal>(rows.integer(name)?.count(0));
    let mut levels = LevelCounts { unspecified: count(&logs, "unspecified")?, ..LevelCounts::default() };
    for level in Level::ALL {
        levels.add(Some(level), count(&logs, &column(level))?);
    }
    Ok(Json(ProcessStatistics {
        span_count: count(&spans, "spans")?,
        open_span_count: count(&spans, "open_spans")?,
        error_count: count(&spans, "errors")?,
        trace_count: count(&spans, "traces")?,
        log_count: count(&logs, "logs")?,
        levels,
        metric_point_count: count(&metrics, "points")?,
        metric_count: count(&metrics, "metrics")?,
        thread_count: count(&spans, "threads")?,
        first_time: times("first_time")?.min(),
        last_time: times("last_time")?.max(),
    }))
}

fn column(level: Level) -> String {
    level.as_str().to_lowercase()
}

/// The one row of an answer.
async fn one(app: &App, sql: String, values: Parameters, range: TimeRange) -> Result<Rows, Refusal> {
    let rows = sql::rows(app, sql, values, range).await?;
    let one = rows.into_iter().find(|rows| rows.len() == 1);
    one.ok_or_else(|| Refusal::internal("the query engine gave no row for counts"))
}
