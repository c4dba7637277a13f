import { type PointerEvent, type Ref, useImperativeHandle, useMemo, useRef, useState } from 'react';
import type { TimelineSlice } from '@/api/timeline';
import { formatDuration, formatExactDuration } from '@/base/durations';
import { between, type Nanos } from '@/base/nanos';
import { formatCount, plural } from '@/base/numbers';
import { linearTicks } from '@/base/ticks';
import { formatOffset, panBy, type Zoom } from '@/base/zoom';
import { useCanvas } from '@/ui/canvas';
import { Icon } from '@/ui/icons';
import { useSize } from '@/ui/size';
import { useZoomWheel } from '@/ui/zoom-wheel';
import {
  drawFlame,
  drawOutline,
  HEAD,
  indexAt,
  isCoarse,
  type Lines,
  lineAt,
  ROW,
  trackKey,
  trackName,
} from './flame';
import type { Place } from './steps';

/** Pixels that a press may move and still be a click. */
const CLICK = 4;
/** Pixels beside a narrow slice that still hit it. */
const REACH = 2;

/** What is at a place of the chart. */
interface Hit {
  x: number;
  y: number;
  line: number;
  at: number;
  slice: TimelineSlice | undefined;
}

export interface ChartHandle {
  /** Brings a line into sight. */
  reveal: (line: number) => void;
}

