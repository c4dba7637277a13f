//! Random rows of every table, and rows in a form that can be compared.

use arrow::array::{Array, AsArray};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use glasshouse_model::{Attributes, ProcessId, Severity, SpanId, SpanKind, StatusCode, Timestamp, TraceId, Value};
use glasshouse_tables::attributes::{self, PackedWriter, ValueRef};
use glasshouse_tables::{
    ColumnType, EventRow, ExemplarRow, ExponentialRow, LinkRow, LogRow, LogsBuilder, MetricRow, MetricsBuilder,
    ProcessRow, ProcessesBuilder, SpanEventsBuilder, SpanLinksBuilder, SpanRow, SpansBuilder, Table,
};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

pub const START: i64 = 1_700_000_000_000_000_000;

/// Where random rows come from. Ids are drawn from few, so that they repeat.
pub struct Source {
    random: SmallRng,
    /// Seconds over which rows spread.
    pub seconds: i64,
}

impl Source {
    pub fn new(seed: u64) -> Self {
        Self { random: SmallRng::seed_from_u64(seed), seconds: 10 }
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.random.random_range(0..n)
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.random.random_bool(0.5).then(|| make(self))
    }

    fn time(&mut self) -> Timestamp {
        Timestamp::from_nanos(START + self.random.random_range(0..self.seconds * 1_000_000_000))
    }

    fn trace_id(&mut self) -> TraceId {
        let n = u128::from(self.below(40)) + 1;
        TraceId::from_bytes(n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes()).unwrap()
    }

    fn span_id(&mut self) -> SpanId {
        SpanId::from_bytes((self.below(1 << 40) + 1).to_le_bytes()).unwrap()
    }

    fn process_id(&mut self) -> ProcessId {
        ProcessId(Uuid::from_u128(u128::from(self.below(6)) << 64 | 7))
    }

