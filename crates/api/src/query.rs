use std::collections::BTreeMap;

use glasshouse_model::DurationNs;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::processes::decimal;

/// A question in SQL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QueryRequest {
    /// One read-only statement.
    pub sql: String,
    /// Only rows from this time on are read: RFC 3339, `now`, relative (`-15m`) or Unix nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub from: Option<String>,
    /// Only rows before this time are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub to: Option<String>,
    /// Most rows to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub limit: Option<usize>,
    /// Values of `$name` in the statement, by name: text, numbers, `true`, `false` or `null`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = HashMap<String, Object>, required = false)]
    pub parameters: BTreeMap<String, serde_json::Value>,
    /// Reads this snapshot of the lake's catalog only, without rows that are not in files yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub snapshot: Option<i64>,
}

/// Rows with the types of their columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct QueryResult {
    /// The columns, in order.
    pub columns: Vec<QueryColumn>,
    /// The rows: one value for each column. 64-bit integers, times (Unix nanoseconds) and decimals are
    /// strings; floats are numbers, or `"NaN"`, `"Infinity"`, `"-Infinity"`; bytes are hex digits.
    #[schema(value_type = Vec<Vec<Object>>)]
    pub rows: Vec<Vec<serde_json::Value>>,
    /// How many rows there are.
    pub row_count: u64,
    /// What it took; absent when nobody measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub statistics: Option<QueryStatistics>,
}

/// What an answer took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueryStatistics {
    /// From the question until its plan was made, in nanoseconds.
    #[schema(value_type = String)]
    pub planning_ns: DurationNs,
    /// From the question until the last row was computed, in nanoseconds.
    #[schema(value_type = String)]
    pub elapsed_ns: DurationNs,
    /// Rows that were looked at: not those which statistics and indexes rule out.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub rows_read: u64,
    /// Bytes read of files.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub bytes_read: u64,
    /// Files that could not be ruled out before they were read.
    pub files_read: u64,
    /// Files of the same tables that could.
    pub files_skipped: u64,
    /// Most memory that sorts, groups and joins held at once, in bytes.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub peak_memory: u64,
    /// Bytes written to disk for want of memory.
    #[serde(with = "decimal")]
    #[schema(value_type = String)]
    pub spilled_bytes: u64,
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QueryColumn {
    /// Name of the column.
    pub name: String,
    /// How its values are written.
    #[serde(rename = "type")]
    pub kind: QueryValueType,
    /// Its Arrow type in full.
    pub arrow_type: String,
    /// Whether a value may be null.
    pub nullable: bool,
}

/// How the values of a column are written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueryValueType {
    /// `true` or `false`.
    Boolean,
    /// A number of at most 32 bits.
    Integer,
    /// A 64-bit integer as a decimal string.
    Bigint,
    /// A number, or `"NaN"`, `"Infinity"`, `"-Infinity"`.
    Double,
    /// A decimal number as a string.
    Decimal,
    /// Text.
    Text,
    /// Unix nanoseconds as a decimal string.
    Timestamp,
    /// Nanoseconds as a decimal string.
    Duration,
    /// `YYYY-MM-DD`.
    Date,
    /// Time of day, `HH:MM:SS.fffffffff`.
    Time,
    /// An interval as text.
    Interval,
    /// Bytes as lower-case hex digits.
    Binary,
    /// An array of values.
    List,
    /// An object.
    Struct,
    /// An array of `{"key":…,"value":…}`.
    Map,
    /// Always null.
    Null,
}
