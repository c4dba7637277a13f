//! Requests that go out by `reqwest`.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use ::reqwest::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::client::ClientService;
use super::request::Head;
use super::response::Call;
use crate::context::{self, SpanContext};
use crate::propagation;

pin_project! {
    /// A request of `reqwest`, until the answer begins: that is where its span ends.
    #[derive(Debug)]
    pub struct ReqwestFuture<F> {
        #[pin]
        inner: F,
        context: Option<SpanContext>,
        call: Option<Call>,
    }
}

impl<F, E> Future for ReqwestFuture<F>
where
    F: Future<Output = Result<Response, E>>,
    E: Display,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = context::enter(this.context.clone());
        let answer = ready!(this.inner.poll(task));
        drop(entered);
        if let Some(mut call) = this.call.take() {
            match &answer {
                Ok(answer) => call.answered(answer.status(), answer.version(), answer.headers()),
                Err(error) => call.failed(error),
            }
        }
        Poll::Ready(answer)
    }
}

impl<S> Service<Request> for ClientService<S>
where
    S: Service<Request, Response = Response>,
    S::Error: Display,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ReqwestFuture<S::Future>;

    fn poll_ready(&mut self, task: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let uri = request.url().as_str().parse().unwrap_or_default();
        let head = Head {
            method: request.method(),
            uri: &uri,
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
        let entered = context::enter(context.clone());
        let inner = self.inner.call(request);
        drop(entered);
        ReqwestFuture { inner, context, call: Some(call) }
    }
}
