"""Programs that use our own client library, as far as they need a whole server."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from glasshouse import BINARY, DEADLINE, environment, eventually, free_port
from perfetto import Trace

DOCS = pathlib.Path(__file__).parents[2] / "docs" / "client.md"
# `cargo test` builds them beside the server.
EXAMPLES = pathlib.Path(BINARY).parent / "examples"


def get(url):
    """Status and body of an answer; nothing while nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except urllib.error.URLError:
        return None


def test_two_services_and_a_task_are_one_trace(server, tmp_path):
    shop, stock = (f"127.0.0.1:{free_port()}" for _ in range(2))
    program = subprocess.Popen([EXAMPLES / "services", server.url(), shop, stock], env=environment())
    try:
        assert eventually("the shop answers", lambda: get(f"http://{shop}/orders/7")) == (200, "order 7 is on its way\n")
        assert get(f"http://{shop}/orders/x")[0] == 400
    finally:
        # It sends what it has when it ends.
        program.send_signal(signal.SIGINT)
        assert program.wait(DEADLINE) == 0

    [bad] = server.sql("SELECT status_code, attributes FROM spans WHERE attributes['url.path'] = '/orders/x'")
    assert bad["status_code"] != "ERROR", "it is the caller's mistake"
    [order] = server.sql("SELECT trace_id FROM spans WHERE name = 'order'")
    trace_id = order["trace_id"]
    rows = server.sql(
        "SELECT span_id, parent_span_id, name, kind, service_name, start_time, end_time, attributes, thread_id, thread_name,"
        f" process_id FROM spans WHERE trace_id = '{trace_id}' ORDER BY start_time"
    )
    by_id = {row["span_id"]: row for row in rows}

    def path(row):
        parent = by_id.get(row["parent_span_id"])
        return (path(parent) if parent else []) + [f"{row['service_name']} {row['kind']} {row['name']}"]

    entry = ["shop SERVER GET /orders/{id}", "shop INTERNAL order"]
    check = "grpc.health.v1.Health/Check"
    assert sorted(path(row) for row in rows) == sorted([
        entry[:1],
        entry,
        entry + [f"shop CLIENT {check}"],
        entry + [f"shop CLIENT {check}", f"stock SERVER {check}"],
        entry + [f"shop CLIENT {check}", f"stock SERVER {check}", "stock INTERNAL count shelves"],
        entry + ["shop INTERNAL price"],
        entry + ["shop INTERNAL pack parcel"],
    ])
    logs = server.sql(f"SELECT body, span_id FROM logs WHERE trace_id = '{trace_id}' ORDER BY time")
    assert {(log["body"], by_id[log["span_id"]]["name"]) for log in logs} == {("ordered", "order"), ("packed", "pack parcel")}

    file = tmp_path / "trace.pftrace"
    file.write_bytes(server.request(f"/v1/traces/{trace_id}?format=perfetto"))
    trace = Trace(file)
    trace.check()
    trace.check_spans(rows)
    assert len(trace.of_category("LOG")) == 2
    assert {name.split(" ")[0] for name in trace.processes} == {"shop", "stock"}
    # What ran on a thread is on its track, what went from one to another is on none.
    for row in rows:
        track = trace.threads.get(trace.spans[row["span_id"]]["track_id"])
        if row["name"] in ("price", "count shelves"):
            assert (int(track["tid"]), track["name"]) == (row["thread_id"], row["thread_name"])
            assert row["name"] == "price" or track["name"] == "shelves"
        else:
            assert track is None and row["thread_id"] is None, row


def made(program):
    """How many spans `load` was asked for, once it has ended as it should."""
    ends = {"return": 0, "exit": 3, "panic": 101}
    arguments = [str(argument) for argument in program.args]
    assert program.wait(DEADLINE) == ends[arguments[-1]], program.args
    return int(arguments[3])


@pytest.mark.parametrize("end", ["return", "exit", "panic"])
def test_what_a_program_made_is_sent_or_counted_when_it_ends_without_a_word(server, end):
    program = subprocess.Popen([EXAMPLES / "load", server.url(), "4", "200000", "0", end], env=environment())
    spans = made(program)
    [sent] = server.sql("SELECT count(DISTINCT span_id) AS n, count(*) AS rows FROM spans WHERE service_name = 'load'")
    dropped = server.sql(
        "SELECT max(value) AS n FROM metrics WHERE name = 'glasshouse.client.records'"
        " AND attributes['signal'] = 'traces' AND attributes['outcome'] = 'dropped'"
    )
    assert int(sent["n"]) == int(sent["rows"])
    assert int(sent["n"]) + int(dropped[0]["n"] or 0) == spans


