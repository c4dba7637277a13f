import { type PointerEvent, useMemo, useState } from 'react';
import type { HeatmapCell, Heatmap as SpanMap } from '@/api/spread';
import { clockTicks } from '@/base/clock-ticks';
import { formatDuration } from '@/base/durations';
import { after, type Duration, maxOf } from '@/base/nanos';
import { plural } from '@/base/numbers';
import { formatClock, formatDate } from '@/base/times';
import type { SpanSelection } from '@/base/trace-search';
import { type Surface, useCanvas } from '@/ui/canvas';
import { useZone } from '@/ui/preferences';
import { drawAxes, frameOf } from './axes';
import { type CellScale, cellScale, hasSpans, selectionOf, spansOf } from './heatmap-scale';
import type { Frame } from './scatter-scale';

export const HEIGHT = 168;
const MARGIN = { left: 56, right: 16, top: 10, bottom: 22 };
/** How far the pointer travels before a press is a selection of more than a cell. */
const DRAG = 4;

interface Place {
  x: number;
  y: number;
}

/** Spans by start and duration: the darker, the more. Dragging selects a part of them, a click one cell. */
export function Heatmap(props: {
  map: SpanMap;
  selection: SpanSelection | null;
  onSelect: (selection: SpanSelection | null) => void;
}) {
  const { map, selection } = props;
  const [zone] = useZone();
  const [width, setWidth] = useState(0);
  const [pointer, setPointer] = useState<Place | null>(null);
  const [held, setHeld] = useState<Place | null>(null);
  const frame = useMemo(() => frameOf(width, HEIGHT, MARGIN), [width]);
  // A sender's clock may run ahead of ours: its spans are shown all the same.
  const to = useMemo(
    () =>
      map.cells.reduce(
        (latest, { time }) => maxOf(latest, after(time, map.step ?? (0n as Duration))),
        map.to,
      ),
    [map],
  );
  const from = useMemo(
    () => map.cells.reduce((first, { time }) => (time < first ? time : first), map.from),
    [map],
  );
  const scale = useMemo(() => cellScale(map, from, to, frame), [map, from, to, frame]);
  const under = pointer === null ? null : scale.at(pointer.x, pointer.y);
  const cell =
    under === null || held !== null
      ? undefined
      : map.cells.find(({ time, row }) => time === under.time && row === under.row);
  const draft =
    held === null || pointer === null || !isDrag(held, pointer)
      ? null
      : selectionOf(map, scale.at(held.x, held.y), scale.at(pointer.x, pointer.y));
  const canvas = useCanvas(
    (surface) => {
      if (surface.width !== width) {
        setWidth(surface.width);
        return;
      }
      const ticks = clockTicks(from, to, Math.max(2, Math.floor(frame.width / 130)), zone);
      drawAxes(
        surface,
        frame,
        decades(map, scale),
        ticks.map(({ time, label }) => ({ x: scale.x(time), label })),
      );
      drawCells(surface, map, scale, cell);
      const shown = draft ?? selection;
      if (shown !== null) drawSelection(surface, map, scale, frame, shown);
    },
    [map, scale, frame, from, to, zone, selection, cell, held, pointer, width],
  );
  const place = (event: PointerEvent<HTMLCanvasElement>): Place => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return {
      x: Math.min(Math.max(event.clientX - left, frame.left), frame.left + frame.width - 0.01),
      y: Math.min(Math.max(event.clientY - top, frame.top), frame.top + frame.height),
    };
  };
  const { spans, errors } = useMemo(() => spansOf(map.cells), [map]);
  return (
    <div className="relative" style={{ height: HEIGHT }}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Durations over time of ${plural(spans, 'span')}, ${plural(errors, 'error')} among them`}
        onPointerDown={(event) => {
          if (event.button !== 0 || map.step === null) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setHeld(place(event));
          setPointer(place(event));
        }}
        onPointerMove={(event) => setPointer(place(event))}
        onPointerLeave={() => setPointer(null)}
        onPointerCancel={() => setHeld(null)}
        onPointerUp={(event) => {
          setHeld(null);
          if (held === null) return;
          const end = place(event);
          const a = scale.at(held.x, held.y);
          const b = isDrag(held, end) ? scale.at(end.x, end.y) : a;
          // Where no span is, there is nothing to select.
          props.onSelect(hasSpans(map, a, b) ? selectionOf(map, a, b) : null);
        }}
        className="absolute inset-0 h-full w-full cursor-crosshair touch-pan-y select-none"
      />
      {cell !== undefined && pointer !== null && map.step !== null && (
        <div
          aria-hidden="true"
          className="floating pointer-events-none absolute top-0 left-0 z-10 max-w-80 px-2.5 py-1.5 text-xs whitespace-nowrap"
          style={{
            transform: `translate(${pointer.x > width / 2 ? `calc(${pointer.x - 14}px - 100%)` : `${pointer.x + 14}px`}, ${Math.min(Math.max(pointer.y - 24, 4), HEIGHT - 60)}px)`,
          }}
        >
          <p className="tabular font-medium">
            {plural(cell.spans, 'span')}
            {cell.errors > 0 && <span className="text-error"> · {plural(cell.errors, 'error')}</span>}
          </p>
          <p className="tabular text-muted">
            {durationsOf(map, cell.row)} · {formatDate(cell.time, zone)}{' '}
            {formatClock(cell.time, zone, map.step < 1_000_000_000n ? 3 : 0)}, for {formatDuration(map.step)}
          </p>
        </div>
      )}
    </div>
  );
}

function isDrag(a: Place, b: Place): boolean {
  return Math.abs(a.x - b.x) > DRAG || Math.abs(a.y - b.y) > DRAG;
}

/** `1 ms – 1.26 ms`. */
function durationsOf(map: SpanMap, row: number): string {
  const next = map.bounds[row + 1];
  const least = formatDuration(map.bounds[row]!);
  return next === undefined ? `≥ ${least}` : `${least} – ${formatDuration(next)}`;
}

/** Where powers of ten stand, from the shortest up. */
function decades(map: SpanMap, scale: CellScale): { y: number; label: string }[] {
  const marks: { y: number; label: string }[] = [];
  for (let row = scale.low; row <= scale.high + 1; row++) {
    const bound = map.bounds[row];
    if (bound !== undefined && /^10*$/.test(bound.toString()))
      marks.push({ y: scale.y(row), label: formatDuration(bound) });
  }
  return marks;
}

/** Shades by the logarithm, so that a single span is seen beside thousands; errors from the bottom of a cell. */
function drawCells(
  { context, colour }: Surface,
  map: SpanMap,
  scale: CellScale,
  hovered: HeatmapCell | undefined,
) {
  if (map.step === null) return;
  const most = Math.log1p(map.cells.reduce((most, { spans }) => Math.max(most, spans), 1));
  const [accent, error] = [colour('--accent'), colour('--error')];
  for (const cell of map.cells) {
    const left = scale.x(cell.time);
    const width = Math.max(scale.x(after(cell.time, map.step)) - left, 1.5);
    const [bottom, top] = [scale.y(cell.row), scale.y(cell.row + 1)];
    const gap = width > 3 ? 0.75 : 0;
    const [x, y, wide, high] = [left, top + 0.5, width - gap, Math.max(bottom - top - 0.75, 1)];
    const shade = 0.22 + 0.78 * (Math.log1p(cell.spans) / most);
    context.globalAlpha = shade;
    context.fillStyle = accent;
    context.fillRect(x, y, wide, high);
    if (cell.errors > 0) {
      const part = Math.max(Math.min(2, high), (cell.errors / cell.spans) * high);
      context.globalAlpha = Math.max(shade, 0.75);
      context.fillStyle = error;
      context.fillRect(x, y + high - part, wide, part);
    }
  }
  context.globalAlpha = 1;
  if (hovered === undefined) return;
  const [left, top] = [scale.x(hovered.time), scale.y(hovered.row + 1)];
  context.strokeStyle = colour('--text');
  context.lineWidth = 1;
  context.strokeRect(
    left - 0.5,
    top - 0.5,
    scale.x(after(hovered.time, map.step)) - left + 1,
    scale.y(hovered.row) - top + 1,
  );
}

function drawSelection(
  { context, colour }: Surface,
  map: SpanMap,
  scale: CellScale,
  frame: Frame,
  { from, to, min, max }: SpanSelection,
) {
  const rowOf = (bound: Duration) => {
    const row = map.bounds.findIndex((least) => least > bound);
    return row < 0 ? map.bounds.length : row;
  };
  const edge = (row: number) => Math.min(Math.max(scale.y(row), frame.top), frame.top + frame.height);
  const bottom = min === null ? frame.top + frame.height : edge(rowOf(min) - 1);
  const top = max === null ? frame.top : edge(rowOf(max));
  const left = Math.max(scale.x(from), frame.left);
  const right = Math.min(scale.x(to), frame.left + frame.width);
  context.strokeStyle = colour('--text');
  context.lineWidth = 1.5;
  context.strokeRect(left, top, Math.max(right - left, 2), Math.max(bottom - top, 2));
  context.fillStyle = colour('--text');
  context.globalAlpha = 0.06;
  context.fillRect(left, top, Math.max(right - left, 2), Math.max(bottom - top, 2));
  context.globalAlpha = 1;
}
