import { listParam, textParam } from './search-params';
import { LEVELS, type LevelName } from './severity';
import { readAttribute } from './trace-search';

/** What a link to log records holds, beside the time range. */
export interface LogSearch {
  /** Text in the body, the event's name or the attributes. */
  q?: string;
  /** The levels that are shown, with commas: `ERROR,FATAL`. */
  level?: string;
  service?: string;
  /** `key=value`, all of which the record has. */
  attr?: string[];
  order?: 'asc';
  /** Attributes that have a column. */
  column?: string[];
  /** How many are loaded at most: `50`, `100`, `200`, `500`; all as one scrolls when left out. */
  most?: string;
}

export const LOG_LIMITS = ['50', '100', '200', '500'] as const;

/** Reads a link; what makes no sense is left out. */
export function readLogSearch(raw: Record<string, unknown>): LogSearch {
  const search: LogSearch = {};
  const [q, service] = [textParam(raw.q), textParam(raw.service)];
  const levels = levelsOf(textParam(raw.level));
  const attributes = listParam(raw.attr).filter((text) => readAttribute(text) !== null);
  const columns = [...new Set(listParam(raw.column))];
  const most = LOG_LIMITS.find((limit) => limit === textParam(raw.most));
  if (q !== undefined) search.q = q;
  if (service !== undefined) search.service = service;
  if (levels !== null) search.level = levels.join(',');
  if (attributes.length > 0) search.attr = attributes;
  if (textParam(raw.order) === 'asc') search.order = 'asc';
  if (columns.length > 0) search.column = columns;
  if (most !== undefined) search.most = most;
  return search;
}

/** The levels of a link; `null` for all. */
export function levelsOf(text: string | undefined): LevelName[] | null {
  const wanted = new Set(text?.toUpperCase().split(','));
  const levels = LEVELS.filter((level) => wanted.has(level));
  return levels.length === 0 || levels.length === LEVELS.length ? null : levels;
}
