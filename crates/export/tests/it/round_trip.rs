//! What was exported and comes back says the same, as far as the format can say it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use futures::TryStreamExt as _;
use glasshouse_export::Exports;
use glasshouse_formats::{Processes, jaeger_to_otlp, process_id, span_writer};
use glasshouse_model::{
    Attributes, Span, SpanEvent, SpanId, SpanKind, SpanLink, StatusCode, Timestamp, TraceId, TraceProcess, Value,
};
use glasshouse_tables::attributes::{PackedWriter, get, packed_to_json};
use glasshouse_tables::ports::{ExportEncoding, Exporter as _, SpanFormat, WireFormat};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use crate::lake::{Lake, whole};

const EPOCH: i64 = 1_750_000_000_000_000_000;

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => "\\PC{0,8}".prop_map(Value::String),
        1 => Just(Value::Empty),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => any::<i64>().prop_map(Value::Int),
        1 => any::<f64>().prop_filter("NaN is not equal to itself", |v| !v.is_nan()).prop_map(Value::Double),
        1 => vec(any::<u8>(), 0..9).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::Array),
            vec(("[a-z$]{0,4}", inner), 0..4).prop_map(|entries| Value::Map(Attributes(entries))),
        ]
    })
}

fn attributes() -> impl Strategy<Value = Attributes> {
    btree_map("[a-z]{1,4}\\.[a-z\"é]{0,3}", value(), 0..4).prop_map(|entries| Attributes(entries.into_iter().collect()))
}

/// Attributes of a span: some of those that Zipkin has fields for among them.
fn span_attributes() -> impl Strategy<Value = Attributes> {
    let address = prop_oneof![Just("10.1.2.3"), Just("::1"), Just("not an address")];
    let port = prop_oneof![Just(8080_i64), Just(0), Just(70_000)];
    let peer = (proptest::option::of(address), proptest::option::of(port), proptest::option::of("[a-z]{0,4}"));
    (attributes(), peer, proptest::option::of((any::<u32>(), "[a-z]{1,5}"))).prop_map(
        |(mut attributes, (address, port, name), thread)| {
            let peer = [
                ("network.peer.address", address.map(|address| Value::String(address.to_owned()))),
                ("network.peer.port", port.map(Value::Int)),
                ("peer.service", name.map(Value::String)),
                ("thread.id", thread.as_ref().map(|(id, _)| Value::Int((*id).into()))),
                ("thread.name", thread.map(|(_, name)| Value::String(name))),
            ];
            attributes.0.extend(peer.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
            attributes
        },
    )
}

fn trace_id() -> impl Strategy<Value = TraceId> {
    prop_oneof![Just([1; 16]), Just([2; 16])].prop_map(|bytes| TraceId::from_slice(&bytes).unwrap())
}

fn span_id() -> impl Strategy<Value = SpanId> {
    (1..200_u64).prop_map(|id| SpanId::from_slice(&id.to_be_bytes()).unwrap())
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0..40_000_i64).prop_map(|nanos| Timestamp::from_nanos(EPOCH + nanos))
}

fn event() -> impl Strategy<Value = SpanEvent> {
    (time(), prop_oneof!["\\PC{0,8}", Just("\"a\":{}".to_owned())], attributes(), any::<u32>()).prop_map(
        |(time, name, attributes, dropped)| SpanEvent { time, name, attributes, dropped_attributes_count: dropped },
    )
}

fn link() -> impl Strategy<Value = SpanLink> {
    (trace_id(), span_id(), prop_oneof!["[a-z=|{}]{0,9}"], attributes(), any::<u32>()).prop_map(
        |(trace_id, span_id, trace_state, attributes, flags)| SpanLink {
            trace_id,
            span_id,
            trace_state,
            attributes,
            dropped_attributes_count: flags / 2,
            flags,
        },
    )
}

