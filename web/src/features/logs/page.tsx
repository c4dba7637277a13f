import { useIsFetching, useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';
import { refreshLogs } from '@/api/logs';
import { servicesQuery } from '@/api/services';
import type { LogSearch } from '@/base/log-search';
import { Combobox } from '@/ui/combobox';
import { PageHeader } from '@/ui/page-header';
import { RefreshControl } from '@/ui/refresh-control';
import { useTimeRange } from '@/ui/time-range';
import { TimeRangePicker } from '@/ui/time-range-picker';
import { useTitle } from '@/ui/title';
import { type Change, LogExplorer } from './explorer';

/** The log records of all services. */
export function LogsPage({ search }: { search: LogSearch }) {
  const [range, setRange] = useTimeRange();
  const navigate = useNavigate();
  const client = useQueryClient();
  const busy = useIsFetching({ queryKey: ['logs'] }) > 0;
  const services = useQuery(servicesQuery(range));
  useTitle('Logs');
  const change: Change = useCallback(
    (change) =>
      void navigate({
        to: '/logs',
        search: (previous) => ({ ...previous, ...change }) as LogSearch,
        replace: true,
      }),
    [navigate],
  );
  return (
    <>
      <PageHeader title={<h1 className="text-[0.9375rem] font-semibold tracking-tight">Logs</h1>}>
        <TimeRangePicker range={range} onChange={setRange} />
        <RefreshControl busy={busy} onRefresh={() => void refreshLogs(client)} />
      </PageHeader>
      <LogExplorer
        search={search}
        change={change}
        range={range}
        setRange={(next) => {
          if (next !== null) setRange(next);
        }}
      >
        <Combobox
          label="Service"
          services
          value={search.service}
          options={services.data ?? []}
          loading={services.isPending}
          problem={services.error?.message}
          onChange={(service) => change({ service })}
          className="max-w-48"
        />
      </LogExplorer>
    </>
  );
}