def test_a_worker_that_is_killed_leaves_what_it_did(server):
    stuck = 17
    program = subprocess.Popen([EXAMPLES / "worker", server.url(), "100", str(stuck)], env=environment())
    try:
        job = f"SELECT end_time, attributes['job'] AS job FROM spans WHERE name = 'resize' AND attributes['job'] = '{stuck}'"
        [open_span] = eventually("the job that hangs is told of", lambda: server.sql(job))
        assert open_span["end_time"] is None
    finally:
        program.kill()
        program.wait(DEADLINE)
    assert server.sql(job) == [open_span]
    # What was done before has arrived too, and belongs to who queued it.
    [done] = server.sql(
        "SELECT count(*) AS jobs, count(DISTINCT trace_id) AS traces FROM spans WHERE name = 'resize' AND end_time IS NOT NULL"
    )
    assert (int(done["jobs"]), int(done["traces"])) == (stuck, 1)


def test_a_worker_tells_how_it_does(server):
    # Two seconds of work: the use of processors is told of the time since the last second.
    jobs = "1000"
    done = subprocess.run([EXAMPLES / "worker", server.url(), jobs], env=environment(), timeout=DEADLINE, capture_output=True)
    assert done.returncode == 0, done.stderr
    rows = server.sql(
        "SELECT name, unit, attributes, max(value) AS value, max(count) AS count FROM metrics GROUP BY name, unit, attributes"
    )
    told = {}
    for row in rows:
        told.setdefault(row["name"], []).append(row)
    documented = re.findall(r"^  \| `([a-z._]+)` \| (\w+), (\S+) \|", DOCS.read_text(), re.MULTILINE)
    assert len(documented) == 12
    for name, _, unit in documented:
        assert {row["unit"] for row in told[name]} == {unit}, name
    assert sorted(int(row["value"]) for row in told["glasshouse.actions"]) == [100, 900]
    [durations] = told["glasshouse.action.duration"]
    assert int(durations["count"]) == 1000
    # The rate that the guide shows.
    [sql] = re.findall(r"```sql\n(.*?)```", DOCS.read_text(), re.DOTALL)
    rates = server.sql(sql)
    assert len(rates) == 2 and all(float(rate["per_minute"]) > 0 for rate in rates), rates


def test_small_programs_are_seen(server, tmp_path):
    text = tmp_path / "text"
    text.write_text("one two three")
    for program in (["minimal", server.url()], ["cli", server.url(), text, tmp_path / "absent"]):
        subprocess.run([EXAMPLES / program[0], *program[1:]], env=environment(), timeout=DEADLINE, capture_output=True)
    names = {row["name"]: row for row in server.sql("SELECT name, status_code, attributes FROM spans")}
    assert set(names) == {"place order", "charge card", "count words", "read file"}
    [log] = server.sql("SELECT body, level FROM logs")
    assert (log["body"], log["level"]) == ("the card was declined at first", 3)
    failed = server.sql("SELECT status_message FROM spans WHERE status_code = 'ERROR'")
    assert len(failed) == 1 and "No such file" in failed[0]["status_message"]


@pytest.mark.skipif("W3C_TRACE_CONTEXT" not in os.environ, reason="W3C_TRACE_CONTEXT names no clone of w3c/trace-context")
def test_the_harness_of_w3c_passes():
    """It needs the Python package aiohttp."""
    address = f"127.0.0.1:{free_port()}"
    service = subprocess.Popen([EXAMPLES / "w3c_service", address], env=environment())
    try:
        eventually("it listens", lambda: get(f"http://{address}/") is not None)
        harness = subprocess.run(
            [sys.executable, "test.py", f"http://{address}/test"],
            cwd=pathlib.Path(os.environ["W3C_TRACE_CONTEXT"]) / "test",
            env={**os.environ, "STRICT_LEVEL": "2", "SPEC_LEVEL": "2"},
            capture_output=True,
            text=True,
            timeout=10 * DEADLINE,
        )
    finally:
        service.kill()
        service.wait(DEADLINE)
    assert harness.returncode == 0 and "Ran 41 tests" in harness.stderr, harness.stderr[-4000:]
