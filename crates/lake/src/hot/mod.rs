//! Accepted rows that are not in files yet.

mod coalesce;
mod processes;

use std::sync::Arc;

use glasshouse_model::Timestamp;
use glasshouse_tables::{Batches, Table};

use crate::admission::Reservation;
use crate::wal::Segment;
use coalesce::Coalesced;
use processes::Processes;

/// The rows of one stretch of the log, which go to files together. Only the thread that writes the log changes
/// it; readers get what [`Generation::parts`] gives.
#[derive(Debug, Default)]
pub(crate) struct Generation {
    rows: Coalesced<Batches>,
    processes: Processes,
    memory: Option<Reservation>,
    last_sequence: u64,
    segments: Vec<Segment>,
}

/// A generation that gets no more rows.
#[derive(Debug)]
pub(crate) struct Frozen {
    /// Its rows, as readers see them.
    pub parts: Vec<Arc<Batches>>,
    /// Sequence of its last record.
    pub last_sequence: u64,
    /// The segments that hold its records and no later ones.
    pub segments: Vec<Segment>,
    /// Bytes of the rows.
    pub bytes: usize,
    _memory: Option<Reservation>,
}

impl Generation {
    /// Keeps memory reserved as long as the rows are held.
    pub(crate) fn hold(&mut self, memory: Reservation) {
        match &mut self.memory {
            Some(held) => held.absorb(memory),
            None => self.memory = Some(memory),
        }
    }

    /// Notes the last sequence whose rows are in the generation.
    pub(crate) fn reach(&mut self, sequence: u64) {
        self.last_sequence = self.last_sequence.max(sequence);
    }

    /// Adds the rows of a group of requests, and returns all of them in few batches.
    pub(crate) fn push(&mut self, group: Vec<Arc<Batches>>, now: Timestamp) -> Vec<Arc<Batches>> {
        let mut joined = Coalesced::default();
        for batches in group {
            joined.push(batches);
        }
        joined.tidy();
        let joined = joined.into_parts();
        for batches in &joined {
            match batches.get(Table::Processes) {
                None => self.rows.push(Arc::clone(batches)),
                Some(processes) => {
                    self.processes.push(processes, now);
                    self.rows.push(Arc::new(without_processes(batches)));
                }
            }
        }
        self.rows.tidy();
        self.processes.tidy(now);
        self.settle_memory();
        joined
    }

    /// Notes a segment that holds only records of this generation and earlier ones.
    pub(crate) fn add_segment(&mut self, segment: Segment) {
        self.reach(segment.last_sequence);
        self.segments.push(segment);
    }

    /// Bytes that the rows take.
    pub(crate) fn bytes(&self) -> usize {
        self.rows.bytes() + self.processes.bytes()
    }

    /// Whether there is neither a row nor a segment.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.processes.is_empty() && self.segments.is_empty()
    }

    /// The rows as readers see them.
    pub(crate) fn parts(&self) -> Vec<Arc<Batches>> {
        self.rows.parts().iter().filter(|part| !part.is_empty()).cloned().chain(self.processes.part()).collect()
    }

    /// Ends the generation.
    pub(crate) fn freeze(mut self) -> Frozen {
        self.processes.refresh();
        self.settle_memory();
        Frozen {
            parts: self.parts(),
            last_sequence: self.last_sequence,
            bytes: self.bytes(),
            segments: self.segments,
            _memory: self.memory,
        }
    }

    /// Bodies are gone and small batches joined: gives back what is no longer held.
    fn settle_memory(&mut self) {
        let bytes = self.bytes();
        if let Some(memory) = &mut self.memory {
            memory.resize(bytes);
        }
    }
}

fn without_processes(batches: &Batches) -> Batches {
    let mut rest = Batches::default();
    for (table, batch) in batches.iter().filter(|(table, _)| *table != Table::Processes) {
        rest.set(table, batch.clone());
    }
    rest
}
