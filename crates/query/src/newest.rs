//! `SELECT * … ORDER BY time DESC LIMIT n`, which everyone asks, without building every row whole.
//!
//! Files are nearly in order of time, so each row that is read seems newer than those before it, and the
//! usual top-n would decode all columns of most of them. Instead the n-th time is found first, from the
//! time column alone; then only rows from that time on are read whole, which statistics of files, row
//! groups and pages make few.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::compute::{max, min};
use arrow::datatypes::TimestampNanosecondType;
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::datasource::source_as_provider;
use datafusion::execution::{SessionState, TaskContext};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Sort, SortExpr, TableScan, lit};
use datafusion::physical_plan::{ExecutionPlan, collect};
use glasshouse_model::Timestamp;

use crate::scan::{LakeTable, time_scalar};

/// Rows for which it is worth it; more are read in any case.
const MAX_ROWS: usize = 10_000;
/// Columns from which on it is worth it.
const MIN_COLUMNS: usize = 6;

/// The optimized plan with a bound on the time of rows, where it takes the first rows in order of time. What was run to
/// find it is added to `run`.
pub(crate) async fn bounded(
    state: &SessionState,
    plan: LogicalPlan,
    context: &Arc<TaskContext>,
    run: &mut Vec<Arc<dyn ExecutionPlan>>,
) -> Result<LogicalPlan> {
    let Some((sort, key, rows)) = first_rows(&plan) else { return Ok(plan) };
    let Some(scan) = scan_of(&sort.input, key) else { return Ok(plan) };
    if !is_repeatable(&plan)? {
        return Ok(plan);
    }
    let is_descending = !sort.expr[0].asc;
    let narrow = LogicalPlanBuilder::from(sort.input.clone())
        .project([Expr::Column(key.clone())])?
        .sort_with_limit(
            [SortExpr::new(Expr::Column(Column::from_name(&key.name)), !is_descending, false)],
            Some(rows),
        )?
        .build()?;
    let narrow = state.create_physical_plan(&narrow).await?;
    run.push(Arc::clone(&narrow));
    let found = collect(narrow, Arc::clone(context)).await?;
    if found.iter().map(RecordBatch::num_rows).sum::<usize>() < rows {
        return Ok(plan);
    }
    let times = found.iter().map(|batch| batch.column(0).as_primitive::<TimestampNanosecondType>());
    let last = if is_descending { times.filter_map(min).min() } else { times.filter_map(max).max() };
    let Some(last) = last.map(|nanos| lit(time_scalar(Timestamp::from_nanos(nanos)))) else { return Ok(plan) };
    let time = Expr::Column(Column::new(Some(scan.table_name.clone()), time_column(scan).unwrap_or_default()));
    let bound = if is_descending { time.gt_eq(last) } else { time.lt_eq(last) };
    let bounded = plan.clone().transform_up(|plan| match plan {
        LogicalPlan::TableScan(_) => {
            Ok(Transformed::yes(LogicalPlanBuilder::from(plan).filter(bound.clone())?.build()?))
        }
        other => Ok(Transformed::no(other)),
    });
    state.optimize(&bounded.data()?)
}

/// The sort that gives a plan's rows, its first key, and how many rows it gives.
fn first_rows(plan: &LogicalPlan) -> Option<(&Sort, &Column, usize)> {
    match plan {
        LogicalPlan::Analyze(analyze) => first_rows(&analyze.input),
        LogicalPlan::Projection(projection) => first_rows(&projection.input),
        LogicalPlan::Limit(limit) => first_rows(&limit.input),
        LogicalPlan::SubqueryAlias(alias) => first_rows(&alias.input),
        LogicalPlan::Sort(sort) => match (&sort.expr.first()?.expr, sort.fetch?) {
            (Expr::Column(key), rows @ 1..=MAX_ROWS) => Some((sort, key, rows)),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the plan gives the same rows each time: with `random()`, which may be in a subquery too, it does not.
fn is_repeatable(plan: &LogicalPlan) -> Result<bool> {
    let differs = |expr: &Expr| expr.is_volatile() || expr.contains_scalar_subquery();
    Ok(!plan.exists(|plan| Ok(plan.expressions().iter().any(differs)))?)
}

/// The scan below filters and projections, when `key` is the time column of its table and the scan is wide.
fn scan_of<'a>(plan: &'a LogicalPlan, key: &Column) -> Option<&'a TableScan> {
    match plan {
        LogicalPlan::Filter(filter) => scan_of(&filter.input, key),
        LogicalPlan::SubqueryAlias(alias) => scan_of(&alias.input, key),
        LogicalPlan::Projection(projection) => {
            let position = projection.schema.index_of_column(key).ok()?;
            match projection.expr[position].clone().unalias() {
                Expr::Column(below) => scan_of(&projection.input, &below),
                _ => None,
            }
        }
        LogicalPlan::TableScan(scan) => {
            let is_wide = scan.projected_schema.fields().len() >= MIN_COLUMNS;
            (is_wide && time_column(scan)? == key.name).then_some(scan)
        }
        _ => None,
    }
}

fn time_column(scan: &TableScan) -> Option<&'static str> {
    let provider = source_as_provider(&scan.source).ok()?;
    Some(provider.downcast_ref::<LakeTable>()?.table.time_column())
}
