//! From the threads' rings to the server: one thread collects, another sends, so that a slow server holds nobody up.

mod collector;
mod encode;
mod health;
mod queue;
mod spill;
mod target;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub(crate) use self::target::Target;

use self::collector::Collector;
use self::queue::Queue;
use self::spill::Spill;
use crate::core::Core;
use crate::error::{ConnectError, FlushError};
use crate::thread::set_background;

const FORKED: &str = "the process that connected has forked this one, where its tracer records nothing: connect anew";

/// The threads in the background.
#[derive(Debug)]
pub(crate) struct Exporter {
    core: Arc<Core>,
    queue: Arc<Queue>,
}

impl Exporter {
    pub fn start(
        core: Arc<Core>,
        target: Target,
        metrics_interval: Duration,
        spill: Option<(PathBuf, u64)>,
    ) -> Result<Self, ConnectError> {
        let spill = spill
            .map(|(folder, most)| Spill::open(&folder, most).map_err(|source| ConnectError::Spill { folder, source }));
        let queue = Arc::new(Queue::new(Arc::clone(&core), target, spill.transpose()?));
        let thread = |name: &str| thread::Builder::new().name(name.to_owned());
        let sender = Arc::clone(&queue);
        thread("glasshouse-send")
            .spawn(move || {
                set_background();
                sender.send_all();
            })
            .map_err(ConnectError::Thread)?;
        let collector = Collector::new(Arc::clone(&core), Arc::clone(&queue), metrics_interval);
        match thread("glasshouse-coll").spawn(move || {
            set_background();
            collector.run();
        }) {
            Ok(thread) => core.set_collector(thread.thread().clone()),
            Err(error) => {
                queue.end();
                return Err(ConnectError::Thread(error));
            }
        }
        Ok(Self { core, queue })
    }

    /// What the last attempt to send met with.
    pub fn last_problem(&self) -> Option<String> {
        if self.core.is_forked() {
            return Some(FORKED.to_owned());
        }
        self.queue.last_problem()
    }

    /// Waits until the server has answered for what was recorded before.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushError> {
        self.check_forked(deadline)?;
        let number = self.queue.ask();
        self.core.wake();
        self.queue.wait_for(number, deadline)
    }

    /// A child of the process that connected has no threads in the background.
    fn check_forked(&self, deadline: Duration) -> Result<(), FlushError> {
        if self.core.is_forked() {
            return Err(FlushError { deadline, waiting: 0, last: Some(FORKED.to_owned()) });
        }
        Ok(())
    }

    /// Sends what was recorded, and ends the threads.
    pub fn shutdown(&self, deadline: Duration) -> Result<(), FlushError> {
        self.check_forked(deadline)?;
        self.core.stop();
        self.queue.wait_for_end(deadline)
    }
}
