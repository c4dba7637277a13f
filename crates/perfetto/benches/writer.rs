//! Spans as a busy service sends them, written as a Perfetto trace: `cargo bench -p glasshouse-perfetto`.
#![allow(missing_docs, reason = "criterion's macros make a public function")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use glasshouse_model::{SpanId, SpanKind, StatusCode, TraceId, Value};
use glasshouse_perfetto::{Process, Span, SpanKey, Window, Writer};
use glasshouse_tables::attributes::PackedWriter;

/// The binary's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SPANS: usize = 100_000;

struct Made {
    key: SpanKey,
    parent: Option<SpanId>,
    name: String,
    start: i64,
    end: i64,
    attributes: PackedWriter,
}

/// Traces of ten spans; a span begins every 100 µs and takes up to 20 ms.
fn spans() -> Vec<Made> {
    let number = |i: usize| (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let id = |i: usize| SpanId::from_bytes(number(i).to_be_bytes()).expect("it is not zero");
    (0..SPANS)
        .map(|i| {
            let trace = u128::from(number(i / 10)) << 64 | u128::from(number(i / 10 + SPANS));
            let mut attributes = PackedWriter::new();
            attributes.push_str("http.request.method", ["GET", "POST"][i % 2]);
            attributes.push_str("http.route", &format!("/api/v1/things/{}", i % 40));
            attributes.push_str("url.path", &format!("/api/v1/things/{}/{}", i % 40, number(i) % 100_000));
            attributes.push("http.response.status_code", &Value::Int(200 + (i % 3) as i64));
            attributes.push_str("user.id", &format!("user-{}", number(i / 10) % 50_000));
            attributes.push_str("request.id", &format!("{:016x}-{:016x}", number(i), number(i + 7)));
            attributes.push_str("server.address", &format!("10.0.0.{}", i % 20));
            attributes.push("thread.id", &Value::Int((i % 8) as i64));
            attributes.push_str("db.statement", &format!("SELECT * FROM things WHERE id = {}", number(i) % 5_000));
            attributes.push("cache.hit", &Value::Bool(i % 5 == 0));
            let start = 1_700_000_000_000_000_000 + i as i64 * 100_000;
            Made {
                key: SpanKey { trace: TraceId::from_bytes(trace.to_be_bytes()).expect("not zero"), span: id(i) },
                parent: (i % 10 > 0).then(|| id(i - i % 10)),
                name: format!("GET /api/v1/things/{}", i % 40),
                start,
                end: start + (number(i) % 20_000_000) as i64,
                attributes,
            }
        })
        .collect()
}

fn write(spans: &[Made]) -> usize {
    let mut writer = Writer::new(Window::ALL);
    let process =
        writer.process(&Process { name: "shop", pid: Some(7), command_line: None, start_time: None, labels: &[] });
    let mut bytes = 0;
    for span in spans {
        writer.span(
            &Span {
                process,
                key: span.key,
                parent: span.parent,
                name: &span.name,
                start: span.start,
                end: Some(span.end),
                thread: None,
                kind: SpanKind::Server,
                status: StatusCode::Unset,
                status_message: "",
                scope: "things",
                clock_skew: None,
                attributes: span.attributes.packed(),
            },
            &[],
        );
        if writer.len() > 16 << 10 {
            bytes += writer.take().len();
        }
    }
    writer.finish();
    bytes + writer.take().len()
}

fn writing(criterion: &mut Criterion) {
    let spans = spans();
    println!("{} bytes a span", write(&spans) / SPANS);
    let mut group = criterion.benchmark_group("perfetto");
    group.throughput(Throughput::Elements(SPANS as u64)).sample_size(10);
    group.bench_function("spans", |bencher| bencher.iter(|| write(&spans)));
    group.finish();
}

criterion_group!(benches, writing);
criterion_main!(benches);
