//! What all handlers share.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use glasshouse_model::{Clock, Timestamp};
use glasshouse_tables::ports::{Decoder, Documents, Exporter, Ingest, QueryEngine, Status, TraceStore};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::body::BodyLimits;
use crate::budget::ByteBudget;
use crate::refusal::BUSY;
use crate::request_metrics::RequestMetrics;
use crate::web::WebApp;
use crate::{Origins, Refusal, ServerConfig};

/// The rest of Glasshouse, as the server sees it.
#[expect(missing_docs, reason = "the ports say it")]
pub struct Parts {
    pub decoder: Arc<dyn Decoder>,
    pub ingest: Arc<dyn Ingest>,
    pub traces: Arc<dyn TraceStore>,
    pub query: Arc<dyn QueryEngine>,
    pub exporter: Arc<dyn Exporter>,
    pub documents: Arc<dyn Documents>,
    pub status: Arc<dyn Status>,
    pub clock: Arc<dyn Clock>,
    /// What the Flight SQL listener serves; without it the listener is left out.
    pub flight_sql: Option<Router>,
}

/// What all handlers share; cheap to clone.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) decoder: Arc<dyn Decoder>,
    pub(crate) ingest: Arc<dyn Ingest>,
    pub(crate) traces: Arc<dyn TraceStore>,
    pub(crate) query: Arc<dyn QueryEngine>,
    pub(crate) exporter: Arc<dyn Exporter>,
    pub(crate) documents: Arc<dyn Documents>,
    pub(crate) status: Arc<dyn Status>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) origins: Origins,
    pub(crate) body_limits: BodyLimits,
    /// Held while a body is decoded: no more are decoded at once than there are processors to do it.
    pub(crate) decoding: Arc<Semaphore>,
    pub(crate) requests: RequestMetrics,
    pub(crate) web: WebApp,
    /// Cancelled when the server begins to stop.
    pub(crate) stopping: CancellationToken,
    /// A WebSocket holds a permit as long as it is open.
    pub(crate) websockets: Arc<Semaphore>,
    pub(crate) max_websockets: usize,
    queries: Arc<Semaphore>,
    query_wait: Duration,
    exports: Arc<Semaphore>,
    is_ready: AtomicBool,
}

impl App {
    pub(crate) fn new(config: &ServerConfig, parts: &Parts, stopping: CancellationToken) -> Self {
        Self(Arc::new(Shared {
            decoder: Arc::clone(&parts.decoder),
            ingest: Arc::clone(&parts.ingest),
            traces: Arc::clone(&parts.traces),
            query: Arc::clone(&parts.query),
            exporter: Arc::clone(&parts.exporter),
            documents: Arc::clone(&parts.documents),
            status: Arc::clone(&parts.status),
            clock: Arc::clone(&parts.clock),
            origins: config.origins.clone(),
            body_limits: BodyLimits {
                max_body: config.max_body,
                budget: ByteBudget::new(config.max_in_flight.max(config.max_body)),
                timeout: config.body_timeout,
            },
            decoding: Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(1, NonZero::get))),
            requests: RequestMetrics::default(),
            web: WebApp::default(),
            stopping,
            websockets: Arc::new(Semaphore::new(config.max_websockets)),
            max_websockets: config.max_websockets,
            queries: Arc::new(Semaphore::new(config.max_queries)),
            query_wait: config.query_wait,
            exports: Arc::clone(&config.exports),
            is_ready: AtomicBool::new(false),
        }))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for a query's turn.
    pub(crate) async fn query_turn(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        match tokio::time::timeout(self.query_wait, Arc::clone(&self.queries).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => Err(Refusal::overloaded("too many queries are running", Duration::from_secs(1))),
        }
    }

    /// A turn for an export, which lasts as long as its reader likes.
    pub(crate) fn export_turn(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let turn = Arc::clone(&self.exports).try_acquire_owned();
        turn.map_err(|_| Refusal::overloaded("too many exports are running", BUSY))
    }

    pub(crate) fn set_ready(&self) {
        self.is_ready.store(true, Ordering::Release);
    }

    /// Whether all listeners serve and none has begun to stop.
    pub(crate) fn is_serving(&self) -> bool {
        self.is_ready.load(Ordering::Acquire) && !self.stopping.is_cancelled()
    }
}

impl std::ops::Deref for App {
    type Target = Shared;
    fn deref(&self) -> &Shared {
        &self.0
    }
}
