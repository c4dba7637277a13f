//! A query that runs.

use std::pin::Pin;
use std::task::{Context, Poll};

use glasshouse_client::context;
use picante::PicanteResult;
use pin_project_lite::pin_project;

use crate::Queries;
use crate::layer;
use crate::state::{Polling, State};

pin_project! {
    /// A query that runs, in a span that ends with it, or when it is dropped.
    #[derive(Debug)]
    pub struct Run<F> {
        #[pin]
        query: F,
        state: Option<Box<State>>,
    }
}

impl<F> Run<F> {
    pub(crate) fn new(queries: &Queries, name: &'static str, query: F) -> Self {
        Self { query, state: Some(Box::new(State::new(queries, name))) }
    }
}

impl<T, F: Future<Output = PicanteResult<T>>> Future for Run<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let Some(state) = this.state.take() else { return this.query.poll(task) };
        let entered = context::enter(state.context());
        let polling = Polling::new(state);
        layer::ask();
        let polled = this.query.poll(task);
        let state = polling.end();
        drop(entered);
        match (&polled, state) {
            (Poll::Pending, state) => *this.state = state,
            (Poll::Ready(answer), Some(state)) => state.finish(answer.as_ref().err().map(|error| &**error)),
            (Poll::Ready(_), None) => {}
        }
        polled
    }
}
