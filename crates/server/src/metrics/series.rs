//! Values of a metric over time.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use futures::TryStreamExt;
use glasshouse_api::{ErrorBody, MetricSeries, MetricSeriesList, MetricValues};
use glasshouse_model::{Attributes, DurationNs, TimeRange, Timestamp, Value, round_step, round_up};
use glasshouse_tables::ports::QueryError;

use super::Conditions;
use super::figures::{Group, Tracker};
use super::points::{COLUMNS, Columns};
use super::shape::{Combine, Percentile, Shape, Shown};
use crate::Refusal;
use crate::params::Params;
use crate::sql::{self, Parameters, Rows};
use crate::state::App;

const DEFAULT_POINTS: usize = 200;
const MAX_POINTS: usize = 2_000;
const DEFAULT_SERIES: usize = 12;
const MAX_SERIES: usize = 100;
/// Series, or groups of them, that are looked at, to find those with the greatest values.
const MAX_COMPARED: usize = 1_000;
/// Series that are put together: each takes some three hundred bytes, and what tells it from others.
const MAX_TOGETHER: usize = 100_000;
/// Bytes of what tells series from others.
const MAX_KEY_BYTES: usize = 32 << 20;
/// Buckets of histograms that are remembered at once: each takes some sixty bytes.
const MAX_BUCKETS: isize = 1_000_000;
/// What a step takes, in buckets.
const STEP_AS_BUCKETS: isize = 2;
/// Series beyond those compared that are counted.
const MAX_COUNTED: usize = 1_000_000;
const MAX_PERCENTILES: usize = 10;
const USUAL_PERCENTILES: &str = "50,90,99";
/// What is put together covers at least this many of the usual distances between points.
const POINTS_PER_STEP: i64 = 2;

