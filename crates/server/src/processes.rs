//! Processes: who sent, newest activity first, with exact counts.

use std::collections::HashMap;
use std::fmt::{self, Write as _};

use axum::Json;
use axum::extract::State;
use glasshouse_api::{ErrorBody, Process, ProcessCounts, ProcessList};
use glasshouse_model::{Attributes, ProcessId, TimeRange, Timestamp};
use glasshouse_tables::Table;

use crate::Refusal;
use crate::params::{Params, PathParam, parse_order, parse_process_id};
use crate::sql::{self, Parameters, Rows, TextColumn};
use crate::state::App;

const DEFAULT_PROCESSES: usize = 50;
const MAX_PROCESSES: usize = 500;

const SELECT: &str = "SELECT process_id, service_name, service_namespace, service_version, service_instance_id, \
     environment, host_name, pid, executable, command_line, user_name, os, arch, sdk_language, runtime, \
     start_time, first_seen, last_update_time, parent_process_id, resource FROM processes";

/// What a list of processes is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    LastUpdate,
    Start,
    Service,
}

impl Sort {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "last_update" => Ok(Self::LastUpdate),
            "start" => Ok(Self::Start),
            "service" => Ok(Self::Service),
            _ => Err(format!("{text:?} is none of last_update, start, service")),
        }
    }

    /// The order when none is asked for: the newest first, names from A.
    fn is_descending(self) -> bool {
        self != Self::Service
    }

    fn expression(self) -> &'static str {
        match self {
            Self::LastUpdate => "last_update_time",
            // When it started, or else was heard of first: every process has a place.
            Self::Start => "coalesce(start_time, first_seen)",
            // A cursor has no room for more.
            Self::Service => "substr(service_name, 1, 200)",
        }
    }

    /// The values of processes.
    fn values(self, rows: &Rows) -> Result<Vec<SortValue>, Refusal> {
        let len = 0..rows.len();
        if self == Self::Service {
            let names = rows.text("sort_value")?;
            return Ok(len.map(|row| SortValue::Text(names.owned(row).unwrap_or_default())).collect());
        }
        let times = rows.time("sort_value")?;
        Ok(len.map(|row| SortValue::Time(Timestamp::from_nanos(times.get(row).unwrap_or_default()))).collect())
    }

    /// Reads a cursor: the value of a page's last process, and its id.
    fn parse_cursor(self, text: &str) -> Result<(SortValue, ProcessId), &'static str> {
        let wrong = "not a cursor of an earlier answer in this order";
        let (value, id) = text.rsplit_once('-').ok_or(wrong)?;
        let value = match self {
            Self::Service => SortValue::Text(value.to_owned()),
            Self::LastUpdate | Self::Start => SortValue::Time(Timestamp::from_nanos(value.parse().map_err(|_| wrong)?)),
        };
        Ok((value, id.parse().map_err(|_| wrong)?))
    }
}

/// What a process is sorted by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum SortValue {
    Time(Timestamp),
    Text(String),
}

