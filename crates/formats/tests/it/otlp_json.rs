//! OTLP/JSON to the letter.

use glasshouse_tables::Table;
use glasshouse_tables::ports::WireFormat;

use crate::rows::{decode, rejections, rows, try_decode};

const TRACE_ID: &str = "5B8EFFF798038103D269B633813FC60C";

/// A request with one span of these fields.
fn span(fields: &str) -> String {
    format!(
        r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{TRACE_ID}","spanId":"EEE19B7EC3C1B174","startTimeUnixNano":"1",{fields}}}]}}]}}]}}"#
    )
}

#[test]
fn every_way_to_write_a_field_is_read() {
    let check = |fields: &str, columns, expected: &str| {
        let decoded = decode(WireFormat::OtlpTracesJson, span(fields));
        assert_eq!(rows(&decoded, Table::Spans, columns), [expected], "{fields}");
    };
    check(r#""endTimeUnixNano":"5""#, "duration_ns", "4");
    check(r#""endTimeUnixNano":5"#, "duration_ns", "4");
    check(r#""end_time_unix_nano":5.0"#, "duration_ns", "4");
    check(r#""endTimeUnixNano":null"#, "end_time duration_ns", "NULL|NULL");
    check(r#""kind":3"#, "kind", "CLIENT");
    check(r#""kind":"3""#, "kind", "CLIENT");
    check(r#""kind":"SPAN_KIND_CLIENT""#, "kind", "CLIENT");
    check(r#""kind":99"#, "kind", "UNSPECIFIED");
    check(r#""status":{"code":"STATUS_CODE_ERROR","message":"no"}"#, "status_code status_message", "ERROR|no");
    check(r#""parentSpanId":"""#, "parent_span_id", "NULL");
    check(r#""parent_span_id":"00f067aa0ba902b7""#, "parent_span_id", "00f067aa0ba902b7");
    check(r#""traceState":"ot=th:8""#, "sample_weight", "2.0");
    check(r#""flags":257,"droppedEventsCount":"7""#, "flags dropped_events_count", "257|7");
    check(r#""unknown":{"deep":[1,{"x":null}]},"name":"n""#, "name", "n");
    check(r#""name":"first","name":"last""#, "name", "last");
    let attributes = |values: &str| {
        let entries: Vec<_> = values.split(';').map(|value| format!(r#"{{"key":"k","value":{value}}}"#)).collect();
        format!(r#""attributes":[{}]"#, entries.join(","))
    };
    let check_value = |value: &str, expected: &str| {
        check(&attributes(value), "attributes", &format!("{{\"k\":{expected}}}"));
    };
    check_value(r#"{"stringValue":"\u00e9"}"#, "\"é\"");
    check_value(r#"{"intValue":"-9223372036854775808"}"#, "-9223372036854775808");
    check_value(r#"{"intValue":12}"#, "12");
    check_value(r#"{"int_value":1e3}"#, "1000");
    check_value(r#"{"doubleValue":1}"#, "1.0");
    check_value(r#"{"doubleValue":"1.5"}"#, "1.5");
    check_value(r#"{"doubleValue":"NaN"}"#, r#"{"$double":"NaN"}"#);
    check_value(r#"{"doubleValue":"-Infinity"}"#, r#"{"$double":"-Infinity"}"#);
    check_value(r#"{"bytesValue":"AP8="}"#, r#"{"$bytes":"AP8="}"#);
    check_value(r#"{"bytesValue":"AP-_"}"#, r#"{"$bytes":"AP+/"}"#);
    check_value(r#"{"bytesValue":"AP8"}"#, r#"{"$bytes":"AP8="}"#);
    check_value(r#"{"boolValue":false}"#, "false");
    check_value(r#"{"arrayValue":{}}"#, "[]");
    check_value(
        r#"{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":1}]}}}]}}"#,
        r#"{"a":[1]}"#,
    );
    check_value("{}", "null");
    check_value("null", "null");
    check_value(r#"{"stringValue":null}"#, "null");
}

#[test]
fn requests_without_items_are_empty() {
    for body in ["{}", r#"{"resourceSpans":[]}"#, r#"{"resourceSpans":null}"#, r#"{"resourceLogs":[1]}"#, " { } "] {
        let decoded = decode(WireFormat::OtlpTracesJson, body);
        assert!(decoded.batches.is_empty(), "{body}");
        assert_eq!((decoded.accepted, decoded.rejected), (0, 0), "{body}");
    }
}

#[test]
fn malformed_json_says_what_and_where() {
    let check = |body: &str, expected: &str| {
        let error = try_decode(WireFormat::OtlpTracesJson, body.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{body}");
    };
    check("", "EOF while parsing a value at line 1 column 0");
    check("[]", "invalid type: sequence, expected a JSON object (ExportTraceServiceRequest) at line 1 column 0");
    check("{\"a\":1}\n x", "trailing characters at line 2 column 2");
    check("{\"resourceSpans\":[{]}", "key must be a string at resourceSpans[0] (line 1 column 20)");
    check(r#"{"resourceSpans":{}}"#, "invalid type: map, expected a list at resourceSpans (line 1 column 19)");
    let within = |fields: &str, what: &str, path: &str| {
        let error = try_decode(WireFormat::OtlpTracesJson, span(fields).as_bytes()).unwrap_err();
        assert_eq!(error.what, what, "{fields}");
        let place = format!("resourceSpans[0].scopeSpans[0].spans[0].{path}");
        assert!(error.place.starts_with(&place) && error.place.contains("(line 1 column "), "{} {fields}", error.place);
    };
    within(
        r#""traceId":"5B8EFFF79803810x""#,
        "invalid value: string \"5B8EFFF79803810x\", expected a string of hex digits",
        "traceId",
    );
    within(r#""traceId":"5B8"}"#, "invalid value: string \"5B8\", expected a string of hex digits", "traceId");
    within(r#""name":7"#, "invalid type: integer `7`, expected a string", "name");
    within(
        r#""kind":"SERVER""#,
        "invalid value: string \"SERVER\", expected a number or a name such as SPAN_KIND_UNSPECIFIED",
        "kind",
    );
    within(r#""flags":-1"#, "invalid value: integer `-1`, expected an unsigned 32-bit integer", "flags");
    within(
        r#""flags":4294967296"#,
        "invalid value: integer `4294967296`, expected an unsigned 32-bit integer",
        "flags",
    );
    within(
        r#""endTimeUnixNano":"soon""#,
        "invalid value: string \"soon\", expected an unsigned 64-bit integer, as a string or a number",
        "endTimeUnixNano",
    );
    within(r#""events":[{},null]"#, "invalid type: null, expected a JSON object (Span.Event)", "events[1]");
    within(
        r#""events":[{"timeUnixNano":1.5}]"#,
        "invalid type: floating point `1.5`, expected an unsigned 64-bit integer, as a string or a number",
        "events[0].timeUnixNano",
    );
    within(
        r#""attributes":[{"value":{"boolValue":"true"}}]"#,
        "invalid type: string \"true\", expected a boolean",
        "attributes[0].value.boolValue",
    );
    within(
        r#""attributes":[{"value":{"bytesValue":"*"}}]"#,
        "invalid value: string \"*\", expected a string in base64",
        "attributes[0].value.bytesValue",
    );
    within(
        r#""attributes":[{"value":{"doubleValue":"inf"}}]"#,
        "invalid value: string \"inf\", expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"",
        "attributes[0].value.doubleValue",
    );
    let mut deep = r#"{"intValue":1}"#.to_owned();
    for _ in 0..32 {
        deep = format!(r#"{{"arrayValue":{{"values":[{deep}]}}}}"#);
    }
    within(
        &format!(r#""attributes":[{{"value":{deep}}}]"#),
        "attribute value nested more than 32 deep",
        "attributes[0].value.arrayValue",
    );
    let bottomless = format!(r#"{{"resourceSpans":{}"#, "[".repeat(100_000));
    check(
        &bottomless,
        "invalid type: sequence, expected a JSON object (ResourceSpans) at resourceSpans[0] (line 1 column 19)",
    );
    let ignored = format!(r#"{{"unknown":{}"#, "[".repeat(100_000));
    assert!(try_decode(WireFormat::OtlpTracesJson, ignored.as_bytes()).is_err());
}

#[test]
fn spans_that_cannot_be_kept_are_refused_alone() {
    let spans = [
        r#"{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","startTimeUnixNano":"5","endTimeUnixNano":"1"}"#,
        r#"{"traceId":"5B8E","spanId":"EEE19B7EC3C1B174","startTimeUnixNano":"5"}"#,
        r#"{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"0000000000000000","startTimeUnixNano":"5"}"#,
        r#"{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","parentSpanId":"EE","startTimeUnixNano":"5"}"#,
        r#"{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174"}"#,
        r#"{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","startTimeUnixNano":"18446744073709551615"}"#,
        r#"{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","startTimeUnixNano":"5","endTimeUnixNano":"9223372036854775808"}"#,
        r#"{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B175","startTimeUnixNano":"5",
            "events":[{"name":"kept"},{"timeUnixNano":"9223372036854775808"}],
            "links":[{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":""},{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174"}]}"#,
    ];
    let body = format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{}]}}]}}]}}"#, spans.join(","));
    let decoded = decode(WireFormat::OtlpTracesJson, body);
    assert_eq!(
        rejections(&decoded),
        [
            (1, "trace_id is not 16 bytes, or all zeros"),
            (2, "span_id is not 8 bytes, or all zeros"),
            (3, "parent_span_id is not 8 bytes"),
            (4, "start_time_unix_nano is missing"),
            (5, "start_time_unix_nano is past the year 2262"),
            (6, "end_time_unix_nano is past the year 2262"),
        ]
    );
    assert_eq!(
        rows(&decoded, Table::Spans, "span_id duration_ns dropped_events_count dropped_links_count service_name"),
        ["eee19b7ec3c1b174|-4|0|0|unknown_service", "eee19b7ec3c1b175|NULL|1|1|unknown_service"]
    );
    assert_eq!(rows(&decoded, Table::SpanEvents, "name time"), ["kept|1970-01-01T00:00:00.000000005Z"]);
    assert_eq!(rows(&decoded, Table::SpanLinks, "linked_span_id"), ["eee19b7ec3c1b174"]);
}

#[test]
fn many_rejections_are_counted_and_the_first_hundred_listed() {
    let spans = vec!["{}"; 150].join(",");
    let decoded = decode(
        WireFormat::OtlpTracesJson,
        format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#),
    );
    assert_eq!((decoded.accepted, decoded.rejected, decoded.rejections.len()), (0, 150, 100));
    assert!(decoded.batches.is_empty(), "no process without an item");
}

#[test]
fn log_times_fall_back_and_ids_that_are_invalid_are_none() {
    let body = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[
        {"timeUnixNano":"1","observedTimeUnixNano":"2","severityNumber":"SEVERITY_NUMBER_WARN","traceId":"00","spanId":"0000000000000000"},
        {"observedTimeUnixNano":"2","body":{"intValue":"7"}},
        {"severityNumber":21,"body":{"stringValue":"x"}},
        {"timeUnixNano":"9223372036854775808"}]}]}]}"#;
    let decoded = decode(WireFormat::OtlpLogsJson, body);
    assert_eq!(
        rows(&decoded, Table::Logs, "time observed_time level body body_type trace_id span_id"),
        [
            "1970-01-01T00:00:00.000000001Z|1970-01-01T00:00:00.000000002Z|3|NULL|NULL|NULL|NULL",
            "1970-01-01T00:00:00.000000002Z|1970-01-01T00:00:00.000000002Z|NULL|7|JSON|NULL|NULL",
            "2023-11-14T22:13:20Z|NULL|1|x|STRING|NULL|NULL",
        ]
    );
    assert_eq!(rejections(&decoded), [(3, "time_unix_nano or observed_time_unix_nano is past the year 2262")]);
}

#[test]
fn points_without_a_value_and_with_exemplars() {
    let body = r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"s"}}]},"scopeMetrics":[{"metrics":[
        {"name":"g","gauge":{"dataPoints":[{"timeUnixNano":"1","asInt":"-5"},{"timeUnixNano":"1","flags":1,"asDouble":0},{"timeUnixNano":"1"}]}},
        {"name":"s","summary":{"dataPoints":[{"timeUnixNano":"1","count":"2","sum":3,"quantileValues":[{"quantile":0.5,"value":1}]}]}},
        {"name":"h","histogram":{"dataPoints":[{"timeUnixNano":"1","count":"18446744073709551615"},
            {"timeUnixNano":"1","count":"1","exemplars":[{"timeUnixNano":"3","asInt":"4","traceId":"5B8EFFF798038103D269B633813FC60C","filteredAttributes":[{"key":"a","value":{"intValue":1}}]}]}]}},
        {"name":"nothing"}]}]}]}"#;
    let decoded = decode(WireFormat::OtlpMetricsJson, body);
    assert_eq!(
        rows(&decoded, Table::Metrics, "name kind value value_int count sum quantiles flags"),
        [
            "g|GAUGE|-5.0|-5|NULL|NULL|NULL|0",
            "g|GAUGE|NULL|NULL|NULL|NULL|NULL|1",
            "g|GAUGE|NULL|NULL|NULL|NULL|NULL|0",
            "s|SUMMARY|NULL|NULL|2|3.0|[{quantile: 0.5, value: 1.0}]|0",
            "h|HISTOGRAM|NULL|NULL|1|NULL|NULL|0",
        ]
    );
    assert_eq!(
        rows(&decoded, Table::Metrics, "exemplars")[4],
        "[{time: 1970-01-01T00:00:00.000000003Z, value: 4.0, value_int: 4, \
         trace_id: 5b8efff798038103d269b633813fc60c, span_id: NULL, attributes: {\"a\":1}}]"
    );
    assert_eq!(rejections(&decoded), [(4, "count is not below 2^63")]);
}
