"""The list of processes: found, sorted, page by page."""

import json
import time
import uuid


NOW = time.time_ns()
SECOND = 10**9


def send(server, number, **resource):
    """A process of its own: started `number` seconds ago, heard of now."""
    attributes = {
        "service.name": f"service {number % 3}",
        "service.instance.id": str(uuid.UUID(int=number + 1)),
        "process.creation.time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW // SECOND - number)),
        **resource,
    }
    span = {
        "traceId": f"{number + 1:032x}",
        "spanId": f"{number + 1:016x}",
        "name": "work",
        "startTimeUnixNano": str(NOW - SECOND + number),
        "endTimeUnixNano": str(NOW),
    }
    values = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    scope = {"scopeSpans": [{"spans": [span]}]}
    server.post_json("/v1/traces", {"resourceSpans": [{"resource": {"attributes": values}, **scope}]})


def pages(server, question, limit):
    """All processes, page by page."""
    found, cursor = [], ""
    while cursor is not None:
        answer = json.loads(server.request(f"/api/processes?limit={limit}&{question}{cursor}"))
        found += answer["processes"]
        cursor = answer.get("next_cursor")
        cursor = cursor and f"&cursor={cursor.replace(' ', '%20')}"
    return [int(uuid.UUID(process["process_id"])) - 1 for process in found]


def test_what_a_process_sent_is_counted(server):
    for number in range(3):
        send(server, number)
    process = str(uuid.UUID(int=2))
    log = {"timeUnixNano": str(NOW), "severityNumber": 13, "body": {"stringValue": "careful"}}
    resource = {"attributes": [
        {"key": "service.name", "value": {"stringValue": "service 1"}},
        {"key": "service.instance.id", "value": {"stringValue": process}},
    ]}
    server.post_json("/v1/logs", {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [log, log]}]}]})
    open_span = {
        "traceId": f"{99:032x}",
        "spanId": f"{99:016x}",
        "name": "runs",
        "startTimeUnixNano": str(NOW),
        "status": {"code": 2},
        "attributes": [{"key": "thread.id", "value": {"intValue": "7"}}],
    }
    server.post_json("/v1/traces", {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [open_span]}]}]})
    told = json.loads(server.request(f"/api/process/{process}/statistics"))
    assert told == {
        "span_count": "2",
        "open_span_count": "1",
        "error_count": "1",
        "trace_count": "2",
        "log_count": "2",
        "levels": {"fatal": "0", "error": "0", "warn": "2", "info": "0", "debug": "0", "trace": "0", "unspecified": "0"},
        "metric_point_count": "0",
        "metric_count": "0",
        "thread_count": "1",
        "first_time": str(NOW - SECOND + 1),
        "last_time": str(NOW),
    }
    earlier = json.loads(server.request(f"/api/process/{process}/statistics?to={NOW}"))
    assert (earlier["span_count"], earlier["log_count"]) == ("1", "0")
    nobody = json.loads(server.request(f"/api/process/{uuid.UUID(int=77)}/statistics"))
    assert (nobody["span_count"], nobody.get("first_time")) == ("0", None)


def test_processes_are_sorted_and_found(server):
    for number in range(7):
        send(server, number)
    send(server, 7, **{"service.name": "odd-one", "note": 'C:\\temp "x" größe', "host.name": "Nest"})

    everything = list(range(8))
    services = {number: f"service {number % 3}" for number in range(7)} | {7: "odd-one"}
    # The later a process was sent, the newer is its last update; each started a second before the one before it.
    assert pages(server, "", 3) == everything[::-1]
    assert pages(server, "order=asc", 3) == everything
    assert pages(server, "sort=start", 3) == everything
    assert pages(server, "sort=start&order=asc", 1) == everything[::-1]
    by_service = sorted(everything, key=lambda number: (services[number], number))
    assert pages(server, "sort=service", 2) == by_service
    assert pages(server, "sort=service", 1) == by_service
    assert [services[n] for n in pages(server, "sort=service&order=desc", 3)] == sorted(services.values(), reverse=True)

    for text in ["ODD-", "nest", "c:%5Ctemp", "%22x%22", "gr%C3%B6%C3%9Fe", str(uuid.UUID(int=8))]:
        assert pages(server, f"search={text}", 10) == [7], text
    # Names of attributes are not what is looked for, as nearly all processes have them.
    assert pages(server, "search=host.name", 10) == []
    assert pages(server, "search=%25", 10) == []


def test_what_is_not_asked_for_is_not_told(server):
    send(server, 1)
    whole, = json.loads(server.request("/api/processes"))["processes"]
    assert whole["counts"] == {"spans": "1", "logs": "0", "metrics": "0"} and "service.name" in whole["properties"]
    short, = json.loads(server.request("/api/processes?counts=false&properties=false"))["processes"]
    assert short == {key: value for key, value in whole.items() if key not in ("counts", "properties")}
