//! Writes a trace with the cases that are hard to show right to standard output:
//! `cargo run -p glasshouse-perfetto --example hard_cases > hard.pftrace`, then open it at <https://ui.perfetto.dev>.

use std::io::Write;

use glasshouse_model::{SpanId, SpanKind, StatusCode, TraceId};
use glasshouse_perfetto::{
    Attributes, CounterValue, LogRecord, MetricPoint, Process, ProcessIndex, Span, SpanEvent, SpanKey, SpanLink,
    Window, Writer,
};

const START: i64 = 1_700_000_000_000_000_000;

fn key(id: u64) -> SpanKey {
    let trace = TraceId::from_bytes([7; 16]).expect("it is not zero");
    SpanKey { trace, span: SpanId::from_bytes(id.to_be_bytes()).expect("ids begin with 1") }
}

fn span(process: ProcessIndex, id: u64, parent: u64, name: &str, start: i64, end: Option<i64>) -> Span<'_> {
    Span {
        process,
        key: key(id),
        parent: (parent > 0).then(|| key(parent).span),
        name: name.into(),
        start: START + start,
        end: end.map(|end| START + end),
        thread: None,
        kind: SpanKind::Internal,
        status: StatusCode::Unset,
        status_message: "",
        scope: "example".into(),
        clock_skew: None,
        attributes: Attributes::Packed(&[]),
    }
}

fn main() -> std::io::Result<()> {
    let mut writer = Writer::new(Window { from: START, to: START + 10_000 });
    let of = |name| Process { name, pid: Some(42), command_line: None, start_time: Some(START), labels: &[] };
    let (shop, bank) = (writer.process(&of("shop")), writer.process(&of("bank")));
    writer.span(&span(shop, 1, 0, "began before the window", -500, Some(3000)), &[]);
    writer.span(&Span { thread: Some((7, "main")), ..span(shop, 2, 0, "on a thread", 100, Some(5000)) }, &[]);
    writer.span(&Span { thread: Some((7, "main")), ..span(shop, 3, 2, "called there", 200, Some(900)) }, &[]);
    let thread = Some((140_123_456_789_012, "worker 🛒"));
    writer.span(&Span { thread, ..span(bank, 4, 2, "another process", 300, Some(800)) }, &[]);
    writer.log(&LogRecord {
        process: bank,
        time: START + 400,
        severity: "ERROR",
        body: "card refused\nby the issuer",
        event_name: "",
        scope: "",
        trace: Some(key(4).trace),
        span: Some(key(4).span),
        attributes: &[],
    });
    writer.span(&span(shop, 5, 1, "child", 1000, Some(2000)), &[]);
    writer.event(&SpanEvent { process: shop, span: key(5), time: START + 1100, name: "retry", attributes: &[] });
    writer.span(&span(shop, 6, 1, "overlaps its sibling", 1500, Some(2500)), &[]);
    let links = [SpanLink { to: key(4), attributes: &[] }];
    writer.span(&span(shop, 7, 5, "of no length", 2000, Some(2000)), &links);
    for step in 0..5 {
        writer.point(&MetricPoint {
            process: shop,
            time: START + 2100 + step * 100,
            name: "queue.length",
            unit: "{item}",
            description: "Orders that wait",
            value: CounterValue::Int(step),
            attributes: &[],
        });
    }
    for depth in 0..600 {
        let parent = if depth == 0 { 0 } else { 99 + depth };
        writer.span(&span(bank, 100 + depth, parent, "deep", 3000 + depth as i64, Some(9000 - depth as i64)), &[]);
    }
    writer.span(&span(shop, 8, 0, "still open", 4000, None), &[]);
    writer.span(&span(shop, 9, 0, "ends after the window", 5000, Some(50_000)), &[]);
    writer.finish();
    std::io::stdout().write_all(&writer.take())
}
