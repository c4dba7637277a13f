import type { Timeline, TimelineRow, TimelineSlice, TimelineTrack } from '@/api/timeline';
import { formatCount, formatShortCount } from '@/base/numbers';
import { SERVICE_COLOURS, serviceColour } from '@/base/palette';
import type { Zoom } from '@/base/zoom';
import { CANVAS_FONT, type Surface } from '@/ui/canvas';
import { firstAfter } from './window';

export const ROW = 18;
export const HEAD = 24;

/** A line of the chart: the name of a track, or a row of slices. */
export type Line =
  | { kind: 'track'; top: number; track: TimelineTrack }
  | { kind: 'row'; top: number; track: TimelineTrack; row: TimelineRow };

export interface Lines {
  all: Line[];
  height: number;
}

/** The lines of tracks below each other; of folded ones, only the name. */
export function linesOf(tracks: readonly TimelineTrack[], folded: ReadonlySet<string>): Lines {
  const all: Line[] = [];
  let top = 0;
  for (const track of tracks) {
    all.push({ kind: 'track', top, track });
    top += HEAD;
    for (const row of folded.has(trackKey(track)) ? [] : track.rows) {
      all.push({ kind: 'row', top, track, row });
      top += ROW;
    }
    top += 6;
  }
  return { all, height: top };
}

/** What tells a track from others. */
export function trackKey({ thread }: TimelineTrack): string {
  return thread?.id ?? '';
}

/**
 * The rows of everything with the slices of a part, so that rows stay where they are while the part changes. Rows that
 * only the part has come where they belong.
 */
export function withSlicesOf(whole: Timeline, part: Timeline): TimelineTrack[] {
  const finer = new Map(part.tracks.map((track) => [trackKey(track), track]));
  const tracks = whole.tracks.map((track) => {
    const rows = new Map(track.rows.map((row) => [rowKey(row), empty(row)]));
    const of = finer.get(trackKey(track));
    for (const row of of?.rows ?? []) rows.set(rowKey(row), row);
    finer.delete(trackKey(track));
    const inOrder = [...rows.values()].sort((a, b) => a.lane - b.lane || a.depth - b.depth);
    return { ...track, resolution: of?.resolution ?? track.resolution, rows: inOrder };
  });
  return [...tracks, ...finer.values()];
}

const rowKey = ({ lane, depth }: TimelineRow) => `${lane}/${depth}`;

function empty({ lane, depth }: TimelineRow): TimelineRow {
  return { lane, depth, starts: new Float64Array(0), ends: new Float64Array(0), slices: [] };
}

/** Position of the line at a height. */
export function lineAt(lines: Lines, y: number): number {
  let [low, high] = [0, lines.all.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines.all[middle]!.top > y) high = middle;
    else low = middle + 1;
  }
  return low - 1;
}

export function trackName({ thread }: TimelineTrack): string {
  if (thread === null) return 'Asynchronous';
  return thread.name === null ? `Thread ${thread.id}` : `${thread.name} ${thread.id}`;
}

/** Whether slices of a track are several spans put together. */
export function isCoarse({ rows }: TimelineTrack): boolean {
  return rows.some(({ slices }) => slices.some(({ several }) => several !== null));
}

/** Which slice of a row is at an offset, or -1; `reach` is how far beside it a slice may be, as pixels are wide. */
export function indexAt(row: TimelineRow, offset: number, reach: number): number {
  const at = firstAfter(row.starts, offset + reach) - 1;
  return at >= 0 && row.ends[at]! >= offset - reach ? at : -1;
}

/** Whether two slices are the same span, or the same put together. */
export function isSame(a: TimelineSlice, b: TimelineSlice | undefined): boolean {
  if (b === undefined) return false;
  if (a.span !== null) return a.span.spanId === b.span?.spanId && a.span.traceId === b.span.traceId;
  return b.span === null && a.start === b.start && a.duration === b.duration && a.name === b.name;
}

/** What a slice is called, such as `GET /cart` or `12 spans, the longest GET /cart`. */
export function sliceText({ name, several }: TimelineSlice): string {
  const shown = name === '' ? '(no name)' : name;
  return several === null ? shown : `${formatCount(several.count)} × ${shown}`;
}

/** Which part of the spans ended with an error. */
function errorShare({ errorCount, several }: TimelineSlice): number {
  return errorCount / (several === null ? 1 : Number(several.count));
}

