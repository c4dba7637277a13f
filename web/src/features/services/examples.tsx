import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type TraceFilter, tracesQuery } from '@/api/traces';
import { formatDuration } from '@/base/durations';
import { plural } from '@/base/numbers';
import type { TimeRange } from '@/base/time-range';
import { formatClock, formatDate } from '@/base/times';
import { useZone } from '@/ui/preferences';
import { Card, Problem } from './card';

/** Traces that are shown. */
const EXAMPLES = 6;

/** The newest traces of a search. */
export function Examples(props: {
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
