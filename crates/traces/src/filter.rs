//! The conditions of a search, on columns and on whole spans.

use arrow::array::{Array, ArrayRef};
use glasshouse_model::{DurationNs, SpanKind, StatusCode, Timestamp, TraceFilter};
use glasshouse_tables::Snapshot;

use crate::attribute::{WantedAttribute, WantedValue};
use crate::cells::{self, Selection, Texts};
use crate::error::Failure;
use crate::source::{Absent, Source};
use crate::store::Traces;
use crate::words::Words;

/// What one span of a trace must meet.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub filter: &'a TraceFilter,
    pub attributes: Vec<WantedAttribute<'a>>,
    pub words: Words,
}

impl<'a> Wanted<'a> {
    pub fn new(traces: &Traces, snapshot: &Snapshot, filter: &'a TraceFilter) -> Result<Self, Failure> {
        let attributes = filter.attributes.iter().map(|attribute| {
            let processes = traces.processes.with(snapshot, &traces.files, attribute)?;
            Ok(WantedAttribute { key: &attribute.key, value: WantedValue::Text(&attribute.value), processes })
        });
        let words = Words::new(filter.text.as_deref().unwrap_or_default());
        Ok(Self { filter, attributes: attributes.collect::<Result<_, Failure>>()?, words })
    }

    /// Those of a source's rows that meet every condition. The cheapest conditions come first, and a column is
    /// read only while rows are left.
    pub fn rows(&self, source: &Source, mut rows: Selection, absent: &Absent) -> Result<Vec<u32>, Failure> {
        self.keep_durations(source, &mut rows)?;
        let error = self.filter.error.map(|error| (StatusCode::Error.as_str(), error));
        let texts = [
            ("service_name", self.filter.service.as_deref().map(|service| (service, true))),
            ("name", self.filter.operation.as_deref().map(|operation| (operation, true))),
            ("kind", self.filter.kind.map(|kind| (kind.as_str(), true))),
            ("status_code", error),
        ];
        for (name, condition) in texts {
            if let Some((text, equal)) = condition
                && !rows.is_empty()
            {
                Texts::new(&source.required(name)?)?.keep(text, equal, &mut rows);
            }
        }
        self.keep_roots(source, &mut rows)?;
        self.keep_requests(source, &mut rows)?;
        self.keep_times(source, &mut rows)?;
        for attribute in &self.attributes {
            attribute.keep(source, absent, &mut rows)?;
        }
        self.words.keep(source, &mut rows)?;
        Ok(rows.into_rows())
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

    fn keep_roots(&self, source: &Source, rows: &mut Selection) -> Result<(), Failure> {
        let Some(root) = self.filter.root else { return Ok(()) };
        if !rows.is_empty() {
            let parents: ArrayRef = source.required("parent_span_id")?;
            rows.keep(|row| parents.is_null(row) == root);
        }
        Ok(())
    }

    fn keep_requests(&self, source: &Source, rows: &mut Selection) -> Result<(), Failure> {
        let Some(request) = self.filter.request else { return Ok(()) };
        if rows.is_empty() {
            return Ok(());
        }
        let (kinds, parents): (ArrayRef, ArrayRef) = (source.required("kind")?, source.required("parent_span_id")?);
        let mut is_called = vec![0; source.len()];
        let of_kind = |kind: &str| u64::from(kind == SpanKind::Server.as_str() || kind == SpanKind::Consumer.as_str());
        Texts::new(&kinds)?.look(rows, of_kind, &mut is_called);
        rows.keep(|row| (is_called[row] != 0 || parents.is_null(row)) == request);
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