/// Values of a metric over time, put together so that there are not too many.
///
/// A gauge, and a sum that is not monotonic, is averaged. A monotonic sum becomes its growth per second. A histogram becomes
/// percentiles, average and rate of the observations of each step; a summary their average and rate.
///
/// With `aggregate`, series become one, or one for each value of `by`: a value is the sum, average, least or greatest of
/// theirs; observations of histograms are put together whichever it is. A step is then at least twice as long as points
/// are usually apart, so that each of nine series in ten counts in each; steps that the ends of the time cut off are left
/// out.
#[utoipa::path(get, path = "/api/metrics/series", operation_id = "metric_series", tag = "metrics",
    params(("name" = String, Query, description = "Name of the metric"),
        ("kind" = Option<String>, Query, description = "`GAUGE`, `SUM`, `HISTOGRAM`, `EXPONENTIAL_HISTOGRAM` or `SUMMARY`, where several metrics have the name"),
        ("process" = Option<String>, Query, description = "UUID of a process"),
        ("service" = Option<String>, Query, description = "`service.name`"),
        ("attr.KEY" = Option<String>, Query, description = "Value of the attribute KEY, as text; any number of these"),
        ("aggregate" = Option<String>, Query, description = "`sum`, `average`, `min` or `max`: puts series together"),
        ("by" = Option<String>, Query, description = "With `aggregate`: what keeps them apart, with commas: keys of attributes, `service_name`, `process_id`, `scope_name` (which mean the columns of these names, not attributes)"),
        ("percentiles" = Option<String>, Query, description = "Of histograms, with commas: `50,90,99` when not given"),
        ("from" = Option<String>, Query, description = "From this time on; from the first point when not given"),
        ("to" = Option<String>, Query, description = "Before this time; to the last point when not given"),
        ("points" = Option<u32>, Query, description = "How many values a series may have, about: 1 to 2000; 200 when not given"),
        ("series" = Option<u32>, Query, description = "Most series, 1 to 100; 12 when not given")),
    responses((status = 200, description = "The values; no series when there is no point", body = MetricSeriesList),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn series(State(app): State<App>, mut params: Params) -> Result<Json<MetricSeriesList>, Refusal> {
    let conditions = Conditions::take(&app, &mut params)?;
    let points = params.count("points", DEFAULT_POINTS, MAX_POINTS)?;
    let most = params.count("series", DEFAULT_SERIES, MAX_SERIES)?;
    let combine = params.parsed("aggregate", parse_combine)?;
    let by = params.text("by")?.map(|by| by.split(',').map(str::to_owned).collect::<Vec<_>>());
    let percentiles = params.text("percentiles")?;
    params.finish()?;
    if by.is_some() && combine.is_none() {
        return Err(
            Refusal::invalid("parameter by: only what is put together is kept apart").with_details("give aggregate")
        );
    }
    let percentiles = parse_percentiles(percentiles.as_deref().unwrap_or(USUAL_PERCENTILES))?;

    let _turn = app.query_turn().await?;
    let range = known_range(&app, &conditions).await?;
    let mut step = round_step(range, points);
    if combine.is_some() {
        let apart = usual_distance(&app, &conditions, range).await?;
        step = step.max(round_up(DurationNs::from_nanos(apart.nanos().saturating_mul(POINTS_PER_STEP))));
    }
    let is_together = combine.is_some();
    let shape = Shape { combine: combine.unwrap_or(Combine::Sum), percentiles, step, range, is_together };
    let mut values = Parameters::default();
    // Points without a recorded value tell of a gap.
    let sql =
        format!("SELECT {COLUMNS} FROM metrics WHERE {} AND flags % 2 = 0 ORDER BY time", conditions.sql(&mut values));
    let mut batches = sql::stream(&app, sql, values, range).await?;
    let mut found = Found::new(shape, combine.map(|_| by.unwrap_or_default()));
    while let Some(rows) = batches.try_next().await? {
        // It takes its time: not on a thread that serves others.
        let added = tokio::task::spawn_blocking(move || found.add(&rows).map(|()| found)).await;
        found = added.map_err(|panic| Refusal::internal(panic.to_string()))??;
    }
    let answer = tokio::task::spawn_blocking(move || found.answer(most)).await;
    answer.map_err(|panic| Refusal::internal(panic.to_string()))?.map(Json)
}

fn parse_combine(text: &str) -> Result<Combine, String> {
    match text {
        "sum" => Ok(Combine::Sum),
        "average" => Ok(Combine::Average),
        "min" => Ok(Combine::Min),
        "max" => Ok(Combine::Max),
        _ => Err(format!("{text:?} is none of sum, average, min, max")),
    }
}

fn parse_percentiles(text: &str) -> Result<Vec<Percentile>, Refusal> {
    let parsed: Result<Vec<Percentile>, _> = text.split(',').map(str::parse).collect();
    let parsed = parsed.map_err(|error| Refusal::invalid(format!("parameter percentiles: {error}")))?;
    if parsed.len() > MAX_PERCENTILES {
        return Err(Refusal::invalid(format!("parameter percentiles: more than {MAX_PERCENTILES}")));
    }
    Ok(parsed)
}

/// The time asked for, open ends closed by the first and the last point.
pub(super) async fn known_range(app: &App, conditions: &Conditions) -> Result<TimeRange, Refusal> {
    let asked = conditions.range;
    if asked.from > Timestamp::MIN && asked.to < Timestamp::MAX {
        return Ok(asked);
    }
    let mut values = Parameters::default();
    let conditions = conditions.sql(&mut values);
    let sql = format!("SELECT min(time) AS first_time, max(time) AS last_time FROM metrics WHERE {conditions}");
    sql::close_range(asked, &sql::rows(app, sql, values, asked).await?).map(|range| range.unwrap_or(asked))
}

/// How far the points of nine series of ten are apart, at most, on average.
async fn usual_distance(app: &App, conditions: &Conditions, range: TimeRange) -> Result<DurationNs, Refusal> {
    let mut values = Parameters::default();
    let sql = format!(
        "SELECT CAST(approx_percentile_cont(apart, 0.9) AS BIGINT) AS apart FROM (\
           SELECT (CAST(max(time) AS BIGINT) - CAST(min(time) AS BIGINT)) / (count(*) - 1) AS apart \
           FROM metrics WHERE {} AND flags % 2 = 0 \
           GROUP BY kind, process_id, scope_name, scope_version, attributes HAVING count(*) > 1)",
        conditions.sql(&mut values)
    );
    let mut apart = DurationNs::ZERO;
    for rows in sql::rows(app, sql, values, range).await? {
        let column = rows.integer("apart")?;
        apart = apart.max(DurationNs::from_nanos((0..rows.len()).filter_map(|row| column.get(row)).max().unwrap_or(0)));
    }
    Ok(apart)
}

/// What tells a series from others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key {
    pub(super) process_id: String,
    pub(super) service_name: String,
    /// Name and version of the instrumentation scope.
    pub(super) scope: (String, String),
    /// JSON.
    pub(super) attributes: String,
}

