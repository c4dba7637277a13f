//! The tracer: what makes spans, and how it is set up.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use glasshouse_model::Severity;

use crate::core::Core;
use crate::error::{ConnectError, FlushError};
use crate::export::{Exporter, Target};
use crate::ids::random_uuid;
use crate::log::LogBuilder;
use crate::metrics::InstrumentBuilder;
use crate::open::OpenSpans;
use crate::otlp::{Wire as _, any_value, attribute, find_attribute};
use crate::sampling::{Decide, Sampler};
use crate::signal::Statistics;
use crate::span::SpanBuilder;
use crate::value::AttributeValue;

/// How long the last tracer waits for what was recorded to be sent, when it is dropped or the program ends.
const LAST_FLUSH: Duration = Duration::from_secs(5);

/// Which tracer of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TracerNumber(pub u32);

/// What may be kept, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What may be kept of a span.
    pub span: SpanLimits,
    /// Bytes of records that wait to be collected, per thread that records; larger records are dropped.
    pub ring_bytes: usize,
    /// Bytes of records altogether, about. A half is for the threads; those for which nothing is left share one ring, behind a
    /// lock. A half waits to be sent; what is more is dropped, the oldest first, or [spilled](TracerBuilder::spill). Beside it there are the requests that are
    /// being made and sent, and spans that have not ended.
    pub memory_bytes: usize,
    /// Bytes of a request, about.
    pub batch_bytes: usize,
    /// How long a record waits for others before it is sent.
    pub batch_time: Duration,
}

/// What may be kept of a span, and of the attributes of an event or a log record; what is more is counted there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanLimits {
    /// Attributes.
    pub attributes: u32,
    /// Events.
    pub events: u32,
    /// Links.
    pub links: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            span: SpanLimits { attributes: 128, events: 128, links: 128 },
            ring_bytes: 1 << 20,
            memory_bytes: 64 << 20,
            batch_bytes: 1 << 20,
            batch_time: Duration::from_millis(500),
        }
    }
}

impl Limits {
    /// Those that go together.
    pub(crate) fn within_reason(self) -> Self {
        let memory_bytes = self.memory_bytes.max(256 << 10);
        let ring_bytes = self.ring_bytes.clamp(4 << 10, (memory_bytes / 4).min(64 << 20));
        let batch_bytes = self.batch_bytes.min(memory_bytes / 8);
        let batch_time = self.batch_time.max(Duration::from_millis(1));
        Self { span: self.span, ring_bytes, memory_bytes, batch_bytes, batch_time }
    }

    /// Threads that may have a ring.
    pub(crate) fn rings(&self) -> usize {
        (self.memory_bytes / 2 / self.ring_bytes.max(1)).max(1)
    }
}

/// Sets up a [`Tracer`].
#[derive(Clone)]
#[must_use = "a tracer comes from connect() or connect_checked()"]
pub struct TracerBuilder {
    endpoint: String,
    headers: Vec<(String, String)>,
    /// Attributes of the resource, for the wire.
    resource: Vec<u8>,
    scope: (String, String),
    sampler: Sampler,
    limits: Limits,
    timeout: Duration,
    metrics_interval: Duration,
    open_after: Option<Duration>,
    spill: Option<(PathBuf, u64)>,
    #[cfg(feature = "gzip")]
    is_gzip: bool,
}

impl TracerBuilder {
    /// Names the service, as `service.name`. Without it, the program's name is used.
    pub fn service(self, name: &str) -> Self {
        self.resource_attribute("service.name", name)
    }

