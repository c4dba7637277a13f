import { textParam } from '@/base/search-params';
import { readAttribute } from '@/base/trace-search';

/** What a link to services holds, beside the time range. */
export interface ServiceSearch {
  /** The service whose page it is; all when left out. */
  name?: string;
  view?: 'map';
  /** Words, or `key=value`: only calls whose span of the called service has these. */
  q?: string;
  sort?: string;
}

export function readServiceSearch(raw: Record<string, unknown>): ServiceSearch {
  const search: ServiceSearch = {};
  const [name, q, sort] = [textParam(raw.name), textParam(raw.q), textParam(raw.sort)];
  if (name !== undefined) search.name = name;
  if (raw.view === 'map') search.view = 'map';
  if (q !== undefined) search.q = q;
  if (sort !== undefined && /^-?[a-z0-9]{1,20}$/.test(sort)) search.sort = sort;
  return search;
}

/** What the server is asked for. */
export function filterOf(q: string | undefined) {
  const attribute = q === undefined ? null : readAttribute(q);
  if (attribute !== null) return { attributes: [attribute] };
  return { ...(q === undefined ? {} : { text: q }), attributes: [] };
}
