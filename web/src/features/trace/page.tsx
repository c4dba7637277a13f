import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ApiError } from '@/api/client';
import { outlineQuery } from '@/api/outline';
import { buttonClass } from '@/ui/button';
import { PageHeader } from '@/ui/page-header';
import { EmptyState, ErrorState, SkeletonRows } from '@/ui/states';
import { BackToTraces } from './back-to-traces';
import type { TracePageSearch } from './search';
import { TraceView } from './view';

/** One trace. */
export function TracePage({ traceId, search }: { traceId: string; search: TracePageSearch }) {
  const client = useQueryClient();
  const query = useQuery(outlineQuery(traceId));
  if (query.data !== undefined) {
    return (
      <TraceView
        key={traceId}
        outline={query.data}
        search={search}
        refreshing={query.isFetching}
        refresh={() => void client.invalidateQueries({ queryKey: ['trace', traceId] })}
      />
    );
  }
  return (
    <>
      <PageHeader title={<BackToTraces />} />
      {query.isPending ? (
        <div role="status" aria-label="Loading the trace" className="min-h-0 flex-1 overflow-hidden">
          <div className="h-[3.75rem] border-b border-line bg-surface" />
          <div className="h-16 border-b border-line bg-surface p-3">
            <div className="skeleton h-full opacity-40" />
          </div>
          <SkeletonRows rows={24} height={26} />
        </div>
      ) : query.isError && !isUnknown(query.error) ? (
        <ErrorState
          title="The trace could not be loaded"
          error={query.error}
          retry={() => void query.refetch()}
        />
      ) : (
        <EmptyState
          icon="traces"
          title="This trace is not known here"
          actions={
            <Link to="/traces" className={buttonClass('outline')}>
              Search traces
            </Link>
          }
        >
          <p className="font-mono text-xs wrap-anywhere">{traceId}</p>
          <p className="mt-2">None of its spans has arrived, or they are older than what is kept.</p>
        </EmptyState>
      )}
    </>
  );
}

function isUnknown(error: Error): boolean {
  return error instanceof ApiError && error.status === 404;
}
