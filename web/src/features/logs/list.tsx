import { useVirtualizer } from '@tanstack/react-virtual';
import { type Ref, useCallback, useEffect, useImperativeHandle, useMemo, useRef, useState } from 'react';
import type { LogRecord } from '@/api/logs';
import { formatClock, formatDate, formatExact } from '@/base/times';
import { textOf } from '@/base/values';
import { Button } from '@/ui/button';
import { classes } from '@/ui/classes';
import { Level } from '@/ui/level';
import { useZone } from '@/ui/preferences';
import { ServiceName } from '@/ui/service';
import { RecordDetails, textOfRecord } from './record';

const LINE = 25;

export interface LogListHandle {
  /** Selects a line so many below. */
  move: (by: number) => void;
  /** Opens or closes the selected line. */
  toggle: () => void;
}

/** Log records as lines; one that is opened shows all it carries. Only those in sight are on the page. */
export function LogList(props: {
  records: readonly LogRecord[];
  isOfProcess: boolean;
  /** Attributes that have a column. */
  columns: readonly string[];
  hasMore: boolean;
  loadingMore: boolean;
  problemWithMore: Error | null;
  onMore: () => void;
  handle: Ref<LogListHandle>;
}) {
  const { records, columns, hasMore, loadingMore, onMore } = props;
  const [zone] = useZone();
  const scroller = useRef<HTMLDivElement>(null);
  const keys = useMemo(() => keysOf(records), [records]);
  const [opened, setOpened] = useState<ReadonlySet<string>>(() => new Set());
  const [active, setActive] = useState<string>();
  const rows = useVirtualizer({
    count: records.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE,
    getItemKey: useCallback((index: number) => keys[index]!, [keys]),
    overscan: 12,
  });
  const items = rows.getVirtualItems();
  const last = items.at(-1)?.index ?? 0;
  const isNearEnd = last >= records.length - 40;
  useEffect(() => {
    if (hasMore && !loadingMore && isNearEnd && props.problemWithMore === null) onMore();
  }, [hasMore, loadingMore, isNearEnd, props.problemWithMore, onMore]);
  const toggle = (key: string) =>
    setOpened((before) => {
      const next = new Set(before);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  useImperativeHandle(props.handle, () => ({
    move: (by) => {
      const at = active === undefined ? -1 : keys.indexOf(active);
      const next = Math.min(Math.max(at + by, 0), records.length - 1);
      setActive(keys[next]);
      rows.scrollToIndex(next, { align: 'auto' });
      // It is on the page after it was scrolled to.
      requestAnimationFrame(() => {
        const line = scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"] > button`);
        line?.focus({ preventScroll: true });
      });
    },
    toggle: () => {
      if (active !== undefined) toggle(active);
    },
  }));
  const isOneDay =
    records.length > 0 &&
    formatDate(records[0]!.time, zone) === formatDate(records[records.length - 1]!.time, zone);
  return (
    <div
      ref={scroller}
      role="feed"
      aria-label="Log records"
      aria-busy={loadingMore}
      tabIndex={0}
      className="min-h-0 flex-1 overflow-auto bg-surface -outline-offset-2"
    >
      <div className="relative min-w-fit" style={{ height: rows.getTotalSize() }}>
        {items.map((item) => {
          const record = records[item.index]!;
          const key = keys[item.index]!;
          const isOpen = opened.has(key);
          return (
            <article
              key={key}
              ref={rows.measureElement}
              data-index={item.index}
              aria-posinset={item.index + 1}
              aria-setsize={hasMore ? -1 : records.length}
              className="absolute inset-x-0 top-0"
              style={{ transform: `translateY(${item.start}px)` }}
            >
              <button
                type="button"
                aria-expanded={isOpen}
                onClick={() => {
                  setActive(key);
                  toggle(key);
                }}
                className={classes(
                  'flex w-full items-baseline gap-3 px-4 py-[3px] text-left font-mono text-xs leading-[19px] -outline-offset-2 hover:bg-hover',
                  key === active && 'bg-selected hover:bg-selected',
                )}
              >
                <span className="tabular shrink-0 text-faint" title={formatExact(record.time, zone)}>
                  {!isOneDay && `${formatDate(record.time, zone).slice(5)} `}
                  {formatClock(record.time, zone, 3)}
                </span>
                <Level number={record.severity_number} text={record.severity_text} />
                {!props.isOfProcess && (
                  <span className="hidden w-32 shrink-0 font-sans sm:inline-flex">
                    <ServiceName service={record.service_name} />
                  </span>
                )}
                {columns.map((column) => (
                  <Cell key={column} record={record} column={column} />
                ))}
                <span className="min-w-40 flex-1 truncate">
                  {textOfRecord(record).slice(0, 2_000) || '–'}
                </span>
              </button>
              {isOpen && <RecordDetails record={record} isOfProcess={props.isOfProcess} />}
            </article>
          );
        })}
      </div>
      {props.problemWithMore !== null && (
        <p role="alert" className="flex items-center gap-3 px-4 py-3 text-error">
          More could not be loaded: {props.problemWithMore.message}
          <Button onClick={onMore}>Try again</Button>
        </p>
      )}
      {loadingMore && <div className="mx-4 my-2 skeleton h-3 w-1/3" />}
    </div>
  );
}

function Cell({ record, column }: { record: LogRecord; column: string }) {
  const value = record.attributes.find(({ key }) => key === column)?.value;
  const text = value === undefined ? '' : textOf(value);
  return (
    <span title={`${column}: ${text}`.slice(0, 500)} className="w-36 shrink-0 truncate text-muted">
      {text.slice(0, 200)}
    </span>
  );
}

const known = new WeakMap<LogRecord, string>();

/** A key for each record; of equal ones, the first, the second, … have their own. */
function keysOf(records: readonly LogRecord[]): string[] {
  const seen = new Map<string, number>();
  return records.map((record) => {
    let key = known.get(record);
    if (key === undefined) {
      const { time, process_id, span_id = '' } = record;
      key = `${time}/${process_id}/${span_id}/${textOfRecord(record).slice(0, 80)}`;
      known.set(record, key);
    }
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return count === 1 ? key : `${key}/${count}`;
  });
}
