//! What a process did over time, as it is drawn.

use axum::Json;
use axum::extract::State;
use glasshouse_api::{ErrorBody, Timeline};
use glasshouse_model::{Kinds, Subject, TimelineRequest};

use crate::Refusal;
use crate::exports::unknown;
use crate::params::{Params, PathParam, parse_process_id};
use crate::state::App;

/// Slices next to each other, unless told otherwise.
const DEFAULT_COLUMNS: usize = 1_000;
const MAX_COLUMNS: usize = 10_000;

/// What the threads of a process and its asynchronous work did over time, with as much detail as is seen.
#[utoipa::path(get, path = "/api/process/{process_id}/timeline", operation_id = "get_process_timeline", tag = "processes",
    params(("process_id" = String, Path, description = "UUID"),
        ("from" = Option<String>, Query, description = "Spans that run at this time or later"),
        ("to" = Option<String>, Query, description = "Spans that start before this time"),
        ("kinds" = Option<String>, Query, description = "Of `thread,async`: spans that tell their thread, and the others; both when not given"),
        ("columns" = Option<u32>, Query, description = "How many slices are seen next to each other at most, 1 to 10000, such as half the pixels of the picture; 1000 when not given. Without `from` and `to`, as many as there ever are")),
    responses((status = 200, description = "The picture; empty when the process has no spans in the time", body = Timeline),
        (status = 400, description = "A parameter is wrong", body = ErrorBody),
        (status = 404, description = "No such process is known", body = ErrorBody)))]
pub(crate) async fn of_process(
    State(app): State<App>,
    PathParam(process_id): PathParam,
    mut params: Params,
) -> Result<Json<Timeline>, Refusal> {
    let subject = Subject::Process(parse_process_id(&process_id)?);
    let range = params.range(app.now())?;
    let kinds: Option<Kinds> = params.parsed("kinds", str::parse)?;
    if kinds.is_some_and(|kinds: Kinds| !kinds.has_spans()) {
        return Err(Refusal::invalid("parameter kinds: a timeline is of spans: thread, async"));
    }
    let columns = params.count("columns", DEFAULT_COLUMNS, MAX_COLUMNS)?;
    params.finish()?;

    let _turn = app.query_turn().await?;
    let request = TimelineRequest { subject, kinds: kinds.unwrap_or_default(), range };
    let chart = app.exporter.flame_chart(request, columns as u32).await?;
    chart.map(|chart| Json(chart.into())).ok_or_else(|| unknown(subject))
}
