import type { TraceFilter } from '@/api/traces';
import { durationText, formatDuration, parseDuration } from '@/base/durations';
import type { Duration } from '@/base/nanos';
import { readAttribute, type TraceSearch } from '@/base/trace-search';

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

/** Least and greatest duration. */
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
