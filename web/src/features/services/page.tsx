import { keepPreviousData, useIsFetching, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useRef } from 'react';
import { type ServiceMap as Answer, type ServiceNode, serviceMapQuery } from '@/api/services';
import { formatCount } from '@/base/numbers';
import { describeRange } from '@/base/time-range';
import { classes } from '@/ui/classes';
import { type Column, DataTable, readSort, type Sort, sortText } from '@/ui/data-table';
import { useHotkeys } from '@/ui/hotkeys';
import { PageHeader } from '@/ui/page-header';
import { useZone } from '@/ui/preferences';
import { RefreshControl, useRefreshInterval } from '@/ui/refresh-control';
import { SearchBox } from '@/ui/search-box';
import { ServiceName } from '@/ui/service';
import { EmptyState, ErrorState, SkeletonRows } from '@/ui/states';
import { useTimeRange } from '@/ui/time-range';
import { TimeRangePicker } from '@/ui/time-range-picker';
import { useTitle } from '@/ui/title';
import { Errors, formatQuantile, formatRate, rateOf } from './figures';
import { ServiceMap } from './map';
import { filterOf, type ServiceSearch } from './search';

const USUAL: Sort = { key: 'count', order: 'desc' };

/** All services with rate, errors and durations, as a table or as a map of who calls whom. */
export function ServicesPage({ search }: { search: ServiceSearch }) {
  const [range, setRange] = useTimeRange();
  const [zone] = useZone();
  const navigate = useNavigate();
  const client = useQueryClient();
  const interval = useRefreshInterval();
  const input = useRef<HTMLInputElement>(null);
  const busy = useIsFetching({ queryKey: ['services'] }) > 0;
  useTitle('Services');
  const filter = useMemo(() => filterOf(search.q), [search.q]);
  const query = useQuery({
    ...serviceMapQuery(filter, range),
    placeholderData: keepPreviousData,
    refetchInterval: interval,
  });
  const change = (change: { [Name in keyof ServiceSearch]?: ServiceSearch[Name] | undefined }) =>
    void navigate({
      to: '/services',
      search: (previous) => ({ ...previous, ...change }) as ServiceSearch,
      replace: true,
    });
  const refresh = () => void client.invalidateQueries({ queryKey: ['services'] });
  useHotkeys('Services', [
    { keys: ['/'], label: 'Search', run: () => input.current?.focus() },
    {
      keys: ['m'],
      label: 'Map or table',
      run: () => change({ view: search.view === 'map' ? undefined : 'map' }),
    },
    { keys: ['r'], label: 'Refresh', run: refresh },
  ]);
  return (
    <>
      <PageHeader title={<h1 className="text-[0.9375rem] font-semibold tracking-tight">Services</h1>}>
        <TimeRangePicker range={range} onChange={setRange} />
        <RefreshControl busy={busy} onRefresh={refresh} />
      </PageHeader>
      <div className="flex shrink-0 flex-wrap items-center gap-3 border-b border-line bg-surface px-4 py-2.5">
        <div className="min-w-56 flex-1">
          <SearchBox
            label="Text or attribute of the calls"
            placeholder="Only calls with text or attribute=value"
            text={search.q ?? ''}
            find={(q) => change({ q: q === '' ? undefined : q })}
            input={input}
          />
        </div>
        <div role="group" aria-label="Shown as" className="flex gap-1">
          {([undefined, 'map'] as const).map((view) => (
            <button
              key={view ?? 'table'}
              type="button"
              aria-pressed={view === search.view}
              onClick={() => change({ view })}
              className={classes(
                'h-8 rounded-md border px-2.5',
                view === search.view
                  ? 'border-accent bg-selected'
                  : 'border-line-strong text-muted hover:bg-hover',
              )}
            >
              {view === undefined ? 'Table' : 'Map'}
            </button>
          ))}
        </div>
      </div>
      {query.data === undefined ? (
        query.isError ? (
          <ErrorState
            title="The services could not be loaded"
            error={query.error}
            retry={() => void query.refetch()}
          />
        ) : (
          <div role="status" aria-label="Loading services" className="min-h-0 flex-1 overflow-hidden">
            <SkeletonRows rows={16} height={30} />
          </div>
        )
      ) : query.data.nodes.length === 0 && !query.isPlaceholderData ? (
        <EmptyState
          icon="services"
          title={search.q === undefined ? 'No service was active' : 'No call matches'}
        >
          Time range: {describeRange(range, zone)}.
        </EmptyState>
      ) : (
        <div
          className={classes(
            'flex min-h-0 flex-1 flex-col transition-opacity',
            query.isPlaceholderData && 'opacity-50',
          )}
        >
          {search.view === 'map' ? (
            <ServiceMap map={query.data} />
          ) : (
            <Table
              map={query.data}
              sort={search.sort}
              onSort={(sort) => change({ sort })}
              onOpen={({ name }) =>
                void navigate({
                  to: '/services',
                  search: (previous) => ({ ...previous, name, sort: undefined }) as ServiceSearch,
                })
              }
            />
          )}
        </div>
      )}
    </>
  );
}

function Table(props: {
  map: Answer;
  sort: string | undefined;
  onSort: (sort: string) => void;
  onOpen: (node: ServiceNode) => void;
}) {
  const { map } = props;
  const columns = useMemo(() => columnsOf(map), [map]);
  const sort = readSort(
    props.sort,
    columns.map(({ key }) => key),
    USUAL,
  );
  const rows = useMemo(
    () => map.nodes.filter(({ kind, name }) => kind === 'service' && name !== '').sort(order(sort)),
    [map, sort.key, sort.order],
  );
  return (
    <DataTable
      label="Services"
      columns={columns}
      rows={rows}
      keyOf={({ name }) => name}
      sort={sort}
      onSort={(next) => props.onSort(sortText(next))}
      onOpen={props.onOpen}
    />
  );
}

function columnsOf({ from, to }: Answer): Column<ServiceNode>[] {
  const quantile = (key: 'p50' | 'p95' | 'p99', label: string): Column<ServiceNode> => ({
    key,
    label,
    width: '6rem',
    isNumber: true,
    cell: ({ requests }) => formatQuantile(requests[key]),
  });
  return [
    {
      key: 'name',
      label: 'Service',
      width: 'minmax(12rem, 2fr)',
      cell: ({ name }) => <ServiceName service={name} className="font-medium" />,
    },
    {
      key: 'count',
      label: 'Requests',
      width: '7rem',
      isNumber: true,
      cell: ({ requests }) => formatCount(requests.count),
    },
    {
      key: 'rate',
      label: 'Rate',
      width: '6rem',
      isNumber: true,
      cell: ({ requests }) => formatRate(rateOf(requests.count, from, to)),
    },
    {
      key: 'errors',
      label: 'Errors',
      width: '5rem',
      isNumber: true,
      cell: ({ requests }) => <Errors calls={requests} />,
    },
    quantile('p50', 'Median'),
    quantile('p95', '95 %'),
    quantile('p99', '99 %'),
  ];
}

function order({ key, order }: Sort): (a: ServiceNode, b: ServiceNode) => number {
  const by = order === 'asc' ? 1 : -1;
  const text = (a: ServiceNode, b: ServiceNode) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
  const value = ({ requests }: ServiceNode): number =>
    key === 'count' || key === 'rate'
      ? requests.count
      : key === 'errors'
        ? requests.errors / Math.max(1, requests.count)
        : Number(requests[key as 'p50'] ?? -1);
  return (a, b) => (key === 'name' ? by * text(a, b) : by * (value(a) - value(b)) || text(a, b));
}
