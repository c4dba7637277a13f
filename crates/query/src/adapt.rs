//! What SQL shows of a stored row, told for each file and each hot batch anew.
//!
//! Scans are planned against [`Table::logical_schema`]. When a file is opened, its columns are known, and
//! every expression of the scan (filters and projections) is rewritten to them: a filter on an id becomes
//! a comparison of bytes, so that statistics, page indexes and Bloom filters decide; an attribute becomes
//! the column that the file has for it. Hot batches go the same way, with their packed attributes.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::{Operator, ScalarUDF};
use datafusion::physical_expr::expressions::{
    BinaryExpr, CastExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, Literal, in_list,
};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_expr_adapter::{PhysicalExprAdapter, PhysicalExprAdapterFactory};
use glasshouse_files::REST_KEYS;
use glasshouse_tables::{ColumnType, ShredType, ShreddedColumn, Table};

use crate::functions::stored::{Stored, StoredFunction};
use crate::functions::{Getter, GetterKind};

type Expr = Arc<dyn PhysicalExpr>;

/// Makes [`RowAdapter`]s for a table.
#[derive(Debug)]
pub(crate) struct RowAdapterFactory {
    pub(crate) table: Table,
}

impl PhysicalExprAdapterFactory for RowAdapterFactory {
    fn create(&self, logical: SchemaRef, stored: SchemaRef) -> Result<Arc<dyn PhysicalExprAdapter>> {
        let rest_keys = stored.metadata().get(REST_KEYS).and_then(|keys| serde_json::from_str(keys).ok());
        Ok(Arc::new(RowAdapter { table: self.table, logical, stored, rest_keys }))
    }
}

/// Rewrites expressions over a table's logical schema to the stored schema of some rows.
#[derive(Debug)]
struct RowAdapter {
    table: Table,
    logical: SchemaRef,
    stored: SchemaRef,
    /// Attribute keys that the column `attributes` of a file holds; `None` when it does not say.
    rest_keys: Option<Vec<String>>,
}

impl PhysicalExprAdapter for RowAdapter {
    fn rewrite(&self, expr: Expr) -> Result<Expr> {
        expr.transform_down(|expr| {
            // What is returned here is in terms of the stored schema already.
            let stored = |expr| Ok(Transformed::new(expr, true, TreeNodeRecursion::Jump));
            if let Some(adapted) = self.attribute(&expr)? {
                return stored(adapted);
            }
            if let Some(adapted) = self.comparison(&expr)? {
                return stored(adapted);
            }
            if let Some(adapted) = self.null_check(&expr) {
                return stored(adapted);
            }
            match expr.downcast_ref::<Column>() {
                Some(column) => stored(self.column(column)?),
                None => Ok(Transformed::no(expr)),
            }
        })
        .data()
    }
}

impl RowAdapter {
    fn kind_of(&self, column: &str) -> Option<ColumnType> {
        self.table.columns().iter().find(|declared| declared.name == column).map(|declared| declared.kind)
    }

    fn stored_column(&self, name: &str) -> Option<(Expr, &Field)> {
        let (index, field) = self.stored.column_with_name(name)?;
        Some((Arc::new(Column::new(name, index)), field))
    }

    fn call(&self, function: Stored, arguments: Vec<Expr>) -> Result<Expr> {
        let function = Arc::new(ScalarUDF::from(StoredFunction::from(function)));
        let config = Arc::new(ConfigOptions::default());
        Ok(Arc::new(ScalarFunctionExpr::try_new(function, arguments, &self.stored, config)?))
    }

    /// A column as SQL shows it.
    fn column(&self, column: &Column) -> Result<Expr> {
        let logical = self.logical.field_with_name(column.name())?;
        let Some((stored, field)) = self.stored_column(column.name()) else {
            return Ok(Arc::new(Literal::new(ScalarValue::try_new_null(logical.data_type())?)));
        };
        match (self.kind_of(column.name()), field.data_type()) {
            (Some(ColumnType::TraceId | ColumnType::SpanId), DataType::FixedSizeBinary(_)) => {
                self.call(Stored::HexText, vec![stored])
            }
            (Some(ColumnType::ProcessId), DataType::FixedSizeBinary(_)) => self.call(Stored::UuidText, vec![stored]),
            (Some(ColumnType::Time), DataType::Timestamp(_, None)) => self.call(Stored::Utc, vec![stored]),
            (Some(ColumnType::Attributes), DataType::Binary) => {
                let sorted = self.table.shredded_column() == Some(column.name());
                self.call(Stored::PackedJson { sorted }, vec![stored])
            }
            (Some(ColumnType::Attributes), DataType::Utf8) if self.table.shredded_column() == Some(column.name()) => {
                let columns: Vec<_> =
                    self.stored.fields().iter().filter_map(|f| ShreddedColumn::from_name(f.name())).collect();
                let shredded = columns.iter().filter_map(|c| Some(self.stored_column(&c.to_string())?.0));
                let arguments = std::iter::once(stored).chain(shredded).collect();
                self.call(Stored::JoinedJson { columns }, arguments)
            }
            (_, stored_type) if stored_type == logical.data_type() => Ok(stored),
            _ => Ok(Arc::new(CastExpr::new(stored, logical.data_type().clone(), None))),
        }
    }

