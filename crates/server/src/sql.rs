//! SQL that handlers ask: values go in as parameters, never as text.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray, TimestampNanosecondArray,
};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;
use futures::{Stream, TryStreamExt};
use glasshouse_model::{Attributes, TimeRange, Timestamp};
use glasshouse_tables::attributes::{PackedWriter, iter, json_to_packed, to_model};
use glasshouse_tables::ports::SqlRequest;

use crate::Refusal;
use crate::state::App;

/// Values of `$1`, `$2`, ….
#[derive(Debug, Default)]
pub(crate) struct Parameters(Vec<ArrayRef>);

impl Parameters {
    /// Adds a text; gives its placeholder.
    pub(crate) fn text(&mut self, value: &str) -> String {
        self.push(Arc::new(StringArray::from_iter_values([value])))
    }

    /// Adds a time; gives its placeholder.
    pub(crate) fn time(&mut self, value: Timestamp) -> String {
        self.push(Arc::new(TimestampNanosecondArray::from_value(value.nanos(), 1).with_timezone("UTC")))
    }

    fn push(&mut self, value: ArrayRef) -> String {
        self.0.push(value);
        format!("${}", self.0.len())
    }

    fn into_batch(self) -> Option<RecordBatch> {
        one_row(self.0.into_iter().enumerate().map(|(index, value)| (format!("${}", index + 1), value)).collect())
    }
}

/// Values of `$name`, as people give them.
pub(crate) fn named_parameters(values: &BTreeMap<String, serde_json::Value>) -> Result<Option<RecordBatch>, Refusal> {
    let columns = values.iter().map(|(name, value)| {
        let is_name = |first: char| first.is_ascii_alphabetic() || first == '_';
        let is_word =
            name.starts_with(is_name) && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if !is_word {
            return Err(Refusal::invalid(format!("parameters: {name:?} is not a name"))
                .with_details("a name has letters, digits and _, and begins with no digit"));
        }
        let array: ArrayRef = match value {
            serde_json::Value::Null => Arc::new(StringArray::from(vec![None::<&str>])),
            serde_json::Value::Bool(value) => Arc::new(BooleanArray::from(vec![*value])),
            serde_json::Value::String(text) => Arc::new(StringArray::from_iter_values([text])),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Arc::new(Int64Array::from(vec![integer])),
                (None, Some(float)) if number.is_f64() => Arc::new(Float64Array::from(vec![float])),
                _ => return Err(Refusal::invalid(format!("parameters: {name} is out of range"))),
            },
            serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
                return Err(Refusal::invalid(format!(
                    "parameters: {name} is neither text, number, true, false nor null"
                )));
            }
        };
        Ok((format!("${name}"), array))
    });
    Ok(one_row(columns.collect::<Result<_, _>>()?))
}

