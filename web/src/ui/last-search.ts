import type { TraceSearch } from '@/base/trace-search';

let last: TraceSearch = {};

/** Remembers the search that the list of traces shows, so that the way back from a trace leads to it. */
export function rememberTraceSearch(search: TraceSearch) {
  last = search;
}

/** The search that the list of traces showed last. */
export function lastTraceSearch(): TraceSearch {
  return last;
}
