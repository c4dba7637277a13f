//! Log records: searched, and counted over time.

use std::fmt;
use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use glasshouse_api as api;
use glasshouse_api::{ErrorBody, LogBucket, LogHistogram, LogPage};
use glasshouse_model::{
    Level, LogRecord, ProcessId, Severity, SpanId, TimeRange, Timestamp, TraceId, Value, round_step,
};

use crate::Refusal;
use crate::params::{Params, PathParam, parse_order, parse_process_id};
use crate::sql::{self, Parameters, Rows};
use crate::state::App;

const DEFAULT_LOGS: usize = 100;
const MAX_LOGS: usize = 5_000;
const DEFAULT_BUCKETS: usize = 60;
const MAX_BUCKETS: usize = 1_000;

/// Searches log records, newest first.
#[utoipa::path(get, path = "/api/logs", operation_id = "list_logs", tag = "logs",
    params(("search" = Option<String>, Query, description = "Text in the body, the event's name or the attributes; letter case does not matter"),
        ("level" = Option<String>, Query, description = "Of `FATAL,ERROR,WARN,INFO,DEBUG,TRACE,UNSPECIFIED`, with commas; all when not given"),
        ("service" = Option<String>, Query, description = "`service.name`"),
        ("process" = Option<String>, Query, description = "UUID of a process"),
        ("trace_id" = Option<String>, Query, description = "32 hex digits"),
        ("span_id" = Option<String>, Query, description = "16 hex digits"),
        ("attr.KEY" = Option<String>, Query, description = "Value of the attribute KEY, as text; any number of these"),
        ("from" = Option<String>, Query, description = "From this time on: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds"),
        ("to" = Option<String>, Query, description = "Before this time"),
        ("order" = Option<String>, Query, description = "`desc` (newest first, when not given) or `asc`"),
        ("limit" = Option<u32>, Query, description = "Most records, 1 to 5000; 100 when not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page of records", body = LogPage),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn list(State(app): State<App>, mut params: Params) -> Result<Json<LogPage>, Refusal> {
    let filter = Filter::read(&app, &mut params)?;
    page(&app, filter, params).await
}

/// Searches the log records of a process, newest first.
#[utoipa::path(get, path = "/api/process/{process_id}/log-entries", operation_id = "list_process_logs", tag = "processes",
    params(("process_id" = String, Path, description = "UUID"),
        ("search" = Option<String>, Query, description = "Text in the body, the event's name or the attributes; letter case does not matter"),
        ("level" = Option<String>, Query, description = "Of `FATAL,ERROR,WARN,INFO,DEBUG,TRACE,UNSPECIFIED`, with commas; all when not given"),
        ("trace_id" = Option<String>, Query, description = "32 hex digits"),
        ("span_id" = Option<String>, Query, description = "16 hex digits"),
        ("attr.KEY" = Option<String>, Query, description = "Value of the attribute KEY, as text; any number of these"),
        ("from" = Option<String>, Query, description = "From this time on"),
        ("to" = Option<String>, Query, description = "Before this time"),
        ("order" = Option<String>, Query, description = "`desc` (newest first, when not given) or `asc`"),
        ("limit" = Option<u32>, Query, description = "Most records, 1 to 5000; 100 when not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page of records; none when nothing is known of the process", body = LogPage),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn of_process(
    State(app): State<App>,
    PathParam(process_id): PathParam,
    mut params: Params,
) -> Result<Json<LogPage>, Refusal> {
    let process = parse_process_id(&process_id)?;
    let filter = Filter::read(&app, &mut params)?;
    if filter.process.is_some() {
        return Err(Refusal::invalid("the process is named by the path, not by a parameter"));
    }
    page(&app, Filter { process: Some(process), ..filter }, params).await
}

/// Counts log records over time, by level.
#[utoipa::path(get, path = "/api/logs/histogram", operation_id = "log_histogram", tag = "logs",
    params(("search" = Option<String>, Query, description = "As in `/api/logs`"),
        ("level" = Option<String>, Query, description = "As in `/api/logs`"),
        ("service" = Option<String>, Query, description = "`service.name`"),
        ("process" = Option<String>, Query, description = "UUID of a process"),
        ("trace_id" = Option<String>, Query, description = "32 hex digits"),
        ("span_id" = Option<String>, Query, description = "16 hex digits"),
        ("attr.KEY" = Option<String>, Query, description = "Value of the attribute KEY, as text; any number of these"),
        ("from" = Option<String>, Query, description = "From this time on; from the first record when not given"),
        ("to" = Option<String>, Query, description = "Before this time; to the last record when not given"),
        ("buckets" = Option<u32>, Query, description = "How many buckets the time may have, about: 1 to 1000; 60 when not given. Buckets cover a round length of time and begin at multiples of it")),
    responses((status = 200, description = "The counts", body = LogHistogram),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn histogram(State(app): State<App>, mut params: Params) -> Result<Json<LogHistogram>, Refusal> {
    let filter = Filter::read(&app, &mut params)?;
    let buckets = params.count("buckets", DEFAULT_BUCKETS, MAX_BUCKETS)?;
    params.finish()?;

    let _turn = app.query_turn().await?;
    let none = LogHistogram { step_ns: None, buckets: Vec::new(), levels: api::LevelCounts::default() };
    let Some(range) = known_range(&app, &filter).await? else { return Ok(Json(none)) };
    let step = round_step(range, buckets);
    let mut values = Parameters::default();
    let conditions = filter.conditions(&mut values);
    let sql = format!(
        "SELECT CAST(time AS BIGINT) / {step} AS bucket, level, count(*) AS records FROM logs{conditions} \
         GROUP BY 1, 2 ORDER BY 1",
        step = step.nanos(),
    );
    let mut histogram = LogHistogram { step_ns: Some(step), ..none };
    for rows in sql::rows(&app, sql, values, range).await? {
        let (bucket, level, records) = (rows.integer("bucket")?, rows.integer("level")?, rows.integer("records")?);
        for row in 0..rows.len() {
            let time = Timestamp::from_nanos(bucket.get(row).unwrap_or_default() * step.nanos());
            let level = level.get(row).and_then(|level| Level::ALL.into_iter().find(|known| *known as i64 == level));
            if histogram.buckets.last().is_none_or(|last| last.time != time) {
                histogram.buckets.push(LogBucket { time, levels: api::LevelCounts::default() });
            }
            if let Some(bucket) = histogram.buckets.last_mut() {
                bucket.levels.add(level, records.count(row));
            }
            histogram.levels.add(level, records.count(row));
        }
    }
    Ok(Json(histogram))
}

/// The time asked for, open ends closed by the first and the last record; `None` when there is none.
async fn known_range(app: &App, filter: &Filter) -> Result<Option<TimeRange>, Refusal> {
    let asked = filter.range;
    if asked.from > Timestamp::MIN && asked.to < Timestamp::MAX {
        return Ok(Some(asked));
    }
    let mut values = Parameters::default();
    let conditions = filter.conditions(&mut values);
    let sql = format!("SELECT min(time) AS first_time, max(time) AS last_time FROM logs{conditions}");
    sql::close_range(asked, &sql::rows(app, sql, values, asked).await?)
}

const COLUMNS: &str = "time, observed_time, process_id, service_name, severity_number, severity_text, scope_name, \
    event_name, body, body_type, trace_id, span_id, flags, attributes";

/// What makes the order of records of the same time definite: what came later comes later, and only records that are alike
/// in all that is told may change places.
const TIES: &str = "ingest_time, process_id, severity_number, severity_text, event_name, scope_name, body, trace_id, \
    span_id, observed_time, flags, attributes";

/// The page that the rest of the parameters ask for.
async fn page(app: &App, filter: Filter, mut params: Params) -> Result<Json<LogPage>, Refusal> {
    let limit = params.limit(DEFAULT_LOGS, MAX_LOGS)?;
    let is_descending = params.parsed("order", parse_order)?.unwrap_or(true);
    let cursor: Option<Cursor> = params.parsed("cursor", str::parse)?;
    params.finish()?;

    let mut range = filter.range;
    if let Some(cursor) = cursor {
        // Records of the cursor's time come again; those that were given are passed over.
        let next = Timestamp::from_nanos(cursor.time.nanos().saturating_add(1));
        let rest = if is_descending {
            TimeRange { to: range.to.min(next), ..range }
        } else {
            TimeRange { from: range.from.max(cursor.time), ..range }
        };
        if rest.from >= rest.to {
            // The time asked for ends before the page begins.
            return Ok(Json(LogPage { logs: Vec::new(), next_cursor: None }));
        }
        range = rest;
    }
    let passed = cursor.map_or(0, |cursor| cursor.passed);
    let mut values = Parameters::default();
    let conditions = filter.conditions(&mut values);
    let order = if is_descending { "DESC" } else { "ASC" };
    // One more than asked for tells whether there is another page.
    let sql = format!(
        "SELECT {COLUMNS} FROM logs{conditions} ORDER BY time {order}, {TIES} LIMIT {} OFFSET {passed}",
        limit + 1
    );
    let _turn = app.query_turn().await?;
    let mut records = Vec::new();
    for rows in sql::rows(app, sql, values, range).await? {
        read(&rows, &mut records)?;
    }
    let has_more = records.len() > limit;
    records.truncate(limit);
    let next_cursor = records.last().filter(|_| has_more).map(|last| {
        let same = records.iter().rev().take_while(|record| record.time == last.time).count();
        let before = cursor.filter(|cursor| same == records.len() && cursor.time == last.time);
        Cursor { time: last.time, passed: same + before.map_or(0, |cursor| cursor.passed) }.to_string()
    });
    Ok(Json(LogPage { logs: records.into_iter().map(Into::into).collect(), next_cursor }))
}

/// Behind a page: the time of its last record, and how many records of that time were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    time: Timestamp,
    passed: usize,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.time, self.passed)
    }
}

