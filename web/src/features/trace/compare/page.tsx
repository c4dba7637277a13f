import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useMemo, useRef, useState } from 'react';
import { ApiError } from '@/api/client';
import { type Outline, outlineQuery } from '@/api/outline';
import { formatDuration } from '@/base/durations';
import { fromDrawable } from '@/base/nanos';
import { formatCount, plural } from '@/base/numbers';
import { formatClock, formatDate } from '@/base/times';
import { buttonClass, IconButton } from '@/ui/button';
import { classes } from '@/ui/classes';
import { Icon } from '@/ui/icons';
import { PageHeader } from '@/ui/page-header';
import { useZone } from '@/ui/preferences';
import { ServiceName, serviceLabel } from '@/ui/service';
import { EmptyState, ErrorState, SkeletonRows } from '@/ui/states';
import { useTitle } from '@/ui/title';
import { BackToTraces } from '../back-to-traces';
import { rootOf, TraceTree } from '../tree';
import { difference, differing, operationsThatDiffer, type Pair, pairsOf, rowsOf, type Side } from './pairs';
import type { CompareSearch } from './search';

const ROW = 28;
/** Operations that the summary names. */
const NAMED = 4;

/** Two traces beside each other. */
export function ComparePage({ search }: { search: CompareSearch }) {
  useTitle('Compare traces');
  const a = useQuery({ ...outlineQuery(search.a ?? ''), enabled: search.a !== undefined });
  const b = useQuery({ ...outlineQuery(search.b ?? ''), enabled: search.b !== undefined });
  const failed = [a, b].find((query) => query.isError);
  return (
    <>
      <PageHeader
        title={
          <div className="flex min-w-0 items-center gap-2">
            <BackToTraces />
            <Icon name="chevronRight" size={12} className="text-faint" />
            <h1 className="text-[0.9375rem] tracking-tight">Compare two traces</h1>
          </div>
        }
      >
        {search.a !== undefined && search.b !== undefined && (
          <Link to="." search={{ a: search.b, b: search.a }} className={buttonClass('outline')}>
            Swap
          </Link>
        )}
      </PageHeader>
      {search.a === undefined || search.b === undefined ? (
        <EmptyState icon="compare" title="Two traces are needed">
          Open a trace and choose “Compare with another trace”.
        </EmptyState>
      ) : failed !== undefined ? (
        failed.error instanceof ApiError && failed.error.status === 404 ? (
          <EmptyState icon="compare" title="One of the traces is not known here">
            <p className="font-mono text-xs">{failed === a ? search.a : search.b}</p>
            <p className="mt-2">None of its spans has arrived, or they are older than what is kept.</p>
          </EmptyState>
        ) : (
          <ErrorState
            title="A trace could not be loaded"
            error={failed.error!}
            retry={() => [a, b].filter((query) => query.isError).forEach((query) => void query.refetch())}
          />
        )
      ) : a.data === undefined || b.data === undefined ? (
        <div role="status" aria-label="Loading the traces" className="min-h-0 flex-1 overflow-hidden">
          <div className="h-32 border-b border-line bg-surface" />
          <SkeletonRows rows={24} height={ROW} />
        </div>
      ) : (
        <Comparison a={a.data} b={b.data} />
      )}
    </>
  );
}