/// What tells a group from others: the series that it is, or the values that its series share.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum GroupKey {
    Series(Arc<Key>),
    Values(Vec<Option<String>>),
}

/// The series that points belong to.
struct Found {
    shape: Shape,
    /// What keeps apart those that are put together; `None` when none are.
    by: Option<Vec<String>>,
    shown: Option<Shown>,
    /// Each with the position of its group.
    series: HashMap<Arc<Key>, (usize, Tracker)>,
    positions: HashMap<GroupKey, usize>,
    groups: Vec<(GroupKey, Group, u64)>,
    key_bytes: usize,
    hasher: RandomState,
    left_out: HashSet<u64>,
    /// Buckets of histograms that are remembered.
    buckets: isize,
    skipped_point_count: u64,
}

impl Found {
    fn new(shape: Shape, by: Option<Vec<String>>) -> Self {
        Self {
            shape,
            by,
            shown: None,
            series: HashMap::new(),
            positions: HashMap::new(),
            groups: Vec::new(),
            key_bytes: 0,
            hasher: RandomState::new(),
            left_out: HashSet::new(),
            buckets: 0,
            skipped_point_count: 0,
        }
    }

    fn add(&mut self, rows: &Rows) -> Result<(), Refusal> {
        let columns = Columns::new(rows)?;
        for row in 0..rows.len() {
            let shown = *self.shown.get_or_insert_with(|| columns.shown(row));
            if columns.shown(row) != shown {
                self.skipped_point_count += 1;
                continue;
            }
            let key = columns.key(row);
            if !self.series.contains_key(&key) && !self.begin(&key)? {
                continue;
            }
            let (position, tracker) = self.series.get_mut(&key).expect("it has begun");
            let group = &mut self.groups[*position].1;
            let had = group.len();
            self.buckets += tracker.add(columns.point(row), shown, &self.shape, group);
            self.buckets += STEP_AS_BUCKETS * (group.len() - had) as isize;
            if self.buckets > MAX_BUCKETS {
                return Err(too_much("this metric has too many values to be drawn together"));
            }
        }
        Ok(())
    }

