//! Requests that go out.

use std::fmt::Display;
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::Side;
use super::request::Head;
use super::response::{Call, ResponseFuture};
use crate::context;
use crate::propagation;
use crate::tracer::Tracer;

/// Makes a span for each request that goes out, a child of the current one, and tells the server of it by the headers
/// `traceparent` and `tracestate`. The span ends when the whole answer is there, or when the caller drops it.
///
/// For tonic's channels, clients of `hyper-util` and, with the feature `reqwest`, those of `reqwest`:
///
/// ```ignore
/// let channel = ServiceBuilder::new().layer(ClientLayer::new(tracer)).service(channel);
/// let mut shop = ShopClient::new(channel);
/// ```
#[derive(Debug, Clone)]
pub struct ClientLayer {
    tracer: Tracer,
    server: Option<(String, u16)>,
}

impl ClientLayer {
    /// A layer that tells by a tracer.
    pub fn new(tracer: Tracer) -> Self {
        Self { tracer, server: None }
    }

    /// Where requests go to, by address and port: tonic's clients do not say in their requests.
    #[must_use]
    pub fn with_server(mut self, address: &str, port: u16) -> Self {
        self.server = Some((address.to_owned(), port));
        self
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, inner: S) -> ClientService<S> {
        ClientService { inner, layer: self.clone() }
    }
}

/// A client whose requests have spans; see [`ClientLayer`].
#[derive(Debug, Clone)]
pub struct ClientService<S> {
    pub(super) inner: S,
    layer: ClientLayer,
}

impl<S> ClientService<S> {
    /// Starts the span of a request.
    pub(super) fn begin(&self, head: &Head<'_>) -> Call {
        head.call(&self.layer.tracer, Side::Client, self.layer.server.as_ref(), |span| span)
    }
}

impl<S, B, R> Service<Request<B>> for ClientService<S>
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let head = Head {
            method: request.method(),
            uri: request.uri(),
            version: request.version(),
            headers: request.headers(),
            route: None,
            scheme: "http",
        };
        let call = self.begin(&head);
        let context = call.context();
        if let Some(context) = &context {
            propagation::inject(context, request.headers_mut());
        }
        let has_body = request.method() != Method::HEAD;
        let entered = context::enter(context);
        let answer = self.inner.call(request);
        drop(entered);
        ResponseFuture::new(answer, call, has_body)
    }
}
