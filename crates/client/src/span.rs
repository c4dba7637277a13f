//! Spans while they run.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

use glasshouse_model::{SpanKind, StatusCode, Timestamp};

use crate::clock::Ticks;
use crate::context::{self, Entered, SpanContext, TraceFlags};
use crate::core::Core;
use crate::error::with_causes;
use crate::ids::SpanWord;
use crate::open::Open;
use crate::otlp::{SPAN_ATTRIBUTES, Wire as _, attribute, find_attribute, fixed32_field, fixed64_field, nested};
use crate::propagation::TraceState;
use crate::recorder::{self, Recorder, SPARE_BYTES};
use crate::ring::{Record, SpanRecord};
use crate::signal::Signal;
use crate::thread;
use crate::tracer::{SpanLimits, TracerNumber};
use crate::value::AttributeValue;

/// Fields of OTLP's `Span`.
mod field {
    pub const TRACE_STATE: u32 = 3;
    pub const NAME: u32 = 5;
    pub const ATTRIBUTES: u32 = super::SPAN_ATTRIBUTES;
    pub const DROPPED_ATTRIBUTES: u32 = 10;
    pub const EVENTS: u32 = 11;
    pub const DROPPED_EVENTS: u32 = 12;
    pub const LINKS: u32 = 13;
    pub const DROPPED_LINKS: u32 = 14;
    pub const STATUS: u32 = 15;
}

/// A span that is to start.
#[derive(Debug)]
#[must_use = "a span begins with start()"]
pub struct SpanBuilder<'t> {
    /// `None` when tracing is disabled.
    planned: Option<(&'t Arc<Core>, Box<Span>)>,
}

/// What is known of a span. Its memory is used again by spans that come later.
#[derive(Debug)]
pub(crate) struct Span {
    pub tracer: TracerNumber,
    limits: SpanLimits,
    name: Cow<'static, str>,
    pub kind: SpanKind,
    parent: Parent,
    pub context: SpanContext,
    parent_id: SpanWord,
    /// Whether the parent is a span of another program.
    is_parent_remote: bool,
    /// Whether it is recorded.
    is_kept: bool,
    /// When it started, in nanoseconds since the Unix epoch; before it starts, only when that was told.
    start: Option<u64>,
    /// The thread it runs on; 0 when it may go from one to another.
    thread: u64,
    status: StatusCode,
    status_message: String,
    /// Attributes, events and links in their form for the wire.
    fields: Vec<u8>,
    attributes: Counted,
    events: Counted,
    links: Counted,
    /// Whether it has fields that few spans have.
    is_unusual: bool,
}

#[derive(Debug)]
enum Parent {
    Current,
    None,
    Of(SpanContext),
}

/// How many there are, and how many more were not kept.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counted {
    kept: u32,
    pub dropped: u32,
}

impl Counted {
    #[inline]
    pub fn take(&mut self, most: u32) -> bool {
        let is_kept = self.kept < most;
        *(if is_kept { &mut self.kept } else { &mut self.dropped }) += 1;
        is_kept
    }
}

impl Span {
    #[inline]
    pub fn new() -> Box<Self> {
        Box::new(Self {
            tracer: TracerNumber(0),
            limits: SpanLimits { attributes: 0, events: 0, links: 0 },
            name: Cow::Borrowed(""),
            kind: SpanKind::Internal,
            parent: Parent::Current,
            context: SpanContext::unknown(),
            parent_id: SpanWord::NONE,
            is_parent_remote: false,
            is_kept: false,
            start: None,
            thread: 0,
            status: StatusCode::Unset,
            status_message: String::new(),
            fields: Vec::new(),
            attributes: Counted::default(),
            events: Counted::default(),
            links: Counted::default(),
            is_unusual: false,
        })
    }

    /// A span that is to start. Not inlined, so that what calls it is small where tracing is disabled.
    #[inline(never)]
    fn plan(core: &Arc<Core>, name: Cow<'static, str>) -> Box<Self> {
        let mut span = recorder::new_span(core);
        span.reset(core, name);
        span
    }

    /// Makes it a new one.
    #[inline]
    fn reset(&mut self, core: &Core, name: Cow<'static, str>) {
        self.tracer = core.number;
        self.limits = core.limits.span;
        self.is_unusual = matches!(name, Cow::Owned(_));
        self.name = name;
        self.kind = SpanKind::Internal;
        self.parent = Parent::Current;
        self.start = None;
        self.status = StatusCode::Unset;
        self.status_message.clear();
        self.fields.clear();
        (self.attributes, self.events, self.links) = Default::default();
    }

    /// Whether it is worth to be used again.
    pub fn is_small(&self) -> bool {
        self.fields.capacity() <= SPARE_BYTES
            && self.status_message.capacity() <= SPARE_BYTES
            && self.name.len() <= SPARE_BYTES
    }

    pub fn attribute(&mut self, key: &str, value: AttributeValue<'_>) {
        if self.attributes.take(self.limits.attributes) {
            attribute(&mut self.fields, field::ATTRIBUTES, key, value);
        } else {
            self.is_unusual = true;
        }
    }

    /// Sets an attribute, in place of what it was.
    pub fn set_attribute(&mut self, key: &str, value: AttributeValue<'_>) {
        if let Some(known) = find_attribute(&self.fields, field::ATTRIBUTES, key) {
            self.fields.drain(known);
            self.attributes.kept -= 1;
        }
        self.attribute(key, value);
    }

    pub fn set_name(&mut self, name: Cow<'static, str>) {
        self.is_unusual |= matches!(name, Cow::Owned(_));
        self.name = name;
    }

