"""Perfetto traces, read by Perfetto's own trace processor."""

import gzip
import json
import urllib.error
import urllib.request
import uuid

import pytest

from glasshouse import DEADLINE, Refused, eventually, run
from perfetto import Trace

START = 1_750_000_000_000_000_000
MS = 1_000_000
SPANS = (
    "SELECT span_id, parent_span_id, name, start_time, end_time, attributes, thread_id, thread_name, process_id"
    " FROM spans WHERE {} ORDER BY start_time"
)


def export(server, path, to):
    to.write_bytes(server.request(path))
    return Trace(to)


def is_valid(server, trace):
    found = json.loads(server.request("/api/perfetto/validate", trace.path.read_bytes()))
    assert found["is_valid"], found["errors"]
    return found


class Process:
    """Makes spans, logs and metrics of one process."""

    def __init__(self, server, service="shop"):
        self.server, self.id = server, str(uuid.uuid4())
        self.resource = {"service.name": service, "service.instance.id": self.id, "process.pid": 4242}
        self.service, self.spans = service, []

    def span(self, name, start, end, parent=None, **more):
        number = len(self.spans) + 1
        span = {
            "trace_id": f"{7:032x}",
            "span_id": f"{number:016x}",
            "name": name,
            "service_name": self.service,
            "start_time": str(START + start),
            "resource": self.resource,
            **({"end_time": str(START + end)} if end is not None else {}),
            **({"parent_span_id": parent} if parent else {}),
            **more,
        }
        self.spans.append(span)
        return span["span_id"]

    def send(self):
        answer = json.loads(self.server.post_json("/v1/traces", {"spans": self.spans}))
        assert answer["rejected"] == [], answer

    def otlp(self, signal, **scope):
        attributes = [
            {"key": key, "value": {"intValue": value} if isinstance(value, int) else {"stringValue": value}}
            for key, value in self.resource.items()
        ]
        group = {"resource": {"attributes": attributes}, f"scope{signal}": [{"scope": {"name": "test"}, **scope}]}
        self.server.post_json(f"/v1/{signal.lower()}", {f"resource{signal}": [group]}, "otlp_http")


@pytest.fixture
def hard_cases(server):
    """A process with everything that is hard to show right."""
    process = Process(server)
    span = process.span
    root = span("root", 0, 1000 * MS, attributes={"a.text": "x", "an.int": 7, "a.double": 0.5, "yes": True, "list": [1, "a"]})
    # Overlapping children: only one of them fits into the root at a time.
    for number in range(10):
        child = span(f"overlapping {number}", 10 * MS * number, 500 * MS + 10 * MS * number, root)
        span("grandchild", 10 * MS * number + MS, 400 * MS, child)
    # Equal times, zero length.
    same = [span(f"same {number}", 600 * MS, 700 * MS, root) for number in range(3)]
    span("zero", 600 * MS, 600 * MS, same[0])
    span("zero at the end", 700 * MS, 700 * MS, same[0])
    span("zero alone", 2000 * MS, 2000 * MS)
    # Open.
    open_span = span("open", 300 * MS, None)
    span("within open", 310 * MS, 320 * MS, open_span)
    # Deep.
    parent = None
    for depth in range(600):
        parent = span(f"deep {depth}", 3000 * MS + depth, 4000 * MS - depth, parent)
    # Threads, one of them with a number of 64 bits; nested by time, and overlapping.
    threads = {"thread_id": 77, "thread_name": "worker"}
    outer = span("on a thread", 0, 100 * MS, root, **threads)
    span("called", 10 * MS, 90 * MS, outer, **threads)
    span("overlaps on its thread", 50 * MS, 150 * MS, outer, **threads)
    span("on a big thread", 0, 100 * MS, thread_id=2**62, thread_name="big")
    # Text.
    span("Grüße 🚀 \u0000 \" \\", 5000 * MS, 5001 * MS, attributes={"unicode": "日本語", "huge": "x" * 700_000})
    span("where", 5002 * MS, 5003 * MS, attributes={"code.file.path": "src/a.rs", "code.line.number": 12, "code.function.name": "f"})
    # Links and events.
    link = {"trace_id": f"{7:032x}", "span_id": root}
    span("linked", 5004 * MS, 5005 * MS, links=[link], events=[{"time": str(START + 5004 * MS + 5), "name": "retry", "attributes": {"attempt": 2}}])
    process.send()
    process.otlp("Logs", logRecords=[
        {"timeUnixNano": str(START + 100 * MS), "severityNumber": 17, "severityText": "ERROR", "body": {"stringValue": "it failed\nsecond line"}},
        *({"timeUnixNano": str(START + 200 * MS), "severityNumber": 9, "body": {"stringValue": f"line {i}"}} for i in range(1000)),
        {"timeUnixNano": str(START + 500 * MS), "severityNumber": 13, "body": {"stringValue": "later"}},
    ])
    point = lambda at, **value: {"timeUnixNano": str(START + at * MS), **value}  # noqa: E731
    labelled = {"attributes": [{"key": "core", "value": {"stringValue": "1"}}]}
    process.otlp("Metrics", metrics=[
        {"name": "memory", "unit": "By", "gauge": {"dataPoints": [point(1, asInt="5"), point(2, asInt="-6"), point(3, asDouble=2.5)]}},
        {"name": "memory", "unit": "By", "gauge": {"dataPoints": [point(2, asInt="9", **labelled)]}},
        {"name": "latency", "unit": "ms", "histogram": {"aggregationTemporality": 2, "dataPoints": [
            point(4, count="3", sum=12.5, bucketCounts=["1", "2"], explicitBounds=[5])]}},
    ])
    return process


