import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type Nanos, nanos } from '@/base/nanos';
import type { TimeRange } from '@/base/time-range';
import type { KeyValue } from '@/base/values';
import { get, keyOf, rangeParameters } from './client';
import type * as wire from './wire';

/** One run of a program. */
export type Process = Omit<wire.Process, 'start_time' | 'first_seen' | 'last_update_time' | 'resource'> & {
  /** When it started, as far as it says so. */
  start_time: Nanos | null;
  first_seen: Nanos;
  last_update_time: Nanos;
  /** All attributes of the resource; of one process only. */
  resource: readonly KeyValue[];
};

/** What a process has sent. */
export type ProcessStatistics = Omit<wire.ProcessStatistics, 'first_time' | 'last_time'> & {
  first_time: Nanos | null;
  last_time: Nanos | null;
};

export const PROCESS_SORTS = ['last_update', 'start', 'service'] as const;
export type ProcessSort = (typeof PROCESS_SORTS)[number];

/** Which processes are wanted, and in which order. */
export interface ProcessFilter {
  search?: string;
  sort: ProcessSort;
  order: 'asc' | 'desc';
}

export interface ProcessPage {
  processes: Process[];
  nextCursor: string | null;
}

const PROCESSES_A_PAGE = 100;

/** Processes that were active in the time asked for, page by page. */
export function processesQuery(filter: ProcessFilter, range: TimeRange) {
  return infiniteQueryOptions({
    queryKey: ['processes', keyOf(filter), keyOf(range)],
    initialPageParam: null as string | null,
    getNextPageParam: (page: ProcessPage) => page.nextCursor,
    queryFn: async ({ pageParam, signal }): Promise<ProcessPage> => {
      const answer = await get<wire.ProcessList>(
        '/api/processes',
        [
          ['search', filter.search],
          ['sort', filter.sort],
          ['order', filter.order],
          ...rangeParameters(range),
          // The list shows neither.
          ['counts', 'false'],
          ['properties', 'false'],
          ['limit', String(PROCESSES_A_PAGE)],
          ['cursor', pageParam ?? undefined],
        ],
        signal,
      );
      return { processes: answer.processes.map(revive), nextCursor: answer.next_cursor ?? null };
    },
  });
}

/** One process. */
export function processQuery(id: string) {
  return queryOptions({
    queryKey: ['process', id],
    queryFn: async ({ signal }): Promise<Process> =>
      revive(await get<wire.Process>(`/api/process/${encodeURIComponent(id)}`, [], signal)),
  });
}

/** What a process has sent, counted by the server. */
export function processStatisticsQuery(id: string) {
  return queryOptions({
    queryKey: ['process', id, 'statistics'],
    queryFn: async ({ signal }): Promise<ProcessStatistics> => {
      const path = `/api/process/${encodeURIComponent(id)}/statistics`;
      const answer = await get<wire.ProcessStatistics>(path, [], signal);
      return { ...answer, first_time: timeOf(answer.first_time), last_time: timeOf(answer.last_time) };
    },
  });
}

function revive(process: wire.Process): Process {
  return {
    ...process,
    start_time: timeOf(process.start_time),
    first_seen: nanos(process.first_seen),
    last_update_time: nanos(process.last_update_time),
    resource: process.resource ?? [],
  };
}

function timeOf(text: string | undefined): Nanos | null {
  return text === undefined ? null : nanos(text);
}