    /// `attribute(attributes, 'k')` and its like, from the columns that may hold the key.
    fn attribute(&self, expr: &Expr) -> Result<Option<Expr>> {
        let Some(call) = ScalarFunctionExpr::try_downcast_func::<Getter>(expr.as_ref()) else { return Ok(None) };
        let Some(getter) = call.fun().inner().downcast_ref::<Getter>().map(Getter::kind) else { return Ok(None) };
        let [column, key] = call.args() else { return Ok(None) };
        let Some(column) = column.downcast_ref::<Column>() else { return Ok(None) };
        let Some(key) = key.downcast_ref::<Literal>().and_then(|key| key.value().try_as_str().flatten()) else {
            return Ok(None);
        };
        let Some((stored, field)) = self.stored_column(column.name()) else { return Ok(None) };
        match field.data_type() {
            DataType::Binary => Ok(Some(self.call(Stored::PackedGet { getter, key: key.to_owned() }, vec![stored])?)),
            DataType::Utf8 => self.shredded_attribute(getter, key, stored, call, column.name()).map(Some),
            _ => Ok(None),
        }
    }

    fn shredded_attribute(
        &self,
        getter: GetterKind,
        key: &str,
        rest: Expr,
        call: &ScalarFunctionExpr,
        column: &str,
    ) -> Result<Expr> {
        let mut values = Vec::new();
        if self.table.shredded_column() == Some(column) {
            let kinds: &[ShredType] = match getter {
                GetterKind::Text => &ShredType::ALL,
                GetterKind::Int => &[ShredType::Int],
                GetterKind::Double => &[ShredType::Double, ShredType::Int],
                GetterKind::Bool => &[ShredType::Bool],
            };
            for kind in kinds {
                let name = ShreddedColumn { kind: *kind, key: key.to_owned() }.to_string();
                let Some((stored, field)) = self.stored_column(&name) else { continue };
                values.push(match getter {
                    _ if *field.data_type() == getter.data_type() => stored,
                    GetterKind::Text => self.call(Stored::ValueText, vec![stored])?,
                    _ => Arc::new(CastExpr::new(stored, getter.data_type(), None)),
                });
            }
        }
        let in_rest = self.rest_keys.as_ref().is_none_or(|keys| keys.iter().any(|k| k == key));
        if in_rest {
            let arguments = vec![rest, Arc::clone(&call.args()[1])];
            let config = Arc::new(call.config_options().clone());
            let function = Arc::new(call.fun().clone());
            values.push(Arc::new(ScalarFunctionExpr::try_new(function, arguments, &self.stored, config)?));
        }
        match values.len() {
            0 => Ok(Arc::new(Literal::new(ScalarValue::try_new_null(&getter.data_type())?))),
            1 => Ok(values.remove(0)),
            _ => self.call(Stored::FirstValue { data_type: getter.data_type() }, values),
        }
    }

