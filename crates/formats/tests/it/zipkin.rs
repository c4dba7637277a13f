//! Zipkin v2 JSON.

use glasshouse_tables::Table;
use glasshouse_tables::ports::WireFormat;

use crate::rows::{decode, rejections, rows, try_decode};

#[test]
fn a_span_with_everything() {
    let body = r#"[{"traceId":"5982fe77008310cc80f1da5e10147517","parentId":"90394f6bcffb5d13","id":"67fae42571535f60","kind":"SERVER",
        "name":"get /","timestamp":1516781775726000,"duration":26000,
        "localEndpoint":{"serviceName":"web","ipv4":"10.57.50.83","port":8080},
        "remoteEndpoint":{"serviceName":"proxy","ipv6":"::1","port":0},
        "annotations":[{"timestamp":1516781775726001,"value":"ws"}],
        "tags":{"http.path":"/","error":"timed out","otel.scope.name":"lib"}}]"#;
    let decoded = decode(WireFormat::ZipkinV2Json, body);
    assert_eq!(
        rows(
            &decoded,
            Table::Spans,
            "trace_id span_id parent_span_id service_name name kind start_time duration_ns status_code status_message scope_name attributes"
        ),
        ["5982fe77008310cc80f1da5e10147517|67fae42571535f60|90394f6bcffb5d13|web|get /|SERVER|\
          2018-01-24T08:16:15.726Z|26000000|ERROR|timed out|lib|{\"http.path\":\"/\",\"error\":\"timed out\",\
          \"network.local.address\":\"10.57.50.83\",\"network.local.port\":8080,\"peer.service\":\"proxy\",\
          \"network.peer.address\":\"::1\"}"]
    );
    assert_eq!(
        rows(&decoded, Table::SpanEvents, "time name span_id"),
        ["2018-01-24T08:16:15.726001Z|ws|67fae42571535f60"]
    );
    assert_eq!(rows(&decoded, Table::Processes, "service_name resource"), ["web|{\"service.name\":\"web\"}"]);
}

fn call(client: &str, server: &str) -> Vec<String> {
    let body = format!(
        r#"[{{"traceId":"1","id":"a","kind":"CLIENT","timestamp":1,"localEndpoint":{{"serviceName":"front"}}{client}}},
            {{"traceId":"1","id":"a","kind":"SERVER","timestamp":2,"localEndpoint":{{"serviceName":"back"}}{server}}},
            {{"traceId":"1","id":"b","parentId":"a","timestamp":3,"localEndpoint":{{"serviceName":"back"}}}},
            {{"traceId":"1","id":"c","parentId":"a","timestamp":3,"localEndpoint":{{"serviceName":"front"}}}}]"#
    );
    rows(&decode(WireFormat::ZipkinV2Json, body), Table::Spans, "span_id parent_span_id service_name kind")
}

#[test]
fn both_halves_of_a_shared_span_are_kept_and_children_stay_with_their_half() {
    let expected = [
        "000000000000000a|NULL|front|CLIENT",
        "b19dbab701a59cf0|000000000000000a|back|SERVER",
        "000000000000000b|b19dbab701a59cf0|back|INTERNAL",
        "000000000000000c|000000000000000a|front|INTERNAL",
    ];
    assert_eq!(call("", r#","shared":true"#), expected);
    assert_eq!(call("", ""), expected, "halves are recognised without the flag");
}

#[test]
fn the_server_half_alone_gets_the_same_id() {
    let half = r#"[{"traceId":"1","id":"a","kind":"SERVER","shared":true,"timestamp":2,"localEndpoint":{"serviceName":"back"}}]"#;
    let decoded = decode(WireFormat::ZipkinV2Json, half);
    assert_eq!(rows(&decoded, Table::Spans, "span_id parent_span_id"), ["b19dbab701a59cf0|000000000000000a"]);
    let own = half.replace(r#""shared":true,"#, r#""parentId":"7","#);
    let decoded = decode(WireFormat::ZipkinV2Json, own);
    assert_eq!(rows(&decoded, Table::Spans, "span_id parent_span_id"), ["000000000000000a|0000000000000007"]);
}

#[test]
fn what_is_absent_is_unknown() {
    let check = |fields: &str, columns, expected: &str| {
        let decoded = decode(WireFormat::ZipkinV2Json, format!(r#"[{{"traceId":"1","id":"2",{fields}}}]"#));
        assert_eq!(rows(&decoded, Table::Spans, columns), [expected], "{fields}");
    };
    check(r#""timestamp":1"#, "service_name name kind end_time", "unknown_service||INTERNAL|NULL");
    check(r#""timestamp":"1","duration":0,"name":null,"tags":null"#, "duration_ns name", "0|");
    check(
        r#""annotations":[{"timestamp":9,"value":"x"},{"timestamp":8,"value":"y"}]"#,
        "start_time",
        "1970-01-01T00:00:00.000008Z",
    );
    check(r#""timestamp":1,"tags":{"error":"false"}"#, "status_code", "UNSET");
    check(r#""timestamp":1,"tags":{"error":""}"#, "status_code status_message", "ERROR|");
    check(r#""timestamp":1,"tags":{"otel.status_code":"OK"}"#, "status_code attributes", "OK|{}");
    check(r#""timestamp":1,"parentId":"0""#, "parent_span_id", "NULL");
}

#[test]
fn spans_that_cannot_be_kept_are_refused_alone() {
    let body = r#"[{"traceId":"1","id":"2"},{"traceId":"0","id":"2","timestamp":1},{"traceId":"1","id":"xyz","timestamp":1},
        {"traceId":"1","timestamp":1},{"traceId":"1","id":"2","timestamp":-1},{"traceId":"1","id":"2","timestamp":18446744073709551615},
        {"traceId":"1","id":"2","timestamp":1,"kind":"BOSS"},{"traceId":"1","id":"2","timestamp":1,"tags":{"a":1}},7,
        {"traceId":"123456789012345678901234567890123","id":"2","timestamp":1},{"traceId":"1","id":"2","timestamp":1}]"#;
    let decoded = decode(WireFormat::ZipkinV2Json, body);
    assert_eq!(decoded.accepted, 1);
    let reasons: Vec<_> = rejections(&decoded).into_iter().map(|(index, reason)| format!("{index} {reason}")).collect();
    assert_eq!(
        reasons,
        [
            "0 timestamp is missing",
            "1 traceId \"0\": id must not be all zeros",
            "2 id \"xyz\": character 13 is not a hex digit",
            "3 missing field `id`",
            "4 invalid type: integer `-1`, expected microseconds, as a number",
            "5 18446744073709551615 microseconds are past the year 2262",
            "6 kind \"BOSS\" is not CLIENT, SERVER, PRODUCER or CONSUMER",
            "7 invalid type: integer `1`, expected a string",
            "8 invalid type: integer `7`, expected a span (a JSON object)",
            "9 traceId \"123456789012345678901234567890123\": expected 32 hex digits, got 33",
        ]
    );
}

#[test]
fn malformed_bodies_are_refused_whole() {
    let check = |body: &str, expected: &str| {
        assert_eq!(try_decode(WireFormat::ZipkinV2Json, body.as_bytes()).unwrap_err().to_string(), expected, "{body}");
    };
    check("{}", "invalid type: map, expected a list of spans at line 1 column 0");
    check("[{]", "key must be a string at line 1 column 3");
    check("", "EOF while parsing a value at line 1 column 0");
}
