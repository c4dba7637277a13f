import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { heatmapQuery } from '@/api/spread';
import type { TraceFilter } from '@/api/traces';
import { formatDuration } from '@/base/durations';
import { formatCount, plural } from '@/base/numbers';
import type { TimeRange } from '@/base/time-range';
import { Card, Problem } from './card';

/** How many requests took how long. */
export function Distribution({ service, range }: { service: string; range: TimeRange }) {
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
