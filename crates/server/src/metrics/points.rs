//! Points of metrics as rows of the lake.

use arrow::array::{Array, AsArray, Float64Array};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};
use glasshouse_model::Timestamp;

use super::buckets::{Bucket, explicit_buckets, exponential_buckets};
use super::figures::Point;
use super::series::Key;
use super::shape::Shown;
use crate::Refusal;
use crate::sql::{self, Rows};

/// What [`Columns`] reads of the table `metrics`.
pub(super) const COLUMNS: &str = "time, start_time, process_id, service_name, kind, temporality, is_monotonic, value, count, sum, \
     bucket_bounds, bucket_counts, exponential, attributes, scope_name, scope_version";

/// The columns that series are made of.
pub(super) struct Columns<'a> {
    rows: &'a Rows,
    time: sql::IntegerColumn,
    start_time: sql::IntegerColumn,
    process_id: sql::TextColumn,
    service_name: sql::TextColumn,
    kind: sql::TextColumn,
    temporality: sql::TextColumn,
    is_monotonic: sql::TextColumn,
    attributes: sql::TextColumn,
    scope_name: sql::TextColumn,
    scope_version: sql::TextColumn,
    count: sql::IntegerColumn,
    value: Float64Array,
    sum: Float64Array,
}

impl<'a> Columns<'a> {
    pub(super) fn new(rows: &'a Rows) -> Result<Self, Refusal> {
        Ok(Self {
            rows,
            time: rows.time("time")?,
            start_time: rows.time("start_time")?,
            process_id: rows.text("process_id")?,
            service_name: rows.text("service_name")?,
            kind: rows.text("kind")?,
            temporality: rows.text("temporality")?,
            is_monotonic: rows.text("is_monotonic")?,
            attributes: rows.text("attributes")?,
            scope_name: rows.text("scope_name")?,
            scope_version: rows.text("scope_version")?,
            count: rows.integer("count")?,
            value: rows.float("value")?,
            sum: rows.float("sum")?,
        })
    }

    pub(super) fn shown(&self, row: usize) -> Shown {
        let is_monotonic = self.is_monotonic.get(row) == Some("true");
        Shown::of(self.kind.get(row).unwrap_or_default(), is_monotonic, self.is_delta(row))
    }

    fn is_delta(&self, row: usize) -> bool {
        self.temporality.get(row) == Some("DELTA")
    }

    pub(super) fn key(&self, row: usize) -> Key {
        let text = |column: &sql::TextColumn| column.get(row).unwrap_or_default().to_owned();
        Key {
            process_id: text(&self.process_id),
            service_name: text(&self.service_name),
            scope: (text(&self.scope_name), text(&self.scope_version)),
            attributes: text(&self.attributes),
        }
    }

    pub(super) fn point(&self, row: usize) -> Point {
        let float = |column: &Float64Array| column.is_valid(row).then(|| column.value(row));
        Point {
            time: Timestamp::from_nanos(self.time.get(row).unwrap_or_default()),
            start_time: self.start_time.get(row).map(Timestamp::from_nanos),
            is_delta: self.is_delta(row),
            value: float(&self.value),
            count: self.count.get(row).unwrap_or_default(),
            sum: float(&self.sum),
            buckets: self.buckets(row).unwrap_or_default(),
        }
    }

    /// The buckets of a histogram of either kind; `None` when it has none.
    fn buckets(&self, row: usize) -> Option<Vec<Bucket>> {
        match self.kind.get(row)? {
            "HISTOGRAM" => {
                let bounds = self.rows.array("bucket_bounds")?.as_list_opt::<i32>()?;
                let counts = self.rows.array("bucket_counts")?.as_list_opt::<i32>()?;
                if bounds.is_null(row) || counts.is_null(row) {
                    return None;
                }
                let (bounds, counts) = (bounds.value(row), counts.value(row));
                let bounds = bounds.as_primitive_opt::<Float64Type>()?.values();
                Some(explicit_buckets(bounds, counts.as_primitive_opt::<Int64Type>()?.values()))
            }
            "EXPONENTIAL_HISTOGRAM" => {
                let histogram = self.rows.array("exponential")?.as_struct_opt()?;
                let int =
                    |name: &str| Some(histogram.column_by_name(name)?.as_primitive_opt::<Int32Type>()?.value(row));
                let scale = int("scale")?;
                let side = |offset: &str, counts: &str, is_negative| {
                    let counts = histogram.column_by_name(counts)?.as_list_opt::<i32>()?;
                    if counts.is_null(row) {
                        return Some(Vec::new());
                    }
                    let counts = counts.value(row);
                    let counts = counts.as_primitive_opt::<Int64Type>()?.values();
                    Some(exponential_buckets(scale, int(offset)?, counts, is_negative))
                };
                let zeros = histogram.column_by_name("zero_count")?.as_primitive_opt::<Int64Type>()?.value(row);
                let mut buckets = side("negative_offset", "negative_counts", true)?;
                buckets.push(Bucket { lower: 0.0, upper: 0.0, count: zeros });
                buckets.extend(side("positive_offset", "positive_counts", false)?);
                Some(buckets)
            }
            _ => None,
        }
    }
}
