"""Log records searched, page by page, and counted over time."""

import json
import time
import urllib.parse
import uuid

import pytest

from glasshouse import Refused

SECOND = 10**9
START = (time.time_ns() // SECOND - 3600) * SECOND
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
# Severity numbers of TRACE, DEBUG, INFO, WARN, ERROR, FATAL, and of none.
SEVERITIES = [1, 5, 9, 13, 17, 21, 0]


def process(number):
    return str(uuid.UUID(int=number + 1))


def record(number, **more):
    """The record of a number: some are of the same time, and all levels come in turn."""
    return {
        "timeUnixNano": str(START + number // 5 * SECOND),
        "severityNumber": SEVERITIES[number % 7],
        "body": {"stringValue": f"record {number:04}"},
        **more,
    }


def send(server, number, records):
    resource = {"attributes": [
        {"key": "service.name", "value": {"stringValue": f"service {number}"}},
        {"key": "service.instance.id", "value": {"stringValue": process(number)}},
    ]}
    server.post_json("/v1/logs", {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]})


def ask(server, path="/api/logs", **question):
    return json.loads(server.request(f"{path}?{urllib.parse.urlencode(question)}"))


def all_pages(server, **question):
    """All records, page by page."""
    answer = ask(server, **question)
    while True:
        yield from answer["logs"]
        if "next_cursor" not in answer:
            return
        answer = ask(server, **question, cursor=answer["next_cursor"])


def numbers(records):
    return [int(record["body"]["stringValue"].split()[1]) for record in records]


@pytest.fixture
def filled(server):
    """200 records of two processes, and some that are special."""
    for part in (range(0, 30), range(30, 60), range(60, 100)):
        send(server, 0, [record(number) for number in part])
    send(server, 1, [record(number) for number in range(100, 200)])
    return server


def test_every_record_comes_once_in_order(filled):
    for limit in (1, 3, 7, 200):
        newest = list(all_pages(filled, limit=limit))
        assert sorted(numbers(newest)) == list(range(200))
        times = [int(record["time"]) for record in newest]
        assert times == sorted(times, reverse=True)
        oldest = list(all_pages(filled, limit=limit, order="asc"))
        assert sorted(numbers(oldest)) == list(range(200))
        assert [record["time"] for record in oldest] == [record["time"] for record in reversed(newest)]
    # What comes in while somebody reads does not push pages about.
    first = ask(filled, limit=13)
    send(filled, 2, [record(number) for number in range(500, 505)])
    second = ask(filled, limit=187, cursor=first["next_cursor"])
    assert sorted(numbers(first["logs"] + second["logs"])) == list(range(200))
    # Records that are alike but for their attributes, and late ones of the same time.
    alike = [record(0, body={"stringValue": "same"}, attributes=[{"key": "n", "value": {"intValue": str(n)}}]) for n in range(60)]
    for part in (alike[:20], alike[20:40]):
        send(filled, 5, part)
    found = ask(filled, service="service 5", limit=7)
    send(filled, 5, alike[40:])
    rest = [found]
    while "next_cursor" in rest[-1]:
        rest.append(ask(filled, service="service 5", limit=7, cursor=rest[-1]["next_cursor"]))
    seen = [record["attributes"][0]["value"]["intValue"] for page in rest for record in page["logs"]]
    assert sorted(seen, key=int) == [str(n) for n in range(60)]
    inside = all_pages(filled, limit=4, **{"from": START + 2 * SECOND, "to": START + 4 * SECOND})
    assert sorted(numbers(inside)) == list(range(10, 20))


def test_records_are_found_by_all_that_they_carry(filled):
    special = [
        record(300, traceId=TRACE, spanId=SPAN, eventName="Order.Placed"),
        record(301, attributes=[{"key": "it's.a key", "value": {"stringValue": 'says "hi" 100%'}}]),
        record(302, body={"kvlistValue": {"values": [{"key": "amount", "value": {"intValue": "9007199254740993"}}]}}),
        record(303, attributes=[{"key": "http.route", "value": {"stringValue": "/cart/{id}"}}]),
    ]
    send(filled, 3, special)

    def found(**question):
        return [int(record["time"]) // SECOND - START // SECOND for record in all_pages(filled, **question)]

    assert found(trace_id=TRACE) == found(span_id=SPAN) == found(search="order.placed") == [60]
    assert found(search='SAYS "HI" 100%') == found(**{"attr.it's.a key": 'says "hi" 100%'}) == [60]
    assert found(**{"attr.http.route": "/cart/{id}"}) == found(search="/cart/{ID}") == [60]
    assert found(search="9007199254740993") == [60]
    assert found(search="no such text") == found(search="re%rd") == []
    assert numbers(all_pages(filled, search="record 0042")) == [42]
    assert sorted(numbers(all_pages(filled, service="service 1"))) == list(range(100, 200))
    one = ask(filled, f"/api/process/{process(1)}/log-entries", limit=1000)
    assert sorted(numbers(one["logs"])) == list(range(100, 200))
    assert one["logs"][0]["service_name"] == "service 1" and one["logs"][0]["process_id"] == process(1)
    graves = numbers(all_pages(filled, service="service 0", level="fatal,ERROR"))
    assert sorted(graves) == [number for number in range(100) if number % 7 in (4, 5)]
    unknown = numbers(all_pages(filled, service="service 0", level="UNSPECIFIED"))
    assert sorted(unknown) == [number for number in range(100) if number % 7 == 6]
    quoted = {"kvlistValue": {"values": [{"key": "m", "value": {"stringValue": 'say "hi" c:\\x'}}]}}
    send(filled, 6, [record(300, body=quoted)])
    assert found(search='say "hi" C:\\X') == [60]
    # A structured body keeps its types.
    structured = [record for record in all_pages(filled, service="service 3") if "kvlistValue" in record["body"]]
    assert structured[0]["body"] == special[2]["body"]


def test_records_are_counted_over_time(filled):
    counted = ask(filled, "/api/logs/histogram", buckets=10)
    # 200 records in 40 seconds.
    assert counted["step_ns"] == str(5 * SECOND)
    assert [int(bucket["time"]) % (5 * SECOND) for bucket in counted["buckets"]] == [0] * len(counted["buckets"])
    assert counted["levels"] == {
        "trace": "29", "debug": "29", "info": "29", "warn": "29", "error": "28", "fatal": "28", "unspecified": "28",
    }
    for level, count in counted["levels"].items():
        assert sum(int(bucket["levels"][level]) for bucket in counted["buckets"]) == int(count)
    part = {"from": START + SECOND, "to": START + 3 * SECOND, "process": process(0), "level": "INFO,WARN"}
    counted = ask(filled, "/api/logs/histogram", buckets=2, **part)
    expected = [number for number in range(5, 15) if number % 7 in (2, 3)]
    assert sum(map(int, counted["levels"].values())) == len(expected)
    assert ask(filled, "/api/logs/histogram", service="nobody")["buckets"] == []
    whole = json.loads(filled.request(f"/api/process/{process(0)}/statistics"))
    assert whole["levels"]["unspecified"] == "14" and whole["log_count"] == "100"


@pytest.mark.parametrize("question, words", [
    ({"level": "LOUD"}, "is no level"),
    ({"order": "up"}, "neither asc nor desc"),
    ({"cursor": "5"}, "not a cursor"),
    ({"process": "x"}, "parameter process"),
    ({"trace_id": "xyz"}, "parameter trace_id"),
    ({"level": ","}, "is no level"),
    ({"limit": "0"}, "1 to 5000"),
    ({"serch": "x"}, "serch"),
])
def test_what_is_wrong_is_told(server, question, words):
    with pytest.raises(Refused) as refused:
        ask(server, **question)
    assert refused.value.status == 400 and words in refused.value.body
