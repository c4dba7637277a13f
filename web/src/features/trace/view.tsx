import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useCallback, useMemo, useRef, useState } from 'react';
import type { Outline } from '@/api/outline';
import { MOST_TRACE_LOGS, traceLogsQuery } from '@/api/traces';
import { formatCount } from '@/base/numbers';
import { isWhole, wholeOf, zoomAround, zoomFromText, zoomText, zoomTo } from '@/base/zoom';
import { type Hotkey, useHotkeys } from '@/ui/hotkeys';
import { lastTraceSearch } from '@/ui/last-search';
import { useSettled } from '@/ui/settled';
import { useMedia, useSize } from '@/ui/size';
import { Splitter } from '@/ui/splitter';
import { stored, useStored } from '@/ui/stored';
import { useTitle } from '@/ui/title';
import { analyse } from './analysis';
import { stepFrom, useFind } from './find';
import { FlameGraph } from './flame';
import { TraceHeader } from './header';
import { placeLogs, TraceLogs } from './logs';
import { TraceMinimap } from './minimap';
import { Operations } from './operations';
import { rowOf } from './rows';
import type { TracePageSearch, TraceViewName } from './search';
import { SpanPanel } from './span-panel';
import { Spans } from './spans';
import { ancestorsOf, rootOf, TraceTree, visibleNodes } from './tree';
import { Views } from './views';
import { Waterfall, type WaterfallHandle } from './waterfall';

const number = (text: string) => (Number.isFinite(Number(text)) ? Number(text) : null);
const panelWidth = stored('span-panel-width', 440, number);
const panelHeight = stored('span-panel-height', 320, number);

