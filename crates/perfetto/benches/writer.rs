//! Spans as a busy service sends them, written as a Perfetto trace: `cargo bench -p glasshouse-perfetto`.
#![allow(missing_docs, reason = "criterion's macros make a public function")]

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use glasshouse_model::{Attributes, SpanId, SpanKind, StatusCode, TraceId, Value};
use glasshouse_perfetto::{Attributes as SpanAttributes, Process, Span, SpanKey, Window, Writer};
use glasshouse_tables::attributes::{AttributeColumns, AttributeRow, PackedWriter, Places, Text, TextColumn};

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
    attributes: Vec<(&'static str, Value)>,
}

/// Traces of ten spans; a span begins every 100 µs and takes up to 20 ms.
fn spans() -> Vec<Made> {
    let number = |i: usize| (i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let id = |i: usize| SpanId::from_bytes(number(i).to_be_bytes()).expect("it is not zero");
    (0..SPANS)
        .map(|i| {
            let trace = u128::from(number(i / 10)) << 64 | u128::from(number(i / 10 + SPANS));
            let start = 1_700_000_000_000_000_000 + i as i64 * 100_000;
            Made {
                key: SpanKey { trace: TraceId::from_bytes(trace.to_be_bytes()).expect("not zero"), span: id(i) },
                parent: (i % 10 > 0).then(|| id(i - i % 10)),
                name: format!("GET /api/v1/things/{}", i % 40),
                start,
                end: start + (number(i) % 20_000_000) as i64,
                attributes: vec![
                    ("http.request.method", Value::String(["GET", "POST"][i % 2].to_owned())),
                    ("http.route", Value::String(format!("/api/v1/things/{}", i % 40))),
                    ("url.path", Value::String(format!("/api/v1/things/{}/{}", i % 40, number(i) % 100_000))),
                    ("http.response.status_code", Value::Int(200 + (i % 3) as i64)),
                    ("user.id", Value::String(format!("user-{}", number(i / 10) % 50_000))),
                    ("request.id", Value::String(format!("{:016x}-{:016x}", number(i), number(i + 7)))),
                    ("server.address", Value::String(format!("10.0.0.{}", i % 20))),
                    ("thread.id", Value::Int((i % 8) as i64)),
                    ("db.statement", Value::String(format!("SELECT * FROM things WHERE id = {}", number(i) % 5_000))),
                    ("cache.hit", Value::Bool(i % 5 == 0)),
                ],
            }
        })
        .collect()
}

/// Columns as a file's rows are read: text that repeats as a dictionary.
struct Columns {
    names: TextColumn,
    attributes: AttributeColumns,
    places: u32,
}

fn columns(spans: &[Made]) -> Columns {
    let dictionary = |texts: Vec<&str>| {
        let text = StringArray::from(texts);
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        cast(&text, &dictionary).expect("text has a dictionary")
    };
    let mut arrays: Vec<(String, ArrayRef)> = vec![("attributes".into(), Arc::new(StringArray::new_null(spans.len())))];
    for (column, (key, first)) in spans[0].attributes.iter().enumerate() {
        let values = spans.iter().map(|span| &span.attributes[column].1);
        let (kind, array): (_, ArrayRef) = match first {
            Value::Int(_) => {
                let int = |value: &Value| if let Value::Int(value) = value { Some(*value) } else { None };
                ("int", Arc::new(values.map(int).collect::<Int64Array>()))
            }
            Value::Bool(_) => {
                let bool = |value: &Value| if let Value::Bool(value) = value { Some(*value) } else { None };
                ("bool", Arc::new(values.map(bool).collect::<BooleanArray>()))
            }
            _ => {
                let texts: Vec<&str> = values.map(|value| value.as_str().unwrap_or_default()).collect();
                let repeats = *key != "request.id";
                ("str", if repeats { dictionary(texts) } else { Arc::new(StringArray::from(texts)) })
            }
        };
        arrays.push((format!("{kind}:{key}"), array));
    }
    let batch = RecordBatch::try_from_iter(arrays).expect("the columns are of the same length");
    let rows: Vec<u32> = (0..spans.len() as u32).collect();
    let mut places = Places::default();
    let names = dictionary(spans.iter().map(|span| span.name.as_str()).collect());
    let names = TextColumn::new(&names, &mut places).expect("it is text");
    let attributes = AttributeColumns::new(&batch, "attributes", &rows).expect("they are all there");
    Columns { names, attributes, places: places.count() }
}

fn write<'a>(
    spans: &'a [Made],
    columns: Option<&Columns>,
    texts: impl Fn(usize) -> (Text<'a>, SpanAttributes<'a>),
) -> usize {
    let mut writer = Writer::new(Window::ALL);
    let process =
        writer.process(&Process { name: "shop", pid: Some(7), command_line: None, start_time: None, labels: &[] });
    if let Some(columns) = columns {
        writer.slice(&[&columns.attributes], columns.places);
    }
    let mut bytes = 0;
    for (row, span) in spans.iter().enumerate() {
        let (name, attributes) = texts(row);
        writer.span(
            &Span {
                process,
                key: span.key,
                parent: span.parent,
                name,
                start: span.start,
                end: Some(span.end),
                thread: None,
                kind: SpanKind::Server,
                status: StatusCode::Unset,
                status_message: "",
                scope: "things".into(),
                clock_skew: None,
                attributes,
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
    let packed = |span: &Made| {
        let entries = span.attributes.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        PackedWriter::from(&Attributes(entries.collect()))
    };
    let packed: Vec<PackedWriter> = spans.iter().map(packed).collect();
    let columns = columns(&spans);
    let of_memory = |row: usize| (spans[row].name.as_str().into(), SpanAttributes::Packed(packed[row].packed()));
    let of_files = |row: usize| {
        let attributes = SpanAttributes::Of { row: AttributeRow { batch: 0, row: row as u32 }, rest: &[] };
        (columns.names.text(row), attributes)
    };
    println!("{} bytes a span", write(&spans, None, of_memory) / SPANS);
    println!("{} bytes a span of files", write(&spans, Some(&columns), of_files) / SPANS);
    let mut group = criterion.benchmark_group("perfetto");
    group.throughput(Throughput::Elements(SPANS as u64)).sample_size(10);
    group.bench_function("spans of memory", |bencher| bencher.iter(|| write(&spans, None, of_memory)));
    group.bench_function("spans of files", |bencher| bencher.iter(|| write(&spans, Some(&columns), of_files)));
    group.finish();
}

criterion_group!(benches, writing);
criterion_main!(benches);
