// Sends known spans, logs and metrics with the OpenTelemetry SDK for Node.
//
//     node send.mjs ENDPOINT json|protobuf SERVICE

import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter as LogsJson } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as LogsProto } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter as MetricsJson } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPMetricExporter as MetricsProto } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as TracesJson } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter as TracesProto } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { AggregationType, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const [endpoint, protocol, service] = process.argv.slice(2);
const [Traces, Logs, Metrics] =
  protocol === 'json' ? [TracesJson, LogsJson, MetricsJson] : [TracesProto, LogsProto, MetricsProto];
const url = (path) => ({ url: `${endpoint}/v1/${path}` });
const resource = resourceFromAttributes({ 'service.name': service, 'service.version': '1.0', 'host.name': 'nest' });

const tracerProvider = new BasicTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(new Traces(url('traces')))],
});
const tracer = tracerProvider.getTracer('clients.node', '2');
const root = tracer.startSpan('GET /things/:id', {
  kind: SpanKind.SERVER,
  attributes: { text: 'Grüße 🚀', int: 42, double: 0.5, yes: true, texts: ['a', 'b'], numbers: [1, 2, 3] },
});
const inRoot = trace.setSpan(context.active(), root);
for (let number = 0; number < 99; number++) {
  const child = tracer.startSpan('step', { attributes: { number } }, inRoot);
  if (number === 7) {
    child.addEvent('retry', { attempt: 2 });
    child.setStatus({ code: SpanStatusCode.ERROR, message: 'it failed' });
    child.addLink?.({ context: root.spanContext(), attributes: { why: 'again' } });
  }
  child.end();
}
root.end();

const loggerProvider = new LoggerProvider({
  resource,
  processors: [new BatchLogRecordProcessor({ exporter: new Logs(url('logs')) })],
});
loggerProvider.getLogger('clients.node').emit({
  severityNumber: SeverityNumber.WARN,
  severityText: 'WARN',
  body: { message: 'structured', list: [1, 'two'] },
  attributes: { attempt: 3 },
  context: inRoot,
});

const reader = new PeriodicExportingMetricReader({
  exporter: new Metrics(url('metrics')),
  exportIntervalMillis: 3_600_000,
});
const meterProvider = new MeterProvider({
  resource,
  readers: [reader],
  views: [{ instrumentName: 'fine', aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM } }],
});
const meter = meterProvider.getMeter('clients.node');
meter.createCounter('hits').add(11, { route: '/a' });
meter.createUpDownCounter('queue').add(-2.5);
meter.createObservableGauge('heat').addCallback((result) => result.observe(36.6));
const [plain, fine] = [meter.createHistogram('plain'), meter.createHistogram('fine')];
for (const value of [1, 30, 700]) {
  plain.record(value);
  fine.record(value);
}

await tracerProvider.shutdown();
await loggerProvider.shutdown();
await meterProvider.shutdown();
console.log(JSON.stringify(root.spanContext()));
