"""Spans as other tools write and read them: exported, checked, imported into another server."""

import gzip
import json
import uuid

import duckdb
import jsonschema
import pytest

import schemas
from glasshouse import run
from perfetto import ask

START = 1_750_000_000_000_000_000
MS = 1_000_000
SPANS = 3000
FORMATS = ["otlp-json", "otlp-proto", "jaeger", "zipkin"]
EVERYTHING = (
    "SELECT trace_id, span_id, parent_span_id, service_name, name, kind, start_time, end_time, status_code,"
    " status_message, thread_id, thread_name, scope_name, scope_version, trace_state{more} FROM spans ORDER BY span_id"
)
EVENTS = "SELECT trace_id, span_id, time, name, attributes FROM span_events ORDER BY span_id, time"
LINKS = "SELECT trace_id, span_id, linked_trace_id, linked_span_id{more} FROM span_links ORDER BY span_id"


def identifier(number, digits):
    return f"{number:0{digits}x}"


def value(value):
    kinds = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue"}
    if isinstance(value, list):
        return {"arrayValue": {"values": [globals()["value"](item) for item in value]}}
    return {kinds[type(value)]: value}


def attributes(**entries):
    return [{"key": key, "value": value(of)} for key, of in entries.items()]


def span(number):
    """A span of everything; some are open."""
    start = START + number * MS
    trace = number % 500 + 1
    return {
        "traceId": identifier(trace, 32),
        "spanId": identifier(number + 1, 16),
        **({"parentSpanId": identifier(number - 499, 16)} if number >= 500 else {}),
        "traceState": "k=v",
        "name": f"work {number % 7} é",
        "kind": number % 5 + 1,
        "startTimeUnixNano": str(start),
        **({"endTimeUnixNano": str(start + 5 * MS)} if number % 50 else {}),
        "attributes": attributes(**{"thread.id": 7, "thread.name": "main"}, text=f"t{number}", number=number, ratio=0.5, yes=True, list=["a", 1]),
        "events": [{"timeUnixNano": str(start + 90 * MS), "name": "late", "attributes": attributes(attempt=number)}] if number % 3 == 0 else [],
        "links": [{"traceId": identifier(9999, 32), "spanId": identifier(5, 16), "attributes": attributes(why="batch")}] if number % 4 == 0 else [],
        "status": {"code": 2, "message": "it failed"} if number % 10 == 0 else {},
    }


GOOD = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span(1)]}]}]})


@pytest.fixture
def process():
    return str(uuid.uuid4())


