//! Spans like those of `glasshouse bench`: 20 services × 3 instances, 200 operations, traces of 8 to 40 spans,
//! 8 to 12 attributes a span, requests of 1,000 spans, spread over a minute.

use arrow::record_batch::RecordBatch;
use glasshouse_model::{Attributes, ProcessId, SpanId, SpanKind, StatusCode, Timestamp, TraceId, Value};
use glasshouse_tables::attributes::PackedWriter;
use glasshouse_tables::{SpanRow, SpansBuilder};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

const START: i64 = 1_750_000_000_000_000_000;
const MINUTE: i64 = 60_000_000_000;
const SERVICES: [&str; 20] = [
    "frontend",
    "cart",
    "checkout",
    "payment",
    "shipping",
    "email",
    "currency",
    "catalog",
    "search",
    "recommendation",
    "ads",
    "inventory",
    "pricing",
    "tax",
    "fraud",
    "accounts",
    "sessions",
    "reviews",
    "images",
    "gateway",
];

fn text(key: &str, value: impl Into<String>) -> (String, Value) {
    (key.to_owned(), Value::String(value.into()))
}

fn int(key: &str, value: i64) -> (String, Value) {
    (key.to_owned(), Value::Int(value))
}

/// Batches of about 1,000 spans, as decoded requests are.
pub fn batches(spans: usize, seed: u64) -> Vec<RecordBatch> {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut batches = Vec::new();
    let mut builder = SpansBuilder::with_capacity(1000);
    let mut made = 0;
    while made < spans {
        made += trace(&mut random, &mut builder);
        if builder.len() >= 1000 {
            let full = std::mem::replace(&mut builder, SpansBuilder::with_capacity(1000));
            batches.push(full.finish(Timestamp::from_nanos(START + MINUTE + batches.len() as i64 * 4_000_000)));
        }
    }
    if !builder.is_empty() {
        batches.push(builder.finish(Timestamp::from_nanos(START + MINUTE)));
    }
    batches
}

fn trace(random: &mut SmallRng, builder: &mut SpansBuilder) -> usize {
    let trace_id = TraceId::from_bytes(random.random()).expect("random ids are not zero");
    let start = START + random.random_range(0..MINUTE);
    let spans = random.random_range(8..=40);
    let mut parents: Vec<(SpanId, i64, i64, usize)> = Vec::new();
    for n in 0..spans {
        let span_id = SpanId::from_bytes(random.random()).expect("random ids are not zero");
        let parent = (n > 0).then(|| parents[random.random_range(0..parents.len())]);
        let (from, length, depth) =
            parent.map_or((start, 400_000_000, 0), |(_, from, length, depth)| (from, length, depth + 1));
        let start_time = from + random.random_range(0..=length / 4);
        let length = (length as f64 * random.random_range(0.02..0.7)) as i64 + random.random_range(1000..90_000);
        let operation = random.random_range(0..200usize);
        let service = SERVICES[operation % 20];
        let instance = random.random_range(0..3);
        let (kind, attributes) = attributes(random, operation);
        let is_error = random.random_ratio(1, 100);
        let packed = PackedWriter::from(&Attributes(attributes));
        builder.push(&SpanRow {
            trace_id,
            span_id,
            parent_span_id: parent.map(|(id, ..)| id),
            process_id: ProcessId(Uuid::from_u128(
                0x5ee0_0000_0000_4000_8000_0000_0000_0000 | (operation as u128 % 20) << 8 | instance,
            )),
            service_name: service,
            name: &format!("{service}.operation-{operation}"),
            kind,
            start_time: Timestamp::from_nanos(start_time),
            end_time: Some(Timestamp::from_nanos(start_time + length)),
            status_code: if is_error { StatusCode::Error } else { StatusCode::Unset },
            status_message: if is_error { "deadline exceeded" } else { "" },
            thread_id: None,
            thread_name: None,
            scope_name: "glasshouse.bench",
            scope_version: "1.0.0",
            trace_state: "",
            flags: 257,
            attributes: packed.packed(),
            dropped_attributes_count: 0,
            dropped_events_count: 0,
            dropped_links_count: 0,
            sample_weight: 1.0,
        });
        if depth < 8 {
            parents.push((span_id, start_time, length, depth));
        }
    }
    spans
}

fn attributes(random: &mut SmallRng, operation: usize) -> (SpanKind, Vec<(String, Value)>) {
    let user = random.random_range(0..100_000);
    let request: u64 = random.random();
    let mut list = vec![text("user.id", format!("user-{user}")), text("request.id", format!("{request:016x}"))];
    let kind = match operation % 5 {
        0 => {
            let item = random.random_range(0..1_000_000);
            list.extend([
                text("http.request.method", ["GET", "POST", "PUT"][operation % 3]),
                text("http.route", format!("/api/v1/resource-{operation}/:id")),
                text("http.target", format!("/api/v1/resource-{operation}/{item}")),
                int("http.response.status_code", [200, 200, 200, 201, 404, 500][random.random_range(0..6)]),
                text("server.address", format!("host-{}.internal", operation % 16)),
                int("server.port", 8080),
                text("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"),
                int("http.response.body.size", random.random_range(100..40_000)),
            ]);
            SpanKind::Server
        }
        1 => {
            list.extend([
                text("rpc.system", "grpc"),
                text("rpc.service", format!("shop.Service{}", operation % 20)),
                text("rpc.method", format!("Method{operation}")),
                int("rpc.grpc.status_code", i64::from(random.random_ratio(1, 50)) * 14),
                text("network.peer.address", format!("10.0.{}.{}", operation % 4, random.random_range(1..60))),
                int("network.peer.port", 50_051),
            ]);
            SpanKind::Client
        }
        2 => {
            let id = random.random_range(0..10_000_000);
            list.extend([
                text("db.system", "postgresql"),
                text("db.name", "shop"),
                text("db.operation", ["SELECT", "UPDATE", "INSERT"][operation % 3]),
                text(
                    "db.statement",
                    format!("SELECT * FROM table_{operation} WHERE id = {id} AND tenant = {}", user % 100),
                ),
                int("db.rows", random.random_range(0..50)),
                text("server.address", format!("db-{}.internal", operation % 4)),
                int("server.port", 5432),
            ]);
            SpanKind::Client
        }
        3 => {
            list.extend([
                text("cache.system", "redis"),
                text("cache.key", format!("item:{}", random.random_range(0..500_000))),
                ("cache.hit".to_owned(), Value::Bool(random.random_ratio(4, 5))),
                int("cache.ttl", 300),
                text("server.address", format!("cache-{}.internal", operation % 4)),
                ("cache.load".to_owned(), Value::Double(f64::from(random.random_range(0..1000)) / 1000.0)),
            ]);
            SpanKind::Internal
        }
        _ => {
            list.extend([
                text("messaging.system", "kafka"),
                text("messaging.destination.name", format!("topic-{}", operation % 12)),
                int("messaging.kafka.partition", random.random_range(0..24)),
                int("messaging.kafka.offset", random.random_range(0..50_000_000)),
                text("messaging.operation", "publish"),
                int("messaging.message.body.size", random.random_range(64..4096)),
            ]);
            SpanKind::Producer
        }
    };
    (kind, list)
}
