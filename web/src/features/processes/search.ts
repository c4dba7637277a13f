import { PROCESS_SORTS, type ProcessFilter, type ProcessSort } from '@/api/processes';
import { textParam } from '@/base/search-params';

/** What a link to the list of processes holds, beside the time range. */
export interface ProcessSearch {
  /** Text in the name, the id, or any attribute. */
  q?: string;
  sort?: ProcessSort;
  order?: 'asc' | 'desc';
}

/** Reads a link; what makes no sense is left out. */
export function readProcessSearch(raw: Record<string, unknown>): ProcessSearch {
  const search: ProcessSearch = {};
  const q = textParam(raw.q);
  const sort = PROCESS_SORTS.find((known) => known === textParam(raw.sort));
  const order = textParam(raw.order);
  if (q !== undefined) search.q = q;
  if (sort !== undefined) search.sort = sort;
  if (order === 'asc' || order === 'desc') search.order = order;
  return search;
}

/** The newest come first, and names from A. */
function usualOrder(sort: ProcessSort): 'asc' | 'desc' {
  return sort === 'service' ? 'asc' : 'desc';
}

/** What the server is asked for. */
export function filterOf(search: ProcessSearch): ProcessFilter {
  const sort = search.sort ?? 'last_update';
  return {
    ...(search.q === undefined ? {} : { search: search.q }),
    sort,
    order: search.order ?? usualOrder(sort),
  };
}

/** Sorted by another column, or the other way round. */
export function sortedBy(search: ProcessSearch, sort: ProcessSort): Pick<ProcessSearch, 'sort' | 'order'> {
  const now = filterOf(search);
  const usual = usualOrder(sort);
  const order = now.sort !== sort ? usual : now.order === 'asc' ? 'desc' : 'asc';
  return {
    ...(sort === 'last_update' ? {} : { sort }),
    ...(order === usual ? {} : { order }),
  };
}
