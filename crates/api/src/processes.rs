use std::collections::BTreeMap;

use glasshouse_model::{Attributes, Level, ProcessId, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of processes, newest activity first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProcessList {
    /// The processes.
    pub processes: Vec<Process>,
    /// `cursor` of the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub next_cursor: Option<String>,
}

/// A process: one run of a program, one OpenTelemetry resource instance.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Process {
    /// UUID.
    #[schema(value_type = String)]
    pub process_id: ProcessId,
    /// `service.name`.
    pub service_name: String,
    /// `service.namespace`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub service_namespace: Option<String>,
    /// `service.version`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub service_version: Option<String>,
    /// `service.instance.id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub service_instance_id: Option<String>,
    /// `deployment.environment.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub environment: Option<String>,
    /// `host.name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub host_name: Option<String>,
    /// Operating system process id, as a decimal string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub pid: Option<String>,
    /// Path or name of the executable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub executable: Option<String>,
    /// Command line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub command_line: Option<String>,
    /// `process.owner`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub user_name: Option<String>,
    /// `os.type`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub os: Option<String>,
    /// `host.arch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub arch: Option<String>,
    /// `telemetry.sdk.language`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sdk_language: Option<String>,
    /// `process.runtime.name` and version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub runtime: Option<String>,
    /// When it started, Unix nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub start_time: Option<Timestamp>,
    /// When Glasshouse first heard of it, Unix nanoseconds.
    #[schema(value_type = String)]
    pub first_seen: Timestamp,
    /// When Glasshouse last heard of it, Unix nanoseconds.
    #[schema(value_type = String)]
    pub last_update_time: Timestamp,
    /// The process that started this one, where the sender says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub parent_process_id: Option<ProcessId>,
    /// All resource attributes, as plain JSON; absent when they were not to be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = BTreeMap<String, Object>, nullable = false, required = false)]
    pub properties: Option<BTreeMap<String, serde_json::Value>>,
    /// The same with their types, each as it was sent; only in the answer for one process.
    #[serde(default, deserialize_with = "ignore", skip_serializing_if = "is_empty")]
    #[schema(value_type = Vec<crate::KeyValue>, required = false)]
    pub resource: Attributes,
    /// Rows of the process in the time asked for; absent when they were not to be counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub counts: Option<ProcessCounts>,
}

/// Who reads answers in Rust has no need of them.
fn ignore<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Attributes, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| Attributes::default())
}

fn is_empty(attributes: &Attributes) -> bool {
    attributes.0.is_empty()
}

/// Exact numbers of rows, as decimal strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ProcessCounts {
    /// Spans.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub spans: u64,
    /// Log records.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub logs: u64,
    /// Metric data points.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub metrics: u64,
}

/// What a process has sent, counted row by row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct ProcessStatistics {
    /// Spans.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub span_count: u64,
    /// Spans that have not ended.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub open_span_count: u64,
    /// Spans whose status is ERROR.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub error_count: u64,
    /// Traces that have a span of it.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub trace_count: u64,
    /// Log records.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub log_count: u64,
    /// Log records of each level.
    pub levels: LevelCounts,
    /// Metric data points.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub metric_point_count: u64,
    /// Metrics, by their names.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub metric_count: u64,
    /// Threads that spans tell of.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub thread_count: u64,
    /// Time of its earliest row, Unix nanoseconds; absent when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub first_time: Option<Timestamp>,
    /// Time of its latest row, ends of spans included; absent when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub last_time: Option<Timestamp>,
}

/// Numbers of log records, as decimal strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct LevelCounts {
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub fatal: u64,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub error: u64,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub warn: u64,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub info: u64,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub debug: u64,
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub trace: u64,
    /// Records without a severity number.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub unspecified: u64,
}

impl LevelCounts {
    /// Adds records of a level.
    pub fn add(&mut self, level: Option<Level>, count: u64) {
        let counted = match level {
            Some(Level::Fatal) => &mut self.fatal,
            Some(Level::Error) => &mut self.error,
            Some(Level::Warn) => &mut self.warn,
            Some(Level::Info) => &mut self.info,
            Some(Level::Debug) => &mut self.debug,
            Some(Level::Trace) => &mut self.trace,
            None => &mut self.unspecified,
        };
        *counted += count;
    }
}

/// Numbers as decimal strings.
pub(crate) mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    pub(crate) fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
