"""Sends one checkout of a shop with OpenTelemetry's Python SDK over gRPC, for the browser test.

    OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317 send_checkout.py

Prints the trace id.
"""

import logging
import time

from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode, format_trace_id


def main():
    resource = Resource.create({"service.name": "checkout", "service.version": "2.4.1", "host.name": "node-1"})
    tracer_provider = TracerProvider(resource=resource)
    tracer_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(insecure=True)))
    logger_provider = LoggerProvider(resource=resource)
    logger_provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(insecure=True)))
    logger = logging.getLogger("checkout")
    logger.setLevel(logging.INFO)
    logger.addHandler(LoggingHandler(logger_provider=logger_provider))

    reader = PeriodicExportingMetricReader(OTLPMetricExporter(insecure=True))
    meter_provider = MeterProvider(resource=resource, metric_readers=[reader])
    meter = meter_provider.get_meter("shop.checkout")
    orders = meter.create_counter("orders.placed", "{order}", "Orders placed")
    amounts = meter.create_histogram("orders.amount", "EUR", "What an order is worth")

    tracer = tracer_provider.get_tracer("shop.checkout", "2.4.1")
    order = {"app.order.id": "order-00000017", "app.order.amount": 101.96, "app.order.items": 3}
    with tracer.start_as_current_span("POST /api/checkout", kind=SpanKind.SERVER, attributes=order) as root:
        root.set_attribute("http.request.method", "POST")
        root.set_attribute("http.route", "/api/checkout")
        root.set_attribute("http.response.status_code", 200)
        with tracer.start_as_current_span("SELECT carts", kind=SpanKind.CLIENT) as query:
            query.set_attribute("db.system.name", "postgresql")
            query.set_attribute("db.query.text", "SELECT * FROM carts WHERE customer = 4711")
            time.sleep(0.002)
        with tracer.start_as_current_span("charge card", kind=SpanKind.CLIENT) as charge:
            charge.add_event("retry", {"attempt": 2})
            charge.set_status(Status(StatusCode.ERROR, "card declined, second card taken"))
            logger.warning("card declined, trying the second one", extra={"card.type": "visa"})
            time.sleep(0.005)
    orders.add(1, {"shop.region": "eu"})
    amounts.record(101.96)
    tracer_provider.shutdown()
    logger_provider.shutdown()
    meter_provider.shutdown()
    print(format_trace_id(root.get_span_context().trace_id))


if __name__ == "__main__":
    main()
