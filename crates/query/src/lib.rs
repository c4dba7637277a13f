//! SQL over the lake: the only user of DataFusion.
//!
//! [`Engine`] implements the port `QueryEngine`. The way of a query:
//!
//! * `statement` lets only statements that read pass; `session` gives DataFusion the tables of one
//!   snapshot, `convenience` makes `attributes['k']` and friends work.
//! * `scan` plans a table as a union of hot rows (`hot`) and a plain Parquet scan; `adapt` rewrites the
//!   scan's expressions to the columns of each file when it is opened.
//! * `views`, `table_functions` and `functions` are what the lake has beside its tables.
//! * `newest` finds where the newest rows begin before they are read whole.
//! * `run` computes on threads of its own, `memory` bounds it, `plain` is how it leaves.

mod adapt;
mod config;
mod convenience;
mod docs;
mod engine;
mod error;
mod functions;
mod hot;
mod memory;
mod newest;
mod perfetto_trace;
mod plain;
mod pushdown;
mod run;
mod scan;
mod session;
mod statement;
mod statistics;
mod table_functions;
mod trace_spans;
mod tree;
mod views;
mod yielding;

pub use config::EngineConfig;
pub use docs::reference_page;
pub use engine::Engine;
