use glasshouse_model::{ProcessId, Timestamp};
use glasshouse_tables::ports::{DecodeError, Decoded};
use glasshouse_tables::{Batches, MetricsBuilder, Table};

use super::attributes;
use super::envelope::{Scope, read_request};
use super::points::{Kind, Point};
use crate::outcome::Outcome;
use crate::process::{Process, Processes};
use crate::wire::{Message, Result};

/// Decodes an `ExportMetricsServiceRequest`: one row for each data point.
pub(crate) fn decode_metrics(body: &[u8], received: Timestamp) -> Result<Decoded, DecodeError> {
    let mut processes = Processes::default();
    let mut metrics =
        Metrics { received, rows: MetricsBuilder::default(), outcome: Outcome::default(), point: Point::default() };
    read_request(body, &mut processes, |process, scope, mut items| {
        while let Some(tag) = items.tag()? {
            match tag.field() {
                2 => metrics.read(items.message(tag)?, process, scope)?,
                _ => items.skip(tag)?,
            }
        }
        Ok(())
    })?;
    let mut batches = Batches::default();
    batches.set(Table::Processes, processes.finish(received));
    batches.set(Table::Metrics, metrics.rows.finish(received));
    Ok(metrics.outcome.decoded(batches))
}

struct Metrics<'a> {
    received: Timestamp,
    rows: MetricsBuilder,
    outcome: Outcome,
    /// The point being read: its memory is used again for the next one.
    point: Point<'a>,
}

/// What all points of a metric share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Descriptor<'a> {
    pub process_id: ProcessId,
    pub service_name: &'a str,
    pub scope: Scope<'a>,
    pub name: &'a str,
    pub unit: &'a str,
    pub description: &'a str,
    pub kind: Kind,
    pub temporality: Option<&'static str>,
    pub is_monotonic: Option<bool>,
}

impl Descriptor<'_> {
    /// Memory that its texts take in each row.
    fn memory(&self) -> usize {
        let names = self.name.len() + self.unit.len() + self.description.len();
        names + self.service_name.len() + self.scope.name.len() + self.scope.version.len()
    }
}

impl<'a> Metrics<'a> {
    fn read(&mut self, mut message: Message<'a>, process: &mut Process, scope: Scope<'a>) -> Result<()> {
        let (mut name, mut unit, mut description) = ("", "", "");
        let mut kind = None;
        // The occurrences of the oneof's last member: protobuf merges them.
        let mut data: Vec<Message<'a>> = Vec::with_capacity(1);
        while let Some(tag) = message.tag()? {
            match tag.field() {
                1 => name = message.text(tag)?,
                2 => description = message.text(tag)?,
                3 => unit = message.text(tag)?,
                12 => attributes::check(message.message(tag)?)?,
                field => match Kind::of_field(field) {
                    Some(this) => {
                        if let Some(replaced) = kind.filter(|kind| *kind != this) {
                            self.check_points(replaced, &data)?;
                            data.clear();
                        }
                        kind = Some(this);
                        data.push(message.message(tag)?);
                    }
                    None => message.skip(tag)?,
                },
            }
        }
        let Some(kind) = kind else { return Ok(()) };
        let (temporality, is_monotonic) = read_aggregation(kind, &data)?;
        for mut part in data {
            while let Some(tag) = part.tag()? {
                if tag.field() != 1 {
                    part.skip(tag)?;
                    continue;
                }
                self.point.read(kind, part.message(tag)?)?;
                let descriptor = Descriptor {
                    process_id: process.id,
                    service_name: &process.service_name,
                    scope,
                    name,
                    unit,
                    description,
                    kind,
                    temporality,
                    is_monotonic,
                };
                let memory = descriptor.memory() + self.point.memory();
                self.outcome.spend(memory).map_err(|what| part.malformed(what))?;
                match self.point.keep(&descriptor, self.received, &mut self.rows) {
                    Ok(earliest) => {
                        process.saw(earliest);
                        self.outcome.accept();
                    }
                    Err(reason) => self.outcome.reject(reason),
                }
            }
        }
        Ok(())
    }

    /// Reads points of which nothing is kept, because another kind of data replaces them.
    fn check_points(&mut self, kind: Kind, data: &[Message<'a>]) -> Result<()> {
        read_aggregation(kind, data)?;
        for mut part in data.iter().copied() {
            while let Some(tag) = part.tag()? {
                match tag.field() {
                    1 => self.point.read(kind, part.message(tag)?)?,
                    _ => part.skip(tag)?,
                }
            }
        }
        Ok(())
    }
}

/// Temporality and monotonicity, where the kind has them.
fn read_aggregation(kind: Kind, data: &[Message<'_>]) -> Result<(Option<&'static str>, Option<bool>)> {
    let (mut temporality, mut is_monotonic) = (0, false);
    let has_temporality = matches!(kind, Kind::Sum | Kind::Histogram | Kind::ExponentialHistogram);
    for mut part in data.iter().copied() {
        while let Some(tag) = part.tag()? {
            match tag.field() {
                2 if has_temporality => temporality = part.uint32(tag)?,
                3 if kind == Kind::Sum => is_monotonic = part.varint(tag)? != 0,
                _ => part.skip(tag)?,
            }
        }
    }
    let temporality = match temporality {
        1 => Some("DELTA"),
        2 => Some("CUMULATIVE"),
        _ => None,
    };
    Ok((temporality, (kind == Kind::Sum).then_some(is_monotonic)))
}
