//! How the spans of a search spread, what tells some from the others, and which attributes they have.

use axum::Json;
use axum::extract::State;
use glasshouse_api as api;
use glasshouse_model::SpanSelection;

use crate::Refusal;
use crate::params::Params;
use crate::state::App;
use crate::traces;

const DEFAULT_COLUMNS: usize = 120;
const MAX_COLUMNS: usize = 1_000;
const DEFAULT_POINTS: usize = 100;
const MAX_POINTS: usize = 1_000;
const DEFAULT_VALUES: usize = 30;
const MAX_VALUES: usize = 500;

/// Numbers of the spans that match, those that have ended, by start and duration. Takes the conditions of
/// `GET /v1/traces`. A span that was sent twice counts once; when the two differ, the one that is found first.
#[utoipa::path(get, path = "/api/traces/heatmap", operation_id = "trace_heatmap", tag = "traces",
    params(traces::SearchParams,
        ("columns" = Option<u32>, Query, description = "Most columns, 1 to 1000; 120 when not given")),
    responses((status = 200, description = "The numbers", body = api::Heatmap),
        (status = 400, description = "A parameter is wrong", body = api::ErrorBody)))]
pub(crate) async fn heatmap(State(app): State<App>, mut params: Params) -> Result<Json<api::Heatmap>, Refusal> {
    let filter = traces::search(&mut params, &app)?;
    let columns = params.count("columns", DEFAULT_COLUMNS, MAX_COLUMNS)?;
    params.finish()?;
    let _turn = app.query_turn().await?;
    Ok(Json(app.traces.heatmap(&filter, columns).await?.into()))
}

/// Rate, errors and durations of the spans that match over time. Takes the conditions of `GET /v1/traces`; a span counts
/// when it has ended.
#[utoipa::path(get, path = "/api/traces/series", operation_id = "trace_series", tag = "traces",
    params(traces::SearchParams,
        ("points" = Option<u32>, Query, description = "Most points, 1 to 1000; 100 when not given")),
    responses((status = 200, description = "The figures", body = api::SpanSeries),
        (status = 400, description = "A parameter is wrong", body = api::ErrorBody)))]
pub(crate) async fn series(State(app): State<App>, mut params: Params) -> Result<Json<api::SpanSeries>, Refusal> {
    let filter = traces::search(&mut params, &app)?;
    let points = params.count("points", DEFAULT_POINTS, MAX_POINTS)?;
    params.finish()?;
    let _turn = app.query_turn().await?;
    Ok(Json(app.traces.series(&filter, points).await?.into()))
}

/// The services of the spans that match, and the calls between them. Takes the conditions of `GET /v1/traces`: a call counts
/// when the span of the called service meets them, and has ended.
#[utoipa::path(get, path = "/api/services/map", operation_id = "service_map", tag = "services",
    params(traces::SearchParams),
    responses((status = 200, description = "The services and calls", body = api::ServiceMap),
        (status = 400, description = "A parameter is wrong", body = api::ErrorBody)))]
pub(crate) async fn service_map(State(app): State<App>, mut params: Params) -> Result<Json<api::ServiceMap>, Refusal> {
    let filter = traces::search(&mut params, &app)?;
    params.finish()?;
    let _turn = app.query_turn().await?;
    Ok(Json(app.traces.service_map(&filter).await?.into()))
}

/// What tells selected spans from the others that match: which values of attributes are more frequent among them. Takes
/// the conditions of `GET /v1/traces`; open spans are left out.
#[utoipa::path(get, path = "/api/traces/differences", operation_id = "trace_differences", tag = "traces",
    params(traces::SearchParams,
        ("selected_from" = Option<String>, Query, description = "Selected are spans that start at this time or later"),
        ("selected_to" = Option<String>, Query, description = "Selected are spans that start before this time"),
        ("selected_min_duration" = Option<String>, Query, description = "Least duration of those selected"),
        ("selected_max_duration" = Option<String>, Query, description = "Greatest duration of those selected"),
        ("selected_error" = Option<bool>, Query, description = "Whether the status of those selected is ERROR"),
        ("limit" = Option<u32>, Query, description = "Most values, 1 to 500; 30 when not given")),
    responses((status = 200, description = "The values, the greatest difference first", body = api::Differences),
        (status = 400, description = "A parameter is wrong", body = api::ErrorBody)))]
pub(crate) async fn differences(State(app): State<App>, mut params: Params) -> Result<Json<api::Differences>, Refusal> {
    let filter = traces::search(&mut params, &app)?;
    let range = params.range_between("selected_from", "selected_to", app.now())?;
    let [min_duration, max_duration] = params.durations("selected_min_duration", "selected_max_duration")?;
    let selection = SpanSelection { range, min_duration, max_duration, error: params.flag("selected_error")? };
    let limit = params.limit(DEFAULT_VALUES, MAX_VALUES)?;
    params.finish()?;
    if selection == SpanSelection::default() {
        return Err(Refusal::invalid(
            "nothing is selected: give selected_from, selected_to, selected_min_duration, selected_max_duration or \
             selected_error",
        ));
    }
    let _turn = app.query_turn().await?;
    Ok(Json(app.traces.differences(&filter, &selection, limit).await?.into()))
}

/// The attributes of matching spans and of their resources, with their most frequent values: of some of the newest
/// spans. Takes the conditions of `GET /v1/traces`.
#[utoipa::path(get, path = "/api/traces/attributes", operation_id = "trace_attributes", tag = "traces",
    params(traces::SearchParams),
    responses((status = 200, description = "The attributes, the most frequent first", body = api::AttributeSurvey),
        (status = 400, description = "A parameter is wrong", body = api::ErrorBody)))]
pub(crate) async fn attributes(
    State(app): State<App>,
    mut params: Params,
) -> Result<Json<api::AttributeSurvey>, Refusal> {
    let filter = traces::search(&mut params, &app)?;
    params.finish()?;
    let _turn = app.query_turn().await?;
    Ok(Json(app.traces.attributes(&filter).await?.into()))
}
