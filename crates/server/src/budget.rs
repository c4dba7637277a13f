//! How many bytes of request bodies may be held at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of one permit.
const UNIT: usize = 1024;

/// The budget, shared by all requests.
#[derive(Debug, Clone)]
pub(crate) struct ByteBudget {
    units: Arc<Semaphore>,
    total: usize,
}

/// The budget is used up.
#[derive(Debug)]
pub(crate) struct BudgetFull;

/// What one request holds of the budget, until dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    units: Arc<Semaphore>,
    held: Option<OwnedSemaphorePermit>,
}

impl ByteBudget {
    /// A budget of this many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        let total = bytes.div_ceil(UNIT).min(Semaphore::MAX_PERMITS);
        Self { units: Arc::new(Semaphore::new(total)), total }
    }

    /// Bytes held at present.
    pub(crate) fn in_use(&self) -> usize {
        (self.total - self.units.available_permits()) * UNIT
    }

    /// A charge that holds nothing yet.
    pub(crate) fn charge(&self) -> Charge {
        Charge { units: Arc::clone(&self.units), held: None }
    }
}

impl Charge {
    /// Hands on what is held.
    pub(crate) fn take(&mut self) -> Self {
        Self { units: Arc::clone(&self.units), held: self.held.take() }
    }

    /// Holds at least `bytes` in all. Never waits: whoever waited here would sit on what it holds already.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), BudgetFull> {
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Some(more) = bytes.div_ceil(UNIT).checked_sub(held).filter(|more| *more > 0) else { return Ok(()) };
        let more = u32::try_from(more).map_err(|_| BudgetFull)?;
        let permit = Arc::clone(&self.units).try_acquire_many_owned(more).map_err(|_| BudgetFull)?;
        match &mut self.held {
            Some(held) => held.merge(permit),
            held => *held = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_add_up_and_are_given_back() {
        let budget = ByteBudget::new(10 * UNIT);
        let mut first = budget.charge();
        first.grow_to(6 * UNIT).unwrap();
        first.grow_to(UNIT).unwrap();
        assert_eq!(budget.in_use(), 6 * UNIT);

        let mut second = budget.charge();
        second.grow_to(4 * UNIT).unwrap();
        assert!(second.grow_to(4 * UNIT + 1).is_err());
        drop(first);
        second.grow_to(10 * UNIT).unwrap();
        drop(second);
        assert_eq!(budget.in_use(), 0);
    }
}
