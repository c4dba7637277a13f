//! Counts of requests and of received items, for `/metrics`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use glasshouse_tables::ports::WireFormat;

use crate::state::App;

/// Upper bounds of the latency buckets, in seconds; one more is open.
pub(crate) const BUCKETS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Counts since the start.
#[derive(Debug, Default)]
pub(crate) struct RequestMetrics {
    routes: Mutex<BTreeMap<String, RouteMetrics>>,
    items: [ItemCounts; WireFormat::ALL.len()],
}

/// Counts of one route. Routes are templates, so there are as many as the router knows.
#[derive(Debug, Clone, Default)]
pub(crate) struct RouteMetrics {
    /// Requests by HTTP status.
    pub(crate) statuses: BTreeMap<u16, u64>,
    /// Requests by time until the answer began, not cumulated.
    pub(crate) buckets: [u64; BUCKETS.len() + 1],
    /// Time until the answers began, summed up.
    pub(crate) total: Duration,
}

#[derive(Debug, Default)]
struct ItemCounts {
    accepted: AtomicU64,
    rejected: AtomicU64,
}

impl RequestMetrics {
    fn count(&self, route: &str, status: u16, elapsed: Duration) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if !routes.contains_key(route) {
            routes.insert(route.to_owned(), RouteMetrics::default());
        }
        let Some(metrics) = routes.get_mut(route) else { return };
        *metrics.statuses.entry(status).or_default() += 1;
        let bucket = BUCKETS.partition_point(|bound| elapsed.as_secs_f64() > *bound);
        metrics.buckets[bucket] += 1;
        metrics.total += elapsed;
    }

    /// Counts the items of a request.
    pub(crate) fn count_items(&self, format: WireFormat, accepted: usize, rejected: usize) {
        let Some(index) = WireFormat::ALL.iter().position(|known| *known == format) else { return };
        self.items[index].accepted.fetch_add(accepted as u64, Ordering::Relaxed);
        self.items[index].rejected.fetch_add(rejected as u64, Ordering::Relaxed);
    }

    /// A copy of the counts of all routes that were called.
    pub(crate) fn routes(&self) -> BTreeMap<String, RouteMetrics> {
        self.routes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Items accepted and rejected, by format.
    pub(crate) fn items(&self) -> impl Iterator<Item = (WireFormat, u64, u64)> {
        WireFormat::ALL.into_iter().zip(&self.items).map(|(format, counts)| {
            (format, counts.accepted.load(Ordering::Relaxed), counts.rejected.load(Ordering::Relaxed))
        })
    }
}

/// Middleware that counts a request.
pub(crate) async fn observe(
    State(app): State<App>,
    path: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let started = Instant::now();
    let route = path.map_or_else(|| "other".to_owned(), |path| format!("{} {}", request.method(), path.as_str()));
    let response = next.run(request).await;
    app.requests.count(&route, response.status().as_u16(), started.elapsed());
    response
}