impl fmt::Display for SortValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(time) => write!(f, "{time}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// Lists processes, newest activity first.
#[utoipa::path(get, path = "/api/processes", operation_id = "list_processes", tag = "processes",
    params(("search" = Option<String>, Query, description = "Text in the id or in any attribute of the resource, such as the name of service, host, executable or user, the version, the command line; letter case does not matter"),
        ("sort" = Option<String>, Query, description = "`last_update`, `start` or `service`; `last_update` when not given"),
        ("order" = Option<String>, Query, description = "`desc` or `asc`; when not given, the newest come first, and names from A"),
        ("from" = Option<String>, Query, description = "Active at or after this time; counts are of rows from then on"),
        ("to" = Option<String>, Query, description = "Active before this time; counts are of rows before"),
        ("counts" = Option<bool>, Query, description = "Whether to count the rows of each, which takes the longest; true when not given"),
        ("properties" = Option<bool>, Query, description = "Whether to tell all attributes of the resource; true when not given"),
        ("limit" = Option<u32>, Query, description = "Most processes, 1 to 500; 50 when not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page of processes", body = ProcessList),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn list(State(app): State<App>, mut params: Params) -> Result<Json<ProcessList>, Refusal> {
    let search = params.text("search")?;
    let range = params.range(app.now())?;
    let limit = params.limit(DEFAULT_PROCESSES, MAX_PROCESSES)?;
    let sort = params.parsed("sort", Sort::parse)?.unwrap_or(Sort::LastUpdate);
    let is_descending = params.parsed("order", parse_order)?.unwrap_or(sort.is_descending());
    let cursor = params.parsed("cursor", |text| sort.parse_cursor(text))?;
    let with_counts = params.flag("counts")?.unwrap_or(true);
    let with_properties = params.flag("properties")?.unwrap_or(true);
    params.finish()?;

    let mut values = Parameters::default();
    let mut conditions = Vec::new();
    if let Some(search) = search {
        let search = search.to_lowercase();
        // In JSON as it stands there; keys, which nearly all resources have in common, are left out.
        let quoted = serde_json::Value::from(search.as_str()).to_string();
        let (text, json) = (values.text(&search), values.text(&quoted[1..quoted.len() - 1]));
        conditions.push(format!(
            "(strpos(lower(concat_ws(' ', process_id, service_name, executable, command_line)), {text}) > 0 \
             OR strpos(lower(regexp_replace(resource, '\"(?:[^\"\\\\]|\\\\.)*\":', '', 'g')), {json}) > 0)"
        ));
    }
    if range.from > Timestamp::MIN {
        conditions.push(format!("last_update_time >= {}", values.time(range.from)));
    }
    if range.to < Timestamp::MAX {
        conditions.push(format!("first_seen < {}", values.time(range.to)));
    }
    let by = sort.expression();
    if let Some((value, id)) = cursor {
        let id = values.text(&id.to_string());
        let value = match value {
            SortValue::Time(time) => values.time(time),
            SortValue::Text(text) => values.text(&text),
        };
        let is_after = if is_descending { "<" } else { ">" };
        conditions.push(format!("({by} {is_after} {value} OR ({by} = {value} AND process_id > {id}))"));
    }
    // Which processes first, by few columns; then what is told of these.
    let mut sql = format!("SELECT process_id, {by} AS sort_value FROM processes");
    if !conditions.is_empty() {
        let _ = write!(sql, " WHERE {}", conditions.join(" AND "));
    }
    // One more than asked for tells whether there is another page.
    let order = if is_descending { "DESC" } else { "ASC" };
    let _ = write!(sql, " ORDER BY {by} {order}, process_id LIMIT {}", limit + 1);

    let _turn = app.query_turn().await?;
    let mut found: Vec<(String, SortValue)> = Vec::new();
    for rows in sql::rows(&app, sql, values, TimeRange::ALL).await? {
        let ids = rows.text("process_id")?;
        let values = sort.values(&rows)?;
        found.extend(ids_of(&ids, rows.len()).zip(values));
    }
    let has_more = found.len() > limit;
    found.truncate(limit);
    // Of what the order was made by: it may have changed since.
    let next_cursor = found.last().filter(|_| has_more).map(|(id, value)| format!("{value}-{}", id.replace('-', "")));
    let ids: Vec<String> = found.into_iter().map(|(id, _)| id).collect();
    let mut processes = described(&app, &ids).await?;
    if with_counts {
        count(&app, &mut processes, range).await?;
    }
    if !with_properties {
        for process in &mut processes {
            process.properties = None;
        }
    }
    Ok(Json(ProcessList { processes, next_cursor }))
}

fn ids_of(column: &TextColumn, len: usize) -> impl Iterator<Item = String> + '_ {
    (0..len).map(|row| column.owned(row).unwrap_or_default())
}

/// What is told of processes, in the order of their ids here.
async fn described(app: &App, ids: &[String]) -> Result<Vec<Process>, Refusal> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut values = Parameters::default();
    let wanted: Vec<_> = ids.iter().map(|id| values.text(id)).collect();
    let sql = format!("{SELECT} WHERE process_id IN ({})", wanted.join(", "));
    let mut processes = read(&sql::rows(app, sql, values, TimeRange::ALL).await?)?;
    let places: HashMap<&str, usize> = ids.iter().enumerate().map(|(place, id)| (id.as_str(), place)).collect();
    processes.sort_by_key(|process| places.get(process.process_id.to_string().as_str()).copied());
    Ok(processes)
}

/// One process.
#[utoipa::path(get, path = "/api/process/{process_id}", operation_id = "get_process", tag = "processes",
    params(("process_id" = String, Path, description = "UUID"),
        ("from" = Option<String>, Query, description = "Counts are of rows from this time on"),
        ("to" = Option<String>, Query, description = "Counts are of rows before this time")),
    responses((status = 200, description = "The process", body = Process),
        (status = 400, description = "Not a UUID", body = ErrorBody),
        (status = 404, description = "No such process is known", body = ErrorBody)))]
