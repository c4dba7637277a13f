//! Log records.

use std::sync::Arc;
use std::time::SystemTime;

use glasshouse_model::{Severity, Timestamp};

use crate::context::{self, SpanContext};
use crate::core::Core;
use crate::otlp::{LOG_ATTRIBUTES, Wire as _, attribute, nested};
use crate::recorder;
use crate::ring::{LogRecord, Record};
use crate::signal::Signal;
use crate::span::Counted;
use crate::value::AttributeValue;

/// Fields of OTLP's `LogRecord`.
mod field {
    pub const BODY: u32 = 5;
    pub const ATTRIBUTES: u32 = super::LOG_ATTRIBUTES;
    pub const DROPPED_ATTRIBUTES: u32 = 7;
    pub const EVENT_NAME: u32 = 12;
}

/// A log record that is to be emitted.
#[derive(Debug)]
#[must_use = "a log record is recorded by emit()"]
pub struct LogBuilder<'t> {
    /// `None` when tracing is disabled.
    planned: Option<Planned<'t>>,
}

#[derive(Debug)]
struct Planned<'t> {
    core: &'t Arc<Core>,
    severity: Severity,
    span: Of,
    time: Option<u64>,
    /// What it says, in its form for the wire.
    fields: Vec<u8>,
    attributes: Counted,
}

/// What it belongs to.
#[derive(Debug)]
enum Of {
    Current,
    None,
    Span(SpanContext),
}

impl<'t> LogBuilder<'t> {
    #[inline]
    pub(crate) fn new(core: Option<&'t Arc<Core>>, severity: Severity, body: impl FnOnce(&mut Vec<u8>)) -> Self {
        let planned = core.map(|core| {
            let mut fields = recorder::spare_buffer();
            nested(&mut fields, field::BODY, body);
            Planned { core, severity, span: Of::Current, time: None, fields, attributes: Counted::default() }
        });
        Self { planned }
    }

    #[inline]
    fn with(mut self, set: impl FnOnce(&mut Planned<'t>)) -> Self {
        if let Some(planned) = &mut self.planned {
            set(planned);
        }
        self
    }

    /// Adds an attribute; a key should be told once.
    #[inline]
    pub fn with_attribute<'a>(self, key: &str, value: impl Into<AttributeValue<'a>>) -> Self {
        self.with(|log| log.attribute(key, value.into()))
    }

    /// Lets it belong to a span, instead of the current one.
    pub fn with_span(self, span: &SpanContext) -> Self {
        self.with(|log| log.span = Of::Span(span.clone()))
    }

    /// Lets it belong to no span, whatever the current one is.
    pub fn without_span(self) -> Self {
        self.with(|log| log.span = Of::None)
    }

    /// Adds an attribute.
    #[cfg(any(feature = "tracing", feature = "log"))]
    pub(crate) fn attribute(&mut self, key: &str, value: AttributeValue<'_>) {
        if let Some(log) = &mut self.planned {
            log.attribute(key, value);
        }
    }

    /// Names the kind of event that it tells of.
    pub fn with_event_name(self, name: &str) -> Self {
        self.with(|log| log.fields.bytes_field(field::EVENT_NAME, name.as_bytes()))
    }

    /// Lets it have happened at a time before now.
    pub fn with_time(self, time: SystemTime) -> Self {
        self.with(|log| log.time = Some(Timestamp::from(time).nanos().max(0) as u64))
    }

    /// Records it.
    #[inline]
    pub fn emit(self) {
        let Some(mut log) = self.planned else { return };
        match std::mem::replace(&mut log.span, Of::None) {
            Of::Current => context::with_current(|current| log.emit(current)),
            Of::None => log.emit(None),
            Of::Span(span) => log.emit(Some(&span)),
        }
    }
}

impl Planned<'_> {
    #[inline]
    fn attribute(&mut self, key: &str, value: AttributeValue<'_>) {
        if self.attributes.take(self.core.limits.span.attributes) {
            attribute(&mut self.fields, field::ATTRIBUTES, key, value);
        }
    }

    fn emit(mut self, span: Option<&SpanContext>) {
        if self.attributes.dropped > 0 {
            self.fields.varint_field(field::DROPPED_ATTRIBUTES, self.attributes.dropped.into());
        }
        let anchor = span.and_then(|span| span.anchor).unwrap_or_else(|| self.core.clock.anchor());
        let observed = self.core.clock.now().unix_nanos(anchor);
        let log = LogRecord {
            time: self.time.unwrap_or(observed),
            observed,
            severity: self.severity,
            span: span.map(|span| (span.trace, span.span, span.flags.bits())),
            fields: self.fields.len() as u32,
        };
        recorder::hand_on(self.core, self.fields, |fields, recorder| {
            recorder.record(Signal::Logs, true, Record::Log(log), fields);
        });
    }
}
