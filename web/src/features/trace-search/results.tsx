import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, type Ref, useEffect, useImperativeHandle, useRef } from 'react';
import type { TraceKind, TraceSummary } from '@/api/traces';
import { formatDuration } from '@/base/durations';
import { type Duration, type Nanos, toDrawable } from '@/base/nanos';
import { formatCount, formatShortCount, plural } from '@/base/numbers';
import { serviceClass } from '@/base/palette';
import { formatAge, formatClock, formatDate, type Zone } from '@/base/times';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { Icon } from '@/ui/icons';
import { useNow } from '@/ui/now';
import { useZone } from '@/ui/preferences';
import { ServiceName, serviceLabel } from '@/ui/service';

const ROW = 40;

/** Columns; the services need a wide list. */
const COLUMNS =
  'grid items-center gap-4 px-4 grid-cols-[8.5rem_minmax(0,1fr)_3.25rem_3.25rem_minmax(7rem,11rem)] @5xl:grid-cols-[11rem_minmax(0,1.4fr)_minmax(0,1fr)_3.5rem_3.5rem_minmax(9rem,15rem)]';

const CHIP = 'inline-flex h-5 items-center rounded border border-line px-1.5 text-xs';

/** What kinds of traces are called; traces of no kind show none. */
const KINDS: Record<TraceKind, string | undefined> = {
  http: 'HTTP',
  rpc: 'RPC',
  query: 'Query',
  build: 'Build',
  database: 'Database',
  messaging: 'Messaging',
  mixed: 'Mixed',
  other: undefined,
};

/** What the page moves the list by. */
export interface ResultsHandle {
  move: (by: number) => void;
}

/** The traces, newest first; the next page loads when the end comes into sight. */
export function Results(props: {
  traces: readonly TraceSummary[];
  hasMore: boolean;
  loadingMore: boolean;
  problemWithMore: Error | null;
  onMore: () => void;
  highlighted: string | null;
  onHighlight: (id: string | null) => void;
  handle: Ref<ResultsHandle>;
}) {
  const { traces, hasMore, loadingMore, problemWithMore, onMore, highlighted, onHighlight } = props;
  const [zone] = useZone();
  const now = useNow(5_000);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: traces.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
    getItemKey: (index) => traces[index]!.trace_id,
  });
  const slowest = traces.reduce((most, { duration }) => (duration > most ? duration : most), 1n as Duration);
  const lastShown = rows.getVirtualItems().at(-1)?.index ?? 0;

  useEffect(() => {
    if (hasMore && !loadingMore && problemWithMore === null && lastShown >= traces.length - 5) onMore();
  }, [hasMore, loadingMore, problemWithMore, lastShown, traces.length, onMore]);

  useImperativeHandle(props.handle, () => ({
    move(by) {
      const at = traces.findIndex(({ trace_id }) => trace_id === highlighted);
      const next =
        at < 0 ? (by > 0 ? 0 : traces.length - 1) : Math.min(Math.max(at + by, 0), traces.length - 1);
      const trace = traces[next];
      if (trace === undefined) return;
      rows.scrollToIndex(next, { align: 'auto' });
      onHighlight(trace.trace_id);
      requestAnimationFrame(() =>
        document.getElementById(`trace-${trace.trace_id}`)?.focus({ preventScroll: true }),
      );
    },
  }));

  return (
    <div className="@container flex min-h-0 flex-1 flex-col">
      <div aria-hidden="true" className={`${COLUMNS} h-8 shrink-0 border-b border-line text-xs text-faint`}>
        <span>Start</span>
        <span>Trace</span>
        <span className="hidden @5xl:block">Services</span>
        <span className="text-right">Spans</span>
        <span className="text-right">Errors</span>
        <span>Duration</span>
      </div>
      <div
        ref={scroller}
        tabIndex={0}
        role="group"
        aria-label="List of traces"
        className="min-h-0 flex-1 overflow-auto -outline-offset-2"
      >
        <div role="list" aria-label="Traces" className="relative" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((item) => (
            <div
              key={item.key}
              role="listitem"
              aria-setsize={hasMore ? -1 : traces.length}
              aria-posinset={item.index + 1}
              className="absolute inset-x-0 top-0"
              style={{ height: ROW, transform: `translateY(${item.start}px)` }}
            >
              <Row
                trace={traces[item.index]!}
                slowest={slowest}
                zone={zone}
                now={now}
                highlighted={traces[item.index]!.trace_id === highlighted}
                onHighlight={onHighlight}
              />
            </div>
          ))}
        </div>
        {hasMore && (
          <div className="flex items-center justify-center gap-3 py-3 text-muted">
            {problemWithMore !== null && <span role="alert">{problemWithMore.message}</span>}
            <Button onClick={onMore} disabled={loadingMore}>
              {loadingMore ? 'Loading…' : 'Load more'}
            </Button>
          </div>
        )}
        {!hasMore && traces.length > 12 && (
          <p className="py-3 text-center text-xs text-faint">
            That is all: {plural(traces.length, 'trace')}.
          </p>
        )}
      </div>
    </div>
  );
}

