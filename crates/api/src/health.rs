use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Whether the process lives.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Liveness {
    /// Always `ok`: a process that is not well does not answer.
    pub status: HealthState,
}

/// Whether the server can take data.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Health {
    /// `ok` when data can be taken, even if a part that is not needed for that fails.
    pub status: HealthState,
    /// Version of the server.
    pub version: String,
    /// Each part's state.
    pub parts: Vec<PartHealth>,
}

/// State of one part.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PartHealth {
    /// Name of the part, for example `wal`, `catalog`, `object_store`.
    pub part: String,
    /// Whether it works.
    pub status: HealthState,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub problem: Option<String>,
}

/// Whether something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// It works.
    Ok,
    /// It does not.
    Failing,
}