function Comparison({ a, b }: { a: Outline; b: Outline }) {
  const trees = useMemo(() => ({ a: new TraceTree(a), b: new TraceTree(b) }), [a, b]);
  const pairs = useMemo(() => pairsOf(trees.a, trees.b), [trees]);
  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(() => new Set());
  const [onlyDifferent, setOnlyDifferent] = useState(false);
  const different = useMemo(() => differing(pairs), [pairs]);
  const rows = useMemo(() => {
    const all = rowsOf(pairs, collapsed);
    return onlyDifferent ? all.filter(({ id }) => different.has(id)) : all;
  }, [pairs, collapsed, onlyDifferent, different]);
  const longest = Math.max(trees.a.length, trees.b.length);
  const toggle = (id: number) =>
    setCollapsed((before) => {
      const next = new Set(before);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  return (
    <>
      <Summary trees={trees} pairs={pairs} />
      <div className="flex h-9 shrink-0 items-center gap-4 border-b border-line bg-surface px-4 text-xs">
        <label className="inline-flex items-center gap-1.5 text-muted">
          <input
            type="checkbox"
            checked={onlyDifferent}
            onChange={({ target }) => setOnlyDifferent(target.checked)}
            className="size-3.5 accent-accent"
          />
          Only where the number of spans or errors differs
        </label>
        <span className="ml-auto text-faint">
          Spans of the same path in sum; the greatest difference first.
        </span>
      </div>
      <Table rows={rows} trees={trees} longest={longest} collapsed={collapsed} onToggle={toggle} />
    </>
  );
}

type Trees = Readonly<Record<'a' | 'b', TraceTree>>;

/** How both traces differ as a whole, and where the time went. */
function Summary({ trees, pairs }: { trees: Trees; pairs: readonly Pair[] }) {
  const [zone] = useZone();
  const operations = useMemo(() => operationsThatDiffer(pairs), [pairs]);
  const by = trees.b.length - trees.a.length;
  return (
    <div className="@container shrink-0 border-b border-line bg-surface px-4 py-3">
      <div className="grid items-start gap-3 @3xl:grid-cols-[1fr_1fr_1.2fr]">
        {(['a', 'b'] as const).map((which) => {
          const tree = trees[which];
          const { span } = rootOf(tree);
          return (
            <section
              key={which}
              aria-label={`Trace ${which.toUpperCase()}`}
              className="min-w-0 rounded-md border border-line px-3 py-2"
            >
              <h2 className="flex min-w-0 items-center gap-2">
                <Letter which={which} />
                <Link
                  to="/traces/$traceId"
                  params={{ traceId: tree.traceId }}
                  className="flex min-w-0 items-center gap-2 hover:underline"
                >
                  <ServiceName service={span.service} className="max-w-[50%] shrink-0 font-medium" />
                  <span className="truncate text-muted">{span.name}</span>
                </Link>
              </h2>
              <p className="tabular mt-1 flex flex-wrap gap-x-3 text-xs text-muted">
                <span className="font-semibold text-text">{formatDuration(tree.duration)}</span>
                <span>{plural(tree.spanCount, 'span')}</span>
                <span className={tree.failed.length > 0 ? 'text-error' : undefined}>
                  {plural(tree.failed.length, 'error')}
                </span>
                <span className="text-faint">
                  {formatDate(tree.start, zone)} {formatClock(tree.start, zone, 3)}
                </span>
              </p>
            </section>
          );
        })}
        <section aria-label="In short" className="min-w-0 text-xs">
          <p className="text-sm font-medium">
            {by === 0
              ? 'Both lasted equally long.'
              : `B lasted ${formatDuration(fromDrawable(Math.abs(by)))} ${by > 0 ? 'longer' : 'less'}.`}
          </p>
          <ul className="tabular mt-1 space-y-0.5 text-muted">
            {operations.slice(0, NAMED).map(({ service, name, by }) => (
              <li key={`${service}\u0001${name}`} className="flex gap-2">
                <span className={classes('w-20 shrink-0 text-right', by > 0 ? 'text-error' : 'text-ok')}>
                  {signed(by)}
                </span>
                <span className="truncate">
                  {name === '' ? '(no name)' : name}{' '}
                  <span className="text-faint">{serviceLabel(service)}</span>
                </span>
              </li>
            ))}
            {operations.length > 0 && (
              <li className="text-faint">Time of their own, children not counted.</li>
            )}
          </ul>
        </section>
      </div>
    </div>
  );
}

function Letter({ which }: { which: 'a' | 'b' }) {
  return (
    <span className="inline-flex size-5 shrink-0 items-center justify-center rounded bg-sunken text-xs font-semibold">
      {which.toUpperCase()}
    </span>
  );
}

function signed(length: number): string {
  return `${length > 0 ? '+' : '−'}${formatDuration(fromDrawable(Math.abs(length)))}`;
}

const GRID = 'grid grid-cols-[minmax(16rem,1fr)_4rem_4rem_6rem_6rem_6.5rem_8rem] items-center gap-x-3 px-4';
const HEADS = ['A spans', 'B spans', 'A time', 'B time', 'B − A', ''];

function Table(props: {
  rows: readonly Pair[];
  trees: Trees;
  longest: number;
  collapsed: ReadonlySet<number>;
  onToggle: (id: number) => void;
}) {
  const { rows, trees, longest, collapsed } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  return (
    <div
      ref={scroller}
      role="table"
      aria-label="Paths of both traces"
      aria-rowcount={rows.length + 1}
      tabIndex={0}
      className="min-h-0 flex-1 overflow-auto bg-surface -outline-offset-2"
    >
      <div role="presentation" className="min-w-fit">
        <div role="rowgroup" className="sticky top-0 z-10 border-b border-line bg-surface">
          <div role="row" className={`${GRID} h-8 text-xs text-faint`}>
            <span role="columnheader">Path</span>
            {HEADS.map((head) => (
              <span key={head} role="columnheader" className="text-right">
                {head === '' ? <span className="sr-only">Difference</span> : head}
              </span>
            ))}
          </div>
        </div>
        <div role="rowgroup" className="relative" style={{ height: virtual.getTotalSize() }}>
          {virtual.getVirtualItems().map((item) => (
            <Row
              key={rows[item.index]!.id}
              pair={rows[item.index]!}
              position={item.index + 2}
              top={item.start}
              trees={trees}
              longest={longest}
              isCollapsed={collapsed.has(rows[item.index]!.id)}
              onToggle={props.onToggle}
            />
          ))}
        </div>
        {rows.length === 0 && (
          <p className="py-6 text-center text-muted">Both traces took the same paths equally often.</p>
        )}
      </div>
    </div>
  );
}

function Row(props: {
  pair: Pair;
  position: number;
  top: number;
  trees: Trees;
  longest: number;
  isCollapsed: boolean;
  onToggle: (id: number) => void;
}) {
  const { pair, trees, isCollapsed } = props;
  const { a, b } = pair;
  const by = difference(pair, 'total');
  const share = Math.min(1, Math.abs(by) / props.longest);
  return (
    <div
      role="row"
      aria-rowindex={props.position}
      className={`${GRID} absolute inset-x-0 top-0 border-b border-line hover:bg-hover`}
      style={{ height: ROW, transform: `translateY(${props.top}px)` }}
    >
      <span
        role="cell"
        className="flex min-w-0 items-center gap-1.5"
        style={{ paddingLeft: Math.min(pair.depth, 24) * 14 }}
      >
        {pair.children.length > 0 ? (
          <IconButton
            icon={isCollapsed ? 'chevronRight' : 'chevronDown'}
            label={`${isCollapsed ? 'Expand' : 'Collapse'} ${pair.name.slice(0, 80)}`}
            aria-expanded={!isCollapsed}
            small
            className="-ml-1 size-5"
            onClick={() => props.onToggle(pair.id)}
          />
        ) : (
          <span className="w-4 shrink-0" />
        )}
        {pair.service === null ? (
          <span className="text-faint italic">Missing spans</span>
        ) : (
          <>
            <span className="truncate" title={pair.name}>
              {pair.name === '' ? '(no name)' : pair.name}
            </span>
            <ServiceName service={pair.service} className="shrink-[2] text-xs text-faint" />
          </>
        )}
        {(a === null || b === null) && (
          <span className="shrink-0 rounded bg-warn-soft px-1.5 text-2xs text-warn">
            only in {a === null ? 'B' : 'A'}
          </span>
        )}
      </span>
      <Count side={a} />
      <Count side={b} />
      <Time side={a} traceId={trees.a.traceId} spanIdOf={(index) => trees.a.node(index)!.spanId} />
      <Time side={b} traceId={trees.b.traceId} spanIdOf={(index) => trees.b.node(index)!.spanId} />
      <span
        role="cell"
        className={classes('tabular text-right', by > 0 ? 'text-error' : by < 0 ? 'text-ok' : 'text-faint')}
      >
        {by === 0 ? '0' : signed(by)}
      </span>
      <span role="cell" aria-hidden="true" className="relative h-2">
        <span className="absolute inset-y-[-4px] left-1/2 w-px bg-line-strong" />
        <span
          className={classes(
            'absolute inset-y-0 rounded-sm',
            by > 0 ? 'left-1/2 bg-error' : 'right-1/2 bg-ok',
          )}
          style={{ width: `${share * 50}%` }}
        />
      </span>
    </div>
  );
}

function Count({ side }: { side: Side | null }) {
  return (
    <span role="cell" className="tabular text-right">
      {side === null ? (
        <span className="text-faint">–</span>
      ) : (
        <>
          {side.errors > 0 && <span className="mr-1 text-error">{formatCount(side.errors)}!</span>}
          {formatCount(side.spans)}
        </>
      )}
    </span>
  );
}

/** The time of a trace along a path; leads to the span that lasted longest. */
function Time(props: { side: Side | null; traceId: string; spanIdOf: (index: number) => string }) {
  const { side } = props;
  return (
    <span role="cell" className="tabular text-right">
      {side === null ? (
        <span className="text-faint">–</span>
      ) : (
        <Link
          to="/traces/$traceId"
          params={{ traceId: props.traceId }}
          search={{ span: props.spanIdOf(side.example) }}
          className="hover:underline"
        >
          {formatDuration(fromDrawable(side.total))}
        </Link>
      )}
    </span>
  );
}
