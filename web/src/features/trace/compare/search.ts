import { textParam } from '@/base/search-params';

/** What a link to a comparison holds: the ids of two traces. */
export interface CompareSearch {
  a?: string;
  b?: string;
}

export function readCompareSearch(raw: Record<string, unknown>): CompareSearch {
  const search: CompareSearch = {};
  for (const name of ['a', 'b'] as const) {
    const id = textParam(raw[name])?.replaceAll('-', '').toLowerCase();
    if (id !== undefined && /^[0-9a-f]{32}$/.test(id)) search[name] = id;
  }
  return search;
}
