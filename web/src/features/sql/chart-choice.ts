import type { SqlAnswer, SqlColumn } from '@/api/sql';
import { isMoment, isNumeric, momentOf, numberOf, plainCell } from '@/base/cells';
import type { Nanos } from '@/base/nanos';
import type { SqlSearch } from './search';

/** What of an answer is drawn, by the positions of its columns. */
export interface ChartChoice {
  draw: 'lines' | 'bars';
  /** Along: moments of lines, names of bars. */
  x: number;
  /** Up: numbers. */
  y: number[];
  /** What tells lines apart, or `null`. */
  by: number | null;
}

/** A line of a chart of an answer. */
export interface AnswerLine {
  label: string;
  points: { time: Nanos; value: number | null }[];
}

/** Most lines, and most bars, that can be told apart. */
export const MOST_LINES = 50;
export const MOST_BARS = 200;
/** Columns that are drawn when nobody chose. */
const USUAL_COLUMNS = 4;
/** Says that columns of numbers tell lines apart; no column is called so. */
export const NO_NAME = '-';

/** What was chosen, and where nothing was, what suits the columns; `null` when nothing can be drawn. */
export function chooseChart(
  columns: readonly SqlColumn[],
  chosen: Pick<SqlSearch, 'x' | 'y' | 'by' | 'draw'>,
): ChartChoice | null {
  const named = (name: string | undefined, fits: (column: SqlColumn) => boolean) => {
    const at = columns.findIndex((column) => column.name === name && fits(column));
    return at < 0 ? null : at;
  };
  const first = (fits: (column: SqlColumn, at: number) => boolean) => {
    const at = columns.findIndex(fits);
    return at < 0 ? null : at;
  };
  const moment = named(chosen.x, ({ type }) => isMoment(type)) ?? first(({ type }) => isMoment(type));
  const isNamedOtherwise = chosen.x !== undefined && named(chosen.x, ({ type }) => isMoment(type)) === null;
  const draw = chosen.draw ?? (moment !== null && !isNamedOtherwise ? 'lines' : 'bars');
  const isName = ({ type }: SqlColumn) => type === 'text' || type === 'boolean';
  const x =
    draw === 'lines'
      ? moment
      : (named(chosen.x, () => true) ??
        first(isName) ??
        first(({ type }) => isMoment(type)) ??
        first(() => true));
  if (x === null) return null;
  const numbers = columns.flatMap(({ type }, at) => (isNumeric(type) && at !== x ? [at] : []));
  const wanted = (chosen.y ?? []).flatMap((name) => numbers.filter((at) => columns[at]!.name === name));
  const by =
    draw === 'bars' || chosen.by === NO_NAME
      ? null
      : (named(chosen.by, (column) => column !== columns[x]) ??
        (chosen.by === undefined ? first((column, at) => at !== x && isName(column)) : null));
  const usual = numbers.filter((at) => at !== by).slice(0, by === null ? USUAL_COLUMNS : 1);
  const y = wanted.length > 0 ? wanted : usual;
  return y.length === 0 ? null : { draw, x, y, by };
}

/** The lines of an answer by name, and how many more there are. */
export function linesOf({ columns, rows }: SqlAnswer, choice: ChartChoice) {
  const lines = new Map<string, AnswerLine>();
  const hidden = new Set<string>();
  for (const row of rows) {
    const time = momentOf(columns[choice.x]!, row[choice.x]);
    if (time === null) continue;
    for (const at of choice.y) {
      const name = columns[at]!.name;
      const of = choice.by === null ? '' : plainCell(row[choice.by]);
      const label = choice.by === null ? name : choice.y.length > 1 ? `${of} · ${name}` : of;
      let line = lines.get(label);
      if (line === undefined) {
        if (lines.size >= MOST_LINES) {
          hidden.add(label);
          continue;
        }
        line = { label, points: [] };
        lines.set(label, line);
      }
      line.points.push({ time: time as Nanos, value: numberOf(row[at]) });
    }
  }
  for (const { points } of lines.values()) {
    points.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  }
  // A statement need not order names, and colours should stay when it is asked again.
  const byName = [...lines.values()].sort((a, b) => (a.label < b.label ? -1 : 1));
  return { lines: byName, hidden: hidden.size };
}

/** The time between the first and the last point; `null` when there is none. */
export function spanOf(lines: readonly AnswerLine[]): { from: Nanos; to: Nanos } | null {
  let span: { from: Nanos; to: Nanos } | null = null;
  for (const { points } of lines) {
    for (const { time } of points) {
      if (span === null) span = { from: time, to: time };
      else if (time < span.from) span.from = time;
      else if (time > span.to) span.to = time;
    }
  }
  return span;
}
