import { textParam } from '@/base/search-params';

/** What a link to a trace holds. */
export interface TracePageSearch {
  /** The span whose details are open. */
  span?: string;
  /** The part of the trace that is shown, as nanoseconds from its start: `1200-56000`. */
  zoom?: string;
  /** What is searched for within the trace. */
  find?: string;
  /** How the trace is shown; as a waterfall when left out. */
  view?: TraceViewName;
  /** Whether the waterfall shows the critical path. */
  critical?: 'true';
  /** What the tables are sorted by, `-` before it for the greatest first. */
  sort?: string;
}

export const VIEWS = ['flame', 'operations', 'spans', 'logs'] as const;
export type TraceViewName = (typeof VIEWS)[number];

export function readTracePageSearch(raw: Record<string, unknown>): TracePageSearch {
  const search: TracePageSearch = {};
  const span = textParam(raw.span)?.toLowerCase();
  const zoom = textParam(raw.zoom);
  const find = textParam(raw.find);
  if (span !== undefined && /^[0-9a-f]{16}$/.test(span)) search.span = span;
  if (zoom !== undefined && /^\d{1,18}-\d{1,18}$/.test(zoom)) search.zoom = zoom;
  if (find !== undefined) search.find = find;
  const view = VIEWS.find((name) => name === raw.view);
  if (view !== undefined) search.view = view;
  if (textParam(raw.critical) === 'true') search.critical = 'true';
  const sort = textParam(raw.sort);
  if (sort !== undefined && /^-?[a-z]{1,20}$/.test(sort)) search.sort = sort;
  return search;
}
