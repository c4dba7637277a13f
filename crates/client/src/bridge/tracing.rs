//! A layer for `tracing`: spans become spans, events become log records of the span they happen in.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;

use glasshouse_model::{Severity, SpanKind, StatusCode, Value};
use tracing_core::field::{Field, Visit};
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use crate::clock::Ticks;
use crate::context::{self, SpanContext};
use crate::error::with_causes;
use crate::log::LogBuilder;
use crate::otlp::any_value;
use crate::span::{ActiveSpan, Span};
use crate::thread;
use crate::tracer::{Tracer, TracerNumber};
use crate::value::AttributeValue;

/// Sends spans and events of `tracing`. Put it into a subscriber; what it shall see is chosen by filters, as for any layer.
///
/// ```
/// # use glasshouse_client::{Tracer, TracingLayer};
/// use tracing_subscriber::layer::SubscriberExt as _;
///
/// # let tracer = Tracer::disabled();
/// let subscriber = tracing_subscriber::registry().with(TracingLayer::new(tracer));
/// # tracing::subscriber::with_default(subscriber, || {
/// let _order = tracing::info_span!("order", id = 7).entered();
/// tracing::warn!(stock = 0, "sold out");
/// # });
/// ```
///
/// - Fields are attributes. `otel.name`, `otel.kind`, `otel.status_code` and `otel.status_message` are what they say instead.
/// - An event of level ERROR makes its span one that failed.
/// - While a span is entered it is the [current one](crate::context::current), so that spans that are made otherwise and
///   outgoing requests are its children; a span without a parent becomes a child of the current one.
/// - `busy_ns` and `idle_ns` tell how long a span was entered, and how long it was not.
/// - A span that was entered once tells its thread; one that was entered again, as those of futures are, does not.
#[derive(Debug, Clone)]
pub struct TracingLayer {
    tracer: Tracer,
    tells_location: bool,
    tells_activity: bool,
}

/// A span that runs, in the extensions of that of the registry.
#[derive(Debug)]
struct Running {
    /// Whose span it is: there may be layers of several tracers, of which the first one makes the spans.
    tracer: TracerNumber,
    span: ActiveSpan,
    /// Where it was entered last.
    thread: u64,
    /// When it was entered or left last.
    since: Ticks,
    /// Nanoseconds.
    busy: u64,
    idle: u64,
    entered: u32,
    /// How often it is entered at this moment.
    depth: u32,
}

thread_local! {
    /// Spans that are entered, the last one last, each with what was the current one before it.
    static ENTERED: RefCell<Vec<(Id, Option<SpanContext>)>> = const { RefCell::new(Vec::new()) };
}

impl TracingLayer {
    /// A layer that sends by a tracer.
    pub fn new(tracer: Tracer) -> Self {
        Self { tracer, tells_location: true, tells_activity: true }
    }

    /// Whether spans and log records tell where they are in the source: `code.file.path`, `code.line.number` and `target`.
    /// They do, unless told.
    #[must_use]
    pub fn with_location(mut self, tells: bool) -> Self {
        self.tells_location = tells;
        self
    }

    /// Whether spans tell how long they were entered: `busy_ns` and `idle_ns`. They do, unless told.
    #[must_use]
    pub fn with_activity(mut self, tells: bool) -> Self {
        self.tells_activity = tells;
        self
    }

    /// A span of this layer that runs.
    fn with_running<S: Subscriber + for<'l> LookupSpan<'l>, R>(
        &self,
        id: &Id,
        context: &Context<'_, S>,
        with: impl FnOnce(&mut Running) -> R,
    ) -> Option<R> {
        let (tracer, span) = (self.tracer.core()?.number, context.span(id)?);
        let mut extensions = span.extensions_mut();
        Some(with(extensions.get_mut::<Running>().filter(|running| running.tracer == tracer)?))
    }

    fn now(&self) -> Ticks {
        self.tracer.core().map(|core| core.clock.now()).unwrap_or_default()
    }

    fn location(&self, metadata: &Metadata<'_>, mut tell: impl FnMut(&'static str, AttributeValue<'_>)) {
        if !self.tells_location {
            return;
        }
        tell("target", metadata.target().into());
        if let Some(file) = metadata.file() {
            tell("code.file.path", file.into());
        }
        if let Some(line) = metadata.line() {
            tell("code.line.number", line.into());
        }
    }
}