    fn pick(&mut self, words: &'static [&'static str]) -> &'static str {
        words[self.below(words.len() as u64) as usize]
    }

    fn value(&mut self, depth: u32) -> Value {
        match self.below(if depth < 2 { 9 } else { 6 }) {
            0 => Value::Empty,
            1 => Value::String(
                self.pick(&["", "GET", "ünï", "a\"b\\\n\u{1}", "a text that is somewhat longer than the others"])
                    .to_owned(),
            ),
            2 => Value::Int(self.random.random()),
            3 => Value::Double(self.random.random_range(-1e9..1e9)),
            4 => Value::Bool(self.random.random()),
            5 => Value::Bytes((0..self.below(5)).map(|i| i as u8).collect()),
            6 => Value::Double([f64::INFINITY, f64::NEG_INFINITY, -0.0][self.below(3) as usize]),
            7 => Value::Array((0..self.below(4)).map(|_| self.value(depth + 1)).collect()),
            _ => Value::Map(Attributes(
                (0..self.below(3))
                    .map(|_| (self.pick(&["k", "$bytes", ""]).to_owned(), self.value(depth + 1)))
                    .collect(),
            )),
        }
    }

    /// Attributes with frequent and rare keys, keys of several types, repeated keys, and every type.
    pub fn attributes(&mut self) -> Vec<u8> {
        let mut entries = Vec::new();
        if self.below(10) > 0 {
            entries.push(("http.route".to_owned(), Value::String(format!("/{}", self.below(20)))));
            entries.push(("http.response.status_code".to_owned(), Value::Int(200 + self.below(4) as i64)));
        }
        if self.below(2) > 0 {
            entries.push(("user.id".to_owned(), Value::String(format!("user-{}", self.below(1 << 30)))));
            entries.push(("ratio".to_owned(), Value::Double(self.random.random())));
            entries.push(("cached".to_owned(), Value::Bool(self.random.random())));
        }
        for _ in 0..self.below(3) {
            let key = self.pick(&["http.route", "mixed", "Mixed", "rare.a", "rare.b", "", "with\ttab", "mixed"]);
            entries.push((key.to_owned(), self.value(0)));
        }
        PackedWriter::from(&Attributes(entries)).packed().to_vec()
    }

    pub fn batch(&mut self, table: Table, rows: usize) -> RecordBatch {
        let ingest_time = Timestamp::from_nanos(START + 100_000_000_000 + self.below(1_000_000) as i64);
        match table {
            Table::Processes => self.processes(rows, ingest_time),
            Table::Spans => self.spans(rows, ingest_time),
            Table::SpanEvents => self.span_events(rows, ingest_time),
            Table::SpanLinks => self.span_links(rows, ingest_time),
            Table::Logs => self.logs(rows, ingest_time),
            Table::Metrics => self.metrics(rows, ingest_time),
        }
    }

    fn processes(&mut self, rows: usize, ingest_time: Timestamp) -> RecordBatch {
        let mut builder = ProcessesBuilder::default();
        for _ in 0..rows {
            let resource = self.attributes();
            builder.push(&ProcessRow {
                process_id: self.process_id(),
                service_name: self.pick(&["cart", "shop"]),
                start_time: self.maybe(Self::time),
                first_seen: self.time(),
                last_update_time: self.time(),
                parent_process_id: self.maybe(Self::process_id),
                resource: &resource,
            });
        }
        builder.finish(ingest_time)
    }

    fn spans(&mut self, rows: usize, ingest_time: Timestamp) -> RecordBatch {
        let mut builder = SpansBuilder::with_capacity(rows);
        for _ in 0..rows {
            let attributes = self.attributes();
            let start_time = self.time();
            let length = self.below(1 << 32) as i64;
            builder.push(&SpanRow {
                trace_id: self.trace_id(),
                span_id: self.span_id(),
                parent_span_id: self.maybe(Self::span_id),
                process_id: self.process_id(),
                service_name: self.pick(&["cart", "shop", "pay"]),
                name: self.pick(&["GET /", "SELECT", "publish"]),
                kind: SpanKind::ALL[self.below(6) as usize],
                start_time,
                end_time: self.maybe(|_| Timestamp::from_nanos(start_time.nanos() + length)),
                status_code: StatusCode::ALL[self.below(3) as usize],
                status_message: self.pick(&["", "boom"]),
                thread_id: self.maybe(|s| s.below(9) as i64),
                thread_name: Some("main").filter(|_| length % 2 == 0),
                scope_name: "scope",
                scope_version: "1.0",
                trace_state: self.pick(&["", "a=b"]),
                flags: self.below(2) as u32,
                attributes: &attributes,
                dropped_attributes_count: self.below(2) as u32,
                dropped_events_count: 0,
                dropped_links_count: self.below(3) as u32,
                sample_weight: 1.0,
            });
        }
        builder.finish(ingest_time)
    }

    fn span_events(&mut self, rows: usize, ingest_time: Timestamp) -> RecordBatch {
        let mut builder = SpanEventsBuilder::default();
        for _ in 0..rows {
            let attributes = self.attributes();
            builder.push(&EventRow {
                trace_id: self.trace_id(),
                span_id: self.span_id(),
                process_id: self.process_id(),
                service_name: "shop",
                time: self.time(),
                name: self.pick(&["exception", "retry"]),
                attributes: &attributes,
                dropped_attributes_count: 0,
            });
        }
        builder.finish(ingest_time)
    }

    fn span_links(&mut self, rows: usize, ingest_time: Timestamp) -> RecordBatch {
        let mut builder = SpanLinksBuilder::default();
        for _ in 0..rows {
            let attributes = self.attributes();
            builder.push(&LinkRow {
                trace_id: self.trace_id(),
                span_id: self.span_id(),
                process_id: self.process_id(),
                service_name: "shop",
                start_time: self.time(),
                linked_trace_id: self.trace_id(),
                linked_span_id: self.span_id(),
                trace_state: "",
                attributes: &attributes,
                flags: 0,
                dropped_attributes_count: 0,
            });
        }
        builder.finish(ingest_time)
    }

    fn logs(&mut self, rows: usize, ingest_time: Timestamp) -> RecordBatch {
        let mut builder = LogsBuilder::default();
        for _ in 0..rows {
            let attributes = self.attributes();
            builder.push(&LogRow {
                time: self.time(),
                observed_time: self.maybe(Self::time),
                process_id: self.process_id(),
                service_name: self.pick(&["cart", "shop", "pay"]),
                severity: Severity(self.below(25) as i32),
                severity_text: "INFO",
                scope_name: "",
                scope_version: "",
                event_name: "",
                body: if self.below(3) > 0 { ValueRef::String("hello") } else { ValueRef::Int(4) },
                trace_id: self.maybe(Self::trace_id),
                span_id: self.maybe(Self::span_id),
                flags: 1,
                attributes: &attributes,
                dropped_attributes_count: 0,
            });
        }
        builder.finish(ingest_time)
    }

    fn metrics(&mut self, rows: usize, ingest_time: Timestamp) -> RecordBatch {
        let mut builder = MetricsBuilder::default();
        for _ in 0..rows {
            let attributes = self.attributes();
            let counts: Vec<i64> = (0..self.below(4) as i64).collect();
            let bounds: Vec<f64> = counts.iter().map(|n| *n as f64 / 2.0).collect();
            let exemplar = ExemplarRow {
                time: self.time(),
                value: Some(0.5),
                value_int: None,
                trace_id: self.maybe(Self::trace_id),
                span_id: self.maybe(Self::span_id),
                attributes: &attributes,
            };
            builder.push(&MetricRow {
                time: self.time(),
                start_time: self.maybe(Self::time),
                process_id: self.process_id(),
                service_name: self.pick(&["cart", "shop"]),
                name: self.pick(&["latency", "requests", "cpu"]),
                unit: "ms",
                description: "",
                kind: "HISTOGRAM",
                temporality: self.maybe(|_| "DELTA"),
                is_monotonic: self.maybe(|_| true),
                value: self.maybe(|s| s.below(9) as f64),
                value_int: self.maybe(|s| s.below(9) as i64),
                count: self.maybe(|s| s.below(9) as i64),
                sum: self.maybe(|s| s.below(9) as f64),
                min: None,
                max: Some(3.5),
                bucket_bounds: self.maybe(|_| bounds.as_slice()),
                bucket_counts: self.maybe(|_| counts.as_slice()),
                exponential: self.maybe(|_| ExponentialRow {
                    scale: 3,
                    zero_count: 1,
                    zero_threshold: 0.0,
                    positive_offset: -1,
                    positive_counts: &counts,
                    negative_offset: 0,
                    negative_counts: &[],
                }),
                quantiles: self.maybe(|_| [(0.5, 1.0), (0.99, 2.0)].as_slice()),
                exemplars: if exemplar.trace_id.is_some() { std::slice::from_ref(&exemplar) } else { &[] },
                flags: 0,
                scope_name: "",
                scope_version: "",
                attributes: &attributes,
            });
        }
        builder.finish(ingest_time)
    }
}

/// Each row as text. Attributes are in order of key, the values of a repeated key in the order they have.
pub fn as_text(table: Table, batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<Vec<String>> = table
        .columns()
        .iter()
        .zip(batch.columns())
        .map(|(column, array)| {
            if column.kind == ColumnType::Attributes {
                return array.as_binary::<i32>().iter().map(|packed| sorted(packed.unwrap_or_default())).collect();
            }
            let format = ArrayFormatter::try_new(array.as_ref(), &options).unwrap();
            (0..array.len()).map(|row| format.value(row).to_string()).collect()
        })
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            let values = table.columns().iter().zip(&columns);
            let values: Vec<_> = values.map(|(column, values)| format!("{}={} ", column.name, values[row])).collect();
            values.concat()
        })
        .collect()
}

fn sorted(packed: &[u8]) -> String {
    let mut entries = attributes::to_model(packed).0;
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    format!("{entries:?}")
}
