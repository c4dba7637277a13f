//! Metrics: which there are, what tells their series apart, and their values over time.

mod attributes;
mod buckets;
mod exemplars;
mod figures;
mod list;
mod points;
mod series;
mod shape;

use std::fmt::Write as _;

use glasshouse_model::{ProcessId, TimeRange};

use crate::Refusal;
use crate::params::Params;
use crate::sql::Parameters;
use crate::state::App;

pub(crate) use attributes::{__path_attributes, attributes};
pub(crate) use exemplars::{__path_exemplars, exemplars};
pub(crate) use list::{__path_list, __path_of_process, list, of_process};
pub(crate) use series::{__path_series, series};

/// Which points are meant.
struct Conditions {
    name: String,
    kind: Option<String>,
    process: Option<ProcessId>,
    service: Option<String>,
    attributes: Vec<(String, String)>,
    range: TimeRange,
}

impl Conditions {
    /// Takes the parameters that say it.
    fn take(app: &App, params: &mut Params) -> Result<Self, Refusal> {
        Ok(Self {
            name: params.text("name")?.ok_or_else(|| Refusal::invalid("parameter name is missing"))?,
            kind: params.text("kind")?,
            process: params.parsed("process", str::parse)?,
            service: params.text("service")?,
            attributes: params.prefixed("attr."),
            range: params.range(app.now())?,
        })
    }

    /// As a condition of SQL, without the time.
    fn sql(&self, values: &mut Parameters) -> String {
        let mut sql = format!("name = {}", values.text(&self.name));
        let mut equals = |expression: &str, value: &str| {
            let _ = write!(sql, " AND {expression} = {}", values.text(value));
        };
        if let Some(process) = self.process {
            equals("process_id", &process.to_string());
        }
        if let Some(service) = &self.service {
            equals("service_name", service);
        }
        if let Some(kind) = &self.kind {
            equals("kind", kind);
        }
        for (key, value) in &self.attributes {
            equals(&format!("attributes['{}']", key.replace('\'', "''")), value);
        }
        sql
    }
}
