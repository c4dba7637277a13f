//! Calls that come in.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use glasshouse_client::{SpanKind, Tracer, WithContext as _, context};
use rapace::{Frame, FrameFlags, MsgDescHot, RpcError, RpcSession, Transport};

use crate::call::{Call, error_frame, method_name};
use crate::metadata::{Callers, is_open_channel};

/// The method of the frame that ends a stream here, on no wire.
const END: u32 = u32::MAX;

/// Answers a session's calls by a dispatcher, and makes a span of each: a child of the caller's, and the current one while
/// it is answered. It ends with the answer, with its last item when it is a stream.
///
/// The dispatcher is made by `service`, which gets the transport by which streams are to be sent. Call it within a Tokio
/// runtime.
pub fn serve<D, F>(tracer: &Tracer, session: &RpcSession, service: impl FnOnce(Transport) -> D)
where
    D: Fn(Frame) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Frame, RpcError>> + Send + 'static,
{
    let (near, far) = Transport::mem_pair();
    let streams = Arc::new(Streams::default());
    tokio::spawn(relay(far, session.transport().clone(), Arc::clone(&streams)));
    let (tracer, callers, dispatch) = (tracer.clone(), Mutex::new(Callers::default()), service(near.clone()));
    // The session calls this for one frame after the other, so a channel is opened before its request.
    session.set_dispatcher(move |frame| {
        let mut callers = callers.lock().unwrap_or_else(PoisonError::into_inner);
        let request =
            if is_open_channel(&frame) {
                callers.note(&frame);
                None
            } else {
                let channel = frame.desc.channel_id;
                let caller = callers.take(channel);
                drop(callers);
                let method = frame.desc.method_id;
                let call = Call::start(&tracer, SpanKind::Server, (method, method_name(method).as_deref()), |span| {
                    match &caller {
                        Some(caller) => span.with_parent(caller),
                        None => span.without_parent(),
                    }
                });
                let is_stream = channel != 0 && frame.desc.flags.contains(FrameFlags::NO_REPLY);
                let context = call.context().cloned().or(caller);
                let entered = context::enter(context.clone());
                let answer = dispatch(frame);
                drop(entered);
                let stream = is_stream.then(|| (Arc::clone(&streams), near.clone(), channel));
                Some((call, answer.in_context(context), stream))
            };
        async move {
            let Some((mut call, answer, stream)) = request else { return Ok(Frame::new(MsgDescHot::new())) };
            let Some((streams, near, channel)) = stream else {
                let answer = answer.await;
                match &answer {
                    Ok(frame) => call.see(frame),
                    Err(error) => call.fail(error),
                }
                call.complete();
                return answer;
            };
            let running = streams.begin(channel, call);
            let answer = answer.await;
            if let Err(error) = &answer {
                running.fail(error);
            }
            running.end_after_what_was_sent(&near).await;
            answer
        }
    });
}

/// Calls whose answers are streams, by channel.
#[derive(Debug, Default)]
struct Streams(Mutex<HashMap<u32, Call>>);

impl Streams {
    fn begin(self: Arc<Self>, channel: u32, call: Call) -> RunningStream {
        self.lock().insert(channel, call);
        RunningStream { streams: Some(self), channel }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that is being sent. When it is dropped, it was cancelled.
struct RunningStream {
    streams: Option<Arc<Streams>>,
    channel: u32,
}

impl RunningStream {
    /// It ended with an error that was not sent.
    fn fail(&self, error: &RpcError) {
        if let Some(call) = self.streams.as_ref().and_then(|streams| streams.lock().remove(&self.channel)) {
            call.failed(error);
        }
    }

    /// Its call ends when all of it that was sent has gone.
    async fn end_after_what_was_sent(mut self, near: &Transport) {
        let mut desc = MsgDescHot::new();
        desc.channel_id = self.channel;
        desc.method_id = END;
        desc.flags = FrameFlags::CONTROL;
        if near.send_frame(Frame::new(desc)).await.is_ok() {
            self.streams = None;
        }
    }
}

impl Drop for RunningStream {
    fn drop(&mut self) {
        let call = self.streams.take().and_then(|streams| streams.lock().remove(&self.channel));
        drop(call);
    }
}

/// Takes streams to the caller, and looks at how they end; until the session is no more.
async fn relay(from: Transport, to: Transport, streams: Arc<Streams>) {
    while let Ok(frame) = from.recv_frame().await {
        let (channel, flags) = (frame.desc.channel_id, frame.desc.flags);
        let is_end = flags.contains(FrameFlags::CONTROL) && frame.desc.method_id == END;
        if is_end || flags.intersects(FrameFlags::EOS | FrameFlags::ERROR) {
            let call = streams.lock().remove(&channel);
            if let Some(mut call) = call {
                call.see(&frame);
                call.complete();
            }
        }
        if is_end {
            continue;
        }
        if let Err(error) = to.send_frame(frame).await {
            let error = RpcError::Transport(error);
            let call = streams.lock().remove(&channel);
            if let Some(call) = call {
                call.failed(&error);
            }
            // Another frame may have room, or may be small enough.
            let mut told = error_frame(&error);
            told.desc.channel_id = channel;
            if to.send_frame(told).await.is_err() {
                return;
            }
        }
    }
}