    /// Comparisons with constants, turned around where the stored value can be compared as it is.
    fn comparison(&self, expr: &Expr) -> Result<Option<Expr>> {
        if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
            let (value, operator, constant) = match (literal(binary.left()), literal(binary.right())) {
                (None, Some(constant)) => (binary.left(), Some(*binary.op()), constant),
                (Some(constant), None) => (binary.right(), binary.op().swap(), constant),
                _ => return Ok(None),
            };
            let Some(operator) = operator else { return Ok(None) };
            let is_order = match operator {
                Operator::Eq | Operator::NotEq => false,
                Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => true,
                _ => return Ok(None),
            };
            let Some((stored, mut constants)) = self.as_stored(value, &[constant], is_order)? else {
                return Ok(None);
            };
            let constant: Expr = Arc::new(Literal::new(constants.remove(0)));
            return Ok(Some(Arc::new(BinaryExpr::new(stored, operator, constant))));
        }
        if let Some(list) = expr.downcast_ref::<InListExpr>() {
            let Some(constants) = list.list().iter().map(literal).collect::<Option<Vec<_>>>() else {
                return Ok(None);
            };
            let Some((stored, constants)) = self.as_stored(list.expr(), &constants, false)? else { return Ok(None) };
            let constants = constants.into_iter().map(|value| Arc::new(Literal::new(value)) as Expr).collect();
            return in_list(stored, constants, &list.negated(), &self.stored).map(Some);
        }
        Ok(None)
    }

    /// A value as it is stored, and constants in its type; `None` when they cannot be said in it.
    fn as_stored(
        &self,
        value: &Expr,
        constants: &[&ScalarValue],
        is_order: bool,
    ) -> Result<Option<(Expr, Vec<ScalarValue>)>> {
        if let Some(column) = value.downcast_ref::<Column>() {
            let Some((stored, field)) = self.stored_column(column.name()) else { return Ok(None) };
            let convert: fn(&ScalarValue) -> Option<ScalarValue> =
                match (self.kind_of(column.name()), field.data_type()) {
                    (Some(ColumnType::TraceId), DataType::FixedSizeBinary(16)) => id_bytes::<16>,
                    (Some(ColumnType::SpanId), DataType::FixedSizeBinary(8)) => id_bytes::<8>,
                    (Some(ColumnType::ProcessId), DataType::FixedSizeBinary(16)) => uuid_bytes,
                    (Some(ColumnType::Time), DataType::Timestamp(_, None)) => without_zone,
                    _ => return Ok(None),
                };
            let constants: Option<Vec<_>> = constants.iter().map(|constant| convert(constant)).collect();
            return Ok(constants.map(|constants| (stored, constants)));
        }
        // The text of one integer column compares as integers do, but not in order.
        let Some(adapted) = self.attribute(value)? else { return Ok(None) };
        let text_of = ScalarFunctionExpr::try_downcast_func::<StoredFunction>(adapted.as_ref());
        let Some(argument) = text_of.filter(|call| call.name() == "value_text").and_then(|call| call.args().first())
        else {
            return Ok(None);
        };
        if is_order || argument.data_type(&self.stored)? != DataType::Int64 {
            return Ok(None);
        }
        let constants: Option<Vec<_>> = constants.iter().map(|constant| integer(constant)).collect();
        Ok(constants.map(|constants| (Arc::clone(argument), constants)))
    }

    /// Whether an id or a time is there need not wait for its text.
    fn null_check(&self, expr: &Expr) -> Option<Expr> {
        let (argument, is_null) = if let Some(check) = expr.downcast_ref::<IsNullExpr>() {
            (check.arg(), true)
        } else if let Some(check) = expr.downcast_ref::<IsNotNullExpr>() {
            (check.arg(), false)
        } else {
            return None;
        };
        let column = argument.downcast_ref::<Column>()?;
        let plain = matches!(
            self.kind_of(column.name()),
            Some(ColumnType::TraceId | ColumnType::SpanId | ColumnType::ProcessId | ColumnType::Time)
        );
        let (stored, _) = self.stored_column(column.name()).filter(|_| plain)?;
        Some(if is_null { Arc::new(IsNullExpr::new(stored)) } else { Arc::new(IsNotNullExpr::new(stored)) })
    }
}

fn literal(expr: &Expr) -> Option<&ScalarValue> {
    expr.downcast_ref::<Literal>().map(Literal::value)
}

/// Bytes of an id in hex digits. Lower case only: the text of an id is, so others equal none.
fn id_bytes<const N: usize>(text: &ScalarValue) -> Option<ScalarValue> {
    let text = text.try_as_str()??;
    if text.len() != 2 * N || !text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    let byte = |i: usize| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok();
    let bytes = (0..N).map(byte).collect::<Option<Vec<_>>>()?;
    Some(ScalarValue::FixedSizeBinary(N as i32, Some(bytes)))
}

fn uuid_bytes(text: &ScalarValue) -> Option<ScalarValue> {
    let text = text.try_as_str()??;
    let id = uuid::Uuid::try_parse(text).ok().filter(|id| id.to_string() == text)?;
    Some(ScalarValue::FixedSizeBinary(16, Some(id.as_bytes().to_vec())))
}

fn without_zone(time: &ScalarValue) -> Option<ScalarValue> {
    match time {
        ScalarValue::TimestampNanosecond(nanos, Some(_)) => Some(ScalarValue::TimestampNanosecond(*nanos, None)),
        _ => None,
    }
}

/// An integer that has this text.
fn integer(text: &ScalarValue) -> Option<ScalarValue> {
    let text = text.try_as_str()??;
    let value: i64 = text.parse().ok()?;
    (value.to_string() == text).then_some(ScalarValue::Int64(Some(value)))
}
