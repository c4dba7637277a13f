import { queryOptions } from '@tanstack/react-query';
import { type Nanos, nanos } from '@/base/nanos';
import { get } from './client';
import type * as wire from './wire';

/** Spans that a search within a trace answers. */
export const MOST_FOUND = 100_000;

/** Digits of a span's id. */
const ID = 16;

/**
 * The shape of a trace in columns: a trace of a million spans takes some tens of megabytes, no object for each. Spans are
 * numbered in order of start; parents that have not arrived have the numbers after.
 */
export class Outline {
  readonly traceId: string;
  readonly start: Nanos;
  readonly services: readonly string[];
  readonly names: readonly string[];
  /** How many spans there are. */
  readonly count: number;
  /** How many parents there are that have not arrived. */
  readonly missing: number;
  /** Numbers of the parents; -1 for a root. */
  readonly parents: Int32Array;
  /** Nanoseconds after the start of the trace, for drawing. */
  readonly starts: Float64Array;
  /** Nanoseconds; NaN for an open span. */
  readonly durations: Float64Array;
  /** Positions in `services` and in `names`. */
  readonly serviceOf: Int32Array;
  readonly nameOf: Int32Array;
  private readonly ids: string;
  private readonly kinds: string;
  private readonly statuses: string;
  private readonly eventSpans: Int32Array;
  private readonly eventTimes: Float64Array;
  private readonly eventNames: Int32Array;

  constructor(wired: wire.TraceOutline) {
    this.traceId = wired.trace_id;
    this.start = nanos(wired.start_time);
    this.services = wired.services;
    this.names = wired.names;
    this.count = wired.starts.length;
    this.missing = wired.missing_parents.length / ID;
    this.ids = wired.span_ids + wired.missing_parents;
    this.parents = Int32Array.from(wired.parents);
    this.starts = Float64Array.from(wired.starts);
    this.durations = Float64Array.from(wired.durations, (length) => length ?? Number.NaN);
    this.serviceOf = Int32Array.from(wired.span_services);
    this.nameOf = Int32Array.from(wired.span_names);
    this.kinds = wired.kinds;
    this.statuses = wired.status_codes;
    this.eventSpans = Int32Array.from(wired.events.spans);
    this.eventTimes = Float64Array.from(wired.events.times);
    this.eventNames = Int32Array.from(wired.events.names);
  }

  idOf(number: number): string {
    return this.ids.slice(number * ID, (number + 1) * ID);
  }

  /** The number of a span or a missing parent; -1 when it is not here. */
  numberOf(spanId: string): number {
    if (spanId.length !== ID) return -1;
    for (let at = this.ids.indexOf(spanId); at >= 0; at = this.ids.indexOf(spanId, at + 1)) {
      if (at % ID === 0) return at / ID;
    }
    return -1;
  }

  /** The numbers of some spans, in one walk: those that are here. */
  findAll(spanIds: ReadonlySet<string>): Map<string, number> {
    const found = new Map<string, number>();
    if (spanIds.size === 0) return found;
    for (let number = 0; number < this.count && found.size < spanIds.size; number++) {
      const id = this.idOf(number);
      if (spanIds.has(id)) found.set(id, number);
    }
    return found;
  }

  kindOf(number: number): wire.SpanKind {
    return KINDS[this.kinds.charCodeAt(number) - ZERO] ?? 'UNSPECIFIED';
  }

  hasFailed(number: number): boolean {
    return this.statuses.charCodeAt(number) === ZERO + 2;
  }

  /** What happened within a span. */
  eventsOf(number: number): { time: number; name: string }[] {
    let [low, high] = [0, this.eventSpans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.eventSpans[middle]! < number) low = middle + 1;
      else high = middle;
    }
    const events: { time: number; name: string }[] = [];
    for (let at = low; this.eventSpans[at] === number; at++)
      events.push({ time: this.eventTimes[at]!, name: this.names[this.eventNames[at]!]! });
    return events;
  }
}

const ZERO = 48;
/** By the numbers of OTLP. */
const KINDS: readonly wire.SpanKind[] = [
  'UNSPECIFIED',
  'INTERNAL',
  'SERVER',
  'CLIENT',
  'PRODUCER',
  'CONSUMER',
];

/** The shape of a trace. */
export function outlineQuery(traceId: string) {
  return queryOptions({
    queryKey: ['trace', traceId],
    queryFn: async ({ signal }): Promise<Outline> => {
      const path = `/v1/traces/${encodeURIComponent(traceId)}/outline`;
      return new Outline(await get<wire.TraceOutline>(path, [], signal));
    },
    // Comparing it with the one before costs more than drawing it again.
    structuralSharing: false,
  });
}

/** The spans of a trace in which all words are found, in order of start, and whether there are more. */
export function findSpansQuery(traceId: string, text: string) {
  return queryOptions({
    queryKey: ['trace', traceId, 'find', text],
    queryFn: async ({ signal }): Promise<wire.FoundSpans> =>
      await get<wire.FoundSpans>(
        `/v1/traces/${encodeURIComponent(traceId)}/spans`,
        [
          ['text', text],
          ['limit', String(MOST_FOUND)],
        ],
        signal,
      ),
    structuralSharing: false,
  });
}
