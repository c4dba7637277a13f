import type { MetricFilter, Together } from '@/api/metrics';
import { listParam, textParam } from '@/base/search-params';
import { readAttribute } from '@/base/trace-search';

const AGGREGATES = ['each', 'sum', 'average', 'min', 'max'] as const;

/** How series are put together, `each` for not at all. */
export type Aggregate = (typeof AGGREGATES)[number];

/** What a link to a metric holds, beside the time range. */
export interface MetricSearch {
  /** Name and kind of the metric; none was chosen when left out. */
  name?: string;
  type?: string;
  service?: string;
  /** `key=value`: only points with these attributes. */
  attr?: string[];
  /** What suits the kind when left out. */
  aggregate?: Aggregate;
  /** What keeps series apart that are put together. */
  by?: string[];
  /** Which of the values of a histogram is drawn, such as `rate` or `p95`. */
  show?: string;
  /** What is typed to find a metric. */
  q?: string;
}

export function readMetricSearch(raw: Record<string, unknown>): MetricSearch {
  const search: MetricSearch = {};
  const [name, type, service, show, q] = [raw.name, raw.type, raw.service, raw.show, raw.q].map(textParam);
  const aggregate = AGGREGATES.find((known) => known === raw.aggregate);
  const attr = listParam(raw.attr).filter((text) => readAttribute(text) !== null);
  const by = listParam(raw.by);
  if (name !== undefined) search.name = name;
  if (type !== undefined) search.type = type;
  if (service !== undefined) search.service = service;
  if (show !== undefined && /^(value|rate|average|p\d{1,3}(\.\d{1,6})?)$/.test(show)) search.show = show;
  if (q !== undefined) search.q = q;
  if (aggregate !== undefined) search.aggregate = aggregate;
  if (attr.length > 0) search.attr = attr;
  if (by.length > 0) search.by = by;
  return search;
}

/** The points that are meant; `null` while no metric is chosen. */
export function filterOf({ name, type, service, attr = [] }: MetricSearch): MetricFilter | null {
  if (name === undefined) return null;
  return {
    name,
    ...(type === undefined ? {} : { kind: type }),
    ...(service === undefined ? {} : { service }),
    attributes: attr.map(readAttribute).filter((attribute) => attribute !== null),
  };
}

/** What suits a kind: how full things are is averaged, what happens adds up. */
export function usualAggregate(kind: string | undefined): Exclude<Aggregate, 'each'> {
  return kind === 'GAUGE' ? 'average' : 'sum';
}

export function togetherOf({ type, aggregate, by = [], show }: MetricSearch): Together {
  const how = aggregate ?? usualAggregate(type);
  const percentile = show !== undefined && /^p/.test(show) ? show.slice(1) : undefined;
  const usual = ['50', '90', '99'];
  return {
    aggregate: how === 'each' ? null : how,
    by,
    percentiles: percentile === undefined || usual.includes(percentile) ? usual : [...usual, percentile],
  };
}
