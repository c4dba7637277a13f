//! The durable store: rows are admitted, logged, held in memory where queries see them at once, written to
//! sorted Parquet files, catalogued, merged, and dropped when they are too old.

mod admission;
mod committer;
mod config;
mod curator;
mod doctor;
mod documents;
mod error;
mod flush;
mod health;
mod hot;
mod identity;
mod lake;
mod lock;
mod recovery;
mod status;
mod tend;
#[cfg(test)]
mod tests;
mod view;
mod wal;

pub use config::{LakeConfig, Retention, RetentionLimit};
pub use doctor::{Finding, Report, Severity, check};
pub use error::LakeError;
pub use lake::Lake;