def test_every_hard_case_is_read_back(server, hard_cases, tmp_path):
    process = hard_cases
    trace = export(server, f"/api/perfetto/{process.id}/trace", tmp_path / "trace.pftrace")
    trace.check()
    is_valid(server, trace)
    rows = server.sql(SPANS.format("true"))
    assert len(rows) == len(process.spans)
    trace.check_spans(rows)
    assert trace.processes == {"shop": 4242}

    by_name = {slice["name"]: slice for slice in trace.spans.values()}
    tracks = {track["tid"]: track for track in trace.threads.values()}
    assert tracks["77"]["name"] == "worker"
    assert trace.threads[by_name["called"]["track_id"]]["tid"] == "77"
    assert by_name["called"]["parent_id"] == int(by_name["on a thread"]["id"])
    assert by_name["overlaps on its thread"]["track_id"] != by_name["on a thread"]["track_id"]
    assert "big" in trace.threads[by_name["on a big thread"]["track_id"]]["name"]
    assert by_name["zero"]["parent_id"] == int(by_name["same 0"]["id"])
    assert by_name["within open"]["parent_id"] == int(by_name["open"]["id"])
    assert by_name["root"]["args"]["debug.list[1]"] == "a"
    assert by_name["where"]["args"]["source.file_name"] == "src/a.rs"
    assert max(slice["depth"] for slice in trace.spans.values()) > 400

    [event] = trace.of_category("EVENT")
    assert (event["name"], event["ts"], event["args"]["debug.attempt"]) == ("retry", START + 5004 * MS + 5, 2)
    [link] = trace.of_category("LINK")
    assert (int(by_name["root"]["id"]), int(link["id"])) in trace.flows
    logs = trace.of_category("LOG")
    assert len(logs) == 1002
    [error] = [log for log in logs if "ERROR" in log["category"]]
    assert (error["name"], error["args"]["debug.log_body"]) == ("it failed", "it failed\nsecond line")

    values = sorted((c["name"], c["ts"] - START, c["value"], c["unit"]) for c in trace.counters)
    assert values == [
        ("latency.count", 4 * MS, 3, "1"),
        ("latency.sum", 4 * MS, 12.5, "ms"),
        ("memory", MS, 5, "By"),
        ("memory", 2 * MS, -6, "By"),
        ("memory", 3 * MS, 2.5, "By"),
        ("memory{core=1}", 2 * MS, 9, "By"),
    ]
    info = server.get(f"/api/perfetto/{process.id}/info")
    spans = len(process.spans)
    assert info["counts"] == {
        "thread": "4", "async": str(spans - 4), "open": "1", "events": "1", "links": "1", "logs": "1002", "metrics": "5",
    }
    assert (info["begin"], info["end"]) == (str(START), str(START + 5005 * MS))
    size = trace.path.stat().st_size
    assert size / 2 < int(info["estimated_bytes"]) < size * 2


def test_a_window_cuts_spans_and_kinds_choose(server, hard_cases, tmp_path):
    process = hard_cases
    begin, end = START + 350 * MS, START + 650 * MS
    for flushed in (False, True):
        if flushed:
            server.wait_until_flushed()
        window = f"begin={begin}&end={end}"
        trace = export(server, f"/api/perfetto/{process.id}/trace?{window}&kinds=async,logs", tmp_path / f"{flushed}.pftrace")
        trace.check()
        is_valid(server, trace)
        runs = f"thread_id IS NULL AND start_time < {end} AND (start_time >= {begin} OR end_time > {begin} OR end_time IS NULL)"
        rows = server.sql(SPANS.format(runs.replace(str(begin), f"to_timestamp_nanos({begin})").replace(str(end), f"to_timestamp_nanos({end})")))
        assert 15 < len(rows) < 40
        trace.check_spans(rows, cut=(begin, end))
        assert not trace.counters
        assert [log["name"] for log in trace.of_category("LOG")] == ["later"]
        only = export(server, f"/api/perfetto/{process.id}/trace?kinds=thread", tmp_path / "threads.pftrace")
        assert {slice["name"] for slice in only.spans.values()} == {
            "on a thread", "called", "overlaps on its thread", "on a big thread",
        }


