"""OpenTelemetry's Python SDK sends; SQL and the API find everything with the same values."""

import json
import logging

import pytest
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcLogs
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as GrpcMetrics
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcSpans
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpLogs
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter as HttpMetrics
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpSpans
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

INSTANCE = "5b6c7d8e-0f1a-4b2c-8d3e-4f5a6b7c8d9e"
VALUES = {
    "text": "Grüße, 世界 🚀 \" \\ \n",
    "empty": "",
    "int": 9_007_199_254_740_993,
    "negative": -(2**63),
    "double": 0.1,
    "whole.double": 3.0,
    "yes": True,
    "no": False,
    "texts": ["a", "b"],
    "ints": [1, 2**62],
    "doubles": [0.5, 1e300],
    "bools": [True, False],
}


def exporters(server, protocol):
    if protocol == "grpc":
        address = {"endpoint": server.url(listener="otlp_grpc"), "insecure": True}
        return GrpcSpans(**address), GrpcLogs(**address), GrpcMetrics(**address)
    listener = "http" if protocol == "http" else "otlp_http"
    url = lambda path: server.url(path, listener)  # noqa: E731
    return HttpSpans(url("/v1/traces")), HttpLogs(url("/v1/logs")), HttpMetrics(url("/v1/metrics"))


def resource(service):
    return Resource.create({"service.name": service, "service.instance.id": INSTANCE, "process.pid": 4711, "host.name": "nest"})


def attributes_of(row, column="attributes"):
    return json.loads(row[column])


def send_spans(exporter, service):
    """Gives what the SDK says it sent."""
    provider = TracerProvider(resource=resource(service))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer = provider.get_tracer("clients.test", "1.2.3")
    with tracer.start_as_current_span("root", kind=SpanKind.SERVER, attributes=VALUES) as root:
        with tracer.start_as_current_span("child", kind=SpanKind.CLIENT, links=[Link(root.get_span_context(), {"n": 1})]) as child:
            child.add_event("seen", {"k": "v", "at": 7}, timestamp=1_700_000_000_123_456_789)
            child.record_exception(ValueError("no such thing"))
            child.set_status(Status(StatusCode.ERROR, "it failed"))
        for number in range(500):
            with tracer.start_as_current_span(f"work {number % 7}") as span:
                span.set_attribute("number", number)
    provider.shutdown()
    return root, child


