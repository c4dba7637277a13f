//! The embedded web app. A release holds `web/dist` inside; a debug build reads it from disk; without it
//! a plain page says so.

use std::collections::HashMap;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use axum::extract::State;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::Refusal;
use crate::state::App;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Dist;

/// Nothing from elsewhere, no inline script, no frame around us.
const POLICY: &str = "default-src 'self'; img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; \
     object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Glasshouse</title>\
     <h1>Glasshouse</h1><p>This build has no web app: <code>web/dist</code> was absent when it was made. \
     The API works: see <a href=\"/api/openapi.json\">its description</a>.</p></html>";

/// Compressed files, made when first asked for.
#[derive(Debug, Default)]
pub(crate) struct WebApp {
    /// By hash of the content, so that there are as many as files.
    compressed: Mutex<HashMap<[u8; 32], Bytes>>,
}

/// Everything that no route answers: files of the web app, its start page for links into it, and JSON
/// for what was meant for the API.
pub(crate) async fn fallback(State(app): State<App>, method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path();
    let is_api = ["/api", "/v1"]
        .iter()
        .any(|root| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')));
    if is_api || !matches!(method, Method::GET | Method::HEAD) {
        return Refusal::not_found(format!("there is no {method} {path}")).into_response();
    }
    let name = path.trim_start_matches('/');
    let mut response = match Dist::get(name).filter(|_| !name.is_empty()) {
        Some(file) => app.web.serve(name, &file, &headers),
        // A missing file is missing; every other path is a place inside the app.
        None if name.rsplit('/').next().is_some_and(|last| last.contains('.')) => {
            Refusal::not_found(format!("there is no {path}")).into_response()
        }
        None => match Dist::get("index.html") {
            Some(file) => app.web.serve("index.html", &file, &headers),
            None => {
                ([(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-cache")], NOT_BUILT).into_response()
            }
        },
    };
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

impl WebApp {
    fn serve(&self, name: &str, file: &EmbeddedFile, headers: &HeaderMap) -> Response {
        let hash = file.metadata.sha256_hash();
        let etag = format!("\"{:032x}\"", u128::from_be_bytes(*hash.first_chunk().expect("a SHA-256 has 32 bytes")));
        // Vite names the files under assets/ after their content.
        let cache = if name.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        let common = [(ETAG, etag.as_str()), (CACHE_CONTROL, cache), (VARY, "accept-encoding")];
        if headers.get(IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == etag.as_bytes()) {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let mime = file.metadata.mimetype();
        let content_type = if mime.starts_with("text/") { format!("{mime}; charset=utf-8") } else { mime.to_owned() };
        let accepts_gzip = headers.get_all(ACCEPT_ENCODING).iter().any(|value| {
            value.to_str().is_ok_and(|value| value.split(',').any(|name| name.trim().split(';').next() == Some("gzip")))
        });
        let is_text = ["text/", "application/javascript", "application/json", "application/wasm", "image/svg"]
            .iter()
            .any(|prefix| mime.starts_with(prefix));
        if accepts_gzip && is_text {
            let body = self.compressed(hash, &file.data);
            return (common, [(CONTENT_TYPE, content_type.as_str()), (CONTENT_ENCODING, "gzip")], body).into_response();
        }
        (common, [(CONTENT_TYPE, content_type)], file.data.to_vec()).into_response()
    }

    fn compressed(&self, hash: [u8; 32], data: &[u8]) -> Bytes {
        let cached = |app: &Self| app.compressed.lock().unwrap_or_else(PoisonError::into_inner).get(&hash).cloned();
        if let Some(bytes) = cached(self) {
            return bytes;
        }
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).expect("memory takes every byte");
        let bytes = Bytes::from(encoder.finish().expect("memory takes every byte"));
        self.compressed.lock().unwrap_or_else(PoisonError::into_inner).insert(hash, bytes.clone());
        bytes
    }
}