def test_skewed_clocks_are_told(server, tmp_path):
    one, other = Process(server, "front"), Process(server, "back")
    late = one.span("late parent", 10 * MS, 100 * MS)
    in_time = one.span("parent in time", 20 * MS, 90 * MS, late)
    # Ids are counted for each process: these must differ.
    other.spans = [{} for _ in range(10)]
    other.span("early child", 7 * MS, 50 * MS, late)
    other.span("child in time", 30 * MS, 40 * MS, in_time)
    one.send()
    other.spans = other.spans[10:]
    other.send()
    trace = export(server, f"/v1/traces/{7:032x}?format=perfetto", tmp_path / "skewed.pftrace")
    trace.check()
    is_valid(server, trace)
    by_name = {slice["name"]: slice for slice in trace.spans.values()}
    assert len(by_name) == 4
    skewed = [slice for slice in by_name.values() if "CLOCK_SKEW" in (slice["category"] or "")]
    assert skewed == [by_name["late parent"]]
    assert skewed[0]["args"]["debug.glasshouse_clock_skew_ns"] == 3 * MS
    assert (skewed[0]["ts"], skewed[0]["dur"]) == (START + 10 * MS, 90 * MS), "times stay as they were told"


def test_the_demo_and_a_trace_across_services(start, tmp_path):
    server = start()
    sent = run("demo", "--traces-per-second", "20", "--for", "4s", "--endpoint", server.url(listener="otlp_grpc"))
    assert sent.returncode == 0, sent.stderr
    server.wait_until_flushed()
    rows = server.sql("SELECT process_id, service_name, count(DISTINCT span_id) AS spans FROM spans GROUP BY 1, 2")
    assert len(rows) >= 5
    for row in rows:
        trace = export(server, f"/api/perfetto/{row['process_id']}/trace", tmp_path / f"{row['service_name']}.pftrace")
        trace.check()
        is_valid(server, trace)
        trace.check_spans(server.sql(SPANS.format(f"process_id = '{row['process_id']}'")))
        assert list(trace.processes) == [row["service_name"]]

    largest = "SELECT trace_id, count(DISTINCT service_name) AS n FROM spans GROUP BY 1 ORDER BY n DESC LIMIT 1"
    [found] = server.sql(largest)
    assert found["n"] >= 5
    path = f"/v1/traces/{found['trace_id']}?format=perfetto"
    trace = export(server, path, tmp_path / "trace.pftrace")
    # As a browser asks.
    assert gzip.decompress(server.request(path, headers={"accept-encoding": "gzip"})) == trace.path.read_bytes()
    trace.check()
    is_valid(server, trace)
    trace.check_spans(server.sql(SPANS.format(f"trace_id = '{found['trace_id']}'")))
    services = server.sql(f"SELECT DISTINCT service_name FROM spans WHERE trace_id = '{found['trace_id']}'")
    assert set(trace.processes) == {row["service_name"] for row in services}
    assert len(trace.of_category("LOG")) == server.count("logs", f"trace_id = '{found['trace_id']}'")


