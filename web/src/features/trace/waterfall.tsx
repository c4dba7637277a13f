import { useVirtualizer } from '@tanstack/react-virtual';
import { type Ref, useEffect, useImperativeHandle, useMemo, useRef } from 'react';
import { linearTicks } from '@/base/ticks';
import { formatOffset, type Zoom } from '@/base/zoom';
import { IconButton } from '@/ui/button';
import { useSize } from '@/ui/size';
import { Splitter } from '@/ui/splitter';
import { stored, useStored } from '@/ui/stored';
import { useZoomWheel } from '@/ui/zoom-wheel';
import type { Stretch } from './analysis';
import type { LogMark } from './logs';
import { rowOf } from './rows';
import type { TraceTree } from './tree';
import { ROW_HEIGHT, WaterfallRow } from './waterfall-row';

const NONE: readonly Stretch[] = [];
const NO_LOGS: readonly LogMark[] = [];

/** Space beside the bars, so that the last pixel of the trace is seen. */
const PADDING = 12;

const nameWidth = stored('span-name-width', 380, (text) =>
  Number.isFinite(Number(text)) ? Number(text) : null,
);

/** What the page moves the waterfall by. */
export interface WaterfallHandle {
  /** Brings a node's row into sight. */
  reveal: (index: number) => void;
}

