//! The thread that makes requests durable: it takes whatever has arrived, appends it to the log, syncs once for
//! all of it, shows the rows to readers, and only then tells the senders.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use glasshouse_model::{Clock, Timestamp};
use glasshouse_tables::Batches;
use glasshouse_tables::ports::{SubmitError, WireFormat};
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::admission::Reservation;
use crate::health::{Counters, Health, Part};
use crate::hot::Generation;
use crate::lock::FolderLock;
use crate::view::View;
use crate::wal::{Append, AppendError, Appender, ContentHash, RecentRequests, RecordHeader};

/// Requests made durable by one sync at most.
const GROUP: usize = 256;
/// A segment that has reached this many bytes is followed by another, so that reading one back takes bounded memory.
const SEGMENT_BYTES: u64 = 64 << 20;

/// A request that was admitted.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub format: WireFormat,
    pub received: Timestamp,
    pub body: Bytes,
    pub body_checksum: u32,
    pub hash: ContentHash,
    pub batches: Arc<Batches>,
    pub memory: Reservation,
    pub done: oneshot::Sender<Result<(), SubmitError>>,
}

/// What the thread is asked for.
#[derive(Debug)]
pub(crate) enum Order {
    Keep(Admitted),
    /// Ends the active generation; answers the last sequence that was accepted.
    Freeze(oneshot::Sender<u64>),
    /// Ends the thread; what comes after is refused.
    Stop,
}

/// The thread's state.
#[derive(Debug)]
pub(crate) struct Committer {
    pub orders: mpsc::Receiver<Order>,
    pub appender: Appender,
    pub recent: Arc<Mutex<RecentRequests>>,
    pub generation: Generation,
    pub next_sequence: u64,
    pub generation_bytes: usize,
    pub view: Arc<View>,
    pub subscribers: broadcast::Sender<Arc<Batches>>,
    pub health: Arc<Health>,
    pub counters: Arc<Counters>,
    pub clock: Arc<dyn Clock>,
    /// Nobody else may have the folder while this thread may write to it.
    pub _lock: Arc<FolderLock>,
}

impl Committer {
    /// Works until told to stop or all senders of orders are gone.
    pub(crate) fn run(mut self) {
        let mut orders = Vec::with_capacity(GROUP);
        while self.orders.blocking_recv_many(&mut orders, GROUP) > 0 {
            let mut group = Vec::with_capacity(orders.len());
            for order in orders.drain(..) {
                match order {
                    Order::Keep(admitted) => group.push(admitted),
                    Order::Freeze(done) => {
                        self.keep(std::mem::take(&mut group));
                        self.freeze();
                        // Who asked may have gone away.
                        let _ = done.send(self.next_sequence - 1);
                    }
                    Order::Stop => {
                        self.keep(group);
                        return;
                    }
                }
            }
            self.keep(group);
        }
    }

    fn keep(&mut self, group: Vec<Admitted>) {
        if group.is_empty() {
            return;
        }
        let now = self.clock.now();
        let (fresh, again) = self.tell_apart(group, now);
        match self.append(&fresh) {
            Ok(()) => {
                self.show(fresh, now);
                self.counters.redelivered.add(again.len() as u64);
                for admitted in again {
                    answer(admitted.done, Ok(()));
                }
            }
            Err(AppendError { error, given_up }) => {
                self.counters.wal_failures.add(1);
                let problem = error.to_string();
                if let Some(segment) = given_up {
                    self.generation.add_segment(segment);
                }
                for admitted in fresh.into_iter().chain(again) {
                    answer(admitted.done, Err(SubmitError::Unavailable(problem.clone())));
                }
                self.health.failed(Part::Wal, problem);
            }
        }
        if self.generation.bytes() >= self.generation_bytes {
            self.freeze();
        }
    }

    /// Divides a group into requests that are new and requests that were accepted before.
    fn tell_apart(&self, group: Vec<Admitted>, now: Timestamp) -> (Vec<Admitted>, Vec<Admitted>) {
        let mut recent = self.recent.lock().expect("nothing that may panic runs under this lock");
        recent.expire(now);
        let mut in_group = HashSet::with_capacity(group.len());
        group.into_iter().partition(|admitted| !recent.contains(admitted.hash) && in_group.insert(admitted.hash))
    }

    fn append(&mut self, fresh: &[Admitted]) -> Result<(), AppendError> {
        if fresh.is_empty() {
            return Ok(());
        }
        let records: Vec<_> = (self.next_sequence..)
            .zip(fresh)
            .map(|(sequence, admitted)| Append {
                header: RecordHeader {
                    format: admitted.format,
                    sequence,
                    received: admitted.received,
                    hash: admitted.hash,
                },
                body: admitted.body.clone(),
                body_checksum: admitted.body_checksum,
            })
            .collect();
        self.appender.append(&records)?;
        self.next_sequence += records.len() as u64;
        self.counters.wal_syncs.add(1);
        self.counters.wal_bytes.add(records.iter().map(|record| record.body.len() as u64).sum());
        self.health.works(Part::Wal);
        Ok(())
    }

    fn show(&mut self, fresh: Vec<Admitted>, now: Timestamp) {
        if fresh.is_empty() {
            return;
        }
        {
            let mut recent = self.recent.lock().expect("nothing that may panic runs under this lock");
            for admitted in &fresh {
                recent.insert(admitted.hash, now);
            }
        }
        self.counters.requests.add(fresh.len() as u64);
        let mut dones = Vec::with_capacity(fresh.len());
        let mut group = Vec::with_capacity(fresh.len());
        for admitted in fresh {
            self.generation.hold(admitted.memory);
            group.push(admitted.batches);
            dones.push(admitted.done);
        }
        self.generation.reach(self.next_sequence - 1);
        for batches in self.generation.push(group, now) {
            self.counters.rows.add(batches.rows() as u64);
            // Nobody may be listening.
            let _ = self.subscribers.send(batches);
        }
        if self.appender.length() >= SEGMENT_BYTES
            && let Some(segment) = self.appender.seal()
        {
            self.generation.add_segment(segment);
        }
        self.view.show_active(&self.generation, now);
        for done in dones {
            answer(done, Ok(()));
        }
    }

    fn freeze(&mut self) {
        if let Some(segment) = self.appender.seal() {
            self.generation.add_segment(segment);
        }
        if !self.generation.is_empty() {
            self.view.freeze(std::mem::take(&mut self.generation).freeze());
        }
    }
}

fn answer(done: oneshot::Sender<Result<(), SubmitError>>, result: Result<(), SubmitError>) {
    // The sender may have gone away; the rows are kept all the same.
    let _ = done.send(result);
}
