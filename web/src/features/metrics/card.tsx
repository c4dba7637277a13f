import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo, useRef, useState } from 'react';
import { type Metric, type MetricSeries, metricSeriesQuery } from '@/api/metrics';
import { formatMeasure } from '@/base/measures';
import type { Nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { type KeyValue, textOf } from '@/base/values';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { type Line, LineChart, LineMark } from '@/ui/line-chart';
import { useInSight } from '@/ui/visible';

const HEIGHT = 150;
const POINTS = 200;
/** Lines whose names are written below. */
const MOST_NAMED = 6;

const KINDS: Readonly<Record<string, string>> = {
  GAUGE: 'gauge',
  SUM: 'sum',
  HISTOGRAM: 'histogram',
  EXPONENTIAL_HISTOGRAM: 'exponential histogram',
  SUMMARY: 'summary',
};

const COLUMNS: Readonly<Record<string, string>> = {
  value: 'Value',
  rate: 'Rate per second',
  average: 'Average',
  p50: 'Median',
  p90: '90th percentile',
  p99: '99th percentile',
};

/** A metric as a chart. It is asked for when it comes into sight. */
export function MetricCard(props: {
  metric: Metric;
  processId: string;
  range: { from: Nanos; to: Nanos };
  onSelect: (from: Nanos, to: Nanos) => void;
}) {
  const { metric, range } = props;
  const card = useRef<HTMLElement>(null);
  const inSight = useInSight(card);
  const query = useQuery({
    ...metricSeriesQuery(metric, props.processId, range, POINTS),
    enabled: inSight,
    placeholderData: keepPreviousData,
  });
  const [column, setColumn] = useState<string>();
  const { data } = query;
  const shown = data === undefined ? undefined : shownColumn(data, column);
  const lines = useMemo(() => (data === undefined ? [] : linesOf(data, shown)), [data, shown]);
  // The rate of a histogram is that of its observations.
  const unit = shown === 'rate' && metric.kind !== 'SUM' ? '' : metric.unit;
  const format = useCallback((value: number) => formatMeasure(value, unit, shown === 'rate'), [unit, shown]);
  // What is counted need not be named at each mark.
  const tickUnit = unit.startsWith('{') ? '' : unit;
  const formatTick = useCallback(
    (value: number) => formatMeasure(value, tickUnit, shown === 'rate'),
    [tickUnit, shown],
  );
  return (
    <section
      ref={card}
      aria-label={metric.name}
      className="flex flex-col rounded-lg border border-line bg-surface"
    >
      <header className="flex items-start gap-2 px-4 pt-3 pb-1">
        <div className="min-w-0 flex-1">
          <h2 className="font-medium wrap-anywhere">{metric.name}</h2>
          <p className="truncate text-xs text-faint" title={metric.description}>
            {KINDS[metric.kind] ?? metric.kind}
            {metric.unit !== '' && metric.unit !== '1' && ` in ${metric.unit}`}
            {metric.description !== '' && ` · ${metric.description}`}
          </p>
        </div>
        {data !== undefined && data.columns.length > 1 && (
          <select
            aria-label={`What is shown of ${metric.name}`}
            value={shown ?? 'quantiles'}
            onChange={({ target }) => setColumn(target.value)}
            className="field h-7 py-0 text-xs"
          >
            {data.series.length === 1 && data.columns.includes('p99') && (
              <option value="quantiles">Quantiles</option>
            )}
            {data.columns.map((column) => (
              <option key={column} value={column}>
                {COLUMNS[column] ?? column}
              </option>
            ))}
          </select>
        )}
        {data?.columns.length === 1 && data.columns[0] === 'rate' && (
          <span className="shrink-0 text-xs text-faint">per second</span>
        )}
      </header>
      <div className={classes('px-2 transition-opacity', query.isPlaceholderData && 'opacity-50')}>
        {data !== undefined ? (
          <LineChart
            label={`${metric.name}: ${formatCount(metric.pointCount)} points`}
            lines={lines}
            from={range.from}
            to={range.to}
            step={data.step}
            format={format}
            formatTick={formatTick}
            height={HEIGHT}
            onSelect={props.onSelect}
          />
        ) : query.isError ? (
          <p
            role="alert"
            className="flex flex-wrap items-center gap-3 px-2 text-error"
            style={{ height: HEIGHT }}
          >
            {query.error.message}
            <Button onClick={() => void query.refetch()}>Try again</Button>
          </p>
        ) : (
          <div className="px-2 pt-2" style={{ height: HEIGHT }}>
            <div className="skeleton h-full" />
          </div>
        )}
      </div>
      <ul
        aria-label={`Lines of ${metric.name}`}
        className="tabular min-h-9 px-4 pt-1 pb-3 text-xs text-muted"
      >
        {lines.slice(0, MOST_NAMED).map((line, index) => (
          <li key={line.label} className="flex items-center gap-1.5">
            <LineMark index={index} />
            <span className="min-w-0 flex-1 truncate" title={line.label}>
              {line.label}
            </span>
            <span className="text-text">{lastOf(line, format)}</span>
          </li>
        ))}
        {lines.length > MOST_NAMED && (
          <li className="text-faint">and {lines.length - MOST_NAMED} more lines</li>
        )}
        {data !== undefined && data.hidden > 0 && (
          <li className="text-faint">{formatCount(data.hidden)} smaller series are not drawn</li>
        )}
      </ul>
    </section>
  );
}

/** The column of which every series has a line; `undefined` for the quantiles of the only series. */
function shownColumn({ columns, series }: MetricSeries, chosen: string | undefined): string | undefined {
  if (chosen !== undefined && columns.includes(chosen)) return chosen;
  const isSpread = columns.includes('p99');
  if (isSpread && series.length === 1) return undefined;
  return isSpread ? 'p99' : columns[0];
}

function linesOf({ columns, series }: MetricSeries, shown: string | undefined): Line[] {
  if (shown === undefined) {
    return series.slice(0, 1).flatMap(({ points }) =>
      ['p99', 'p90', 'p50'].map((column) => ({
        label: column,
        points: points.map(({ time, values }) => ({ time, value: values[columns.indexOf(column)] ?? null })),
      })),
    );
  }
  const at = columns.indexOf(shown);
  return series.map(({ attributes, points }) => ({
    label: nameOf(attributes) || (COLUMNS[shown] ?? shown),
    points: points.map(({ time, values }) => ({ time, value: values[at] ?? null })),
  }));
}

/** What tells a series from others. */
function nameOf(attributes: readonly KeyValue[]): string {
  return attributes.map(({ key, value }) => `${key}=${textOf(value).slice(0, 200)}`).join(', ');
}

function lastOf({ points }: Line, format: (value: number) => string): string {
  const last = points.findLast(({ value }) => value !== null)?.value;
  return last == null ? '–' : format(last);
}
