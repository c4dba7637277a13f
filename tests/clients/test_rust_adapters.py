"""Programs that use our adapters, against a whole server."""

import json
import subprocess

from glasshouse import BINARY, DEADLINE, environment
from test_rust_client import EXAMPLES


def run(example, server):
    """Runs an example to its end; all that it recorded has been sent."""
    done = subprocess.run([EXAMPLES / example, server.url()], env=environment(), capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    assert "waiting: 0" in done.stdout and "dropped: 0" in done.stdout, done.stdout
    return done.stdout


def traces(server, service):
    """Spans by trace, the oldest first, each as what it is, below whom."""
    rows = server.sql(
        "SELECT trace_id, span_id, parent_span_id, service_name, name, kind, status_code, status_message, attributes FROM spans"
        " ORDER BY start_time"
    )
    by_id = {row["span_id"]: row for row in rows}

    def depth(row):
        parent = by_id.get(row["parent_span_id"])
        return 0 if parent is None else depth(parent) + 1

    found = {}
    for row in rows:
        if isinstance(row["attributes"], str):
            row["attributes"] = json.loads(row["attributes"])
        found.setdefault(row["trace_id"], []).append((depth(row), row))
    return [spans for spans in found.values() if any(row["service_name"] == service for _, row in spans)]


def kinds(server):
    answer = json.loads(server.request("/v1/traces?limit=100"))
    return {trace["root_name"]: trace["kind"] for trace in answer["traces"]}


def test_calls_by_rapace_are_one_trace(server):
    printed = run("calculator", server)
    assert printed.startswith("5\n4\n3\n2\n1\n") and "there is no zero" in printed, printed
    [order] = traces(server, "shop")
    told = [(depth, row["service_name"], row["kind"], row["name"], row["status_code"]) for depth, row in order]
    assert told == [
        (0, "shop", "INTERNAL", "order", "UNSET"),
        (1, "shop", "CLIENT", "Calculator.add", "UNSET"),
        (2, "calculator", "SERVER", "Calculator.add", "UNSET"),
        (3, "calculator", "INTERNAL", "carry", "UNSET"),
        (1, "shop", "CLIENT", "Calculator.count_down", "ERROR"),
        (2, "calculator", "SERVER", "Calculator.count_down", "ERROR"),
    ]
    for _, row in order[4:]:
        assert "there is no zero" in row["status_message"]
        assert row["attributes"]["rpc.response.status_code"] == row["attributes"]["error.type"] == "Internal"
    # The root tells nothing of it: its spans do.
    assert kinds(server)["order"] == "rpc"


def test_queries_of_picante_tell_what_was_there(server):
    run("site", server)
    builds = traces(server, "site")
    told = [
        [(depth, row["name"], row["attributes"].get("query.outcome")) for depth, row in build] for build in builds
    ]
    assert told == [
        [
            (0, "build", None),
            (1, "menu", "miss"),
            (2, "title", "miss"),
            (2, "title", "miss"),
            (1, "page", "miss"),
            (1, "page", "miss"),
        ],
        [(0, "build", None), (1, "menu", "hit"), (1, "page", "hit"), (1, "page", "hit")],
        [
            (0, "build", None),
            (1, "menu", "recompute"),
            (2, "title", "recompute"),
            (1, "page", "hit"),
            (1, "page", "recompute"),
        ],
    ]
    assert kinds(server)["build"] == "query"
    counted = server.sql(
        "SELECT name, attributes['query.name'] AS query, max(value) AS total FROM metrics"
        " WHERE name LIKE 'picante.%' GROUP BY 1, 2 ORDER BY 1, 2"
    )
    totals = {(row["name"], (row["query"] or "").split("::")[-1]): row["total"] for row in counted}
    assert totals[("picante.queries.changed", "title")] == 3, totals
    assert ("picante.events.missed", "") not in totals
