//! Single observations behind a metric, each with the span in which it was made.

use axum::Json;
use axum::extract::State;
use glasshouse_api::{ErrorBody, MetricExemplar, MetricExemplarList};
use glasshouse_model::{DurationNs, TimeRange, Timestamp, round_step};

use super::Conditions;
use super::series::known_range;
use crate::Refusal;
use crate::params::Params;
use crate::sql::{self, Parameters};
use crate::state::App;

const DEFAULT_LIMIT: usize = 200;
const MAX_LIMIT: usize = 1_000;
/// Of each step, so many.
const PER_STEP: usize = 4;
/// An observation is told with the next point, which may come so much later.
const LATER: DurationNs = DurationNs::from_secs(300);

/// Lists observations behind a metric that tell of their trace: the greatest of each step of time.
#[utoipa::path(get, path = "/api/metrics/exemplars", operation_id = "metric_exemplars", tag = "metrics",
    params(("name" = String, Query, description = "Name of the metric"),
        ("kind" = Option<String>, Query, description = "`GAUGE`, `SUM`, `HISTOGRAM`, `EXPONENTIAL_HISTOGRAM` or `SUMMARY`, where several metrics have the name"),
        ("process" = Option<String>, Query, description = "UUID of a process"),
        ("service" = Option<String>, Query, description = "`service.name`"),
        ("attr.KEY" = Option<String>, Query, description = "Value of the attribute KEY, as text; any number of these"),
        ("from" = Option<String>, Query, description = "From this time on; from the first point when not given"),
        ("to" = Option<String>, Query, description = "Before this time; to the last point when not given"),
        ("limit" = Option<u32>, Query, description = "Most exemplars, about: 1 to 1000; 200 when not given")),
    responses((status = 200, description = "The exemplars, earliest first", body = MetricExemplarList),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn exemplars(State(app): State<App>, mut params: Params) -> Result<Json<MetricExemplarList>, Refusal> {
    let conditions = Conditions::take(&app, &mut params)?;
    let limit = params.limit(DEFAULT_LIMIT, MAX_LIMIT)?;
    params.finish()?;
    let _turn = app.query_turn().await?;
    let range = known_range(&app, &conditions).await?;
    let per_step = PER_STEP.min(limit);
    let step = round_step(range, limit.div_ceil(per_step));
    let mut values = Parameters::default();
    // Not those of the points: what was observed is told later.
    let (from, to) = (values.time(conditions.range.from), values.time(conditions.range.to));
    // A cumulative point repeats its exemplars until there are newer ones.
    let sql = format!(
        "SELECT time, value, trace_id, span_id, service_name FROM (\
           SELECT *, row_number() OVER (PARTITION BY CAST(time AS BIGINT) / {step} ORDER BY value DESC) AS place FROM (\
             SELECT DISTINCT e['time'] AS time, coalesce(e['value'], CAST(e['value_int'] AS DOUBLE)) AS value, \
               e['trace_id'] AS trace_id, e['span_id'] AS span_id, service_name FROM (\
                 SELECT unnest(exemplars) AS e, service_name FROM metrics WHERE exemplars IS NOT NULL AND {conditions}))\
           WHERE trace_id IS NOT NULL AND value IS NOT NULL AND NOT isnan(value) AND time >= {from} AND time < {to})\
         WHERE place <= {per_step} ORDER BY time",
        step = step.nanos(),
        conditions = conditions.sql(&mut values),
    );
    let mut exemplars = Vec::new();
    let read = TimeRange { to: conditions.range.to + LATER, ..conditions.range };
    for rows in sql::rows(&app, sql, values, read).await? {
        let (time, value) = (rows.time("time")?, rows.float("value")?);
        let (trace_id, span_id) = (rows.text("trace_id")?, rows.text("span_id")?);
        let service_name = rows.text("service_name")?;
        for row in 0..rows.len() {
            let (Some(time), Some(trace_id)) = (time.get(row), trace_id.get(row)) else { continue };
            exemplars.push(MetricExemplar {
                time: Timestamp::from_nanos(time),
                value: value.value(row),
                trace_id: trace_id.parse().map_err(|_| Refusal::internal("an exemplar has no trace id"))?,
                span_id: span_id.get(row).and_then(|id| id.parse().ok()),
                service_name: service_name.owned(row).unwrap_or_default(),
            });
        }
    }
    Ok(Json(MetricExemplarList { exemplars }))
}
