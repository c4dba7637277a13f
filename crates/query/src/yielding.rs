//! Joins that let others have the thread.
//!
//! A query stops, or is stopped, only where it waits. DataFusion sees to that where rows are read; but a join of few
//! rows makes many of them, and computes for hours without reading any more. On a small machine such a query would
//! stop all others, and could be neither cancelled nor timed out.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::execution::{RecordBatchStream, SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::execution_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{Stream, StreamExt};

/// How long a join computes before others have their turn.
const SLICE: Duration = Duration::from_millis(10);

/// Makes what joins take in and give yield now and then. It is the last rule: those before know joins by their inputs.
#[derive(Debug)]
pub(crate) struct YieldAroundJoins;

impl PhysicalOptimizerRule for YieldAroundJoins {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            if !plan.name().ends_with("JoinExec") {
                return Ok(Transformed::no(plan));
            }
            let inputs = plan.children().into_iter().map(|input| yielding(Arc::clone(input))).collect();
            let join = plan.replace_children(inputs, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep))?;
            Ok(Transformed::yes(yielding(join)))
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "yield_around_joins"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn yielding(input: Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    if input.is::<YieldExec>() { input } else { Arc::new(YieldExec { input }) }
}

/// The rows of its input, with pauses.
#[derive(Debug)]
struct YieldExec {
    input: Arc<dyn ExecutionPlan>,
}

impl DisplayAs for YieldExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YieldExec")
    }
}

impl ExecutionPlan for YieldExec {
    fn name(&self) -> &'static str {
        "YieldExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (Some(input), true) = (children.pop(), children.is_empty()) else {
            return internal_err!("YieldExec has one child");
        };
        Ok(Arc::new(Self { input }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        Ok(Box::pin(Yielding { input: self.input.execute(partition, context)?, busy_since: None }))
    }
}

struct Yielding {
    input: SendableRecordBatchStream,
    /// When it was first polled since it last waited.
    busy_since: Option<Instant>,
}

impl Stream for Yielding {
    type Item = Result<RecordBatch>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.busy_since.get_or_insert_with(Instant::now).elapsed() >= SLICE {
            self.busy_since = None;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let polled = self.input.poll_next_unpin(context);
        if polled.is_pending() {
            self.busy_since = None;
        }
        polled
    }
}

impl RecordBatchStream for Yielding {
    fn schema(&self) -> SchemaRef {
        self.input.schema()
    }
}
