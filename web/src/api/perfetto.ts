import { getFile } from './client';

/** Where a trace is as a Perfetto trace. */
export function perfettoPath(traceId: string): string {
  return `/v1/traces/${traceId}?format=perfetto`;
}

/** A trace as a Perfetto trace. */
export function perfettoTrace(traceId: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  return getFile(perfettoPath(traceId), signal);
}
