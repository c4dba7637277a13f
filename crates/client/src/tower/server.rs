//! Requests that come in.

use std::fmt::{self, Display};
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Extensions, Method, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::Side;
use super::request::Head;
use super::response::ResponseFuture;
use crate::context;
use crate::propagation;
use crate::tracer::Tracer;

type Route = dyn Fn(&Extensions) -> Option<String> + Send + Sync;

/// Makes a span for each request that comes in: a child of the caller's, and the current one while it is answered. It ends
/// when the whole answer is given.
///
/// For axum, tell where a request's route is:
///
/// ```ignore
/// let layer = ServerLayer::new(tracer).with_route(|extensions| {
///     Some(extensions.get::<axum::extract::MatchedPath>()?.as_str().to_owned())
/// });
/// let app = axum::Router::new().route("/orders/{id}", get(order)).layer(layer);
/// ```
///
/// For tonic: `tonic::transport::Server::builder().layer(ServerLayer::new(tracer))`.
#[derive(Clone)]
pub struct ServerLayer {
    tracer: Tracer,
    route: Arc<Route>,
    scheme: &'static str,
}

/// Functions have nothing to show.
impl fmt::Debug for ServerLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerLayer").field("tracer", &self.tracer).finish_non_exhaustive()
    }
}

impl ServerLayer {
    /// A layer that tells by a tracer.
    pub fn new(tracer: Tracer) -> Self {
        Self { tracer, route: Arc::new(|_| None), scheme: "http" }
    }

    /// How to find a request's route, `/orders/{id}`, in its extensions. Without a route a span has the method's name
    /// only: paths are too many to be names.
    #[must_use]
    pub fn with_route(mut self, route: impl Fn(&Extensions) -> Option<String> + Send + Sync + 'static) -> Self {
        self.route = Arc::new(route);
        self
    }

    /// The scheme of requests that do not tell theirs, as those of HTTP/1.1: `http`, unless told.
    #[must_use]
    pub fn with_scheme(mut self, scheme: &'static str) -> Self {
        self.scheme = scheme;
        self
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> ServerService<S> {
        ServerService { inner, layer: self.clone() }
    }
}

/// A service whose requests have spans; see [`ServerLayer`].
#[derive(Debug, Clone)]
pub struct ServerService<S> {
    inner: S,
    layer: ServerLayer,
}

impl<S, B, R> Service<Request<B>> for ServerService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Display,
    R: http_body::Body,
{
    type Response = Response<super::TracedBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let head = Head {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            route: (self.layer.route)(request.extensions()),
            scheme: self.layer.scheme,
        };
        let caller = propagation::extract(request.headers());
        let call = head.call(&self.layer.tracer, Side::Server, None, |span| match &caller {
            Some(caller) => span.with_parent(caller),
            None => span.without_parent(),
        });
        let has_body = request.method() != Method::HEAD;
        let entered = context::enter(call.context());
        let answer = self.inner.call(request);
        drop(entered);
        ResponseFuture::new(answer, call, has_body)
    }
}
