//! The point questions, without planning SQL: a trace by its id, the newest traces that match, the logs of
//! a trace. They read one [`Snapshot`](glasshouse_tables::Snapshot): rows not yet in files, and files.
//!
//! * By id: each file's trace index says which rows are a trace's; only their pages are read.
//! * By filter: row groups are visited from the newest, the filter looks at small cached columns, and the
//!   search ends when nothing older can come before what was found.
//!
//! [`timeline`] reads the rows of a process or of a trace in order of time, a slice at a time.
//!
//! A span that was accepted more than once (sent again, or open and completed later) is shown once
//! everywhere: see [`spans::Version`].

mod attribute;
mod cells;
mod error;
mod filter;
mod kind;
mod logs;
mod lookup;
mod newest;
mod outline;
mod processes;
mod search;
mod services;
mod source;
mod spans;
mod spread;
mod store;
mod summary;
mod tally;
pub mod timeline;
mod trace;
mod words;

pub use kind::{KindRule, KindRuleError};
pub use store::Traces;
