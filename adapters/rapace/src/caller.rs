//! Calls that go out.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Context;
use std::time::{Duration, Instant};

use futures::channel::oneshot;
use futures::future::{self, Either, Shared};
use futures::{FutureExt as _, StreamExt as _, stream};
use glasshouse_client::{SpanContext, SpanKind, Tracer, context};
use rapace::{ErrorCode, Frame, FrameFlags, RpcError, RpcSession, Transport, TransportError};
use tokio::task::unconstrained;

use crate::call::{Call, error_frame, method_name};
use crate::metadata::open_channel;

/// Makes calls by a session, each with a span.
#[derive(Clone)]
pub struct Caller {
    tracer: Tracer,
    session: Arc<RpcSession>,
    propagates: bool,
}

/// Sessions have nothing to show.
impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("tracer", &self.tracer).finish_non_exhaustive()
    }
}

impl Caller {
    /// Calls by a session, whose loop must run: `tokio::spawn(session.clone().run())`.
    pub fn new(tracer: &Tracer, session: Arc<RpcSession>) -> Self {
        Self { tracer: tracer.clone(), session, propagates: true }
    }

    /// Does not tell the server of the trace: for one that does not know what to do with it.
    #[must_use]
    pub fn without_propagation(mut self) -> Self {
        self.propagates = false;
        self
    }

    /// Runs something that makes calls, one or several, by the session that is passed to it. Each call has a span, a child of
    /// the span that is the current one when this is polled first; it ends when the answer is there, with its last item
    /// when it is a stream. What is not answered when the work is done, or dropped, was cancelled.
    ///
    /// - Streams are to be read within.
    /// - A call that cannot be sent ends with `ErrorCode::Unavailable`.
    /// - Notifications have a span each; the server is not told of it.
    /// - Tunnels do not go through that session.
    ///
    /// ```
    /// # #[rapace::service]
    /// # trait Calculator { async fn add(&self, a: i32, b: i32) -> i32; }
    /// # async fn example(caller: glasshouse_rapace::Caller) -> Result<(), rapace::RpcError> {
    /// let sum = caller.run(async |session| CalculatorClient::new(session).add(2, 3).await).await?;
    /// # let _ = sum;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn run<T>(&self, work: impl AsyncFnOnce(Arc<RpcSession>) -> T) -> T {
        let (near, far) = Transport::mem_pair();
        let session = Arc::new(RpcSession::new(near));
        let (working, done) = oneshot::channel();
        let relay = Relay {
            caller: self,
            far,
            parent: context::current(),
            polled: Mutex::new(Instant::now()),
            limit: call_timeout(),
            done: done.shared(),
        };
        let mut relaying = pin!(relay.run());
        let background = Arc::clone(&session).run();
        let mut work = Box::pin(work(session));
        let working_from = |task: &mut Context<'_>| {
            *relay.polled.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            work.as_mut().poll(task)
        };
        let work = pin!(future::poll_fn(working_from));
        let done = match future::select(work, pin!(future::join(background, relaying.as_mut()))).await {
            Either::Left((done, _)) => Ok(done),
            // It has closed the session.
            Either::Right((_, work)) => Err(work.await),
        };
        drop(working);
        match done {
            Ok(done) => {
                relaying.await;
                done
            }
            Err(done) => done,
        }
    }
}

/// Takes the calls of one session to another.
struct Relay<'c> {
    caller: &'c Caller,
    far: Transport,
    parent: Option<SpanContext>,
    /// When the work went on last.
    polled: Mutex<Instant>,
    /// How long rapace's sessions wait for an answer.
    limit: Duration,
    /// Ends with the work that makes the calls.
    done: Shared<oneshot::Receiver<Infallible>>,
}

