//! Bodies of responses, with which a call is over.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf as _;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::Side;
use super::response::Call;
use crate::context::{self, SpanContext};

pin_project! {
    /// The body of a response: the call's span ends with it. What a server makes of it while it is sent is in the span.
    #[derive(Debug, Default)]
    pub struct TracedBody<B> {
        #[pin]
        inner: B,
        call: Option<Call>,
        // The span that the body is made in.
        context: Option<SpanContext>,
        // Bytes that are still to come, when that is known: who has them does not always ask once more.
        rest: Option<u64>,
    }
}

impl<B: Body> TracedBody<B> {
    /// `length` is what the headers tell.
    pub(super) fn new(inner: B, call: Option<Call>, length: Option<u64>) -> Self {
        let of = |side: Side| call.as_ref().filter(|call| call.side() == side);
        // A client's body is read in the span of who reads it.
        let context = of(Side::Server).and_then(Call::context);
        // After the bytes of gRPC there is more.
        let rest = of(Side::Server).filter(|call| !call.is_grpc()).and_then(|_| inner.size_hint().exact().or(length));
        let mut body = Self { inner, call, context, rest };
        if body.inner.is_end_stream() {
            over(&mut body.call);
        }
        body
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
        let entered = this.context.as_ref().map(|context| context::enter(Some(context.clone())));
        let frame = this.inner.as_mut().poll_frame(task);
        drop(entered);
        match &frame {
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(call), Some(trailers)) = (this.call.as_mut(), frame.trailers_ref()) {
                    call.ended_by(trailers);
                }
                if let (Some(rest), Some(data)) = (this.rest.as_mut(), frame.data_ref()) {
                    *rest = rest.saturating_sub(data.remaining() as u64);
                }
                if *this.rest == Some(0) || this.inner.is_end_stream() {
                    over(this.call);
                }
            }
            // What is wrong with it is for its reader.
            Poll::Ready(Some(Err(_))) => {
                if let Some(mut call) = this.call.take() {
                    call.broke_off();
                }
            }
            Poll::Ready(None) => over(this.call),
            Poll::Pending => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
