import {
  keepPreviousData,
  useInfiniteQuery,
  useIsFetching,
  useQuery,
  useQueryClient,
} from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import {
  type CallFigures,
  type Operation,
  operationFiguresQuery,
  requestSeriesQuery,
  type ServiceMap,
  type ServiceNode,
  type SpanSeries,
  serviceMapQuery,
} from '@/api/services';
import { heatmapQuery } from '@/api/spread';
import { type TraceFilter, tracesQuery } from '@/api/traces';
import { durationText, formatDuration } from '@/base/durations';
import { type Duration, fromDrawable, type Nanos } from '@/base/nanos';
import { formatCount, plural } from '@/base/numbers';
import { describeRange, type TimeRange } from '@/base/time-range';
import { formatClock, formatDate } from '@/base/times';
import { Button, buttonClass, IconButton } from '@/ui/button';
import { classes } from '@/ui/classes';
import { copy } from '@/ui/copy';
import { type Column, DataTable, readSort, type Sort, sortText } from '@/ui/data-table';
import { useHotkeys } from '@/ui/hotkeys';
import { Icon } from '@/ui/icons';
import { type Line, LineChart } from '@/ui/line-chart';
import { PageHeader } from '@/ui/page-header';
import { useZone } from '@/ui/preferences';
import { RefreshControl, useRefreshInterval } from '@/ui/refresh-control';
import { ServiceName, serviceLabel } from '@/ui/service';
import { EmptyState, ErrorState } from '@/ui/states';
import { useTimeRange } from '@/ui/time-range';
import { TimeRangePicker } from '@/ui/time-range-picker';
import { useTitle } from '@/ui/title';
import { Errors, formatQuantile, formatRate, rateOf } from './figures';
import type { ServiceSearch } from './search';

const POINTS = 60;
const CHART = 140;
/** Traces that are shown. */
const EXAMPLES = 6;
const USUAL: Sort = { key: 'count', order: 'desc' };

/** A service: its requests over time, what it does, what it calls and is called by, and traces to look at. */
export function ServicePage({ service, search }: { service: string; search: ServiceSearch }) {
  const [range, setRange] = useTimeRange();
  const [zone] = useZone();
  const navigate = useNavigate();
  const client = useQueryClient();
  const interval = useRefreshInterval();
  const busy = useIsFetching({ queryKey: ['services'] }) > 0;
  useTitle(service);
  const map = useQuery({
    ...serviceMapQuery({ attributes: [] }, range),
    placeholderData: keepPreviousData,
    refetchInterval: interval,
  });
  const refresh = () => {
    void client.invalidateQueries({ queryKey: ['services'] });
    void client.invalidateQueries({ queryKey: ['traces'] });
  };
  useHotkeys('Service', [{ keys: ['r'], label: 'Refresh', run: refresh }]);
  const at = map.data?.nodes.findIndex(({ kind, name }) => kind === 'service' && name === service) ?? -1;
  const select = (from: Nanos, to: Nanos) => setRange({ kind: 'absolute', from, to });
  return (
    <>
      <PageHeader
        title={
          <nav aria-label="Breadcrumb" className="flex min-w-0 items-center gap-2">
            <Link
              to="/services"
              search={(previous) => ({ ...previous, name: undefined, sort: undefined }) as ServiceSearch}
              className="text-muted hover:text-text hover:underline"
            >
              Services
            </Link>
            <Icon name="chevronRight" size={12} className="text-faint" />
            <h1 className="flex min-w-0 text-[0.9375rem] tracking-tight">
              <ServiceName service={service} className="font-semibold" />
            </h1>
          </nav>
        }
      >
        <Link to="/traces" search={{ service }} className={buttonClass('outline')}>
          Traces
        </Link>
        <Link to="/logs" search={{ service }} className={buttonClass('outline')}>
          Logs
        </Link>
        <TimeRangePicker range={range} onChange={setRange} />
        <RefreshControl busy={busy} onRefresh={refresh} />
        <IconButton
          icon="link"
          label="Copy link to this view"
          onClick={() => void copy(window.location.href, 'the link')}
        />
      </PageHeader>
      {map.data === undefined ? (
        map.isError ? (
          <ErrorState
            title="The service could not be loaded"
            error={map.error}
            retry={() => void map.refetch()}
          />
        ) : (
          <div role="status" aria-label="Loading the service" className="space-y-4 p-4">
            <div className="skeleton h-40 opacity-40" />
            <div className="skeleton h-64 opacity-40" />
          </div>
        )
      ) : at < 0 ? (
        <EmptyState icon="services" title="The service was not active">
          <p>{serviceLabel(service)}</p>
          <p className="mt-2">Time range: {describeRange(range, zone)}.</p>
        </EmptyState>
      ) : (
        <div className="@container min-h-0 flex-1 overflow-auto">
          <Facts map={map.data} node={map.data.nodes[at]!} />
          <div className="grid gap-4 px-4 pb-4 @4xl:grid-cols-2">
            <Requests service={service} range={range} interval={interval} onSelect={select} />
            <Durations service={service} range={range} />
            <Neighbours title="Called by" map={map.data} at={at} side="to" />
            <Neighbours title="Calls" map={map.data} at={at} side="from" />
            <Examples
              title="Failing traces"
              none="No span of the service failed."
              filter={{ service, errorsOnly: true, attributes: [] }}
              link={{ service, error: 'true' }}
              range={range}
            />
            <Examples
              title="Slow traces"
              none="No span was as slow."
              filter={{ service, ...atLeast(map.data.nodes[at]!.requests.p99), attributes: [] }}
              link={{ service, ...minOf(map.data.nodes[at]!.requests.p99) }}
              range={range}
            />
          </div>
          <Operations
            service={service}
            range={range}
            times={map.data}
            sort={search.sort}
            onSort={(sort) =>
              void navigate({
                to: '/services',
                search: (previous) => ({ ...previous, sort }) as ServiceSearch,
                replace: true,
              })
            }
          />
        </div>
      )}
    </>
  );
}

