import { useMemo } from 'react';
import { formatDuration } from '@/base/durations';
import { fromDrawable } from '@/base/nanos';
import { formatCount } from '@/base/numbers';
import { classes } from '@/ui/classes';
import { type Column, DataTable, readSort, type Sort, sortText } from '@/ui/data-table';
import { ServiceName } from '@/ui/service';
import { stored, useStored } from '@/ui/stored';
import { type Analysis, type Group, groupsOf } from './analysis';
import type { TraceTree } from './tree';

const USUAL: Sort = { key: 'critical', order: 'desc' };
const grouping = stored<'operation' | 'service'>('trace-grouping', 'operation', (text) =>
  text === 'operation' || text === 'service' ? text : null,
);

/** Where the time of a trace went: its spans by operation or by service. */
export function Operations(props: {
  tree: TraceTree;
  analysis: Analysis;
  sort: string | undefined;
  onSort: (sort: string) => void;
  muted: ReadonlySet<string>;
  onOpen: (index: number) => void;
}) {
  const { tree, analysis, muted } = props;
  const [by, setBy] = useStored(grouping);
  const columns = useMemo(() => columnsOf(by === 'operation', tree), [by, tree]);
  const sort = readSort(
    props.sort,
    columns.map(({ key }) => key),
    USUAL,
  );
  const groups = useMemo(() => groupsOf(tree, analysis, by === 'operation'), [tree, analysis, by]);
  const rows = useMemo(
    () => groups.filter(({ service }) => !muted.has(service)).sort(order(sort)),
    [groups, sort.key, sort.order, muted],
  );
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex h-9 shrink-0 items-center gap-3 border-b border-line bg-surface px-4 text-xs">
        <span id="grouping" className="text-faint">
          Group by
        </span>
        <div role="radiogroup" aria-labelledby="grouping" className="flex gap-1">
          {(['operation', 'service'] as const).map((value) => (
            <label
              key={value}
              className={classes(
                'inline-flex h-6 cursor-pointer items-center rounded-md border px-2 has-focus-visible:outline-2',
                by === value ? 'border-accent bg-selected' : 'border-line text-muted hover:bg-hover',
              )}
            >
              <input
                type="radio"
                name="grouping"
                checked={by === value}
                onChange={() => setBy(value)}
                className="sr-only"
              />
              {value}
            </label>
          ))}
        </div>
        <span className="ml-auto text-faint">
          Self: no child was running. Critical: the trace waited for it.
        </span>
      </div>
      <DataTable
        label={by === 'operation' ? 'Operations' : 'Services of the trace'}
        columns={columns}
        rows={rows}
        keyOf={({ service, name }) => `${service}\u0001${name ?? ''}`}
        sort={sort}
        onSort={(next) => props.onSort(sortText(next))}
        onOpen={({ example }) => props.onOpen(example)}
      />
    </div>
  );
}

function columnsOf(named: boolean, tree: TraceTree): Column<Group>[] {
  const time = (key: string, label: string, length: (group: Group) => number): Column<Group> => ({
    key,
    label,
    width: '5rem',
    isNumber: true,
    cell: (group) => formatDuration(fromDrawable(length(group))),
  });
  const service: Column<Group> = {
    key: 'service',
    label: 'Service',
    width: 'minmax(7rem, 1fr)',
    cell: ({ service }) => <ServiceName service={service} />,
  };
  return [
    ...(named
      ? [
          {
            key: 'name',
            label: 'Operation',
            width: 'minmax(12rem, 2fr)',
            cell: ({ name }: Group) => (
              <span className="truncate" title={name ?? ''}>
                {name === '' ? '(no name)' : name}
              </span>
            ),
          },
          service,
        ]
      : [service]),
    {
      key: 'critical',
      label: 'Critical',
      width: '10rem',
      isNumber: true,
      cell: ({ critical }) => <Share length={critical} whole={tree.length} />,
    },
    { key: 'spans', label: 'Spans', width: '4rem', isNumber: true, cell: ({ spans }) => formatCount(spans) },
    {
      key: 'errors',
      label: 'Errors',
      width: '4rem',
      isNumber: true,
      cell: ({ errors }) =>
        errors === 0 ? (
          <span className="text-faint">0</span>
        ) : (
          <span className="text-error">{formatCount(errors)}</span>
        ),
    },
    time('self', 'Self', ({ self }) => self),
    time('total', 'Total', ({ total }) => total),
    time('average', 'Average', ({ total, spans }) => total / spans),
    time('longest', 'Longest', ({ longest }) => longest),
  ];
}

/** A part of the trace's duration, by length and text. */
function Share({ length, whole }: { length: number; whole: number }) {
  const share = Math.min(1, length / whole);
  return (
    <span className="flex items-center justify-end gap-2">
      <span aria-hidden="true" className="h-1.5 w-12 overflow-hidden rounded-full bg-sunken">
        <span className="block h-full rounded-full bg-accent" style={{ width: `${share * 100}%` }} />
      </span>
      <span className="w-24">
        {formatDuration(fromDrawable(length))}
        <span className="text-faint"> {Math.round(share * 100)} %</span>
      </span>
    </span>
  );
}

function order({ key, order }: Sort): (a: Group, b: Group) => number {
  const by = order === 'asc' ? 1 : -1;
  const text = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return (a, b) => {
    const first =
      key === 'name'
        ? text(a.name ?? '', b.name ?? '')
        : key === 'service'
          ? text(a.service, b.service)
          : key === 'average'
            ? a.total / a.spans - b.total / b.spans
            : a[key as 'critical'] - b[key as 'critical'];
    return by * first || b.total - a.total || text(`${a.service} ${a.name}`, `${b.service} ${b.name}`);
  };
}