impl FromStr for Cursor {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = "not a cursor of an earlier answer";
        let (time, passed) = text.rsplit_once('-').ok_or(wrong)?;
        let time = Timestamp::from_nanos(time.parse().map_err(|_| wrong)?);
        Ok(Self { time, passed: passed.parse().map_err(|_| wrong)? })
    }
}

/// Which records are wanted.
#[derive(Debug, Default)]
struct Filter {
    range: TimeRange,
    search: Option<String>,
    /// `None` stands for records without a severity.
    levels: Option<Vec<Option<Level>>>,
    service: Option<String>,
    process: Option<ProcessId>,
    trace_id: Option<TraceId>,
    span_id: Option<SpanId>,
    attributes: Vec<(String, String)>,
}

impl Filter {
    fn read(app: &App, params: &mut Params) -> Result<Self, Refusal> {
        Ok(Self {
            range: params.range(app.now())?,
            search: params.text("search")?,
            levels: params.parsed("level", parse_levels)?,
            service: params.text("service")?,
            process: params.parsed("process", str::parse)?,
            trace_id: params.parsed("trace_id", str::parse)?,
            span_id: params.parsed("span_id", str::parse)?,
            attributes: params.prefixed("attr."),
        })
    }

    /// `WHERE …`, but for the time range.
    fn conditions(&self, values: &mut Parameters) -> String {
        let mut conditions = Vec::new();
        if let Some(levels) = &self.levels {
            let number = |level: &Option<Level>| level.map(|level| (level as i32).to_string());
            let known: Vec<_> = levels.iter().filter_map(number).collect();
            let mut any = Vec::new();
            if !known.is_empty() {
                any.push(format!("level IN ({})", known.join(", ")));
            }
            if levels.contains(&None) {
                any.push("level IS NULL".to_owned());
            }
            conditions.push(format!("({})", any.join(" OR ")));
        }
        let mut equals = |column: &str, value: Option<String>| {
            if let Some(value) = value {
                conditions.push(format!("{column} = {}", values.text(&value)));
            }
        };
        equals("service_name", self.service.clone());
        equals("process_id", self.process.map(|id| id.to_string()));
        equals("trace_id", self.trace_id.map(|id| id.to_string()));
        equals("span_id", self.span_id.map(|id| id.to_string()));
        for (key, value) in &self.attributes {
            // A key is part of the statement: within quotes, only a quote ends it.
            equals(&format!("attributes['{}']", key.replace('\'', "''")), Some(value.clone()));
        }
        if let Some(search) = &self.search {
            let search = search.to_lowercase();
            // As it stands in JSON.
            let quoted = serde_json::Value::from(search.as_str()).to_string();
            let (text, json) = (values.text(&search), values.text(&quoted[1..quoted.len() - 1]));
            conditions.push(format!(
                "(strpos(lower(body), {text}) > 0 OR strpos(lower(body), {json}) > 0 OR strpos(lower(event_name), {text}) > 0 \
                 OR strpos(lower(attributes), {json}) > 0)"
            ));
        }
        if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) }
    }
}

