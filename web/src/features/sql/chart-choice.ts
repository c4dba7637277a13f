import type { SqlAnswer, SqlColumn } from '@/api/sql';
import {
  type Cell,
  isMoment,
  isNumeric,
  momentOf,
  numberOf,
  plainCell,
  type Unit,
  unitOf,
} from '@/base/cells';
import { formatMeasure } from '@/base/measures';
import type { Nanos } from '@/base/nanos';
import type { SqlSearch } from './search';

/** What of an answer is drawn, by the positions of its columns, counted from 0. */
export interface ChartChoice {
  draw: 'lines' | 'bars';
  /** Along: moments of lines, names of bars. */
  x: number;
  /** Up: numbers. */
  y: number[];
  /** What tells lines apart, besides the columns of numbers. */
  by: number[];
}

/** A line of a chart of an answer. */
export interface AnswerLine {
  label: string;
  unit: Unit;
  points: { time: Nanos; value: number | null }[];
}

/** Most lines, and most bars, that can be told apart. */
export const MOST_LINES = 50;
export const MOST_BARS = 200;
/** Columns of numbers that are drawn when nobody chose. */
const USUAL_COLUMNS = 4;
/** Letters of a name. */
const MOST_LETTERS = 200;

/** What was chosen, and where nothing was, what suits the columns; `null` when nothing can be drawn. */
export function chooseChart(
  columns: readonly SqlColumn[],
  chosen: Pick<SqlSearch, 'x' | 'y' | 'by' | 'draw'>,
): ChartChoice | null {
  const positions = columns.map((_, at) => at);
  const typeOf = (at: number) => columns[at]!.type;
  const isName = (at: number) => typeOf(at) === 'text' || typeOf(at) === 'boolean';
  const isTime = (at: number) => isMoment(typeOf(at));
  /** Positions of a link are counted from 1; those that do not fit this answer are left out. */
  const read = (texts: readonly string[], fits: (at: number) => boolean) =>
    texts.map((text) => Number(text) - 1).filter((at) => at >= 0 && at < columns.length && fits(at));

  const draw = chosen.draw ?? (positions.some(isTime) ? 'lines' : 'bars');
  const [along] = read(chosen.x === undefined ? [] : [chosen.x], draw === 'lines' ? isTime : () => true);
  const usual = draw === 'lines' ? [isTime] : [isName, isTime, () => true];
  const x = along ?? usual.map((fits) => positions.find(fits)).find((at) => at !== undefined);
  if (x === undefined) return null;
  const by =
    draw === 'bars'
      ? []
      : chosen.by === undefined
        ? positions.filter((at) => at !== x && isName(at))
        : read(chosen.by, (at) => at !== x);
  const isUp = (at: number) => at !== x && !by.includes(at) && isNumeric(typeOf(at));
  const numbers = positions.filter(isUp);
  const wanted = read(chosen.y ?? [], isUp);
  // Only what is of one unit can stand on one axis.
  const alike = numbers.filter((at) => unitOf(columns[at]!) === unitOf(columns[numbers[0]!]!));
  const y = wanted.length > 0 ? wanted : alike.slice(0, by.length === 0 ? USUAL_COLUMNS : 1);
  return y.length === 0 ? null : { draw, x, y, by };
}

/** A name as it is written in a chart. */
export function chartName(text: string): string {
  return text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}…` : text;
}

const nameOf = (value: Cell): string => (value === null ? 'NULL' : chartName(plainCell(value)));

/** The lines of an answer by name, how many more there are, and whether one has several values for a moment. */
export function linesOf({ columns, rows }: SqlAnswer, choice: ChartChoice) {
  const lines = new Map<string, AnswerLine>();
  const hidden = new Set<string>();
  for (const row of rows) {
    const time = momentOf(columns[choice.x]!, row[choice.x]);
    if (time === null) continue;
    const of = choice.by.map((at) => row[at]);
    for (const at of choice.y) {
      const key = JSON.stringify([at, of]);
      let line = lines.get(key);
      if (line === undefined) {
        if (lines.size >= MOST_LINES) {
          hidden.add(key);
          continue;
        }
        const names = of.map(nameOf);
        if (names.length === 0 || choice.y.length > 1) names.push(columns[at]!.name);
        line = { label: names.join(' · '), unit: unitOf(columns[at]!), points: [] };
        lines.set(key, line);
      }
      line.points.push({ time: time as Nanos, value: numberOf(row[at]) });
    }
  }
  let isRepeated = false;
  for (const { points } of lines.values()) {
    points.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
    isRepeated ||= points.some(({ time }, at) => at > 0 && points[at - 1]!.time === time);
  }
  // A statement need not order names, and colours should stay when it is asked again.
  const byName = [...lines.values()].sort((a, b) => (a.label < b.label ? -1 : 1));
  return { lines: byName, hidden: hidden.size, isRepeated };
}

/** How numbers of a unit are written. */
export const formatOf =
  (unit: Unit): ((value: number) => string) =>
  (value) =>
    formatMeasure(value, unit);

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
