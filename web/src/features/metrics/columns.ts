import type { Metric, MetricSeries } from '@/api/metrics';
import { formatMeasure } from '@/base/measures';
import { type KeyValue, textOf } from '@/base/values';
import type { Line } from '@/ui/line-chart';

/** What kinds of metrics are called. */
export const KINDS: Readonly<Record<string, string>> = {
  GAUGE: 'gauge',
  SUM: 'sum',
  HISTOGRAM: 'histogram',
  EXPONENTIAL_HISTOGRAM: 'exponential histogram',
  SUMMARY: 'summary',
};

const NAMES: Readonly<Record<string, string>> = {
  value: 'Value',
  rate: 'Rate per second',
  average: 'Average',
  p50: 'Median',
};

/** What a value of a metric is called. */
export function columnName(column: string): string {
  return NAMES[column] ?? (/^p[\d.]+$/.test(column) ? `${column.slice(1)}th percentile` : column);
}

/** Whether the values are percentiles of observations. */
export const isPercentile = (column: string): boolean => /^p[\d.]+$/.test(column);

/** How values of a column are written, and how at the marks of an axis. */
export function formatsOf({ kind, unit }: Pick<Metric, 'kind' | 'unit'>, column: string | undefined) {
  const isRate = column === 'rate';
  // The rate of a histogram is that of its observations.
  const of = isRate && kind !== 'SUM' ? '' : unit;
  // What is counted need not be named at each mark.
  const ofTick = of.startsWith('{') ? '' : of;
  return {
    format: (value: number) => formatMeasure(value, of, isRate),
    formatTick: (value: number) => formatMeasure(value, ofTick, isRate),
  };
}

/** A line for each series, or, without a column, one for each percentile of the first. */
export function linesOf(
  { columns, series }: MetricSeries,
  shown: string | undefined,
  by: readonly string[] = [],
): Line[] {
  if (shown === undefined) {
    const percentiles = columns.filter(isPercentile).reverse();
    return series.slice(0, 1).flatMap(({ points }) =>
      percentiles.map((column) => ({
        label: column,
        points: points.map(({ time, values }) => ({ time, value: values[columns.indexOf(column)] ?? null })),
      })),
    );
  }
  const at = columns.indexOf(shown);
  const names = namesOf(series, by);
  return series.map(({ points }, line) => ({
    label: names[line] || columnName(shown),
    points: points.map(({ time, values }) => ({ time, value: values[at] ?? null })),
  }));
}

/** What tells series apart: what they are grouped by, or their attributes, and where that is not enough, who sent them. */
function namesOf(series: MetricSeries['series'], by: readonly string[]): string[] {
  const text = ({ key, value }: KeyValue) => `${key}=${textOf(value).slice(0, 200)}`;
  const missing = (attributes: readonly KeyValue[]) =>
    by.filter((key) => !attributes.some((attribute) => attribute.key === key)).map((key) => `${key}: none`);
  const names = series.map(({ attributes }) => [...attributes.map(text), ...missing(attributes)].join(', '));
  const isAlone = (name: string) => names.indexOf(name) === names.lastIndexOf(name);
  return series.map(({ scope, processId }, line) => {
    const name = names[line]!;
    if (isAlone(name)) return name;
    const sender = processId === null ? '' : `process ${processId.slice(0, 8)}`;
    return [name, scope, sender].filter((part) => part !== '').join(' · ');
  });
}
