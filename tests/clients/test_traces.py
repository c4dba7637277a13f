"""Traces as the web app asks for them: outlines, searches within, spans over time and duration, and what differs."""

import collections
import json
import random
import time
import urllib.parse

import pytest

from glasshouse import Refused

SECOND = 10**9
START = (time.time_ns() // SECOND - 1800) // 60 * 60 * SECOND


def attribute(key, value):
    kind = "intValue" if isinstance(value, int) else "stringValue"
    return {"key": key, "value": {kind: str(value)}}


def span(trace, number, parent=None, *, start, end, name="work", kind=1, failed=False, message="", attributes=(), events=()):
    return {
        "traceId": f"{trace:032x}",
        "spanId": f"{number:016x}",
        **({} if parent is None else {"parentSpanId": f"{parent:016x}"}),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(START + start),
        "endTimeUnixNano": str(START + end),
        "status": {"code": 2 if failed else 0, "message": message},
        "attributes": [attribute(key, value) for key, value in attributes],
        "events": [{"timeUnixNano": str(START + at), "name": event} for at, event in events],
    }


def send(server, service, spans, **resource):
    attributes = [attribute("service.name", service), *(attribute(key, value) for key, value in resource.items())]
    body = {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [{"spans": spans}]}]}
    server.post_json("/v1/traces", body)


def ask(server, path, **question):
    return json.loads(server.request(f"{path}?{urllib.parse.urlencode(question)}"))


def test_a_trace_in_columns(server):
    send(server, "front", [
        span(1, 1, start=0, end=100, name="GET /", kind=2, attributes=[("http.route", "/cart")], events=[(40, "retry")]),
        span(1, 2, 1, start=10, end=60, name="call", kind=3),
    ])
    send(server, "back", [
        span(1, 3, 2, start=20, end=50, name="GET /", kind=2, failed=True, message="Disk full", attributes=[("n", 42)]),
        span(1, 4, 99, start=30, end=35, name="orphan"),
        span(1, 5, 99, start=31, end=36, name="orphan"),
    ])
    # Sent twice: it is there once.
    send(server, "back", [span(1, 4, 99, start=30, end=35, name="orphan")])
    trace = f"{1:032x}"
    outline = ask(server, f"/v1/traces/{trace}/outline")
    assert outline["start_time"] == str(START)
    assert outline["span_ids"] == "".join(f"{number:016x}" for number in (1, 2, 3, 4, 5))
    assert outline["parents"] == [-1, 0, 1, 5, 5] and outline["missing_parents"] == f"{99:016x}"
    assert outline["starts"] == [0, 10, 20, 30, 31] and outline["durations"] == [100, 50, 30, 5, 5]
    assert [outline["names"][n] for n in outline["span_names"]] == ["GET /", "call", "GET /", "orphan", "orphan"]
    assert [outline["services"][n] for n in outline["span_services"]] == ["front", "front", "back", "back", "back"]
    assert outline["kinds"] == "23211" and outline["status_codes"] == "00200"
    events = outline["events"]
    assert (events["spans"], events["times"], outline["names"][events["names"][0]]) == ([0], [40], "retry")

    def found(text):
        return [int(span_id, 16) for span_id in ask(server, f"/v1/traces/{trace}/spans", text=text)["span_ids"]]

    assert found("ROUTE=/cart") == [1] and found("disk back") == [3] and found("n=42") == [3]
    assert found("retry") == [1] and found("get") == [1, 3] and found("nothing of it") == []
    assert ask(server, f"/v1/traces/{trace}/spans", text="orphan", limit=1)["more"] is True

    details = ask(server, f"/v1/traces/{trace}/spans/{3:016x}")
    whole = ask(server, f"/v1/traces/{trace}")
    assert details["span"] == next(span for span in whole["spans"] if span["span_id"] == f"{3:016x}")
    assert details["process"] in whole["processes"]


