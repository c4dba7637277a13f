//! Answers that are being read, so that they can be cancelled by another call.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::Stream;
use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tonic::Status;
use uuid::Uuid;

use crate::Refusal;

/// The answers that are being read.
#[derive(Debug, Clone)]
pub(super) struct Running {
    by_id: Arc<Mutex<HashMap<Uuid, CancellationToken>>>,
    turns: Arc<Semaphore>,
    wait: Duration,
}

impl Running {
    /// At most `max` at once; another one waits for its turn this long.
    pub fn new(max: usize, wait: Duration) -> Self {
        Self { by_id: Arc::default(), turns: Arc::new(Semaphore::new(max)), wait }
    }

    /// Waits for a turn and makes the answer known by its id.
    pub async fn begin(&self, id: Uuid) -> Result<Turn, Status> {
        let permit = tokio::time::timeout(self.wait, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(Refusal::overloaded("too many queries are running", Duration::from_secs(1)).into());
        };
        let cancelled = CancellationToken::new();
        self.known().insert(id, cancelled.clone());
        Ok(Turn { id, running: self.clone(), cancelled, _permit: permit })
    }

    /// Cancels an answer; `false` when it is not being read.
    pub fn cancel(&self, id: Uuid) -> bool {
        match self.known().get(&id) {
            Some(token) => {
                token.cancel();
                true
            }
            None => false,
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, CancellationToken>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to compute an answer, given back when dropped.
#[derive(Debug)]
pub(super) struct Turn {
    id: Uuid,
    running: Running,
    cancelled: CancellationToken,
    _permit: OwnedSemaphorePermit,
}

impl Turn {
    /// Ends `work` with a status when the answer is cancelled.
    pub async fn or_cancelled<T>(&self, work: impl Future<Output = T>) -> Result<T, Status> {
        tokio::select! {
            done = work => Ok(done),
            () = self.cancelled.cancelled() => Err(cancelled()),
        }
    }

    /// The answer, which ends with a status when it is cancelled. The turn lasts as long as it is read.
    pub fn guard<S, T>(self, answer: S) -> impl Stream<Item = Result<T, Status>> + Send + 'static
    where
        S: Stream<Item = Result<T, Status>> + Send + Unpin + 'static,
        T: Send + 'static,
    {
        let cancelled: BoxFuture<'static, ()> = Box::pin(self.cancelled.clone().cancelled_owned());
        Guarded { answer: Some(answer), cancelled, _turn: self }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.running.known().remove(&self.id);
    }
}

fn cancelled() -> Status {
    Status::cancelled("the query was cancelled")
}

struct Guarded<S> {
    /// `None` once it has been cancelled: dropping it stops the work.
    answer: Option<S>,
    cancelled: BoxFuture<'static, ()>,
    _turn: Turn,
}

impl<S, T> Stream for Guarded<S>
where
    S: Stream<Item = Result<T, Status>> + Unpin,
{
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(answer) = &mut this.answer else { return Poll::Ready(None) };
        if this.cancelled.as_mut().poll(cx).is_ready() {
            this.answer = None;
            return Poll::Ready(Some(Err(cancelled())));
        }
        Pin::new(answer).poll_next(cx)
    }
}
