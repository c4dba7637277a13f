import { QueryClient } from '@tanstack/react-query';
import { ApiError } from './client';

/** Asks again, with growing pauses, when that may help; tells at once when it does not. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < 2 && error instanceof ApiError && error.isTransient,
        retryDelay: (failures) => Math.min(500 * 2 ** failures, 8_000),
        staleTime: 5_000,
        refetchOnWindowFocus: false,
        networkMode: 'always',
      },
    },
  });
}