const Row = memo(function Row(props: {
  trace: TraceSummary;
  slowest: Duration;
  zone: Zone;
  now: Nanos;
  highlighted: boolean;
  onHighlight: (id: string | null) => void;
}) {
  const { trace, zone, now } = props;
  const failed = trace.error_count > 0;
  const kind = KINDS[trace.kind];
  const share = Math.max(0.004, toDrawable(trace.duration) / toDrawable(props.slowest));
  const isToday = formatDate(trace.start_time, zone) === formatDate(now, zone);
  return (
    <Link
      id={`trace-${trace.trace_id}`}
      to="/traces/$traceId"
      params={{ traceId: trace.trace_id }}
      onPointerEnter={() => props.onHighlight(trace.trace_id)}
      onPointerLeave={() => props.onHighlight(null)}
      onFocus={() => props.onHighlight(trace.trace_id)}
      aria-label={`${serviceLabel(trace.root_service)} ${trace.root_name}, ${kind === undefined ? '' : `${kind}, `}${formatDuration(trace.duration)}, ${plural(trace.span_count, 'span')}${failed ? `, ${plural(trace.error_count, 'error')}` : ''}, ${formatAge(trace.start_time, now)}`}
      className={classes(
        COLUMNS,
        serviceClass(trace.root_service),
        'h-full border-b border-line -outline-offset-2',
        props.highlighted ? 'bg-hover' : 'hover:bg-hover',
      )}
    >
      <span className="tabular flex min-w-0 items-baseline justify-between gap-2">
        <span
          className="truncate"
          title={`${formatDate(trace.start_time, zone)} ${formatClock(trace.start_time, zone, 9)}`}
        >
          {!isToday && <span className="text-faint">{formatDate(trace.start_time, zone).slice(5)} </span>}
          {formatClock(trace.start_time, zone, isToday ? 3 : 0)}
        </span>
        <span className="hidden text-xs whitespace-nowrap text-faint @5xl:inline">
          {formatAge(trace.start_time, now)}
        </span>
      </span>
      <span className="flex min-w-0 items-center gap-2">
        <ServiceName service={trace.root_service} className="max-w-[45%] shrink-0 font-medium" />
        <span className="truncate text-muted" title={trace.root_name}>
          {trace.root_name === '' ? '(no name)' : trace.root_name}
        </span>
        {kind !== undefined && <span className={`${CHIP} ml-auto shrink-0 text-faint`}>{kind}</span>}
      </span>
      <Chips services={trace.services} root={trace.root_service} />
      <span className="tabular text-right text-muted" title={formatCount(trace.span_count)}>
        {formatShortCount(trace.span_count)}
      </span>
      <span
        className={classes(
          'tabular flex items-center justify-end gap-1',
          failed ? 'font-medium text-error' : 'text-faint',
        )}
      >
        {failed && <Icon name="error" size={12} />}
        {failed ? formatShortCount(trace.error_count) : '–'}
      </span>
      <span className="flex min-w-0 items-center gap-2">
        <span className="tabular w-16 shrink-0 text-right whitespace-nowrap">
          {formatDuration(trace.duration)}
        </span>
        <span className="h-1.5 min-w-0 flex-1 overflow-hidden rounded-full bg-line">
          <span
            className={classes('block h-full origin-left rounded-full', failed ? 'bg-error' : 'bg-accent')}
            style={{ transform: `scaleX(${share})` }}
          />
        </span>
      </span>
    </Link>
  );
});

/** The services that take part beside the root's. */
function Chips({ services, root }: { services: readonly string[]; root: string }) {
  const others = services.filter((service) => service !== root);
  const shown = others.slice(0, 3);
  return (
    <span className="hidden min-w-0 items-center gap-1 overflow-hidden @5xl:flex" title={services.join(', ')}>
      {shown.map((service) => (
        <span key={service} className={`${CHIP} min-w-0 text-muted`}>
          <ServiceName service={service} />
        </span>
      ))}
      {others.length > shown.length && (
        <span className="shrink-0 text-xs text-faint">+{others.length - shown.length}</span>
      )}
    </span>
  );
}
