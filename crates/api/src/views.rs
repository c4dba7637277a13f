use glasshouse_model::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Saved views, by name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SavedViewList {
    /// The views.
    pub views: Vec<SavedView>,
}

/// A place in the web app that was given a name.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SavedView {
    /// UUID.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The place: path and query of the link, such as `/sql?sql=SELECT+1`.
    pub link: String,
    /// Changes with each change.
    pub revision: i64,
    /// When it was last changed, Unix nanoseconds.
    #[schema(value_type = String)]
    pub updated_time: Timestamp,
}

/// A view to keep.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewView {
    /// Its name: 1 to 200 characters.
    pub name: String,
    /// Path and query of the link, at most 32 KiB.
    pub link: String,
}

/// A view that replaces an earlier revision of itself.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedView {
    /// Its name: 1 to 200 characters.
    pub name: String,
    /// Path and query of the link, at most 32 KiB.
    pub link: String,
    /// The revision that was read; when it is not the newest any more, nothing is changed.
    pub revision: i64,
}
