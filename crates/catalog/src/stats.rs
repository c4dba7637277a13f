//! Statistics as DuckLake keeps them: bounds are text, as DuckDB casts values to `VARCHAR`.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDateTime};
use glasshouse_model::Timestamp;
use glasshouse_tables::{ColumnStats, StatValue};
use uuid::Uuid;

use crate::CatalogError;
use crate::database::{Row, Value};

/// Longer bounds are left out: they would prune little and fill the catalog.
const MAX_BOUND: usize = 256;

/// Type of a column that has statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeafType {
    Blob,
    Uuid,
    Text,
    Time,
    Int,
    Double,
    Bool,
}

/// A row of `ducklake_table_column_stats`. Bounds may be wider than the live values: removing files
/// does not narrow them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableColumnStats {
    pub contains_null: Option<bool>,
    pub contains_nan: Option<bool>,
    pub min: Option<String>,
    pub max: Option<String>,
}

impl LeafType {
    /// The type of a DuckLake type name; `None` for nested columns.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "blob" => Self::Blob,
            "uuid" => Self::Uuid,
            "varchar" => Self::Text,
            "timestamp_ns" => Self::Time,
            "int64" | "int32" => Self::Int,
            "float64" => Self::Double,
            "boolean" => Self::Bool,
            _ => return None,
        })
    }

    /// A bound as text; `None` when it is of another type or cannot be kept.
    pub fn bound(self, value: Option<&StatValue>) -> Option<String> {
        let text = match (self, value?) {
            (Self::Int, StatValue::Int(value)) => value.to_string(),
            (Self::Double, StatValue::Double(value)) if !value.is_nan() => format!("{value:?}"),
            (Self::Bool, StatValue::Bool(value)) => u8::from(*value).to_string(),
            (Self::Text, StatValue::Text(value)) if !value.contains('\0') => value.clone(),
            (Self::Blob, StatValue::Bytes(value)) => hex(value),
            (Self::Uuid, StatValue::Bytes(value)) => Uuid::from_slice(value).ok()?.to_string(),
            (Self::Time, StatValue::Time(value)) => time_text(*value),
            _ => return None,
        };
        (text.len() <= MAX_BOUND).then_some(text)
    }

    /// Which of two bounds is less. All texts but those of numbers sort as their values do.
    fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            Self::Int => a.parse::<i64>().ok().cmp(&b.parse().ok()),
            Self::Double => a.parse::<f64>().ok().partial_cmp(&b.parse().ok()).unwrap_or(Ordering::Equal),
            _ => a.cmp(b),
        }
    }
}

impl TableColumnStats {
    /// What the row says whose columns from `column` on are those of this struct.
    pub fn read(row: &Row, column: usize) -> Result<Self, CatalogError> {
        Ok(Self {
            contains_null: row.optional_bool(column)?,
            contains_nan: row.optional_bool(column + 1)?,
            min: row.optional_text(column + 2)?,
            max: row.optional_text(column + 3)?,
        })
    }

    /// Of the first values in a column; `older_rows`: whether the table has rows without them.
    pub fn first(kind: LeafType, stats: &ColumnStats, older_rows: bool) -> Self {
        Self {
            contains_null: Some(stats.nulls > 0 || older_rows),
            contains_nan: stats.has_nan,
            min: kind.bound(stats.min.as_ref()),
            max: kind.bound(stats.max.as_ref()),
        }
    }

    /// Takes in the column of one more file.
    pub fn merge(&mut self, kind: LeafType, stats: &ColumnStats) {
        if stats.nulls > 0 {
            self.contains_null = Some(true);
        }
        if stats.values == 0 {
            return;
        }
        self.contains_nan = match (self.contains_nan, stats.has_nan) {
            (Some(a), Some(b)) => Some(a || b),
            _ => None,
        };
        let wider = |old: Option<String>, new: Option<String>, replaces: Ordering| match (old, new) {
            (Some(old), Some(new)) => Some(if kind.compare(&new, &old) == replaces { new } else { old }),
            _ => None, // unknown once, unknown for ever
        };
        self.min = wider(self.min.take(), kind.bound(stats.min.as_ref()), Ordering::Less);
        self.max = wider(self.max.take(), kind.bound(stats.max.as_ref()), Ordering::Greater);
    }

    /// The row of this column.
    pub fn row(&self, table_id: i64, column_id: i32) -> Vec<Value> {
        vec![
            table_id.into(),
            i64::from(column_id).into(),
            self.contains_null.into(),
            self.contains_nan.into(),
            self.min.clone().into(),
            self.max.clone().into(),
            Value::Text(None),
        ]
    }
}

/// Upper-case hex digits.
fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).expect("four bits").to_ascii_uppercase();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A moment as DuckDB writes a `TIMESTAMP_NS`.
pub(crate) fn time_text(time: Timestamp) -> String {
    DateTime::from_timestamp_nanos(time.nanos()).format("%Y-%m-%d %H:%M:%S%.9f").to_string()
}

/// Reads a `TIMESTAMP_NS` as DuckDB writes it.
pub(crate) fn parse_time(text: &str) -> Option<Timestamp> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok()?;
    time.and_utc().timestamp_nanos_opt().map(Timestamp::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_written_as_duckdb_casts_them() {
        let check = |kind: LeafType, value: StatValue, expected: Option<&str>| {
            assert_eq!(kind.bound(Some(&value)).as_deref(), expected, "{value:?}");
        };
        check(LeafType::Int, StatValue::Int(-5), Some("-5"));
        check(LeafType::Double, StatValue::Double(1e300), Some("1e300"));
        check(LeafType::Double, StatValue::Double(f64::NAN), None);
        check(LeafType::Bool, StatValue::Bool(true), Some("1"));
        check(LeafType::Blob, StatValue::Bytes(vec![0xab, 1]), Some("AB01"));
        check(LeafType::Uuid, StatValue::Bytes(vec![0xab; 16]), Some("abababab-abab-abab-abab-abababababab"));
        check(LeafType::Text, StatValue::Text("x".repeat(300)), None);
        check(LeafType::Text, StatValue::Int(1), None);
        let time = Timestamp::from_nanos(1_704_067_200_123_456_789);
        check(LeafType::Time, StatValue::Time(time), Some("2024-01-01 00:00:00.123456789"));
        assert_eq!(parse_time("2024-01-01 00:00:00.123456789"), Some(time));
        assert_eq!(parse_time("1969-12-31 23:59:59"), Some(Timestamp::from_nanos(-1_000_000_000)));
    }

    #[test]
    fn merged_bounds_hold_all_values() {
        let stats = |values, nulls, min: Option<i64>, max: Option<i64>| ColumnStats {
            column_id: 1,
            bytes: 0,
            values,
            nulls,
            min: min.map(StatValue::Int),
            max: max.map(StatValue::Int),
            has_nan: None,
        };
        let mut merged = TableColumnStats::first(LeafType::Int, &stats(2, 0, Some(9), Some(10)), false);
        merged.merge(LeafType::Int, &stats(2, 0, Some(-3), Some(100)));
        merged.merge(LeafType::Int, &stats(0, 4, None, None));
        let expected = TableColumnStats {
            contains_null: Some(true),
            contains_nan: None,
            min: Some("-3".to_owned()),
            max: Some("100".to_owned()),
        };
        assert_eq!(merged, expected);
        merged.merge(LeafType::Int, &stats(1, 0, None, None));
        assert_eq!((merged.min, merged.max), (None, None));
    }
}