fn parse_levels(text: &str) -> Result<Vec<Option<Level>>, String> {
    let read = |name: &str| match Level::from_name(name.trim()) {
        Some(level) => Ok(Some(level)),
        None if name.trim().eq_ignore_ascii_case("UNSPECIFIED") => Ok(None),
        None => {
            Err(format!("{name:?} is no level; there are {}, UNSPECIFIED", Level::ALL.map(Level::as_str).join(", ")))
        }
    };
    text.split(',').map(read).collect()
}

fn read(rows: &Rows, records: &mut Vec<LogRecord>) -> Result<(), Refusal> {
    let text = |name| rows.text(name);
    let (time, observed_time) = (rows.time("time")?, rows.time("observed_time")?);
    let (severity_number, flags) = (rows.integer("severity_number")?, rows.integer("flags")?);
    let (process_id, service_name, severity_text) =
        (text("process_id")?, text("service_name")?, text("severity_text")?);
    let (scope_name, event_name) = (text("scope_name")?, text("event_name")?);
    let (body, body_type) = (text("body")?, text("body_type")?);
    let (trace_id, span_id, attributes) = (text("trace_id")?, text("span_id")?, text("attributes")?);
    let moment = |nanos: Option<i64>| nanos.map(Timestamp::from_nanos);
    for row in 0..rows.len() {
        let process_id = process_id.get(row).unwrap_or_default();
        records.push(LogRecord {
            time: moment(time.get(row)).unwrap_or_default(),
            observed_time: moment(observed_time.get(row)),
            process_id: process_id
                .parse()
                .map_err(|_| Refusal::internal(format!("the query engine gave {process_id:?} for a process id")))?,
            service_name: service_name.owned(row).unwrap_or_default(),
            severity: Severity(severity_number.get(row).unwrap_or_default() as i32),
            severity_text: severity_text.owned(row).unwrap_or_default(),
            scope_name: scope_name.owned(row).unwrap_or_default(),
            event_name: event_name.owned(row).unwrap_or_default(),
            body: match (body.get(row), body_type.get(row)) {
                (None, _) => Value::Empty,
                (Some(json), Some("JSON")) => typed_body(json)?,
                (Some(text), _) => Value::String(text.to_owned()),
            },
            trace_id: trace_id.get(row).and_then(|id| id.parse().ok()),
            span_id: span_id.get(row).and_then(|id| id.parse().ok()),
            flags: flags.get(row).unwrap_or_default() as u32,
            attributes: sql::attributes(attributes.get(row).unwrap_or("{}"))?,
        });
    }
    Ok(())
}

/// A structured body as it was sent.
fn typed_body(json: &str) -> Result<Value, Refusal> {
    let mut attributes = sql::attributes(&format!("{{\"body\":{json}}}"))?;
    Ok(attributes.0.pop().map_or(Value::Empty, |(_, value)| value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_written_as_they_are_read() {
        let cursor = Cursor { time: Timestamp::from_nanos(-5), passed: 3 };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for wrong in ["", "5", "5-x", "x-5", "5--1"] {
            assert!(wrong.parse::<Cursor>().is_err(), "{wrong:?}");
        }
    }
}
