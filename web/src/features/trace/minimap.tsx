import { type KeyboardEvent, type PointerEvent, useMemo, useRef, useState } from 'react';
import { formatDuration } from '@/base/durations';
import { fromDrawable } from '@/base/nanos';
import { SERVICE_COLOURS, serviceColour } from '@/base/palette';
import { type Surface, useCanvas } from '@/ui/canvas';
import { rowOf } from './rows';
import type { TraceTree } from './tree';
import { clampZoom, isWhole, panBy, wholeOf, type Zoom, zoomAround } from './zoom';

const HEIGHT = 56;
const PADDING = 12;
/** Pixels around an edge of the shown part where it is taken hold of. */
const GRIP = 5;

type Gesture =
  | { kind: 'select'; origin: number }
  | { kind: 'pan'; last: number }
  | { kind: 'edge'; fixed: number };

/** The whole trace in small; dragging chooses the part that the waterfall shows. */
export function Minimap(props: {
  tree: TraceTree;
  visible: Int32Array;
  zoom: Zoom;
  selected: number | undefined;
  onZoom: (change: (zoom: Zoom) => Zoom) => void;
}) {
  const { tree, visible, zoom, selected, onZoom } = props;
  const { length } = tree;
  const gesture = useRef<Gesture | null>(null);
  const [cursor, setCursor] = useState<'crosshair' | 'grab' | 'ew-resize'>('crosshair');
  const colours = useMemo(
    () => new Map(tree.services.map(({ service }) => [service, serviceColour(service)])),
    [tree],
  );

  const overview = useCanvas(
    (surface) => drawOverview(surface, tree, visible, colours),
    [tree, visible, colours],
  );
  const overlay = useCanvas(
    (surface) => drawWindow(surface, tree, visible, zoom, selected),
    [tree, visible, zoom, selected],
  );

  const offsetAt = (event: PointerEvent<HTMLElement>, element: HTMLElement) => {
    const { left, width } = element.getBoundingClientRect();
    const x = Math.min(Math.max(event.clientX - left - PADDING, 0), width - 2 * PADDING);
    return (x / (width - 2 * PADDING)) * length;
  };
  const grip = (element: HTMLElement) => (GRIP / (element.clientWidth - 2 * PADDING)) * length;
  /** What a press at this offset takes hold of. */
  const holdAt = (offset: number, reach: number): Gesture => {
    if (isWhole(zoom, length)) return { kind: 'select', origin: offset };
    if (Math.abs(offset - zoom.from) <= reach) return { kind: 'edge', fixed: zoom.to };
    if (Math.abs(offset - zoom.to) <= reach) return { kind: 'edge', fixed: zoom.from };
    return offset > zoom.from && offset < zoom.to
      ? { kind: 'pan', last: offset }
      : { kind: 'select', origin: offset };
  };
  const start = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    gesture.current = holdAt(offsetAt(event, event.currentTarget), grip(event.currentTarget));
  };
  const move = (event: PointerEvent<HTMLDivElement>) => {
    const offset = offsetAt(event, event.currentTarget);
    const held = gesture.current;
    if (held === null) {
      const { kind } = holdAt(offset, grip(event.currentTarget));
      setCursor(kind === 'edge' ? 'ew-resize' : kind === 'pan' ? 'grab' : 'crosshair');
      return;
    }
    if (held.kind === 'pan') {
      const by = offset - held.last;
      held.last = offset;
      onZoom((now) => panBy(now, by, length));
      return;
    }
    const other = held.kind === 'select' ? held.origin : held.fixed;
    // A press that hardly moves is a click, not a selection.
    if (held.kind === 'select' && Math.abs(offset - other) < grip(event.currentTarget)) return;
    onZoom(() => clampZoom({ from: Math.min(other, offset), to: Math.max(other, offset) }, length));
  };
  const end = () => {
    gesture.current = null;
  };
  const keyDown = (event: KeyboardEvent) => {
    const found = keyChange(event.key, zoom, length);
    if (found === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onZoom(() => found);
  };
  const text = (offset: number) => formatDuration(fromDrawable(offset));
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label="Part of the trace that is shown"
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round((zoom.from / length) * 100)}
      aria-valuetext={isWhole(zoom, length) ? 'The whole trace' : `${text(zoom.from)} to ${text(zoom.to)}`}
      title="Drag to zoom, double-click for the whole trace"
      onPointerDown={start}
      onPointerMove={move}
      onPointerUp={end}
      onPointerCancel={end}
      onDoubleClick={() => onZoom(() => wholeOf(length))}
      onKeyDown={keyDown}
      className="relative shrink-0 touch-none border-b border-line bg-surface -outline-offset-2 select-none"
      style={{ height: HEIGHT, cursor }}
    >
      <canvas ref={overview} aria-hidden="true" className="absolute inset-0 h-full w-full" />
      <canvas ref={overlay} aria-hidden="true" className="absolute inset-0 h-full w-full" />
    </div>
  );
}

