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
        // `None` when it is dropped.
        #[pin]
        query: Option<F>,
        state: Option<Box<State>>,
    }

    impl<F> PinnedDrop for Run<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // Picante leaves what it was in: that is told to this query, not to one that it is part of.
            if let Some(state) = this.state.take() {
                let polling = Polling::new(state);
                this.query.set(None);
                drop(polling.end());
            }
        }
    }
}

impl<F> Run<F> {
    pub(crate) fn new(queries: &Queries, name: &'static str, query: F) -> Self {
        Self { query: Some(query), state: State::new(queries, name) }
    }
}

impl<T, F: Future<Output = PicanteResult<T>>> Future for Run<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let query = this.query.as_pin_mut().expect("it is there until this is dropped");
        let Some(mut state) = this.state.take() else { return query.poll(task) };
        let entered = context::enter(state.context());
        let is_told = state.is_told();
        let polling = Polling::new(state);
        if !is_told {
            layer::ask();
        }
        let polled = query.poll(task);
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
