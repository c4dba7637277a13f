import { type PointerEvent, useMemo, useState } from 'react';
import type { TraceSummary } from '@/api/traces';
import { clockTicks } from '@/base/clock-ticks';
import { formatDuration } from '@/base/durations';
import type { Duration, Nanos } from '@/base/nanos';
import { before, between, maxOf } from '@/base/nanos';
import { plural } from '@/base/numbers';
import { formatClock } from '@/base/times';
import { CANVAS_FONT, type Surface, useCanvas } from '@/ui/canvas';
import { useZone } from '@/ui/preferences';
import { serviceLabel } from '@/ui/service';
import { drawAxes, frameOf } from './axes';
import { type Frame, nearestPoint, type Point, radiusOf, type Scale, scaleFor } from './scatter-scale';

const HEIGHT = 168;
const MARGIN = { left: 56, right: 16, top: 10, bottom: 22 };
/** How far the pointer travels before a press is a selection and not a click. */
const DRAG = 4;

interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

/** What a selection in the plot covers. */
export interface Selection {
  from: Nanos;
  to: Nanos;
  min: Duration;
  max: Duration;
}

/** Traces by start and duration. The list below holds the same, so this needs no keyboard of its own. */
export function Scatter(props: {
  traces: readonly TraceSummary[];
  from: Nanos;
  to: Nanos;
  /** Where the traces that are not loaded begin; `null` when all are. */
  loadedFrom: Nanos | null;
  highlighted: string | null;
  onHighlight: (id: string | null) => void;
  onOpen: (id: string) => void;
  onSelect: (selection: Selection) => void;
}) {
  const { traces, loadedFrom, highlighted } = props;
  const [zone] = useZone();
  const [width, setWidth] = useState(0);
  const [box, setBox] = useState<Box | null>(null);
  const byId = useMemo(() => new Map(traces.map((trace) => [trace.trace_id, trace])), [traces]);
  const points = useMemo(
    () =>
      traces.map(
        (trace): Point => ({
          id: trace.trace_id,
          time: trace.start_time,
          duration: trace.duration,
          failed: trace.error_count > 0,
          spans: trace.span_count,
        }),
      ),
    [traces],
  );
  // A sender's clock may run ahead of ours: its traces are shown all the same.
  const to = useMemo(
    () => points.reduce((latest, { time }) => maxOf(latest, time), props.to),
    [points, props.to],
  );
  // What is loaded has most of the room; how much older there is, the hatched rest only hints at.
  const from = useMemo(
    () =>
      loadedFrom === null
        ? props.from
        : maxOf(props.from, before(loadedFrom, ((between(loadedFrom, to) * 15n) / 100n) as Duration)),
    [props.from, loadedFrom, to],
  );
  const frame = useMemo(() => frameOf(width, HEIGHT, MARGIN), [width]);
  const scale = useMemo(() => scaleFor(points, from, to, frame), [points, from, to, frame]);

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
        scale.decades.map((decade) => ({ y: scale.y(decade), label: formatDuration(decade) })),
        ticks.map(({ time, label }) => ({ x: scale.x(time), label })),
      );
      if (loadedFrom !== null) drawUnloaded(surface, frame, scale.x(loadedFrom));
      drawPoints(surface, points, scale, highlighted);
      if (box !== null) drawBox(surface, box);
    },
    [points, scale, frame, from, to, zone, loadedFrom, highlighted, box, width],
  );

  const place = (event: PointerEvent<HTMLCanvasElement>) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  };
  const clamp = ({ x, y }: { x: number; y: number }) => ({
    x: Math.min(Math.max(x, frame.left), frame.left + frame.width),
    y: Math.min(Math.max(y, frame.top), frame.top + frame.height),
  });
  const start = (event: PointerEvent<HTMLCanvasElement>) => {
    if (event.button !== 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const { x, y } = clamp(place(event));
    setBox({ x0: x, y0: y, x1: x, y1: y });
  };
  const move = (event: PointerEvent<HTMLCanvasElement>) => {
    const at = place(event);
    if (box !== null) {
      const { x, y } = clamp(at);
      setBox({ ...box, x1: x, y1: y });
      return;
    }
    props.onHighlight(nearestPoint(points, scale, at.x, at.y, 10)?.id ?? null);
  };
  const end = (event: PointerEvent<HTMLCanvasElement>) => {
    if (box === null) return;
    setBox(null);
    if (!isDrag(box)) {
      const at = place(event);
      const point = nearestPoint(points, scale, at.x, at.y, 10);
      if (point !== null) props.onOpen(point.id);
      return;
    }
    props.onSelect({
      from: scale.timeAt(Math.min(box.x0, box.x1)),
      to: scale.timeAt(Math.max(box.x0, box.x1)),
      min: scale.durationAt(Math.max(box.y0, box.y1)),
      max: scale.durationAt(Math.min(box.y0, box.y1)),
    });
  };

  const shown = highlighted === null ? undefined : byId.get(highlighted);
  const tip = shown && { x: scale.x(shown.start_time), y: scale.y(shown.duration) };
  const failed = points.filter((point) => point.failed).length;
  return (
    <div className="relative" style={{ height: HEIGHT }}>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Durations over time of ${plural(points.length, 'trace')}, ${failed} with errors. The list below holds the same traces.`}
        onPointerDown={start}
        onPointerMove={move}
        onPointerUp={end}
        onPointerCancel={() => setBox(null)}
        onPointerLeave={() => box === null && props.onHighlight(null)}
        className={`absolute inset-0 h-full w-full touch-pan-y ${shown === undefined ? 'cursor-crosshair' : 'cursor-pointer'}`}
      />
      {tip !== undefined && shown !== undefined && box === null && (
        <div
          aria-hidden="true"
          className="floating pointer-events-none absolute top-0 left-0 z-10 max-w-80 px-2.5 py-1.5 text-xs"
          style={{
            transform: `translate(${tip.x > width / 2 ? `calc(${tip.x - 14}px - 100%)` : `${tip.x + 14}px`}, ${Math.min(Math.max(tip.y - 24, 4), HEIGHT - 60)}px)`,
          }}
        >
          <p className="truncate font-medium">
            {serviceLabel(shown.root_service)} · {shown.root_name}
          </p>
          <p className="tabular text-muted">
            {formatDuration(shown.duration)} · {formatClock(shown.start_time, zone, 3)} ·{' '}
            {plural(shown.span_count, 'span')}
            {shown.error_count > 0 && (
              <span className="text-error"> · {plural(shown.error_count, 'error')}</span>
            )}
          </p>
        </div>
      )}
    </div>
  );
}

function isDrag({ x0, y0, x1, y1 }: Box): boolean {
  return Math.abs(x1 - x0) > DRAG || Math.abs(y1 - y0) > DRAG;
}

/** Hatches the time of which nothing is loaded yet, so that it does not look as if nothing had happened. */
function drawUnloaded({ context, colour }: Surface, frame: Frame, end: number) {
  const width = Math.min(end, frame.left + frame.width) - frame.left;
  if (width <= 1) return;
  context.save();
  context.beginPath();
  context.rect(frame.left, frame.top, width, frame.height);
  context.clip();
  context.strokeStyle = colour('--line');
  context.beginPath();
  for (let x = frame.left - frame.height; x < frame.left + width; x += 7) {
    context.moveTo(x, frame.top + frame.height);
    context.lineTo(x + frame.height, frame.top);
  }
  context.stroke();
  if (width > 110) {
    const label = 'older: not loaded';
    const x = frame.left + width / 2;
    const y = frame.top + frame.height / 2;
    context.font = CANVAS_FONT;
    const half = context.measureText(label).width / 2 + 6;
    context.fillStyle = colour('--surface');
    context.fillRect(x - half, y - 9, half * 2, 18);
    context.fillStyle = colour('--faint');
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillText(label, x, y);
  }
  context.restore();
}

function drawPoints(
  { context, colour }: Surface,
  points: readonly Point[],
  scale: Scale,
  highlighted: string | null,
) {
  // Errors last: they must not be covered.
  for (const failed of [false, true]) {
    context.fillStyle = colour(failed ? '--error' : '--accent');
    context.globalAlpha = failed ? 0.85 : 0.5;
    for (const point of points) {
      if (point.failed !== failed) continue;
      context.beginPath();
      context.arc(scale.x(point.time), scale.y(point.duration), radiusOf(point), 0, Math.PI * 2);
      context.fill();
    }
  }
  context.globalAlpha = 1;
  const chosen = points.find(({ id }) => id === highlighted);
  if (chosen === undefined) return;
  const [x, y] = [scale.x(chosen.time), scale.y(chosen.duration)];
  context.fillStyle = colour(chosen.failed ? '--error' : '--accent');
  context.strokeStyle = colour('--text');
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(x, y, radiusOf(chosen) + 1.5, 0, Math.PI * 2);
  context.fill();
  context.stroke();
}

function drawBox({ context, colour }: Surface, box: Box) {
  if (!isDrag(box)) return;
  const [x, y] = [Math.min(box.x0, box.x1), Math.min(box.y0, box.y1)];
  const [width, height] = [Math.abs(box.x1 - box.x0), Math.abs(box.y1 - box.y0)];
  context.globalAlpha = 0.14;
  context.fillStyle = colour('--accent');
  context.fillRect(x, y, width, height);
  context.globalAlpha = 1;
  context.strokeStyle = colour('--accent');
  context.lineWidth = 1;
  context.strokeRect(Math.round(x) + 0.5, Math.round(y) + 0.5, Math.round(width), Math.round(height));
}
