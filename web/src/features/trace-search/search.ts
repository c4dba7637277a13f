import type { TraceFilter } from '@/api/traces';
import { durationText, formatDuration, parseDuration } from '@/base/durations';
import type { Duration } from '@/base/nanos';
import { readAttribute, readSelection, type TraceSearch } from '@/base/trace-search';

/** What the server is asked for. */
export function filterOf(search: TraceSearch): TraceFilter {
  const min = search.min === undefined ? null : parseDuration(search.min);
  const max = search.max === undefined ? null : parseDuration(search.max);
  return {
    ...(search.service === undefined ? {} : { service: search.service }),
    ...(search.operation === undefined ? {} : { operation: search.operation }),
    ...(search.kind === undefined ? {} : { kind: search.kind }),
    ...(search.root === undefined ? {} : { rootsOnly: true }),
    ...(search.text === undefined ? {} : { text: search.text }),
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

/** The conditions that a span has to meet. */
const OF_SPANS = ['service', 'operation', 'kind', 'root', 'text', 'min', 'max', 'error', 'attr'] as const;
const CONDITIONS = [...OF_SPANS, 'tmin', 'tmax'] as const;

/**
 * Which spans the heatmap counts. Without a condition these would be all spans of all traces, in which those of one
 * trace drown those of others: then it is the roots.
 */
export function countedFilter(search: TraceSearch): TraceFilter {
  const filter = filterOf(search);
  return OF_SPANS.some((name) => search[name] !== undefined) ? filter : { ...filter, rootsOnly: true };
}

/** What the list is asked for: of the counted spans those that are selected. */
export function listFilter(search: TraceSearch): TraceFilter {
  if (search.sel === undefined) return filterOf(search);
  const filter = countedFilter(search);
  const selection = readSelection(search.sel);
  if (selection === null) return { ...filter, errorsOnly: true };
  const bounds = {
    min: greatest(filter.minDuration, selection.min),
    max: least(filter.maxDuration, selection.max),
  };
  // A link that contradicts itself: its conditions hold.
  if (bounds.min !== undefined && bounds.max !== undefined && bounds.min > bounds.max) return filter;
  return {
    ...filter,
    ...(bounds.min === undefined ? {} : { minDuration: bounds.min }),
    ...(bounds.max === undefined ? {} : { maxDuration: bounds.max }),
  };
}

function greatest(a: Duration | undefined, b: Duration | null): Duration | undefined {
  return a === undefined ? (b ?? undefined) : b === null || a > b ? a : b;
}

function least(a: Duration | undefined, b: Duration | null): Duration | undefined {
  return a === undefined ? (b ?? undefined) : b === null || a < b ? a : b;
}

/** Whether anything but the time range narrows the list. */
export function hasFilter(search: TraceSearch): boolean {
  return CONDITIONS.some((name) => search[name] !== undefined);
}
