import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useMemo } from 'react';
import { type Operation, operationFiguresQuery } from '@/api/services';
import type { Duration, Nanos } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import type { TimeRange } from '@/base/time-range';
import { classes } from '@/ui/classes';
import { type Column, DataTable, readSort, type Sort, sortText } from '@/ui/data-table';
import { Problem } from './card';
import { Errors, formatQuantile, formatRate, rateOf } from './figures';

const USUAL: Sort = { key: 'count', order: 'desc' };

/** What a service does, in a table: each operation leads to its traces. */
export function Operations(props: {
  service: string;
  range: TimeRange;
  times: { from: Nanos; to: Nanos };
  sort: string | undefined;
  onSort: (sort: string) => void;
}) {
  const { service, times } = props;
  const navigate = useNavigate();
  const query = useQuery({
    ...operationFiguresQuery(service, props.range),
    placeholderData: keepPreviousData,
  });
  const columns = useMemo(() => columnsOf(times), [times.from, times.to]);
  const sort = readSort(
    props.sort,
    columns.map(({ key }) => key),
    USUAL,
  );
  const rows = useMemo(() => [...(query.data ?? [])].sort(order(sort)), [query.data, sort.key, sort.order]);
  return (
    <section
      aria-labelledby="operations"
      className={classes('flex flex-col border-t border-line', rows.length > 0 && 'h-[32rem] max-h-[70vh]')}
    >
      <h2 id="operations" className="bg-surface px-4 pt-3 pb-1 font-medium">
        Operations
      </h2>
      {query.isError && query.data === undefined ? (
        <Problem error={query.error} retry={() => void query.refetch()} />
      ) : query.data === undefined ? (
        <div className="m-4 skeleton h-40 opacity-40" />
      ) : (
        <DataTable
          label="Operations"
          columns={columns}
          rows={rows}
          keyOf={({ name, kind }) => `${kind} ${name}`}
          sort={sort}
          onSort={(next) => props.onSort(sortText(next))}
          onOpen={({ name }) => void navigate({ to: '/traces', search: { service, operation: name } })}
        />
      )}
    </section>
  );
}

function columnsOf({ from, to }: { from: Nanos; to: Nanos }): Column<Operation>[] {
  const length = (
    key: string,
    label: string,
    of: (operation: Operation) => Duration | null,
  ): Column<Operation> => ({
    key,
    label,
    width: '6rem',
    isNumber: true,
    cell: (operation) => formatQuantile(of(operation)),
  });
  return [
    {
      key: 'name',
      label: 'Operation',
      width: 'minmax(14rem, 2fr)',
      cell: ({ name }) => (
        <span className="truncate" title={name}>
          {name === '' ? '(no name)' : name}
        </span>
      ),
    },
    {
      key: 'kind',
      label: 'Kind',
      width: '6rem',
      cell: ({ kind }) => <span className="text-muted">{kind.toLowerCase()}</span>,
    },
    {
      key: 'count',
      label: 'Spans',
      width: '6rem',
      isNumber: true,
      cell: ({ spans }) => formatCount(spans.count),
    },
    {
      key: 'rate',
      label: 'Rate',
      width: '6rem',
      isNumber: true,
      cell: ({ spans }) => formatRate(rateOf(spans.count, from, to)),
    },
    {
      key: 'errors',
      label: 'Errors',
      width: '5rem',
      isNumber: true,
      cell: ({ spans }) => <Errors calls={spans} />,
    },
    length('p50', 'Median', ({ spans }) => spans.p50),
    length('p95', '95 %', ({ spans }) => spans.p95),
    length('p99', '99 %', ({ spans }) => spans.p99),
    length('longest', 'Longest', ({ longest }) => longest),
  ];
}

function order({ key, order }: Sort): (a: Operation, b: Operation) => number {
  const by = order === 'asc' ? 1 : -1;
  const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  const value = ({ spans, longest }: Operation): number =>
    key === 'longest'
      ? Number(longest ?? -1)
      : key === 'count' || key === 'rate'
        ? spans.count
        : key === 'errors'
          ? spans.errors / Math.max(1, spans.count)
          : Number(spans[key as 'p50'] ?? -1);
  return (a, b) =>
    (key === 'name'
      ? by * text(a.name, b.name)
      : key === 'kind'
        ? by * text(a.kind, b.kind)
        : by * (value(a) - value(b))) || text(a.name, b.name);
}
