import type { TraceFilter } from '@/api/traces';
import { durationText, formatDuration, parseDuration } from '@/base/durations';
import type { Duration } from '@/base/nanos';
import { listParam, textParam } from '@/base/search-params';

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

/** What the server is asked for. */
export function filterOf(search: TraceSearch): TraceFilter {
  const min = search.min === undefined ? null : parseDuration(search.min);
  const max = search.max === undefined ? null : parseDuration(search.max);
  return {
    ...(search.service === undefined ? {} : { service: search.service }),
    ...(search.operation === undefined ? {} : { operation: search.operation }),
    ...(min === null ? {} : { minDuration: min }),
    ...(max === null ? {} : { maxDuration: max }),
    ...(search.error === undefined ? {} : { errorsOnly: true }),
    attributes: (search.attr ?? []).map(readAttribute).filter((attribute) => attribute !== null),
  };
}

/** Least and greatest duration, as text in a link. */
export interface DurationBounds {
  min: Duration | null;
  max: Duration | null;
}

export function traceBounds(search: TraceSearch): DurationBounds {
  return {
    min: search.tmin === undefined ? null : parseDuration(search.tmin),
    max: search.tmax === undefined ? null : parseDuration(search.tmax),
  };
}

export function isWithin(length: Duration, { min, max }: DurationBounds): boolean {
  return (min === null || length >= min) && (max === null || length <= max);
}

/** `≥ 250 ms`, `≤ 2 s`, `250 ms – 2 s`. */
export function describeBounds({ min, max }: DurationBounds): string {
  if (min === null) return max === null ? 'any' : `≤ ${formatDuration(max)}`;
  return max === null ? `≥ ${formatDuration(min)}` : `${formatDuration(min)} – ${formatDuration(max)}`;
}

export function boundText(length: Duration | null): string | undefined {
  return length === null ? undefined : durationText(length);
}

const CONDITIONS = ['service', 'operation', 'min', 'max', 'error', 'attr', 'tmin', 'tmax'] as const;

/** Whether anything but the time range narrows the list. */
export function hasFilter(search: TraceSearch): boolean {
  return CONDITIONS.some((name) => search[name] !== undefined);
}