/// The context of the closest span that this layer knows.
fn known_context<'a, S: Subscriber + for<'l> LookupSpan<'l>>(span: &SpanRef<'a, S>) -> Option<SpanContext> {
    let context = |span: SpanRef<'a, S>| span.extensions().get::<Running>()?.span.context().cloned();
    span.scope().find_map(context)
}

impl<S: Subscriber + for<'l> LookupSpan<'l>> Layer<S> for TracingLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(core) = self.tracer.core() else { return };
        let Some(known) = context.span(id) else { return };
        if thread::is_background() || known.extensions().get::<Running>().is_some() {
            return;
        }
        let metadata = attributes.metadata();
        let mut builder = self.tracer.span(metadata.name());
        if attributes.is_root() {
            builder = builder.without_parent();
        } else if let Some(parent) = attributes.parent() {
            let parent = context.span(parent).and_then(|parent| known_context(&parent));
            builder = match parent {
                Some(parent) => builder.with_parent(&parent),
                None => builder.without_parent(),
            };
        }
        if let Some(span) = builder.span_mut() {
            self.location(metadata, |key, value| span.attribute(key, value));
            attributes.record(&mut fields(|key, value| tell(span, key, value)));
        }
        let (span, since) = (builder.start(), self.now());
        let (tracer, thread) = (core.number, thread::number());
        let running = Running { tracer, span, thread, since, busy: 0, idle: 0, entered: 0, depth: 0 };
        known.extensions_mut().insert(running);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        // Values say themselves how they look, and may tell of it by events: nothing is locked meanwhile.
        let mut told = Vec::new();
        values.record(&mut fields(|key, value| told.push((key, owned(value)))));
        self.with_running(id, &context, |running| {
            if let Some(span) = running.span.recorded() {
                for (key, value) in &told {
                    tell(span, key, borrowed(value));
                }
            }
        });
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        let Some(to) = context.span(follows).and_then(|to| known_context(&to)) else { return };
        self.with_running(id, &context, |running| running.span.add_link(&to));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        // What happens while records are sent would be sent as well, and so on.
        if thread::is_background() || self.tracer.core().is_none() {
            return;
        }
        let metadata = event.metadata();
        let body = |out: &mut Vec<u8>| with_message(event, |value| any_value(out, value));
        let mut builder = LogBuilder::new(self.tracer.core(), severity(*metadata.level()), body);
        let span = context.event_span(event);
        if !event.is_contextual() {
            builder = match span.as_ref().and_then(known_context) {
                Some(context) => builder.with_span(&context),
                None => builder.without_span(),
            };
        }
        let has = |key: &str| event.fields().any(|field| field.name() == key);
        self.location(metadata, |key, value| {
            // What is told wins.
            if !has(key) {
                builder.attribute(key, value);
            }
        });
        event.record(&mut fields(|key, value| {
            if key != MESSAGE {
                builder.attribute(key, value);
            }
        }));
        builder.emit();
        if *metadata.level() == Level::ERROR
            && let Some(span) = span
        {
            let mut message = String::new();
            with_message(event, |value| message = as_text(value));
            self.with_running(&span.id(), &context, |running| running.span.set_status(StatusCode::Error, &message));
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let now = self.now();
        let entered = self.with_running(id, &context, |running| {
            let here = thread::number();
            if running.depth == 0 {
                running.idle += now.since(running.since);
                running.since = now;
                running.entered += 1;
                running.span.enter_thread(running.entered > 1);
            } else if running.thread != here {
                running.span.leave_thread();
            }
            running.thread = here;
            running.depth += 1;
            running.span.context().cloned()
        });
        if let Some(span) = entered.flatten() {
            enter(id, span);
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let now = self.now();
        let left = self.with_running(id, &context, |running| {
            running.depth = running.depth.saturating_sub(1);
            if running.depth == 0 {
                running.busy += now.since(running.since);
                running.since = now;
            }
        });
        if left.is_some() {
            exit(id);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        // It is not taken by the layer of another tracer, and ends when nothing is locked.
        if self.with_running(&id, &context, |_| ()).is_none() {
            return;
        }
        let running = context.span(&id).and_then(|span| span.extensions_mut().remove::<Running>());
        let Some(mut running) = running else { return };
        if self.tells_activity {
            let idle = running.idle + self.now().since(running.since);
            running.span.set_attribute("busy_ns", running.busy as i64);
            running.span.set_attribute("idle_ns", idle as i64);
        }
    }
}

fn enter(id: &Id, span: SpanContext) {
    // A thread that is ending has no current span any more.
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push((id.clone(), context::replace(Some(span)))));
}

