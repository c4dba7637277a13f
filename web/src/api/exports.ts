import { getFile } from './client';

/** Forms of a trace for other tools. */
export type TraceFormat = 'perfetto' | 'otlp' | 'otlp-proto' | 'jaeger' | 'zipkin' | 'chrome';

/** Where a trace is in a form. */
export function exportPath(traceId: string, format: TraceFormat): string {
  return `/v1/traces/${traceId}?format=${format}`;
}

/** A trace as a Perfetto trace. */
export function perfettoTrace(traceId: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return getFile(exportPath(traceId, 'perfetto'), signal);
}
