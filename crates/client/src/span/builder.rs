//! Spans that are to start.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use glasshouse_model::{SpanKind, Timestamp};

use super::active::ActiveSpan;
use super::{Parent, Span};
use crate::context::SpanContext;
use crate::core::Core;
use crate::value::AttributeValue;

/// A span that is to start.
#[derive(Debug)]
#[must_use = "a span begins with start()"]
pub struct SpanBuilder<'t> {
    /// `None` when tracing is disabled.
    planned: Option<(&'t Arc<Core>, Box<Span>)>,
}

impl<'t> SpanBuilder<'t> {
    #[inline]
    pub(crate) fn new(core: Option<&'t Arc<Core>>, name: Cow<'static, str>) -> Self {
        Self { planned: core.map(|core| (core, Span::plan(core, name))) }
    }

    #[expect(clippy::inline_always, reason = "or else the builder goes through memory at each step")]
    #[inline(always)]
    fn with(mut self, set: impl FnOnce(&mut Span)) -> Self {
        if let Some((_, span)) = &mut self.planned {
            set(span);
        }
        self
    }

    /// What is planned.
    #[cfg(feature = "tracing")]
    pub(crate) fn span_mut(&mut self) -> Option<&mut Span> {
        self.planned.as_mut().map(|(_, span)| &mut **span)
    }

    /// Adds an attribute; a key should be told once.
    #[inline]
    pub fn with_attribute<'a>(self, key: &str, value: impl Into<AttributeValue<'a>>) -> Self {
        self.with(|span| span.attribute(key, value.into()))
    }

    /// What role it plays in a call.
    #[inline]
    pub fn with_kind(self, kind: SpanKind) -> Self {
        self.with(|span| span.kind = kind)
    }

    /// Makes it a child of a span, instead of the current one.
    pub fn with_parent(self, parent: &SpanContext) -> Self {
        self.with(|span| span.parent = Parent::Of(parent.clone()))
    }

    /// Makes it the first span of a trace, whatever span is the current one.
    #[inline]
    pub fn without_parent(self) -> Self {
        self.with(|span| span.parent = Parent::None)
    }

    /// Tells of another span that it has to do with.
    pub fn with_link(self, to: &SpanContext) -> Self {
        self.with(|span| span.link(to))
    }

    /// Lets it have started at a time before now.
    pub fn with_start_time(self, start: SystemTime) -> Self {
        self.with(|span| span.start = Some(Timestamp::from(start).nanos().max(0) as u64))
    }

    /// Starts it.
    #[inline]
    pub fn start(self) -> ActiveSpan {
        let span = self.planned.map(|(core, mut span)| {
            span.begin(core);
            span
        });
        ActiveSpan { span }
    }
}
