//! Bodies of responses, with which a call is over.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::response::Call;

pin_project! {
    /// The body of a response: the call's span ends with it.
    #[derive(Debug)]
    pub struct TracedBody<B> {
        #[pin]
        inner: B,
        call: Option<Call>,
    }
}

impl<B: Body> TracedBody<B> {
    pub(super) fn new(inner: B, call: Option<Call>) -> Self {
        let mut body = Self { inner, call };
        body.look_whether_it_is_over();
        body
    }

    /// Not every reader asks once more when it has all.
    fn look_whether_it_is_over(&mut self) {
        if self.inner.is_end_stream() {
            over(&mut self.call);
        }
    }
}

fn over(call: &mut Option<Call>) {
    if let Some(mut call) = call.take() {
        call.complete();
    }
}

impl<B: Body> Body for TracedBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(task));
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(call), Some(trailers)) = (this.call.as_mut(), frame.trailers_ref()) {
                    call.ended_by(trailers);
                }
                if this.inner.is_end_stream() {
                    over(this.call);
                }
            }
            Some(Err(_)) => {
                if let Some(mut call) = this.call.take() {
                    call.broke_off();
                }
            }
            None => over(this.call),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
