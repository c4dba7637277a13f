//! What tells the series of a metric apart.

use std::collections::{BTreeMap, HashMap};

use axum::Json;
use axum::extract::State;
use futures::TryStreamExt;
use glasshouse_api::{ErrorBody, MetricAttribute, MetricAttributeList, MetricAttributeValue};

use super::Conditions;
use crate::Refusal;
use crate::params::Params;
use crate::sql::{self, Parameters, Rows};
use crate::state::App;

/// Series that are looked at.
const MAX_SERIES: u64 = 20_000;
/// Bytes of keys and values that are remembered.
const MAX_BYTES: usize = 16 << 20;
const COLUMNS: [&str; 3] = ["service_name", "process_id", "scope_name"];
/// Values of a key that are told.
const MAX_VALUES: usize = 100;

/// Lists what tells the series of a metric apart: keys of attributes with their values, and `service_name`,
/// `process_id` and `scope_name`, in how many series each is.
#[utoipa::path(get, path = "/api/metrics/attributes", operation_id = "metric_attributes", tag = "metrics",
    params(("name" = String, Query, description = "Name of the metric"),
        ("kind" = Option<String>, Query, description = "`GAUGE`, `SUM`, `HISTOGRAM`, `EXPONENTIAL_HISTOGRAM` or `SUMMARY`, where several metrics have the name"),
        ("process" = Option<String>, Query, description = "UUID of a process"),
        ("service" = Option<String>, Query, description = "`service.name`"),
        ("attr.KEY" = Option<String>, Query, description = "Value of the attribute KEY, as text; any number of these"),
        ("from" = Option<String>, Query, description = "From this time on"),
        ("to" = Option<String>, Query, description = "Before this time")),
    responses((status = 200, description = "The keys: those with several values first, then by name", body = MetricAttributeList),
        (status = 400, description = "A parameter is wrong", body = ErrorBody)))]
pub(crate) async fn attributes(
    State(app): State<App>,
    mut params: Params,
) -> Result<Json<MetricAttributeList>, Refusal> {
    let conditions = Conditions::take(&app, &mut params)?;
    params.finish()?;
    let _turn = app.query_turn().await?;
    let mut values = Parameters::default();
    let sql = format!(
        "SELECT service_name, process_id, scope_name, attributes FROM metrics WHERE {} \
         GROUP BY service_name, process_id, scope_name, attributes LIMIT {}",
        conditions.sql(&mut values),
        MAX_SERIES + 1
    );
    let mut batches = sql::stream(&app, sql, values, conditions.range).await?;
    let mut survey = Survey::default();
    while let Some(rows) = batches.try_next().await? {
        // It takes its time: not on a thread that serves others.
        let added = tokio::task::spawn_blocking(move || survey.add(&rows).map(|()| survey)).await;
        survey = added.map_err(|panic| Refusal::internal(panic.to_string()))??;
        if survey.is_full() {
            break;
        }
    }
    Ok(Json(survey.answer()))
}

/// Which values keys have, and in how many series.
#[derive(Default)]
struct Survey {
    keys: BTreeMap<String, HashMap<String, u64>>,
    bytes: usize,
    series_count: u64,
}

impl Survey {
    fn is_full(&self) -> bool {
        self.series_count > MAX_SERIES || self.bytes > MAX_BYTES
    }

    fn add(&mut self, rows: &Rows) -> Result<(), Refusal> {
        let attributes = rows.text("attributes")?;
        let columns = COLUMNS.map(|name| rows.text(name).map(|text| (name, text)));
        let columns: Vec<_> = columns.into_iter().collect::<Result<_, _>>()?;
        for row in 0..rows.len() {
            let own = sql::attribute_texts(attributes.get(row).unwrap_or("{}"))?;
            // The columns of these names are meant.
            let own = own.into_iter().filter(|(key, _)| !COLUMNS.contains(&key.as_str()));
            let text = |(name, text): &(&str, sql::TextColumn)| {
                ((*name).to_owned(), text.get(row).unwrap_or_default().to_owned())
            };
            for (key, value) in own.chain(columns.iter().map(text)) {
                let (key_bytes, value_bytes) = (key.len(), value.len());
                let count = self.keys.entry(key).or_default().entry(value).or_insert_with(|| {
                    self.bytes += key_bytes + value_bytes;
                    0
                });
                *count += 1;
            }
            self.series_count += 1;
            if self.is_full() {
                break;
            }
        }
        Ok(())
    }

    fn answer(self) -> MetricAttributeList {
        let is_complete = !self.is_full();
        let mut attributes: Vec<_> = self.keys.into_iter().map(|(key, values)| listed(key, values)).collect();
        attributes.sort_by_key(|attribute| attribute.values.len() < 2);
        MetricAttributeList { attributes, series_count: self.series_count, is_complete }
    }
}

fn listed(key: String, values: HashMap<String, u64>) -> MetricAttribute {
    let mut values: Vec<_> =
        values.into_iter().map(|(value, series_count)| MetricAttributeValue { value, series_count }).collect();
    values.sort_by(|a, b| b.series_count.cmp(&a.series_count).then_with(|| a.value.cmp(&b.value)));
    let hidden_value_count = values.len().saturating_sub(MAX_VALUES) as u64;
    values.truncate(MAX_VALUES);
    MetricAttribute { key, values, hidden_value_count }
}
