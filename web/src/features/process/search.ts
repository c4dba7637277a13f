import { type LogSearch, readLogSearch } from '@/base/log-search';
import { textParam } from '@/base/search-params';
import { rangeFromSearch } from '@/base/time-range';

/** Parts of a process's page. */
export const PROCESS_TABS = ['info', 'timeline', 'logs', 'metrics', 'trace'] as const;
export type ProcessTab = (typeof PROCESS_TABS)[number];

/** What a link to a process holds, beside the time range. */
export interface ProcessPageSearch extends LogSearch {
  tab?: Exclude<ProcessTab, 'info'>;
  /** The part of the timeline that is shown, as nanoseconds since the Unix epoch: `1200-56000`. */
  zoom?: string;
  /** The span that is selected in the timeline. */
  span?: string;
  /** The name that is searched for in the timeline. */
  find?: string;
  /** The part of its time of which log records and metrics are shown. */
  since?: string;
  until?: string;
}

/** Reads a link; what makes no sense is left out. */
export function readProcessPageSearch(raw: Record<string, unknown>): ProcessPageSearch {
  const search: ProcessPageSearch = {};
  if (textParam(raw.tab) === 'logs') Object.assign(search, readLogSearch(raw));
  const q = textParam(raw.q);
  if (textParam(raw.tab) === 'metrics' && q !== undefined) search.q = q;
  const tab = PROCESS_TABS.find((tab) => tab === textParam(raw.tab));
  const [zoom, span, find] = [textParam(raw.zoom), textParam(raw.span)?.toLowerCase(), textParam(raw.find)];
  if (tab !== undefined && tab !== 'info') search.tab = tab;
  if (zoom !== undefined && /^\d{1,19}-\d{1,19}$/.test(zoom)) search.zoom = zoom;
  if (span !== undefined && /^[0-9a-f]{16}$/.test(span)) search.span = span;
  if (find !== undefined) search.find = find;
  const [since, until] = [textParam(raw.since), textParam(raw.until)];
  if (
    since !== undefined &&
    until !== undefined &&
    rangeFromSearch({ from: since, to: until })?.kind === 'absolute'
  ) {
    Object.assign(search, { since, until });
  }
  return search;
}
