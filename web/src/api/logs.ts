import {
  type InfiniteData,
  infiniteQueryOptions,
  type QueryClient,
  queryOptions,
} from '@tanstack/react-query';
import { type Duration, duration, type Nanos, nanos } from '@/base/nanos';
import { LEVELS, type LevelName } from '@/base/severity';
import { type ResolvedRange, resolveRange, type TimeRange } from '@/base/time-range';
import { get, keyOf, type Parameters, rangeParameters } from './client';
import type * as wire from './wire';

/** A log record. */
export type LogRecord = Omit<wire.LogRecord, 'time' | 'observed_time'> & {
  time: Nanos;
  observed_time: Nanos | null;
};

/** Which log records are wanted. */
export interface LogFilter {
  search?: string;
  /** `null` for all. */
  levels: readonly LevelName[] | null;
  service?: string;
  process?: string;
  attributes: readonly { key: string; value: string }[];
}

export interface LogPage {
  logs: LogRecord[];
  nextCursor: string | null;
  /** The time that was asked for. */
  range: ResolvedRange | null;
}

/** Numbers of log records of each level. */
export type LevelCounts = Readonly<Record<LevelName, number>>;

/** Numbers of log records over time. */
export interface LogHistogram {
  /** What a bucket covers; `null` when there is no record. */
  step: Duration | null;
  buckets: readonly { time: Nanos; levels: LevelCounts }[];
  levels: LevelCounts;
}

/** Records in a page of the list. */
const LOGS_A_PAGE = 200;
/** The newest records that are followed. */
export const LOGS_FOLLOWED = 500;
const FOLLOWED_EVERY_MS = 1_000;

/** Records of a time, or of all, page by page. */
export function logsQuery(
  filter: LogFilter,
  range: TimeRange | null,
  order: 'asc' | 'desc',
  most: number | null,
) {
  const limit = Math.min(most ?? LOGS_A_PAGE, LOGS_A_PAGE);
  return infiniteQueryOptions({
    queryKey: ['logs', 'pages', keyOf(filter), range === null ? null : keyOf(range), order, most],
    initialPageParam: { cursor: null as string | null, limit, range: null as ResolvedRange | null },
    getNextPageParam: ({ nextCursor, range }: LogPage, pages: LogPage[]) => {
      const left = most === null ? LOGS_A_PAGE : most - pages.reduce((sum, { logs }) => sum + logs.length, 0);
      return nextCursor === null || left <= 0
        ? null
        : { cursor: nextCursor, limit: Math.min(left, LOGS_A_PAGE), range };
    },
    queryFn: async ({ pageParam, signal }): Promise<LogPage> => {
      // All pages are of the time that the first is of: the last hour does not move while one reads.
      const resolved = pageParam.range ?? (range === null ? null : resolveRange(range));
      const found = await page(
        [
          ...conditionsOf(filter),
          ['from', resolved?.from.toString()],
          ['to', resolved?.to?.toString()],
          ['order', order],
          ['limit', String(pageParam.limit)],
          ['cursor', pageParam.cursor ?? undefined],
        ],
        signal,
      );
      return { ...found, range: resolved };
    },
  });
}

/** Asks again for what is shown. Of a long list only the beginning: the rest comes as one scrolls. */
export async function refreshLogs(client: QueryClient) {
  client.setQueriesData<InfiniteData<LogPage>>({ queryKey: ['logs', 'pages'] }, (data) =>
    data === undefined ? data : { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) },
  );
  await client.invalidateQueries({ queryKey: ['logs'] });
}

/** The newest records, asked for again and again. */
export function newestLogsQuery(filter: LogFilter, range: TimeRange | null) {
  return queryOptions({
    queryKey: ['logs', 'newest', keyOf(filter), range === null ? null : keyOf(range)],
    queryFn: async ({ signal }): Promise<LogPage> =>
      await page([...parametersOf(filter, range), ['limit', String(LOGS_FOLLOWED)]], signal),
    refetchInterval: FOLLOWED_EVERY_MS,
  });
}

/** What a process wrote around a moment: so many records before it and from it on, earliest first. */
export function logsAroundQuery(process: string, time: Nanos, before: number, after: number) {
  return queryOptions({
    queryKey: ['logs', 'around', process, time.toString(), before, after],
    queryFn: async ({ signal }): Promise<{ earlier: LogPage; later: LogPage }> => {
      const at = ['process', process] as const;
      const [earlier, later] = await Promise.all([
        page([at, ['to', time.toString()], ['order', 'desc'], ['limit', String(before)]], signal),
        page([at, ['from', time.toString()], ['order', 'asc'], ['limit', String(after)]], signal),
      ]);
      return { earlier: { ...earlier, logs: earlier.logs.reverse() }, later };
    },
  });
}

/** How many records there are over time, of all levels. */
export function logHistogramQuery(filter: LogFilter, range: TimeRange | null, buckets: number) {
  const ofAllLevels = { ...filter, levels: null };
  return queryOptions({
    queryKey: ['logs', 'histogram', keyOf(ofAllLevels), range === null ? null : keyOf(range), buckets],
    queryFn: async ({ signal }): Promise<LogHistogram> => {
      const answer = await get<wire.LogHistogram>(
        '/api/logs/histogram',
        [...parametersOf(ofAllLevels, range), ['buckets', String(buckets)]],
        signal,
      );
      return {
        step: answer.step_ns === undefined ? null : duration(answer.step_ns),
        buckets: answer.buckets.map(({ time, levels }) => ({ time: nanos(time), levels: countsOf(levels) })),
        levels: countsOf(answer.levels),
      };
    },
  });
}

async function page(parameters: Parameters, signal: AbortSignal): Promise<LogPage> {
  const answer = await get<wire.LogPage>('/api/logs', parameters, signal);
  return { logs: answer.logs.map(reviveLog), nextCursor: answer.next_cursor ?? null, range: null };
}

export function reviveLog(log: wire.LogRecord): LogRecord {
  return {
    ...log,
    time: nanos(log.time),
    observed_time: log.observed_time == null ? null : nanos(log.observed_time),
  };
}

function parametersOf(filter: LogFilter, range: TimeRange | null): Parameters {
  return [...conditionsOf(filter), ...(range === null ? [] : rangeParameters(range))];
}

function conditionsOf(filter: LogFilter): Parameters {
  return [
    ['search', filter.search],
    ['level', filter.levels?.join(',')],
    ['service', filter.service],
    ['process', filter.process],
    ...filter.attributes.map(({ key, value }) => [`attr.${key}`, value] as const),
  ];
}

function countsOf(counts: wire.LevelCounts): LevelCounts {
  const named = LEVELS.map((level) => [level, Number(counts[level.toLowerCase() as keyof wire.LevelCounts])]);
  return Object.fromEntries(named) as Record<LevelName, number>;
}
