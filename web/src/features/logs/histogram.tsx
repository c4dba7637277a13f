import { type PointerEvent, useMemo, useState } from 'react';
import type { LevelCounts, LogHistogram } from '@/api/logs';
import { clockTicks } from '@/base/clock-ticks';
import { formatDuration } from '@/base/durations';
import { after, between, type Duration, type Nanos, toDrawable } from '@/base/nanos';
import { formatCount, formatShortCount, plural } from '@/base/numbers';
import { LEVEL_COLOUR, LEVEL_FILL, LEVELS, type LevelName } from '@/base/severity';
import { formatClock, formatDate, type Zone } from '@/base/times';
import { CANVAS_FONT, type Surface, useCanvas } from '@/ui/canvas';
import { useZone } from '@/ui/preferences';

const HEIGHT = 96;
const MARGIN = { left: 44, right: 12, top: 8, bottom: 20 };

interface Bar {
  time: Nanos;
  levels: LevelCounts;
  total: number;
}

/** Log records over time, by level. Dragging chooses a time. The list below holds the same, so this needs no keyboard. */
export function Histogram(props: {
  histogram: LogHistogram;
  /** The levels that are shown; `null` for all. */
  levels: readonly LevelName[] | null;
  from: Nanos;
  to: Nanos;
  onSelect: (from: Nanos, to: Nanos) => void;
}) {
  const { histogram, from, to } = props;
  const [zone] = useZone();
  const [pointer, setPointer] = useState<number>();
  const [held, setHeld] = useState<number>();
  const [width, setWidth] = useState(0);
  const step = histogram.step ?? (1n as Duration);
  const shown = useMemo(
    () => LEVELS.filter((level) => props.levels === null || props.levels.includes(level)),
    [props.levels],
  );
  const bars = useMemo(
    () =>
      histogram.buckets.map(
        ({ time, levels }): Bar => ({
          time,
          levels,
          total: shown.reduce((sum, level) => sum + levels[level], 0),
        }),
      ),
    [histogram, shown],
  );
  const frame = Math.max(width - MARGIN.left - MARGIN.right, 1);
  const scale = frame / Math.max(toDrawable(between(from, to)), 1);
  const timeAt = (x: number): Nanos =>
    after(from, BigInt(Math.round(Math.min(Math.max(x - MARGIN.left, 0), frame) / scale)) as Duration);
  const bar = pointer === undefined ? undefined : barAt(bars, step, timeAt(pointer));
  const canvas = useCanvas(
    (surface) => {
      if (surface.width !== width) setWidth(surface.width);
      draw(surface, { bars, shown, step, from, to, zone, hovered: bar });
      if (held !== undefined && pointer !== undefined) drawSelection(surface, held, pointer);
    },
    [bars, shown, step, from, to, zone, bar, held, pointer, width],
  );
  const place = (event: PointerEvent<HTMLElement>) =>
    event.clientX - event.currentTarget.getBoundingClientRect().left;
  const total = bars.reduce((sum, { total }) => sum + total, 0);
  const graves = bars.reduce((sum, { levels }) => sum + levels.FATAL + levels.ERROR, 0);
  return (
    <div className="relative shrink-0 border-b border-line bg-surface">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${plural(total, 'log record')} over time, ${formatCount(graves)} of ERROR or FATAL`}
        className="block w-full cursor-crosshair touch-pan-y select-none"
        style={{ height: HEIGHT }}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setHeld(place(event));
          setPointer(place(event));
        }}
        onPointerMove={(event) => setPointer(place(event))}
        onPointerLeave={() => setPointer(undefined)}
        onPointerCancel={() => setHeld(undefined)}
        onPointerUp={(event) => {
          const end = place(event);
          setHeld(undefined);
          if (held === undefined) return;
          // A click chooses a bar.
          if (Math.abs(end - held) >= 4)
            props.onSelect(timeAt(Math.min(held, end)), timeAt(Math.max(held, end)));
          else if (bar !== undefined) props.onSelect(bar.time, after(bar.time, step));
        }}
      />
      {bar !== undefined && pointer !== undefined && held === undefined && (
        <div
          role="tooltip"
          className="floating pointer-events-none absolute top-1 z-20 px-2.5 py-1.5 text-xs"
          style={pointer > width / 2 ? { right: width - pointer + 12 } : { left: pointer + 12 }}
        >
          <p className="tabular text-muted">
            {formatDate(bar.time, zone)} {formatClock(bar.time, zone, step < 1_000_000_000n ? 3 : 0)}, for{' '}
            {formatDuration(step)}
          </p>
          <ul className="tabular">
            {shown
              .filter((level) => bar.levels[level] > 0)
              .map((level) => (
                <li key={level} className="flex justify-between gap-4">
                  <span className="flex items-center gap-1.5">
                    <LevelMark level={level} />
                    {level}
                  </span>
                  {formatCount(bar.levels[level])}
                </li>
              ))}
          </ul>
        </div>
      )}
    </div>
  );
}

/** The colour of a level. */
export function LevelMark({ level }: { level: LevelName }) {
  return (
    <span aria-hidden="true" className={`inline-block size-2 shrink-0 rounded-[2px] ${LEVEL_FILL[level]}`} />
  );
}

function barAt(bars: readonly Bar[], step: Duration, time: Nanos): Bar | undefined {
  return bars.find((bar) => bar.time <= time && time < bar.time + step && bar.total > 0);
}

function draw(
  { context, width, height, colour }: Surface,
  of: {
    bars: readonly Bar[];
    shown: readonly LevelName[];
    step: Duration;
    from: Nanos;
    to: Nanos;
    zone: Zone;
    hovered: Bar | undefined;
  },
) {
  const { bars, shown, step, from, to } = of;
  const frame = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  const bottom = MARGIN.top + frame.height;
  const scale = frame.width / Math.max(toDrawable(between(from, to)), 1);
  const most = bars.reduce((most, { total }) => Math.max(most, total), 1);
  const x = (time: Nanos) => MARGIN.left + toDrawable(between(from, time)) * scale;
  context.font = CANVAS_FONT;
  context.fillStyle = colour('--line');
  context.fillRect(MARGIN.left, bottom, frame.width, 1);
  context.fillRect(MARGIN.left, MARGIN.top, frame.width, 1);
  context.fillStyle = colour('--faint');
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  context.fillText(formatShortCount(most), MARGIN.left - 6, MARGIN.top + 1);
  context.fillText('0', MARGIN.left - 6, bottom);
  context.textAlign = 'center';
  context.textBaseline = 'top';
  for (const tick of clockTicks(from, to, Math.max(2, Math.floor(frame.width / 130)), of.zone)) {
    const at = x(tick.time);
    if (at > MARGIN.left + 20 && at < width - 30) context.fillText(tick.label, at, bottom + 5);
  }
  for (const bar of bars) {
    const left = Math.max(x(bar.time), MARGIN.left);
    const right = Math.min(x(after(bar.time, step)), MARGIN.left + frame.width);
    const wide = Math.max(right - left - (right - left > 3 ? 1 : 0), 1);
    let y = bottom;
    // The gravest at the bottom, where all begin.
    for (const level of shown) {
      if (bar.levels[level] === 0) continue;
      const high = Math.max((bar.levels[level] / most) * frame.height, 1);
      y -= high;
      context.globalAlpha = of.hovered === undefined || of.hovered === bar ? 1 : 0.6;
      context.fillStyle = colour(LEVEL_COLOUR[level]);
      context.fillRect(left, y, wide, high);
    }
  }
  context.globalAlpha = 1;
}

function drawSelection({ context, height, colour }: Surface, a: number, b: number) {
  context.fillStyle = colour('--accent');
  context.globalAlpha = 0.18;
  context.fillRect(Math.min(a, b), 0, Math.abs(b - a), height);
  context.globalAlpha = 1;
}
