//! What identifies a span beyond its program, and the span that code runs in.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use glasshouse_model::{SpanId, TraceId};
use pin_project_lite::pin_project;

use crate::ids::{SpanWord, TraceWords};
use crate::propagation::TraceState;
use crate::span::ActiveSpan;

/// Flags of a trace, as [W3C](https://www.w3.org/TR/trace-context-2/#trace-flags) defines them; others are forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct TraceFlags(u8);

impl TraceFlags {
    /// The trace is kept, as far as the caller knows.
    pub const SAMPLED: Self = Self(1);
    /// The last seven bytes of the trace's id are random.
    pub const RANDOM: Self = Self(2);

    /// The flags that are known, of all that were sent.
    pub fn from_bits(bits: u8) -> Self {
        Self(bits & (Self::SAMPLED.0 | Self::RANDOM.0))
    }

    /// As a byte.
    pub fn bits(self) -> u8 {
        self.0
    }

    /// Whether the trace is kept.
    pub fn is_sampled(self) -> bool {
        self.0 & Self::SAMPLED.0 != 0
    }

    /// These, with the trace kept or not.
    #[must_use]
    pub(crate) fn with_sampled(self, is_sampled: bool) -> Self {
        Self(self.0 & !Self::SAMPLED.0 | u8::from(is_sampled))
    }
}

impl fmt::Debug for TraceFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02x}", self.0)
    }
}

/// What identifies a span beyond its program.
#[derive(Debug, Clone)]
pub struct SpanContext {
    pub(crate) trace: TraceWords,
    pub(crate) span: SpanWord,
    pub(crate) flags: TraceFlags,
    pub(crate) trace_state: TraceState,
    /// Of a span of this program, what its trace's clock shows at the beginning of ticks; `None` when it came from elsewhere.
    pub(crate) anchor: Option<i64>,
}

/// Where a span came from does not matter.
impl PartialEq for SpanContext {
    fn eq(&self, other: &Self) -> bool {
        let of = |context: &Self| (context.trace, context.span, context.flags);
        of(self) == of(other) && self.trace_state == other.trace_state
    }
}

impl SpanContext {
    /// A span of another program.
    pub fn remote(trace_id: TraceId, span_id: SpanId, flags: TraceFlags, trace_state: TraceState) -> Self {
        Self { trace: trace_id.into(), span: span_id.into(), flags, trace_state, anchor: None }
    }

    /// A span that is to start.
    pub(crate) fn unknown() -> Self {
        let (trace, span) = (TraceWords::NONE, SpanWord::NONE);
        Self { trace, span, flags: TraceFlags::default(), trace_state: TraceState::default(), anchor: None }
    }

    /// Its trace.
    pub fn trace_id(&self) -> TraceId {
        self.trace.get().expect("an id is not zero")
    }

    /// Its id in the trace.
    pub fn span_id(&self) -> SpanId {
        self.span.get().expect("an id is not zero")
    }

    /// Flags of the trace.
    pub fn flags(&self) -> TraceFlags {
        self.flags
    }

    /// Whether the trace is kept.
    pub fn is_sampled(&self) -> bool {
        self.flags.is_sampled()
    }

    /// What vendors pass along.
    pub fn trace_state(&self) -> &TraceState {
        &self.trace_state
    }

    /// Whether it is a span of another program.
    pub fn is_remote(&self) -> bool {
        self.anchor.is_none()
    }
}

thread_local! {
    static CURRENT: RefCell<Option<SpanContext>> = const { RefCell::new(None) };
}

/// The span that this code runs in.
pub fn current() -> Option<SpanContext> {
    with_current(|current| Some(current?.clone()))
}

/// Looks at the span that this code runs in.
#[inline]
pub(crate) fn with_current<R>(with: impl FnOnce(Option<&SpanContext>) -> R) -> R {
    let mut with = Some(with);
    let done = CURRENT.try_with(|current| with.take().map(|with| with(current.borrow().as_ref())));
    // A thread that is ending has no current span any more.
    done.ok().flatten().unwrap_or_else(|| with.take().expect("it was not called")(None))
}

/// Makes a span the current one of this thread; gives what was. For those who learn of begin and end apart, as listeners
/// do, and cannot keep the guard of [`enter`].
pub fn replace(context: Option<SpanContext>) -> Option<SpanContext> {
    // A thread that is ending has no current span any more.
    CURRENT.try_with(|current| current.replace(context)).ok().flatten()
}

/// Makes a span the current one of this thread until the guard is dropped. Not across `.await`: see [`WithContext`].
pub fn enter(context: Option<SpanContext>) -> Entered {
    Entered { before: replace(context), thread: PhantomData }
}

/// A span is the current one while this lives.
#[derive(Debug)]
#[must_use = "the span is the current one only while the guard lives"]
pub struct Entered {
    before: Option<SpanContext>,
    thread: PhantomData<*const ()>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        replace(self.before.take());
    }
}

/// Futures that run in a span, on whatever thread they are polled.
pub trait WithContext: Future + Sized {
    /// Runs in a span, which ends with the future, or when that is dropped.
    ///
    /// ```
    /// # async fn work() {}
    /// # fn example(tracer: &glasshouse_client::Tracer) {
    /// use glasshouse_client::WithContext as _;
    /// let task = work().in_span(tracer.span("work").start());
    /// # drop(task);
    /// # }
    /// ```
    fn in_span(self, mut span: ActiveSpan) -> InContext<Self> {
        span.leave_thread();
        InContext { future: self, context: span.context().cloned().or_else(current), span: Some(span) }
    }

    /// Runs in the current span, for what is spawned.
    fn in_current_span(self) -> InContext<Self> {
        self.in_context(current())
    }

    /// Runs in a span that ends elsewhere.
    fn in_context(self, context: Option<SpanContext>) -> InContext<Self> {
        InContext { future: self, context, span: None }
    }
}

impl<F: Future> WithContext for F {}

pin_project! {
    /// A future that runs in a span.
    #[derive(Debug)]
    pub struct InContext<F> {
        #[pin]
        future: F,
        context: Option<SpanContext>,
        span: Option<ActiveSpan>,
    }
}

impl<F: Future> Future for InContext<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let entered = enter(this.context.clone());
        let polled = this.future.poll(task);
        drop(entered);
        if polled.is_ready() {
            *this.span = None;
        }
        polled
    }
}
