//! SQL over the lake: the only user of DataFusion.

mod config;
mod engine;

pub use config::EngineConfig;
pub use engine::Engine;
