import { textParam } from '@/base/search-params';

/** Parts of a process's page. */
export type ProcessTab = 'info' | 'trace';

/** What a link to a process holds, beside the time range. */
export interface ProcessPageSearch {
  tab?: Exclude<ProcessTab, 'info'>;
}

/** Reads a link; what makes no sense is left out. */
export function readProcessPageSearch(raw: Record<string, unknown>): ProcessPageSearch {
  return textParam(raw.tab) === 'trace' ? { tab: 'trace' } : {};
}
