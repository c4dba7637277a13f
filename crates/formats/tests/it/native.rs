//! Native JSON.

use glasshouse_tables::Table;
use glasshouse_tables::ports::WireFormat;

use crate::rows::{decode, rejections, rows, try_decode};

const SPAN: &str =
    r#""trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","name":"n","service_name":"s""#;

fn spans(fields: &[&str]) -> String {
    let spans: Vec<_> = fields.iter().map(|fields| format!("{{{SPAN},{fields}}}")).collect();
    format!(r#"{{"spans":[{}]}}"#, spans.join(","))
}

#[test]
fn a_span_with_everything() {
    let body = r#"{"resource":{"host.name":"h","service.name":"ignored"},"spans":[{
        "trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","span_id":"00f067aa0ba902b7","parent_span_id":"00f067aa0ba902b6",
        "name":"GET /","service_name":"shop","start_time":"1700000000000000001","end_time":1700000000000000003,
        "kind":"server","status":{"code":"ERROR","message":"down"},
        "attributes":{"i":1,"d":1.0,"b":true,"n":null,"l":[1,"x"],"m":{"k":-1},"thread.id":7,"thread.name":"main"},
        "resource":{"host.name":"own","pid":3},
        "events":[{"time":"1700000000000000002","name":"e","attributes":{"a":"b"}}],
        "links":[{"trace_id":"4bf92f3577b34da6a3ce929d0e0e4737","span_id":"00f067aa0ba902b8","attributes":null}]}]}"#;
    let decoded = decode(WireFormat::NativeSpansJson, body);
    assert_eq!(
        rows(
            &decoded,
            Table::Spans,
            "trace_id span_id parent_span_id service_name name kind start_time duration_ns status_code status_message thread_id thread_name attributes"
        ),
        ["4bf92f3577b34da6a3ce929d0e0e4736|00f067aa0ba902b7|00f067aa0ba902b6|shop|GET /|SERVER|\
          2023-11-14T22:13:20.000000001Z|2|ERROR|down|7|main|{\"i\":1,\"d\":1.0,\"b\":true,\"n\":null,\"l\":[1,\"x\"],\
          \"m\":{\"k\":-1},\"thread.id\":7,\"thread.name\":\"main\"}"]
    );
    assert_eq!(
        rows(&decoded, Table::SpanEvents, "time name attributes"),
        ["2023-11-14T22:13:20.000000002Z|e|{\"a\":\"b\"}"]
    );
    assert_eq!(rows(&decoded, Table::SpanLinks, "linked_span_id attributes"), ["00f067aa0ba902b8|{}"]);
    assert_eq!(
        rows(&decoded, Table::Processes, "service_name host_name resource"),
        ["shop|own|{\"service.name\":\"shop\",\"host.name\":\"own\",\"pid\":3}"]
    );
}

#[test]
fn open_spans_have_no_end() {
    let decoded =
        decode(WireFormat::NativeSpansJson, spans(&[r#""start_time":1"#, r#""start_time":1,"end_time":null"#]));
    assert_eq!(rows(&decoded, Table::Spans, "end_time duration_ns"), ["NULL|NULL", "NULL|NULL"]);
}

#[test]
fn kinds_and_statuses_in_every_form() {
    let check = |fields: &str, expected: &str| {
        let decoded = decode(WireFormat::NativeSpansJson, spans(&[&format!(r#""start_time":1,{fields}"#)]));
        assert_eq!(rows(&decoded, Table::Spans, "kind status_code status_message"), [expected], "{fields}");
    };
    check(r#""kind":"SPAN_KIND_CLIENT""#, "CLIENT|UNSET|");
    check(r#""kind":5,"status":"ok""#, "CONSUMER|OK|");
    check(r#""kind":null,"status":null"#, "UNSPECIFIED|UNSET|");
    check(r#""status":{"code":2}"#, "UNSPECIFIED|ERROR|");
    check(r#""status":{"message":"m"}"#, "UNSPECIFIED|UNSET|m");
    check(r#""status":2"#, "UNSPECIFIED|ERROR|");
}

#[test]
fn spans_that_cannot_be_kept_are_refused_alone() {
    let deep = format!(r#""start_time":1,"attributes":{{"k":{}1{}}}"#, "[".repeat(40), "]".repeat(40));
    let body = spans(&[
        r#""start_time":1"#,
        r#""end_time":1"#,
        r#""start_time":"soon""#,
        r#""start_time":1,"parent_span_id":"x""#,
        r#""start_time":1,"kind":"boss""#,
        r#""start_time":1,"status":7"#,
        r#""start_time":1,"attributes":{"k":18446744073709551615}"#,
        r#""start_time":1,"events":[{"time":1,"name":"e","attributes":[]}]"#,
        r#""start_time":1,"links":[{"trace_id":"00000000000000000000000000000000","span_id":"00f067aa0ba902b8"}]"#,
        &deep,
        r#""start_time":2"#,
    ]);
    let decoded = decode(WireFormat::NativeSpansJson, body);
    assert_eq!(decoded.accepted, 2);
    let reasons: Vec<_> = rejections(&decoded).into_iter().map(|(index, reason)| format!("{index} {reason}")).collect();
    assert_eq!(
        reasons,
        [
            "1 missing field `start_time`",
            "2 invalid digit found in string",
            "3 expected 16 hex digits, got 1",
            "4 invalid value: string \"boss\", expected UNSPECIFIED, INTERNAL, SERVER, CLIENT, PRODUCER or CONSUMER",
            "5 expected UNSET, OK or ERROR, or an object with code and message",
            "6 attributes: not attributes as JSON: integer above 2^63 at line 1 column 25",
            "7 events[0].attributes: not attributes as JSON: invalid type: sequence, expected an object of attributes at line 1 column 0",
            "8 id must not be all zeros",
            "9 attributes: value nested more than 32 deep",
        ]
    );
    assert_eq!(rows(&decoded, Table::SpanEvents, "name"), Vec::<String>::new(), "nothing of a refused span is kept");
}

#[test]
fn malformed_bodies_are_refused_whole() {
    let check = |body: &str, expected: &str| {
        assert_eq!(
            try_decode(WireFormat::NativeSpansJson, body.as_bytes()).unwrap_err().to_string(),
            expected,
            "{body}"
        );
    };
    check(r#"{"spans":[{]}"#, "key must be a string at line 1 column 12");
    check(r#"{"spans":{}}"#, "invalid type: map, expected a list of spans at line 1 column 9");
    check(r#"{"resource":{}}"#, "missing field `spans` at line 1 column 15");
    check(
        r#"{"resource":[],"spans":[]}"#,
        "resource: not attributes as JSON: invalid type: sequence, expected an object of attributes at line 1 column 0 at the top level",
    );
}
