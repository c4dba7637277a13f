//! Takes records from the rings of all threads.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rtrb::Consumer;

use super::queue::{Batch, Queue};
use crate::core::Core;

/// How often the system's clock is looked at.
const ADJUST: Duration = Duration::from_secs(1);
/// A record as it lies in a ring: a tag, and a length of four bytes before it.
const TAG: usize = 1;
const LENGTH: usize = 4;

#[derive(Debug)]
pub(super) struct Collector {
    core: Arc<Core>,
    queue: Arc<Queue>,
    rings: Vec<Consumer<u8>>,
    batch: Batch,
    /// When the batch's first record came.
    since: Instant,
    /// The last flush that all was collected for.
    collected: u64,
}

impl Collector {
    pub fn new(core: Arc<Core>, queue: Arc<Queue>) -> Self {
        Self { core, queue, rings: Vec::new(), batch: Batch::default(), since: Instant::now(), collected: 0 }
    }

    /// Collects until the tracer stops.
    pub fn run(mut self) {
        let mut adjusted = Instant::now();
        loop {
            self.core.looks();
            // What was recorded before either of these is in the rings.
            let (asked, is_last) = (self.queue.asked(), self.core.is_stopped());
            self.collect();
            let is_due = self.since.elapsed() >= self.core.limits.batch_time;
            if is_due || is_last || asked > self.collected {
                self.hand_on();
            }
            if asked > self.collected {
                self.collected = asked;
                self.queue.set_collected(asked);
            }
            if is_last {
                return self.queue.end();
            }
            if adjusted.elapsed() >= ADJUST {
                self.core.clock.adjust();
                adjusted = Instant::now();
            }
            thread::park_timeout(self.core.limits.batch_time / 2);
        }
    }

    fn collect(&mut self) {
        self.rings.extend(self.core.take_rings());
        for number in (0..self.rings.len()).rev() {
            // What was written before the thread ended is there when it has ended.
            let is_abandoned = self.rings[number].is_abandoned();
            self.take_all(number);
            if is_abandoned {
                self.rings.swap_remove(number);
                self.core.ring_is_gone();
            }
        }
    }

    fn take_all(&mut self, number: usize) {
        let ring = &mut self.rings[number];
        let Ok(chunk) = ring.read_chunk(ring.slots()) else { return };
        if chunk.is_empty() {
            return;
        }
        if self.batch.spans.is_empty() {
            self.since = Instant::now();
        }
        let from = self.batch.spans.len();
        let (first, second) = chunk.as_slices();
        self.batch.spans.extend_from_slice(first);
        self.batch.spans.extend_from_slice(second);
        chunk.commit_all();
        self.batch.count += records(&self.batch.spans[from..]);
        if self.batch.spans.len() >= self.core.limits.batch_bytes {
            self.hand_on();
        }
    }

    fn hand_on(&mut self) {
        if !self.batch.spans.is_empty() {
            self.queue.push(std::mem::take(&mut self.batch));
        }
    }
}

/// How many records there are.
fn records(mut bytes: &[u8]) -> u64 {
    let mut count = 0;
    while let Some(length) = bytes.get(TAG..).and_then(<[u8]>::first_chunk::<LENGTH>) {
        let [a, b, c, d] = length.map(|byte| usize::from(byte & 0x7f));
        bytes = &bytes[TAG + LENGTH + (a | b << 7 | c << 14 | d << 21)..];
        count += 1;
    }
    debug_assert!(bytes.is_empty(), "records are whole");
    count
}
