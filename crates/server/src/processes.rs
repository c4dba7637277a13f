//! Processes: who sent, newest activity first, with exact counts.

use std::collections::HashMap;
use std::fmt::Write;

use axum::Json;
use axum::extract::State;
use glasshouse_api::{ErrorBody, Process, ProcessCounts, ProcessList};
use glasshouse_model::{ProcessId, TimeRange, Timestamp};
use glasshouse_tables::Table;

use crate::Refusal;
use crate::params::{Params, PathParam};
use crate::sql::{self, Parameters, Rows};
use crate::state::App;

const DEFAULT_PROCESSES: usize = 50;
const MAX_PROCESSES: usize = 500;

const SELECT: &str = "SELECT process_id, service_name, service_namespace, service_version, service_instance_id, \
     environment, host_name, pid, executable, command_line, user_name, os, arch, sdk_language, runtime, \
     start_time, first_seen, last_update_time, parent_process_id, resource FROM processes";

/// Lists processes, newest activity first.
#[utoipa::path(get, path = "/api/processes", operation_id = "list_processes", tag = "processes",
    params(("search" = Option<String>, Query, description = "Text in the name of service, host, executable or command line, the version or the id; letter case does not matter"),
        ("from" = Option<String>, Query, description = "Active at or after this time; counts are of rows from then on"),
        ("to" = Option<String>, Query, description = "Active before this time; counts are of rows before"),
        ("limit" = Option<u32>, Query, description = "Most processes, 1 to 500; 50 when not given"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before")),
    responses((status = 200, description = "A page of processes", body = ProcessList),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn list(State(app): State<App>, mut params: Params) -> Result<Json<ProcessList>, Refusal> {
    let search = params.text("search")?;
    let range = params.range(app.now())?;
    let limit = params.limit(DEFAULT_PROCESSES, MAX_PROCESSES)?;
    let cursor = params.parsed("cursor", parse_cursor)?;
    params.finish()?;

    let mut values = Parameters::default();
    let mut conditions = Vec::new();
    if let Some(search) = search {
        let search = values.text(&search.to_lowercase());
        conditions.push(format!(
            "strpos(lower(concat_ws(' ', service_name, service_version, host_name, executable, command_line, process_id)), {search}) > 0"
        ));
    }
    if range.from > Timestamp::MIN {
        conditions.push(format!("last_update_time >= {}", values.time(range.from)));
    }
    if range.to < Timestamp::MAX {
        conditions.push(format!("first_seen < {}", values.time(range.to)));
    }
    if let Some((time, id)) = cursor {
        let (time, id) = (values.time(time), values.text(&id.to_string()));
        conditions.push(format!("(last_update_time < {time} OR (last_update_time = {time} AND process_id > {id}))"));
    }
    let mut sql = SELECT.to_owned();
    if !conditions.is_empty() {
        let _ = write!(sql, " WHERE {}", conditions.join(" AND "));
    }
    // One more than asked for tells whether there is another page.
    let _ = write!(sql, " ORDER BY last_update_time DESC, process_id LIMIT {}", limit + 1);

    let _turn = app.query_turn().await?;
    let mut processes = read(&sql::rows(&app, sql, values, TimeRange::ALL).await?)?;
    let has_more = processes.len() > limit;
    processes.truncate(limit);
    count(&app, &mut processes, range).await?;
    let next_cursor = processes
        .last()
        .filter(|_| has_more)
        .map(|last| format!("{}-{}", last.last_update_time, last.process_id.0.simple()));
    Ok(Json(ProcessList { processes, next_cursor }))
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
    let id: ProcessId =
        process_id.parse().map_err(|error| Refusal::invalid(format!("{process_id:?} is not a process id: {error}")))?;
    let range = params.range(app.now())?;
    params.finish()?;

    let mut values = Parameters::default();
    let sql = format!("{SELECT} WHERE process_id = {}", values.text(&id.to_string()));
    let _turn = app.query_turn().await?;
    let mut processes = read(&sql::rows(&app, sql, values, TimeRange::ALL).await?)?;
    processes.truncate(1);
    count(&app, &mut processes, range).await?;
    processes.pop().map(Json).ok_or_else(|| Refusal::not_found(format!("no process {id}")))
}

/// `last_update_time` of a page's last process, and its id.
fn parse_cursor(text: &str) -> Result<(Timestamp, ProcessId), &'static str> {
    let wrong = "not a cursor of an earlier answer";
    let (time, id) = text.rsplit_once('-').ok_or(wrong)?;
    Ok((Timestamp::from_nanos(time.parse().map_err(|_| wrong)?), id.parse().map_err(|_| wrong)?))
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
                properties: serde_json::from_str(resource.get(row).unwrap_or("{}")).map_err(|error| {
                    Refusal::internal("a resource is not a JSON object").with_details(error.to_string())
                })?,
                counts: ProcessCounts::default(),
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
        process.counts = ProcessCounts { spans: of(&spans), logs: of(&logs), metrics: of(&metrics) };
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
