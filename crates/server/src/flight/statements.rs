//! Prepared statements: what a handle stands for.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use uuid::Uuid;

/// A statement that a client has prepared.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    pub sql: String,
    /// Columns of the answer.
    pub schema: SchemaRef,
    /// Values of `$1`, `$2`, …, once they are bound: one row.
    pub parameters: Option<RecordBatch>,
}

impl Statement {
    /// Memory that it holds, roughly.
    fn bytes(&self) -> usize {
        let parameters = self.parameters.as_ref().map_or(0, RecordBatch::get_array_memory_size);
        self.sql.len() + 64 * self.schema.fields().len() + parameters
    }
}

/// How many handles there may be and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub handles: usize,
    pub bytes: usize,
    /// A handle that nobody uses for this long is gone.
    pub idle: Duration,
}

/// The prepared statements of all clients. Handles are random: nobody guesses another client's. When there
/// are too many, the one that was not used for the longest time goes.
#[derive(Debug)]
pub(super) struct Statements {
    bounds: Bounds,
    by_handle: Mutex<HashMap<Bytes, (Statement, Instant)>>,
}

impl Statements {
    pub fn new(bounds: Bounds) -> Self {
        Self { bounds, by_handle: Mutex::default() }
    }

    /// Keeps a statement and gives its handle.
    pub fn insert(&self, statement: Statement, now: Instant) -> Bytes {
        let handle = Bytes::copy_from_slice(Uuid::new_v4().as_bytes());
        self.update(now, |statements| {
            statements.insert(handle.clone(), (statement, now));
        });
        handle
    }

    /// The statement of a handle; `None` when it was closed or is too old.
    pub fn get(&self, handle: &Bytes, now: Instant) -> Option<Statement> {
        self.update(now, |statements| {
            let (statement, used) = statements.get_mut(handle)?;
            *used = now;
            Some(statement.clone())
        })
    }

    /// Binds parameters; `false` when there is no such handle.
    pub fn bind(&self, handle: &Bytes, parameters: RecordBatch, now: Instant) -> bool {
        self.update(now, |statements| match statements.get_mut(handle) {
            Some((statement, used)) => {
                statement.parameters = Some(parameters);
                *used = now;
                true
            }
            None => false,
        })
    }

    /// Forgets a handle.
    pub fn close(&self, handle: &Bytes, now: Instant) {
        self.update(now, |statements| statements.remove(handle));
    }

    /// Changes the statements within their bounds.
    fn update<T>(&self, now: Instant, change: impl FnOnce(&mut HashMap<Bytes, (Statement, Instant)>) -> T) -> T {
        let mut statements = self.by_handle.lock().unwrap_or_else(PoisonError::into_inner);
        statements.retain(|_, (_, used)| now.saturating_duration_since(*used) < self.bounds.idle);
        let changed = change(&mut statements);
        let mut bytes: usize = statements.values().map(|(statement, _)| statement.bytes()).sum();
        while statements.len() > self.bounds.handles || (bytes > self.bounds.bytes && statements.len() > 1) {
            let oldest = statements.iter().min_by_key(|(_, (_, used))| *used).map(|(handle, _)| handle.clone());
            let Some((statement, _)) = oldest.and_then(|handle| statements.remove(&handle)) else { break };
            bytes -= statement.bytes();
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Schema;

    use super::*;

    fn statement(sql: &str) -> Statement {
        Statement { sql: sql.to_owned(), schema: Arc::new(Schema::empty()), parameters: None }
    }

    #[test]
    fn idle_handles_go_and_used_ones_stay() {
        let idle = Duration::from_mins(1);
        let statements = Statements::new(Bounds { handles: 10, bytes: 1000, idle });
        let begin = Instant::now();
        let (used, unused) = (statements.insert(statement("a"), begin), statements.insert(statement("b"), begin));
        assert!(statements.get(&used, begin + idle / 2).is_some());
        assert_eq!(statements.get(&used, begin + idle).map(|statement| statement.sql), Some("a".to_owned()));
        assert!(statements.get(&unused, begin + idle).is_none());
        statements.close(&used, begin + idle);
        assert!(statements.get(&used, begin + idle).is_none());
        assert!(!statements.bind(&used, RecordBatch::new_empty(Arc::new(Schema::empty())), begin + idle));
    }

    #[test]
    fn the_least_recently_used_goes_when_there_are_too_many() {
        let bounds = Bounds { handles: 2, bytes: 1000, idle: Duration::from_mins(1) };
        let statements = Statements::new(bounds);
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let first = statements.insert(statement("a"), at(0));
        let second = statements.insert(statement("b"), at(1));
        let third = statements.insert(statement(&"c".repeat(900)), at(2));
        assert!(statements.get(&first, at(3)).is_none() && statements.get(&second, at(3)).is_some());
        let fourth = statements.insert(statement(&"d".repeat(2000)), at(4));
        assert!(statements.get(&third, at(5)).is_none() && statements.get(&second, at(5)).is_none());
        assert!(statements.get(&fourth, at(5)).is_some(), "one statement is kept, however large");
    }
}