/** The spans as a tree of names beside bars in time. Only the rows in sight are on the page. */
export function Waterfall(props: {
  tree: TraceTree;
  visible: Int32Array;
  collapsed: ReadonlySet<number>;
  zoom: Zoom;
  selected: number | undefined;
  /** Nodes that are searched for; `null` when nothing is. */
  matching: ReadonlySet<number> | null;
  muted: ReadonlySet<string>;
  /** Log records by node. */
  logs: ReadonlyMap<number, readonly LogMark[]>;
  /** The critical path by node; `null` while it is not shown. */
  critical: ReadonlyMap<number, readonly Stretch[]> | null;
  onSelect: (index: number) => void;
  onToggle: (index: number) => void;
  onZoom: (change: (zoom: Zoom) => Zoom) => void;
  onCollapseAll: () => void;
  onExpandAll: () => void;
  handle: Ref<WaterfallHandle>;
}) {
  const { tree, visible, collapsed, zoom, selected, matching, muted, critical } = props;
  const { onSelect, onToggle, onZoom } = props;
  const outer = useRef<HTMLDivElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const { width } = useSize(scroller);
  const { width: outerWidth } = useSize(outer);
  const [wanted, setNameWidth] = useStored(nameWidth);
  const mostNames = Math.max(160, outerWidth - 240);
  const names = Math.min(wanted, mostNames, Math.max(160, outerWidth * 0.5));
  const barWidth = Math.max(1, width - names - 2 * PADDING);
  const scale = barWidth / (zoom.to - zoom.from);
  const indent = indentOf(tree.depth, names);

  const rows = useVirtualizer({
    count: visible.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 10,
  });
  const reveal = (index: number) => {
    const row = rowOf(visible, index);
    const element = scroller.current;
    if (row < 0 || element === null) return;
    const top = row * ROW_HEIGHT;
    const inSight = top >= element.scrollTop && top + ROW_HEIGHT <= element.scrollTop + element.clientHeight;
    if (inSight) return;
    const isNear = Math.abs(top - element.scrollTop) < element.clientHeight * 1.5;
    rows.scrollToIndex(row, { align: isNear ? 'auto' : 'center' });
  };
  // The rows may only be there after the parents have been expanded.
  useImperativeHandle(props.handle, () => ({
    reveal: (index) => requestAnimationFrame(() => latest.current(index)),
  }));
  const latest = useRef(reveal);
  useEffect(() => {
    latest.current = reveal;
  });
  // A link to a span opens at its row.
  const isReady = width > 0;
  const openAt = useRef(selected);
  useEffect(() => {
    if (isReady && openAt.current !== undefined) latest.current(openAt.current);
  }, [isReady]);

  useZoomWheel(scroller, { left: names + PADDING, width: barWidth, length: tree.length, onZoom });

  const ticks = useMemo(
    () => linearTicks(zoom.from, zoom.to, Math.max(2, Math.floor(barWidth / 64))),
    [zoom, barWidth],
  );
  const step = ticks.length > 1 ? ticks[1]! - ticks[0]! : zoom.to - zoom.from;
  const x = (offset: number) => names + PADDING + (offset - zoom.from) * scale;
  const active = selected === undefined ? -1 : rowOf(visible, selected);
  return (
    <div ref={outer} className="relative flex min-h-0 flex-1 flex-col bg-surface">
      <div className="relative flex h-7 shrink-0 items-center border-b border-line text-xs text-faint">
        <div className="flex shrink-0 items-center justify-between pr-2 pl-4" style={{ width: names }}>
          <span>Span</span>
          <span className="flex">
            <IconButton icon="collapse" label="Collapse all" small onClick={props.onCollapseAll} />
            <IconButton icon="expand" label="Expand all" small onClick={props.onExpandAll} />
          </span>
        </div>
        <div aria-hidden="true" className="tabular">
          {ticks.map((tick) => (
            <span
              key={tick}
              className="absolute top-1.5 left-0 pl-1 whitespace-nowrap"
              style={{ transform: `translateX(${x(tick)}px)` }}
            >
              {x(tick) < width - 50 && formatOffset(tick, step)}
            </span>
          ))}
        </div>
      </div>
      <div className="relative min-h-0 flex-1">
        <div aria-hidden="true" className="pointer-events-none absolute inset-0 overflow-hidden">
          {ticks.map((tick) => (
            <div
              key={tick}
              className="absolute inset-y-0 left-0 w-px bg-line"
              style={{ transform: `translateX(${Math.round(x(tick))}px)` }}
            />
          ))}
        </div>
        <div
          ref={scroller}
          role="tree"
          aria-label="Spans"
          tabIndex={0}
          aria-activedescendant={active < 0 ? undefined : `span-row-${selected}`}
          className="absolute inset-0 overflow-x-hidden overflow-y-auto -outline-offset-2"
        >
          <div role="presentation" className="relative" style={{ height: rows.getTotalSize() }}>
            {isReady &&
              rows.getVirtualItems().map((item) => {
                const node = tree.node(visible[item.index])!;
                const { span } = node;
                return (
                  <WaterfallRow
                    key={node.index}
                    node={node}
                    parentService={tree.node(node.parent)?.span?.service}
                    top={item.start}
                    collapsed={collapsed.has(node.index)}
                    selected={node.index === selected}
                    match={matching === null ? 'none' : matching.has(node.index) ? 'yes' : 'no'}
                    muted={span !== null && muted.has(span.service)}
                    names={names}
                    indent={indent}
                    padding={PADDING}
                    width={barWidth}
                    zoom={zoom}
                    scale={scale}
                    logs={props.logs.get(node.index) ?? NO_LOGS}
                    stretches={critical === null ? null : (critical.get(node.index) ?? NONE)}
                    onSelect={onSelect}
                    onToggle={onToggle}
                  />
                );
              })}
          </div>
        </div>
      </div>
      <div className="pointer-events-none absolute inset-y-0 left-0 flex" style={{ paddingLeft: names }}>
        <Splitter
          label="Width of the names"
          between="columns"
          size={names}
          min={160}
          max={mostNames}
          onResize={setNameWidth}
          className="pointer-events-auto"
        />
      </div>
    </div>
  );
}

/** Pixels a level is set in: less in deep traces, so that names stay readable. */
function indentOf(depth: number, names: number): number {
  const room = Math.max(40, names - 200);
  return Math.min(14, Math.max(1, room / Math.max(1, depth)));
}