/// A span of a process with a number.
fn span() -> impl Strategy<Value = (usize, Span)> {
    let kind = (0..SpanKind::ALL.len()).prop_map(|at| SpanKind::ALL[at]);
    let status = (0..StatusCode::ALL.len()).prop_map(|at| StatusCode::ALL[at]);
    (
        (trace_id(), proptest::option::of(span_id()), "\\PC{0,8}", kind, time(), proptest::option::of(0..5000_i64)),
        (status, prop_oneof!["\\PC{0,6}", Just("true".to_owned())], "[a-z]{0,3}", "[0-9.]{0,3}", "[a-z=,]{0,9}"),
        (span_attributes(), vec(event(), 0..3), vec(link(), 0..3), any::<u32>(), 0..3_usize),
    )
        .prop_map(|(identity, status, carried)| {
            let (trace_id, parent_span_id, name, kind, start_time, length) = identity;
            let (status_code, status_message, scope_name, scope_version, trace_state) = status;
            let (attributes, events, links, flags, process) = carried;
            let thread_id = match attributes.get("thread.id") {
                Some(Value::Int(id)) => Some(*id),
                _ => None,
            };
            let span = Span {
                trace_id,
                span_id: SpanId::from_slice(&[9; 8]).unwrap(),
                parent_span_id,
                process_id: glasshouse_model::ProcessId(uuid::Uuid::nil()),
                service_name: String::new(),
                name,
                kind,
                start_time,
                end_time: length.map(|length| Timestamp::from_nanos(start_time.nanos() + length)),
                status_code,
                status_message,
                thread_id,
                thread_name: attributes.get("thread.name").and_then(Value::as_str).map(str::to_owned),
                scope_name,
                scope_version,
                trace_state,
                flags,
                attributes,
                dropped_attributes_count: flags % 3,
                dropped_events_count: flags % 2,
                dropped_links_count: flags % 5,
                events,
                links,
            };
            (process, span)
        })
}

/// Spans with ids of their own, and their processes.
fn spans() -> impl Strategy<Value = (Vec<Span>, Processes)> {
    let processes = vec((attributes(), "[a-z]{1,5}"), 3);
    (vec(span(), 1..12), processes).prop_map(|(spans, resources)| {
        let process = |(mut resource, name): (Attributes, String)| {
            resource.0.push(("service.name".to_owned(), Value::String(name.clone())));
            let id = process_id(PackedWriter::from(&resource).packed());
            TraceProcess { process_id: id, service_name: name, resource }
        };
        let processes: Vec<TraceProcess> = resources.into_iter().map(process).collect();
        let spans = spans.into_iter().enumerate().map(|(number, (process, span))| Span {
            span_id: SpanId::from_slice(&(number as u64 + 1).to_be_bytes()).unwrap(),
            process_id: processes[process].process_id,
            service_name: processes[process].service_name.clone(),
            ..span
        });
        let mut spans: Vec<Span> = spans.collect();
        spans.sort_by_key(|span| (span.start_time, span.span_id));
        (spans, processes.into_iter().map(|process| (process.process_id, process)).collect())
    })
}

fn written(spans: &[Span], processes: &Processes, format: SpanFormat) -> Vec<u8> {
    let mut writer = span_writer(format);
    let mut bytes = Vec::new();
    // In pieces, as an export does it.
    for spans in spans.chunks(5) {
        writer.write(spans, processes, &mut bytes).unwrap();
    }
    writer.finish(&mut bytes);
    bytes
}

/// The requests that bring an export back.
fn requests(format: SpanFormat, bytes: &[u8]) -> Vec<(WireFormat, Vec<u8>)> {
    match format {
        SpanFormat::Otlp => vec![(WireFormat::OtlpTracesJson, bytes.to_vec())],
        SpanFormat::OtlpJson => {
            let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            lines.map(|line| (WireFormat::OtlpTracesJson, line.to_vec())).collect()
        }
        SpanFormat::OtlpProto => vec![(WireFormat::OtlpTracesProtobuf, bytes.to_vec())],
        SpanFormat::Jaeger => {
            let requests = jaeger_to_otlp(bytes).unwrap_or_else(|error| panic!("{error}"));
            requests.into_iter().map(|request| (WireFormat::OtlpTracesProtobuf, request)).collect()
        }
        SpanFormat::Zipkin => vec![(WireFormat::ZipkinV2Json, bytes.to_vec())],
        SpanFormat::Chrome => unreachable!("it is not read back"),
    }
}

/// What every reader may leave open: the order of attributes, of events and of links.
fn in_order(mut span: Span) -> Span {
    let json = |attributes: &Attributes| {
        let mut json = String::new();
        packed_to_json(PackedWriter::from(attributes).packed(), &mut json);
        json
    };
    let sort = |attributes: &mut Attributes| attributes.0.sort_by(|(a, _), (b, _)| a.cmp(b));
    sort(&mut span.attributes);
    span.events.iter_mut().for_each(|event| sort(&mut event.attributes));
    span.links.iter_mut().for_each(|link| sort(&mut link.attributes));
    span.events.sort_by_cached_key(|event| (event.time, event.name.clone(), json(&event.attributes)));
    span.links
        .sort_by_cached_key(|link| (link.trace_id, link.span_id, link.trace_state.clone(), json(&link.attributes)));
    span
}

