//! Which web pages may call: CORS and the Origin check of WebSockets.

use std::net::IpAddr;
use std::time::Duration;

use axum::http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE, HOST, ORIGIN, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{Origins, Refusal};

impl Origins {
    fn allow(&self, origin: &HeaderValue) -> bool {
        match self {
            Self::Any => true,
            Self::List(origins) => origins.contains(origin),
            Self::Loopback => {
                origin.to_str().ok().and_then(|text| text.parse().ok()).is_some_and(|uri| is_loopback(&uri))
            }
        }
    }

    /// CORS headers for the pages that may call.
    pub(crate) fn cors(&self) -> CorsLayer {
        let origins = self.clone();
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(move |origin, _| origins.allow(origin)))
            .allow_methods([Method::GET, Method::POST])
            .allow_headers([ACCEPT, CONTENT_TYPE, CONTENT_ENCODING])
            .expose_headers([RETRY_AFTER])
            .max_age(Duration::from_hours(1))
    }

    /// Refuses a WebSocket that a page of another origin opens, unless it may: browsers do not apply
    /// CORS to WebSockets (RFC 6455 section 10.2).
    pub(crate) fn check_websocket(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
        if is_same_host(origin, headers.get(HOST)) || self.allow(origin) {
            return Ok(());
        }
        Err(Refusal::forbidden(format!("origin {origin:?} may not open WebSockets here")))
    }
}

fn is_same_host(origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
    let origin_host = origin.to_str().ok().and_then(|text| text.split_once("://")).map(|(_, host)| host);
    let host = host.and_then(|host| host.to_str().ok());
    matches!((origin_host, host), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b))
}

fn is_loopback(origin: &Uri) -> bool {
    let Some(host) = origin.host() else { return false };
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.to_ascii_lowercase().ends_with(".localhost")
        || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_pages_may_call_and_others_may_not() {
        let check = |origin: &'static str, expected: bool| {
            assert_eq!(Origins::Loopback.allow(&HeaderValue::from_static(origin)), expected, "{origin}");
        };
        check("http://localhost:5173", true);
        check("http://app.localhost", true);
        check("http://127.0.0.1:9090", true);
        check("https://[::1]:8443", true);
        check("http://localhost.evil.example", false);
        check("http://127.0.0.1.evil.example", false);
        check("https://example.com", false);
        check("null", false);
    }

    #[test]
    fn websockets_of_the_same_host_are_allowed() {
        let check = |origin: &'static str, allowed: bool| {
            let headers = HeaderMap::from_iter([
                (HOST, HeaderValue::from_static("traces.example:9090")),
                (ORIGIN, HeaderValue::from_static(origin)),
            ]);
            assert_eq!(Origins::Loopback.check_websocket(&headers).is_ok(), allowed, "{origin}");
        };
        check("http://traces.example:9090", true);
        check("http://traces.example", false);
        check("http://evil.example", false);
    }
}