    /// Sets an attribute of the resource: what is true of all that the process sends. Without being told, it has
    /// `service.instance.id` (at random), `process.pid` and `telemetry.sdk.…`.
    pub fn resource_attribute<'a>(mut self, key: &str, value: impl Into<AttributeValue<'a>>) -> Self {
        if let Some(known) = find_attribute(&self.resource, 1, key) {
            self.resource.drain(known);
        }
        attribute(&mut self.resource, 1, key, value.into());
        self
    }

    /// Names the library that all is told by, and its version.
    pub fn scope(mut self, name: &str, version: &str) -> Self {
        self.scope = (name.to_owned(), version.to_owned());
        self
    }

    /// Sends a header with each request, such as a token.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Decides which traces are kept. Without it, as the parent decided, and all that begin here.
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.sampler = sampler;
        self
    }

    /// Limits what is kept in memory.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How long a request may take; 10 s without it.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often metrics are read and sent; 10 s without it.
    pub fn metrics_interval(mut self, interval: Duration) -> Self {
        self.metrics_interval = interval.max(Duration::from_millis(10));
        self
    }

    /// Compresses requests with gzip, in the background.
    #[cfg(feature = "gzip")]
    pub fn gzip(mut self) -> Self {
        self.is_gzip = true;
        self
    }

    /// Writes to files in a folder what there is no more memory for while the server is away, and what is left when the program
    /// ends, but for the request that is on its way then: up to so many bytes for each tracer. They are sent when that is
    /// possible, at least once; those of a tracer that is gone, by another one with the same folder. A folder may be shared
    /// by programs that send to the same server.
    pub fn spill(mut self, folder: impl Into<PathBuf>, max_bytes: u64) -> Self {
        self.spill = Some((folder.into(), max_bytes));
        self
    }

    /// Tells of spans that run for so long before they end, with what was known when they started, so that a program that
    /// dies leaves a trace of what it did. Each start and end of a span costs some hundred nanoseconds more then. They are
    /// sent without an end, which Glasshouse shows as running; other back ends may refuse them or show anything.
    pub fn report_open_spans(mut self, after: Duration) -> Self {
        self.open_after = Some(after);
        self
    }

    /// A tracer. Whether a server is there shows when spans are sent; until it is, they wait.
    pub fn connect(self) -> Result<Tracer, ConnectError> {
        self.build(false)
    }

    /// A tracer whose server has answered.
    pub fn connect_checked(self) -> Result<Tracer, ConnectError> {
        self.build(true)
    }

    fn build(mut self, is_checked: bool) -> Result<Tracer, ConnectError> {
        let program = std::env::current_exe().ok();
        let program = program.as_deref().and_then(|path| path.file_stem()?.to_str()).unwrap_or("unknown_service");
        // Processes in containers all have the same number.
        let instance = random_uuid();
        let defaults: [(&str, AttributeValue<'_>); 6] = [
            ("service.name", program.into()),
            ("service.instance.id", (&instance).into()),
            ("process.pid", std::process::id().into()),
            ("telemetry.sdk.name", "glasshouse".into()),
            ("telemetry.sdk.language", "rust".into()),
            ("telemetry.sdk.version", env!("CARGO_PKG_VERSION").into()),
        ];
        for (key, value) in defaults {
            if find_attribute(&self.resource, 1, key).is_none() {
                attribute(&mut self.resource, 1, key, value);
            }
        }
        let mut scope = Vec::new();
        for (field, text) in [(1, &self.scope.0), (2, &self.scope.1)] {
            if !text.is_empty() {
                scope.bytes_field(field, text.as_bytes());
            }
        }
        let target = Target::new(&self.endpoint, self.headers, self.timeout, self.resource, scope)?;
        #[cfg(feature = "gzip")]
        let target = target.with_gzip(self.is_gzip);
        if is_checked {
            target.check()?;
        }
        let open = self.open_after.map(OpenSpans::new);
        let core = Core::new(Decide::new(&self.sampler), self.limits, open);
        let exporter = Exporter::start(Arc::clone(&core), target, self.metrics_interval, self.spill)?;
        let shared = Arc::new(Shared { core, exporter });
        exit::remember(&shared);
        Ok(Tracer { shared: Some(shared) })
    }
}

/// Headers are secret.
impl fmt::Debug for TracerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TracerBuilder").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Makes spans, log records and metrics, and sends them in the background. It is cheap to clone; when the last clone is
/// dropped, what was recorded is sent, as far as that takes no longer than five seconds. So it is when the program ends, if
/// the tracer came from the main thread and that ends it.
#[derive(Clone)]
pub struct Tracer {
    /// `None` when tracing is disabled.
    shared: Option<Arc<Shared>>,
}

#[derive(Debug)]
struct Shared {
    core: Arc<Core>,
    exporter: Exporter,
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.end();
    }
}

impl Shared {
    fn end(&self) {
        // A child has nothing to send, and who shut it down has been told.
        if !self.core.is_forked()
            && !self.core.is_finished()
            && let Err(error) = self.exporter.shutdown(LAST_FLUSH)
        {
            // Nobody else is there to be told.
            eprintln!("glasshouse-client: {error}");
        }
    }
}

/// Tracers that are in statics are not dropped when the program ends: what they have is sent by the destructor of a
/// thread-local of the main thread, which runs when `main` returns, and when that thread calls `std::process::exit`.
mod exit {
    use std::cell::RefCell;
    use std::sync::{Arc, Weak};

    use super::Shared;

    struct Remembered(RefCell<Vec<Weak<Shared>>>);

    impl Drop for Remembered {
        fn drop(&mut self) {
            for shared in self.0.take().iter().filter_map(Weak::upgrade) {
                shared.end();
            }
        }
    }