@pytest.fixture
def filled(start, process):
    """A server with a process of some thousand spans, most in files and the last in memory."""
    server = start()
    resource = {"attributes": attributes(**{"service.name": "shop", "service.instance.id": process, "host.name": "h"})}
    for first in range(0, SPANS, 1000):
        if first == SPANS - 1000:
            server.restart()
        spans = [span(number) for number in range(first, first + 1000)]
        scopes = [{"scope": {"name": "test", "version": "1"}, "spans": spans}]
        server.post_json("/v1/traces", {"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}, "otlp_http")
    return server


def exported(server, format, to, *what):
    done = run("export", "--endpoint", server.url(), "--format", format, *what, "--output", to)
    assert done.returncode == 0, done.stderr
    return to


def imported(server, *files):
    done = run("import", "--endpoint", server.url(), *files)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("format", FORMATS)
def test_spans_come_back_from_another_server(filled, start, process, format, tmp_path):
    file = exported(filled, format, tmp_path / "spans.gz", "--process", process)
    other = start(data_dir="other")
    assert f"{SPANS} items imported" in imported(other, file)
    # Zipkin has neither types nor an internal kind of its own place; the resource comes back among the attributes.
    is_otlp = format.startswith("otlp")
    more = ", attributes, process_id" if is_otlp else ""
    ours, theirs = (server.sql(EVERYTHING.format(more=more)) for server in (filled, other))
    assert len(ours) == SPANS
    assert theirs == ours
    assert other.sql(EVENTS) == filled.sql(EVENTS)
    links = LINKS.format(more="" if format == "jaeger" else ", attributes")
    assert other.sql(links) == filled.sql(links)
    text = "SELECT attributes['text'] AS a, attributes['list'] AS b FROM spans ORDER BY span_id"
    assert other.sql(text) == filled.sql(text)
    # What comes twice is shown once.
    imported(other, file)
    assert other.count("trace_spans('" + identifier(1, 32) + "')") == SPANS / 500


@pytest.mark.parametrize("format", FORMATS)
def test_a_trace_comes_the_same_over_http_and_without_a_server(filled, format, tmp_path):
    trace = identifier(1, 32)
    # In files, attributes have another order.
    filled.restart()
    over_http = filled.request(f"/v1/traces/{trace}?format={format}")
    assert len(over_http) > 1000
    filled.stop()
    done = run("export", "--data-dir", filled.data_dir, "--format", format, "--trace", trace, "-o", tmp_path / "trace")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "trace").read_bytes() == over_http


@pytest.mark.parametrize(("format", "schema"), [("zipkin", schemas.ZIPKIN), ("jaeger", schemas.JAEGER)])
def test_json_is_what_the_other_tool_accepts(filled, process, format, schema):
    for path in (f"/v1/traces/{identifier(1, 32)}", f"/api/process/{process}/spans"):
        jsonschema.validate(json.loads(filled.request(f"{path}?format={format}")), schema, format_checker=jsonschema.FormatChecker())


def test_perfetto_reads_chromes_format(filled, process, tmp_path):
    file = exported(filled, "chrome", tmp_path / "trace.json", "--process", process)
    stats, slices = ask(
        file,
        "SELECT name, value FROM stats WHERE value > 0 AND severity IN ('error', 'data_loss')",
        "SELECT name, ts, dur FROM slice WHERE dur != 0 OR category != 'instant' ORDER BY ts",
    )
    assert stats == []
    spans = {(row["name"], row["start_time"] - START) for row in filled.sql("SELECT name, start_time FROM spans")}
    shown = {(row["name"], int(row["ts"])) for row in slices}
    first = min(ts for _, ts in shown)
    assert spans <= {(name, ts - first) for name, ts in shown}


def test_rows_are_written_for_spreadsheets_and_notebooks(filled, process, tmp_path):
    parquet = exported(filled, "parquet", tmp_path / "spans.parquet", "--process", process)
    assert duckdb.sql(f"SELECT count(*) FROM '{parquet}'").fetchone() == (SPANS,)
    csv = exported(filled, "csv", tmp_path / "names.csv", "--sql", "SELECT DISTINCT kind FROM spans ORDER BY kind")
    assert csv.read_text().split() == ["kind", "CLIENT", "CONSUMER", "INTERNAL", "PRODUCER", "SERVER"]
    wrong = run("export", "--endpoint", filled.url(), "--format", "jaeger", "--sql", "SELECT 1")
    assert wrong.returncode == 2 and "parquet or csv" in wrong.stderr


def test_logs_and_metrics_are_imported_too(server, tmp_path):
    resource = {"attributes": attributes(**{"service.name": "shop"})}
    log = {"timeUnixNano": str(START), "body": value("hello")}
    point = {"timeUnixNano": str(START), "asInt": "5"}
    lines = [
        {"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [log]}]}]},
        {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": [point]}}]}]}]},
    ]
    file = tmp_path / "telemetry.jsonl.gz"
    file.write_bytes(gzip.compress("\n\n".join(map(json.dumps, lines)).encode()))
    pretty = tmp_path / "pretty.json"
    pretty.write_text(json.dumps(lines[0], indent=2))
    imported(server, file, pretty)
    assert (server.count("logs"), server.count("metrics")) == (2, 1)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("hello", "neither JSON nor"),
        ('{"a": 1}', "none of resourceSpans"),
        ('{"data": [{"spans": [{"traceID": "x"}]}]}', "line 1 column"),
        ('[{"traceId": "1"}, ', "line 1 column"),
        (f'{GOOD}\n\n{{"resourceSpans": 5}}', "line 3: invalid type: integer `5`"),
        (f'{GOOD}\n{GOOD[:-1]}, "resourceLogs": 5}}', "line 2: invalid type: integer `5`"),
        (f'{GOOD}\n{{"resourceProfiles": []}}', "line 2: it has none of resourceSpans"),
        (f'{GOOD}\nhello', "line 2: expected value"),
    ],
)
def test_a_file_that_is_not_understood_is_not_imported(server, tmp_path, content, words):
    file = tmp_path / "wrong"
    file.write_text(content)
    done = run("import", "--endpoint", server.url(), file)
    assert done.returncode == 1
    assert words in done.stderr
    assert server.count("spans") == 0


def test_protobuf_that_begins_like_json_is_told_from_it(server, tmp_path):
    # A group of 123 bytes: a line feed and its length look like an empty line and a brace.
    for padding in range(200):
        one = {"resourceSpans": [{"scopeSpans": [{"spans": [{**span(1), "name": "n" * padding, "attributes": [], "events": [], "links": []}]}]}]}
        server.post_json("/v1/traces", one, "otlp_http")
        bytes = server.request(f"/v1/traces/{identifier(2, 32)}?format=otlp-proto")
        if bytes[1] == ord("{"):
            break
    else:
        pytest.fail("no length is the one")
    (tmp_path / "one").write_bytes(bytes)
    assert "1 items imported" in imported(server, tmp_path / "one")


def test_spans_that_are_refused_are_told(server, tmp_path):
    spans = [span(1), {**span(2), "spanId": "0" * 16}, span(3)]
    file = tmp_path / "some.jsonl"
    file.write_text(json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
    done = run("import", "--endpoint", server.url(), file)
    assert done.returncode == 1
    assert "2 items imported" in done.stdout and "1 items of" in done.stderr and "item 1: span_id" in done.stderr
    assert server.count("spans") == 2


def test_an_export_that_breaks_off_leaves_no_file(filled, process, tmp_path):
    filled.restart()
    for file in filled.data_dir.glob("data/spans/**/*.parquet"):
        file.write_bytes(b"")
    done = run("export", "--endpoint", filled.url(), "--format", "jaeger", "--process", process, "-o", tmp_path / "out.json")
    assert done.returncode == 1, done.stdout
    assert not (tmp_path / "out.json").exists()


def test_what_is_not_known_is_told(server, tmp_path):
    done = run("export", "--endpoint", server.url(), "--format", "otlp-json", "--trace", identifier(1, 32), "-o", tmp_path / "t")
    assert done.returncode == 1 and "no trace" in done.stderr
    device = run("export", "--endpoint", server.url(), "--format", "zipkin", "--trace", identifier(1, 32), "-o", tmp_path)
    assert device.returncode == 1 and "no file" in device.stderr
    nobody = run("import", "--endpoint", "http://127.0.0.1:1", __file__)
    assert nobody.returncode == 1