/// Spans are not always left in the order in which they were entered.
fn exit(id: &Id) {
    // A thread that is ending has no current span any more.
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let Some(at) = entered.iter().rposition(|(known, _)| known == id) else { return };
        let (_, before) = entered.remove(at);
        match entered.get_mut(at) {
            // Another one was entered since, and is still: when it is left, this is not what it goes back to.
            Some((_, before_next)) => *before_next = before,
            None => drop(context::replace(before)),
        }
    });
}

fn severity(level: Level) -> Severity {
    let level = match level {
        Level::TRACE => crate::Level::Trace,
        Level::DEBUG => crate::Level::Debug,
        Level::INFO => crate::Level::Info,
        Level::WARN => crate::Level::Warn,
        _ => crate::Level::Error,
    };
    level.into()
}

/// The field of what an event says.
const MESSAGE: &str = "message";

/// Looks at what an event says: that of `#[instrument(err)]` says the error.
fn with_message(event: &Event<'_>, mut look: impl FnMut(AttributeValue<'_>)) {
    let says = if event.fields().any(|field| field.name() == MESSAGE) { MESSAGE } else { "error" };
    event.record(&mut fields(|key, value| {
        if key == says {
            look(value);
        }
    }));
}

/// Gives fields to a function.
struct Fields<F>(F);

fn fields<F: FnMut(&'static str, AttributeValue<'_>)>(take: F) -> Fields<F> {
    Fields(take)
}

impl<F: FnMut(&'static str, AttributeValue<'_>)> Visit for Fields<F> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0(field.name(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0(field.name(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.record_i64(field, value),
            // OTLP has no larger integers.
            Err(_) => self.0(field.name(), format_args!("{value}").into()),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0(field.name(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0(field.name(), value.into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.0(field.name(), (&with_causes(value)).into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0(field.name(), format_args!("{value:?}").into());
    }
}

/// Tells a span a field: as an attribute, or what it means to OpenTelemetry.
fn tell(span: &mut Span, key: &str, value: AttributeValue<'_>) {
    match key {
        "otel.name" => span.set_name(as_text(value).into()),
        "otel.kind" => span.kind = kind(&as_text(value)),
        "otel.status_code" => {
            let code = match as_text(value).to_ascii_lowercase().as_str() {
                "ok" => StatusCode::Ok,
                "error" => StatusCode::Error,
                _ => StatusCode::Unset,
            };
            span.set_status(code, "");
        }
        "otel.status_message" | "otel.status_description" => span.set_status(StatusCode::Error, &as_text(value)),
        _ => span.set_attribute(key, value),
    }
}

fn kind(name: &str) -> SpanKind {
    match name.to_ascii_lowercase().as_str() {
        "server" => SpanKind::Server,
        "client" => SpanKind::Client,
        "producer" => SpanKind::Producer,
        "consumer" => SpanKind::Consumer,
        _ => SpanKind::Internal,
    }
}

fn as_text(value: AttributeValue<'_>) -> String {
    match value {
        AttributeValue::String(text) => text.to_owned(),
        AttributeValue::Formatted(text) => text.to_string(),
        AttributeValue::Int(value) => value.to_string(),
        AttributeValue::Double(value) => value.to_string(),
        AttributeValue::Bool(value) => value.to_string(),
        // Fields of `tracing` have no others.
        other => format!("{other:?}"),
    }
}

/// A value of a field, to be kept for a while.
fn owned(value: AttributeValue<'_>) -> Value {
    match value {
        AttributeValue::Bool(value) => Value::Bool(value),
        AttributeValue::Int(value) => Value::Int(value),
        AttributeValue::Double(value) => Value::Double(value),
        text => Value::String(as_text(text)),
    }
}

fn borrowed(value: &Value) -> AttributeValue<'_> {
    match value {
        Value::String(text) => text.into(),
        other => AttributeValue::Value(other),
    }
}
