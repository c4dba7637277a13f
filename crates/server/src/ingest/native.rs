//! Answers to native spans.

use glasshouse_api::{IngestAnswer, Rejection};
use glasshouse_tables::ports;

use super::Accepted;

/// What the sender of native spans is told.
pub(super) fn answer(accepted: Accepted) -> IngestAnswer {
    IngestAnswer { accepted: accepted.kept, rejected: rejections(accepted.rejections) }
}

pub(super) fn rejections(rejections: Vec<ports::Rejection>) -> Vec<Rejection> {
    rejections.into_iter().map(|ports::Rejection { index, reason }| Rejection { index, reason }).collect()
}
