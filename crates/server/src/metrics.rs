//! Metrics: which there are, and their values over time.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};

use arrow::array::{Array, AsArray, Float64Array};
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};
use axum::Json;
use axum::extract::State;
use futures::TryStreamExt;
use glasshouse_api::{ErrorBody, Metric, MetricList, MetricSeries, MetricSeriesList, MetricValues};
use glasshouse_model::{DurationNs, ProcessId, TimeRange, Timestamp, round_step};
use glasshouse_tables::ports::QueryError;

use crate::Refusal;
use crate::metric_series::{Bucket, Point, Series, Shown, explicit_buckets, exponential_buckets};
use crate::params::{Params, PathParam, parse_process_id};
use crate::sql::{self, Parameters, Rows};
use crate::state::App;

const MAX_METRICS: usize = 2_000;
const DEFAULT_POINTS: usize = 200;
const MAX_POINTS: usize = 2_000;
const DEFAULT_SERIES: usize = 12;
const MAX_SERIES: usize = 100;
/// Series that are looked at, to find those with the greatest values.
const MAX_COMPARED: usize = 1_000;
/// Buckets of histograms that are remembered at once: each takes some sixty bytes.
const MAX_BUCKETS: usize = 1_000_000;
/// Series beyond these that are counted.
const MAX_COUNTED: usize = 1_000_000;

