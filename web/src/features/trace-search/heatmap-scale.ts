import type { Heatmap, HeatmapCell } from '@/api/spread';
import { between, type Duration, type Nanos, toDrawable } from '@/base/nanos';
import type { SpanSelection } from '@/base/trace-search';
import type { Frame } from './scatter-scale';

/** Rows of the heatmap that are drawn: at least a decade. */
const LEAST_ROWS = 10;

/** From cells to pixels and back. Rows are of about equal ratio, so that they are drawn equally high. */
export interface CellScale {
  /** The rows that are drawn: `low` to `high`, both inclusive. */
  low: number;
  high: number;
  x: (time: Nanos) => number;
  /** The lower edge of a row. */
  y: (row: number) => number;
  /** The cell at a place: the beginning of its column, and its row. */
  at: (x: number, y: number) => { time: Nanos; row: number };
}

export function cellScale(map: Heatmap, from: Nanos, to: Nanos, frame: Frame): CellScale {
  const rows = map.cells.map(({ row }) => row);
  let low = rows.reduce((least, row) => Math.min(least, row), Number.POSITIVE_INFINITY);
  let high = rows.reduce((most, row) => Math.max(most, row), Number.NEGATIVE_INFINITY);
  if (rows.length === 0) [low, high] = [0, LEAST_ROWS - 1];
  const lacking = Math.max(0, LEAST_ROWS - (high - low + 1));
  low = Math.max(0, low - 1 - Math.floor(lacking / 2));
  high = Math.min(Math.max(map.bounds.length - 1, LEAST_ROWS - 1), high + 1 + Math.ceil(lacking / 2));
  const time = Math.max(1, toDrawable(between(from, to)));
  const height = frame.height / (high - low + 1);
  const step = map.step ?? (1n as Duration);
  return {
    low,
    high,
    x: (at) => frame.left + (toDrawable(between(from, at)) / time) * frame.width,
    y: (row) => frame.top + (high + 1 - row) * height,
    at: (x, y) => {
      const offset = BigInt(Math.round(((x - frame.left) / frame.width) * time));
      const moment = from + offset;
      const row = Math.floor(high + 1 - (y - frame.top) / height);
      return { time: ((moment / step) * step) as Nanos, row: Math.min(Math.max(row, low), high) };
    },
  };
}

/** The spans of all cells between two, both included. */
export function selectionOf(
  map: Heatmap,
  a: { time: Nanos; row: number },
  b: { time: Nanos; row: number },
): SpanSelection {
  const step = map.step ?? (1n as Duration);
  const [first, last] = a.time <= b.time ? [a.time, b.time] : [b.time, a.time];
  const [low, high] = [Math.min(a.row, b.row), Math.max(a.row, b.row)];
  return {
    from: first,
    to: (last + step) as Nanos,
    // The first row takes what is shorter, too, and the last what is longer.
    min: low === 0 ? null : (map.bounds[low] ?? null),
    max: map.bounds[high + 1] === undefined ? null : ((map.bounds[high + 1]! - 1n) as Duration),
  };
}

/** Whether there are spans in the cells between two, both included. */
export function hasSpans(map: Heatmap, a: { time: Nanos; row: number }, b: { time: Nanos; row: number }) {
  const [first, last] = a.time <= b.time ? [a.time, b.time] : [b.time, a.time];
  const [low, high] = [Math.min(a.row, b.row), Math.max(a.row, b.row)];
  return map.cells.some(({ time, row }) => first <= time && time <= last && low <= row && row <= high);
}

/** The slowest spans: at least the share given, as far as rows tell them apart; `null` when all are in one row. */
export function slowest(map: Heatmap, share: number): SpanSelection | null {
  const byRow = new Map<number, number>();
  let total = 0;
  for (const { row, spans } of map.cells) {
    byRow.set(row, (byRow.get(row) ?? 0) + spans);
    total += spans;
  }
  const rows = [...byRow.keys()].sort((a, b) => b - a);
  let above = 0;
  for (const row of rows.slice(0, -1)) {
    above += byRow.get(row)!;
    if (above >= total * share) return { from: map.from, to: map.to, min: map.bounds[row]!, max: null };
  }
  return rows.length > 1 ? { from: map.from, to: map.to, min: map.bounds[rows.at(-2)!]!, max: null } : null;
}

export function spansOf(cells: readonly HeatmapCell[]): { spans: number; errors: number } {
  let [spans, errors] = [0, 0];
  for (const cell of cells) {
    spans += cell.spans;
    errors += cell.errors;
  }
  return { spans, errors };
}
