//! Behaviour of the files, through the crate's public interface.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::single_range_in_vec_init, reason = "a range is one element here")]

mod duckdb;
mod merging;
mod rows;
mod storing;
mod writing;
