//! Tables that are computed from others when they are read, in SQL.

use glasshouse_model::TimeRange;
use glasshouse_tables::Table;

/// A view that users see besides the tables.
#[derive(Debug)]
pub(crate) struct DerivedView {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    /// Columns and what they hold.
    pub(crate) columns: &'static [(&'static str, &'static str)],
    sql: fn(seconds: &str) -> String,
}

/// All of them.
pub(crate) const DERIVED: &[DerivedView] = &[
    DerivedView {
        name: "services",
        doc: "One row for each service that was called in the query's time range: rate, errors, duration. \
              A call is a span of kind SERVER or CONSUMER, or one without parent; sampled spans count by their weight",
        columns: &[
            ("service_name", "Service"),
            ("requests", "Calls"),
            ("errors", "Calls whose status is ERROR"),
            ("error_ratio", "`errors / requests`"),
            ("requests_per_second", RATE_DOC),
            ("p50_ns", "Median duration in nanoseconds"),
            ("p90_ns", "90th percentile of the duration in nanoseconds"),
            ("p99_ns", "99th percentile of the duration in nanoseconds"),
            ("first_time", "Start of the first call"),
            ("last_time", "Start of the last call"),
        ],
        sql: services_sql,
    },
    DerivedView {
        name: "service_edges",
        doc: "One row for each pair of services of which one called the other in the query's time range: a span \
              of `callee`, of kind SERVER or CONSUMER, whose parent is a span of `caller`",
        columns: &[
            ("caller", "Service of the parent span"),
            ("callee", "Service of the span"),
            ("requests", "Calls"),
            ("errors", "Calls whose status is ERROR"),
            ("error_ratio", "`errors / requests`"),
            ("requests_per_second", RATE_DOC),
            ("p50_ns", "Median duration in nanoseconds, as the callee saw it"),
            ("p90_ns", "90th percentile of the duration in nanoseconds"),
            ("p99_ns", "99th percentile of the duration in nanoseconds"),
        ],
        sql: service_edges_sql,
    },
];

const RATE_DOC: &str =
    "Calls per second of the query's time range; where that is open, of the time from the first call to the last";

impl DerivedView {
    /// The view's definition for queries of a time range.
    pub(crate) fn sql(&self, range: TimeRange) -> String {
        let is_bounded = range.from > TimeRange::ALL.from && range.to < TimeRange::ALL.to;
        let seconds = if is_bounded {
            format!("{:.9}", ((range.to - range.from).nanos().max(1)) as f64 / 1e9)
        } else {
            "greatest(CAST(CAST(max(start_time) AS BIGINT) - CAST(min(start_time) AS BIGINT) AS DOUBLE) / 1e9, 1.0)"
                .to_owned()
        };
        (self.sql)(&seconds)
    }
}

/// The rows of `processes` as they are stored, several for a process, made one: the latest state.
pub(crate) fn processes_sql() -> String {
    let columns: Vec<_> = Table::Processes
        .columns()
        .iter()
        .map(|column| match column.name {
            "process_id" => "process_id".to_owned(),
            name @ ("start_time" | "first_seen") => format!("min({name}) AS {name}"),
            name @ ("last_update_time" | "ingest_time") => format!("max({name}) AS {name}"),
            name => format!("last_value({name} ORDER BY last_update_time, ingest_time) AS {name}"),
        })
        .collect();
    format!("SELECT {} FROM processes GROUP BY process_id", columns.join(", "))
}

fn red(prefix: &str, seconds: &str) -> String {
    let weight = format!("{prefix}sample_weight");
    let errors = format!("coalesce(sum({weight}) FILTER (WHERE {prefix}status_code = 'ERROR'), CAST(0 AS DOUBLE))");
    let percentile = |fraction: &str| format!("percentile({prefix}duration_ns, {fraction}, {weight})");
    format!(
        "sum({weight}) AS requests, {errors} AS errors, {errors} / sum({weight}) AS error_ratio, \
         sum({weight}) / {seconds} AS requests_per_second, \
         {} AS p50_ns, {} AS p90_ns, {} AS p99_ns",
        percentile("0.5"),
        percentile("0.9"),
        percentile("0.99"),
    )
}

fn services_sql(seconds: &str) -> String {
    format!(
        "SELECT service_name, {}, min(start_time) AS first_time, max(start_time) AS last_time FROM spans \
         WHERE kind IN ('SERVER', 'CONSUMER') OR parent_span_id IS NULL GROUP BY service_name",
        red("", seconds)
    )
}

fn service_edges_sql(seconds: &str) -> String {
    let seconds = seconds.replace("start_time", "child.start_time");
    format!(
        "SELECT parent.service_name AS caller, child.service_name AS callee, {} FROM \
         (SELECT * FROM spans WHERE kind IN ('SERVER', 'CONSUMER') AND parent_span_id IS NOT NULL) AS child \
         JOIN spans AS parent ON parent.trace_id = child.trace_id AND parent.span_id = child.parent_span_id \
         WHERE parent.service_name <> child.service_name GROUP BY parent.service_name, child.service_name",
        red("child.", &seconds)
    )
}
