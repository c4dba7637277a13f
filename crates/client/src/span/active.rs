//! Spans that run, in the hands of who runs them.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;

use glasshouse_model::StatusCode;

use super::{Span, field};
use crate::context::{self, Entered, SpanContext};
use crate::error::with_causes;
use crate::otlp::{Wire as _, attribute, fixed64_field, nested};
use crate::recorder;
#[cfg(feature = "tracing")]
use crate::thread;
use crate::value::AttributeValue;

/// A span that runs. It ends when it is dropped, or by [`ActiveSpan::end`].
///
/// One whose trace is not kept costs little and passes its context on all the same.
#[derive(Debug)]
#[must_use = "a span that is dropped at once is over at once"]
pub struct ActiveSpan {
    /// `None` when tracing is disabled.
    pub(super) span: Option<Box<Span>>,
}

impl ActiveSpan {
    /// What identifies it beyond the program; `None` when tracing is disabled.
    pub fn context(&self) -> Option<&SpanContext> {
        self.span.as_ref().map(|span| &span.context)
    }

    /// Whether it is recorded: when not, what it would be told need not be computed.
    #[inline]
    pub fn is_recording(&self) -> bool {
        self.span.as_ref().is_some_and(|span| span.is_kept)
    }

    /// Makes it the current span of this thread until the guard is dropped. For futures there is
    /// [`WithContext::in_span`](crate::WithContext::in_span).
    pub fn enter(&self) -> Entered {
        context::enter(self.context().cloned().or_else(context::current))
    }

    #[inline]
    pub(crate) fn recorded(&mut self) -> Option<&mut Span> {
        self.span.as_deref_mut().filter(|span| span.is_kept)
    }

    /// Sets an attribute, in place of what it was.
    #[inline]
    pub fn set_attribute<'a>(&mut self, key: &str, value: impl Into<AttributeValue<'a>>) {
        if let Some(span) = self.recorded() {
            span.set_attribute(key, value.into());
        }
    }

    /// Tells of something that happens now.
    #[inline]
    pub fn add_event(&mut self, name: &str, attributes: &[(&str, AttributeValue<'_>)]) {
        let Some(span) = self.recorded() else { return };
        let anchor = span.context.anchor.unwrap_or_default();
        if !span.events.take(span.limits.events) {
            span.is_unusual = true;
            return;
        }
        let most = span.limits.attributes as usize;
        let Some(now) = recorder::now(span.tracer) else { return };
        nested(&mut span.fields, field::EVENTS, |out| {
            fixed64_field(out, 1, now.unix_nanos(anchor));
            out.bytes_field(2, name.as_bytes());
            for (key, value) in attributes.iter().take(most) {
                attribute(out, 3, key, *value);
            }
            if attributes.len() > most {
                out.varint_field(4, (attributes.len() - most) as u64);
            }
        });
    }

    /// Tells of another span that it has to do with.
    pub fn add_link(&mut self, to: &SpanContext) {
        if let Some(span) = self.recorded() {
            span.link(to);
        }
    }

    /// Tells how it went. What was ok stays so.
    pub fn set_status(&mut self, status: StatusCode, message: &str) {
        if let Some(span) = self.recorded() {
            span.set_status(status, message);
        }
    }

    /// Records an error with its causes, as the event `exception`, and that the span failed.
    pub fn record_error<E: Error + ?Sized>(&mut self, error: &E) {
        if !self.is_recording() {
            return;
        }
        let message = with_causes(error);
        self.add_event(
            "exception",
            &[("exception.type", type_name::<E>().into()), ("exception.message", (&message).into())],
        );
        self.set_status(StatusCode::Error, &message);
    }

    /// Gives it another name.
    pub fn set_name(&mut self, name: impl Into<Cow<'static, str>>) {
        if let Some(span) = self.recorded() {
            span.set_name(name.into());
        }
    }

    /// Ends it now.
    #[inline]
    pub fn end(self) {}

    /// It runs on this thread; again, after it did not run for a while, so that others may have run between.
    #[cfg(feature = "tracing")]
    pub(crate) fn enter_thread(&mut self, is_again: bool) {
        if let Some(span) = &mut self.span {
            span.thread = if is_again { 0 } else { thread::number() };
        }
    }

    /// It may go on on another thread, so none is told: for spans that are kept across `.await`.
    pub fn leave_thread(&mut self) {
        if let Some(span) = &mut self.span {
            span.thread = 0;
        }
    }
}

impl Drop for ActiveSpan {
    #[inline]
    fn drop(&mut self) {
        if let Some(span) = self.span.take() {
            finish(span);
        }
    }
}

fn finish(mut span: Box<Span>) {
    if !span.is_kept {
        return recorder::finish(span, None);
    }
    if span.status == StatusCode::Unset && std::thread::panicking() {
        span.status = StatusCode::Error;
        span.is_unusual = true;
        "panicked".clone_into(&mut span.status_message);
    }
    recorder::finish(span, Some(Span::hand_on));
}
