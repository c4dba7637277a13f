//! Brings projections to the scans before anything else is decided about the plan.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::config::ConfigOptions;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;

/// Puts a projection that stands on a scan, or on a union of scans, into the scans. DataFusion's own rule
/// does so for unions only where fewer columns come out than go in; but `attributes['k']` in place of
/// `attributes` is worth it always, since the scan then reads the key's column alone.
#[derive(Debug)]
pub(crate) struct ProjectIntoScans;

impl PhysicalOptimizerRule for ProjectIntoScans {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _config: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let Some(projection) = plan.downcast_ref::<ProjectionExec>() else { return Ok(Transformed::no(plan)) };
            let scans = match projection.input().downcast_ref::<UnionExec>() {
                Some(union) => union.inputs().clone(),
                None => vec![Arc::clone(projection.input())],
            };
            if !scans.iter().all(|scan| scan.is::<DataSourceExec>()) {
                return Ok(Transformed::no(plan));
            }
            let pushed: Option<Vec<_>> =
                scans.iter().map(|scan| scan.try_swapping_with_projection(projection)).collect::<Result<_>>()?;
            Ok(match pushed {
                Some(mut scans) if scans.len() == 1 => Transformed::yes(scans.remove(0)),
                Some(scans) => Transformed::yes(UnionExec::try_new(scans)?),
                None => Transformed::no(plan),
            })
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "project_into_scans"
    }

    fn schema_check(&self) -> bool {
        true
    }
}
