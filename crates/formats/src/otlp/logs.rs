use glasshouse_model::{Severity, SpanId, Timestamp, TraceId};
use glasshouse_tables::attributes::{PackedWriter, ValueRef};
use glasshouse_tables::ports::{DecodeError, Decoded};
use glasshouse_tables::{Batches, LogRow, LogsBuilder, Table};

use super::attributes::{self, AnyValue};
use super::envelope::{Scope, read_request};
use super::time;
use crate::outcome::Outcome;
use crate::process::{Process, Processes};
use crate::wire::{Message, Result};

/// Decodes an `ExportLogsServiceRequest`.
pub(crate) fn decode_logs(body: &[u8], received: Timestamp) -> Result<Decoded, DecodeError> {
    let mut processes = Processes::default();
    let mut logs = Logs {
        received,
        rows: LogsBuilder::default(),
        outcome: Outcome::default(),
        attributes: PackedWriter::new(),
        body: PackedWriter::new(),
    };
    read_request(body, &mut processes, |process, scope, mut items| {
        while let Some(tag) = items.tag()? {
            match tag.field() {
                2 => logs.read(items.message(tag)?, process, scope)?,
                _ => items.skip(tag)?,
            }
        }
        Ok(())
    })?;
    let mut batches = Batches::default();
    batches.set(Table::Processes, processes.finish(received));
    batches.set(Table::Logs, logs.rows.finish(received));
    Ok(logs.outcome.decoded(batches))
}

/// Memory that a row takes beside its texts and attributes, roughly.
const LOG_ROW: usize = 224;

struct Logs {
    received: Timestamp,
    rows: LogsBuilder,
    outcome: Outcome,
    attributes: PackedWriter,
    body: PackedWriter,
}

impl Logs {
    fn read(&mut self, mut message: Message<'_>, process: &mut Process, scope: Scope<'_>) -> Result<()> {
        self.attributes.clear();
        let mut sent_body = AnyValue::default();
        let (mut time_sent, mut time_observed) = (0, 0);
        let (mut severity, mut severity_text, mut event_name) = (0, "", "");
        let (mut trace_id, mut span_id): (&[u8], &[u8]) = (&[], &[]);
        let (mut flags, mut dropped_attributes_count) = (0, 0);
        while let Some(tag) = message.tag()? {
            match tag.field() {
                1 => time_sent = message.fixed64(tag)?,
                2 => severity = message.uint32(tag)? as i32,
                3 => severity_text = message.text(tag)?,
                5 => sent_body.merge(message.message(tag)?)?,
                6 => drop(attributes::push(message.message(tag)?, &mut self.attributes)?),
                7 => dropped_attributes_count = message.uint32(tag)?,
                8 => flags = message.fixed32(tag)?,
                9 => trace_id = message.bytes(tag)?,
                10 => span_id = message.bytes(tag)?,
                11 => time_observed = message.fixed64(tag)?,
                12 => event_name = message.text(tag)?,
                _ => message.skip(tag)?,
            }
        }
        let body = sent_body.read(&mut self.body);
        let names = process.service_name.len() + scope.name.len() + scope.version.len() + event_name.len();
        let body_memory = match body {
            ValueRef::String(text) => text.len(),
            // Written as JSON: six bytes for one is the most.
            ValueRef::Array(bytes) | ValueRef::Map(bytes) | ValueRef::Bytes(bytes) => 6 * bytes.len(),
            _ => 0,
        };
        let own = self.attributes.packed().len() + severity_text.len() + body_memory;
        self.outcome.spend(LOG_ROW + names + own).map_err(|what| message.malformed(what))?;
        let (Some(sent), Some(observed)) = (time(time_sent), time(time_observed)) else {
            self.outcome.reject("time_unix_nano or observed_time_unix_nano is past the year 2262");
            return Ok(());
        };
        let observed_time = (time_observed != 0).then_some(observed);
        let time = if time_sent == 0 { observed_time.unwrap_or(self.received) } else { sent };
        self.rows.push(&LogRow {
            time,
            observed_time,
            process_id: process.id,
            service_name: &process.service_name,
            severity: Severity(severity),
            severity_text,
            scope_name: scope.name,
            scope_version: scope.version,
            event_name,
            body,
            // The specification: a record with an invalid id belongs to no trace.
            trace_id: TraceId::from_slice(trace_id),
            span_id: SpanId::from_slice(span_id),
            flags,
            attributes: self.attributes.packed(),
            dropped_attributes_count,
        });
        process.saw(time);
        self.outcome.accept();
        Ok(())
    }
}
