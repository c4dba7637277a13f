"""Telemetry that other projects recorded: everything is there, also after a restart and when sent twice."""

import json

import pytest

from glasshouse import TEST_DATA, needs_recordings

pytestmark = needs_recordings

PATHS = {"resourceSpans": "/v1/traces", "resourceLogs": "/v1/logs", "resourceMetrics": "/v1/metrics"}
TABLES = ("processes", "spans", "span_events", "span_links", "logs", "metrics")


def replay(server, lines):
    for line in lines:
        signal = next(iter(json.loads(line)))
        server.post_json(PATHS[signal], line)


def otel_demo():
    return (TEST_DATA / "otel-demo/otel-demo.otlp.jsonl").read_bytes().splitlines()


def otel_demo_counts(server):
    return {
        "spans": server.count("spans"),
        "distinct spans": server.sql("SELECT count(*) AS n FROM (SELECT DISTINCT trace_id, span_id FROM spans)")[0]["n"],
        "links": server.count("span_links"),
        "events": server.count("span_events"),
        "errors": server.count("spans", "status_code = 'ERROR'"),
        "logs": server.count("logs"),
        "data points": server.count("metrics"),
        "metrics": server.sql(METRICS)[0]["n"],
    }


# A metric of a request holds data points that differ in their attributes.
METRICS = "SELECT count(*) AS n FROM (SELECT DISTINCT ingest_time, process_id, scope_name, name FROM metrics)"
EXPECTED = {
    "spans": 547,
    "distinct spans": 547,
    "links": 53,
    "events": 139,
    "errors": 107,
    "logs": 23,
    "data points": 4551,
    "metrics": 2650,
}


def all_traces(server):
    """Every trace that the list gives, page after page, with its spans.

    Its processes' resources are left out: in this recording the same process describes itself in several ways.
    """
    ids, cursor = [], ""
    while True:
        page = server.get(f"/v1/traces?limit=20{cursor}")
        ids += [trace["trace_id"] for trace in page["traces"]]
        if "next_cursor" not in page:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(set(ids)) == len(ids)
    return {id: {"spans": in_order_of_keys(server.get(f"/v1/traces/{id}")["spans"])} for id in ids}


def all_rows(server, table):
    """The rows in an order that does not depend on where they are kept."""
    rows = server.sql(f"SELECT * FROM {table}")
    for row in rows:
        for column in row.keys() & {"attributes", "resource"}:
            row[column] = json.loads(row[column] or "{}")
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def in_order_of_keys(value):
    """Attributes are a set: which comes first depends on where they are kept."""
    if isinstance(value, dict):
        return {key: in_order_of_keys(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [in_order_of_keys(item) for item in value]
        return sorted(items, key=lambda item: item["key"]) if items and isinstance(items[0], dict) and "key" in items[0] else items
    return value


def test_otel_demo(server):
    replay(server, otel_demo())
    assert otel_demo_counts(server) == EXPECTED
    traces = all_traces(server)
    assert sum(len(trace["spans"]) for trace in traces.values()) == 547
    assert sum(len(span["events"]) for trace in traces.values() for span in trace["spans"]) == 139
    assert sum(len(span["links"]) for trace in traces.values() for span in trace["spans"]) == 53
    rows = {table: all_rows(server, table) for table in TABLES}

    # Once more, at once: recognised as sent again.
    replay(server, otel_demo())
    assert otel_demo_counts(server) == EXPECTED

    # From files, and after a restart.
    server.wait_until_flushed()
    assert otel_demo_counts(server) == EXPECTED
    # When a process was seen last is told at most a second late.
    rows["processes"] = all_rows(server, "processes")
    server.restart()
    assert otel_demo_counts(server) == EXPECTED
    assert all_traces(server) == traces
    for table, before in rows.items():
        assert all_rows(server, table) == before, table

    # In another arrangement of bytes it is not recognised as a whole, but no trace shows a span twice.
    replay(server, [json.dumps(json.loads(line)).encode() for line in otel_demo()])
    assert otel_demo_counts(server)["distinct spans"] == 547
    assert all_traces(server).keys() == traces.keys()
    assert {id: len(trace["spans"]) for id, trace in all_traces(server).items()} == {
        id: len(trace["spans"]) for id, trace in traces.items()
    }


def test_otel_demo_values(server):
    """Every attribute of every span, as it was recorded."""
    replay(server, otel_demo())
    rows = {row["span_id"]: row for row in server.sql("SELECT * FROM spans")}
    compared = 0
    for line in otel_demo():
        for resource in json.loads(line).get("resourceSpans", []):
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    row = rows[span["spanId"]]
                    assert row["start_time"] == int(span["startTimeUnixNano"])
                    assert row["end_time"] == int(span["endTimeUnixNano"])
                    assert row["name"] == span["name"]
                    assert row["parent_span_id"] == (span.get("parentSpanId") or None)
                    expected = {a["key"]: plain(a["value"]) for a in span.get("attributes", [])}
                    assert json.loads(row["attributes"] or "{}") == expected
                    compared += len(expected)
    assert compared > 3000


def plain(value):
    """An OTLP/JSON value as SQL's JSON text shows it."""
    kind, value = next(iter(value.items())) if value else ("none", None)
    if kind == "intValue":
        return int(value)
    if kind == "arrayValue":
        return [plain(item) for item in value.get("values", [])]
    if kind == "kvlistValue":
        return {item["key"]: plain(item["value"]) for item in value.get("values", [])}
    return value


def test_otlp_examples(server):
    for name in ("trace", "logs", "metrics", "events"):
        replay(server, [(TEST_DATA / f"otlp-examples/{name}.json").read_bytes()])
    span = server.sql("SELECT * FROM spans")[0]
    assert (span["trace_id"], span["span_id"]) == ("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174")
    assert (span["parent_span_id"], span["name"], span["kind"]) == ("eee19b7ec3c1b173", "I'm a server span", "SERVER")
    assert span["start_time"] == 1544712660000000000 and span["duration_ns"] == 1_000_000_000
    assert json.loads(span["attributes"]) == {"my.span.attr": "some value"}
    example = json.loads((TEST_DATA / "otlp-examples/metrics.json").read_text())
    metrics = example["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    assert server.count("metrics") == len(metrics)
    assert {row["name"] for row in server.sql("SELECT name FROM metrics")} == {metric["name"] for metric in metrics}
    records = 0
    for name in ("logs", "events"):
        example = json.loads((TEST_DATA / f"otlp-examples/{name}.json").read_text())
        records += sum(len(s["logRecords"]) for r in example["resourceLogs"] for s in r["scopeLogs"])
    assert server.count("logs") == records


@pytest.mark.parametrize("name", ["messaging-kafka", "smartthings-oauth-authorization"])
def test_zipkin(server, name):
    body = (TEST_DATA / f"zipkin/{name}.json").read_bytes()
    recorded = json.loads(body)
    traces = {span["traceId"].rjust(32, "0") for span in recorded}
    for _ in range(2):
        server.post_json("/api/v2/spans", body)
        found = all_traces(server)
        assert found.keys() == traces
        # Client and servers may share an id: each of them reports a span of its own.
        assert sum(len(trace["spans"]) for trace in found.values()) == len(recorded)
        ids = [(s["trace_id"], s["span_id"]) for trace in found.values() for s in trace["spans"]]
        assert len(set(ids)) == len(ids)
    names = {row["service_name"] for row in server.sql("SELECT DISTINCT service_name FROM spans")}
    assert names == {s["localEndpoint"]["serviceName"] for s in recorded if s.get("localEndpoint", {}).get("serviceName")}
