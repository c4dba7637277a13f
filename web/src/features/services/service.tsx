import { keepPreviousData, useIsFetching, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { type ServiceMap, type ServiceNode, serviceMapQuery } from '@/api/services';
import { durationText } from '@/base/durations';
import type { Duration, Nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { describeRange } from '@/base/time-range';
import { buttonClass, IconButton } from '@/ui/button';
import { copy } from '@/ui/copy';
import { useHotkeys } from '@/ui/hotkeys';
import { Icon } from '@/ui/icons';
import { PageHeader } from '@/ui/page-header';
import { useZone } from '@/ui/preferences';
import { RefreshControl, useRefreshInterval } from '@/ui/refresh-control';
import { ServiceName, serviceLabel } from '@/ui/service';
import { EmptyState, ErrorState } from '@/ui/states';
import { useTimeRange } from '@/ui/time-range';
import { TimeRangePicker } from '@/ui/time-range-picker';
import { useTitle } from '@/ui/title';
import { Distribution } from './distribution';
import { Examples } from './examples';
import { Errors, formatQuantile, formatRate, rateOf } from './figures';
import { Neighbours } from './neighbours';
import { Operations } from './operations';
import { Requests } from './requests';
import type { ServiceSearch } from './search';

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
            <Distribution service={service} range={range} />
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
