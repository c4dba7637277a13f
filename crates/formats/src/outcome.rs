use glasshouse_tables::Batches;
use glasshouse_tables::ports::{Decoded, Rejection};

/// What became of the items of a request, in their order.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    accepted: usize,
    rejected: usize,
    rejections: Vec<Rejection>,
}

impl Outcome {
    /// Counts the next item as kept.
    #[inline]
    pub fn accept(&mut self) {
        self.accepted += 1;
    }

    /// Counts the next item as refused.
    pub fn reject(&mut self, reason: impl Into<String>) {
        if self.rejections.len() < Decoded::MAX_REASONS {
            self.rejections.push(Rejection { index: self.accepted + self.rejected, reason: reason.into() });
        }
        self.rejected += 1;
    }

    pub fn decoded(self, batches: Batches) -> Decoded {
        Decoded { batches, accepted: self.accepted, rejections: self.rejections, rejected: self.rejected }
    }
}