/** A trace that is here: header, one of its views, and the details of a span. */
export function TraceView(props: {
  outline: Outline;
  search: TracePageSearch;
  refreshing: boolean;
  refresh: () => void;
}) {
  const { outline, search } = props;
  const navigate = useNavigate();
  const tree = useMemo(() => new TraceTree(outline), [outline]);
  const analysis = useMemo(() => analyse(tree, rootOf(tree).index), [tree]);
  const logs = useQuery(traceLogsQuery(outline.traceId));
  const placedLogs = useMemo(() => placeLogs(tree, logs.data ?? []), [tree, logs.data]);
  useTitle(rootOf(tree).span.name || 'Trace');
  const list = useRef<WaterfallHandle>(null);
  const findInput = useRef<HTMLInputElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const { width: bodyWidth, height: bodyHeight } = useSize(body);
  const beside = useMedia('(min-width: 1100px)');
  const [width, setWidth] = useStored(panelWidth);
  const [height, setHeight] = useStored(panelHeight);

  const link = useCallback(
    (change: { [Name in keyof TracePageSearch]?: TracePageSearch[Name] | undefined }) =>
      void navigate({
        to: '.',
        replace: true,
        search: (previous) => ({ ...previous, ...change }) as TracePageSearch,
      }),
    [navigate],
  );

  const [chosenZoom, setZoom] = useState(() => zoomFromText(search.zoom, tree.length));
  // A trace that has grown is shown to its end, when it was before.
  const [seenTree, setSeenTree] = useState(tree);
  const grown = seenTree !== tree;
  const zoom = grown && isWhole(chosenZoom, seenTree.length) ? wholeOf(tree.length) : chosenZoom;
  useSettled({
    value: zoomText(zoom, tree.length),
    linked: search.zoom,
    write: (text) => link({ zoom: text }),
    read: (text) => setZoom(zoomFromText(text, tree.length)),
  });
  const [spanId, setSpanId] = useState(search.span);
  useSettled({
    value: spanId,
    linked: search.span,
    write: (span) => link({ span }),
    read: (span) => select(span === undefined ? undefined : tree.indexOf(span)),
  });
  const [find, setFind] = useState(search.find ?? '');
  useSettled({
    value: find === '' ? undefined : find,
    linked: search.find,
    write: (text) => link({ find: text }),
    read: (text) => setFind(text ?? ''),
  });
  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(() => new Set());
  if (grown) {
    setSeenTree(tree);
    setZoom(zoom);
    // Rows are not where they were.
    const ids = Array.from(collapsed, (index) => seenTree.outline.idOf(seenTree.numbers[index]!));
    const numbers = tree.outline.findAll(new Set(ids)).values();
    setCollapsed(new Set(Array.from(numbers, (number) => tree.positions[number]!)));
  }
  const [muted, setMuted] = useState<ReadonlySet<string>>(() => new Set());
  const visible = useMemo(() => visibleNodes(tree, collapsed), [tree, collapsed]);
  const selected = spanId === undefined ? undefined : tree.indexOf(spanId);

  const found = useFind(tree, find);
  const matching = useMemo(
    () => (found.positions === null ? null : new Set(found.positions)),
    [found.positions],
  );

  /** Opens a span's details and brings its row into sight. */
  const select = useCallback(
    (index: number | undefined) => {
      const node = tree.node(index);
      setSpanId(node?.spanId);
      if (node === undefined) return;
      tree.remember(node.spanId, node.index);
      const above = ancestorsOf(tree, node.index);
      setCollapsed((before) => (above.some((at) => before.has(at)) ? without(before, above) : before));
      list.current?.reveal(node.index);
    },
    [tree],
  );
  const toggle = useCallback((index: number) => {
    setCollapsed((before) => (before.has(index) ? without(before, [index]) : new Set(before).add(index)));
  }, []);
  const step = (positions: readonly number[], by: 1 | -1) => {
    const next = stepFrom(positions, selected ?? (by > 0 ? -1 : tree.count), by);
    if (next !== undefined) select(next);
  };
  /** To the next match of the text as it is now, when the server has told it. */
  const stepMatch = (by: 1 | -1) => found.whenFound((positions) => step(positions, by));
  const moveRow = (by: number) => {
    const at = selected === undefined ? -1 : rowOf(visible, selected);
    const next = Math.min(Math.max(at + by, 0), visible.length - 1);
    if (next !== at) select(visible[next]!);
  };
  const moveDeeper = () => {
    const node = tree.node(selected);
    if (node === undefined) return moveRow(1);
    if (node.children === 0) return;
    if (collapsed.has(node.index)) toggle(node.index);
    else select(node.index + 1);
  };
  const moveOut = () => {
    const node = tree.node(selected);
    if (node === undefined) return;
    if (node.children > 0 && !collapsed.has(node.index)) toggle(node.index);
    else if (node.parent >= 0) select(node.parent);
  };
  const collapseAll = () => {
    const all = new Set<number>();
    for (let index = 0; index < tree.count; index++) {
      if (tree.childCounts[index]! > 0 && tree.depths[index]! > 0) all.add(index);
    }
    setCollapsed(all);
  };
  const show = (view: TraceViewName | undefined) => link({ view, sort: undefined });
  const toggleCritical = () =>
    link({ view: undefined, critical: search.critical === undefined ? 'true' : undefined });
  const zoomBy = (factor: number) =>
    setZoom((now) => zoomAround(now, (now.from + now.to) / 2, factor, tree.length));
  const close = () => {
    if (selected !== undefined) setSpanId(undefined);
    else if (!isWhole(zoom, tree.length)) setZoom(() => wholeOf(tree.length));
    else void navigate({ to: '/traces', search: lastTraceSearch() });
  };

  const waterfallKeys: Hotkey[] = [
    { keys: ['j', 'ArrowDown'], shown: ['j', 'ArrowDown'], label: 'Next span', run: () => moveRow(1) },
    { keys: ['k', 'ArrowUp'], shown: ['k', 'ArrowUp'], label: 'Previous span', run: () => moveRow(-1) },
    {
      keys: ['l', 'ArrowRight'],
      shown: ['l', 'ArrowRight'],
      label: 'Expand, or go to the first child',
      run: moveDeeper,
    },
    {
      keys: ['h', 'ArrowLeft'],
      shown: ['h', 'ArrowLeft'],
      label: 'Collapse, or go to the parent',
      run: moveOut,
    },
    { keys: ['+', '='], shown: ['+'], label: 'Zoom in', run: () => zoomBy(0.5) },
    { keys: ['-'], label: 'Zoom out', run: () => zoomBy(2) },
    { keys: ['0'], label: 'Whole trace', run: () => setZoom(() => wholeOf(tree.length)) },
    {
      keys: ['z'],
      label: 'Zoom to the span',
      run: () => {
        const node = tree.node(selected);
        if (node !== undefined) setZoom(() => zoomTo(node.start, node.end, tree.length));
      },
    },
  ];
  useHotkeys('Trace', [
    ...(search.view === undefined ? waterfallKeys : []),
    { keys: ['e'], label: 'Next error', run: () => step(tree.failed, 1) },
    { keys: ['Shift+E'], shown: ['Shift', 'E'], label: 'Previous error', run: () => step(tree.failed, -1) },
    { keys: ['/'], label: 'Find in the trace', run: () => findInput.current?.focus() },
    { keys: ['n'], label: 'Next match', run: () => stepMatch(1) },
    { keys: ['Shift+N'], shown: ['Shift', 'N'], label: 'Previous match', run: () => stepMatch(-1) },
    { keys: ['c'], label: 'Critical path', run: toggleCritical },
    ...(['1', '2', '3', '4', '5'] as const).map((key, at) => ({
      keys: [key],
      label: ['Waterfall', 'Flame graph', 'Operations', 'Table of spans', 'Logs'][at]!,
      run: () => show(([undefined, 'flame', 'operations', 'spans', 'logs'] as const)[at]),
    })),
    { keys: ['r'], label: 'Load again', run: props.refresh },
    { keys: ['Escape'], label: 'Close the span, then the trace', run: close },
  ]);

  const node = tree.node(selected);
  const panel = node !== undefined && (
    <SpanPanel
      key={node.spanId}
      tree={tree}
      node={node}
      self={analysis.self[node.index]!}
      critical={analysis.critical[node.index]!}
      onClose={() => setSpanId(undefined)}
      onSelect={select}
      onZoom={() => setZoom(() => zoomTo(node.start, node.end, tree.length))}
    />
  );
  const mostWidth = Math.max(320, bodyWidth - 420);
  const mostHeight = Math.max(160, bodyHeight - 160);
  return (
    <>
      <TraceHeader
        tree={tree}
        traceId={outline.traceId}
        find={find}
        found={found}
        selected={selected}
        muted={muted}
        onMute={setMuted}
        onFind={setFind}
        onStep={step}
        onStepMatch={stepMatch}
        findInput={findInput}
        refreshing={props.refreshing}
        refresh={props.refresh}
      />
      <Views
        view={search.view}
        onView={show}
        logs={
          logs.data === undefined
            ? null
            : `${formatCount(logs.data.length)}${logs.data.length >= MOST_TRACE_LOGS ? '+' : ''}`
        }
        isCritical={search.critical !== undefined}
        onCritical={toggleCritical}
      />
      <div ref={body} className={`flex min-h-0 flex-1 ${beside ? '' : 'flex-col'}`}>
        <div className="flex min-h-0 min-w-0 flex-1 flex-col">
          {search.view === undefined ? (
            <>
              <TraceMinimap tree={tree} visible={visible} zoom={zoom} selected={selected} onZoom={setZoom} />
              <Waterfall
                tree={tree}
                visible={visible}
                collapsed={collapsed}
                zoom={zoom}
                selected={selected}
                matching={matching}
                muted={muted}
                logs={placedLogs.marks}
                critical={search.critical === undefined ? null : analysis.stretches}
                onSelect={select}
                onToggle={toggle}
                onZoom={setZoom}
                onCollapseAll={collapseAll}
                onExpandAll={() => setCollapsed(new Set())}
                handle={list}
              />
            </>
          ) : search.view === 'flame' ? (
            <FlameGraph tree={tree} analysis={analysis} matching={matching} muted={muted} onOpen={select} />
          ) : search.view === 'operations' ? (
            <Operations
              tree={tree}
              analysis={analysis}
              sort={search.sort}
              onSort={(sort) => link({ sort })}
              muted={muted}
              onOpen={select}
            />
          ) : search.view === 'logs' ? (
            <TraceLogs tree={tree} query={logs} placed={placedLogs} selected={selected} onSelect={select} />
          ) : (
            <Spans
              tree={tree}
              analysis={analysis}
              matching={matching}
              muted={muted}
              sort={search.sort}
              onSort={(sort) => link({ sort })}
              selected={selected}
              onSelect={select}
            />
          )}
        </div>
        {panel !== false && (
          <>
            <Splitter
              label="Size of the span's details"
              between={beside ? 'columns' : 'rows'}
              after
              size={beside ? Math.min(width, mostWidth) : Math.min(height, mostHeight)}
              min={beside ? 320 : 160}
              max={beside ? mostWidth : mostHeight}
              onResize={beside ? setWidth : setHeight}
            />
            <div
              className="flex shrink-0 flex-col overflow-hidden"
              style={
                beside ? { width: Math.min(width, mostWidth) } : { height: Math.min(height, mostHeight) }
              }
            >
              {panel}
            </div>
          </>
        )}
      </div>
    </>
  );
}

function without(set: ReadonlySet<number>, gone: readonly number[]): Set<number> {
  const rest = new Set(set);
  for (const index of gone) rest.delete(index);
  return rest;
}
