use std::sync::Arc;

use arrow::array::{BinaryBuilder, FixedSizeBinaryBuilder, Int64Builder, StringBuilder, TimestampNanosecondBuilder};
use arrow::record_batch::RecordBatch;
use glasshouse_model::{ProcessId, Timestamp};

use super::{append_id, append_optional_id, batch, constant_time, nanos, times};
use crate::Table;
use crate::attributes::{self, ValueRef};

/// A row of `processes`: the columns that mirror resource attributes are taken from `resource`.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields are the table's columns")]
pub struct ProcessRow<'a> {
    pub process_id: ProcessId,
    pub service_name: &'a str,
    /// Earliest time that the process's telemetry tells of; `process.creation.time` wins over it.
    pub start_time: Option<Timestamp>,
    pub first_seen: Timestamp,
    pub last_update_time: Timestamp,
    pub parent_process_id: Option<ProcessId>,
    /// Packed ([`crate::attributes`]).
    pub resource: &'a [u8],
}

/// The resource attributes that columns from `service_namespace` to `runtime` show, `pid` aside, in order.
const TEXT_COLUMNS: usize = 12;

/// Builds a batch of `processes`.
#[derive(Debug)]
pub struct ProcessesBuilder {
    process_id: FixedSizeBinaryBuilder,
    service_name: StringBuilder,
    texts: [StringBuilder; TEXT_COLUMNS],
    pid: Int64Builder,
    start_time: TimestampNanosecondBuilder,
    first_seen: TimestampNanosecondBuilder,
    last_update_time: TimestampNanosecondBuilder,
    parent_process_id: FixedSizeBinaryBuilder,
    resource: BinaryBuilder,
    rows: usize,
}

impl Default for ProcessesBuilder {
    fn default() -> Self {
        Self {
            process_id: FixedSizeBinaryBuilder::new(16),
            service_name: StringBuilder::new(),
            texts: std::array::from_fn(|_| StringBuilder::new()),
            pid: Int64Builder::new(),
            start_time: times(),
            first_seen: times(),
            last_update_time: times(),
            parent_process_id: FixedSizeBinaryBuilder::new(16),
            resource: BinaryBuilder::new(),
            rows: 0,
        }
    }
}

impl ProcessesBuilder {
    /// Appends a row.
    pub fn push(&mut self, row: &ProcessRow<'_>) {
        let text = |key: &str| attributes::get(row.resource, key).and_then(ValueRef::to_text);
        let texts: [Option<String>; TEXT_COLUMNS] = [
            text("service.namespace").map(Into::into),
            text("service.version").map(Into::into),
            text("service.instance.id").map(Into::into),
            text("deployment.environment.name").or_else(|| text("deployment.environment")).map(Into::into),
            text("host.name").map(Into::into),
            text("process.executable.path").or_else(|| text("process.executable.name")).map(Into::into),
            command_line(row.resource),
            text("process.owner").map(Into::into),
            text("os.type").map(Into::into),
            text("host.arch").map(Into::into),
            text("telemetry.sdk.language").map(Into::into),
            runtime(row.resource),
        ];
        for (builder, text) in self.texts.iter_mut().zip(texts) {
            builder.append_option(text);
        }
        let pid = attributes::get(row.resource, "process.pid").and_then(|value| match value {
            ValueRef::Int(pid) => Some(pid),
            ValueRef::String(text) => text.parse().ok(),
            _ => None,
        });
        append_id(&mut self.process_id, row.process_id.as_bytes());
        self.service_name.append_value(row.service_name);
        self.pid.append_option(pid);
        self.start_time.append_option(nanos(row.start_time));
        self.first_seen.append_value(row.first_seen.nanos());
        self.last_update_time.append_value(row.last_update_time.nanos());
        append_optional_id(&mut self.parent_process_id, row.parent_process_id.as_ref().map(ProcessId::as_bytes));
        self.resource.append_value(row.resource);
        self.rows += 1;
    }

    /// The batch; `ingest_time` is the same for all its rows.
    pub fn finish(mut self, ingest_time: Timestamp) -> RecordBatch {
        let [namespace, version, instance, environment, host, executable, command, user, os, arch, language, runtime] =
            &mut self.texts;
        batch(
            Table::Processes,
            vec![
                Arc::new(self.process_id.finish()),
                Arc::new(self.service_name.finish()),
                Arc::new(namespace.finish()),
                Arc::new(version.finish()),
                Arc::new(instance.finish()),
                Arc::new(environment.finish()),
                Arc::new(host.finish()),
                Arc::new(self.pid.finish()),
                Arc::new(executable.finish()),
                Arc::new(command.finish()),
                Arc::new(user.finish()),
                Arc::new(os.finish()),
                Arc::new(arch.finish()),
                Arc::new(language.finish()),
                Arc::new(runtime.finish()),
                Arc::new(self.start_time.finish()),
                Arc::new(self.first_seen.finish()),
                Arc::new(self.last_update_time.finish()),
                Arc::new(self.parent_process_id.finish()),
                Arc::new(self.resource.finish()),
                constant_time(ingest_time, self.rows),
            ],
        )
    }
}

fn command_line(resource: &[u8]) -> Option<String> {
    let text = |key: &str| attributes::get(resource, key).and_then(ValueRef::to_text).map(String::from);
    let arguments = || {
        let value = attributes::get(resource, "process.command_args")?;
        let words: Vec<_> = value.items().filter_map(ValueRef::to_text).collect();
        (!words.is_empty()).then(|| words.join(" "))
    };
    text("process.command_line").or_else(arguments).or_else(|| text("process.command"))
}

fn runtime(resource: &[u8]) -> Option<String> {
    let text = |key: &str| attributes::get(resource, key).and_then(ValueRef::to_text);
    let name = text("process.runtime.name")?;
    Some(match text("process.runtime.version") {
        Some(version) => format!("{name} {version}"),
        None => name.into_owned(),
    })
}