fn text(value: &Value) -> Value {
    let mut packed = PackedWriter::new();
    packed.push("", value);
    Value::String(get(packed.packed(), "").unwrap().to_text().unwrap_or_default().into_owned())
}

fn micros(time: Timestamp) -> Timestamp {
    Timestamp::from_nanos(time.nanos().div_euclid(1000) * 1000)
}

/// What is left of a span in Jaeger's form: microseconds, values without structure, links without state.
fn through_jaeger(mut span: Span) -> Span {
    let plain = |attributes: &mut Attributes| {
        for (_, value) in &mut attributes.0 {
            let is_structured = matches!(value, Value::Empty | Value::Array(_) | Value::Map(_));
            if is_structured || matches!(value, Value::Double(double) if !double.is_finite()) {
                *value = text(value);
            }
        }
    };
    span.start_time = micros(span.start_time);
    span.end_time = span.end_time.map(micros);
    plain(&mut span.attributes);
    for event in &mut span.events {
        plain(&mut event.attributes);
        (event.time, event.dropped_attributes_count) = (micros(event.time), 0);
    }
    for link in &mut span.links {
        (link.trace_state, link.attributes) = (String::new(), Attributes::default());
        (link.dropped_attributes_count, link.flags) = (0, 0);
    }
    span
}

/// What is left of a span in Zipkin's form: microseconds, values as text but for the peer's address, the resource among
/// the attributes, no internal kind apart from none, no flags.
fn through_zipkin(mut span: Span, resource: &Attributes) -> Span {
    span.start_time = micros(span.start_time);
    let least = Timestamp::from_nanos(span.start_time.nanos() + 1000);
    span.end_time = span.end_time.map(|end| micros(end).max(least));
    let known: BTreeSet<String> = span.attributes.0.iter().map(|(key, _)| key.clone()).collect();
    let address = span.attributes.get("network.peer.address").and_then(Value::as_str);
    let has_address = address.is_some_and(|address| address.parse::<IpAddr>().is_ok());
    for (key, value) in &mut span.attributes.0 {
        let is_port = key == "network.peer.port" && has_address && matches!(value, Value::Int(1..65_536));
        if !is_port {
            *value = text(value);
        }
    }
    let of_resource = resource.0.iter().filter(|(key, _)| key != "service.name" && !known.contains(key));
    span.attributes.0.extend(of_resource.map(|(key, value)| (key.clone(), text(value))));
    if span.kind == SpanKind::Unspecified {
        span.kind = SpanKind::Internal;
    }
    span.flags = 1;
    span.events.iter_mut().for_each(|event| (event.time, event.dropped_attributes_count) = (micros(event.time), 0));
    span.links.iter_mut().for_each(|link| link.flags = 0);
    span
}

fn expected(span: &Span, format: SpanFormat, processes: &Processes) -> Span {
    in_order(match format {
        SpanFormat::Jaeger => through_jaeger(span.clone()),
        SpanFormat::Zipkin => through_zipkin(span.clone(), &processes[&span.process_id].resource),
        _ => span.clone(),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_was_exported_comes_back((spans, processes) in spans(), in_files in any::<bool>()) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let request = written(&spans, &processes, SpanFormat::OtlpProto);
        let lake = Lake::new(&[(WireFormat::OtlpTracesProtobuf, request)], in_files);
        let mut by_trace: BTreeMap<TraceId, Vec<Span>> = BTreeMap::new();
        for span in &spans {
            by_trace.entry(span.trace_id).or_default().push(span.clone());
        }
        for (trace, spans) in by_trace {
            for format in SpanFormat::ALL.into_iter().filter(|format| *format != SpanFormat::Chrome) {
                let bytes = runtime.block_on(async {
                    let exports = Exports::new(lake.traces.clone());
                    let chunks = exports.spans(whole(trace), format, ExportEncoding::Plain).await.unwrap().unwrap();
                    let chunks: Vec<bytes::Bytes> = chunks.try_collect().await.unwrap();
                    chunks.concat()
                });
                let back = Lake::new(&requests(format, &bytes), in_files).spans(trace);
                let mut expected: Vec<Span> = spans.iter().map(|span| expected(span, format, &processes)).collect();
                expected.sort_by_key(|span| (span.start_time, span.span_id));
                prop_assert_eq!(back.len(), expected.len(), "{}", format.name());
                for (found, mut expected) in back.into_iter().zip(expected) {
                    let found = in_order(found);
                    if matches!(format, SpanFormat::Jaeger | SpanFormat::Zipkin) {
                        // It is told by the resource, whose values changed.
                        expected.process_id = found.process_id;
                    }
                    prop_assert_eq!(found, expected, "{}", format.name());
                }
            }
        }
    }
}
