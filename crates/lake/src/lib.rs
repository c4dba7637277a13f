//! The durable store: rows are admitted, logged, held in memory where queries see them at once, written to
//! sorted Parquet files, catalogued, merged, and dropped when they are too old.

mod config;
mod doctor;
mod error;
mod lake;
mod lock;

pub use config::{LakeConfig, Retention, RetentionLimit};
pub use doctor::{Finding, Report, Severity, check};
pub use error::LakeError;
pub use lake::Lake;
