import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useRef } from 'react';
import { type Metric, processMetricsQuery } from '@/api/metrics';
import { after, between, type Duration, MINUTE, maxOf, type Nanos } from '@/base/nanos';
import { formatCount, plural } from '@/base/numbers';
import { describeRange, rangeFromSearch, rangeToSearch } from '@/base/time-range';
import { Button } from '@/ui/button';
import { useHotkeys } from '@/ui/hotkeys';
import { useZone } from '@/ui/preferences';
import { SearchBox } from '@/ui/search-box';
import { EmptyState, ErrorState } from '@/ui/states';
import { noteError } from '@/ui/toasts';
import { MetricCard } from './card';

/** What a link to the metrics of a process holds. */
export interface ProcessMetricSearch {
  q?: string;
  /** The part of its time that is shown. */
  since?: string;
  until?: string;
}

/** The metrics of a process, each as a chart, over all of its life unless a part was chosen. */
export function ProcessMetrics({ processId, search }: { processId: string; search: ProcessMetricSearch }) {
  const navigate = useNavigate();
  const [zone] = useZone();
  const input = useRef<HTMLInputElement>(null);
  const { q = '', since, until } = search;
  const chosen = useMemo(
    () => (since === undefined || until === undefined ? null : rangeFromSearch({ from: since, to: until })),
    [since, until],
  );
  const query = useQuery(processMetricsQuery(processId, chosen));
  const change = (
    change: { [Name in keyof ProcessMetricSearch]?: ProcessMetricSearch[Name] | undefined },
    replace = false,
  ) => void navigate({ to: '.', search: (previous) => ({ ...previous, ...change }), replace });
  const metrics = query.data?.metrics;
  const range = useMemo((): { from: Nanos; to: Nanos } | null => {
    if (chosen?.kind === 'absolute') return { from: chosen.from, to: chosen.to };
    return metrics === undefined ? null : lifeOf(metrics);
  }, [chosen, metrics]);
  const isOld = query.isError && metrics !== undefined;
  useEffect(() => {
    if (isOld) noteError('The metrics could not be loaded again', query.error?.message);
  }, [isOld, query.error]);
  useHotkeys('Metrics', [{ keys: ['/'], label: 'Find a metric', run: () => input.current?.focus() }]);

  if (metrics === undefined) {
    return query.isError ? (
      <ErrorState
        title="The metrics could not be loaded"
        error={query.error}
        retry={() => void query.refetch()}
      />
    ) : (
      <Loading />
    );
  }
  const wanted = q.toLowerCase();
  const found = metrics.filter(({ name, description }) =>
    `${name} ${description}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-surface px-4 py-2.5">
        <div className="min-w-52 flex-1">
          <SearchBox
            label="Find metrics"
            placeholder="Name or description"
            text={q}
            find={(text) => change({ q: text === '' ? undefined : text }, true)}
            input={input}
          />
        </div>
        {chosen !== null && (
          <span className="tabular flex items-center gap-2 text-xs text-muted">
            {describeRange(chosen, zone)}
            <Button onClick={() => change({ since: undefined, until: undefined })}>All of the time</Button>
          </span>
        )}
        <p role="status" className="tabular text-xs text-muted">
          {plural(found.length, 'metric')}
          {query.data !== undefined &&
            query.data.hidden > 0 &&
            ` · ${formatCount(query.data.hidden)} more are not shown`}
        </p>
      </div>
      {found.length === 0 || range === null ? (
        <EmptyState
          title={
            q !== ''
              ? 'No metric matches'
              : chosen === null
                ? 'This process has sent no metrics'
                : 'No metric has a point in this time'
          }
        />
      ) : (
        <div className="grid min-h-0 flex-1 auto-rows-max grid-cols-[repeat(auto-fill,minmax(min(26rem,100%),1fr))] gap-3 overflow-auto p-4">
          {found.map((metric) => (
            <MetricCard
              key={`${metric.name} ${metric.kind}`}
              metric={metric}
              processId={processId}
              range={range}
              onSelect={(from, to) => {
                const { from: since, to: until } = rangeToSearch({ kind: 'absolute', from, to });
                change({ since, until });
              }}
            />
          ))}
        </div>
      )}
    </>
  );
}

/**
 * The time of all points. The first interval of a counter belongs to it when it is not much longer than the rest: a
 * process that runs for months told of all of them at once.
 */
function lifeOf(metrics: readonly Metric[]): { from: Nanos; to: Nanos } | null {
  const first = metrics[0];
  if (first === undefined) return null;
  const least = (a: Nanos, b: Nanos) => (a < b ? a : b);
  const from = metrics.reduce((from, { firstTime }) => least(from, firstTime), first.firstTime);
  const last = metrics.reduce((to, { lastTime }) => maxOf(to, lastTime), first.lastTime);
  const start = metrics.reduce(
    (from, { startTime }) => (startTime === null ? from : least(from, startTime)),
    from,
  );
  const reach = between(from, last) / 10n + MINUTE;
  return { from: from - start <= reach ? start : from, to: after(last, 1n as Duration) };
}

function Loading() {
  return (
    <div
      role="status"
      aria-label="Loading the metrics"
      className="grid grid-cols-[repeat(auto-fill,minmax(min(26rem,100%),1fr))] gap-3 p-4"
    >
      {Array.from({ length: 6 }, (_, card) => (
        <div key={card} className="h-60 rounded-lg border border-line bg-surface p-4">
          <div className="skeleton h-3 w-40" />
        </div>
      ))}
    </div>
  );
}
