//! The conditions of a search, on columns and on whole spans.

use arrow::array::{Array, ArrayRef};
use glasshouse_model::{DurationNs, Span, StatusCode, Timestamp, TraceFilter};

use crate::attribute::WantedAttribute;
use crate::cells::{self, Selection, Texts};
use crate::error::Failure;
use crate::source::{Absent, Source};

/// What one span of a trace must meet.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub filter: &'a TraceFilter,
    pub attributes: Vec<WantedAttribute<'a>>,
}

impl Wanted<'_> {
    /// The rows of a source that meet every condition. The cheapest conditions come first, and a column is
    /// read only while rows are left.
    pub fn rows(&self, source: &Source, absent: &Absent) -> Result<Vec<u32>, Failure> {
        let mut rows = Selection::all(source.len());
        self.keep_durations(source, &mut rows)?;
        let error = self.filter.error.map(|error| (StatusCode::Error.as_str(), error));
        let texts = [
            ("service_name", self.filter.service.as_deref().map(|service| (service, true))),
            ("name", self.filter.operation.as_deref().map(|operation| (operation, true))),
            ("status_code", error),
        ];
        for (name, condition) in texts {
            if let Some((text, equal)) = condition
                && !rows.is_empty()
            {
                Texts::new(&source.required(name)?)?.keep(text, equal, &mut rows);
            }
        }
        self.keep_times(source, &mut rows)?;
        for attribute in &self.attributes {
            attribute.keep(source, absent, &mut rows)?;
        }
        Ok(rows.into_rows())
    }

    /// Whether a span meets every condition.
    pub fn matches(&self, span: &Span) -> bool {
        let TraceFilter { service, operation, min_duration, max_duration, error, range, .. } = self.filter;
        let is_error = span.status_code == StatusCode::Error;
        service.as_ref().is_none_or(|service| *service == span.service_name)
            && operation.as_ref().is_none_or(|operation| *operation == span.name)
            && min_duration.is_none_or(|min| span.duration().is_some_and(|duration| duration >= min))
            && max_duration.is_none_or(|max| span.duration().is_some_and(|duration| duration <= max))
            && error.is_none_or(|error| error == is_error)
            && range.contains(span.start_time)
            && self.attributes.iter().all(|attribute| attribute.matches(&span.attributes, span.process_id))
    }

    fn keep_durations(&self, source: &Source, rows: &mut Selection) -> Result<(), Failure> {
        let TraceFilter { min_duration, max_duration, .. } = self.filter;
        if min_duration.is_none() && max_duration.is_none() {
            return Ok(());
        }
        let min = min_duration.map_or(i64::MIN, DurationNs::nanos);
        let max = max_duration.map_or(i64::MAX, DurationNs::nanos);
        if source.bounds("duration_ns").is_some_and(|(least, greatest)| greatest < min || max < least) {
            rows.clear();
            return Ok(());
        }
        let column: ArrayRef = source.required("duration_ns")?;
        let durations = cells::integers(&column)?;
        rows.keep_values(durations.values(), durations.nulls(), |duration| min <= duration && duration <= max);
        Ok(())
    }

    fn keep_times(&self, source: &Source, rows: &mut Selection) -> Result<(), Failure> {
        let range = self.filter.range;
        let is_inside = source.bounds("start_time").is_some_and(|(first, last)| {
            range.contains(Timestamp::from_nanos(first)) && range.contains(Timestamp::from_nanos(last))
        });
        if rows.is_empty() || is_inside {
            return Ok(());
        }
        let column: ArrayRef = source.required("start_time")?;
        let times = cells::times(&column)?.values();
        rows.keep_values(times, None, |time| range.contains(Timestamp::from_nanos(time)));
        Ok(())
    }
}