/// Lists the metrics of a process, by name.
#[utoipa::path(get, path = "/api/process/{process_id}/metrics", operation_id = "list_process_metrics", tag = "processes",
    params(("process_id" = String, Path, description = "UUID"),
        ("from" = Option<String>, Query, description = "With points from this time on"),
        ("to" = Option<String>, Query, description = "With points before this time")),
    responses((status = 200, description = "The metrics; none when nothing is known of the process", body = MetricList),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn of_process(
    State(app): State<App>,
    PathParam(process_id): PathParam,
    mut params: Params,
) -> Result<Json<MetricList>, Refusal> {
    let process_id = parse_process_id(&process_id)?;
    let range = params.range(app.now())?;
    params.finish()?;
    let mut values = Parameters::default();
    let process = values.text(&process_id.to_string());
    let sql = format!(
        "SELECT name, kind, max(unit) AS unit, max(description) AS description, count(*) AS points, \
         min(start_time) AS start_time, \
         min(time) AS first_time, max(time) AS last_time FROM metrics WHERE process_id = {process} \
         GROUP BY name, kind ORDER BY name, kind"
    );
    let _turn = app.query_turn().await?;
    let mut metrics = Vec::new();
    for rows in sql::rows(&app, sql, values, range).await? {
        let text = |name| rows.text(name);
        let (name, kind, unit, description) = (text("name")?, text("kind")?, text("unit")?, text("description")?);
        let points = rows.integer("points")?;
        let start_time = rows.time("start_time")?;
        let (first_time, last_time) = (rows.time("first_time")?, rows.time("last_time")?);
        metrics.extend((0..rows.len()).map(|row| Metric {
            name: name.owned(row).unwrap_or_default(),
            unit: unit.owned(row).unwrap_or_default(),
            description: description.owned(row).unwrap_or_default(),
            kind: kind.owned(row).unwrap_or_default(),
            point_count: points.count(row),
            start_time: start_time.get(row).map(Timestamp::from_nanos),
            first_time: Timestamp::from_nanos(first_time.get(row).unwrap_or_default()),
            last_time: Timestamp::from_nanos(last_time.get(row).unwrap_or_default()),
        }));
    }
    let hidden_metric_count = metrics.len().saturating_sub(MAX_METRICS) as u32;
    metrics.truncate(MAX_METRICS);
    Ok(Json(MetricList { metrics, hidden_metric_count }))
}

/// Values of a metric over time, put together so that there are not too many.
///
/// A gauge, and a sum that is not monotonic, is averaged. A monotonic sum becomes its growth per second. A histogram becomes
/// quantiles, average and rate of the observations of each step; a summary their average and rate.
#[utoipa::path(get, path = "/api/metrics/series", operation_id = "metric_series", tag = "metrics",
    params(("name" = String, Query, description = "Name of the metric"),
        ("kind" = Option<String>, Query, description = "`GAUGE`, `SUM`, `HISTOGRAM`, `EXPONENTIAL_HISTOGRAM` or `SUMMARY`, where several metrics have the name"),
        ("process" = Option<String>, Query, description = "UUID of a process"),
        ("service" = Option<String>, Query, description = "`service.name`"),
        ("from" = Option<String>, Query, description = "From this time on; from the first point when not given"),
        ("to" = Option<String>, Query, description = "Before this time; to the last point when not given"),
        ("points" = Option<u32>, Query, description = "How many values a series may have, about: 1 to 2000; 200 when not given"),
        ("series" = Option<u32>, Query, description = "Most series, 1 to 100; 12 when not given")),
    responses((status = 200, description = "The values; no series when there is no point", body = MetricSeriesList),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn series(State(app): State<App>, mut params: Params) -> Result<Json<MetricSeriesList>, Refusal> {
    let name = params.text("name")?.ok_or_else(|| Refusal::invalid("parameter name is missing"))?;
    let process: Option<ProcessId> = params.parsed("process", str::parse)?;
    let service = params.text("service")?;
    let kind = params.text("kind")?;
    let asked = params.range(app.now())?;
    let points = params.count("points", DEFAULT_POINTS, MAX_POINTS)?;
    let most = params.count("series", DEFAULT_SERIES, MAX_SERIES)?;
    params.finish()?;

    let conditions = |values: &mut Parameters| {
        let mut conditions = format!("name = {}", values.text(&name));
        if let Some(process) = process {
            let _ = write!(conditions, " AND process_id = {}", values.text(&process.to_string()));
        }
        if let Some(service) = &service {
            let _ = write!(conditions, " AND service_name = {}", values.text(service));
        }
        if let Some(kind) = &kind {
            let _ = write!(conditions, " AND kind = {}", values.text(kind));
        }
        conditions
    };
    let _turn = app.query_turn().await?;
    let range = known_range(&app, &conditions, asked).await?;
    let step = round_step(range, points);
    let mut values = Parameters::default();
    // Points without a recorded value tell of a gap.
    let sql = format!(
        "SELECT time, start_time, process_id, kind, temporality, is_monotonic, value, count, sum, bucket_bounds, \
         bucket_counts, exponential, attributes, scope_name, scope_version FROM metrics WHERE {} AND flags % 2 = 0 ORDER BY time",
        conditions(&mut values)
    );
    let mut batches = sql::stream(&app, sql, values, range).await?;
    let mut found = Found { step, from: range.from, ..Found::default() };
    while let Some(rows) = batches.try_next().await? {
        // It takes its time: not on a thread that serves others.
        let added = tokio::task::spawn_blocking(move || found.add(&rows).map(|()| found)).await;
        found = added.map_err(|panic| Refusal::internal(panic.to_string()))??;
    }
    let Found { shown, mut all, left_out, skipped_point_count, .. } = found;
    let hidden_series_count = (all.len().saturating_sub(most) + left_out.len()) as u32;
    let mut all: Vec<_> = all.drain().collect();
    all.sort_by(|(a_key, a), (b_key, b)| b.weight().total_cmp(&a.weight()).then_with(|| a_key.cmp(b_key)));
    all.truncate(most);
    let series = all.into_iter().map(|(key, series)| {
        let points = series.values().into_iter().map(|at| MetricValues { time: at.time, values: at.values });
        Ok(MetricSeries {
            process_id: key.process_id.parse().map_err(|_| Refusal::internal("a point has no process id"))?,
            scope_name: key.scope.0,
            attributes: sql::attributes(&key.attributes)?,
            points: points.collect(),
        })
    });
    Ok(Json(MetricSeriesList {
        step_ns: step,
        columns: shown.map_or(&[][..], Shown::columns).iter().map(|&column| column.to_owned()).collect(),
        series: series.collect::<Result<_, Refusal>>()?,
        hidden_series_count,
        skipped_point_count,
    }))
}

/// What tells a series from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    process_id: String,
    /// Name and version of the instrumentation scope.
    scope: (String, String),
    attributes: String,
}

/// The series that points belong to.
#[derive(Default)]
struct Found {
    step: DurationNs,
    from: Timestamp,
    shown: Option<Shown>,
    all: HashMap<Key, Series>,
    hasher: RandomState,
    left_out: HashSet<u64>,
    /// Buckets of histograms that are remembered.
    buckets: usize,
    skipped_point_count: u64,
}

impl Found {
    fn add(&mut self, rows: &Rows) -> Result<(), Refusal> {
        let columns = Columns::new(rows)?;
        for row in 0..rows.len() {
            let shown = *self.shown.get_or_insert_with(|| columns.shown(row));
            if columns.shown(row) != shown {
                self.skipped_point_count += 1;
                continue;
            }
            let key = columns.key(row);
            if self.all.len() >= MAX_COMPARED && !self.all.contains_key(&key) {
                if self.left_out.len() < MAX_COUNTED {
                    self.left_out.insert(self.hasher.hash_one(&key));
                }
                continue;
            }
            let series = self.all.entry(key).or_insert_with(|| Series::new(shown, self.step, self.from));
            self.buckets += series.add(columns.point(row));
            if self.buckets > MAX_BUCKETS {
                let message = "the histograms of this metric have too many buckets to be drawn together";
                let limit = QueryError::Limit(message.to_owned());
                return Err(Refusal::from(limit).with_details("ask for fewer points, or a shorter time"));
            }
        }
        Ok(())
    }
}

/// The time asked for, open ends closed by the first and the last point.
async fn known_range(
    app: &App,
    conditions: &impl Fn(&mut Parameters) -> String,
    asked: TimeRange,
) -> Result<TimeRange, Refusal> {
    if asked.from > Timestamp::MIN && asked.to < Timestamp::MAX {
        return Ok(asked);
    }
    let mut values = Parameters::default();
    let conditions = conditions(&mut values);
    let sql = format!("SELECT min(time) AS first_time, max(time) AS last_time FROM metrics WHERE {conditions}");
    sql::close_range(asked, &sql::rows(app, sql, values, asked).await?).map(|range| range.unwrap_or(asked))
}

/// The columns that series are made of.
struct Columns<'a> {
    rows: &'a Rows,
    time: sql::IntegerColumn,
    start_time: sql::IntegerColumn,
    process_id: sql::TextColumn,
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
    fn new(rows: &'a Rows) -> Result<Self, Refusal> {
        Ok(Self {
            rows,
            time: rows.time("time")?,
            start_time: rows.time("start_time")?,
            process_id: rows.text("process_id")?,
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

    fn shown(&self, row: usize) -> Shown {
        let is_monotonic = self.is_monotonic.get(row) == Some("true");
        Shown::of(self.kind.get(row).unwrap_or_default(), is_monotonic, self.is_delta(row))
    }

    fn is_delta(&self, row: usize) -> bool {
        self.temporality.get(row) == Some("DELTA")
    }

    fn key(&self, row: usize) -> Key {
        let text = |column: &sql::TextColumn| column.get(row).unwrap_or_default().to_owned();
        Key {
            process_id: text(&self.process_id),
            scope: (text(&self.scope_name), text(&self.scope_version)),
            attributes: text(&self.attributes),
        }
    }

    fn point(&self, row: usize) -> Point {
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