    thread_local! {
        static TRACERS: Remembered = const { Remembered(RefCell::new(Vec::new())) };
    }

    /// Ends it when the program ends, if this is the main thread. On systems other than Unix the threads in the background
    /// may be gone by then.
    pub fn remember(shared: &Arc<Shared>) {
        if cfg!(unix) && std::thread::current().name() == Some("main") {
            // A thread that is ending is too late.
            let _ = TRACERS.try_with(|tracers| {
                let mut tracers = tracers.0.borrow_mut();
                tracers.retain(|known| known.strong_count() > 0);
                tracers.push(Arc::downgrade(shared));
            });
        }
    }
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracer").field("statistics", &self.statistics()).finish_non_exhaustive()
    }
}

impl Tracer {
    /// A tracer that sends to a server, such as `http://localhost:4318`: see [`TracerBuilder::connect`].
    pub fn connect(endpoint: &str) -> Result<Self, ConnectError> {
        Self::builder(endpoint).connect()
    }

    /// Sets up a tracer that sends to a server's address: OTLP over HTTP, at `/v1/traces`, `/v1/logs` and `/v1/metrics` of it.
    pub fn builder(endpoint: &str) -> TracerBuilder {
        TracerBuilder {
            endpoint: endpoint.to_owned(),
            headers: Vec::new(),
            resource: Vec::new(),
            scope: (String::new(), String::new()),
            sampler: Sampler::default(),
            limits: Limits::default(),
            timeout: Duration::from_secs(10),
            metrics_interval: Duration::from_secs(10),
            open_after: None,
            spill: None,
            #[cfg(feature = "gzip")]
            is_gzip: false,
        }
    }

    /// A tracer that records nothing.
    pub fn disabled() -> Self {
        Self { shared: None }
    }

    /// A span, to be started: a child of the current one, if there is one.
    #[inline]
    pub fn span(&self, name: impl Into<Cow<'static, str>>) -> SpanBuilder<'_> {
        SpanBuilder::new(self.core(), name.into())
    }

    /// A log record, to be emitted: of the current span, if there is one.
    ///
    /// ```
    /// # fn example(tracer: &glasshouse_client::Tracer) {
    /// use glasshouse_client::Level;
    /// tracer.log(Level::Warn, "the cart is stale").with_attribute("cart.age", 92).emit();
    /// # }
    /// ```
    #[inline]
    pub fn log<'a>(&self, severity: impl Into<Severity>, body: impl Into<AttributeValue<'a>>) -> LogBuilder<'_> {
        LogBuilder::new(self.core(), severity.into(), |out| any_value(out, body.into()))
    }

    /// An instrument for a metric, to be named further.
    ///
    /// ```
    /// # fn example(tracer: &glasshouse_client::Tracer) {
    /// let orders = tracer.metric("shop.orders").with_unit("{order}").with_attribute("shop.country", "fr").counter();
    /// orders.add(1);
    /// # }
    /// ```
    pub fn metric(&self, name: &str) -> InstrumentBuilder<'_> {
        let core = self.core().filter(|core| !core.is_forked());
        InstrumentBuilder::new(core.map(|core| &core.registry), name)
    }

    /// Lets something be called each time before metrics are read, to set gauges. It is called in the background, on the
    /// thread that collects what others record, so it should be quick, and what it tells by `tracing` or `log` is not
    /// recorded. What panics is not called again. It should not hold a clone of the tracer, which then would end with
    /// [`shutdown`](Self::shutdown) or the program only.
    pub fn before_metrics(&self, call: impl Fn() + Send + 'static) {
        if let Some(core) = self.core() {
            core.add_reader(Box::new(call));
        }
    }

    /// What became of what was recorded so far.
    pub fn statistics(&self) -> Statistics {
        self.core().map(|core| core.statistics()).unwrap_or_default()
    }

    /// What the last attempt to send met with that did not go well, such as why the server refuses.
    pub fn last_problem(&self) -> Option<String> {
        self.shared.as_ref()?.exporter.last_problem()
    }

    /// Waits until the server has answered for all that was recorded before.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushError> {
        self.shared.as_ref().map_or(Ok(()), |shared| shared.exporter.flush(deadline))
    }

    /// Sends what was recorded and stops, for all clones: what is recorded later is counted as dropped.
    pub fn shutdown(&self, deadline: Duration) -> Result<(), FlushError> {
        self.shared.as_ref().map_or(Ok(()), |shared| shared.exporter.shutdown(deadline))
    }

    #[inline]
    pub(crate) fn core(&self) -> Option<&Arc<Core>> {
        self.shared.as_ref().map(|shared| &shared.core)
    }
}