    /// What was ok stays so.
    pub fn set_status(&mut self, status: StatusCode, message: &str) {
        if self.status != StatusCode::Ok && status != StatusCode::Unset {
            // Only errors have a message; one that is known is not forgotten for none.
            if status != StatusCode::Error {
                self.status_message.clear();
            } else if !message.is_empty() {
                message.clone_into(&mut self.status_message);
            }
            self.status = status;
            self.is_unusual = true;
        }
    }

    fn link(&mut self, to: &SpanContext) {
        if !self.links.take(self.limits.links) {
            self.is_unusual = true;
            return;
        }
        nested(&mut self.fields, field::LINKS, |out| {
            out.bytes_field(1, to.trace_id().as_bytes());
            out.bytes_field(2, to.span_id().as_bytes());
            if !to.trace_state().is_empty() {
                out.bytes_field(3, to.trace_state().as_str().as_bytes());
            }
            fixed32_field(out, 6, wire_flags(to.flags(), to.is_remote()));
        });
    }

    fn begin(&mut self, core: &Arc<Core>) {
        match std::mem::replace(&mut self.parent, Parent::None) {
            Parent::Current => context::with_current(|parent| self.begin_in(core, parent)),
            Parent::None => self.begin_in(core, None),
            Parent::Of(parent) => self.begin_in(core, Some(&parent)),
        }
    }

    #[inline]
    fn begin_in(&mut self, core: &Arc<Core>, parent: Option<&SpanContext>) {
        let context = &mut self.context;
        if let Some(parent) = parent {
            context.trace = parent.trace;
            context.flags = parent.flags;
            context.trace_state.clone_from(&parent.trace_state);
            context.anchor = parent.anchor;
            self.parent_id = parent.span;
            self.is_parent_remote = parent.is_remote();
        } else {
            context.trace = recorder::with(core, |recorder| recorder.ids.trace_id());
            context.flags = TraceFlags::RANDOM;
            context.trace_state = TraceState::default();
            context.anchor = None;
            self.parent_id = SpanWord::NONE;
            self.is_parent_remote = false;
        }
        let now = core.clock.now();
        let anchor = context.anchor.unwrap_or_else(|| core.clock.anchor());
        context.anchor = Some(anchor);
        self.is_kept = core.sampling.keeps(context.trace, parent, now);
        context.flags = context.flags.with_sampled(self.is_kept);
        self.start = self.start.or_else(|| Some(now.unix_nanos(anchor)));
        self.thread = thread::number();
        self.is_unusual |= !context.trace_state.is_empty();
        if let (Some(open), true) = (core.open(), self.is_kept) {
            open.add(self.as_open(now));
        }
    }

    /// As it is told of while it runs.
    #[cold]
    fn as_open(&self, since: Ticks) -> Open {
        Open {
            since,
            name: self.name.clone(),
            trace: self.context.trace,
            span: self.context.span,
            parent: self.parent_id,
            start: self.start.unwrap_or_default(),
            flags: wire_flags(self.context.flags, self.is_parent_remote),
            kind: self.kind,
            fields: self.fields.clone(),
        }
    }

    /// Adds fields that few spans have.
    #[cold]
    fn tell_unusual(&mut self) {
        let state = self.context.trace_state.as_str();
        if !state.is_empty() {
            self.fields.bytes_field(field::TRACE_STATE, state.as_bytes());
        }
        if let Cow::Owned(name) = &self.name {
            self.fields.bytes_field(field::NAME, name.as_bytes());
        }
        for (field, counted) in [
            (field::DROPPED_ATTRIBUTES, self.attributes),
            (field::DROPPED_EVENTS, self.events),
            (field::DROPPED_LINKS, self.links),
        ] {
            if counted.dropped > 0 {
                self.fields.varint_field(field, counted.dropped.into());
            }
        }
        if self.status != StatusCode::Unset {
            nested(&mut self.fields, field::STATUS, |out| {
                if !self.status_message.is_empty() {
                    out.bytes_field(2, self.status_message.as_bytes());
                }
                out.varint_field(3, self.status.otlp() as u64);
            });
        }
    }

    /// Hands it on to be sent.
    #[inline]
    fn hand_on(&mut self, recorder: &mut Recorder) {
        if let Some(open) = recorder.core.open() {
            open.remove(self.context.span);
        }
        let start = self.start.unwrap_or_default();
        let end = recorder.core.clock.now().unix_nanos(self.context.anchor.unwrap_or_default()).max(start);
        if self.is_unusual {
            self.tell_unusual();
        }
        let name = if let Cow::Borrowed(name) = self.name { name } else { "" };
        let context = &self.context;
        let flags = wire_flags(context.flags, self.is_parent_remote);
        let (trace, span, parent, kind) = (context.trace, context.span, self.parent_id, self.kind);
        let is_of_thread = self.thread == thread::number();
        let fields = self.fields.len() as u32;
        let span = SpanRecord { name, trace, span, parent, start, end, flags, kind, is_of_thread, fields };
        recorder.record(Signal::Spans, is_of_thread, Record::Span(span), &mut self.fields);
    }
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

/// A span that runs. It ends when it is dropped, or by [`ActiveSpan::end`].
///
/// One whose trace is not kept costs little and passes its context on all the same.
#[derive(Debug)]
#[must_use = "a span that is dropped at once is over at once"]
pub struct ActiveSpan {
    /// `None` when tracing is disabled.
    span: Option<Box<Span>>,
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

    /// It may go on on another thread, so none is told.
    pub(crate) fn leave_thread(&mut self) {
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

/// Flags of a span or link: those of W3C, and whether the parent or the span linked to is of another program.
fn wire_flags(flags: TraceFlags, is_remote: bool) -> u32 {
    const KNOWS_IS_REMOTE: u32 = 1 << 8;
    u32::from(flags.bits()) | KNOWS_IS_REMOTE | u32::from(is_remote) << 9
}
