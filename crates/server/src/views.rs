//! Saved views: places in the web app with a name, kept beside the data.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use glasshouse_api::{ChangedView, ErrorBody, ErrorKind, NewView, SavedView, SavedViewList};
use glasshouse_tables::ports::{Document, DocumentError, DocumentText};
use uuid::Uuid;

use crate::Refusal;
use crate::body::read_json;
use crate::params::{Params, PathParam};
use crate::state::App;

const KIND: &str = "view";
/// Largest request.
const MAX_REQUEST: usize = 64 << 10;
const MAX_NAME: usize = 200;
const MAX_LINK: usize = 32 << 10;

/// Lists the saved views, by name.
#[utoipa::path(get, path = "/api/views", operation_id = "list_views", tag = "views",
    responses((status = 200, description = "The views", body = SavedViewList)))]
pub(crate) async fn list(State(app): State<App>, params: Params) -> Result<Json<SavedViewList>, Refusal> {
    params.finish()?;
    let views = app.documents.list(KIND).await?;
    Ok(Json(SavedViewList { views: views.into_iter().map(view).collect() }))
}

/// Keeps a view.
#[utoipa::path(post, path = "/api/views", operation_id = "create_view", tag = "views", request_body = NewView,
    responses((status = 201, description = "The view", body = SavedView),
        (status = 400, description = "The view is wrong, or there are too many", body = ErrorBody),
        (status = 415, description = "The request is not JSON", body = ErrorBody)))]
pub(crate) async fn create(
    State(app): State<App>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<SavedView>), Refusal> {
    let NewView { name, link } = read_json(&headers, body, MAX_REQUEST, &app.body_limits, "a view").await?;
    let created = app.documents.create(KIND, text(&name, link)?).await?;
    Ok((StatusCode::CREATED, Json(view(created))))
}

/// Changes a view.
#[utoipa::path(put, path = "/api/views/{view_id}", operation_id = "change_view", tag = "views",
    params(("view_id" = String, Path, description = "UUID")), request_body = ChangedView,
    responses((status = 200, description = "The view as it is now", body = SavedView),
        (status = 400, description = "The view is wrong", body = ErrorBody),
        (status = 404, description = "No such view is known", body = ErrorBody),
        (status = 409, description = "Somebody else has changed it since", body = ErrorBody)))]
pub(crate) async fn change(
    State(app): State<App>,
    PathParam(id): PathParam,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<SavedView>, Refusal> {
    let id = parse_id(&id)?;
    let ChangedView { name, link, revision } =
        read_json(&headers, body, MAX_REQUEST, &app.body_limits, "a view").await?;
    Ok(Json(view(app.documents.replace(KIND, id, revision, text(&name, link)?).await?)))
}

/// Forgets a view.
#[utoipa::path(delete, path = "/api/views/{view_id}", operation_id = "delete_view", tag = "views",
    params(("view_id" = String, Path, description = "UUID"),
        ("revision" = Option<i64>, Query, description = "Only if this is the newest revision")),
    responses((status = 204, description = "It is forgotten"),
        (status = 404, description = "No such view is known", body = ErrorBody),
        (status = 409, description = "Somebody else has changed it since", body = ErrorBody)))]
pub(crate) async fn delete(
    State(app): State<App>,
    PathParam(id): PathParam,
    mut params: Params,
) -> Result<StatusCode, Refusal> {
    let id = parse_id(&id)?;
    let revision = params.parsed("revision", str::parse)?;
    params.finish()?;
    app.documents.remove(KIND, id, revision).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn parse_id(text: &str) -> Result<Uuid, Refusal> {
    Uuid::try_parse(text).map_err(|_| Refusal::invalid(format!("{text:?} is not the UUID of a view")))
}

/// Name and link as they are kept.
fn text(name: &str, link: String) -> Result<DocumentText, Refusal> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(Refusal::invalid(format!("name: 1 to {MAX_NAME} characters are expected")));
    }
    if name.chars().any(char::is_control) {
        return Err(Refusal::invalid("name: it has a control character"));
    }
    // A path within the app: `//host` would lead out of it, as would `/\host`.
    let is_within = link.starts_with('/') && !link.starts_with("//") && !link.starts_with("/\\");
    if !is_within || link.len() > MAX_LINK || link.chars().any(char::is_control) {
        return Err(Refusal::invalid("link: path and query of a page are expected")
            .with_details(format!("such as /traces?service=shop, of at most {MAX_LINK} bytes")));
    }
    Ok(DocumentText { name: name.to_owned(), body: link })
}

fn view(Document { id, text, revision, updated }: Document) -> SavedView {
    SavedView { id: id.to_string(), name: text.name, link: text.body, revision, updated_time: updated }
}

impl From<DocumentError> for Refusal {
    fn from(error: DocumentError) -> Self {
        let message = error.to_string();
        match error {
            DocumentError::Unknown => Self::not_found(message),
            DocumentError::Stale(_) => Self::new(ErrorKind::Conflict, message).with_details("read it again"),
            DocumentError::Full(_) => Self::invalid(message).with_details("delete some that are not needed"),
            DocumentError::Unavailable(_) => Self::unavailable(message),
        }
    }
}
