import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type Duration, duration, type Nanos, nanos, now } from '@/base/nanos';
import { resolveRange, type TimeRange } from '@/base/time-range';
import { get, keyOf, type Parameters } from './client';
import { type LogRecord, reviveLog } from './logs';
import type * as wire from './wire';

export type { AnyValue, KeyValue, SpanKind, StatusCode, TraceKind } from './wire';

/** A trace in a list. */
export type TraceSummary = Omit<wire.TraceSummary, 'start_time' | 'duration_ns'> & {
  start_time: Nanos;
  duration: Duration;
};

export interface TracePage {
  traces: TraceSummary[];
  nextCursor: string | null;
  /** The beginning of the time that was asked for. */
  from: Nanos;
  /** Its end; for a range that ends now, when the question was asked. */
  to: Nanos;
}

export type SpanEvent = Omit<wire.SpanEvent, 'time'> & { time: Nanos };
export type SpanLink = wire.SpanLink;

export type Span = Omit<wire.Span, 'start_time' | 'end_time' | 'parent_span_id' | 'events'> & {
  start_time: Nanos;
  /** `null` while the span is open. */
  end_time: Nanos | null;
  /** `null` for a root. */
  parent_span_id: string | null;
  events: SpanEvent[];
};

export type TraceProcess = wire.TraceProcess;

/** A span with all it carries. */
export interface SpanDetails {
  span: Span;
  /** `null` when nothing is known of it. */
  process: TraceProcess | null;
}

/** Which traces are wanted: those of which one span meets every condition. */
export interface TraceFilter {
  service?: string;
  operation?: string;
  /** Role in a call, in lower case. */
  kind?: string;
  /** Only spans without a parent. */
  rootsOnly?: boolean;
  /** Only spans that others call, or without a parent. */
  requestsOnly?: boolean;
  /** Words that the name, the service, the status message or an attribute contains. */
  text?: string;
  minDuration?: Duration;
  maxDuration?: Duration;
  /** Only spans with status ERROR. */
  errorsOnly?: boolean;
  attributes: readonly { key: string; value: string }[];
}

/** Traces in a page of the list. */
export const TRACES_A_PAGE = 500;
/** Log records of a span that are asked for. */
export const MOST_SPAN_LOGS = 1_000;
/** Log records of a trace that are asked for. */
export const MOST_TRACE_LOGS = 5_000;

/** What a question about matching spans says. */
export function filterParameters(filter: TraceFilter): Parameters {
  return [
    ['service', filter.service],
    ['operation', filter.operation],
    ['kind', filter.kind],
    ['root', filter.rootsOnly ? 'true' : undefined],
    ['request', filter.requestsOnly ? 'true' : undefined],
    ['text', filter.text],
    ['min_duration', nanosecondsText(filter.minDuration)],
    ['max_duration', nanosecondsText(filter.maxDuration)],
    ['error', filter.errorsOnly ? 'true' : undefined],
    ...filter.attributes.map(({ key, value }) => [`attr.${key}`, value] as const),
  ];
}

export function nanosecondsText(length: Duration | undefined): string | undefined {
  return length === undefined ? undefined : `${length}ns`;
}

/** The newest traces that match, page by page. */
export function tracesQuery(filter: TraceFilter, range: TimeRange) {
  return infiniteQueryOptions({
    queryKey: ['traces', keyOf(filter), keyOf(range)],
    initialPageParam: null as string | null,
    getNextPageParam: (page: TracePage) => page.nextCursor,
    queryFn: async ({ pageParam, signal }): Promise<TracePage> => {
      const asked = resolveRange(range);
      const page = await get<wire.TraceList>(
        '/v1/traces',
        [
          ...filterParameters(filter),
          ['from', asked.from.toString()],
          ['to', asked.to?.toString()],
          ['limit', String(TRACES_A_PAGE)],
          ['cursor', pageParam ?? undefined],
        ],
        signal,
      );
      return {
        traces: page.traces.map(reviveSummary),
        nextCursor: page.next_cursor ?? null,
        from: asked.from,
        to: asked.to ?? now(),
      };
    },
  });
}

/** The newest trace there is, whatever the time range; `null` when none was ever received. */
export function newestTraceQuery() {
  return queryOptions({
    queryKey: ['traces', 'newest'],
    queryFn: async ({ signal }): Promise<TraceSummary | null> => {
      const page = await get<wire.TraceList>('/v1/traces', [['limit', '1']], signal);
      const newest = page.traces[0];
      return newest === undefined ? null : reviveSummary(newest);
    },
    staleTime: 0,
  });
}

function reviveSummary({ start_time, duration_ns, ...rest }: wire.TraceSummary): TraceSummary {
  return { ...rest, start_time: nanos(start_time), duration: duration(duration_ns) };
}

/** A span with all it carries. */
export function spanQuery(traceId: string, spanId: string) {
  return queryOptions({
    queryKey: ['trace', traceId, 'span', spanId],
    queryFn: async ({ signal }): Promise<SpanDetails> => {
      const path = `/v1/traces/${encodeURIComponent(traceId)}/spans/${encodeURIComponent(spanId)}`;
      const { span, process } = await get<wire.SpanDetails>(path, [], signal);
      return { span: reviveSpan(span), process: process ?? null };
    },
  });
}

function reviveSpan({ start_time, end_time, parent_span_id, events, ...rest }: wire.Span): Span {
  return {
    ...rest,
    start_time: nanos(start_time),
    end_time: end_time == null ? null : nanos(end_time),
    parent_span_id: parent_span_id ?? null,
    events: events.map((event) => ({ ...event, time: nanos(event.time) })),
  };
}

/** The log records of a whole trace, earliest first: the first {@link MOST_TRACE_LOGS}. */
export function traceLogsQuery(traceId: string) {
  return queryOptions({
    queryKey: ['trace', traceId, 'logs'],
    queryFn: async ({ signal }): Promise<LogRecord[]> => {
      const path = `/v1/traces/${encodeURIComponent(traceId)}/logs`;
      const answer = await get<wire.LogList>(path, [['limit', String(MOST_TRACE_LOGS)]], signal);
      return answer.logs.map(reviveLog);
    },
  });
}

/** The log records of a span. */
export function spanLogsQuery(traceId: string, spanId: string) {
  return queryOptions({
    queryKey: ['trace', traceId, 'logs', spanId],
    queryFn: async ({ signal }): Promise<LogRecord[]> => {
      const path = `/v1/traces/${encodeURIComponent(traceId)}/logs`;
      const answer = await get<wire.LogList>(
        path,
        [
          ['span_id', spanId],
          ['limit', String(MOST_SPAN_LOGS)],
        ],
        signal,
      );
      return answer.logs.map(reviveLog);
    },
  });
}
