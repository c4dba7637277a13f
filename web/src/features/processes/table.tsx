import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, type ReactNode, type Ref, useEffect, useImperativeHandle, useRef, useState } from 'react';
import type { Process, ProcessFilter, ProcessSort } from '@/api/processes';
import type { Nanos } from '@/base/nanos';
import { plural } from '@/base/numbers';
import { serviceClass } from '@/base/palette';
import { formatAge, formatClock, formatDate, formatExact, type Zone } from '@/base/times';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { CopyButton } from '@/ui/copy';
import { SortHeader } from '@/ui/data-table';
import { useNow } from '@/ui/now';
import { useZone } from '@/ui/preferences';
import { ServiceName, serviceLabel } from '@/ui/service';

const ROW = 52;
/** Of what is left out on a phone. */
const WIDE_ENOUGH = 'hidden @xl:inline';

/** Columns; the start needs more than a phone's width, computer, user and PID a wide list, the whole id a wider one. */
const COLUMNS =
  'grid items-center gap-4 px-4 grid-cols-[1rem_minmax(0,1fr)_8.5rem_1.5rem] @xl:grid-cols-[1rem_minmax(0,1fr)_8.5rem_8.5rem_5.5rem] @4xl:grid-cols-[1rem_minmax(0,1.6fr)_8.5rem_8.5rem_minmax(0,0.7fr)_minmax(0,0.9fr)_4.5rem_5.5rem] @6xl:grid-cols-[1rem_minmax(0,1.6fr)_8.5rem_8.5rem_minmax(0,0.7fr)_minmax(0,0.9fr)_4.5rem_19rem]';

/** What the page moves the table by. */
export interface ProcessTableHandle {
  move: (by: number) => void;
}

/** Processes in rows; the next page loads when the end comes into sight. */
export function ProcessTable(props: {
  processes: readonly Process[];
  filter: ProcessFilter;
  onSort: (sort: ProcessSort) => void;
  hasMore: boolean;
  /** Another list is on its way. */
  isOld: boolean;
  loadingMore: boolean;
  problemWithMore: Error | null;
  onMore: () => void;
  /** Those that are chosen, by id. */
  chosen: ReadonlyMap<string, Process>;
  onChoose: (processes: readonly Process[], isChosen: boolean) => void;
  handle: Ref<ProcessTableHandle>;
}) {
  const { processes, filter, onSort, hasMore, loadingMore, problemWithMore, onMore, chosen, onChoose } =
    props;
  const areAllChosen = processes.every(({ process_id }) => chosen.has(process_id));
  const [zone] = useZone();
  const now = useNow(5_000);
  const scroller = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState<string | null>(null);
  const rows = useVirtualizer({
    count: processes.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 10,
    getItemKey: (index) => processes[index]!.process_id,
  });
  const lastShown = rows.getVirtualItems().at(-1)?.index ?? 0;

  useEffect(() => {
    if (hasMore && !loadingMore && problemWithMore === null && lastShown >= processes.length - 5) onMore();
  }, [hasMore, loadingMore, problemWithMore, lastShown, processes.length, onMore]);

  useImperativeHandle(props.handle, () => ({
    move(by) {
      const at = processes.findIndex(({ process_id }) => process_id === current);
      const next = at < 0 ? 0 : Math.min(Math.max(at + by, 0), processes.length - 1);
      const process = processes[next];
      if (process === undefined) return;
      rows.scrollToIndex(next, { align: 'auto' });
      setCurrent(process.process_id);
      requestAnimationFrame(() =>
        document.getElementById(`process-${process.process_id}`)?.focus({ preventScroll: true }),
      );
    },
  }));

  const head = (sort: ProcessSort, label: string, className?: string) => (
    <SortHeader
      label={label}
      className={className}
      order={filter.sort === sort ? filter.order : null}
      onSort={() => onSort(sort)}
    />
  );
  return (
    <div
      role="table"
      aria-label="Processes"
      aria-rowcount={hasMore ? -1 : processes.length + 1}
      className="@container flex min-h-0 flex-1 flex-col"
    >
      <div role="rowgroup">
        <div role="row" className={`${COLUMNS} h-8 shrink-0 border-b border-line text-xs text-faint`}>
          <span role="columnheader" className="flex">
            <input
              type="checkbox"
              aria-label="Choose all that are loaded"
              checked={areAllChosen}
              onChange={({ target }) => onChoose(processes, target.checked)}
              className="size-4 accent-accent"
            />
          </span>
          {head('service', 'Process')}
          {head('start', 'Start', WIDE_ENOUGH)}
          {head('last_update', 'Last update')}
          <Header className="hidden @4xl:block">User</Header>
          <Header className="hidden @4xl:block">Computer</Header>
          <Header className="hidden text-right @4xl:block">PID</Header>
          <Header>Id</Header>
        </div>
      </div>
      <div
        ref={scroller}
        role="rowgroup"
        tabIndex={0}
        aria-label="List of processes"
        className="min-h-0 flex-1 overflow-auto"
      >
        <div role="presentation" className="relative" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map((item) => (
            <div
              key={item.key}
              role="presentation"
              className="absolute inset-x-0 top-0"
              style={{ height: ROW, transform: `translateY(${item.start}px)` }}
            >
              <Row
                process={processes[item.index]!}
                position={item.index + 2}
                zone={zone}
                now={now}
                isChosen={chosen.has(processes[item.index]!.process_id)}
                onChoose={onChoose}
              />
            </div>
          ))}
        </div>
        {hasMore && (
          <div role="row">
            <div role="cell" className="flex items-center justify-center gap-3 py-3 text-muted">
              {problemWithMore !== null && <span role="alert">{problemWithMore.message}</span>}
              <Button onClick={onMore} disabled={loadingMore}>
                {loadingMore ? 'Loading…' : 'Load more'}
              </Button>
            </div>
          </div>
        )}
        {!hasMore && !props.isOld && processes.length > 10 && (
          <div role="row">
            <p role="cell" className="py-3 text-center text-xs text-faint">
              That is all: {plural(processes.length, 'process', 'processes')}.
            </p>
          </div>
        )}
      </div>
    </div>
  );
}