fn one_row(columns: Vec<(String, ArrayRef)>) -> Option<RecordBatch> {
    if columns.is_empty() {
        return None;
    }
    let field = |(name, array): &(String, ArrayRef)| Field::new(name, array.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    Some(RecordBatch::try_new(Arc::new(schema), arrays).expect("every parameter is one row"))
}

/// All rows of an answer that is short by its nature.
pub(crate) async fn rows(
    app: &App,
    sql: String,
    parameters: Parameters,
    range: TimeRange,
) -> Result<Vec<Rows>, Refusal> {
    let request = SqlRequest { sql, parameters: parameters.into_batch(), range, limit: None, snapshot: None };
    let stream = app.query.query(request).await?;
    let batches: Vec<RecordBatch> = stream.batches.try_collect().await?;
    Ok(batches.into_iter().map(Rows).collect())
}

/// The rows of an answer that may be long, as they come.
pub(crate) async fn stream(
    app: &App,
    sql: String,
    parameters: Parameters,
    range: TimeRange,
) -> Result<impl Stream<Item = Result<Rows, Refusal>> + Unpin + use<>, Refusal> {
    let request = SqlRequest { sql, parameters: parameters.into_batch(), range, limit: None, snapshot: None };
    Ok(app.query.query(request).await?.batches.map_ok(Rows).map_err(Refusal::from))
}

/// The time asked for, open ends closed by `first_time` and `last_time` of the one row of an answer; `None` when those
/// are null.
pub(crate) fn close_range(asked: TimeRange, answer: &[Rows]) -> Result<Option<TimeRange>, Refusal> {
    let Some(rows) = answer.iter().find(|rows| rows.len() > 0) else { return Ok(None) };
    let (first, last) = (rows.time("first_time")?.get(0), rows.time("last_time")?.get(0));
    let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
    let from = if asked.from > Timestamp::MIN { asked.from } else { Timestamp::from_nanos(first) };
    let to = if asked.to < Timestamp::MAX { asked.to } else { Timestamp::from_nanos(last.saturating_add(1)) };
    Ok(Some(TimeRange { from, to }))
}

/// Attributes with their types, from JSON as the query engine gives it.
pub(crate) fn attributes(json: &str) -> Result<Attributes, Refusal> {
    Ok(to_model(packed(json)?.packed()))
}

/// Attributes as text, as `attributes['key']` gives them; those without a value are left out.
pub(crate) fn attribute_texts(json: &str) -> Result<Vec<(String, String)>, Refusal> {
    let packed = packed(json)?;
    let texts = iter(packed.packed()).filter_map(|(key, value)| Some((key.to_owned(), value.to_text()?.into_owned())));
    Ok(texts.collect())
}

fn packed(json: &str) -> Result<PackedWriter, Refusal> {
    let mut packed = PackedWriter::new();
    json_to_packed(json, &mut packed)
        .map_err(|error| Refusal::internal("attributes are not a JSON object").with_details(error.to_string()))?;
    Ok(packed)
}

/// Rows whose columns are taken by name and type.
#[derive(Debug)]
pub(crate) struct Rows(RecordBatch);

impl Rows {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.num_rows()
    }

    /// A column of text.
    pub(crate) fn text(&self, name: &str) -> Result<TextColumn, Refusal> {
        Ok(TextColumn(self.column(name, &DataType::Utf8)?))
    }

    /// A column of integers.
    pub(crate) fn integer(&self, name: &str) -> Result<IntegerColumn, Refusal> {
        Ok(IntegerColumn(self.column(name, &DataType::Int64)?.as_primitive::<Int64Type>().clone()))
    }

    /// A column of floating-point numbers.
    pub(crate) fn float(&self, name: &str) -> Result<Float64Array, Refusal> {
        Ok(self.column(name, &DataType::Float64)?.as_primitive::<Float64Type>().clone())
    }

    /// A column as it is.
    pub(crate) fn array(&self, name: &str) -> Option<&ArrayRef> {
        self.0.column_by_name(name)
    }

    /// A column of times, as nanoseconds.
    pub(crate) fn time(&self, name: &str) -> Result<IntegerColumn, Refusal> {
        let nanoseconds = DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()));
        let times = self.column(name, &nanoseconds)?;
        Ok(IntegerColumn(cast(name, &times, &DataType::Int64)?.as_primitive::<Int64Type>().clone()))
    }

    fn column(&self, name: &str, data_type: &DataType) -> Result<ArrayRef, Refusal> {
        let column = self.0.column_by_name(name);
        let column = column.ok_or_else(|| Refusal::internal(format!("the query engine gave no column {name}")))?;
        cast(name, column, data_type)
    }
}

fn cast(name: &str, column: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, Refusal> {
    arrow::compute::cast(column, data_type).map_err(|error| {
        Refusal::internal(format!("column {name} is not what was asked for")).with_details(error.to_string())
    })
}

/// A column of text.
#[derive(Debug)]
pub(crate) struct TextColumn(ArrayRef);

impl TextColumn {
    /// The text of a row.
    pub(crate) fn get(&self, row: usize) -> Option<&str> {
        let texts = self.0.as_string::<i32>();
        texts.is_valid(row).then(|| texts.value(row))
    }

    /// The text of a row, owned.
    pub(crate) fn owned(&self, row: usize) -> Option<String> {
        self.get(row).map(str::to_owned)
    }
}

/// A column of integers.
#[derive(Debug)]
pub(crate) struct IntegerColumn(Int64Array);

impl IntegerColumn {
    /// The integer of a row.
    pub(crate) fn get(&self, row: usize) -> Option<i64> {
        self.0.is_valid(row).then(|| self.0.value(row))
    }

    /// The count of a row; none counts as zero.
    pub(crate) fn count(&self, row: usize) -> u64 {
        self.get(row).map_or(0, |count| count.max(0) as u64)
    }
}
