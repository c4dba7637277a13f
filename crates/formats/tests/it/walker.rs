//! The walker against the oracle: on random requests, on their JSON, with fields in any order, and on bytes
//! that random changes have spoiled.

use glasshouse_formats::Formats;
use glasshouse_tables::ports::{Decoder, WireFormat};
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;
use serde::Serialize;

use crate::generate;
use crate::oracle::{self, Oracle, assert_same};
use crate::rows::{RECEIVED, decode};

fn check_all_encodings<M: Message + Serialize>(request: &M, [protobuf, json]: [WireFormat; 2], oracle: Oracle) {
    let body = request.encode_to_vec();
    let expected = oracle(&body, RECEIVED).unwrap();
    assert_same(&decode(protobuf, &body), &expected);
    let text = serde_json::to_vec(request).unwrap();
    assert_same(&decode(json, &text), &expected);
}

/// Bytes after random changes: both refuse them, or both read the same.
fn check_spoiled(mut body: Vec<u8>, changes: &[(Index, u8)], format: WireFormat, oracle: Oracle) {
    if body.is_empty() {
        return;
    }
    for (at, byte) in changes {
        let at = at.index(body.len());
        body[at] = *byte;
    }
    check_agreement(&body, format, oracle);
}

fn check_agreement(body: &[u8], format: WireFormat, oracle: Oracle) {
    match (Formats.decode(format, body, RECEIVED), oracle(body, RECEIVED)) {
        (Ok(ours), Ok(expected)) => assert_same(&ours, &expected),
        (Err(_), Err(_)) => {}
        (ours, expected) => panic!("ours: {:?}, prost: {:?}", ours.map(drop), expected.map(drop)),
    }
}

fn changes() -> impl Strategy<Value = Vec<(Index, u8)>> {
    proptest::collection::vec((any::<Index>(), any::<u8>()), 1..4)
}

const TRACES: [WireFormat; 2] = [WireFormat::OtlpTracesProtobuf, WireFormat::OtlpTracesJson];
const LOGS: [WireFormat; 2] = [WireFormat::OtlpLogsProtobuf, WireFormat::OtlpLogsJson];
const METRICS: [WireFormat; 2] = [WireFormat::OtlpMetricsProtobuf, WireFormat::OtlpMetricsJson];

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn traces_agree(request in generate::traces()) {
        check_all_encodings(&request, TRACES, oracle::traces);
    }

    #[test]
    fn logs_agree(request in generate::logs()) {
        check_all_encodings(&request, LOGS, oracle::logs);
    }

    #[test]
    fn metrics_agree(request in generate::metrics()) {
        check_all_encodings(&request, METRICS, oracle::metrics);
    }

    #[test]
    fn spoiled_traces_agree(request in generate::traces(), changes in changes()) {
        check_spoiled(request.encode_to_vec(), &changes, TRACES[0], oracle::traces);
    }

    #[test]
    fn spoiled_logs_agree(request in generate::logs(), changes in changes()) {
        check_spoiled(request.encode_to_vec(), &changes, LOGS[0], oracle::logs);
    }

    #[test]
    fn spoiled_metrics_agree(request in generate::metrics(), changes in changes()) {
        check_spoiled(request.encode_to_vec(), &changes, METRICS[0], oracle::metrics);
    }

    /// Protobuf: concatenated messages are one message, merged.
    #[test]
    fn concatenated_groups_merge(first in generate::traces(), second in generate::traces()) {
        let group = |request: &opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest| {
            request.resource_spans.first().map(Message::encode_to_vec).unwrap_or_default()
        };
        // The second resource comes after the first spans.
        let merged = [group(&first), group(&second)].concat();
        let mut body = Vec::new();
        prost::encoding::bytes::encode(1, &merged, &mut body);
        check_agreement(&body, TRACES[0], oracle::traces);
    }

    #[test]
    fn spoiled_json_never_panics(request in generate::metrics(), spans in generate::traces(), changes in changes()) {
        for (mut body, format) in [
            (serde_json::to_vec(&request).unwrap(), METRICS[1]),
            (serde_json::to_vec(&spans).unwrap(), TRACES[1]),
        ] {
            for (at, byte) in &changes {
                let at = at.index(body.len());
                body[at] = *byte;
            }
            let _ = Formats.decode(format, &body, RECEIVED);
            glasshouse_formats::traces_json_format(&body);
        }
    }
}