def test_the_command_writes_what_http_answers(server, hard_cases, tmp_path):
    process, out = hard_cases, tmp_path / "out.pftrace"
    expected = server.request(f"/api/perfetto/{process.id}/trace")
    here = ("--endpoint", server.url())
    done = run("perfetto", "--process", process.id, "-o", out, *here)
    assert done.returncode == 0 and out.read_bytes() == expected, done.stderr
    assert "packets" in done.stderr
    packed = tmp_path / "out.pftrace.gz"
    assert run("perfetto", "--trace", f"{7:032x}", "-o", packed, *here).returncode == 0
    assert packed.read_bytes()[:2] == b"\x1f\x8b"

    chunks = server.sql(f"SELECT * FROM perfetto_trace('{process.id}') ORDER BY chunk_id")
    assert b"".join(bytes.fromhex(chunk["chunk_data"]) for chunk in chunks) == expected
    assert [chunk["chunk_id"] for chunk in chunks] == list(range(len(chunks)))
    logs = server.sql(f"SELECT chunk_data FROM perfetto_trace('{process.id}', 'logs', {START + 300 * MS}, NULL)")
    alone = server.request(f"/api/perfetto/{process.id}/trace?kinds=logs&begin={START + 300 * MS}")
    assert b"".join(bytes.fromhex(chunk["chunk_data"]) for chunk in logs) == alone and b"later" in alone
    [plan] = [row["plan"] for row in server.sql(
        f"EXPLAIN SELECT * FROM perfetto_trace('{process.id}') ORDER BY chunk_id") if row["plan_type"] == "physical_plan"]
    assert "Sort" not in plan, plan

    errors = tmp_path / "sql.pftrace"
    sql = "SELECT * FROM spans WHERE name LIKE 'overlapping%';"
    assert run("perfetto", "--sql", sql, "-o", errors, *here).returncode == 0
    trace = Trace(errors)
    trace.check()
    is_valid(server, trace)
    trace.check_spans(server.sql(SPANS.format("name LIKE 'overlapping%'")))

    def refused(expected, *arguments):
        done = run("perfetto", *arguments, "-o", tmp_path / "none", *here)
        assert done.returncode != 0 and expected in done.stderr, done.stderr
        assert "open it" not in done.stderr
        assert sorted(path.name for path in tmp_path.glob("*none*")) == []
        assert not list(tmp_path.glob(".glasshouse-*"))

    refused(f"no process {uuid.UUID(int=5)}", "--process", str(uuid.UUID(int=5)))
    refused("no trace", "--trace", f"{9:032x}")
    refused("start_time", "--sql", "SELECT 1 AS one")
    refused("no kind", "--process", process.id, "--kinds", "spans")
    refused("required", "--from", "-15m")
    refused("empty", "--process", process.id, "--from", "-15m", "--to", "-30m")
    with pytest.raises(Refused, match="empty"):
        server.sql(f"SELECT * FROM perfetto_trace('{process.id}', NULL, {START + 5}, {START})")
    with pytest.raises(Refused, match="no process"):
        server.sql(f"SELECT * FROM perfetto_trace('{uuid.UUID(int=5)}')")

    # Without a server, straight from the folder.
    server.stop()
    done = run("perfetto", "--process", process.id, "-o", out, "--data-dir", server.data_dir)
    assert done.returncode == 0 and out.read_bytes() == expected, done.stderr


def test_a_file_that_vanishes_breaks_the_transfer_off(server, tmp_path):
    process = Process(server)
    # Two hours: two files. The first is more than is sent at once.
    for hour in (0, 1):
        for number in range(5000):
            at = hour * 3600_000 * MS + number * MS
            process.span(f"work {number}", at, at + 10, attributes={"text": f"{number:0500}"})
    process.send()
    server.wait_until_flushed()
    whole = server.request(f"/api/perfetto/{process.id}/trace")
    files = sorted(server.data_dir.glob("data/**/spans/**/*.parquet"))
    assert len(files) == 2, files
    server.restart()  # It has no file open.
    files[1].unlink()
    with pytest.raises((urllib.error.URLError, ConnectionError, Exception)) as broken:
        urllib.request.urlopen(server.url(f"/api/perfetto/{process.id}/trace"), timeout=DEADLINE).read()
    assert "IncompleteRead" in type(broken.value).__name__ or "Incomplete" in str(broken.value), broken.value
    assert len(broken.value.partial) < len(whole)
    out = tmp_path / "out"
    done = run("perfetto", "--process", process.id, "-o", out, "--endpoint", server.url())
    assert done.returncode == 1 and not out.exists() and files[1].name in done.stderr, done.stderr
    # What is known to be wrong before the first byte has a status and says what it is.
    files[0].unlink()
    with pytest.raises(Refused) as refused:
        server.request(f"/api/perfetto/{process.id}/trace")
    assert refused.value.status == 500 and files[0].name in str(refused.value), refused.value


def test_a_reader_that_stops_stalls_and_one_that_leaves_stops(server):
    process = Process(server)
    for number in range(20_000):
        process.span(f"work {number % 7}", number * 1000, number * 1000 + 10, attributes={"text": f"{number:0500}"})
    process.send()
    server.wait_until_flushed()
    path = f"/api/perfetto/{process.id}/trace"
    answer = urllib.request.urlopen(server.url(path), timeout=DEADLINE)
    assert answer.read(1)
    ends = lambda: server.said().count("reader of an export went away")  # noqa: E731
    before = ends()
    # More than all buffers hold is still to come, so the work waits, while another reader gets the whole.
    server.request(path)
    eventually("the other trace is written", lambda: "wrote an export" in server.said())
    assert ends() == before and server.said().count("wrote an export") == 1
    answer.close()
    eventually("the work stops", lambda: ends() == before + 1, within=5)
    chunks = server.sql(f"SELECT chunk_id FROM perfetto_trace('{process.id}') ORDER BY chunk_id")
    assert [chunk["chunk_id"] for chunk in chunks] == list(range(len(chunks))) and len(chunks) > 1