pub(crate) async fn get(
    State(app): State<App>,
    PathParam(process_id): PathParam,
    mut params: Params,
) -> Result<Json<Process>, Refusal> {
    let id = parse_process_id(&process_id)?;
    let range = params.range(app.now())?;
    params.finish()?;

    let mut values = Parameters::default();
    let sql = format!("{SELECT} WHERE process_id = {}", values.text(&id.to_string()));
    let _turn = app.query_turn().await?;
    let rows = sql::rows(&app, sql, values, TimeRange::ALL).await?;
    let mut processes = read(&rows)?;
    processes.truncate(1);
    if let Some(process) = processes.first_mut()
        && let Some(rows) = rows.iter().find(|rows| rows.len() > 0)
    {
        process.resource = sql::attributes(rows.text("resource")?.get(0).unwrap_or("{}"))?;
    }
    count(&app, &mut processes, range).await?;
    processes.pop().map(Json).ok_or_else(|| Refusal::not_found(format!("no process {id}")))
}

fn read(batches: &[Rows]) -> Result<Vec<Process>, Refusal> {
    let mut processes = Vec::new();
    for rows in batches {
        let text = |name: &str| rows.text(name);
        let (process_id, service_name, resource) = (text("process_id")?, text("service_name")?, text("resource")?);
        let parent_process_id = text("parent_process_id")?;
        let (namespace, version, instance) =
            (text("service_namespace")?, text("service_version")?, text("service_instance_id")?);
        let (environment, host_name, user_name) = (text("environment")?, text("host_name")?, text("user_name")?);
        let (executable, command_line, runtime) = (text("executable")?, text("command_line")?, text("runtime")?);
        let (os, arch, sdk_language) = (text("os")?, text("arch")?, text("sdk_language")?);
        let pid = rows.integer("pid")?;
        let (start_time, first_seen, last_update_time) =
            (rows.time("start_time")?, rows.time("first_seen")?, rows.time("last_update_time")?);
        let time = |nanos: Option<i64>| nanos.map(Timestamp::from_nanos);
        for row in 0..rows.len() {
            processes.push(Process {
                process_id: parse_id(process_id.get(row).unwrap_or_default())?,
                service_name: service_name.owned(row).unwrap_or_default(),
                service_namespace: namespace.owned(row),
                service_version: version.owned(row),
                service_instance_id: instance.owned(row),
                environment: environment.owned(row),
                host_name: host_name.owned(row),
                pid: pid.get(row).map(|pid| pid.to_string()),
                executable: executable.owned(row),
                command_line: command_line.owned(row),
                user_name: user_name.owned(row),
                os: os.owned(row),
                arch: arch.owned(row),
                sdk_language: sdk_language.owned(row),
                runtime: runtime.owned(row),
                start_time: time(start_time.get(row)),
                first_seen: time(first_seen.get(row)).unwrap_or_default(),
                last_update_time: time(last_update_time.get(row)).unwrap_or_default(),
                parent_process_id: parent_process_id.get(row).map(parse_id).transpose()?,
                properties: Some(serde_json::from_str(resource.get(row).unwrap_or("{}")).map_err(|error| {
                    Refusal::internal("a resource is not a JSON object").with_details(error.to_string())
                })?),
                resource: Attributes::default(),
                counts: None,
            });
        }
    }
    Ok(processes)
}

fn parse_id(text: &str) -> Result<ProcessId, Refusal> {
    text.parse().map_err(|_| Refusal::internal(format!("the query engine gave {text:?} for a process id")))
}

/// Counts the rows of these processes.
async fn count(app: &App, processes: &mut [Process], range: TimeRange) -> Result<(), Refusal> {
    if processes.is_empty() {
        return Ok(());
    }
    let (spans, logs, metrics) = tokio::try_join!(
        count_table(app, Table::Spans, processes, range),
        count_table(app, Table::Logs, processes, range),
        count_table(app, Table::Metrics, processes, range),
    )?;
    for process in processes {
        let of = |counts: &HashMap<ProcessId, u64>| counts.get(&process.process_id).copied().unwrap_or(0);
        process.counts = Some(ProcessCounts { spans: of(&spans), logs: of(&logs), metrics: of(&metrics) });
    }
    Ok(())
}

async fn count_table(
    app: &App,
    table: Table,
    processes: &[Process],
    range: TimeRange,
) -> Result<HashMap<ProcessId, u64>, Refusal> {
    let mut values = Parameters::default();
    let ids: Vec<_> = processes.iter().map(|process| values.text(&process.process_id.to_string())).collect();
    let sql = format!(
        "SELECT process_id, count(*) AS rows FROM {} WHERE process_id IN ({}) GROUP BY process_id",
        table.name(),
        ids.join(", ")
    );
    let mut counts = HashMap::new();
    for rows in sql::rows(app, sql, values, range).await? {
        let (ids, numbers) = (rows.text("process_id")?, rows.integer("rows")?);
        for row in 0..rows.len() {
            counts.insert(parse_id(ids.get(row).unwrap_or_default())?, numbers.count(row));
        }
    }
    Ok(counts)
}