/** What a key makes of the shown part. */
function keyChange(key: string, zoom: Zoom, length: number): Zoom | undefined {
  const quarter = (zoom.to - zoom.from) / 4;
  const middle = (zoom.from + zoom.to) / 2;
  if (key === 'ArrowLeft') return panBy(zoom, -quarter, length);
  if (key === 'ArrowRight') return panBy(zoom, quarter, length);
  if (key === 'ArrowUp') return zoomAround(zoom, middle, 0.5, length);
  if (key === 'ArrowDown') return zoomAround(zoom, middle, 2, length);
  return key === 'Home' ? wholeOf(length) : undefined;
}

const TOP = 6;

function drawOverview(
  { context, width, height, colour }: Surface,
  tree: TraceTree,
  visible: Int32Array,
  colours: ReadonlyMap<string, number>,
) {
  const inner = height - 2 * TOP;
  const scale = (width - 2 * PADDING) / tree.length;
  const row = inner / Math.max(visible.length, 8);
  const thickness = Math.max(1, Math.min(4, row - 0.5));
  const fills = Array.from({ length: SERVICE_COLOURS }, (_, number) => colour(`--service-${number}`));
  const rows = (paint: (at: number, y: number) => void) => {
    for (let at = 0; at < visible.length; at++) paint(visible[at]!, TOP + at * row);
  };
  // Many rows share a pixel: of rows of one height that begin and end at the same pixels, one is drawn.
  let [lastX, lastY, lastWide] = [-1, -1, -1];
  rows((index, y) => {
    const node = tree.nodes[index]!;
    const x = PADDING + node.start * scale;
    const wide = Math.max(1, (node.end - node.start) * scale);
    const [pixelX, pixelY, pixelWide] = [x | 0, y | 0, Math.ceil(wide)];
    if (pixelX === lastX && pixelY === lastY && pixelWide === lastWide) return;
    [lastX, lastY, lastWide] = [pixelX, pixelY, pixelWide];
    context.fillStyle =
      node.span === null ? colour('--line-strong') : fills[colours.get(node.span.service_name)!]!;
    context.fillRect(x, y, wide, thickness);
  });
  context.fillStyle = colour('--error');
  rows((index, y) => {
    const node = tree.nodes[index]!;
    if (!node.marks.failed) return;
    context.fillRect(
      PADDING + node.start * scale - 1,
      y - 0.5,
      Math.max(3, (node.end - node.start) * scale),
      thickness + 1,
    );
  });
}

function drawWindow(
  { context, width, height, colour }: Surface,
  tree: TraceTree,
  visible: Int32Array,
  zoom: Zoom,
  selected: number | undefined,
) {
  const scale = (width - 2 * PADDING) / tree.length;
  const node = selected === undefined ? undefined : tree.nodes[selected];
  if (node !== undefined) {
    const row = rowOf(visible, node.index);
    // The row of the selected span, by a mark at both ends.
    const y = TOP + (row * (height - 2 * TOP)) / Math.max(visible.length, 8);
    context.fillStyle = colour('--text');
    for (const x of row < 0 ? [] : [3, width - 9]) context.fillRect(x, y - 0.5, 6, 2);
  }
  if (isWhole(zoom, tree.length)) return;
  const [left, right] = [PADDING + zoom.from * scale, PADDING + zoom.to * scale];
  context.fillStyle = colour('--page');
  context.globalAlpha = 0.72;
  context.fillRect(0, 0, left, height);
  context.fillRect(right, 0, width - right, height);
  context.globalAlpha = 1;
  context.fillStyle = colour('--accent');
  for (const x of [left, right]) {
    context.fillRect(Math.round(x) - 0.5, 0, 1, height);
    context.fillRect(Math.round(x) - 2, height / 2 - 8, 4, 16);
  }
}
