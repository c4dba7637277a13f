use glasshouse_tables::Batches;
use glasshouse_tables::ports::{Decoded, Rejection};

use crate::json_error::shortened;

/// Most memory that the rows of a request may take, roughly. Rows repeat what the wire says once (names of
/// services, scopes and metrics), so few bytes can stand for many. It is the same for every decoder and
/// never lowered, because replaying the log must not refuse what was accepted.
const MAX_DECODED: usize = 256 << 20;

/// The request stands for more memory than [`MAX_DECODED`].
pub(crate) const TOO_LARGE: &str = "the request expands to more than 256 MiB of rows";

/// What became of the items of a request, in their order.
#[derive(Debug)]
pub(crate) struct Outcome {
    accepted: usize,
    rejected: usize,
    rejections: Vec<Rejection>,
    memory_left: usize,
}

impl Default for Outcome {
    fn default() -> Self {
        Self { accepted: 0, rejected: 0, rejections: Vec::new(), memory_left: MAX_DECODED }
    }
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
            let index = self.accepted + self.rejected;
            self.rejections.push(Rejection { index, reason: shortened(reason.into()) });
        }
        self.rejected += 1;
    }

    /// Takes memory for a row: before it is made, or the request is refused.
    #[inline]
    pub fn spend(&mut self, bytes: usize) -> Result<(), &'static str> {
        self.memory_left = self.memory_left.checked_sub(bytes).ok_or(TOO_LARGE)?;
        Ok(())
    }

    pub fn decoded(self, batches: Batches) -> Decoded {
        Decoded { batches, accepted: self.accepted, rejections: self.rejections, rejected: self.rejected }
    }
}