impl Relay<'_> {
    /// Until the work is done, and what it sent has gone.
    async fn run(&self) {
        let requests = stream::unfold(&self.far, async |far| {
            // When the work is done, what it sent is there: the runtime must not say otherwise to let others run.
            let receiving = pin!(unconstrained(far.recv_frame()));
            match future::select(receiving, self.done.clone()).await {
                Either::Left((request, _)) => Some((request.ok()?, far)),
                Either::Right(_) => None,
            }
        });
        requests.for_each_concurrent(None, |request| self.relay(request)).await;
    }

    async fn relay(&self, request: Frame) {
        let (channel, method) = (request.desc.channel_id, request.desc.method_id);
        let is_stream = request.desc.flags.contains(FrameFlags::NO_REPLY);
        if method == 0 || request.desc.flags.contains(FrameFlags::CONTROL) {
            let error = RpcError::Status {
                code: ErrorCode::Unimplemented,
                message: "tunnels do not go through a session of glasshouse_rapace::Caller".to_owned(),
            };
            return self.answer(channel, error_frame(&error)).await;
        }
        let name = method_name(method);
        let mut call =
            Call::start(&self.caller.tracer, SpanKind::Client, (method, name.as_deref()), |span| match &self.parent {
                Some(parent) => span.with_parent(parent),
                None => span,
            });
        // The session that makes the call does not begin to wait earlier than that.
        let begun = *self.polled.lock().unwrap_or_else(PoisonError::into_inner);
        let is_late = || begun.elapsed() >= self.limit && !is_stream;
        let last = if channel == 0 {
            // Nobody answers it.
            self.send(request, channel).await.map(|()| None)
        } else {
            let answered =
                match future::select(pin!(self.call(request, name.as_deref(), &mut call)), self.done.clone()).await {
                    Either::Left((last, _)) => Some(last),
                    Either::Right(_) => None,
                };
            match answered {
                // The session that made the call has given up.
                _ if is_late() => Err(RpcError::DeadlineExceeded),
                Some(last) => last.map(Some),
                // Nobody waits for the answer.
                None => return,
            }
        };
        let last = last.unwrap_or_else(|error| {
            call.fail(&error);
            Some(error_frame(&error))
        });
        // The span of the call does not end after that of who called.
        call.complete();
        drop(call);
        if let Some(last) = last {
            self.answer(channel, last).await;
        }
    }

    /// Sends a request, and takes its answer back, all but the last frame.
    async fn call(&self, request: Frame, name: Option<&str>, call: &mut Call) -> Result<Frame, RpcError> {
        let session = &self.caller.session;
        let channel = request.desc.channel_id;
        let is_stream = request.desc.flags.contains(FrameFlags::NO_REPLY);
        let outer = session.next_channel_id();
        let mut answers = session.register_tunnel(outer);
        let _registered = Registered { session, channel: outer };
        if self.caller.propagates
            && let Some(context) = call.context().or(self.parent.as_ref())
        {
            let open = open_channel(outer, name.unwrap_or_default(), context);
            session.transport().send_frame(open).await.map_err(RpcError::Transport)?;
        }
        self.send(request, outer).await?;
        while let Some(answer) = answers.recv().await {
            let frame = answer.frame;
            call.see(&frame);
            if !is_stream || frame.desc.flags.intersects(FrameFlags::EOS | FrameFlags::ERROR) {
                return Ok(frame);
            }
            self.answer(channel, frame).await;
        }
        Err(RpcError::Transport(TransportError::Closed))
    }

    async fn send(&self, mut request: Frame, channel: u32) -> Result<(), RpcError> {
        let session = &self.caller.session;
        request.desc.channel_id = channel;
        request.desc.msg_id = session.next_msg_id();
        session.transport().send_frame(request).await.map_err(RpcError::Transport)
    }

    async fn answer(&self, channel: u32, mut frame: Frame) {
        frame.desc.channel_id = channel;
        // When the work is done, nobody waits for it.
        let _ = future::select(pin!(self.far.send_frame(frame)), self.done.clone()).await;
    }
}

/// A channel of a session, as long as it is waited for.
struct Registered<'s> {
    session: &'s RpcSession,
    channel: u32,
}

impl Drop for Registered<'_> {
    fn drop(&mut self) {
        self.session.unregister_tunnel(self.channel);
    }
}

/// As rapace reads it.
fn call_timeout() -> Duration {
    let set = std::env::var("RAPACE_CALL_TIMEOUT_MS").ok().and_then(|text| text.parse().ok());
    Duration::from_millis(set.unwrap_or(30_000))
}