/** Requests as slow as the slowest hundredth. A sketch tells quantiles within 1 %. */
const atLeast = (p99: Duration | null) =>
  p99 === null ? {} : { minDuration: ((p99 * 99n) / 100n) as Duration };
const minOf = (p99: Duration | null) =>
  p99 === null ? {} : { min: durationText(((p99 * 99n) / 100n) as Duration) };

function Facts({ map, node }: { map: ServiceMap; node: ServiceNode }) {
  const { requests } = node;
  const facts: [string, ReactNode][] = [
    ['Requests', formatCount(requests.count)],
    ['Rate', formatRate(rateOf(requests.count, map.from, map.to))],
    ['Errors', <Errors key="errors" calls={requests} />],
    ['Median', formatQuantile(requests.p50)],
    ['95 % within', formatQuantile(requests.p95)],
    ['99 % within', formatQuantile(requests.p99)],
  ];
  return (
    <dl className="tabular flex flex-wrap gap-x-8 gap-y-2 px-4 py-4">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt className="text-xs text-faint">{name}</dt>
          <dd className="text-lg font-semibold">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Card({ title, children, actions }: { title: string; children: ReactNode; actions?: ReactNode }) {
  return (
    <section aria-label={title} className="min-w-0 rounded-lg border border-line bg-surface">
      <header className="flex items-center gap-2 px-4 pt-3 pb-1">
        <h2 className="font-medium">{title}</h2>
        {actions}
      </header>
      {children}
    </section>
  );
}

function Problem({ error, retry }: { error: Error; retry: () => void }) {
  return (
    <p role="alert" className="flex flex-wrap items-center gap-3 px-4 pb-3 text-error">
      {error.message}
      <Button small onClick={retry}>
        Try again
      </Button>
    </p>
  );
}

/** Rate, errors and durations of the requests over time. */
function Requests(props: {
  service: string;
  range: TimeRange;
  interval: number | false;
  onSelect: (from: Nanos, to: Nanos) => void;
}) {
  const query = useQuery({
    ...requestSeriesQuery(props.service, props.range, POINTS),
    placeholderData: keepPreviousData,
    refetchInterval: props.interval,
  });
  const { data } = query;
  const rates = useMemo(() => (data === undefined ? [] : rateLines(data)), [data]);
  const quantiles = useMemo(() => (data === undefined ? [] : quantileLines(data)), [data]);
  if (data === undefined) {
    return (
      <>
        {['Rate and errors', 'Durations over time'].map((title) => (
          <Card key={title} title={title}>
            {query.isError ? (
              <Problem error={query.error} retry={() => void query.refetch()} />
            ) : (
              <div className="mx-4 mb-3 skeleton opacity-40" style={{ height: CHART }} />
            )}
          </Card>
        ))}
      </>
    );
  }
  const chart = {
    from: data.from,
    to: data.to,
    step: data.step ?? (1n as Duration),
    height: CHART,
    onSelect: props.onSelect,
  };
  return (
    <>
      <Card title="Rate and errors">
        <div className="px-2 pb-2">
          <LineChart
            {...chart}
            label={`Requests of ${serviceLabel(props.service)} over time`}
            lines={rates}
            format={formatRate}
            formatTick={formatRate}
          />
        </div>
      </Card>
      <Card title="Durations over time">
        <div className="px-2 pb-2">
          <LineChart
            {...chart}
            label={`Durations of the requests of ${serviceLabel(props.service)} over time`}
            lines={quantiles}
            format={(nanos) => formatDuration(fromDrawable(nanos))}
            formatTick={(nanos) => formatDuration(fromDrawable(nanos))}
          />
        </div>
      </Card>
    </>
  );
}

/** Points stand in the middle of their step. */
const middle = (time: Nanos, step: Duration) => (time + step / 2n) as Nanos;

/** A step without requests has a rate of nothing; one that goes on has that of its time so far. */
function rateLines({ points, step, from, to }: SpanSeries): Line[] {
  if (step === null) return [];
  const known = new Map(points.map(({ time, spans }) => [time, spans]));
  const steps: { time: Nanos; end: Nanos; spans: CallFigures | undefined }[] = [];
  for (let time = ((from / step) * step) as Nanos; time < to; time = (time + step) as Nanos) {
    const end = (time + step < to ? time + step : to) as Nanos;
    // Too short a time has no rate.
    if (time >= from && end - time >= step / 10n) steps.push({ time, end, spans: known.get(time) });
  }
  const line = (label: string, of: 'count' | 'errors'): Line => ({
    label,
    points: steps.map(({ time, end, spans }) => ({
      time: middle(time, step),
      value: rateOf(spans?.[of] ?? 0, time, end),
    })),
  });
  return [line('Requests', 'count'), line('Errors', 'errors')];
}

function quantileLines({ points, step }: SpanSeries): Line[] {
  if (step === null) return [];
  return (['p50', 'p95', 'p99'] as const).map((quantile) => ({
    label: { p50: 'Median', p95: '95 %', p99: '99 %' }[quantile],
    points: points.map(({ time, spans }) => ({
      time: middle(time, step),
      value: spans[quantile] === null ? null : Number(spans[quantile]),
    })),
  }));
}

/** How many requests took how long. */
function Durations({ service, range }: { service: string; range: TimeRange }) {
  const filter = useMemo((): TraceFilter => ({ service, requestsOnly: true, attributes: [] }), [service]);
  const query = useQuery({ ...heatmapQuery(filter, range), placeholderData: keepPreviousData });
  const rows = useMemo(() => {
    const counts = new Map<number, { spans: number; errors: number }>();
    for (const { row, spans, errors } of query.data?.cells ?? []) {
      const known = counts.get(row) ?? { spans: 0, errors: 0 };
      counts.set(row, { spans: known.spans + spans, errors: known.errors + errors });
    }
    const used = [...counts.keys()];
    const [low, high] = [Math.min(...used), Math.max(...used)];
    return used.length === 0
      ? []
      : Array.from({ length: high - low + 1 }, (_, at) => ({
          row: low + at,
          ...(counts.get(low + at) ?? { spans: 0, errors: 0 }),
        }));
  }, [query.data]);
  const most = rows.reduce((most, { spans }) => Math.max(most, spans), 1);
  const bound = (row: number) => query.data?.bounds[row];
  const describe = (row: number) => {
    const [least, next] = [bound(row), bound(row + 1)];
    return `${formatDuration(least!)}${next === undefined ? ' and more' : ` – ${formatDuration(next)}`}`;
  };
  return (
    <Card title="Distribution of durations">
      {query.isError ? (
        <Problem error={query.error} retry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <div className="mx-4 mb-3 skeleton h-36 opacity-40" />
      ) : rows.length === 0 ? (
        <p className="px-4 pb-3 text-muted">No request has ended.</p>
      ) : (
        <div className="px-4 pb-3">
          <ul aria-label="Requests by duration" className="flex h-32 items-end gap-px border-b border-line">
            {rows.map(({ row, spans, errors }) => (
              <li
                key={row}
                title={`${describe(row)}: ${plural(spans, 'request')}${errors > 0 ? `, ${plural(errors, 'error')}` : ''}`}
                className="flex h-full min-w-0 flex-1 flex-col justify-end hover:bg-hover"
              >
                <span className="sr-only">
                  {describe(row)}: {plural(spans, 'request')}
                </span>
                <span
                  className="block bg-accent"
                  style={{ height: `${((spans - errors) / most) * 100}%`, minHeight: spans > errors ? 1 : 0 }}
                />
                <span
                  className="block bg-error"
                  style={{ height: `${(errors / most) * 100}%`, minHeight: errors > 0 ? 1 : 0 }}
                />
              </li>
            ))}
          </ul>
          <p className="tabular mt-1 flex justify-between text-2xs text-faint">
            <span>{formatDuration(bound(rows[0]!.row)!)}</span>
            <span>{formatCount(most)} at most</span>
            <span>{describe(rows.at(-1)!.row).replace(/^.* – /, '')}</span>
          </p>
        </div>
      )}
    </Card>
  );
}

/** What calls the service, or what it calls. */
function Neighbours(props: { title: string; map: ServiceMap; at: number; side: 'from' | 'to' }) {
  const { map, at, side } = props;
  const other = side === 'from' ? 'to' : 'from';
  const edges = map.edges.filter((edge) => edge[side] === at).sort((a, b) => b.calls.count - a.calls.count);
  return (
    <Card title={props.title}>
      {edges.length === 0 ? (
        <p className="px-4 pb-3 text-muted">
          {side === 'to'
            ? 'No span of another service is the parent of one of this.'
            : 'It calls nothing that is known.'}
        </p>
      ) : (
        <table className="tabular mb-2 w-full">
          <thead className="text-xs text-faint">
            <tr>
              <th className="px-4 py-1 text-left font-normal">Name</th>
              <th className="px-2 py-1 text-right font-normal">Rate</th>
              <th className="px-2 py-1 text-right font-normal">Errors</th>
              <th className="px-2 py-1 text-right font-normal">Median</th>
              <th className="py-1 pr-4 pl-2 text-right font-normal">95 %</th>
            </tr>
          </thead>
          <tbody>
            {edges.map((edge) => {
              const node = map.nodes[edge[other]]!;
              return (
                <tr key={edge[other]} className="hover:bg-hover">
                  <th scope="row" className="max-w-0 truncate px-4 py-1 text-left font-normal">
                    {node.kind === 'service' && node.name !== '' ? (
                      <Link
                        to="/services"
                        search={(previous) =>
                          ({ ...previous, name: node.name, sort: undefined }) as ServiceSearch
                        }
                        className="hover:underline"
                      >
                        <ServiceName service={node.name} />
                      </Link>
                    ) : (
                      <span>
                        {serviceLabel(node.name)} <span className="text-xs text-faint">{node.kind}</span>
                      </span>
                    )}
                  </th>
                  <td className="px-2 py-1 text-right">
                    {formatRate(rateOf(edge.calls.count, map.from, map.to))}
                  </td>
                  <td className="px-2 py-1 text-right">
                    <Errors calls={edge.calls} />
                  </td>
                  <td className="px-2 py-1 text-right">{formatQuantile(edge.calls.p50)}</td>
                  <td className="py-1 pr-4 pl-2 text-right">{formatQuantile(edge.calls.p95)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </Card>
  );
}

/** The newest traces of a search. */
function Examples(props: {
  title: string;
  none: string;
  filter: TraceFilter;
  link: { service: string; error?: 'true'; min?: string };
  range: TimeRange;
}) {
  const [zone] = useZone();
  const query = useInfiniteQuery({
    ...tracesQuery(props.filter, props.range),
    placeholderData: keepPreviousData,
  });
  const traces = query.data?.pages[0]?.traces.slice(0, EXAMPLES);
  return (
    <Card
      title={props.title}
      actions={
        <Link to="/traces" search={props.link} className="ml-auto text-xs text-accent hover:underline">
          All
        </Link>
      }
    >
      {traces === undefined ? (
        query.isError ? (
          <Problem error={query.error} retry={() => void query.refetch()} />
        ) : (
          <div className="mx-4 mb-3 skeleton h-32 opacity-40" />
        )
      ) : traces.length === 0 ? (
        <p className="px-4 pb-3 text-muted">{props.none}</p>
      ) : (
        <ul className="pb-2">
          {traces.map((trace) => (
            <li key={trace.trace_id}>
              <Link
                to="/traces/$traceId"
                params={{ traceId: trace.trace_id }}
                className="tabular flex items-center gap-3 px-4 py-1 -outline-offset-2 hover:bg-hover"
              >
                <span className="shrink-0 text-xs text-muted">
                  {formatDate(trace.start_time, zone).slice(5)} {formatClock(trace.start_time, zone, 0)}
                </span>
                <span className="min-w-0 flex-1 truncate">{trace.root_name}</span>
                {trace.error_count > 0 && (
                  <span className="shrink-0 text-xs text-error">{plural(trace.error_count, 'error')}</span>
                )}
                <span className="w-16 shrink-0 text-right">{formatDuration(trace.duration)}</span>
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Operations(props: {
  service: string;
  range: TimeRange;
  times: { from: Nanos; to: Nanos };
  sort: string | undefined;
  onSort: (sort: string) => void;
}) {
  const { service, times } = props;
  const navigate = useNavigate();
  const query = useQuery({
    ...operationFiguresQuery(service, props.range),
    placeholderData: keepPreviousData,
  });
  const columns = useMemo(() => columnsOf(times), [times.from, times.to]);
  const sort = readSort(
    props.sort,
    columns.map(({ key }) => key),
    USUAL,
  );
  const rows = useMemo(() => [...(query.data ?? [])].sort(order(sort)), [query.data, sort.key, sort.order]);
  return (
    <section
      aria-labelledby="operations"
      className={classes('flex flex-col border-t border-line', rows.length > 0 && 'h-[32rem] max-h-[70vh]')}
    >
      <h2 id="operations" className="bg-surface px-4 pt-3 pb-1 font-medium">
        Operations
      </h2>
      {query.isError && query.data === undefined ? (
        <Problem error={query.error} retry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <div className="m-4 skeleton h-40 opacity-40" />
      ) : (
        <DataTable
          label="Operations"
          columns={columns}
          rows={rows}
          keyOf={({ name, kind }) => `${kind} ${name}`}
          sort={sort}
          onSort={(next) => props.onSort(sortText(next))}
          onOpen={({ name }) => void navigate({ to: '/traces', search: { service, operation: name } })}
        />
      )}
    </section>
  );
}

function columnsOf({ from, to }: { from: Nanos; to: Nanos }): Column<Operation>[] {
  const length = (
    key: string,
    label: string,
    of: (operation: Operation) => Duration | null,
  ): Column<Operation> => ({
    key,
    label,
    width: '6rem',
    isNumber: true,
    cell: (operation) => formatQuantile(of(operation)),
  });
  return [
    {
      key: 'name',
      label: 'Operation',
      width: 'minmax(14rem, 2fr)',
      cell: ({ name }) => (
        <span className="truncate" title={name}>
          {name === '' ? '(no name)' : name}
        </span>
      ),
    },
    {
      key: 'kind',
      label: 'Kind',
      width: '6rem',
      cell: ({ kind }) => <span className="text-muted">{kind.toLowerCase()}</span>,
    },
    {
      key: 'count',
      label: 'Spans',
      width: '6rem',
      isNumber: true,
      cell: ({ spans }) => formatCount(spans.count),
    },
    {
      key: 'rate',
      label: 'Rate',
      width: '6rem',
      isNumber: true,
      cell: ({ spans }) => formatRate(rateOf(spans.count, from, to)),
    },
    {
      key: 'errors',
      label: 'Errors',
      width: '5rem',
      isNumber: true,
      cell: ({ spans }) => <Errors calls={spans} />,
    },
    length('p50', 'Median', ({ spans }) => spans.p50),
    length('p95', '95 %', ({ spans }) => spans.p95),
    length('p99', '99 %', ({ spans }) => spans.p99),
    length('longest', 'Longest', ({ longest }) => longest),
  ];
}

function order({ key, order }: Sort): (a: Operation, b: Operation) => number {
  const by = order === 'asc' ? 1 : -1;
  const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const value = ({ spans, longest }: Operation): number =>
    key === 'longest'
      ? Number(longest ?? -1)
      : key === 'count' || key === 'rate'
        ? spans.count
        : key === 'errors'
          ? spans.errors / Math.max(1, spans.count)
          : Number(spans[key as 'p50'] ?? -1);
  return (a, b) =>
    (key === 'name'
      ? by * text(a.name, b.name)
      : key === 'kind'
        ? by * text(a.kind, b.kind)
        : by * (value(a) - value(b))) || text(a.name, b.name);
}
