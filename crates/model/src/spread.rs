//! How spans that match a search spread over time and duration, and what tells some of them from the others.

use crate::{CallFigures, DurationNs, TimeRange, Timestamp};

/// Numbers of spans by start and duration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Heatmap {
    /// How much time a column covers.
    pub step: DurationNs,
    /// The least duration of each row; the first row also takes what is less, the last has no end.
    pub bounds: Vec<DurationNs>,
    /// Those that have spans, in order of time, then of duration.
    pub cells: Vec<HeatmapCell>,
}

/// Spans of about the same start and duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeatmapCell {
    /// Where the column begins: a multiple of the step.
    pub time: Timestamp,
    /// Position of the row in [`Heatmap::bounds`].
    pub row: u32,
    /// Spans.
    pub span_count: u64,
    /// Spans whose status is ERROR.
    pub error_count: u64,
}

/// Figures of spans over time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpanSeries {
    /// How much time a point covers.
    pub step: DurationNs,
    /// Where each point's time begins, a multiple of the step, and the spans that start in it: those that have any.
    pub points: Vec<(Timestamp, CallFigures)>,
}

/// A part of the spans that match a search: those that meet every condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SpanSelection {
    /// When they start.
    pub range: TimeRange,
    /// Least duration, inclusive.
    pub min_duration: Option<DurationNs>,
    /// Greatest duration, inclusive.
    pub max_duration: Option<DurationNs>,
    /// Whether the status is ERROR.
    pub error: Option<bool>,
}

/// What tells selected spans from the rest.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences {
    /// Spans that are selected.
    pub selected_count: u64,
    /// Spans that match the search and are not.
    pub rest_count: u64,
    /// Values that are more frequent among the selected, the greatest difference of shares first.
    pub values: Vec<ValueDifference>,
}

/// A value of an attribute or of a field of spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueDifference {
    /// What has the value.
    pub place: ValuePlace,
    /// Key of the attribute, or name of the field.
    pub key: String,
    /// The value as text.
    pub value: String,
    /// Selected spans that have it.
    pub selected_count: u64,
    /// Other spans that have it.
    pub rest_count: u64,
}

/// What has a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValuePlace {
    /// The span itself: `service`, `operation`, `kind`, `status` or `status_message`.
    Field,
    /// The span's attributes.
    Span,
    /// The attributes of its process.
    Resource,
}

impl ValuePlace {
    /// Its name: `field`, `span` or `resource`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Field => "field",
            Self::Span => "span",
            Self::Resource => "resource",
        }
    }
}

/// Attributes that spans have, and their most frequent values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributeSurvey {
    /// Spans that were looked at: the newest that match.
    pub span_count: u64,
    /// Keys, the most frequent first.
    pub keys: Vec<AttributeKey>,
}

/// Key of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeKey {
    /// What has it: the span or its resource.
    pub place: ValuePlace,
    /// The key.
    pub key: String,
    /// Spans that have it.
    pub span_count: u64,
    /// The most frequent values and how many spans have each, the most frequent first.
    pub values: Vec<(String, u64)>,
}
