//! Who takes part: the services, their instances and their operations.

use opentelemetry_proto::tonic::resource::v1::Resource;
use rand::Rng;

use crate::otlp::{int, random_uuid, text};

/// How many services there are.
pub(super) const SERVICE_COUNT: usize = SERVICES.len();

/// Instances of each service.
pub(super) const INSTANCES: usize = 3;

/// Operations of each service.
pub(super) const OPERATIONS: usize = 10;

const SERVICES: [(&str, &str); 20] = [
    ("gateway", "sessions"),
    ("storefront", "pages"),
    ("cart", "carts"),
    ("checkout", "checkouts"),
    ("payment", "payments"),
    ("shipping", "shipments"),
    ("catalog", "products"),
    ("search", "queries"),
    ("recommendation", "recommendations"),
    ("pricing", "prices"),
    ("inventory", "stock_items"),
    ("identity", "accounts"),
    ("profile", "profiles"),
    ("review", "reviews"),
    ("notification", "messages"),
    ("email", "letters"),
    ("fraud", "assessments"),
    ("tax", "rates"),
    ("currency", "exchange_rates"),
    ("analytics", "events"),
];

/// What an operation does, which decides its attributes and what it may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Work {
    HttpServer { method: &'static str, route: String },
    HttpClient { method: &'static str, path: String, peer: &'static str },
    GrpcServer { service: String, method: &'static str },
    GrpcClient { service: String, method: &'static str, peer: &'static str },
    Sql { operation: &'static str, table: &'static str },
    Cache { key: &'static str },
    Producer { topic: String },
    Consumer { topic: String },
}

/// A named operation of a service.
#[derive(Debug)]
pub(super) struct Operation {
    pub service: usize,
    pub name: String,
    pub work: Work,
}

/// All operations, those of a service side by side and in the same order for each.
pub(super) struct Landscape {
    operations: Vec<Operation>,
}

/// Positions within a service's operations.
pub(super) const HTTP_SERVERS: [usize; 2] = [0, 1];
pub(super) const GRPC_SERVER: usize = 2;
pub(super) const HTTP_CLIENT: usize = 3;
pub(super) const GRPC_CLIENT: usize = 4;
pub(super) const SQL: [usize; 2] = [5, 6];
pub(super) const CACHE: usize = 7;
pub(super) const PRODUCER: usize = 8;
pub(super) const CONSUMER: usize = 9;

impl Landscape {
    pub fn new() -> Self {
        let operations = (0..SERVICES.len()).flat_map(operations_of).collect();
        Self { operations }
    }

    /// The operation at a position of a service, by its number over all services.
    pub fn number(service: usize, position: usize) -> usize {
        service * OPERATIONS + position
    }

    pub fn operation(&self, number: usize) -> &Operation {
        &self.operations[number]
    }

    /// Service and name of every operation.
    pub fn operation_names(&self) -> Vec<(&'static str, String)> {
        self.operations.iter().map(|operation| (service_name(operation.service), operation.name.clone())).collect()
    }

    /// The resource of every instance; those of a service side by side.
    pub fn resources(random: &mut impl Rng) -> Vec<Resource> {
        let mut resource = |process: usize| {
            let service = service_name(process / INSTANCES);
            let pod = format!("{service}-{:08x}-{:05x}", random.random::<u32>(), random.random_range(0..0x10_0000));
            Resource {
                attributes: vec![
                    text("service.name", service),
                    text("service.namespace", "bench"),
                    text("service.version", format!("1.{}.{}", process % 7, process % 4)),
                    text("service.instance.id", random_uuid(random)),
                    text("deployment.environment.name", "production"),
                    text("host.name", format!("node-{:02}", process % 8)),
                    text("k8s.pod.name", pod),
                    int("process.pid", random.random_range(2..40_000)),
                    text("os.type", "linux"),
                    text("telemetry.sdk.language", ["go", "java", "python", "nodejs"][process / INSTANCES % 4]),
                ],
                ..Default::default()
            }
        };
        (0..SERVICES.len() * INSTANCES).map(&mut resource).collect()
    }
}

pub(super) fn service_name(service: usize) -> &'static str {
    SERVICES[service].0
}

fn operations_of(service: usize) -> Vec<Operation> {
    let (name, things) = SERVICES[service];
    // Distinct strides, so that services call one another in several ways and no service calls itself.
    let http_peer = SERVICES[(service + 7) % SERVICES.len()];
    let grpc_peer = SERVICES[(service + 3) % SERVICES.len()];
    let topic = format!("{things}-changed");
    let upstream = SERVICES[(service + SERVICES.len() - 1) % SERVICES.len()];
    let consumed = format!("{}-changed", upstream.1);
    let rpc = |name: &str| format!("bench.{name}.v1.{}{}Service", name[..1].to_uppercase(), &name[1..]);
    let works = [
        Work::HttpServer { method: "GET", route: format!("/api/v1/{things}/{{id}}") },
        Work::HttpServer { method: "POST", route: format!("/api/v1/{things}") },
        Work::GrpcServer { service: rpc(name), method: "Resolve" },
        Work::HttpClient { method: "GET", path: format!("/api/v1/{}", http_peer.1), peer: http_peer.0 },
        Work::GrpcClient { service: rpc(grpc_peer.0), method: "Resolve", peer: grpc_peer.0 },
        Work::Sql { operation: "SELECT", table: things },
        Work::Sql { operation: "UPDATE", table: things },
        Work::Cache { key: things },
        Work::Producer { topic },
        Work::Consumer { topic: consumed },
    ];
    works.into_iter().map(|work| Operation { service, name: span_name(&work), work }).collect()
}

/// The span name that OpenTelemetry's semantic conventions give the work.
fn span_name(work: &Work) -> String {
    match work {
        Work::HttpServer { method, route } => format!("{method} {route}"),
        Work::HttpClient { method, path, .. } => format!("{method} {path}/{{id}}"),
        Work::GrpcServer { service, method } | Work::GrpcClient { service, method, .. } => {
            format!("{service}/{method}")
        }
        Work::Sql { operation, table } => format!("{operation} bench.{table}"),
        Work::Cache { key } => format!("GET {key}"),
        Work::Producer { topic } => format!("send {topic}"),
        Work::Consumer { topic } => format!("process {topic}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_service_has_its_own_operations() {
        let landscape = Landscape::new();
        let names: HashSet<_> = landscape.operation_names().into_iter().collect();
        assert_eq!(names.len(), 200);
    }
}
