import { useIsFetching, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect } from 'react';
import { ApiError } from '@/api/client';
import { refreshLogs } from '@/api/logs';
import { processQuery, processStatisticsQuery } from '@/api/processes';
import { buttonClass, IconButton } from '@/ui/button';
import { classes } from '@/ui/classes';
import { copy } from '@/ui/copy';
import { useHotkeys } from '@/ui/hotkeys';
import { Icon } from '@/ui/icons';
import { PageHeader } from '@/ui/page-header';
import { ServiceName, serviceLabel } from '@/ui/service';
import { EmptyState, ErrorState } from '@/ui/states';
import { useTitle } from '@/ui/title';
import { noteError } from '@/ui/toasts';
import { GenerateTrace } from './generate';
import { ProcessInfo } from './info';
import type { ProcessPageSearch, ProcessTab } from './search';
import { ProcessTimeline } from './timeline/timeline';

/** One process: who it is and what it has sent. */
export function ProcessPage(props: {
  processId: string;
  search: ProcessPageSearch;
  /** Its log records and metrics. */
  logs: ReactNode;
  metrics: ReactNode;
}) {
  const { processId, search } = props;
  const tab = search.tab ?? 'info';
  const client = useQueryClient();
  const query = useQuery(processQuery(processId));
  const statistics = useQuery(processStatisticsQuery(processId));
  const process = query.data;
  const isOfIt = ({ queryKey: [first, id] }: { queryKey: readonly unknown[] }) =>
    (first === 'process' && id === processId) || first === 'logs';
  const busy = useIsFetching({ predicate: isOfIt }) > 0;
  // What was loaded before stays; that it is old is told.
  const problem = process === undefined ? null : (query.error ?? statistics.error);
  const isStale = problem !== null && (query.isError || statistics.data !== undefined);
  useEffect(() => {
    if (isStale) noteError('The process could not be loaded again', problem?.message);
  }, [isStale, problem]);
  const refresh = () => {
    void client.invalidateQueries({ queryKey: ['process', processId] });
    void refreshLogs(client);
  };
  useTitle(process === undefined ? 'Process' : serviceLabel(process.service_name));
  useHotkeys('Process', [{ keys: ['r'], label: 'Load again', run: refresh }]);

  return (
    <>
      <PageHeader
        title={
          <nav aria-label="Breadcrumb" className="flex min-w-0 items-center gap-2">
            <Link to="/processes" className="shrink-0 text-muted hover:text-text">
              Processes
            </Link>
            <Icon name="chevronRight" size={12} className="text-faint" />
            <h1 className="flex min-w-0 items-center gap-2 text-[0.9375rem] tracking-tight">
              {process === undefined ? (
                <span className="truncate font-mono text-xs text-muted">{processId}</span>
              ) : (
                <ServiceName service={process.service_name} className="font-semibold" />
              )}
              {process?.pid !== undefined && <span className="shrink-0 text-muted">PID {process.pid}</span>}
            </h1>
          </nav>
        }
      >
        <IconButton
          icon="link"
          label="Copy link to this view"
          onClick={() => void copy(window.location.href, 'the link')}
        />
        <IconButton
          icon="refresh"
          label={busy ? 'Loading' : 'Load again'}
          shortcut="r"
          onClick={refresh}
          {...(busy ? { className: '[&>svg]:animate-spin' } : {})}
        />
      </PageHeader>
      {process !== undefined && <Tabs processId={processId} tab={tab} />}
      {process !== undefined && tab === 'trace' ? (
        <GenerateTrace process={process} />
      ) : process !== undefined && tab === 'logs' ? (
        props.logs
      ) : process !== undefined && tab === 'metrics' ? (
        props.metrics
      ) : process !== undefined && tab === 'timeline' ? (
        <ProcessTimeline processId={processId} search={search} />
      ) : process !== undefined ? (
        <ProcessInfo
          process={process}
          statistics={statistics.data}
          problem={statistics.error}
          retry={() => void statistics.refetch()}
        />
      ) : query.isPending ? (
        <Loading />
      ) : isAbout(query.error, 404) ? (
        <Unknown title="This process is not known here" processId={processId}>
          It has sent nothing, or what it sent is older than what is kept.
        </Unknown>
      ) : isAbout(query.error, 400) ? (
        <Unknown title="This is no process id" processId={processId}>
          A process id is a UUID.
        </Unknown>
      ) : (
        <ErrorState
          title="The process could not be loaded"
          error={query.error}
          retry={() => void query.refetch()}
        />
      )}
    </>
  );
}

const TABS: readonly { tab: ProcessTab; label: string }[] = [
  { tab: 'info', label: 'Info' },
  { tab: 'timeline', label: 'Timeline' },
  { tab: 'logs', label: 'Logs' },
  { tab: 'metrics', label: 'Metrics' },
  { tab: 'trace', label: 'Generate trace' },
];

const TIMED: ReadonlySet<ProcessTab> = new Set(['logs', 'metrics']);

function Tabs({ processId, tab }: { processId: string; tab: ProcessTab }) {
  return (
    <nav
      aria-label="Parts"
      className="flex shrink-0 gap-1 overflow-x-auto overflow-y-hidden border-b border-line bg-surface px-3 whitespace-nowrap"
    >
      {TABS.map((other) => (
        <Link
          key={other.tab}
          to="/processes/$processId"
          params={{ processId }}
          search={({ from, to, since, until }) => ({
            ...(from === undefined ? {} : { from }),
            ...(to === undefined ? {} : { to }),
            ...(other.tab === 'info' ? {} : { tab: other.tab }),
            // Log records and metrics are of the same time.
            ...(since === undefined || !TIMED.has(other.tab) ? {} : { since }),
            ...(until === undefined || !TIMED.has(other.tab) ? {} : { until }),
          })}
          aria-current={other.tab === tab ? 'page' : undefined}
          className={classes(
            'border-b-2 px-2 py-2 -outline-offset-2',
            other.tab === tab ? 'border-accent font-medium' : 'border-transparent text-muted hover:text-text',
          )}
        >
          {other.label}
        </Link>
      ))}
    </nav>
  );
}

function isAbout(error: Error | null, status: number): boolean {
  return error instanceof ApiError && error.status === status;
}

function Unknown(props: { title: string; processId: string; children: string }) {
  return (
    <EmptyState
      icon="processes"
      title={props.title}
      actions={
        <Link to="/processes" className={buttonClass('outline')}>
          Search processes
        </Link>
      }
    >
      <p className="font-mono text-xs wrap-anywhere">{props.processId}</p>
      <p className="mt-2">{props.children}</p>
    </EmptyState>
  );
}

/** The page's shape, before there is anything to put in. */
function Loading() {
  return (
    <div
      role="status"
      aria-label="Loading the process"
      className="grid grid-cols-[repeat(auto-fill,minmax(15rem,1fr))] gap-3 p-4"
    >
      {Array.from({ length: 8 }, (_, card) => (
        <div key={card} className="h-28 rounded-lg border border-line bg-surface p-4">
          <div className="skeleton h-3 w-20" />
          <div className="mt-3 skeleton h-5 w-32" />
        </div>
      ))}
    </div>
  );
}
