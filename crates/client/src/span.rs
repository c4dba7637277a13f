//! Spans while they run.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use glasshouse_model::{SpanId, SpanKind, StatusCode, Timestamp};

use crate::clock::Ticks;
use crate::context::{self, Entered, SpanContext, TraceFlags};
use crate::core::Core;
use crate::otlp::{Wire as _, attribute, find_attribute, fixed32_field, fixed64_field, nested};
use crate::recorder::{self, Recorder};
use crate::tracer::{SpanLimits, TracerNumber};
use crate::value::AttributeValue;

/// Bytes of a record beside what a program tells, at most.
const MOST_ELSE: usize = 512;
/// A span that took more memory than this is not used again.
const SPARE_BYTES: usize = 4 << 10;

/// Fields of OTLP's `Span`.
mod field {
    pub const ATTRIBUTES: u32 = 9;
    pub const EVENTS: u32 = 11;
    pub const LINKS: u32 = 13;
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
    tracer: TracerNumber,
    limits: SpanLimits,
    name: Cow<'static, str>,
    kind: SpanKind,
    parent: Parent,
    /// `None` before it starts.
    context: Option<SpanContext>,
    /// The parent's id, and whether that is a span of another program.
    parent_id: Option<(SpanId, bool)>,
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
}

#[derive(Debug)]
enum Parent {
    Current,
    None,
    Of(SpanContext),
}

/// How many there are, and how many more were not kept.
#[derive(Debug, Default, Clone, Copy)]
struct Counted {
    kept: u32,
    dropped: u32,
}

