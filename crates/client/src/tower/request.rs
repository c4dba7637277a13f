//! What spans tell of requests.

use std::borrow::Cow;

use glasshouse_model::SpanKind;
use http::{HeaderMap, Method, Uri, Version, header};

use super::Side;
use super::response::Call;
use crate::span::SpanBuilder;
use crate::tracer::Tracer;

/// Keys of queries whose values are secret.
const SECRET: [&str; 7] = [
    "AWSAccessKeyId",
    "Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Goog-Signature",
    "sig",
];

/// A request, as far as spans tell of it.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub method: &'a Method,
    pub uri: &'a Uri,
    pub version: Version,
    pub headers: &'a HeaderMap,
    /// The path with names in place of what differs from request to request.
    pub route: Option<String>,
    /// When the address does not tell.
    pub scheme: &'static str,
}

fn rpc_span<'t>(tracer: &'t Tracer, method: &str) -> SpanBuilder<'t> {
    let span = tracer.span(method.to_owned());
    span.with_attribute("rpc.system.name", "grpc").with_attribute("rpc.method", method)
}

impl Head<'_> {
    /// The method of a call of gRPC, `package.Service/Method`; `None` when it is not one.
    pub fn rpc(&self) -> Option<String> {
        let content = self.headers.get(header::CONTENT_TYPE)?.as_bytes().strip_prefix(b"application/grpc")?;
        let is_grpc = matches!(content.first(), None | Some(b'+' | b';'));
        is_grpc.then(|| self.uri.path().trim_start_matches('/').to_owned())
    }

    /// The span of the call, which it starts. `server` is where it goes to, when that is known otherwise.
    pub fn call(
        &self,
        tracer: &Tracer,
        side: Side,
        server: Option<&(String, u16)>,
        parent: impl FnOnce(SpanBuilder<'_>) -> SpanBuilder<'_>,
    ) -> Call {
        let rpc = self.rpc();
        let (kind, span) = match (side, &rpc) {
            (Side::Client, Some(method)) => (SpanKind::Client, rpc_span(tracer, method)),
            (Side::Server, Some(method)) => (SpanKind::Server, rpc_span(tracer, method)),
            (Side::Client, None) => (SpanKind::Client, self.http_span(tracer, side)),
            (Side::Server, None) => (SpanKind::Server, self.http_span(tracer, side)),
        };
        let (address, port) = match server {
            Some((address, port)) => (Some(address.as_str()), Some(*port)),
            None => self.server(),
        };
        let span = match address {
            Some(address) => span.with_attribute("server.address", address),
            None => span,
        };
        let span = match port {
            Some(port) => span.with_attribute("server.port", port),
            None => span,
        };
        let mut span = parent(span.with_kind(kind)).start();
        // It may go on on another thread.
        span.leave_thread();
        Call::new(span, side, rpc)
    }

    fn http_span<'t>(&self, tracer: &'t Tracer, side: Side) -> SpanBuilder<'t> {
        let (method, name) = known_method(self.method);
        let span = match &self.route {
            Some(route) => tracer.span(format!("{name} {route}")).with_attribute("http.route", route),
            None => tracer.span(name),
        };
        let span = span.with_attribute("http.request.method", method);
        let span = if method == OTHER {
            span.with_attribute("http.request.method_original", self.method.as_str())
        } else {
            span
        };
        let text = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        let span = match text(header::USER_AGENT) {
            Some(agent) => span.with_attribute("user_agent.original", agent),
            None => span,
        };
        let query = self.uri.query().map(without_secrets);
        if side == Side::Client {
            return span.with_attribute("url.full", &self.full_url(query.as_deref()));
        }
        let span = match protocol(self.version) {
            Some(version) => span.with_attribute("network.protocol.version", version),
            None => span,
        };
        let span = span
            .with_attribute("url.scheme", self.uri.scheme_str().unwrap_or(self.scheme))
            .with_attribute("url.path", self.uri.path());
        match query {
            Some(query) => span.with_attribute("url.query", &*query),
            None => span,
        }
    }

    /// Where it goes to.
    fn server(&self) -> (Option<&str>, Option<u16>) {
        if let Some(host) = self.uri.host() {
            let default = match self.uri.scheme_str() {
                Some("http") => Some(80),
                Some("https") => Some(443),
                _ => None,
            };
            return (Some(host), self.uri.port_u16().or(default));
        }
        let host = self.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let Some(host) = host else { return (None, None) };
        match host.rsplit_once(':') {
            // A part of an address of IPv6 is no port.
            Some((host, port)) if !port.ends_with(']') => (Some(host), port.parse().ok()),
            _ => (Some(host), None),
        }
    }

    /// The address, without names and passwords.
    fn full_url(&self, query: Option<&str>) -> String {
        let mut url = String::new();
        if let (Some(scheme), Some(authority)) = (self.uri.scheme_str(), self.uri.authority()) {
            let host = authority.as_str().rsplit_once('@').map_or(authority.as_str(), |(_, host)| host);
            url.extend([scheme, "://", host]);
        }
        url.push_str(self.uri.path());
        if let Some(query) = query {
            url.extend(["?", query]);
        }
        url
    }
}

/// What the conventions call that of which there are too many.
pub(super) const OTHER: &str = "_OTHER";

/// What the method is called, and what the span is: anything may be sent as a method, and names shall be few.
fn known_method(method: &Method) -> (&'static str, &'static str) {
    const KNOWN: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"];
    match KNOWN.into_iter().find(|known| known == method) {
        Some(known) => (known, known),
        None => (OTHER, "HTTP"),
    }
}

pub(super) fn protocol(version: Version) -> Option<&'static str> {
    Some(match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => return None,
    })
}

fn without_secrets(query: &str) -> Cow<'_, str> {
    let is_secret = |pair: &str| pair.split_once('=').is_some_and(|(key, _)| SECRET.contains(&key));
    if !query.split('&').any(is_secret) {
        return query.into();
    }
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, _)) if SECRET.contains(&key) => format!("{key}=REDACTED"),
        _ => pair.to_owned(),
    });
    shown.collect::<Vec<_>>().join("&").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Head<'a> {
        Head { method: &Method::GET, uri, version: Version::HTTP_11, headers, route: None, scheme: "http" }
    }

    #[test]
    fn where_a_request_goes_to() {
        let server = |uri: &str, host: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(host) = host {
                headers.insert(header::HOST, host.parse().expect("it is a header"));
            }
            let uri = uri.parse().expect("it is an address");
            let head = head(&uri, &headers);
            let (address, port) = head.server();
            (address.unwrap_or_default().to_owned(), port)
        };
        assert_eq!(server("https://shop.example/a", Some("other")), ("shop.example".into(), Some(443)));
        assert_eq!(server("http://shop.example:81/a", None), ("shop.example".into(), Some(81)));
        assert_eq!(server("/a", Some("shop.example:8080")), ("shop.example".into(), Some(8080)));
        assert_eq!(server("/a", Some("[::1]")), ("[::1]".into(), None));
        assert_eq!(server("/a", Some("[::1]:80")), ("[::1]".into(), Some(80)));
        assert_eq!(server("/a", None), (String::new(), None));
    }

    #[test]
    fn secrets_are_not_told() {
        let uri = "https://me:secret@shop.example/a?x=1&sig=abc&y".parse().expect("it is an address");
        let headers = HeaderMap::new();
        let head = head(&uri, &headers);
        let query = uri.query().map(without_secrets);
        assert_eq!(head.full_url(query.as_deref()), "https://shop.example/a?x=1&sig=REDACTED&y");
    }
}
