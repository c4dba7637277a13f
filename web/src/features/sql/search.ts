import { listParam, textParam } from '@/base/search-params';

/** How many rows are shown. */
export const LIMITS = [1_000, 10_000, 100_000] as const;

/** What a link to an answer in SQL holds, beside the time range. */
export interface SqlSearch {
  /** The statement; none was run yet when left out. */
  sql?: string;
  /** Most rows to show; the least of {@link LIMITS} when left out. */
  limit?: string;
  /** `name=value` of each parameter. */
  value?: string[];
  view?: 'chart';
  /** Of the chart, by their positions counted from 1: the column along, the columns up, and those that tell lines apart. */
  x?: string;
  y?: string[];
  /** `0` for none. */
  by?: string[];
  /** Lines over time, or bars; what suits when left out. */
  draw?: 'lines' | 'bars';
  /** The column that rows are sorted by, by its position: `3`, or `-3` for the greatest first. */
  sort?: string;
}

export function readSqlSearch(raw: Record<string, unknown>): SqlSearch {
  const search: SqlSearch = {};
  const [sql, limit, x, sort] = [raw.sql, raw.limit, raw.x, raw.sort].map(textParam);
  const isPosition = (text: string) => /^\d{1,4}$/.test(text);
  const [value, y, by] = [
    listParam(raw.value),
    ...[raw.y, raw.by].map((raw) => listParam(raw).filter(isPosition)),
  ];
  if (sql !== undefined) search.sql = sql;
  if (LIMITS.some((known) => String(known) === limit) && limit !== String(LIMITS[0])) search.limit = limit!;
  if (value !== undefined && value.length > 0) search.value = value;
  if (raw.view === 'chart') search.view = 'chart';
  if (x !== undefined && isPosition(x)) search.x = x;
  if (y !== undefined && y.length > 0) search.y = y;
  if (by !== undefined && by.length > 0) search.by = by;
  if (raw.draw === 'lines' || raw.draw === 'bars') search.draw = raw.draw;
  if (sort !== undefined && /^-?\d{1,4}$/.test(sort)) search.sort = sort;
  return search;
}

/** The values of a link, by name. */
export function valuesOf({ value = [] }: SqlSearch): Record<string, string> {
  return Object.fromEntries(
    value.map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}
