"""Programs that use our own client library, as far as they need a whole server."""

import pathlib
import signal
import subprocess
import urllib.error
import urllib.request

from glasshouse import BINARY, DEADLINE, environment, eventually, free_port
from perfetto import Trace

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
