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
export function linesOf({ columns, series }: MetricSeries, shown: string | undefined): Line[] {
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
  return series.map(({ attributes, points }) => ({
    label: nameOf(attributes) || columnName(shown),
    points: points.map(({ time, values }) => ({ time, value: values[at] ?? null })),
  }));
}

/** What tells a series from others. */
function nameOf(attributes: readonly KeyValue[]): string {
  return attributes.map(({ key, value }) => `${key}=${textOf(value).slice(0, 200)}`).join(', ');
}