def test_spans_are_counted_and_compared(server):
    """A thousand spans with a slow tier; what is told is what counting by hand gives, hot and from files."""
    chance = random.Random(7)
    sent = []
    for number in range(1000):
        slow = number % 10 == 0
        root = number % 2 == 0
        length = chance.randrange(800, 1200) * 1_000_000 if slow else chance.randrange(1, 50) * 1_000_000
        start = chance.randrange(0, 1200 * SECOND)
        sent.append((
            span(
                1000 + number, 1, None if root else 7, start=start, end=start + length,
                name="POST /checkout", kind=2, failed=number % 50 == 0, message="declined" if number % 50 == 0 else "",
                attributes=[("customer.tier", "gold" if slow else "basic"), ("user.id", f"u{number}"), ("shard", number % 3)],
            ),
            start, length, root, slow,
        ))
    for part in range(4):
        send(server, "shop", [each[0] for each in sent[part::4]], **{"host.name": f"node-{part}"})
    send(server, "shop", [each[0] for each in sent[:50:4]], **{"host.name": "node-0"})

    def check(server):
        when = {"from": str(START), "to": str(START + 1300 * SECOND)}
        for root in (None, True):
            map = ask(server, "/api/traces/heatmap", columns=20, service="shop", **when, **({} if root is None else {"root": "true"}))
            step, bounds = int(map["step_ns"]), [int(bound) for bound in map["bounds_ns"]]
            counted = collections.Counter()
            for each, start, length, is_root, _ in sent:
                if root is None or is_root:
                    row = max(row for row, bound in enumerate(bounds) if bound <= length)
                    counted[((START + start) // step * step, row)] += 1
            assert {(int(cell["time"]), cell["row"]): int(cell["spans"]) for cell in map["cells"]} == counted
            assert sum(int(cell["errors"]) for cell in map["cells"]) == sum(
                1 for each, _, _, is_root, _ in sent if each["status"]["code"] == 2 and (root is None or is_root))
            assert len({cell["time"] for cell in map["cells"]}) <= 20

        differences = ask(server, "/api/traces/differences", selected_min_duration="500ms", **when)
        assert (differences["selected"], differences["rest"]) == ("100", "900")
        first = differences["values"][0]
        assert (first["place"], first["key"], first["value"]) == ("span", "customer.tier", "gold")
        assert (first["selected"], first["rest"]) == ("100", "0")
        assert "user.id" not in {value["key"] for value in differences["values"]}
        failing = ask(server, "/api/traces/differences", selected_error="true", **when)["values"]
        assert {"place": "field", "key": "status_message", "value": "declined", "selected": "20", "rest": "0"} in failing

        survey = ask(server, "/api/traces/attributes", text="tier=gold", **when)
        keys = {(key["place"], key["key"]): key for key in survey["keys"]}
        assert survey["spans"] == "100" and keys["span", "customer.tier"]["values"] == [{"value": "gold", "spans": "100"}]
        assert len(keys["span", "user.id"]["values"]) == 20 and ("resource", "host.name") in keys

        # What a part of the heatmap counts is what the search finds.
        found = ask(server, "/v1/traces", min_duration="500ms", root="true", kind="server", limit=1000, **when)
        assert len(found["traces"]) == sum(1 for *_, root, slow in sent if root and slow)
        assert ask(server, "/v1/traces", text="TIER=gold U10 declined", **when)["traces"][0]["root_name"] == "POST /checkout"
        assert ask(server, "/v1/traces", kind="client", **when)["traces"] == []

    check(server)
    check(server.restart())


def test_a_trace_of_many_spans_does_not_stop_the_search(start):
    """300,000 spans of one trace take more memory, all columns together, than this server has for answers."""
    server = start("--memory-limit", "192MiB")
    for part in range(15):
        spans = [
            span(5, 1 + part * 20_000 + number, None if part + number == 0 else 1, start=part * 1000 + number, end=10**7,
                 name=f"operation {number % 40}", attributes=[("user.id", f"u{number}"), ("http.route", f"/r{number % 9}")])
            for number in range(20_000)
        ]
        send(server, "batch", spans)
    send(server, "shop", [span(6, 1, start=SECOND, end=2 * SECOND, name="small")])
    listed = ask(server, "/v1/traces")["traces"]
    assert [(trace["root_name"], trace["span_count"]) for trace in listed] == [("small", 1), ("operation 0", 300_000)]
    trace = f"{5:032x}"
    assert len(ask(server, f"/v1/traces/{trace}/outline")["starts"]) == 300_000
    assert len(ask(server, f"/v1/traces/{trace}/spans", text="u4711 operation")["span_ids"]) == 15
    assert ask(server, f"/v1/traces/{trace}/spans/{1:016x}")["span"]["name"] == "operation 0"


@pytest.mark.parametrize("question, words", [
    ("heatmap?columns=0", "columns"),
    ("heatmap?kind=http", "producer"),
    ("differences?service=shop", "nothing is selected"),
    ("differences?selected_min_duration=fast", "selected_min_duration"),
    ("attributes?limit=3", "limit"),
])
def test_wrong_questions_are_told(server, question, words):
    with pytest.raises(Refused, match=words) as refused:
        server.request(f"/api/traces/{question}")
    assert refused.value.status == 400
