import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import type { SqlAnswer } from '@/api/sql';
import { type Cell, compareCells, formatCell, isNumeric } from '@/base/cells';
import { formatCount } from '@/base/numbers';
import type { Zone } from '@/base/times';
import { type Column, DataTable, readSort, type Sort, sortText } from '@/ui/data-table';
import { useZone } from '@/ui/preferences';

/** Rows whose texts tell how wide a column is. */
const MEASURED = 100;
/** Letters of a cell; the row's panel has all of it. */
const MOST_LETTERS = 400;
const [LEAST_WIDTH, MOST_WIDTH] = [4, 44];

const AS_IT_CAME: Sort = { key: '', order: 'asc' };

interface Row {
  number: number;
  cells: readonly Cell[];
}

/** The rows of an answer, in its order until one sorts them. */
export function AnswerTable(props: {
  answer: SqlAnswer;
  sort: string | undefined;
  onSort: (sort: string) => void;
  /** The row that is open, counted from 0. */
  selected?: number | undefined;
  onOpen?: (row: number) => void;
}) {
  const { answer } = props;
  const [zone] = useZone();
  const columns = useMemo(() => columnsOf(answer, zone), [answer, zone]);
  const sort = readSort(
    props.sort,
    columns.map(({ key }) => key),
    AS_IT_CAME,
  );
  const rows = useMemo(() => sorted(answer, sort), [answer, sort.key, sort.order]);
  return (
    <DataTable
      label="Rows"
      columns={columns}
      rows={rows}
      keyOf={({ number }) => number}
      sort={sort}
      onSort={(next) => props.onSort(sortText(next))}
      selected={props.selected}
      {...(props.onOpen === undefined ? {} : { onOpen: ({ number }: Row) => props.onOpen?.(number) })}
    />
  );
}

function sorted({ columns, rows }: SqlAnswer, { key, order }: Sort): Row[] {
  const numbered = rows.map((cells, number) => ({ number, cells }));
  if (key === '' || key === '0') return order === 'desc' ? numbered.reverse() : numbered;
  const at = Number(key) - 1;
  const column = columns[at]!;
  const isMissing = ({ cells }: Row) => cells[at] === null;
  const by = order === 'asc' ? 1 : -1;
  return numbered.sort((a, b) => {
    const compared = compareCells(column, a.cells[at], b.cells[at]);
    // What is missing comes last in either order.
    return (isMissing(a) || isMissing(b) ? compared : by * compared) || a.number - b.number;
  });
}

function columnsOf({ columns, rows }: SqlAnswer, zone: Zone): Column<Row>[] {
  const digits = formatCount(rows.length).length;
  const number: Column<Row> = {
    key: '0',
    label: '#',
    width: `${digits * 0.5 + 2}rem`,
    cell: ({ number }) => <span className="tabular text-faint">{formatCount(number + 1)}</span>,
  };
  const others = columns.map((column, at): Column<Row> => {
    const texts = rows.slice(0, MEASURED).map((cells) => formatCell(column, cells[at], zone).length);
    const letters = Math.max(column.name.length + 2, ...texts);
    const target = linkOf(columns, at);
    return {
      key: String(at + 1),
      label: column.name,
      width: `${Math.min(Math.max(letters, LEAST_WIDTH), MOST_WIDTH) * 0.5 + 1}rem`,
      isNumber: isNumeric(column.type),
      cell: ({ cells }) => {
        const value = cells[at];
        if (value === null) return <span className="text-faint">NULL</span>;
        const text = formatCell(column, value, zone);
        const shown = text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
        return target === null ? <bdi>{shown}</bdi> : target(cells, shown);
      },
    };
  });
  return [number, ...others];
}

/** Where a cell leads: ids of traces, spans and processes lead to their pages. */
function linkOf(columns: SqlAnswer['columns'], at: number) {
  const { name, type } = columns[at]!;
  if (type !== 'text') return null;
  const look = 'relative z-[1] font-mono text-xs text-accent hover:underline';
  const trace = columns.findIndex((column) => column.name === 'trace_id');
  if (name === 'trace_id' || (name === 'span_id' && trace >= 0)) {
    return (cells: readonly Cell[], shown: string) => {
      const traceId = String(cells[trace]);
      if (!/^[0-9a-f]{32}$/.test(traceId)) return shown;
      const search = name === 'span_id' ? { span: shown } : {};
      return (
        <Link to="/traces/$traceId" params={{ traceId }} search={search} className={look}>
          {shown}
        </Link>
      );
    };
  }
  if (name === 'process_id') {
    return (_: readonly Cell[], shown: string) => (
      <Link to="/processes/$processId" params={{ processId: shown }} className={look}>
        {shown}
      </Link>
    );
  }
  return null;
}
