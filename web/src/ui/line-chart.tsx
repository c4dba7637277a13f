import { type PointerEvent, useMemo, useState } from 'react';
import { clockTicks } from '@/base/clock-ticks';
import { after, between, type Duration, type Nanos, toDrawable } from '@/base/nanos';
import { SERVICE_COLOURS } from '@/base/palette';
import { linearTicks } from '@/base/ticks';
import { formatExact } from '@/base/times';
import { CANVAS_FONT, type Surface, useCanvas } from './canvas';
import { classes } from './classes';
import { useZone } from './preferences';

/** A line of a chart. */
export interface Line {
  label: string;
  points: readonly { time: Nanos; value: number | null }[];
}

const MARGIN = { left: 64, right: 12, top: 8, bottom: 20 };
/** Points this many times further apart than usual have a gap between them. */
const GAP = 3;

/** A single point of a chart. */
export interface Mark {
  time: Nanos;
  value: number;
}

const NO_MARKS: readonly Mark[] = [];
/** Pixels from a point within which the pointer is at it. */
const NEAR = 16;
/** Pixels around a mark that belong to it. */
const REACH = 8;

/** Number of a line's colour: neighbours differ. */
export function lineColour(index: number): number {
  return (index * 7 + 15) % SERVICE_COLOURS;
}

