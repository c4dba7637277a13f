use std::collections::BTreeMap;

use glasshouse_model::{ProcessId, Timestamp};
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
    /// All resource attributes, as plain JSON.
    #[schema(value_type = BTreeMap<String, Object>)]
    pub properties: BTreeMap<String, serde_json::Value>,
    /// Rows of the process in the time asked for.
    pub counts: ProcessCounts,
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
