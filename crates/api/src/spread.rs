use glasshouse_model as model;
use glasshouse_model::{DurationNs, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::processes::decimal;

/// Numbers of spans by start and duration.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Heatmap {
    /// How much time a column covers, in nanoseconds; absent when there are no spans.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, nullable = false, required = false)]
    pub step_ns: Option<DurationNs>,
    /// The least duration of each row, in nanoseconds; the first row also has what is less, the last has no end.
    #[schema(value_type = Vec<String>)]
    pub bounds_ns: Vec<DurationNs>,
    /// The cells that have spans, in order of time, then of duration.
    pub cells: Vec<HeatmapCell>,
}

/// Spans of about the same start and duration.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct HeatmapCell {
    /// Where the column begins, Unix nanoseconds: a multiple of the step.
    #[schema(value_type = String)]
    pub time: Timestamp,
    /// Position of the row in `bounds_ns`.
    pub row: u32,
    /// Spans.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub spans: u64,
    /// Spans whose status is ERROR.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub errors: u64,
}

/// What tells selected spans from the rest.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Differences {
    /// Spans that are selected.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub selected: u64,
    /// Spans that match the search and are not selected.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub rest: u64,
    /// Values whose share among the selected is greater by five hundredths or more, and by three standard errors; the
    /// greatest difference first.
    pub values: Vec<ValueDifference>,
}

/// A value that is more frequent among the selected.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ValueDifference {
    /// What has it: `field` (of the span: service, operation, kind, status, status message), `span` (its attributes) or
    /// `resource` (those of its process).
    pub place: &'static str,
    /// Key of the attribute, or name of the field.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// Selected spans that have it.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub selected: u64,
    /// Other spans that have it.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub rest: u64,
}

/// Attributes that spans have.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttributeSurvey {
    /// Spans that were looked at: of those that match some of the newest.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub spans: u64,
    /// Keys, the most frequent first.
    pub keys: Vec<AttributeKey>,
}

/// Key of an attribute.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttributeKey {
    /// What has it: `span` or `resource`.
    pub place: &'static str,
    /// The key.
    pub key: String,
    /// Spans that have it.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub spans: u64,
    /// The most frequent values, the most frequent first.
    pub values: Vec<AttributeValue>,
}

/// A value of an attribute.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttributeValue {
    /// The value as text.
    pub value: String,
    /// Spans that have it.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub spans: u64,
}

impl From<model::Heatmap> for Heatmap {
    fn from(map: model::Heatmap) -> Self {
        let cell = |cell: model::HeatmapCell| HeatmapCell {
            time: cell.time,
            row: cell.row,
            spans: cell.span_count,
            errors: cell.error_count,
        };
        Self {
            step_ns: (!map.bounds.is_empty()).then_some(map.step),
            bounds_ns: map.bounds,
            cells: map.cells.into_iter().map(cell).collect(),
        }
    }
}

impl From<model::Differences> for Differences {
    fn from(differences: model::Differences) -> Self {
        let value = |it: model::ValueDifference| ValueDifference {
            place: it.place.as_str(),
            key: it.key,
            value: it.value,
            selected: it.selected_count,
            rest: it.rest_count,
        };
        Self {
            selected: differences.selected_count,
            rest: differences.rest_count,
            values: differences.values.into_iter().map(value).collect(),
        }
    }
}

impl From<model::AttributeSurvey> for AttributeSurvey {
    fn from(survey: model::AttributeSurvey) -> Self {
        let key = |key: model::AttributeKey| AttributeKey {
            place: key.place.as_str(),
            key: key.key,
            spans: key.span_count,
            values: key.values.into_iter().map(|(value, spans)| AttributeValue { value, spans }).collect(),
        };
        Self { spans: survey.span_count, keys: survey.keys.into_iter().map(key).collect() }
    }
}
