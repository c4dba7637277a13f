"""Values of metrics over time, as charts show them."""

import json
import time
import urllib.parse
import uuid

import pytest

from glasshouse import Refused

SECOND = 10**9
START = (time.time_ns() // SECOND - 3600) // 60 * 60 * SECOND
PROCESS = str(uuid.UUID(int=1))


def at(seconds):
    return str(START + seconds * SECOND)


def send(server, *metrics):
    resource = {"attributes": [
        {"key": "service.name", "value": {"stringValue": "shop"}},
        {"key": "service.instance.id", "value": {"stringValue": PROCESS}},
    ]}
    scope = {"scopeMetrics": [{"metrics": list(metrics)}]}
    server.post_json("/v1/metrics", {"resourceMetrics": [{"resource": resource, **scope}]})


def point(seconds, route="/", **more):
    attributes = [{"key": "http.route", "value": {"stringValue": route}}]
    return {"timeUnixNano": at(seconds), "startTimeUnixNano": at(0), "attributes": attributes, **more}


def series(server, **question):
    return json.loads(server.request(f"/api/metrics/series?{urllib.parse.urlencode(question)}"))


def lines(answer):
    """Of each route, the first value of its points by the second in which their step begins."""
    step = int(answer["step_ns"])
    return {
        line["attributes"][0]["value"]["stringValue"]: {
            (int(p["time"]) - step // 2 - START) // SECOND: p["values"][0] for p in line["points"]
        }
        for line in answer["series"]
    }


def test_each_kind_of_metric_becomes_what_it_means(server):
    cumulative, delta = 2, 1
    send(
        server,
        {"name": "memory", "unit": "By", "description": "In use", "gauge": {"dataPoints": [
            point(0, asInt="10"), point(5, asInt="20"), point(60, asDouble=7.5), point(0, "/b", asDouble=1)]}},
        {"name": "requests", "sum": {"aggregationTemporality": cumulative, "isMonotonic": True, "dataPoints": [
            point(60, asInt="600"), point(120, asInt="1800"), point(120, "/b", asInt="12")]}},
        {"name": "queued", "sum": {"aggregationTemporality": cumulative, "isMonotonic": False, "dataPoints": [
            point(60, asInt="5"), point(120, asInt="-3")]}},
        {"name": "bytes", "sum": {"aggregationTemporality": delta, "isMonotonic": True, "dataPoints": [
            {**point(60, asInt="60"), "startTimeUnixNano": at(0)}, {**point(120, asInt="600"), "startTimeUnixNano": at(60)}]}},
        {"name": "latency", "unit": "ms", "histogram": {"aggregationTemporality": cumulative, "dataPoints": [
            point(60, count="100", sum=500, explicitBounds=[10, 20], bucketCounts=["100", "0", "0"]),
            point(120, count="160", sum=2000, explicitBounds=[10, 20], bucketCounts=["100", "60", "0"])]}},
        {"name": "sizes", "exponentialHistogram": {"aggregationTemporality": delta, "dataPoints": [
            point(60, count="4", sum=12, scale=0, zeroCount="0", positive={"offset": 1, "bucketCounts": ["4"]})]}},
        {"name": "old", "summary": {"dataPoints": [
            point(60, count="10", sum=50, quantileValues=[{"quantile": 0.5, "value": 4}]), point(120, count="20", sum=150)]}},
    )
    listed = json.loads(server.request(f"/api/process/{PROCESS}/metrics"))
    names = [metric["name"] for metric in listed["metrics"]]
    assert names == ["bytes", "latency", "memory", "old", "queued", "requests", "sizes"]
    memory = listed["metrics"][2]
    assert (memory["unit"], memory["description"], memory["kind"], memory["point_count"]) == ("By", "In use", "GAUGE", "4")
    assert (memory["start_time"], memory["first_time"], memory["last_time"]) == (at(0), at(0), at(60))

    span = {"process": PROCESS, "from": at(0), "to": at(600), "points": 10}
    memory = series(server, name="memory", **span)
    assert memory["step_ns"] == str(60 * SECOND) and memory["columns"] == ["value"]
    assert lines(memory) == {"/": {0: 15, 60: 7.5}, "/b": {0: 1}}
    assert lines(series(server, name="requests", **span)) == {"/": {60: 10, 120: 20}, "/b": {120: 0.1}}
    assert lines(series(server, name="queued", **span)) == {"/": {60: 5, 120: -3}}
    assert lines(series(server, name="bytes", **span)) == {"/": {60: 1, 120: 10}}
    latency = series(server, name="latency", **span)
    assert latency["columns"] == ["p50", "p90", "p99", "average", "rate"]
    first, second = [p["values"] for p in latency["series"][0]["points"]]
    assert first == pytest.approx([5, 9, 9.9, 5, 100 / 60])
    assert second == pytest.approx([15, 19, 19.9, 25, 1])
    sizes = series(server, name="sizes", **span)["series"][0]["points"][0]["values"]
    assert sizes == pytest.approx([3, 3.8, 3.98, 3, 4 / 60])
    old = series(server, name="old", service="shop", **span)
    assert old["columns"] == ["average", "rate"] and old["series"][0]["points"][1]["values"] == pytest.approx([10, 1 / 6])
    # Without ends, the time that there is.
    assert lines(series(server, name="queued")) == {"/": {60: 5, 120: -3}}
    assert series(server, name="nothing")["series"] == []


def test_the_greatest_series_are_given_and_the_others_counted(server):
    points = [point(second, f"/{number}", asInt=str(number)) for number in range(30) for second in (0, 1)]
    send(server, {"name": "many", "gauge": {"dataPoints": points}})
    few = series(server, name="many", series=3)
    assert list(lines(few)) == ["/29", "/28", "/27"] and few["hidden_series_count"] == 27


def test_what_is_not_the_same_is_kept_apart(server):
    counter = {"aggregationTemporality": 2, "isMonotonic": True}
    points = lambda each: [point(second, asInt=str(second * each)) for second in (60, 120, 120)]
    scopes = [
        {"scope": {"name": name}, "metrics": [{"name": "calls", "sum": {**counter, "dataPoints": points(each)}}]}
        for name, each in (("slow", 1), ("fast", 100))
    ]
    gauge = {"name": "calls", "gauge": {"dataPoints": [point(5, asInt="7")]}}
    resource = {"attributes": [{"key": "service.instance.id", "value": {"stringValue": PROCESS}}]}
    body = {"resourceMetrics": [{"resource": resource, "scopeMetrics": [*scopes, {"metrics": [gauge]}]}]}
    server.post_json("/v1/metrics", body)
    span = {"name": "calls", "from": at(0), "to": at(600), "points": 10}
    found = series(server, kind="SUM", **span)
    # A point that was sent again adds nothing.
    rates = {line["scope_name"]: [p["values"] for p in line["points"]] for line in found["series"]}
    assert rates == {"fast": [[100], [100]], "slow": [[1], [1]]} and found["skipped_point_count"] == 0
    assert lines(series(server, kind="GAUGE", **span)) == {"/": {0: 7}}
    assert series(server, **span)["skipped_point_count"] > 0


@pytest.mark.parametrize("question, words", [
    ({}, "parameter name is missing"),
    ({"name": "x", "points": "0"}, "1 to 2000"),
    ({"name": "x", "process": "y"}, "parameter process"),
])
def test_what_is_wrong_is_told(server, question, words):
    with pytest.raises(Refused) as refused:
        series(server, **question)
    assert refused.value.status == 400 and words in refused.value.body


def of_host(host, service, *metrics):
    """Metrics of a process of a service."""
    resource = {"attributes": [
        {"key": "service.name", "value": {"stringValue": service}},
        {"key": "service.instance.id", "value": {"stringValue": str(uuid.UUID(int=host))}},
    ]}
    return {"resource": resource, "scopeMetrics": [{"metrics": list(metrics)}]}


def grouped(answer):
    """Of each group, the first value of its points."""
    return {
        tuple(a["value"]["stringValue"] for a in line["attributes"]): [p["values"][0] for p in line["points"]]
        for line in answer["series"]
    }


def test_series_are_put_together(server):
    gauge = lambda value: {"name": "memory", "unit": "By", "gauge": {"dataPoints": [
        point(second, route, asInt=str(value * factor)) for second in range(0, 600, 10) for route, factor in (("/a", 1), ("/b", 10))]}}
    counter = lambda each: {"name": "calls", "sum": {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [
        point(second, asInt=str(second * each)) for second in range(0, 600, 10)]}}
    histogram = lambda bucket: {"name": "latency", "unit": "ms", "histogram": {"aggregationTemporality": 1, "dataPoints": [
        {**point(60, count="10", sum=50, explicitBounds=[10, 20],
                 bucketCounts=["10" if n == bucket else "0" for n in range(3)]), "startTimeUnixNano": at(0)}]}}
    server.post_json("/v1/metrics", {"resourceMetrics": [
        of_host(1, "shop", gauge(1), counter(1), histogram(0)),
        of_host(2, "shop", gauge(2), counter(3), histogram(1)),
        of_host(3, "bank", gauge(5), counter(6), histogram(1)),
    ]})
    span = {"from": at(0), "to": at(600), "points": 200}
    memory = lambda **question: grouped(series(server, name="memory", **span, **question))
    # Points come each ten seconds: a step is no shorter than two of them.
    assert series(server, name="memory", aggregate="sum", **span)["step_ns"] == str(30 * SECOND)
    assert memory(aggregate="sum") == {(): [88] * 20}
    assert memory(aggregate="average", by="service_name") == {("bank",): [27.5] * 20, ("shop",): [8.25] * 20}
    assert memory(aggregate="max", by="http.route") == {("/a",): [5] * 20, ("/b",): [50] * 20}
    assert memory(aggregate="min", by="http.route,service_name", service="shop") == {
        ("/a", "shop"): [1] * 20, ("/b", "shop"): [10] * 20}
    assert memory(aggregate="sum", **{"attr.http.route": "/a"}) == {(): [8] * 20}
    by_process = memory(aggregate="sum", by="process_id")
    assert by_process[(str(uuid.UUID(int=3)),)] == [55] * 20 and len(by_process) == 3
    calls = series(server, name="calls", aggregate="sum", **span)
    assert grouped(calls) == {(): [10] * 20} and calls["series"][0]["series_count"] == 3
    assert "process_id" not in calls["series"][0]
    latency = series(server, name="latency", aggregate="sum", percentiles="25,99.9", **span)
    assert latency["columns"] == ["p25", "p99.9", "average", "rate"]
    assert latency["series"][0]["points"][0]["values"] == pytest.approx([7.5, 19.985, 5, 0.5])

    listed = json.loads(server.request(f"/api/metrics?{urllib.parse.urlencode({'service': 'shop'})}"))
    assert [(m["name"], m["point_count"]) for m in listed["metrics"]] == [("calls", "120"), ("latency", "2"), ("memory", "240")]
    asked = urllib.parse.urlencode({"name": "memory", "service": "shop"})
    keys = json.loads(server.request(f"/api/metrics/attributes?{asked}"))
    assert (keys["series_count"], keys["is_complete"]) == (4, True)
    assert [key["key"] for key in keys["attributes"]] == ["http.route", "process_id", "scope_name", "service_name"]
    assert keys["attributes"][0]["values"] == [{"value": "/a", "series_count": 2}, {"value": "/b", "series_count": 2}]


def test_exemplars_lead_to_their_traces(server):
    exemplar = lambda second, value, trace: {
        "timeUnixNano": at(second), "asDouble": value, "traceId": f"{trace:032x}", "spanId": f"{trace:016x}"}
    bounds = {"count": "10", "sum": 50, "explicitBounds": [10], "bucketCounts": ["9", "1"]}
    points = [
        # A cumulative point repeats what was told before.
        point(60, **bounds, exemplars=[exemplar(5, 12.5, 1), exemplar(6, 3, 2)]),
        point(120, **bounds, exemplars=[exemplar(5, 12.5, 1), exemplar(70, 15, 3)]),
        point(120, "/b", **bounds, exemplars=[exemplar(71, 99, 4), {"timeUnixNano": at(72), "asInt": "7"}]),
    ]
    send(server, {"name": "latency", "histogram": {"aggregationTemporality": 2, "dataPoints": points}})
    ask = lambda **question: json.loads(server.request(
        f"/api/metrics/exemplars?{urllib.parse.urlencode({'name': 'latency', **question})}"))["exemplars"]
    found = ask()
    assert [(e["time"], e["value"], int(e["trace_id"], 16), int(e["span_id"], 16)) for e in found] == [
        (at(5), 12.5, 1, 1), (at(6), 3, 2, 2), (at(70), 15, 3, 3), (at(71), 99, 4, 4)]
    assert {e["service_name"] for e in found} == {"shop"}
    assert [e["value"] for e in ask(**{"attr.http.route": "/b"})] == [99]
    assert [e["value"] for e in ask(**{"from": at(70), "to": at(71)})] == [15]
    few = [e["value"] for e in ask(limit=1, **{"from": at(0), "to": at(121)})]
    assert 99 in few and len(few) <= 2


@pytest.mark.parametrize("question, words", [
    ({"aggregate": "median"}, "none of sum, average, min, max"),
    ({"by": "http.route"}, "put together"),
    ({"percentiles": "101"}, "0 to 100"),
])
def test_what_is_wrong_with_putting_together_is_told(server, question, words):
    with pytest.raises(Refused) as refused:
        series(server, name="x", **question)
    assert refused.value.status == 400 and words in refused.value.body
