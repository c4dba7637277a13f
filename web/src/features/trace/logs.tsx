import type { UseQueryResult } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import type { LogRecord } from '@/api/logs';
import { MOST_TRACE_LOGS } from '@/api/traces';
import { between, toDrawable } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { LEVEL_FILL, levelOf } from '@/base/severity';
import { formatExact } from '@/base/times';
import { textOf } from '@/base/values';
import { formatOffset } from '@/base/zoom';
import { classes } from '@/ui/classes';
import { Level } from '@/ui/level';
import { useZone } from '@/ui/preferences';
import { ServiceName } from '@/ui/service';
import { EmptyState, ErrorState, SkeletonRows } from '@/ui/states';
import type { TraceTree } from './tree';

const ROW = 26;
/** Characters of a body that a line shows. */
const SHORT = 500;

/** A log record on the bar of its span. */
export interface LogMark {
  /** Nanoseconds from the start of the trace. */
  time: number;
  /** Class of its level's colour. */
  fill: string;
}

/** The log records of a trace and the positions of their spans. */
export interface PlacedLogs {
  marks: ReadonlyMap<number, readonly LogMark[]>;
  indexOf: (log: LogRecord) => number | undefined;
}

/** Finds the spans of log records. */
export function placeLogs(tree: TraceTree, logs: readonly LogRecord[]): PlacedLogs {
  const ids = new Set(logs.map(({ span_id }) => span_id).filter((id) => id !== undefined));
  const numbers = tree.outline.findAll(ids);
  const indexOf = (log: LogRecord) => {
    const number = numbers.get(log.span_id ?? '');
    return number === undefined ? undefined : tree.positions[number];
  };
  const marks = new Map<number, LogMark[]>();
  for (const log of logs) {
    const index = indexOf(log);
    if (index === undefined) continue;
    const time = toDrawable(between(tree.start, log.time));
    const mark = { time, fill: LEVEL_FILL[levelOf(log.severity_number) ?? 'UNSPECIFIED'] };
    const known = marks.get(index);
    if (known === undefined) marks.set(index, [mark]);
    else known.push(mark);
  }
  return { marks, indexOf };
}

/** The log records of all spans of a trace, earliest first; each leads to its span. */
export function TraceLogs(props: {
  tree: TraceTree;
  query: UseQueryResult<LogRecord[]>;
  placed: PlacedLogs;
  selected: number | undefined;
  onSelect: (index: number) => void;
}) {
  const { tree, query, placed, selected } = props;
  const [zone] = useZone();
  const scroller = useRef<HTMLDivElement>(null);
  const logs = query.data ?? [];
  const rows = useVirtualizer({
    count: logs.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  if (query.isError) {
    return (
      <ErrorState
        title="The log records could not be loaded"
        error={query.error}
        retry={() => void query.refetch()}
      />
    );
  }
  if (query.data === undefined) {
    return (
      <div
        role="status"
        aria-label="Loading log records"
        className="min-h-0 flex-1 overflow-hidden bg-surface"
      >
        <SkeletonRows rows={20} height={ROW} />
      </div>
    );
  }
  if (logs.length === 0) {
    return (
      <EmptyState icon="logs" title="No log record names this trace">
        Records belong to a trace when they carry its id.
      </EmptyState>
    );
  }
  return (
    <div
      ref={scroller}
      tabIndex={0}
      role="group"
      aria-label="Log records of the trace"
      className="min-h-0 flex-1 overflow-auto bg-surface -outline-offset-2"
    >
      <ol className="relative" aria-label="Records" style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map((item) => {
          const log = logs[item.index]!;
          const index = placed.indexOf(log);
          const node = tree.node(index);
          return (
            <li
              key={item.index}
              aria-setsize={logs.length}
              aria-posinset={item.index + 1}
              className="absolute inset-x-0 top-0"
              style={{ height: ROW, transform: `translateY(${item.start}px)` }}
            >
              <button
                type="button"
                disabled={index === undefined}
                onClick={() => index !== undefined && props.onSelect(index)}
                className={classes(
                  'flex h-full w-full items-center gap-3 border-b border-line px-4 text-left font-mono text-xs -outline-offset-2',
                  index !== undefined && index === selected ? 'bg-selected' : 'hover:bg-hover',
                )}
              >
                <span
                  className="tabular w-24 shrink-0 text-right text-faint"
                  title={formatExact(log.time, zone)}
                >
                  {formatOffset(toDrawable(between(tree.start, log.time)), 1_000)}
                </span>
                <Level number={log.severity_number} text={log.severity_text} />
                <ServiceName service={log.service_name} className="w-32 shrink-0 font-sans" />
                <span className="w-44 shrink-0 truncate font-sans text-muted">
                  {node?.span?.name ?? 'no span of the trace'}
                </span>
                <span className="min-w-0 flex-1 truncate">
                  {(textOf(log.body) || log.event_name).slice(0, SHORT)}
                </span>
              </button>
            </li>
          );
        })}
      </ol>
      {logs.length >= MOST_TRACE_LOGS && (
        <p className="py-3 text-center text-xs text-faint">
          These are the first {formatCount(MOST_TRACE_LOGS)}; there may be more.
        </p>
      )}
    </div>
  );
}
