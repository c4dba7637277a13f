//! A logger for the crate `log`: its records become log records of the current span.

use std::fmt;

use ::log::kv::{Error, Key, Value, VisitSource};
use ::log::{Level, LevelFilter, Log, Metadata, Record, SetLoggerError};

use crate::log::LogBuilder;
use crate::otlp::any_value;
use crate::thread;
use crate::tracer::Tracer;
use crate::value::AttributeValue;

/// Sends what is told to the crate `log`.
///
/// ```
/// # use glasshouse_client::{LogBridge, Tracer};
/// # let tracer = Tracer::disabled();
/// LogBridge::new(tracer).with_max_level(log::LevelFilter::Info).install().expect("no other logger is installed");
/// log::info!(order = 7; "placed");
/// ```
///
/// Records have their `target`, `code.file.path`, `code.line.number`, and their keys and values as attributes.
#[derive(Debug)]
pub struct LogBridge {
    tracer: Tracer,
    max_level: LevelFilter,
}

impl LogBridge {
    /// A logger that sends by a tracer, at first all from level INFO.
    pub fn new(tracer: Tracer) -> Self {
        Self { tracer, max_level: LevelFilter::Info }
    }

    /// The least severe level that is sent.
    #[must_use]
    pub fn with_max_level(mut self, max_level: LevelFilter) -> Self {
        self.max_level = max_level;
        self
    }

    /// Makes it the program's logger. There can be one only.
    pub fn install(self) -> Result<(), SetLoggerError> {
        let max_level = self.max_level;
        ::log::set_boxed_logger(Box::new(self))?;
        ::log::set_max_level(max_level);
        Ok(())
    }
}

impl Log for LogBridge {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // What happens while records are sent would be sent as well, and so on.
        metadata.level() <= self.max_level && !thread::is_background()
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let level = match record.level() {
            Level::Error => crate::Level::Error,
            Level::Warn => crate::Level::Warn,
            Level::Info => crate::Level::Info,
            Level::Debug => crate::Level::Debug,
            Level::Trace => crate::Level::Trace,
        };
        let body = |out: &mut Vec<u8>| any_value(out, (*record.args()).into());
        let mut log = LogBuilder::new(self.tracer.core(), level.into(), body);
        let pairs = record.key_values();
        let mut location = |key: &str, value: Option<AttributeValue<'_>>| {
            // What is told wins.
            if let (Some(value), None) = (value, pairs.get(Key::from_str(key))) {
                log.attribute(key, value);
            }
        };
        location("target", Some(record.target().into()));
        location("code.file.path", record.file().map(Into::into));
        location("code.line.number", record.line().map(Into::into));
        // What is added cannot fail.
        let _ = pairs.visit(&mut Pairs(&mut log));
        log.emit();
    }

    /// Records are sent in the background; see [`Tracer::flush`].
    fn flush(&self) {}
}

/// Adds keys and values as attributes.
struct Pairs<'a, 't>(&'a mut LogBuilder<'t>);

impl<'kvs> VisitSource<'kvs> for Pairs<'_, '_> {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        let mut tell = |value: AttributeValue<'_>| self.0.attribute(key.as_str(), value);
        if let Some(value) = value.to_bool() {
            tell(value.into());
        } else if let Some(value) = value.to_i64() {
            tell(value.into());
        } else if let Some(value) = value.to_f64() {
            tell(value.into());
        } else if let Some(text) = value.to_borrowed_str() {
            tell(text.into());
        } else {
            tell(format_args!("{value}").into());
        }
        Ok(())
    }
}

impl fmt::Debug for Pairs<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pairs")
    }
}
