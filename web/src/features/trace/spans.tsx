import { useMemo } from 'react';
import { formatDuration } from '@/base/durations';
import { fromDrawable } from '@/base/nanos';
import { formatCount, plural } from '@/base/numbers';
import { formatOffset } from '@/base/zoom';
import { classes } from '@/ui/classes';
import { type Column, DataTable, readSort, type Sort, sortText } from '@/ui/data-table';
import { Icon } from '@/ui/icons';
import { ServiceName } from '@/ui/service';
import type { Analysis } from './analysis';
import type { TraceTree } from './tree';

const USUAL: Sort = { key: 'duration', order: 'desc' };

/** All spans of a trace in a table, or those that were searched for. */
export function Spans(props: {
  tree: TraceTree;
  analysis: Analysis;
  /** Positions that are searched for; `null` when nothing is. */
  matching: ReadonlySet<number> | null;
  muted: ReadonlySet<string>;
  sort: string | undefined;
  onSort: (sort: string) => void;
  selected: number | undefined;
  onSelect: (index: number) => void;
}) {
  const { tree, analysis, matching, muted } = props;
  const columns = useMemo(() => columnsOf(tree, analysis), [tree, analysis]);
  const sort = readSort(
    props.sort,
    columns.map(({ key }) => key),
    USUAL,
  );
  const rows = useMemo(() => {
    const { services } = tree.outline;
    const shown: number[] = [];
    for (let index = 0; index < tree.count; index++) {
      const service = tree.serviceOf(index);
      if (service < 0 || (muted.size > 0 && muted.has(services[service]!))) continue;
      if (matching === null || matching.has(index)) shown.push(index);
    }
    return sorted(shown, tree, analysis, sort);
  }, [tree, analysis, matching, muted, sort.key, sort.order]);
  return (
    <DataTable
      label="Table of spans"
      columns={columns}
      rows={rows}
      keyOf={(index) => index}
      sort={sort}
      onSort={(next) => props.onSort(sortText(next))}
      selected={props.selected ?? -1}
      onOpen={props.onSelect}
      footer={
        <p className="py-3 text-center text-xs text-faint">
          {rows.length === tree.spanCount
            ? `That is all: ${plural(rows.length, 'span')}.`
            : `${plural(rows.length, 'span')} of ${formatCount(tree.spanCount)}.`}
        </p>
      }
    />
  );
}

function columnsOf(tree: TraceTree, { self, critical }: Analysis): Column<number>[] {
  const time = (key: string, label: string, length: (index: number) => number): Column<number> => ({
    key,
    label,
    width: '6.5rem',
    isNumber: true,
    cell: (index) => formatDuration(fromDrawable(length(index))),
  });
  return [
    {
      key: 'name',
      label: 'Span',
      width: 'minmax(14rem, 2fr)',
      cell: (index) => {
        const { span, marks } = tree.node(index)!;
        return (
          <span className={classes('flex min-w-0 items-center gap-1.5', marks.failed && 'text-error')}>
            {marks.failed && <Icon name="error" size={13} />}
            <span className="truncate" title={span!.name}>
              {span!.name === '' ? '(no name)' : span!.name}
            </span>
          </span>
        );
      },
    },
    {
      key: 'service',
      label: 'Service',
      width: 'minmax(8rem, 1fr)',
      cell: (index) => <ServiceName service={tree.node(index)!.span!.service} />,
    },
    {
      key: 'kind',
      label: 'Kind',
      width: '5.5rem',
      cell: (index) => (
        <span className="text-muted">
          {tree.node(index)!.span!.kind.toLowerCase().replace('unspecified', '–')}
        </span>
      ),
    },
    {
      key: 'start',
      label: 'Start',
      width: '7rem',
      isNumber: true,
      cell: (index) => formatOffset(tree.starts[index]!, 1_000),
    },
    {
      key: 'duration',
      label: 'Duration',
      width: '6.5rem',
      isNumber: true,
      cell: (index) => {
        const { span } = tree.node(index)!;
        return span!.duration === null ? (
          <span className="text-warn">open</span>
        ) : (
          formatDuration(span!.duration)
        );
      },
    },
    time('self', 'Self', (index) => self[index]!),
    time('critical', 'Critical', (index) => critical[index]!),
  ];
}

/** Texts are compared by the rank of their position, so that a million rows are compared as numbers. */
function sorted(
  rows: number[],
  tree: TraceTree,
  { self, critical }: Analysis,
  { key, order }: Sort,
): readonly number[] {
  const { outline, starts, ends } = tree;
  const ranks = (texts: readonly string[]) => {
    const list = texts.map((_, at) => at).sort((a, b) => (texts[a]! < texts[b]! ? -1 : 1));
    const ranks = new Int32Array(texts.length);
    list.forEach((position, rank) => {
      ranks[position] = rank;
    });
    return ranks;
  };
  const keys = new Float64Array(tree.count);
  const rank = key === 'name' ? ranks(outline.names) : key === 'service' ? ranks(outline.services) : null;
  for (const index of rows) {
    keys[index] =
      key === 'name'
        ? rank![tree.nameOf(index)]!
        : key === 'service'
          ? rank![tree.serviceOf(index)]!
          : key === 'kind'
            ? outline.kindOf(tree.numbers[index]!).charCodeAt(0)
            : key === 'start'
              ? starts[index]!
              : key === 'self'
                ? self[index]!
                : key === 'critical'
                  ? critical[index]!
                  : ends[index]! - starts[index]!;
  }
  const by = order === 'asc' ? 1 : -1;
  return rows.sort((a, b) => by * (keys[a]! - keys[b]!) || a - b);
}
