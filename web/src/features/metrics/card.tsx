import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import { type Metric, type MetricSeries, metricSeriesQuery } from '@/api/metrics';
import type { Nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { LineChart } from '@/ui/line-chart';
import { LineLegend } from '@/ui/line-legend';
import { useInSight } from '@/ui/visible';
import { columnName, formatsOf, isPercentile, KINDS, linesOf } from './columns';

const HEIGHT = 150;
const POINTS = 200;
/** Lines whose names are written below. */
const MOST_NAMED = 6;

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
  const { kind, unit } = metric;
  const { format, formatTick } = useMemo(() => formatsOf({ kind, unit }, shown), [kind, unit, shown]);
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
            {data.series.length === 1 && data.columns.some(isPercentile) && (
              <option value="quantiles">Quantiles</option>
            )}
            {data.columns.map((column) => (
              <option key={column} value={column}>
                {columnName(column)}
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
      <div className="min-h-9 px-4 pt-1 pb-3">
        <LineLegend label={`Lines of ${metric.name}`} lines={lines} format={format} most={MOST_NAMED} />
        {data !== undefined && data.hidden > 0 && (
          <p className="tabular text-xs text-faint">
            {formatCount(data.hidden)} smaller series are not drawn
          </p>
        )}
      </div>
    </section>
  );
}

/** The column of which every series has a line; `undefined` for the quantiles of the only series. */
function shownColumn({ columns, series }: MetricSeries, chosen: string | undefined): string | undefined {
  if (chosen !== undefined && columns.includes(chosen)) return chosen;
  const isSpread = columns.some(isPercentile);
  if (isSpread && series.length === 1) return undefined;
  return isSpread ? 'p99' : columns[0];
}
