//! Attributes, events and status of the workload's spans, by OpenTelemetry's semantic conventions.

use glasshouse_model::{DurationNs, Timestamp};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Status;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use rand::Rng;
use rand::rngs::SmallRng;

use super::landscape::Work;
use crate::otlp::{boolean, error_status, int, random_uuid, text, unix_nanos};

/// Spans with events that are no errors: with the errors' exceptions, 5 % have events.
const EVENTS: f64 = 0.04;

const USER_AGENTS: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "okhttp/4.12.0",
    "shop-android/7.31.2 (Android 15; Pixel 9)",
];

/// What a span is about.
pub(super) struct Request<'a> {
    pub work: &'a Work,
    pub user: u32,
    pub thread: usize,
    pub is_error: bool,
}

/// The text of `user.id`.
pub(super) fn user_id(user: u32) -> String {
    format!("user-{user:06}")
}

pub(super) fn of_span(request: &Request<'_>, random: &mut SmallRng) -> Vec<KeyValue> {
    let mut attributes = Vec::with_capacity(12);
    attributes.push(text("user.id", user_id(request.user)));
    attributes.push(text("request.id", random_uuid(random)));
    let id = random.random_range(1..2_000_000);
    let status =
        if request.is_error { 500 } else { [200, 200, 200, 200, 201, 204, 304, 404][random.random_range(0..8)] };
    let grpc_status = if request.is_error { 13 } else { 0 };
    attributes.extend(match request.work {
        Work::HttpServer { method, route } => vec![
            text("http.request.method", *method),
            text("http.route", route.as_str()),
            text("http.target", target(route, id, random)),
            int("http.response.status_code", status),
            text("url.scheme", "https"),
            text("server.address", "shop.example.com"),
            text("client.address", format!("10.{}.{}.{}", id % 4, id % 251, id % 253)),
            text("user_agent.original", USER_AGENTS[random.random_range(0..USER_AGENTS.len())]),
            text("network.protocol.version", "1.1"),
        ],
        Work::HttpClient { method, path, peer } => vec![
            text("http.request.method", *method),
            text("http.target", target(&format!("{path}/{{id}}"), id, random)),
            text("url.template", format!("{path}/{{id}}")),
            int("http.response.status_code", status),
            text("server.address", format!("{peer}.bench.svc")),
            int("server.port", 8080),
            text("peer.service", *peer),
            text("network.protocol.version", "1.1"),
            int("http.response.body.size", random.random_range(120..48_000)),
        ],
        Work::GrpcServer { service, method } => vec![
            text("rpc.system", "grpc"),
            text("rpc.service", service.as_str()),
            text("rpc.method", *method),
            int("rpc.grpc.status_code", grpc_status),
            text("client.address", format!("10.8.{}.{}", id % 16, id % 253)),
            int("client.port", random.random_range(32_768..61_000)),
            text("network.transport", "tcp"),
            int("thread.id", 20 + request.thread as i64 * 8 + i64::from(id % 8)),
            text("thread.name", format!("grpc-worker-{}", id % 8)),
            int("rpc.request.size", random.random_range(24..4_096)),
        ],
        Work::GrpcClient { service, method, peer } => vec![
            text("rpc.system", "grpc"),
            text("rpc.service", service.as_str()),
            text("rpc.method", *method),
            int("rpc.grpc.status_code", grpc_status),
            text("server.address", format!("{peer}.bench.svc")),
            int("server.port", 50_051),
            text("peer.service", *peer),
            text("network.transport", "tcp"),
            text("network.protocol.name", "http2"),
        ],
        Work::Sql { operation, table } => vec![
            text("db.system.name", "postgresql"),
            text("db.namespace", "bench"),
            text("db.operation.name", *operation),
            text("db.collection.name", *table),
            text("db.statement", statement(operation, table, id)),
            text("server.address", format!("{table}-db-primary.bench.svc")),
            int("server.port", 5432),
            int("db.response.returned_rows", i64::from(id % 50)),
        ],
        Work::Cache { key } => vec![
            text("db.system.name", "redis"),
            text("db.operation.name", "GET"),
            text("cache.key", format!("bench:v3:{key}:{id}")),
            boolean("cache.hit", random.random_bool(0.87)),
            int("cache.item.size", random.random_range(16..16_384)),
            text("server.address", "redis-cluster.bench.svc"),
            int("server.port", 6379),
            int("db.redis.database_index", 0),
        ],
        Work::Producer { topic } => vec![
            text("messaging.system", "kafka"),
            text("messaging.operation.type", "send"),
            text("messaging.destination.name", topic.as_str()),
            text("messaging.client.id", format!("producer-{topic}-{}", request.thread)),
            int("messaging.destination.partition.id", i64::from(id % 12)),
            int("messaging.message.body.size", random.random_range(200..6_000)),
            text("messaging.message.key", format!("{id}")),
            text("server.address", format!("kafka-{}.bench.svc", id % 3)),
            int("server.port", 9092),
        ],
        Work::Consumer { topic } => vec![
            text("messaging.system", "kafka"),
            text("messaging.operation.type", "process"),
            text("messaging.destination.name", topic.as_str()),
            text("messaging.consumer.group.name", format!("{topic}-workers")),
            text("messaging.client.id", format!("consumer-{topic}-{}", request.thread)),
            int("messaging.destination.partition.id", i64::from(id % 12)),
            int("messaging.kafka.offset", 7_000_000 + i64::from(id)),
            int("messaging.message.body.size", random.random_range(200..6_000)),
            text("messaging.message.key", format!("{id}")),
        ],
    });
    attributes
}