/** The flame chart. Dragging pans, Ctrl and the wheel zoom, a click selects, a double click zooms to a slice. */
export function Chart(props: {
  lines: Lines;
  length: number;
  origin: Nanos;
  zoom: Zoom;
  selected: Place | undefined;
  matches: (name: string) => boolean;
  folded: ReadonlySet<string>;
  onFold: (folded: ReadonlySet<string>) => void;
  onZoom: (change: (zoom: Zoom) => Zoom) => void;
  onSelect: (slice: TimelineSlice | undefined) => void;
  onOpen: (slice: TimelineSlice) => void;
  handle: Ref<ChartHandle>;
}) {
  const { lines, length, zoom, folded, onZoom } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const { width, height } = useSize(scroller);
  const [scrollTop, setScrollTop] = useState(0);
  const [hover, setHover] = useState<Hit & { slice: TimelineSlice }>();
  const held = useRef<{ x: number; y: number; moved: boolean } | null>(null);
  const scale = width / (zoom.to - zoom.from);
  useZoomWheel(scroller, { left: 0, width: Math.max(width, 1), length, onZoom });
  const canvas = useCanvas(
    (surface) => drawFlame(surface, lines, scrollTop, zoom, length, props.matches),
    [lines, scrollTop, zoom, length, props.matches],
  );
  const { selected } = props;
  const outlines = useCanvas(
    (surface) => {
      const outline = (line: number, at: number, isSelected: boolean) =>
        drawOutline(surface, lines, { line, at }, scrollTop, zoom, length, isSelected);
      const line = hover === undefined ? undefined : lines.all[hover.line];
      // What was under the pointer may have moved since.
      const isThere = line?.kind === 'row' && line.row.slices[hover!.at] === hover!.slice;
      if (hover !== undefined && isThere) outline(hover.line, hover.at, false);
      if (selected !== undefined) outline(selected.line, selected.at, true);
    },
    [lines, scrollTop, zoom, length, hover?.slice, selected],
  );
  useImperativeHandle(props.handle, () => ({
    reveal: (line) => {
      const element = scroller.current;
      const found = lines.all[line];
      if (element === null || found === undefined) return;
      if (found.top < element.scrollTop) element.scrollTop = found.top - HEAD;
      else if (found.top + ROW > element.scrollTop + element.clientHeight)
        element.scrollTop = found.top + 2 * ROW - element.clientHeight;
    },
  }));

  const hit = (event: { clientX: number; clientY: number }): Hit => {
    const { left, top } = scroller.current!.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    const number = lineAt(lines, y + scrollTop);
    const line = lines.all[number];
    const isRow = line?.kind === 'row' && y + scrollTop < line.top + ROW;
    const at = isRow ? indexAt(line.row, zoom.from + x / scale, REACH / scale) : -1;
    return { x, y, line: number, at, slice: isRow ? line.row.slices[at] : undefined };
  };
  const start = (event: PointerEvent<HTMLDivElement>) => {
    if (event.button !== 0) return;
    // The scroll bar is not the picture.
    if (event.nativeEvent.offsetX >= scroller.current!.clientWidth) return;
    if ((event.target as HTMLElement).closest('button') !== null) return;
    // A finger scrolls.
    if (event.pointerType !== 'touch') event.currentTarget.setPointerCapture(event.pointerId);
    held.current = { x: event.clientX, y: event.clientY, moved: false };
  };
  const move = (event: PointerEvent<HTMLDivElement>) => {
    const from = held.current;
    if (event.pointerType === 'touch') return;
    if (from === null) {
      const found = hit(event);
      setHover(found.slice === undefined ? undefined : { ...found, slice: found.slice });
      return;
    }
    const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
    if (!from.moved && Math.hypot(dx, dy) < CLICK) return;
    held.current = { x: event.clientX, y: event.clientY, moved: true };
    setHover(undefined);
    scroller.current!.scrollTop -= dy;
    onZoom((now) => panBy(now, -dx / scale, length));
  };
  const end = (event: PointerEvent<HTMLDivElement>) => {
    if (held.current?.moved === false && event.type === 'pointerup') props.onSelect(hit(event).slice);
    held.current = null;
  };
  const ticks = useMemo(
    () => linearTicks(zoom.from, zoom.to, Math.max(2, Math.floor(width / 90))),
    [zoom, width],
  );
  const tickStep = ticks.length > 1 ? ticks[1]! - ticks[0]! : zoom.to - zoom.from;
  const heads = lines.all.filter(
    (line) => line.kind === 'track' && line.top + HEAD > scrollTop && line.top < scrollTop + height,
  );
  return (
    <div className="relative flex min-h-0 flex-1 flex-col bg-surface">
      <div
        aria-hidden="true"
        className="tabular relative h-6 shrink-0 overflow-hidden border-b border-line text-xs text-faint"
      >
        {ticks.map((tick) => (
          <span
            key={tick}
            className="absolute top-1 left-0 border-l border-line pl-1 whitespace-nowrap"
            style={{ transform: `translateX(${(tick - zoom.from) * scale}px)` }}
          >
            {formatOffset(tick, tickStep)}
          </span>
        ))}
      </div>
      <div className="relative min-h-0 flex-1">
        <div
          ref={scroller}
          role="application"
          aria-label="Timeline: arrow keys go from slice to slice, w and s zoom, a and d pan"
          tabIndex={0}
          onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
          onPointerDown={start}
          onPointerMove={move}
          onPointerUp={end}
          onPointerCancel={end}
          onPointerLeave={() => setHover(undefined)}
          onDoubleClick={(event) => {
            const { slice } = hit(event);
            if (slice !== undefined) props.onOpen(slice);
          }}
          className="absolute inset-0 cursor-grab select-none overflow-x-hidden overflow-y-auto -outline-offset-2 active:cursor-grabbing"
        >
          <div className="relative" style={{ height: Math.max(lines.height, height) }}>
            <canvas
              ref={canvas}
              aria-hidden="true"
              className="sticky top-0 block w-full"
              style={{ height }}
            />
            <canvas
              ref={outlines}
              aria-hidden="true"
              className="pointer-events-none sticky top-0 block w-full"
              style={{ height, marginTop: -height }}
            />
            {heads.map(({ top, track }) => {
              const key = trackKey(track);
              const open = !folded.has(key);
              return (
                <button
                  key={key}
                  type="button"
                  aria-expanded={open}
                  onClick={() => {
                    const next = new Set(folded);
                    if (open) next.add(key);
                    else next.delete(key);
                    props.onFold(next);
                  }}
                  className="absolute left-0 flex max-w-full items-center gap-1 truncate px-2 text-xs font-medium text-muted -outline-offset-2 hover:text-text"
                  style={{ top, height: HEAD }}
                >
                  <Icon name={open ? 'chevronDown' : 'chevronRight'} size={12} className="text-faint" />
                  <span className="truncate">{trackName(track)}</span>
                  {isCoarse(track) && (
                    <span className="shrink-0 font-normal text-faint">
                      shorter than {formatDuration(track.resolution)} together
                    </span>
                  )}
                </button>
              );
            })}
          </div>
        </div>
        {hover !== undefined && <Hover {...hover} width={width} height={height} origin={props.origin} />}
      </div>
    </div>
  );
}

/** What is under the pointer. */
function Hover(props: {
  slice: TimelineSlice;
  x: number;
  y: number;
  width: number;
  height: number;
  origin: Nanos;
}) {
  const { slice, x, y } = props;
  const { several } = slice;
  const isRight = x > props.width / 2;
  const isLow = y > props.height - 90;
  return (
    <div
      role="tooltip"
      className="floating pointer-events-none absolute z-20 max-w-96 px-2.5 py-1.5 text-xs"
      style={{
        ...(isRight ? { right: props.width - x + 12 } : { left: x + 12 }),
        ...(isLow ? { bottom: props.height - y + 8 } : { top: y + 16 }),
      }}
    >
      <p className="line-clamp-3 font-medium wrap-anywhere">{slice.name || '(no name)'}</p>
      <p className="tabular text-muted">
        {several !== null
          ? `and others: ${formatCount(several.count)} spans, together ${formatExactDuration(several.total)}`
          : slice.duration === null
            ? 'open'
            : formatExactDuration(slice.duration)}
      </p>
      <p className="tabular text-faint">from {formatExactDuration(between(props.origin, slice.start))}</p>
      {slice.errorCount > 0 && (
        <p className="text-error">{several === null ? 'error' : plural(slice.errorCount, 'error')}</p>
      )}
    </div>
  );
}
