"""OpenTelemetry's SDK for Node sends, as JSON and as protobuf."""

import json

import pytest


@pytest.mark.parametrize("protocol", ["json", "protobuf"])
def test_everything_arrives(server, send_with_node, protocol):
    service = f"node-{protocol}"
    root = json.loads(send_with_node(server, protocol, service))

    assert server.count("spans", f"service_name = '{service}'") == 100
    row = server.sql(f"SELECT * FROM spans WHERE span_id = '{root['spanId']}'")[0]
    assert (row["trace_id"], row["name"], row["kind"]) == (root["traceId"], "GET /things/:id", "SERVER")
    assert json.loads(row["attributes"]) == {
        "text": "Grüße 🚀",
        "int": 42,
        "double": 0.5,
        "yes": True,
        "texts": ["a", "b"],
        "numbers": [1, 2, 3],
    }
    assert server.count("spans", f"parent_span_id = '{root['spanId']}'") == 99
    failed = server.sql("SELECT * FROM spans WHERE status_code = 'ERROR'")[0]
    assert (failed["status_message"], json.loads(failed["attributes"])) == ("it failed", {"number": 7})
    event = server.sql("SELECT * FROM span_events")[0]
    assert (event["span_id"], event["name"], json.loads(event["attributes"])) == (failed["span_id"], "retry", {"attempt": 2})
    link = server.sql("SELECT * FROM span_links")[0]
    assert (link["span_id"], link["linked_span_id"]) == (failed["span_id"], root["spanId"])

    log = server.sql("SELECT * FROM logs")[0]
    assert (log["severity_number"], log["level"], log["trace_id"]) == (13, 3, root["traceId"])
    assert json.loads(log["body"]) == {"message": "structured", "list": [1, "two"]}
    assert json.loads(log["attributes"]) == {"attempt": 3}

    metrics = {row["name"]: row for row in server.sql("SELECT * FROM metrics")}
    assert set(metrics) == {"hits", "queue", "heat", "plain", "fine"}
    assert (metrics["hits"]["kind"], metrics["hits"]["value"], json.loads(metrics["hits"]["attributes"])) == ("SUM", 11, {"route": "/a"})
    assert (metrics["queue"]["value"], metrics["queue"]["is_monotonic"]) == (-2.5, False)
    assert (metrics["heat"]["kind"], metrics["heat"]["value"]) == ("GAUGE", 36.6)
    assert (metrics["plain"]["kind"], metrics["plain"]["count"], metrics["plain"]["sum"]) == ("HISTOGRAM", 3, 731.0)
    assert (metrics["fine"]["kind"], metrics["fine"]["count"]) == ("EXPONENTIAL_HISTOGRAM", 3)
    assert server.count("processes", f"service_name = '{service}' AND host_name = 'nest'") == 1