fn target(route: &str, id: u32, random: &mut SmallRng) -> String {
    let path = route.replace("{id}", &id.to_string());
    let page = random.random_range(1..40);
    format!("{path}?page={page}&locale=en-US")
}

fn statement(operation: &str, table: &str, id: u32) -> String {
    if operation == "SELECT" {
        format!("SELECT id, state, owner_id, payload FROM {table} WHERE id = {id} LIMIT 50")
    } else {
        format!("UPDATE {table} SET state = 'ready', version = version + 1 WHERE id = {id}")
    }
}

fn failure(work: &Work) -> (&'static str, &'static str) {
    match work {
        Work::HttpServer { .. } => ("HandlerError", "upstream answered 503 after 3 attempts"),
        Work::HttpClient { .. } => ("ConnectError", "connection reset by peer"),
        Work::GrpcServer { .. } => ("StatusError", "internal: invariant of the aggregate is broken"),
        Work::GrpcClient { .. } => ("StatusError", "deadline exceeded after 2000 ms"),
        Work::Sql { .. } => ("SqlState40001", "could not serialize access due to concurrent update"),
        Work::Cache { .. } => ("RedisError", "LOADING the dataset is in memory still"),
        Work::Producer { .. } => ("KafkaError", "broker: not enough in-sync replicas"),
        Work::Consumer { .. } => ("DecodeError", "message of an unknown schema version"),
    }
}

pub(super) fn status(request: &Request<'_>) -> Option<Status> {
    request.is_error.then(|| error_status(failure(request.work).1))
}

pub(super) fn events(
    request: &Request<'_>,
    random: &mut SmallRng,
    start: Timestamp,
    duration: DurationNs,
) -> Vec<Event> {
    let mut moment = || start + DurationNs::from_nanos((duration.nanos() as f64 * random.random::<f64>()) as i64);
    if request.is_error {
        let (kind, message) = failure(request.work);
        let attributes = vec![
            text("exception.type", kind),
            text("exception.message", message),
            text(
                "exception.stacktrace",
                format!("{kind}: {message}\n    at handle (src/handler.rs:141)\n    at serve (src/server.rs:88)"),
            ),
        ];
        return vec![event("exception", unix_nanos(moment()), attributes)];
    }
    let time = unix_nanos(moment());
    if !random.random_bool(EVENTS) {
        return Vec::new();
    }
    let retry = || vec![int("retry.attempt", 1), text("retry.reason", "timeout")];
    vec![event("retry", time, retry())]
}

fn event(name: &str, time_unix_nano: u64, attributes: Vec<KeyValue>) -> Event {
    Event { time_unix_nano, name: name.to_owned(), attributes, ..Default::default() }
}
