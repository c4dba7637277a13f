"""What traces are mainly about, in the list: by the usual rules and by those of the configuration."""

import json
import time

NOW = time.time_ns()


def send(server, number, root, children=()):
    """A trace of a root with attributes, and of its children."""
    spans = [
        {
            "trace_id": f"{number + 1:032x}",
            "span_id": f"{position + 1:016x}",
            **({"parent_span_id": f"{1:016x}"} if position else {}),
            "name": f"trace {number}",
            "service_name": "jobs",
            "start_time": NOW + position,
            "end_time": NOW + 1000,
            "attributes": attributes,
        }
        for position, attributes in enumerate([root, *children])
    ]
    server.post_json("/v1/traces", {"spans": spans})


def kinds(server):
    traces = json.loads(server.request("/v1/traces?limit=100"))["traces"]
    return {int(trace["trace_id"], 16) - 1: trace["kind"] for trace in traces}


TRACES = [
    ({"http.request.method": "GET"}, [{"db.system.name": "pg"}], "http"),
    ({}, [{"db.system.name": "pg"}, {"db.system.name": "redis"}], "database"),
    ({}, [{"db.system.name": "pg"}, {"http.request.method": "GET"}], "mixed"),
    ({"query.name": "page"}, [], "query"),
    ({"cicd.pipeline.result": "success"}, [{"http.request.method": "GET"}], "build"),
    ({"rpc.system.name": "grpc"}, [], "rpc"),
    ({"messaging.system": "kafka"}, [], "messaging"),
    ({"note": "nothing"}, [{"note": "either"}], "other"),
]


def test_kinds_are_told_by_the_usual_rules(server):
    for number, (root, children, _) in enumerate(TRACES):
        send(server, number, root, children)
    expected = dict(enumerate(kind for _, _, kind in TRACES))
    assert kinds(server) == expected
    # In files as in memory.
    server.restart()
    assert kinds(server) == expected


def test_own_rules_come_first_and_hold_for_what_is_there(start, tmp_path):
    config = tmp_path / "glasshouse.toml"
    config.write_text('[serve]\ntrace-kind = ["build=note=nothing", "rpc=messaging.system=kafka"]\n')
    server = start("--config", str(config))
    for number, (root, children, _) in enumerate(TRACES):
        send(server, number, root, children)
    assert (kinds(server)[7], kinds(server)[6], kinds(server)[5]) == ("build", "rpc", "rpc")
    server.arguments = ("--trace-kind", "query=note", "--trace-kind", "other=http.request.method")
    server.restart()
    told = kinds(server)
    # Both spans are queries now; a root whose rule says "other" is that, whatever is below it.
    assert (told[7], told[0], told[6]) == ("query", "other", "messaging")
