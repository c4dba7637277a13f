import { parseDuration } from './durations';
import { listParam, textParam } from './search-params';

/** What a link to the trace search holds, beside the time range. */
export interface TraceSearch {
  service?: string;
  operation?: string;
  /** Least and greatest duration of the span that matches, such as `250ms`. */
  min?: string;
  max?: string;
  /** `true`: only traces with a failing span that matches. */
  error?: 'true';
  /** `key=value`, all of which the span has. */
  attr?: string[];
  /** Least and greatest duration of the whole trace; narrows the list in the browser. */
  tmin?: string;
  tmax?: string;
}

/** Reads a link; what makes no sense is left out. */
export function readTraceSearch(raw: Record<string, unknown>): TraceSearch {
  const search: TraceSearch = {};
  const service = textParam(raw.service);
  const operation = textParam(raw.operation);
  if (service !== undefined) search.service = service;
  if (operation !== undefined) search.operation = operation;
  for (const name of ['min', 'max', 'tmin', 'tmax'] as const) {
    const text = textParam(raw[name]);
    if (text !== undefined && parseDuration(text) !== null) search[name] = text;
  }
  if (textParam(raw.error) === 'true') search.error = 'true';
  const attributes = listParam(raw.attr).filter((text) => readAttribute(text) !== null);
  if (attributes.length > 0) search.attr = attributes;
  return search;
}

/** `key=value` as typed; quotes around the value are dropped. `null` when it is not of that form. */
export function readAttribute(text: string): { key: string; value: string } | null {
  const at = text.indexOf('=');
  const key = text.slice(0, at).trim();
  if (at <= 0 || key === '') return null;
  const value = text.slice(at + 1).trim();
  const quoted = /^"(.*)"$/s.exec(value);
  return { key, value: quoted?.[1] ?? value };
}
