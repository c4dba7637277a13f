import { type KeyboardEvent, type PointerEvent, useRef, useState } from 'react';
import { formatDuration } from '@/base/durations';
import { fromDrawable } from '@/base/nanos';
import { clampZoom, isWhole, panBy, wholeOf, type Zoom, zoomAround } from '@/base/zoom';
import { type Surface, useCanvas } from './canvas';

const HEIGHT = 56;
/** Pixels that are left free at both ends. */
export const MINIMAP_PADDING = 12;
/** Pixels around an edge of the shown part where it is taken hold of. */
const GRIP = 5;

type Gesture =
  | { kind: 'select'; origin: number }
  | { kind: 'pan'; last: number }
  | { kind: 'edge'; fixed: number };

/** Something long in small; dragging chooses the part of it that is shown. */
export function Minimap(props: {
  /** What it is a map of, such as `trace`. */
  of: string;
  /** How long it is, in nanoseconds. */
  length: number;
  zoom: Zoom;
  draw: (surface: Surface) => void;
  /** What is drawn: when one of these changes, it is drawn again. */
  drawn: readonly unknown[];
  /** Drawn below the shown part, such as a mark; changes more often. */
  mark?: (surface: Surface) => void;
  marked?: readonly unknown[];
  onZoom: (change: (zoom: Zoom) => Zoom) => void;
}) {
  const { length, zoom, onZoom } = props;
  const gesture = useRef<Gesture | null>(null);
  const [cursor, setCursor] = useState<'crosshair' | 'grab' | 'ew-resize'>('crosshair');
  const overview = useCanvas(props.draw, props.drawn);
  const overlay = useCanvas(
    (surface) => {
      props.mark?.(surface);
      drawWindow(surface, zoom, length);
    },
    [zoom, length, ...(props.marked ?? [])],
  );

  const offsetAt = (event: PointerEvent<HTMLElement>, element: HTMLElement) => {
    const { left, width } = element.getBoundingClientRect();
    const x = Math.min(Math.max(event.clientX - left - MINIMAP_PADDING, 0), width - 2 * MINIMAP_PADDING);
    return (x / (width - 2 * MINIMAP_PADDING)) * length;
  };
  const grip = (element: HTMLElement) => (GRIP / (element.clientWidth - 2 * MINIMAP_PADDING)) * length;
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
      aria-label={`Part of the ${props.of} that is shown`}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round((zoom.from / length) * 100)}
      aria-valuetext={
        isWhole(zoom, length) ? `The whole ${props.of}` : `${text(zoom.from)} to ${text(zoom.to)}`
      }
      title={`Drag to zoom, double-click for the whole ${props.of}`}
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

function drawWindow({ context, width, height, colour }: Surface, zoom: Zoom, length: number) {
  if (isWhole(zoom, length)) return;
  const scale = (width - 2 * MINIMAP_PADDING) / length;
  const [left, right] = [MINIMAP_PADDING + zoom.from * scale, MINIMAP_PADDING + zoom.to * scale];
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