function Header({ children, className }: { children: ReactNode; className?: string }) {
  return (
    <span role="columnheader" className={className}>
      {children}
    </span>
  );
}

const Row = memo(function Row(props: {
  process: Process;
  position: number;
  zone: Zone;
  now: Nanos;
  isChosen: boolean;
  onChoose: (processes: readonly Process[], isChosen: boolean) => void;
}) {
  const { process, position, zone, now } = props;
  const id = process.process_id;
  const program = process.command_line ?? process.executable;
  const name = `${serviceLabel(process.service_name.slice(0, 300))}${process.pid === undefined ? '' : `, PID ${process.pid}`}${process.host_name === undefined ? '' : ` on ${process.host_name.slice(0, 300)}`}`;
  return (
    <div
      role="row"
      aria-rowindex={position}
      className={classes(
        COLUMNS,
        serviceClass(process.service_name),
        'relative h-full border-b border-line hover:bg-hover has-[a:focus-visible]:bg-hover',
      )}
    >
      <span role="cell" className="flex">
        <input
          type="checkbox"
          aria-label={`Choose ${name}`}
          checked={props.isChosen}
          onChange={({ target }) => props.onChoose([process], target.checked)}
          // Above the link that covers the row.
          className="relative z-[1] size-4 accent-accent"
        />
      </span>
      <span role="cell" className="min-w-0">
        <Link
          id={`process-${id}`}
          to="/processes/$processId"
          params={{ processId: id }}
          aria-label={name}
          className="flex min-w-0 after:absolute after:inset-0"
        >
          <ServiceName service={process.service_name.slice(0, 300)} className="font-medium" />
          {process.service_version !== undefined && (
            <span className="ml-2 shrink-0 text-xs text-faint">{process.service_version.slice(0, 40)}</span>
          )}
        </Link>
        <span className="relative block truncate text-xs text-faint" title={shortened(program)}>
          {shortened(process.executable ?? process.command_line) ?? '–'}
        </span>
      </span>
      <TimeCell time={process.start_time} zone={zone} now={now} className={WIDE_ENOUGH} />
      <TimeCell time={process.last_update_time} zone={zone} now={now} />
      <TextCell text={process.user_name} />
      <TextCell text={process.host_name} />
      <span role="cell" className="tabular hidden truncate text-right text-muted @4xl:block">
        {shortened(process.pid) ?? '–'}
      </span>
      <span role="cell" className="flex min-w-0 items-center gap-1 font-mono text-xs text-muted">
        <span className={`truncate ${WIDE_ENOUGH}`} title={id}>
          {id}
        </span>
        <CopyButton text={id} what="the process id" className="relative" />
      </span>
    </div>
  );
});

/** A text may be a novel; the page of the process has all of it. */
function shortened(text: string | undefined): string | undefined {
  return text !== undefined && text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

/** Date and time of day, and how long ago that is. */
function TimeCell(props: { time: Nanos | null; zone: Zone; now: Nanos; className?: string }) {
  const { time, zone, now, className } = props;
  if (time === null) {
    return (
      <span role="cell" className={classes('text-faint', className)}>
        not told
      </span>
    );
  }
  return (
    <span
      role="cell"
      className={classes('tabular min-w-0', className)}
      title={`${formatExact(time, zone)} ${zone === 'utc' ? 'UTC' : ''}`}
    >
      <span className="block truncate">
        {formatDate(time, zone)} {formatClock(time, zone, 0)}
      </span>
      <span className="block text-xs text-faint">{formatAge(time, now)}</span>
    </span>
  );
}

function TextCell({ text }: { text: string | undefined }) {
  return (
    <span role="cell" className="hidden truncate text-muted @4xl:block" title={shortened(text)}>
      {shortened(text) ?? '–'}
    </span>
  );
}