    /// Begins a series, unless there are too many.
    fn begin(&mut self, key: &Key) -> Result<bool, Refusal> {
        if self.series.len() >= MAX_TOGETHER || self.key_bytes > MAX_KEY_BYTES {
            return Err(too_much("this metric has too many series to be looked at together"));
        }
        let key = Arc::new(key.clone());
        let group_key = match &self.by {
            None => GroupKey::Series(Arc::clone(&key)),
            Some(by) => GroupKey::Values(key.values(by)?),
        };
        let position = match self.positions.get(&group_key) {
            Some(position) => *position,
            None if self.groups.len() >= MAX_COMPARED => {
                if self.left_out.len() < MAX_COUNTED {
                    self.left_out.insert(self.hasher.hash_one(&group_key));
                }
                return Ok(false);
            }
            None => {
                self.groups.push((group_key.clone(), Group::default(), 0));
                self.positions.insert(group_key, self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        self.groups[position].2 += 1;
        self.key_bytes += key.bytes();
        self.series.insert(key, (position, Tracker::default()));
        Ok(true)
    }

    /// The greatest `most`.
    fn answer(mut self, most: usize) -> Result<MetricSeriesList, Refusal> {
        let Some(shown) = self.shown else {
            return Ok(MetricSeriesList {
                step_ns: self.shape.step,
                columns: Vec::new(),
                series: Vec::new(),
                hidden_series_count: 0,
                skipped_point_count: 0,
            });
        };
        for (position, tracker) in self.series.values_mut() {
            tracker.finish(shown, &self.shape, &mut self.groups[*position].1);
        }
        let is_whole = |(_, group, _): &(GroupKey, Group, u64)| group.has_whole_steps(&self.shape);
        let only_whole = self.shape.is_together && self.groups.iter().any(is_whole);
        let hidden_series_count = (self.groups.len().saturating_sub(most) + self.left_out.len()) as u32;
        let weight = |group: &Group| group.weight(shown, &self.shape);
        let mut groups: Vec<_> = self.groups.iter().map(|group| (weight(&group.1), group)).collect();
        groups.sort_by(|(a_weight, a), (b_weight, b)| b_weight.total_cmp(a_weight).then_with(|| a.0.cmp(&b.0)));
        groups.truncate(most);
        let series = groups.into_iter().map(|(_, (key, group, series_count))| {
            let points = group.values(shown, &self.shape, only_whole).into_iter();
            let points = points.map(|at| MetricValues { time: at.time, values: at.values }).collect();
            let described = |attributes| MetricSeries {
                process_id: None,
                scope_name: String::new(),
                attributes,
                series_count: *series_count,
                points,
            };
            match key {
                GroupKey::Series(key) => {
                    let process_id = key.process_id.parse();
                    let process_id = process_id.map_err(|_| Refusal::internal("a point has no process id"))?;
                    let series = described(sql::attributes(&key.attributes)?);
                    Ok(MetricSeries { process_id: Some(process_id), scope_name: key.scope.0.clone(), ..series })
                }
                GroupKey::Values(values) => {
                    let by = self.by.iter().flatten().zip(values);
                    let known = by.filter_map(|(key, value)| Some((key.as_str(), value.as_deref()?)));
                    Ok(described(Attributes(
                        known.map(|(key, value)| (key.to_owned(), Value::String(value.to_owned()))).collect(),
                    )))
                }
            }
        });
        Ok(MetricSeriesList {
            step_ns: self.shape.step,
            columns: self.shape.columns(shown),
            series: series.collect::<Result<_, Refusal>>()?,
            hidden_series_count,
            skipped_point_count: self.skipped_point_count,
        })
    }
}

impl Key {
    fn bytes(&self) -> usize {
        let (scope, version) = &self.scope;
        self.process_id.len() + self.service_name.len() + scope.len() + version.len() + self.attributes.len()
    }

    /// The values of these keys, as text; `None` where there is none.
    fn values(&self, by: &[String]) -> Result<Vec<Option<String>>, Refusal> {
        let attributes = if by.is_empty() { Vec::new() } else { sql::attribute_texts(&self.attributes)? };
        let value = |key: &String| match key.as_str() {
            "service_name" => Some(self.service_name.clone()),
            "process_id" => Some(self.process_id.clone()),
            "scope_name" => Some(self.scope.0.clone()),
            key => attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone()),
        };
        Ok(by.iter().map(value).collect())
    }
}

fn too_much(message: &str) -> Refusal {
    let limit = QueryError::Limit(message.to_owned());
    Refusal::from(limit).with_details("ask for fewer points, a shorter time, or some of the series")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_series_that_are_left_out_take_no_memory() {
        let shape = Shape {
            combine: Combine::Sum,
            percentiles: Vec::new(),
            step: DurationNs::from_secs(1),
            range: TimeRange::ALL,
            is_together: false,
        };
        let key = |number: usize| Key {
            process_id: String::new(),
            service_name: String::new(),
            scope: (String::new(), String::new()),
            attributes: format!("{number}{}", "x".repeat(1_000)),
        };
        let mut found = Found::new(shape, None);
        for number in 0..MAX_COMPARED {
            assert!(found.begin(&key(number)).is_ok_and(|has_begun| has_begun));
        }
        let left_out = key(MAX_COMPARED);
        for _ in 0..2 * MAX_KEY_BYTES / left_out.bytes() {
            assert!(found.begin(&left_out).is_ok_and(|has_begun| !has_begun));
        }
        assert_eq!((found.left_out.len(), found.series.len()), (1, MAX_COMPARED));
        assert!(found.key_bytes < MAX_KEY_BYTES / 2);
    }
}
