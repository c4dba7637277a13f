//! What makes SQL over telemetry pleasant: `attributes['k']`, ids in any case, attributes compared with
//! numbers.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::{
    BinaryExpr, Expr, ExprSchemable, GetFieldAccess, LogicalPlan, Operator, ScalarUDF, lit,
};
use datafusion::optimizer::AnalyzerRule;
use glasshouse_model::{ProcessId, SpanId, TraceId};
use glasshouse_tables::{ColumnType, Table};

use crate::functions::{Getter, GetterKind};

/// Plans `attributes['k']` as `attribute(attributes, 'k')`.
#[derive(Debug)]
pub(crate) struct AttributeAccess;

impl ExprPlanner for AttributeAccess {
    fn plan_field_access(
        &self,
        access: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        if access.expr.get_type(schema)? != DataType::Utf8 {
            return Ok(PlannerResult::Original(access));
        }
        let key = match &access.field_access {
            GetFieldAccess::NamedStructField { name } => Expr::Literal(name.clone(), None),
            GetFieldAccess::ListIndex { key } if key.get_type(schema)? == DataType::Utf8 => key.as_ref().clone(),
            _ => return Ok(PlannerResult::Original(access)),
        };
        Ok(PlannerResult::Planned(getter(GetterKind::Text, vec![access.expr, key])))
    }
}

fn getter(kind: GetterKind, arguments: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::from(Getter::new(kind))), arguments))
}

/// Rewrites comparisons to what was meant, before types are made to agree:
///
/// * An id column compared with the text of an id in upper case, or of a UUID in another form, is compared
///   with the text that the column would show.
/// * `attributes['k']` compared with a number is compared as a number, and is NULL where it is none.
#[derive(Debug)]
pub(crate) struct WhatWasMeant;

impl AnalyzerRule for WhatWasMeant {
    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let rewritten = plan.transform_up_with_subqueries(|plan| {
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expr| {
                let name = names.save(&expr);
                Ok(expr.transform_up(|expr| Ok(rewrite(expr)))?.update_data(|expr| name.restore(expr)))
            })
        })?;
        Ok(rewritten.data)
    }

    fn name(&self) -> &'static str {
        "what_was_meant"
    }
}

fn rewrite(expr: Expr) -> Transformed<Expr> {
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) if is_comparison(op) => {
            let (new_left, new_right) = match (left.as_ref(), right.as_ref()) {
                (value, constant @ Expr::Literal(..)) => (as_number(value, constant), canonical(value, constant)),
                (constant @ Expr::Literal(..), value) => (canonical(value, constant), as_number(value, constant)),
                _ => (None, None),
            };
            let changed = new_left.is_some() || new_right.is_some();
            let left = new_left.map_or(left, Box::new);
            let right = new_right.map_or(right, Box::new);
            let comparison = Expr::BinaryExpr(BinaryExpr { left, op, right });
            if changed { Transformed::yes(comparison) } else { Transformed::no(comparison) }
        }
        Expr::InList(InList { expr, list, negated }) => {
            let mut changed = false;
            let list = list
                .into_iter()
                .map(|item| match canonical(&expr, &item) {
                    Some(item) => {
                        changed = true;
                        item
                    }
                    None => item,
                })
                .collect();
            let list = Expr::InList(InList { expr, list, negated });
            if changed { Transformed::yes(list) } else { Transformed::no(list) }
        }
        other => Transformed::no(other),
    }
}

fn is_comparison(op: Operator) -> bool {
    use Operator::{Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
}

/// The text that an id column shows for an id; `None` when the literal is that text already, or no id.
fn canonical(column: &Expr, literal: &Expr) -> Option<Expr> {
    let Expr::Column(column) = column else { return None };
    let Expr::Literal(ScalarValue::Utf8(Some(text)), _) = literal else { return None };
    let shown = match id_kind(&column.name)? {
        ColumnType::TraceId => text.parse::<TraceId>().ok()?.to_string(),
        ColumnType::SpanId => text.parse::<SpanId>().ok()?.to_string(),
        _ => text.parse::<ProcessId>().ok()?.to_string(),
    };
    (shown != *text).then(|| lit(shown))
}

/// What an id column of that name holds.
fn id_kind(column: &str) -> Option<ColumnType> {
    Table::ALL
        .into_iter()
        .flat_map(Table::columns)
        .find(|declared| declared.name == column)
        .map(|declared| declared.kind)
        .filter(|kind| matches!(kind, ColumnType::TraceId | ColumnType::SpanId | ColumnType::ProcessId))
}

/// `attribute_double(…)` for an `attribute(…)` that is compared with a number.
fn as_number(expr: &Expr, literal: &Expr) -> Option<Expr> {
    let Expr::ScalarFunction(call) = expr else { return None };
    let Expr::Literal(value, _) = literal else { return None };
    let is_text = call.func.inner().downcast_ref::<Getter>()?.kind() == GetterKind::Text;
    (is_text && value.data_type().is_numeric()).then(|| getter(GetterKind::Double, call.args.clone()))
}
