//! Data points of the five kinds of metrics, and their exemplars.

use std::ops::Range;

use glasshouse_model::{SpanId, Timestamp, TraceId};
use glasshouse_tables::attributes::PackedWriter;
use glasshouse_tables::{ExemplarRow, ExponentialRow, MetricRow, MetricsBuilder};

use super::metrics::Descriptor;
use super::{attributes, time};
use crate::wire::{Message, Result};

/// `DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK`: the point says that there is no value.
const NO_RECORDED_VALUE: u32 = 1;

/// Most buckets, quantiles or exemplars of a point: the wire writes each in two bytes, the table in many.
const MAX_LIST: usize = 1 << 16;

/// Memory that a row, and an exemplar, take beside their texts and attributes, roughly.
const POINT_ROW: usize = 320;
const EXEMPLAR_ROW: usize = 192;

/// What the points of a metric are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
}

impl Kind {
    /// The kind that a field of the oneof `Metric.data` stands for.
    pub fn of_field(field: u32) -> Option<Self> {
        Some(match field {
            5 => Self::Gauge,
            7 => Self::Sum,
            9 => Self::Histogram,
            10 => Self::ExponentialHistogram,
            11 => Self::Summary,
            _ => return None,
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "GAUGE",
            Self::Sum => "SUM",
            Self::Histogram => "HISTOGRAM",
            Self::ExponentialHistogram => "EXPONENTIAL_HISTOGRAM",
            Self::Summary => "SUMMARY",
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Number {
    Double(f64),
    Int(i64),
}

impl Number {
    /// The columns `value` and `value_int`.
    fn columns(number: Option<Self>) -> (Option<f64>, Option<i64>) {
        match number {
            Some(Self::Double(value)) => (Some(value), None),
            Some(Self::Int(value)) => (Some(value as f64), Some(value)),
            None => (None, None),
        }
    }
}

/// A data point of any kind, as it was sent.
#[derive(Debug, Default)]
pub(super) struct Point<'a> {
    start: u64,
    time: u64,
    flags: u32,
    value: Option<Number>,
    count: u64,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    bounds: Vec<f64>,
    counts: Counts,
    scale: i32,
    zero_count: u64,
    zero_threshold: f64,
    positive: Buckets,
    negative: Buckets,
    quantiles: Vec<(f64, f64)>,
    /// Whether there were more quantiles or exemplars than are read.
    too_many: bool,
    attributes: PackedWriter,
    exemplars: Vec<Exemplar<'a>>,
    /// Attributes of all exemplars, one after the other.
    exemplar_attributes: PackedWriter,
}

#[derive(Debug, Default)]
struct Buckets {
    offset: i32,
    counts: Counts,
}

/// Bucket counts. The wire has `u64`, the table `i64`.
#[derive(Debug, Default)]
struct Counts {
    values: Vec<i64>,
    too_large: bool,
    too_many: bool,
}

impl Counts {
    fn push(&mut self, count: u64) {
        self.too_large |= i64::try_from(count).is_err();
        self.too_many |= self.values.len() == MAX_LIST;
        if !self.too_many {
            self.values.push(count as i64);
        }
    }

    fn clear(&mut self) {
        self.values.clear();
        (self.too_large, self.too_many) = (false, false);
    }
}

#[derive(Debug)]
struct Exemplar<'a> {
    time: u64,
    value: Option<Number>,
    trace_id: &'a [u8],
    span_id: &'a [u8],
    attributes: Range<usize>,
}

impl<'a> Point<'a> {
    /// Reads a point over the memory of the last one.
    pub fn read(&mut self, kind: Kind, message: Message<'a>) -> Result<()> {
        self.clear();
        match kind {
            Kind::Gauge | Kind::Sum => self.read_number(message),
            Kind::Histogram => self.read_histogram(message),
            Kind::ExponentialHistogram => self.read_exponential(message),
            Kind::Summary => self.read_summary(message),
        }
    }

    fn clear(&mut self) {
        let mut attributes = std::mem::take(&mut self.attributes);
        let mut exemplar_attributes = std::mem::take(&mut self.exemplar_attributes);
        let (mut bounds, mut counts) = (std::mem::take(&mut self.bounds), std::mem::take(&mut self.counts));
        let (mut positive, mut negative) = (std::mem::take(&mut self.positive), std::mem::take(&mut self.negative));
        let (mut quantiles, mut exemplars) = (std::mem::take(&mut self.quantiles), std::mem::take(&mut self.exemplars));
        attributes.clear();
        exemplar_attributes.clear();
        bounds.clear();
        counts.clear();
        positive.counts.clear();
        negative.counts.clear();
        (positive.offset, negative.offset) = (0, 0);
        quantiles.clear();
        exemplars.clear();
        *self = Self {
            bounds,
            counts,
            positive,
            negative,
            quantiles,
            attributes,
            exemplars,
            exemplar_attributes,
            ..Self::default()
        };
    }

    fn read_number(&mut self, mut message: Message<'a>) -> Result<()> {
        while let Some(tag) = message.tag()? {
            match tag.field() {
                2 => self.start = message.fixed64(tag)?,
                3 => self.time = message.fixed64(tag)?,
                4 => self.value = Some(Number::Double(message.double(tag)?)),
                5 => self.read_exemplar(message.message(tag)?)?,
                6 => self.value = Some(Number::Int(message.fixed64(tag)? as i64)),
                7 => drop(attributes::push(message.message(tag)?, &mut self.attributes)?),
                8 => self.flags = message.uint32(tag)?,
                _ => message.skip(tag)?,
            }
        }
        Ok(())
    }

    fn read_histogram(&mut self, mut message: Message<'a>) -> Result<()> {
        while let Some(tag) = message.tag()? {
            match tag.field() {
                2 => self.start = message.fixed64(tag)?,
                3 => self.time = message.fixed64(tag)?,
                4 => self.count = message.fixed64(tag)?,
                5 => self.sum = Some(message.double(tag)?),
                6 => message.repeated_fixed64(tag, |count| self.counts.push(count))?,
                7 => message.repeated_fixed64(tag, |bound| self.bounds.push(f64::from_bits(bound)))?,
                8 => self.read_exemplar(message.message(tag)?)?,
                9 => drop(attributes::push(message.message(tag)?, &mut self.attributes)?),
                10 => self.flags = message.uint32(tag)?,
                11 => self.min = Some(message.double(tag)?),
                12 => self.max = Some(message.double(tag)?),
                _ => message.skip(tag)?,
            }
        }
        Ok(())
    }

    fn read_exponential(&mut self, mut message: Message<'a>) -> Result<()> {
        while let Some(tag) = message.tag()? {
            match tag.field() {
                1 => drop(attributes::push(message.message(tag)?, &mut self.attributes)?),
                2 => self.start = message.fixed64(tag)?,
                3 => self.time = message.fixed64(tag)?,
                4 => self.count = message.fixed64(tag)?,
                5 => self.sum = Some(message.double(tag)?),
                6 => self.scale = message.sint32(tag)?,
                7 => self.zero_count = message.fixed64(tag)?,
                8 => read_buckets(message.message(tag)?, &mut self.positive)?,
                9 => read_buckets(message.message(tag)?, &mut self.negative)?,
                10 => self.flags = message.uint32(tag)?,
                11 => self.read_exemplar(message.message(tag)?)?,
                12 => self.min = Some(message.double(tag)?),
                13 => self.max = Some(message.double(tag)?),
                14 => self.zero_threshold = message.double(tag)?,
                _ => message.skip(tag)?,
            }
        }
        Ok(())
    }

    fn read_summary(&mut self, mut message: Message<'a>) -> Result<()> {
        self.sum = Some(0.0);
        while let Some(tag) = message.tag()? {
            match tag.field() {
                2 => self.start = message.fixed64(tag)?,
                3 => self.time = message.fixed64(tag)?,
                4 => self.count = message.fixed64(tag)?,
                5 => self.sum = Some(message.double(tag)?),
                6 => {
                    let quantile = read_quantile(message.message(tag)?)?;
                    self.too_many |= self.quantiles.len() == MAX_LIST;
                    if !self.too_many {
                        self.quantiles.push(quantile);
                    }
                }
                7 => drop(attributes::push(message.message(tag)?, &mut self.attributes)?),
                8 => self.flags = message.uint32(tag)?,
                _ => message.skip(tag)?,
            }
        }
        Ok(())
    }

    fn read_exemplar(&mut self, mut message: Message<'a>) -> Result<()> {
        let packed = &mut self.exemplar_attributes;
        let begin = packed.packed().len();
        let mut exemplar = Exemplar { time: 0, value: None, trace_id: &[], span_id: &[], attributes: begin..begin };
        while let Some(tag) = message.tag()? {
            match tag.field() {
                2 => exemplar.time = message.fixed64(tag)?,
                3 => exemplar.value = Some(Number::Double(message.double(tag)?)),
                4 => exemplar.span_id = message.bytes(tag)?,
                5 => exemplar.trace_id = message.bytes(tag)?,
                6 => exemplar.value = Some(Number::Int(message.fixed64(tag)? as i64)),
                7 => drop(attributes::push(message.message(tag)?, packed)?),
                _ => message.skip(tag)?,
            }
        }
        exemplar.attributes.end = packed.packed().len();
        self.too_many |= self.exemplars.len() == MAX_LIST;
        if !self.too_many {
            self.exemplars.push(exemplar);
        }
        Ok(())
    }

    /// Memory that the point's row takes beside what its metric says, roughly.
    pub fn memory(&self) -> usize {
        let buckets = self.counts.values.len() + self.positive.counts.values.len() + self.negative.counts.values.len();
        let lists = 8 * (buckets + self.bounds.len() + 2 * self.quantiles.len());
        // Attributes of exemplars become JSON; six bytes for one is the most.
        let exemplars = EXEMPLAR_ROW * self.exemplars.len() + 6 * self.exemplar_attributes.packed().len();
        POINT_ROW + self.attributes.packed().len() + lists + exemplars
    }

    /// Appends the point's row and gives the earliest time it tells of, or says why it is refused.
    pub fn keep(
        &self,
        metric: &Descriptor<'_>,
        received: Timestamp,
        rows: &mut MetricsBuilder,
    ) -> Result<Timestamp, &'static str> {
        let point_time = match self.time {
            0 => received,
            nanos => time(nanos).ok_or("time_unix_nano is past the year 2262")?,
        };
        let start_time = match self.start {
            0 => None,
            nanos => Some(time(nanos).ok_or("start_time_unix_nano is past the year 2262")?),
        };
        if self.too_many || [&self.counts, &self.positive.counts, &self.negative.counts].iter().any(|c| c.too_many) {
            return Err("more than 65536 buckets, quantiles or exemplars");
        }
        if self.counts.too_large || self.positive.counts.too_large || self.negative.counts.too_large {
            return Err("a bucket count is not below 2^63");
        }
        let count = i64::try_from(self.count).map_err(|_| "count is not below 2^63")?;
        let zero_count = i64::try_from(self.zero_count).map_err(|_| "zero_count is not below 2^63")?;
        let exemplars: Vec<_> = self
            .exemplars
            .iter()
            .map(|exemplar| {
                let (value, value_int) = Number::columns(exemplar.value);
                ExemplarRow {
                    time: if exemplar.time == 0 { point_time } else { time(exemplar.time).unwrap_or(point_time) },
                    value,
                    value_int,
                    trace_id: TraceId::from_slice(exemplar.trace_id),
                    span_id: SpanId::from_slice(exemplar.span_id),
                    attributes: &self.exemplar_attributes.packed()[exemplar.attributes.clone()],
                }
            })
            .collect();
        let recorded = self.flags & NO_RECORDED_VALUE == 0;
        let (value, value_int) = Number::columns(self.value.filter(|_| recorded));
        let distribution = recorded && !matches!(metric.kind, Kind::Gauge | Kind::Sum);
        let bucketed = recorded && !(self.bounds.is_empty() && self.counts.values.is_empty());
        let exponential = ExponentialRow {
            scale: self.scale,
            zero_count,
            zero_threshold: self.zero_threshold,
            positive_offset: self.positive.offset,
            positive_counts: &self.positive.counts.values,
            negative_offset: self.negative.offset,
            negative_counts: &self.negative.counts.values,
        };
        rows.push(&MetricRow {
            time: point_time,
            start_time,
            process_id: metric.process_id,
            service_name: metric.service_name,
            name: metric.name,
            unit: metric.unit,
            description: metric.description,
            kind: metric.kind.as_str(),
            temporality: metric.temporality,
            is_monotonic: metric.is_monotonic,
            value,
            value_int,
            count: distribution.then_some(count),
            sum: self.sum.filter(|_| distribution),
            min: self.min.filter(|_| distribution),
            max: self.max.filter(|_| distribution),
            bucket_bounds: bucketed.then_some(&self.bounds),
            bucket_counts: bucketed.then_some(&self.counts.values),
            exponential: (recorded && metric.kind == Kind::ExponentialHistogram).then_some(exponential),
            quantiles: (distribution && metric.kind == Kind::Summary).then_some(&self.quantiles),
            exemplars: &exemplars,
            flags: self.flags,
            scope_name: metric.scope.name,
            scope_version: metric.scope.version,
            attributes: self.attributes.packed(),
        });
        Ok(start_time.map_or(point_time, |start| start.min(point_time)))
    }
}

fn read_buckets(mut message: Message<'_>, buckets: &mut Buckets) -> Result<()> {
    while let Some(tag) = message.tag()? {
        match tag.field() {
            1 => buckets.offset = message.sint32(tag)?,
            2 => message.repeated_varint(tag, |count| buckets.counts.push(count))?,
            _ => message.skip(tag)?,
        }
    }
    Ok(())
}

fn read_quantile(mut message: Message<'_>) -> Result<(f64, f64)> {
    let (mut quantile, mut value) = (0.0, 0.0);
    while let Some(tag) = message.tag()? {
        match tag.field() {
            1 => quantile = message.double(tag)?,
            2 => value = message.double(tag)?,
            _ => message.skip(tag)?,
        }
    }
    Ok((quantile, value))
}