/** Lines over time. Where there is no point, there is no line. Dragging chooses a time. */
export function LineChart(props: {
  label: string;
  lines: readonly Line[];
  from: Nanos;
  to: Nanos;
  /** How much time a point stands for. */
  step: Duration;
  format: (value: number, line: number) => string;
  /** For the marks of the axis, where there is little room. */
  formatTick: (value: number) => string;
  height: number;
  onSelect: (from: Nanos, to: Nanos) => void;
  /** Single points that lead somewhere. */
  marks?: readonly Mark[];
  onMark?: (mark: number) => void;
}) {
  const { lines, from, to, step, format, formatTick, height, marks = NO_MARKS } = props;
  const [zone] = useZone();
  const [width, setWidth] = useState(0);
  const [pointer, setPointer] = useState<number>();
  const [pointed, setPointed] = useState<number>();
  const [held, setHeld] = useState<number>();
  const drawn = useMemo(() => lines.map((line) => offsets(line, from)), [lines, from]);
  const gap = useMemo(() => GAP * usualDistance(drawn, toDrawable(step)), [drawn, step]);
  const frame = Math.max(width - MARGIN.left - MARGIN.right, 1);
  const length = Math.max(toDrawable(between(from, to)), 1);
  const at = pointer === undefined ? undefined : ((pointer - MARGIN.left) / frame) * length;
  const scale = useMemo(() => scaleOf(drawn, marks), [drawn, marks]);
  // Within half a gap, or a few pixels.
  const reach = Math.max(gap / 2, (NEAR / frame) * length);
  const near = useMemo(() => (at === undefined ? [] : nearest(drawn, at, reach)), [drawn, at, reach]);
  const canvas = useCanvas(
    (surface) => {
      if (surface.width !== width) setWidth(surface.width);
      draw(surface, drawn, {
        length,
        gap,
        format: formatTick,
        near,
        ticks: clockTicks(from, to, Math.max(2, Math.floor(frame / 110)), zone),
        from,
        scale,
        marks,
        pointed,
      });
      if (held !== undefined && pointer !== undefined) drawSelection(surface, held, pointer);
    },
    [drawn, length, gap, formatTick, near, from, to, zone, held, pointer, width, scale, marks, pointed],
  );
  const place = (event: PointerEvent<HTMLElement>) => {
    const x = event.clientX - event.currentTarget.getBoundingClientRect().left;
    return Math.min(Math.max(x, MARGIN.left), MARGIN.left + frame);
  };
  /** The mark next to the pointer. */
  const markAt = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const [left, top] = [event.clientX - box.left, event.clientY - box.top];
    let [found, least] = [-1, REACH];
    marks.forEach(({ time, value }, mark) => {
      const x = MARGIN.left + (toDrawable(between(from, time)) / length) * frame;
      const away = Math.hypot(x - left, yOf(value, scale, height) - top);
      if (away < least) [found, least] = [mark, away];
    });
    return found < 0 ? undefined : found;
  };
  const timeAt = (x: number): Nanos =>
    after(from, BigInt(Math.round(((x - MARGIN.left) / frame) * length)) as Duration);
  return (
    <div className="relative">
      <canvas
        ref={canvas}
        role="img"
        aria-label={props.label}
        className={classes(
          'block w-full touch-pan-y select-none',
          pointed === undefined ? 'cursor-crosshair' : 'cursor-pointer',
        )}
        style={{ height }}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setHeld(place(event));
        }}
        onPointerMove={(event) => {
          setPointer(place(event));
          setPointed(marks.length === 0 ? undefined : markAt(event));
        }}
        onPointerLeave={() => {
          setPointer(undefined);
          setPointed(undefined);
        }}
        onPointerCancel={() => setHeld(undefined)}
        onPointerUp={(event) => {
          const end = place(event);
          setHeld(undefined);
          const mark = held !== undefined && Math.abs(end - held) < 4 ? markAt(event) : undefined;
          if (mark !== undefined) props.onMark?.(mark);
          else if (held !== undefined && Math.abs(end - held) >= 4) {
            props.onSelect(timeAt(Math.min(held, end)), timeAt(Math.max(held, end)));
          }
        }}
      />
      {near.length > 0 && pointer !== undefined && held === undefined && (
        <div
          role="tooltip"
          className="floating pointer-events-none absolute top-1 z-20 max-w-80 px-2.5 py-1.5 text-xs"
          style={pointer > width / 2 ? { right: width - pointer + 12 } : { left: pointer + 12 }}
        >
          <p className="tabular text-muted">
            {formatExact(lines[near[0]!.line]!.points[near[0]!.point]!.time, zone).slice(0, 23)}
          </p>
          <ul className="tabular">
            {near.slice(0, 12).map(({ line, value }) => (
              <li key={line} className="flex justify-between gap-4">
                <span className="flex min-w-0 items-center gap-1.5">
                  <LineMark index={line} />
                  <span className="truncate">{lines[line]!.label}</span>
                </span>
                {format(value, line)}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}

/** The colour of a line. */
export function LineMark({ index }: { index: number }) {
  return (
    <span
      aria-hidden="true"
      className={`service-${lineColour(index)} inline-block h-0.5 w-2.5 shrink-0 rounded-full bg-service`}
    />
  );
}

/** A line with offsets from the beginning; points without a value are left out. */
interface Drawn {
  /** Position among the points as they were given. */
  numbers: number[];
  offsets: number[];
  values: number[];
}

function offsets(line: Line, from: Nanos): Drawn {
  const drawn: Drawn = { numbers: [], offsets: [], values: [] };
  line.points.forEach(({ time, value }, number) => {
    if (value === null) return;
    drawn.numbers.push(number);
    drawn.offsets.push(toDrawable(between(from, time)));
    drawn.values.push(value);
  });
  return drawn;
}

/** How far points are usually apart. */
function usualDistance(lines: readonly Drawn[], least: number): number {
  const distances = lines.flatMap(({ offsets }) =>
    // Of one moment they are not apart.
    offsets.slice(1).flatMap((offset, at) => (offset > offsets[at]! ? [offset - offsets[at]!] : [])),
  );
  distances.sort((a, b) => a - b);
  return Math.max(distances[Math.floor(distances.length / 2)] ?? least, least);
}

/** Of each line, the point next to an offset, unless that is too far away. The greatest value comes first. */
function nearest(lines: readonly Drawn[], at: number, reach: number) {
  const found = lines.flatMap(({ numbers, offsets, values }, line) => {
    let best = -1;
    for (let point = 0; point < offsets.length; point++) {
      if (best < 0 || Math.abs(offsets[point]! - at) < Math.abs(offsets[best]! - at)) best = point;
    }
    if (best < 0 || Math.abs(offsets[best]! - at) > reach) return [];
    return [{ line, point: numbers[best]!, offset: offsets[best]!, value: values[best]! }];
  });
  return found.sort((a, b) => b.value - a.value);
}

/** What the bottom and the top stand for. */
interface Scale {
  least: number;
  most: number;
}

function scaleOf(lines: readonly Drawn[], marks: readonly Mark[]): Scale {
  let [least, most] = [0, 0];
  const reach = (value: number) => {
    if (value < least) least = value;
    if (value > most) most = value;
  };
  for (const { values } of lines) values.forEach(reach);
  for (const { value } of marks) reach(value);
  return { least, most: least === most ? least + 1 : most };
}

/** Where a value stands, in pixels from the top. */
function yOf(value: number, { least, most }: Scale, height: number): number {
  const bottom = height - MARGIN.bottom;
  return bottom - ((value - least) / (most - least)) * (bottom - MARGIN.top);
}

function draw(
  { context, width, height, colour }: Surface,
  lines: readonly Drawn[],
  of: {
    length: number;
    gap: number;
    from: Nanos;
    scale: Scale;
    marks: readonly Mark[];
    pointed: number | undefined;
    format: (value: number) => string;
    near: readonly { line: number; offset: number; value: number }[];
    ticks: readonly { time: Nanos; label: string }[];
  },
) {
  const frame = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  const bottom = MARGIN.top + frame.height;
  const { least, most } = of.scale;
  const x = (offset: number) => MARGIN.left + (offset / of.length) * frame.width;
  const y = (value: number) => yOf(value, of.scale, height);
  context.font = CANVAS_FONT;
  context.textBaseline = 'middle';
  context.textAlign = 'right';
  for (const tick of linearTicks(least, most, Math.max(2, Math.floor(frame.height / 40)))) {
    context.fillStyle = colour('--line');
    context.fillRect(MARGIN.left, Math.round(y(tick)), frame.width, 1);
    context.fillStyle = colour('--faint');
    context.fillText(of.format(tick), MARGIN.left - 6, y(tick));
  }
  context.textAlign = 'center';
  context.textBaseline = 'top';
  for (const { time, label } of of.ticks) {
    const at = x(toDrawable(between(of.from, time)));
    if (at > MARGIN.left + 18 && at < width - 24) context.fillText(label, at, bottom + 5);
  }
  context.lineWidth = 1.5;
  context.lineJoin = 'round';
  lines.forEach(({ offsets, values }, index) => {
    context.strokeStyle = colour(`--service-${lineColour(index)}`);
    context.fillStyle = context.strokeStyle;
    context.beginPath();
    offsets.forEach((offset, at) => {
      const isApart = (other: number | undefined) => other === undefined || Math.abs(offset - other) > of.gap;
      const begins = isApart(offsets[at - 1]);
      if (begins) context.moveTo(x(offset), y(values[at]!));
      else context.lineTo(x(offset), y(values[at]!));
      // A point alone has no line.
      if (begins && isApart(offsets[at + 1])) context.fillRect(x(offset) - 1.5, y(values[at]!) - 1.5, 3, 3);
    });
    context.stroke();
  });
  of.marks.forEach(({ time, value }, mark) => {
    const isPointed = mark === of.pointed;
    context.fillStyle = colour(isPointed ? '--accent' : '--muted');
    const [at, up, reach] = [x(toDrawable(between(of.from, time))), y(value), isPointed ? 5 : 3.5];
    context.beginPath();
    context.moveTo(at, up - reach);
    context.lineTo(at + reach, up);
    context.lineTo(at, up + reach);
    context.lineTo(at - reach, up);
    context.fill();
  });
  for (const { line, offset, value } of of.near) {
    context.fillStyle = colour(`--service-${lineColour(line)}`);
    context.beginPath();
    context.arc(x(offset), y(value), 3, 0, 2 * Math.PI);
    context.fill();
  }
}

function drawSelection({ context, height, colour }: Surface, a: number, b: number) {
  context.fillStyle = colour('--accent');
  context.globalAlpha = 0.18;
  context.fillRect(Math.min(a, b), 0, Math.abs(b - a), height - MARGIN.bottom);
  context.globalAlpha = 1;
}
