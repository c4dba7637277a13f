import { keepPreviousData, useIsFetching, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useEffect, useMemo, useRef } from 'react';
import { metricsQuery } from '@/api/metrics';
import { formatCount, plural } from '@/base/numbers';
import { describeRange } from '@/base/time-range';
import { classes } from '@/ui/classes';
import { useHotkeys } from '@/ui/hotkeys';
import { PageHeader } from '@/ui/page-header';
import { useZone } from '@/ui/preferences';
import { RefreshControl, useRefreshInterval } from '@/ui/refresh-control';
import { SearchBox } from '@/ui/search-box';
import { EmptyState, ErrorState, SkeletonRows } from '@/ui/states';
import { useTimeRange } from '@/ui/time-range';
import { TimeRangePicker } from '@/ui/time-range-picker';
import { useTitle } from '@/ui/title';
import { noteError } from '@/ui/toasts';
import { KINDS } from './columns';
import { Explored } from './explored';
import type { MetricSearch } from './search';

/** All metrics: pick one, group it, put its series together, and go from its examples to their traces. */
export function MetricsPage({ search, actions }: { search: MetricSearch; actions?: ReactNode }) {
  const [range, setRange] = useTimeRange();
  const [zone] = useZone();
  const navigate = useNavigate();
  const client = useQueryClient();
  const interval = useRefreshInterval();
  const input = useRef<HTMLInputElement>(null);
  const busy = useIsFetching({ queryKey: ['metrics'] }) > 0;
  useTitle(search.name ?? 'Metrics');
  const query = useQuery({
    ...metricsQuery(range),
    placeholderData: keepPreviousData,
    refetchInterval: interval,
  });
  const change = (
    change: { [Name in keyof MetricSearch]?: MetricSearch[Name] | undefined },
    replace = true,
  ) =>
    void navigate({
      to: '/explore',
      search: (previous) => ({ ...previous, ...change }) as MetricSearch,
      replace,
    });
  const refresh = () => void client.invalidateQueries({ queryKey: ['metrics'] });
  useHotkeys('Metrics', [
    { keys: ['/'], label: 'Find a metric', run: () => input.current?.focus() },
    { keys: ['r'], label: 'Refresh', run: refresh },
  ]);
  const { q = '', name, type } = search;
  const found = useMemo(() => {
    const words = q.toLowerCase().split(/\s+/);
    return query.data?.metrics.filter(({ name, description }) => {
      const text = `${name} ${description}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }, [query.data, q]);
  const metric = query.data?.metrics.find(
    (metric) => metric.name === name && (type ?? metric.kind) === metric.kind,
  );
  // What a metric is decides how its series are put together.
  const kind = type ?? metric?.kind;
  const isOld = query.isError && query.data !== undefined;
  useEffect(() => {
    if (isOld) noteError('The metrics could not be loaded again', query.error?.message);
  }, [isOld, query.error]);
  return (
    <>
      <PageHeader title={<h1 className="text-[0.9375rem] font-semibold tracking-tight">Metrics</h1>}>
        {actions}
        <TimeRangePicker range={range} onChange={setRange} />
        <RefreshControl busy={busy} onRefresh={refresh} />
      </PageHeader>
      {query.data === undefined && query.isError ? (
        <ErrorState
          title="The metrics could not be loaded"
          error={query.error}
          retry={() => void query.refetch()}
        />
      ) : query.data?.metrics.length === 0 && name === undefined && !query.isPlaceholderData ? (
        <EmptyState title="No metric has a point in this time">
          Time range: {describeRange(range, zone)}.
        </EmptyState>
      ) : (
        <div className="flex min-h-0 flex-1 max-md:flex-col">
          <section
            aria-label="Metrics"
            className="flex w-80 shrink-0 flex-col border-r border-line bg-surface max-md:h-52 max-md:w-auto max-md:border-b"
          >
            <div className="border-b border-line p-2.5">
              <SearchBox
                label="Find metrics"
                placeholder="Name or description"
                text={q}
                find={(text) => change({ q: text === '' ? undefined : text })}
                input={input}
              />
            </div>
            {found === undefined ? (
              <div role="status" aria-label="Loading metrics" className="overflow-hidden">
                <SkeletonRows rows={12} height={44} />
              </div>
            ) : (
              <ul className="min-h-0 flex-1 overflow-auto">
                {found.map((metric) => {
                  const isChosen = metric.name === name && (type === undefined || metric.kind === type);
                  return (
                    <li key={`${metric.name} ${metric.kind}`}>
                      <button
                        type="button"
                        aria-pressed={isChosen}
                        title={metric.description}
                        onClick={() =>
                          change(
                            {
                              name: metric.name,
                              type: metric.kind,
                              attr: undefined,
                              by: undefined,
                              aggregate: undefined,
                              show: undefined,
                            },
                            false,
                          )
                        }
                        className={classes(
                          'block w-full border-b border-line px-3 py-1.5 text-left -outline-offset-2',
                          isChosen ? 'bg-selected' : 'hover:bg-hover',
                        )}
                      >
                        <span className="block truncate font-medium">{metric.name}</span>
                        <span className="tabular flex gap-2 text-xs text-faint">
                          <span className="min-w-0 flex-1 truncate">
                            {KINDS[metric.kind] ?? metric.kind}
                            {metric.unit !== '' && metric.unit !== '1' && ` in ${metric.unit}`}
                          </span>
                          {formatCount(metric.pointCount)} points
                        </span>
                      </button>
                    </li>
                  );
                })}
              </ul>
            )}
            <p role="status" className="tabular border-t border-line px-3 py-1.5 text-xs text-muted">
              {found !== undefined && plural(found.length, 'metric')}
              {query.data !== undefined &&
                query.data.hidden > 0 &&
                ` · ${formatCount(query.data.hidden)} more are not listed`}
            </p>
          </section>
          <div className="flex min-h-0 min-w-0 flex-1 flex-col">
            {name !== undefined && kind === undefined && query.isPending ? (
              <div role="status" aria-label="Loading the metric" className="skeleton m-4 h-80" />
            ) : name === undefined ? (
              <EmptyState title="Choose a metric">
                Its series are put together as suits its kind; group them by what tells them apart.
              </EmptyState>
            ) : (
              <Explored
                key={`${name} ${kind}`}
                search={kind === undefined ? search : { ...search, type: kind }}
                unit={metric?.unit ?? ''}
                description={metric?.description ?? ''}
                range={range}
                interval={interval}
                change={change}
                onSelect={(from, to) => setRange({ kind: 'absolute', from, to })}
              />
            )}
          </div>
        </div>
      )}
    </>
  );
}
