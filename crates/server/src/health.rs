//! Liveness and readiness.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use glasshouse_api::{Health, HealthState, Liveness, PartHealth};

use crate::state::App;

/// Whether the process lives (also at `/health`).
#[utoipa::path(get, path = "/health/live", operation_id = "liveness", tag = "operations",
    responses((status = 200, description = "It does", body = Liveness)))]
pub(crate) async fn live() -> Json<Liveness> {
    Json(Liveness { status: HealthState::Ok })
}

/// Whether the server can take data, with each part's state (also at `/api/health`). A part that fails and is not
/// needed for that, such as compaction, leaves the server ready.
#[utoipa::path(get, path = "/health/ready", operation_id = "readiness", tag = "operations",
    responses((status = 200, description = "It can", body = Health), (status = 503, description = "It cannot", body = Health)))]
pub(crate) async fn ready(State(app): State<App>) -> (StatusCode, Json<Health>) {
    let states = app.status.parts();
    let can_accept = states.iter().all(|state| state.problem.is_none() || !state.is_needed_to_accept);
    let mut parts: Vec<_> = states
        .into_iter()
        .map(|state| PartHealth {
            part: state.part.to_owned(),
            status: if state.problem.is_none() { HealthState::Ok } else { HealthState::Failing },
            problem: state.problem,
        })
        .collect();
    let problem = (!app.is_serving()).then(|| {
        let problem = if app.stopping.is_cancelled() { "shutting down" } else { "starting" };
        problem.to_owned()
    });
    let status = if problem.is_none() { HealthState::Ok } else { HealthState::Failing };
    parts.push(PartHealth { part: "server".to_owned(), status, problem });

    let is_ready = can_accept && status == HealthState::Ok;
    let (code, status) = if is_ready {
        (StatusCode::OK, HealthState::Ok)
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, HealthState::Failing)
    };
    (code, Json(Health { status, version: env!("CARGO_PKG_VERSION").to_owned(), parts }))
}
