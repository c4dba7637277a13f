//! Where instruments keep their values: threads that add at the same time hardly meet.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::exponential::Exponential;
use crate::thread;

/// Threads are spread over so many parts of a cell.
const PARTS: usize = 8;

/// A part on cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Part<T>(T);

/// The part of this thread.
#[inline]
fn mine<T>(parts: &[Part<T>; PARTS]) -> &T {
    &parts[thread::number() as usize % PARTS].0
}

/// A sum.
#[derive(Debug, Default)]
pub(crate) struct Sum([Part<AtomicI64>; PARTS]);

impl Sum {
    #[inline]
    pub fn add(&self, value: i64) {
        mine(&self.0).fetch_add(value, Ordering::Relaxed);
    }

    /// Wraps around, as its parts do.
    pub fn get(&self) -> i64 {
        self.0.iter().fold(0, |sum, part| sum.wrapping_add(part.0.load(Ordering::Relaxed)))
    }
}

/// The last value.
#[derive(Debug)]
pub(crate) struct Last(AtomicU64);

impl Default for Last {
    fn default() -> Self {
        Self(AtomicU64::new(f64::NAN.to_bits()))
    }
}

impl Last {
    #[inline]
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// `None` before there is one.
    pub fn get(&self) -> Option<f64> {
        Some(f64::from_bits(self.0.load(Ordering::Relaxed))).filter(|value| !value.is_nan())
    }
}

/// A distribution.
#[derive(Debug, Default)]
pub(crate) struct Distribution([Part<Mutex<Exponential>>; PARTS]);

impl Distribution {
    #[inline]
    pub fn record(&self, value: f64) {
        lock(mine(&self.0)).record(value);
    }

    pub fn get(&self) -> Exponential {
        let mut all = Exponential::default();
        for part in &self.0 {
            all.add(&lock(&part.0));
        }
        all
    }
}

fn lock(part: &Mutex<Exponential>) -> MutexGuard<'_, Exponential> {
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_threads_lose_nothing() {
        const THREADS: i64 = 20;
        const TIMES: i64 = 1000;
        let (sum, values) = (Sum::default(), Distribution::default());
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for i in 0..TIMES {
                        sum.add(i - 1);
                        values.record(i as f64);
                    }
                });
            }
        });
        assert_eq!(sum.get(), THREADS * (TIMES * (TIMES - 1) / 2 - TIMES));
        assert_eq!(values.get().count, (THREADS * TIMES) as u64);
    }

    #[test]
    fn a_gauge_has_no_value_before_it_is_set() {
        let last = Last::default();
        assert_eq!(last.get(), None);
        last.set(0.0);
        assert_eq!(last.get(), Some(0.0));
    }
}
