import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { type TraceSummary, tracesQuery } from '@/api/traces';
import { formatDuration } from '@/base/durations';
import { plural } from '@/base/numbers';
import { formatClock, formatDate } from '@/base/times';
import { Button, IconButton } from '@/ui/button';
import { Popover } from '@/ui/popover';
import { useZone } from '@/ui/preferences';
import { useTimeRange } from '@/ui/time-range';
import type { SpanShape } from './tree';

/** Traces that are offered. */
const OFFERED = 12;

/** Chooses a trace to compare with: one by its id, or a recent one of the same operation. */
export function CompareMenu({ traceId, root }: { traceId: string; root: SpanShape }) {
  const [open, setOpen] = useState(false);
  return (
    <Popover
      label="Compare with another trace"
      align="end"
      open={open}
      onOpenChange={setOpen}
      className="w-96 space-y-3 p-3"
      trigger={<IconButton icon="compare" label="Compare with another trace" />}
    >
      <Choice traceId={traceId} root={root} />
    </Popover>
  );
}

function Choice({ traceId, root }: { traceId: string; root: SpanShape }) {
  const navigate = useNavigate();
  const [zone] = useZone();
  const [range] = useTimeRange();
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  const id = text.trim().replaceAll('-', '').toLowerCase();
  const isId = /^[0-9a-f]{32}$/.test(id);
  const filter = { service: root.service, operation: root.name, attributes: [] };
  const query = useInfiniteQuery(tracesQuery(filter, range));
  const others = (query.data?.pages[0]?.traces ?? []).filter((trace) => trace.trace_id !== traceId);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (isId) void navigate({ to: '/traces/compare', search: { a: traceId, b: id } });
  };
  return (
    <>
      <form onSubmit={submit} className="space-y-1">
        <label className="block space-y-1">
          <span className="text-xs text-muted">Trace id</span>
          <span className="flex gap-2">
            <input
              value={text}
              onChange={(event) => setText(event.target.value)}
              aria-invalid={tried && !isId}
              aria-describedby={tried && !isId ? 'compare-problem' : undefined}
              spellCheck={false}
              autoComplete="off"
              className="field min-w-0 flex-1 font-mono text-xs"
            />
            <Button type="submit" look="primary">
              Compare
            </Button>
          </span>
        </label>
        {tried && !isId && (
          <p id="compare-problem" role="alert" className="text-xs text-error">
            A trace id is 32 hex digits.
          </p>
        )}
      </form>
      <div className="space-y-1 border-t border-line pt-3">
        <h3 className="text-xs text-muted">Recent ones of the same operation</h3>
        {query.isError ? (
          <p role="alert" className="text-xs text-error">
            {query.error.message}
          </p>
        ) : query.isPending ? (
          <div className="skeleton h-24" />
        ) : others.length === 0 ? (
          <p className="text-xs text-faint">There are none in the chosen time.</p>
        ) : (
          <ul aria-label="Traces to compare with" className="max-h-72 overflow-auto">
            {spread(others).map((trace) => (
              <li key={trace.trace_id}>
                <Link
                  to="/traces/compare"
                  search={{ a: traceId, b: trace.trace_id }}
                  className="tabular flex items-center gap-3 rounded px-1.5 py-1 text-xs -outline-offset-2 hover:bg-hover"
                >
                  <span className="w-16 text-right font-medium">{formatDuration(trace.duration)}</span>
                  <span className="text-muted">
                    {formatDate(trace.start_time, zone)} {formatClock(trace.start_time, zone, 3)}
                  </span>
                  <span className="ml-auto text-faint">{plural(trace.span_count, 'span')}</span>
                  {trace.error_count > 0 && (
                    <span className="text-error">{plural(trace.error_count, 'error')}</span>
                  )}
                </Link>
              </li>
            ))}
          </ul>
        )}
      </div>
    </>
  );
}

/** Some of all durations, shortest first: the quick ones are what a slow one is compared with. */
function spread(traces: readonly TraceSummary[]): TraceSummary[] {
  const sorted = [...traces].sort((a, b) => (a.duration < b.duration ? -1 : 1));
  if (sorted.length <= OFFERED) return sorted;
  const step = (sorted.length - 1) / (OFFERED - 1);
  return Array.from({ length: OFFERED }, (_, at) => sorted[Math.round(at * step)]!);
}
