//! The demo: a small shop whose customers browse, fill carts and order. Each service is a resource of
//! its own; calls, queues, failures, log lines and metrics are those of a real shop of this make.

mod checkout;
mod instruments;
mod journeys;
mod service;
mod story;

use glasshouse_model::Timestamp;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::logs::v1::{ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use rand::SeedableRng;
use rand::rngs::SmallRng;

use instruments::Instruments;
use service::Service;
use story::Story;

/// The running shop.
pub struct Shop {
    random: SmallRng,
    resources: Vec<Resource>,
    instruments: Instruments,
    orders: u64,
}

/// What the services have to tell about some customers' visits.
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// Their spans.
    pub traces: ExportTraceServiceRequest,
    /// Their log records.
    pub logs: ExportLogsServiceRequest,
    /// Spans in `traces`.
    pub span_count: usize,
    /// Records in `logs`.
    pub log_count: usize,
}

impl Shop {
    /// Opens the shop at `now`. Equal seeds give equal visits.
    pub fn open(seed: u64, now: Timestamp) -> Self {
        let mut random = SmallRng::seed_from_u64(seed);
        let resources = Service::ALL.iter().map(|service| service.resource(&mut random)).collect();
        Self { random, resources, instruments: Instruments::new(now), orders: 0 }
    }

    /// Visits of as many customers, each visit one trace, all over by `now`. Orders are worked off the
    /// queue in traces of their own, linked to the visit's.
    pub fn visits(&mut self, count: usize, now: Timestamp) -> Traffic {
        let mut spans = vec![Vec::new(); Service::ALL.len()];
        let mut logs = vec![Vec::new(); Service::ALL.len()];
        for _ in 0..count {
            let mut story = Story::new(&mut self.random, &mut self.orders);
            journeys::visit(&mut story);
            let told = story.tell(now);
            for (service, span) in told.spans {
                self.instruments.observe(service, &span);
                spans[service as usize].push(span);
            }
            for (service, log) in told.logs {
                logs[service as usize].push(log);
            }
        }
        let span_count = spans.iter().map(Vec::len).sum();
        let log_count = logs.iter().map(Vec::len).sum();
        let resource = |service: Service| Some(self.resources[service as usize].clone());
        let resource_spans = Service::ALL
            .iter()
            .zip(spans)
            .filter(|(_, spans)| !spans.is_empty())
            .map(|(service, spans)| ResourceSpans {
                resource: resource(*service),
                scope_spans: vec![ScopeSpans { scope: Some(service.scope()), spans, ..Default::default() }],
                schema_url: SCHEMA_URL.to_owned(),
            })
            .collect();
        let resource_logs = Service::ALL
            .iter()
            .zip(logs)
            .filter(|(_, logs)| !logs.is_empty())
            .map(|(service, log_records)| ResourceLogs {
                resource: resource(*service),
                scope_logs: vec![ScopeLogs { scope: Some(service.scope()), log_records, ..Default::default() }],
                schema_url: SCHEMA_URL.to_owned(),
            })
            .collect();
        Traffic {
            traces: ExportTraceServiceRequest { resource_spans },
            logs: ExportLogsServiceRequest { resource_logs },
            span_count,
            log_count,
        }
    }

    /// The metrics of all services at `now`.
    pub fn metrics(&mut self, now: Timestamp) -> ExportMetricsServiceRequest {
        self.instruments.collect(&mut self.random, &self.resources, now)
    }
}

const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use opentelemetry_proto::tonic::metrics::v1::metric::Data;

    use super::*;

    const NOW: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);

    #[test]
    fn visits_are_whole_traces_with_errors_links_events_and_logs() {
        let traffic = Shop::open(3, NOW).visits(2_000, NOW);
        let spans: Vec<_> = traffic
            .traces
            .resource_spans
            .iter()
            .flat_map(|resource| &resource.scope_spans)
            .flat_map(|scope| &scope.spans)
            .collect();
        assert_eq!(spans.len(), traffic.span_count);
        let by_id: HashMap<_, _> = spans.iter().map(|span| (&span.span_id, *span)).collect();
        assert_eq!(by_id.len(), spans.len());
        for span in &spans {
            assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{}", span.name);
            assert!(span.end_time_unix_nano <= NOW.nanos() as u64, "{} ends in the future", span.name);
            assert!(span.attributes.len() >= 3, "{} says little", span.name);
            if let Some(parent) = by_id.get(&span.parent_span_id) {
                assert_eq!(parent.trace_id, span.trace_id);
                assert!(parent.start_time_unix_nano <= span.start_time_unix_nano, "{} < {}", span.name, parent.name);
            } else {
                assert!(span.parent_span_id.is_empty(), "{} has an unknown parent", span.name);
            }
        }
        let errors = spans.iter().filter(|span| span.status.as_ref().is_some_and(|status| status.code == 2)).count();
        assert!(errors > 20, "{errors} errors");
        assert!(spans.iter().any(|span| !span.events.is_empty()));
        let links: Vec<_> = spans.iter().flat_map(|span| &span.links).collect();
        assert!(!links.is_empty() && links.iter().all(|link| by_id.contains_key(&link.span_id)));
        let traces: HashSet<_> = spans.iter().map(|span| &span.trace_id).collect();
        let logs = traffic.logs.resource_logs.iter().flat_map(|r| &r.scope_logs).flat_map(|s| &s.log_records);
        let mut count = 0;
        for log in logs {
            assert!(traces.contains(&log.trace_id) && by_id.contains_key(&log.span_id));
            count += 1;
        }
        assert_eq!(count, traffic.log_count);
        assert_eq!(traffic.traces.resource_spans.len(), Service::ALL.len(), "every service takes part");
    }

    #[test]
    fn orders_of_enterprise_customers_are_slow() {
        let traffic = Shop::open(3, NOW).visits(2_000, NOW);
        let resources = traffic.traces.resource_spans.iter();
        let spans = resources.flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans);
        let mut durations: HashMap<String, Vec<u64>> = HashMap::new();
        for span in spans.filter(|span| span.name == "POST /api/checkout") {
            let tier = span.attributes.iter().find(|attribute| attribute.key == "customer.tier").expect("a tier");
            let millis = (span.end_time_unix_nano - span.start_time_unix_nano) / 1_000_000;
            durations.entry(format!("{:?}", tier.value)).or_default().push(millis);
        }
        let median = |tier: journeys::Tier| {
            let of_tier = durations.iter().find(|(name, _)| name.contains(tier.as_str()));
            let mut millis = of_tier.expect("orders of every tier").1.clone();
            millis.sort_unstable();
            millis[millis.len() / 2]
        };
        assert!(median(journeys::Tier::Enterprise) > 600);
        assert!(median(journeys::Tier::Free) < 300 && median(journeys::Tier::Plus) < 300);
    }

    #[test]
    fn metrics_are_of_every_kind_with_exemplars() {
        let mut shop = Shop::open(3, NOW);
        shop.visits(500, NOW);
        let request = shop.metrics(NOW);
        let metrics = request.resource_metrics.iter().flat_map(|r| &r.scope_metrics).flat_map(|s| &s.metrics);
        let mut kinds = HashSet::new();
        let mut exemplars = 0;
        for metric in metrics {
            let data = metric.data.as_ref().expect("a metric has data");
            kinds.insert(std::mem::discriminant(data));
            if let Data::Histogram(histogram) = data {
                for point in &histogram.data_points {
                    exemplars += point.exemplars.len();
                    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
                    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
                }
            }
        }
        assert_eq!(kinds.len(), 5, "gauge, sum, histogram, exponential histogram, summary");
        assert!(exemplars > 0);
    }
}
