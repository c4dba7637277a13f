//! What is known of spans until they are handed on to be sent.

mod active;
mod builder;

use std::borrow::Cow;
use std::sync::Arc;

use glasshouse_model::{SpanKind, StatusCode};

pub use self::active::ActiveSpan;
pub use self::builder::SpanBuilder;

use crate::clock::Ticks;
use crate::context::{self, SpanContext, TraceFlags};
use crate::core::Core;
use crate::ids::SpanWord;
use crate::open::Open;
use crate::otlp::{SPAN_ATTRIBUTES, Wire as _, attribute, find_attribute, fixed32_field, nested};
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

/// Flags of a span or link: those of W3C, and whether the parent or the span linked to is of another program.
fn wire_flags(flags: TraceFlags, is_remote: bool) -> u32 {
    const KNOWS_IS_REMOTE: u32 = 1 << 8;
    u32::from(flags.bits()) | KNOWS_IS_REMOTE | u32::from(is_remote) << 9
}
