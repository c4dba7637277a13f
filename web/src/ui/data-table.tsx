import { useVirtualizer } from '@tanstack/react-virtual';
import { type ReactNode, useEffect, useRef } from 'react';
import { classes } from './classes';
import { Icon } from './icons';

const ROW = 30;

/** A column of a {@link DataTable}. */
export interface Column<Row> {
  key: string;
  label: string;
  /** Width, as CSS grids take it. */
  width: string;
  /** Numbers stand at the right. */
  isNumber?: boolean;
  cell: (row: Row) => ReactNode;
}

/** What a table is sorted by. */
export interface Sort {
  key: string;
  order: 'asc' | 'desc';
}

/** As links hold it: `-` before the key for the greatest first. */
export function sortText({ key, order }: Sort): string {
  return order === 'desc' ? `-${key}` : key;
}

/** What a link says, or else the usual. */
export function readSort(text: string | undefined, keys: readonly string[], usual: Sort): Sort {
  const key = text?.replace(/^-/, '');
  if (text === undefined || key === undefined || !keys.includes(key)) return usual;
  return { key, order: text.startsWith('-') ? 'desc' : 'asc' };
}

/** Rows of equal height below heads to sort by; only those in sight are on the page. */
export function DataTable<Row>(props: {
  label: string;
  /** The first is what opens a row. */
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  sort: Sort;
  onSort: (sort: Sort) => void;
  selected?: string | number | undefined;
  onOpen?: (row: Row) => void;
  /** Below the rows. */
  footer?: ReactNode;
}) {
  const { columns, rows, sort, onOpen } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  // A link to a row opens at it.
  const { selected, keyOf } = props;
  const at = selected === undefined ? -1 : rows.findIndex((row) => keyOf(row) === selected);
  const isReady = virtual.scrollRect !== null && virtual.scrollRect.height > 0;
  const shown = useRef(false);
  useEffect(() => {
    if (!isReady || shown.current) return;
    shown.current = true;
    if (at >= 0) virtual.scrollToIndex(at, { align: 'center' });
  }, [isReady, at, virtual]);
  const grid = { gridTemplateColumns: columns.map(({ width }) => width).join(' ') };
  return (
    <div
      ref={scroller}
      role="table"
      aria-label={props.label}
      aria-rowcount={rows.length + 1}
      tabIndex={0}
      className="min-h-0 flex-1 overflow-auto bg-surface -outline-offset-2"
    >
      <div role="presentation" className="min-w-fit">
        <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-surface">
          <div role="row" style={grid} className="grid h-8 items-center gap-x-4 px-4 text-xs text-faint">
            {columns.map(({ key, label, isNumber }) => (
              <SortHeader
                key={key}
                label={label}
                isNumber={isNumber === true}
                order={sort.key === key ? sort.order : null}
                onSort={() =>
                  props.onSort({
                    key,
                    // Whoever asks for numbers asks for the greatest.
                    order:
                      sort.key === key ? (sort.order === 'asc' ? 'desc' : 'asc') : isNumber ? 'desc' : 'asc',
                  })
                }
              />
            ))}
          </div>
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => {
            const row = rows[item.index]!;
            const [first, ...rest] = columns;
            return (
              <div
                key={props.keyOf(row)}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={props.selected === undefined ? undefined : props.keyOf(row) === props.selected}
                className={classes(
                  'absolute inset-x-0 top-0 grid items-center gap-x-4 border-b border-line px-4',
                  props.keyOf(row) === props.selected ? 'bg-selected' : 'hover:bg-hover',
                )}
                style={{ ...grid, height: ROW, transform: `translateY(${item.start}px)` }}
              >
                <span role="cell" className="flex min-w-0">
                  {onOpen === undefined ? (
                    first!.cell(row)
                  ) : (
                    <button
                      type="button"
                      onClick={() => onOpen(row)}
                      className="flex min-w-0 text-left after:absolute after:inset-0"
                    >
                      {first!.cell(row)}
                    </button>
                  )}
                </span>
                {rest.map(({ key, isNumber, cell }) => (
                  <span
                    key={key}
                    role="cell"
                    className={classes('min-w-0 truncate', isNumber && 'tabular text-right')}
                  >
                    {cell(row)}
                  </span>
                ))}
              </div>
            );
          })}
        </div>
        {props.footer}
      </div>
    </div>
  );
}

/** The head of a column that the rows can be sorted by. */
export function SortHeader(props: {
  label: string;
  className?: string | undefined;
  isNumber?: boolean;
  order: 'asc' | 'desc' | null;
  onSort: () => void;
}) {
  const { label, order } = props;
  return (
    <span
      role="columnheader"
      className={classes(props.className, props.isNumber && 'flex justify-end')}
      aria-sort={order === null ? 'none' : order === 'asc' ? 'ascending' : 'descending'}
    >
      <button
        type="button"
        onClick={props.onSort}
        className={classes(
          '-mx-1 inline-flex items-center gap-1 rounded px-1 whitespace-nowrap hover:text-text',
          props.isNumber && 'flex-row-reverse',
          order !== null && 'font-medium text-text',
        )}
      >
        {label}
        <Icon
          name={order === 'asc' ? 'chevronUp' : 'chevronDown'}
          size={12}
          {...(order === null ? { className: 'opacity-0' } : {})}
        />
      </button>
    </span>
  );
}
