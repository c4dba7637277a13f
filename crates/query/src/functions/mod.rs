//! Functions that SQL has beside DataFusion's, and those that scans use inside.

mod attribute;
mod duration;
mod histogram;
mod percentile;
pub(crate) mod stored;

use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, Documentation, ScalarUDF};

pub(crate) use attribute::{Getter, GetterKind};

/// The scalar functions of Glasshouse.
pub(crate) fn scalar_functions() -> Vec<Arc<ScalarUDF>> {
    let getters = GetterKind::ALL.map(|kind| Arc::new(ScalarUDF::from(Getter::new(kind))));
    let others = [
        ScalarUDF::from(duration::DurationText::default()),
        ScalarUDF::from(histogram::QuantileFromHistogram::default()),
        ScalarUDF::from(histogram::QuantileFromExponential::default()),
    ];
    getters.into_iter().chain(others.into_iter().map(Arc::new)).collect()
}

/// The aggregate functions of Glasshouse.
pub(crate) fn aggregate_functions() -> Vec<Arc<AggregateUDF>> {
    vec![Arc::new(AggregateUDF::from(percentile::Percentile::default()))]
}

/// The documentation of Glasshouse's own functions, in the order people should read it.
pub(crate) fn documentation() -> Vec<Documentation> {
    let scalar = scalar_functions().into_iter().filter_map(|function| function.documentation().cloned());
    let aggregate = aggregate_functions().into_iter().filter_map(|function| function.documentation().cloned());
    scalar.chain(aggregate).collect()
}