impl Counted {
    #[inline]
    fn take(&mut self, most: u32) -> bool {
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
            context: None,
            parent_id: None,
            is_kept: false,
            start: None,
            thread: 0,
            status: StatusCode::Unset,
            status_message: String::new(),
            fields: Vec::new(),
            attributes: Counted::default(),
            events: Counted::default(),
            links: Counted::default(),
        })
    }

    /// Makes it a new one.
    #[inline]
    fn reset(&mut self, core: &Core, name: Cow<'static, str>) {
        self.tracer = core.number;
        self.limits = core.limits.span;
        self.name = name;
        self.kind = SpanKind::Internal;
        self.parent = Parent::Current;
        self.context = None;
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

    #[inline]
    fn attribute(&mut self, key: &str, value: AttributeValue<'_>) {
        if self.attributes.take(self.limits.attributes) {
            attribute(&mut self.fields, field::ATTRIBUTES, key, value);
        }
    }

    fn link(&mut self, to: &SpanContext) {
        if !self.links.take(self.limits.links) {
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
        let parent = match std::mem::replace(&mut self.parent, Parent::None) {
            Parent::Current => context::current(),
            Parent::None => None,
            Parent::Of(parent) => Some(parent),
        };
        let now = core.clock.now();
        let (span_id, new_trace) = recorder::with(core, |recorder| {
            self.thread = recorder.thread;
            (recorder.ids.span_id(), if parent.is_none() { Some(recorder.ids.trace_id()) } else { None })
        });
        self.parent_id = parent.as_ref().map(|parent| (parent.span_id(), parent.is_remote()));
        let known = parent.as_ref().map(|parent| (parent.trace_id(), parent.flags()));
        let (trace_id, flags) =
            known.or(new_trace.map(|trace| (trace, TraceFlags::RANDOM))).expect("it has one or the other");
        self.is_kept = core.sampling.keeps(trace_id, parent.as_ref(), now);
        let anchor = parent.as_ref().and_then(SpanContext::anchor).unwrap_or_else(|| core.clock.anchor());
        let state = parent.map(SpanContext::into_trace_state).unwrap_or_default();
        self.context = Some(SpanContext::local(trace_id, span_id, flags.with_sampled(self.is_kept), state, anchor));
        self.start = self.start.or_else(|| Some(now.unix_nanos(anchor)));
    }

    /// Writes it as a field of `ScopeSpans`.
    fn write(&self, now: Ticks, recorder: &mut Recorder) {
        let (Some(context), Some(start)) = (&self.context, self.start) else { return };
        let end = now.unix_nanos(context.anchor().unwrap_or_default()).max(start);
        let (parent, is_remote) = self.parent_id.unzip();
        let head = Head {
            trace: *context.trace_id().as_bytes(),
            span: *context.span_id().as_bytes(),
            kind: self.kind.otlp() as u8,
            start,
            end,
            flags: wire_flags(context.flags(), is_remote.unwrap_or_default()),
        };
        let state = context.trace_state().as_str();
        let len = self.fields.len() + self.name.len() + self.status_message.len() + state.len() + MOST_ELSE;
        recorder.record(self.thread, &head.bytes(), len, |out| {
            if let Some(parent) = parent {
                out.bytes_field(4, parent.as_bytes());
            }
            if !state.is_empty() {
                out.bytes_field(3, state.as_bytes());
            }
            out.bytes_field(5, self.name.as_bytes());
            if !self.fields.is_empty() {
                out.extend_from_slice(&self.fields);
            }
            for (field, counted) in [(10, self.attributes), (12, self.events), (14, self.links)] {
                if counted.dropped > 0 {
                    out.varint_field(field, counted.dropped.into());
                }
            }
            if self.status != StatusCode::Unset {
                nested(out, 15, |out| {
                    if !self.status_message.is_empty() {
                        out.bytes_field(2, self.status_message.as_bytes());
                    }
                    out.varint_field(3, self.status.otlp() as u64);
                });
            }
        });
    }
}

/// The fields that every span has, and that are of the same length always.
struct Head {
    trace: [u8; 16],
    span: [u8; 8],
    kind: u8,
    start: u64,
    end: u64,
    flags: u32,
}

impl Head {
    /// As fields 1, 2, 6, 7, 8 and 16, with their tags.
    #[inline]
    fn bytes(&self) -> [u8; recorder::HEAD] {
        let mut bytes = [0; recorder::HEAD];
        bytes[0..2].copy_from_slice(&[0x0a, 16]);
        bytes[2..18].copy_from_slice(&self.trace);
        bytes[18..20].copy_from_slice(&[0x12, 8]);
        bytes[20..28].copy_from_slice(&self.span);
        bytes[28..30].copy_from_slice(&[0x30, self.kind]);
        bytes[30] = 0x39;
        bytes[31..39].copy_from_slice(&self.start.to_le_bytes());
        bytes[39] = 0x41;
        bytes[40..48].copy_from_slice(&self.end.to_le_bytes());
        bytes[48..50].copy_from_slice(&[0x85, 0x01]);
        bytes[50..54].copy_from_slice(&self.flags.to_le_bytes());
        bytes
    }
}

impl<'t> SpanBuilder<'t> {
    #[inline]
    pub(crate) fn new(core: Option<&'t Arc<Core>>, name: Cow<'static, str>) -> Self {
        let planned = core.map(|core| {
            let mut span = recorder::spare_span();
            span.reset(core, name);
            (core, span)
        });
        Self { planned }
    }

    #[inline]
    fn with(mut self, set: impl FnOnce(&mut Span)) -> Self {
        if let Some((_, span)) = &mut self.planned {
            set(span);
        }
        self
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
        self.span.as_ref()?.context.as_ref()
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
    fn recorded(&mut self) -> Option<&mut Span> {
        self.span.as_deref_mut().filter(|span| span.is_kept)
    }

    /// Sets an attribute, in place of what it was.
    #[inline]
    pub fn set_attribute<'a>(&mut self, key: &str, value: impl Into<AttributeValue<'a>>) {
        if let Some(span) = self.recorded() {
            if let Some(known) = find_attribute(&span.fields, field::ATTRIBUTES, key) {
                span.fields.drain(known);
                span.attributes.kept -= 1;
            }
            span.attribute(key, value.into());
        }
    }

    /// Tells of something that happens now.
    #[inline]
    pub fn add_event(&mut self, name: &str, attributes: &[(&str, AttributeValue<'_>)]) {
        let Some(span) = self.recorded() else { return };
        let anchor = span.context.as_ref().and_then(SpanContext::anchor).unwrap_or_default();
        if !span.events.take(span.limits.events) {
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
        if let Some(span) = self.recorded()
            && span.status != StatusCode::Ok
            && status != StatusCode::Unset
        {
            span.status = status;
            // Only errors have a message.
            let message = if status == StatusCode::Error { message } else { "" };
            message.clone_into(&mut span.status_message);
        }
    }

    /// Records an error with its causes, as the event `exception`, and that the span failed.
    pub fn record_error<E: Error + ?Sized>(&mut self, error: &E) {
        if !self.is_recording() {
            return;
        }
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            write!(message, ": {error}").expect("a string takes everything");
            cause = error.source();
        }
        self.add_event(
            "exception",
            &[("exception.type", type_name::<E>().into()), ("exception.message", (&message).into())],
        );
        self.set_status(StatusCode::Error, &message);
    }

    /// Gives it another name.
    pub fn set_name(&mut self, name: impl Into<Cow<'static, str>>) {
        if let Some(span) = self.recorded() {
            span.name = name.into();
        }
    }

    /// Ends it now.
    #[inline]
    pub fn end(self) {}

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
        return recorder::give_back(span);
    }
    if span.status == StatusCode::Unset && std::thread::panicking() {
        span.status = StatusCode::Error;
        "panicked".clone_into(&mut span.status_message);
    }
    recorder::record(span.tracer, span, Span::write);
}

/// Flags of a span or link: those of W3C, and whether the parent or the span linked to is of another program.
fn wire_flags(flags: TraceFlags, is_remote: bool) -> u32 {
    const KNOWS_IS_REMOTE: u32 = 1 << 8;
    u32::from(flags.bits()) | KNOWS_IS_REMOTE | u32::from(is_remote) << 9
}
