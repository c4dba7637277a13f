//! From the threads' rings to the server: one thread collects, another sends, so that a slow server holds nobody up.

mod collector;
mod queue;
mod target;

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub(crate) use self::target::Target;

use self::collector::Collector;
use self::queue::Queue;
use crate::core::Core;
use crate::error::{ConnectError, FlushError};

/// The threads in the background.
#[derive(Debug)]
pub(crate) struct Exporter {
    core: Arc<Core>,
    queue: Arc<Queue>,
}

impl Exporter {
    pub fn start(core: Arc<Core>, target: Target) -> Result<Self, ConnectError> {
        let queue = Arc::new(Queue::new(Arc::clone(&core)));
        let start = |name: &str, run: Box<dyn FnOnce() + Send>| -> io::Result<()> {
            let thread = thread::Builder::new().name(name.to_owned()).spawn(run)?;
            if name == COLLECTOR {
                core.set_collector(thread.thread().clone());
            }
            Ok(())
        };
        let sender = Arc::clone(&queue);
        let started = start(SENDER, Box::new(move || sender.send_all(&target)));
        let collector = Collector::new(Arc::clone(&core), Arc::clone(&queue));
        let started = started.and_then(|()| start(COLLECTOR, Box::new(move || collector.run())));
        if let Err(error) = started {
            queue.end();
            return Err(ConnectError::Thread(error));
        }
        Ok(Self { core, queue })
    }

    /// Waits until what was recorded before is sent.
    pub fn flush(&self, deadline: Duration) -> Result<(), FlushError> {
        let number = self.queue.ask();
        self.core.wake();
        self.queue.wait_for(number, deadline)
    }

    /// Sends what was recorded, and ends the threads.
    pub fn shutdown(&self, deadline: Duration) -> Result<(), FlushError> {
        self.core.stop();
        self.queue.wait_for_end(deadline)
    }
}

const COLLECTOR: &str = "glasshouse-coll";
const SENDER: &str = "glasshouse-send";
