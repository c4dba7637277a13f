//! Parquet files of the lake: how rows are laid out in them, written, merged and read back.
//!
//! * [`Store`] is where files are; a file appears in it whole and durable, or not at all.
//! * [`FileColumns`] says which columns a file has: those of the table, and one for each frequent
//!   attribute key ([`choose_shredded`]).
//! * [`write_sorted`] turns hot batches into files, [`merge`] turns files into fewer, larger ones.
//! * [`FileCache`] opens files for reading; [`FileReader`] finds traces by the file's own index
//!   ([`TraceIndex`]), reads rows back in the stored schema, and decodes single columns for searches.
//!
//! Any Parquet reader can read the files: the trace index lies between the last row group and the footer,
//! where readers that do not know it never look.
//!
//! Everything blocks: call it from threads that may (`spawn_blocking`).

mod assemble;
mod cache;
mod codes;
mod columns;
mod encode;
mod error;
mod gather;
mod layout;
mod lru;
mod merge;
mod pages;
mod partition;
mod reader;
mod rest_keys;
mod rows;
mod shred;
mod sort;
mod statistics;
mod store;
mod trace_index;
mod upload;
mod write;

pub use cache::{CacheFigures, FileCache};
pub use columns::{FileColumns, file_field, shredded_field};
pub use error::FilesError;
pub use layout::WriteOptions;
pub use merge::{Merged, choose_merged, merge};
pub use reader::FileReader;
pub use rest_keys::REST_KEYS;
pub use rows::RowRanges;
pub use shred::choose_shredded;
pub use store::{NewObject, Store};
pub use trace_index::TraceIndex;
pub use write::write_sorted;