/** Draws the lines that are in sight. Offsets beyond `end` are not known yet: there nothing has happened. */
export function drawFlame(
  { context, width, height, colour }: Surface,
  lines: Lines,
  scrollTop: number,
  zoom: Zoom,
  end: number,
  matches: (name: string) => boolean,
) {
  const scale = width / (zoom.to - zoom.from);
  const fills = Array.from({ length: SERVICE_COLOURS }, (_, number) => colour(`--service-${number}`));
  const [text, error, surface] = [colour('--text'), colour('--error'), colour('--surface')];
  // A name comes again and again.
  const known = new Map<string, boolean>();
  const isKnownMatch = (name: string) => {
    let found = known.get(name);
    if (found === undefined) {
      found = matches(name);
      known.set(name, found);
    }
    return found;
  };
  context.font = CANVAS_FONT;
  context.textBaseline = 'middle';
  const first = Math.max(0, lineAt(lines, scrollTop));
  for (let index = first; index < lines.all.length; index++) {
    const line = lines.all[index]!;
    const y = line.top - scrollTop;
    if (y > height) break;
    if (line.kind === 'track') {
      context.fillStyle = colour('--line');
      context.fillRect(0, y, width, 1);
      continue;
    }
    const { starts, ends, slices } = line.row;
    const last = firstAfter(starts, zoom.to);
    let lastPixel = -1;
    // What began before the part may reach into it; slices of a row do not overlap.
    for (let at = Math.max(0, firstAfter(starts, zoom.from) - 1); at < last; at++) {
      const until = Math.min(ends[at]!, Math.max(end, starts[at]!));
      if (until < zoom.from) continue;
      const left = Math.max((starts[at]! - zoom.from) * scale, -2);
      const right = Math.min((until - zoom.from) * scale, width + 2);
      const slice = slices[at]!;
      const wide = Math.max(right - left, 1);
      // Many share a pixel: of those that begin and end there, one is seen.
      if (right - left < 1 && (right | 0) === lastPixel && slice.errorCount === 0) continue;
      lastPixel = right | 0;
      const isMatch = isKnownMatch(slice.name);
      const fill = fills[serviceColour(slice.name)]!;
      const gap = wide > 3 ? 0.5 : 0;
      context.globalAlpha = isMatch ? (slice.several === null ? 0.34 : 0.2) : 0.07;
      context.fillStyle = fill;
      context.fillRect(left, y, wide - gap, ROW - 1);
      context.globalAlpha = isMatch ? 1 : 0.2;
      // The edge tells one from the next; of many put together, a line below.
      if (slice.several === null) context.fillRect(left, y, Math.min(2, wide), ROW - 1);
      else context.fillRect(left, y + ROW - 3, wide - gap, 2);
      if (slice.errorCount > 0) {
        context.fillStyle = error;
        context.fillRect(left, y, Math.max((wide - gap) * errorShare(slice), Math.min(2, wide)), 2);
      }
      if (ends[at] === Number.POSITIVE_INFINITY && wide > 8) drawOpenEnd(context, right, y, surface);
      if (wide > 26) {
        context.fillStyle = text;
        const room = right - Math.max(left, 0) - 8;
        const short = slice.several !== null && room < 90;
        const shown = short ? formatShortCount(Number(slice.several!.count)) : sliceText(slice);
        fitText(context, shown, Math.max(left, 0) + 5, y + ROW / 2, room);
      }
      context.globalAlpha = 1;
    }
  }
}

/** Draws a frame around a slice. */
export function drawOutline(
  { context, width, colour }: Surface,
  lines: Lines,
  { line, at }: { line: number; at: number },
  scrollTop: number,
  zoom: Zoom,
  end: number,
  isSelected: boolean,
) {
  const found = lines.all[line];
  if (found?.kind !== 'row' || at >= found.row.slices.length) return;
  const { starts, ends } = found.row;
  const scale = width / (zoom.to - zoom.from);
  const left = Math.max((starts[at]! - zoom.from) * scale, -2);
  const right = Math.min((Math.min(ends[at]!, Math.max(end, starts[at]!)) - zoom.from) * scale, width + 2);
  context.strokeStyle = colour(isSelected ? '--accent' : '--text');
  context.lineWidth = isSelected ? 2 : 1;
  context.strokeRect(left + 0.5, found.top - scrollTop + 0.5, Math.max(right - left - 1, 1), ROW - 2);
}

/** Teeth: it goes on. */
function drawOpenEnd(context: CanvasRenderingContext2D, right: number, y: number, surface: string) {
  context.fillStyle = surface;
  const tooth = (ROW - 1) / 3;
  for (let number = 0; number < 3; number++) {
    context.beginPath();
    context.moveTo(right + 1, y + number * tooth);
    context.lineTo(right - 4, y + (number + 0.5) * tooth);
    context.lineTo(right + 1, y + (number + 1) * tooth);
    context.fill();
  }
}

/** Draws as much of a text as there is room for. */
function fitText(context: CanvasRenderingContext2D, text: string, x: number, y: number, room: number) {
  if (room < 16) return;
  // About six pixels a letter: what cannot fit is not measured.
  let shown = text.slice(0, Math.ceil(room / 3));
  while (shown.length > 1 && context.measureText(shown).width > room) {
    shown = `${shown.slice(0, Math.max(1, Math.floor(shown.length * 0.85) - 1))}…`;
  }
  if (shown.length > 1) context.fillText(shown, x, y);
}

/** Draws all rows as thin as they must be: the whole in small. */
export function drawSmall(
  { context, width, height, colour }: Surface,
  lines: Lines,
  length: number,
  padding: number,
) {
  const rows = lines.all.filter((line) => line.kind === 'row');
  const top = 6;
  const each = (height - 2 * top) / Math.max(rows.length, 8);
  const scale = (width - 2 * padding) / length;
  rows.forEach(({ row }, index) => {
    const y = top + index * each;
    for (let at = 0; at < row.slices.length; at++) {
      const until = Math.min(row.ends[at]!, length);
      const slice = row.slices[at]!;
      context.fillStyle =
        errorShare(slice) > 0.5 ? colour('--error') : colour(`--service-${serviceColour(slice.name)}`);
      const left = padding + row.starts[at]! * scale;
      context.fillRect(
        left,
        y,
        Math.max((until - row.starts[at]!) * scale, 1),
        Math.max(1, Math.min(4, each)),
      );
    }
  });
}
