//! Attributes into columns: which keys get one, and how rows are split.

mod choose;
mod keys;
mod sparse;
mod split;

pub(crate) use choose::KeyCounts;
pub use choose::choose_shredded;
pub(crate) use split::Splitter;
