import { queryOptions } from '@tanstack/react-query';
import type { TimeRange } from '@/base/time-range';
import { get, keyOf, rangeParameters } from './client';
import type * as wire from './wire';

/** Names of the services that were active in the time asked for, in alphabetical order. */
export function servicesQuery(range: TimeRange) {
  return queryOptions({
    queryKey: ['services', keyOf(range)],
    queryFn: async ({ signal }): Promise<string[]> => {
      const answer = await get<wire.ServiceList>('/api/services', rangeParameters(range), signal);
      return namesOf(answer.services);
    },
    staleTime: 15_000,
  });
}

/** Names of a service's operations in the time asked for, in alphabetical order. */
export function operationsQuery(service: string, range: TimeRange) {
  return queryOptions({
    queryKey: ['services', service, 'operations', keyOf(range)],
    queryFn: async ({ signal }): Promise<string[]> => {
      const path = `/api/services/${encodeURIComponent(service)}/operations`;
      const answer = await get<wire.OperationList>(path, rangeParameters(range), signal);
      return namesOf(answer.operations);
    },
    staleTime: 15_000,
  });
}

/** Each name once: an operation is listed for each kind of its spans. */
function namesOf(items: readonly { name: string }[]): string[] {
  return [...new Set(items.map(({ name }) => name))].sort((a, b) => a.localeCompare(b));
}
