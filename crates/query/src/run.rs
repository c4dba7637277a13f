//! Runs queries on threads of their own, and stops them when nobody listens any more.

use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arrow::datatypes::SchemaRef;
use datafusion::execution::SendableRecordBatchStream;
use futures::StreamExt;
use glasshouse_tables::ports::{QueryError, SqlStream};
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::error::query_error;
use crate::plain::plain_batch;
use crate::statistics::Measured;

/// Batches that are computed before the reader takes the first of them.
const AHEAD: usize = 2;

/// The threads that compute. Clients' I/O never waits for them.
#[derive(Debug)]
pub(crate) struct Threads {
    runtime: Option<Runtime>,
}

/// Aborts a task when it is dropped.
struct AbortOnDrop<T>(JoinHandle<T>);

impl<T> Drop for AbortOnDrop<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Threads {
    pub(crate) fn start(threads: usize) -> Result<Self, QueryError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            // For reading files, which tokio does on threads that may block.
            .max_blocking_threads(threads.max(1) * 4)
            .thread_name("query")
            .enable_all()
            .build()
            .map_err(|error| QueryError::Failed(format!("cannot start threads for queries: {error}")))?;
        Ok(Self { runtime: Some(runtime) })
    }

    fn handle(&self) -> &Handle {
        self.runtime.as_ref().expect("only drop takes the runtime").handle()
    }

    /// Computes something. Dropping the future stops it.
    pub(crate) async fn compute<T: Send + 'static>(
        &self,
        deadline: Option<Deadline>,
        work: impl Future<Output = Result<T, QueryError>> + Send + 'static,
    ) -> Result<T, QueryError> {
        let work = async move {
            match deadline {
                Some(deadline) => timeout_at(deadline.at, work).await.unwrap_or_else(|_| Err(deadline.error())),
                None => work.await,
            }
        };
        let mut task = AbortOnDrop(self.handle().spawn(work));
        (&mut task.0).await.unwrap_or_else(|error| Err(QueryError::Failed(format!("the query broke off: {error}"))))
    }

    /// Answers from a stream of DataFusion, at most `limit` rows, in the plain types of `schema`.
    pub(crate) fn answer(
        &self,
        mut batches: SendableRecordBatchStream,
        schema: SchemaRef,
        limit: Option<usize>,
        deadline: Option<Deadline>,
        measured: Measured,
    ) -> SqlStream {
        let (sender, receiver) = mpsc::channel(AHEAD);
        let plain = Arc::clone(&schema);
        let statistics = Arc::new(OnceLock::new());
        let told = Arc::clone(&statistics);
        let work = async move {
            // The plans, which may hold what joins remember, go with the work.
            let measured = measured;
            let mut left = limit.unwrap_or(usize::MAX);
            while left > 0 {
                let next = match deadline {
                    Some(deadline) => timeout_at(deadline.at, batches.next()).await.map_err(|_| deadline.error()),
                    None => Ok(batches.next().await),
                };
                let answer = match next {
                    Ok(None) => break,
                    Err(error) => Err(error),
                    Ok(Some(Err(error))) => Err(query_error(&error)),
                    Ok(Some(Ok(batch))) => {
                        let batch = batch.slice(0, left.min(batch.num_rows()));
                        left -= batch.num_rows();
                        plain_batch(&batch, &plain).map_err(|error| query_error(&error.into()))
                    }
                };
                let failed = answer.is_err();
                // A reader who has stopped reading holds rows in memory: not longer than a query may take.
                let sent = match deadline {
                    Some(deadline) => timeout_at(deadline.at, sender.send(answer)).await,
                    None => Ok(sender.send(answer).await),
                };
                match (sent, deadline) {
                    (Ok(Ok(())), _) if !failed => {}
                    (Err(_), Some(deadline)) => return Err(deadline.error()),
                    _ => return Ok(()),
                }
            }
            let _ = told.set(measured.statistics());
            Ok(())
        };
        let task = AbortOnDrop(self.handle().spawn(work));
        let state = (receiver, Some(task));
        let batches = futures::stream::unfold(state, |(mut receiver, task)| async move {
            if let Some(answer) = receiver.recv().await {
                return Some((answer, (receiver, task)));
            }
            // The sender is gone: either all is said, or the task panicked and the answer is not whole.
            let mut task = task?;
            match (&mut task.0).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some((Err(error), (receiver, None))),
                Err(error) => {
                    let error = QueryError::Failed(format!("the query broke off: {error}"));
                    Some((Err(error), (receiver, None)))
                }
            }
        });
        SqlStream { schema, batches: batches.boxed(), statistics }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// When a query must be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    at: Instant,
    timeout: Duration,
}

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        Self { at: Instant::now() + timeout, timeout }
    }

    fn error(self) -> QueryError {
        QueryError::Limit(format!("the query took longer than {} s", self.timeout.as_secs_f64()))
    }
}
