//! Behaviour of the files, through the crate's public interface.

mod duckdb;
mod merging;
mod rows;
mod storing;
mod writing;
