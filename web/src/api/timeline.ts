import { queryOptions } from '@tanstack/react-query';
import { between, type Duration, duration, type Nanos, nanos, toDrawable } from '@/base/nanos';
import type { Zoom } from '@/base/zoom';
import { get } from './client';
import type * as wire from './wire';

/** What a process did over time, with as much detail as is seen. Offsets are nanoseconds from `origin`, for drawing. */
export interface Timeline {
  origin: Nanos;
  /** The part that was asked for; `null` for all of it. */
  window: Zoom | null;
  /** The earliest and the latest moment of the time asked for that spans tell of; `null` when there are none. */
  range: { first: Nanos; last: Nanos } | null;
  spanCount: bigint;
  /** Spans that are not drawn, because there were too many rows. */
  hiddenSpanCount: bigint;
  tracks: TimelineTrack[];
}

/** A thread, or what a process does asynchronously. */
export interface TimelineTrack {
  thread: { id: string; name: string | null } | null;
  /** Spans shorter than this are put together. */
  resolution: Duration;
  rows: TimelineRow[];
}

/** Slices next to each other, in order of start. */
export interface TimelineRow {
  lane: number;
  depth: number;
  starts: Float64Array;
  /** Where they end; what is open ends at infinity. */
  ends: Float64Array;
  slices: TimelineSlice[];
}

/** A span, or several that are too short to be seen alone. */
export interface TimelineSlice {
  name: string;
  start: Nanos;
  /** `null` while it is open. */
  duration: Duration | null;
  errorCount: number;
  span: { traceId: string; spanId: string } | null;
  several: { count: bigint; total: Duration; longest: Duration } | null;
}

/** Most of what the server tells apart next to each other. */
const MOST_COLUMNS = 10_000;

/** The part of a timeline that is wanted. */
export interface TimelinePart {
  origin: Nanos;
  window: Zoom;
  /** How much can be told apart in it. */
  columns: number;
}

/** The timeline of a process: of all its life, or of a part of it. */
export function timelineQuery(processId: string, part: TimelinePart | null) {
  const from = part === null ? undefined : moment(part.origin, part.window.from);
  const to = part === null ? undefined : moment(part.origin, part.window.to);
  // Of the whole, the server tells as much apart as it ever does.
  const columns =
    part === null ? undefined : String(Math.min(Math.max(Math.round(part.columns), 1), MOST_COLUMNS));
  return queryOptions({
    queryKey: [
      'process',
      processId,
      'timeline',
      from ?? null,
      to ?? null,
      columns ?? null,
      String(part?.origin ?? ''),
    ],
    queryFn: async ({ signal }): Promise<Timeline> => {
      const path = `/api/process/${encodeURIComponent(processId)}/timeline`;
      const parameters = [
        ['from', from],
        ['to', to],
        ['columns', columns],
      ] as const;
      return revive(await get<wire.Timeline>(path, [...parameters], signal), part);
    },
    // Another part is asked for often: what was seen a while ago is not kept for long.
    gcTime: 60_000,
  });
}

function moment(origin: Nanos, offset: number): string {
  return (origin + BigInt(Math.round(offset))).toString();
}

function revive(answer: wire.Timeline, part: TimelinePart | null): Timeline {
  const { first_time: first, last_time: last } = answer;
  const range = first === undefined || last === undefined ? null : { first: nanos(first), last: nanos(last) };
  const origin = part?.origin ?? range?.first ?? (0n as Nanos);
  return {
    origin,
    window: part?.window ?? null,
    range,
    spanCount: BigInt(answer.span_count),
    hiddenSpanCount: BigInt(answer.hidden_span_count),
    tracks: answer.tracks.map((track) => ({
      thread: track.thread_id === undefined ? null : { id: track.thread_id, name: track.thread_name ?? null },
      resolution: duration(track.resolution_ns),
      rows: track.rows.map(({ lane, depth, slices }) => row(lane, depth, slices, answer.names, origin)),
    })),
  };
}

function row(
  lane: number,
  depth: number,
  slices: readonly wire.TimelineSlice[],
  names: readonly string[],
  origin: Nanos,
): TimelineRow {
  const starts = new Float64Array(slices.length);
  const ends = new Float64Array(slices.length);
  const revived = slices.map((slice, at): TimelineSlice => {
    const start = nanos(slice.start);
    const length = slice.duration_ns === undefined ? null : duration(slice.duration_ns);
    starts[at] = toDrawable(between(origin, start));
    ends[at] = length === null ? Number.POSITIVE_INFINITY : starts[at]! + toDrawable(length);
    const { trace_id: traceId, span_id: spanId, several } = slice;
    return {
      name: names[slice.name] ?? '',
      start,
      duration: length,
      errorCount: Number(slice.error_count ?? 0),
      span: traceId === undefined || spanId === undefined ? null : { traceId, spanId },
      several:
        several === undefined
          ? null
          : {
              count: BigInt(several.count),
              total: duration(several.total_ns),
              longest: duration(several.longest_ns),
            },
    };
  });
  return { lane, depth, starts, ends, slices: revived };
}