@pytest.mark.parametrize("protocol", ["grpc", "http", "http-4318"])
def test_spans(server, protocol):
    root, child = send_spans(exporters(server, protocol)[0], "python")
    context = root.get_span_context()
    trace_id, root_id = trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id)
    child_id = trace.format_span_id(child.get_span_context().span_id)
    assert server.count("spans") == 502
    assert server.count("spans", f"trace_id = '{trace_id}' AND process_id = '{INSTANCE}'") == 502

    row = server.sql(f"SELECT * FROM spans WHERE span_id = '{root_id}'")[0]
    assert attributes_of(row) == VALUES
    assert all(type(attributes_of(row)[key]) is type(value) for key, value in VALUES.items())
    expected = {
        "trace_id": trace_id,
        "parent_span_id": None,
        "service_name": "python",
        "name": "root",
        "kind": "SERVER",
        "start_time": root.start_time,
        "end_time": root.end_time,
        "duration_ns": root.end_time - root.start_time,
        "status_code": "UNSET",
        "scope_name": "clients.test",
        "scope_version": "1.2.3",
    }
    assert {key: row[key] for key in expected} == expected

    row = server.sql(f"SELECT * FROM spans WHERE span_id = '{child_id}'")[0]
    assert (row["parent_span_id"], row["kind"]) == (root_id, "CLIENT")
    assert (row["status_code"], row["status_message"]) == ("ERROR", "it failed")
    events = server.sql(f"SELECT * FROM span_events WHERE span_id = '{child_id}' ORDER BY time")
    assert [event["name"] for event in events] == ["seen", "exception"]
    assert events[0]["time"] == 1_700_000_000_123_456_789
    assert attributes_of(events[0]) == {"k": "v", "at": 7}
    assert attributes_of(events[1])["exception.message"] == "no such thing"
    link = server.sql("SELECT * FROM span_links")[0]
    assert (link["span_id"], link["linked_trace_id"], link["linked_span_id"]) == (child_id, trace_id, root_id)
    assert attributes_of(link) == {"n": 1}

    numbers = server.sql("SELECT sum(attribute_int(attributes, 'number')) AS s FROM spans")
    assert numbers[0]["s"] == sum(range(500))
    assert server.count("spans", "attributes['text'] = 'Grüße, 世界 🚀 \" \\ \n'") == 1

    process = server.sql("SELECT * FROM processes")[0]
    assert (process["process_id"], process["service_name"], process["pid"], process["host_name"]) == (INSTANCE, "python", 4711, "nest")
    assert attributes_of(process, "resource")["telemetry.sdk.language"] == "python"

    answer = server.get(f"/v1/traces/{trace_id}")
    spans = {span["span_id"]: span for span in answer["spans"]}
    assert len(spans) == 502
    assert spans[root_id]["start_time"] == str(root.start_time)
    assert {event["name"] for event in spans[child_id]["events"]} == {"seen", "exception"}
    found = server.get("/v1/traces?service=python&operation=child&error=true")["traces"]
    assert [(t["trace_id"], t["root_name"], t["span_count"], t["error_count"]) for t in found] == [(trace_id, "root", 502, 1)]


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_everything_is_the_same_from_files_after_a_restart(server, protocol):
    root, _ = send_spans(exporters(server, protocol)[0], "python")
    queries = [
        f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4, 5"
        for table in ("spans", "span_events", "span_links", "processes")
    ]
    path = f"/v1/traces/{trace.format_trace_id(root.get_span_context().trace_id)}"
    before = [server.sql(query) for query in queries], server.get(path)
    server.wait_until_flushed()
    assert ([server.sql(query) for query in queries], server.get(path)) == before
    server.restart()
    assert ([server.sql(query) for query in queries], server.get(path)) == before


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_logs(server, protocol):
    spans, logs, _ = exporters(server, protocol)
    tracer_provider = TracerProvider(resource=resource("python"))
    tracer_provider.add_span_processor(BatchSpanProcessor(spans))
    provider = LoggerProvider(resource=resource("python"))
    provider.add_log_record_processor(BatchLogRecordProcessor(logs))
    logger = logging.getLogger(f"clients.{protocol}")
    logger.propagate = False
    logger.setLevel(logging.DEBUG)
    logger.addHandler(LoggingHandler(logger_provider=provider))
    with tracer_provider.get_tracer("t").start_as_current_span("busy") as span:
        logger.error("cannot reach %s", "Zürich", extra={"attempt": 3, "ratio": 0.25})
    for number in range(200):
        logger.info("line %d", number)
    logger.debug("quiet")
    logger.critical("loud")
    provider.shutdown()
    tracer_provider.shutdown()
    logger.handlers.clear()

    assert server.count("logs") == 203
    row = server.sql("SELECT * FROM logs WHERE level = 2")[0]
    context = span.get_span_context()
    assert (row["body"], row["severity_number"], row["severity_text"]) == ("cannot reach Zürich", 17, "ERROR")
    assert row["trace_id"] == trace.format_trace_id(context.trace_id)
    assert row["span_id"] == trace.format_span_id(context.span_id)
    assert {key: attributes_of(row)[key] for key in ("attempt", "ratio")} == {"attempt": 3, "ratio": 0.25}
    levels = {row["level"]: row["n"] for row in server.sql("SELECT level, count(*) AS n FROM logs GROUP BY level")}
    assert levels == {1: 1, 2: 1, 4: 200, 5: 1}
    assert server.count("logs", f"process_id = '{INSTANCE}' AND scope_name = 'clients.{protocol}'") == 203
    trace_id = trace.format_trace_id(context.trace_id)
    listed = server.get(f"/v1/traces/{trace_id}/logs")
    assert "cannot reach Zürich" in json.dumps(listed, ensure_ascii=False)


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_metrics(server, protocol):
    exporter = exporters(server, protocol)[2]
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=3_600_000)
    fine = View(instrument_name="size", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], resource=resource("python"), views=[fine])
    meter = provider.get_meter("clients.meter", "9")
    counter = meter.create_counter("hits", unit="{hit}", description="Hits so far")
    counter.add(2**60, {"route": "/a"})
    counter.add(5, {"route": "/b"})
    meter.create_up_down_counter("queue").add(-3.5)
    meter.create_observable_gauge("heat", [lambda _: [__import__("opentelemetry.metrics").metrics.Observation(36.6, {"at": "core"})]])
    histogram = meter.create_histogram("latency", unit="s")
    sizes = meter.create_histogram("size", unit="By")
    for value in (0.001, 0.3, 7.0, 12_000.0):
        histogram.record(value, {"route": "/a"})
        sizes.record(value)
    provider.shutdown()

    def one(name, where="true"):
        rows = server.sql(f"SELECT * FROM metrics WHERE name = '{name}' AND {where}")
        assert len(rows) == 1, rows
        return rows[0]

    row = one("hits", "attributes['route'] = '/a'")
    assert (row["kind"], row["value_int"], row["unit"], row["description"]) == ("SUM", 2**60, "{hit}", "Hits so far")
    assert (row["temporality"], row["is_monotonic"], row["scope_name"], row["scope_version"]) == ("CUMULATIVE", True, "clients.meter", "9")
    assert one("hits", "attributes['route'] = '/b'")["value_int"] == 5
    row = one("queue")
    assert (row["kind"], row["value"], row["is_monotonic"]) == ("SUM", -3.5, False)
    row = one("heat")
    assert (row["kind"], row["value"], attributes_of(row)) == ("GAUGE", 36.6, {"at": "core"})
    row = one("latency")
    assert (row["kind"], row["count"], row["min"], row["max"]) == ("HISTOGRAM", 4, 0.001, 12_000.0)
    assert abs(row["sum"] - 12_007.301) < 1e-9
    counts = [int(count) for count in row["bucket_counts"]]
    assert sum(counts) == 4 and len(counts) == len(row["bucket_bounds"]) + 1 and counts[-1] == 1
    row = one("size")
    assert (row["kind"], row["count"]) == ("EXPONENTIAL_HISTOGRAM", 4)
    assert sum(int(count) for count in row["exponential"]["positive_counts"]) == 4
