import { describe, expect, it } from 'vitest';
import type { SqlAnswer, SqlColumn } from '@/api/sql';
import type { CellType } from '@/base/cells';
import { chooseChart, linesOf, MOST_LINES, spanOf } from './chart-choice';

const columns = (...described: string[]): SqlColumn[] =>
  described.map((text) => {
    const [name, type] = text.split(' ');
    return { name: name!, type: type as CellType, arrowType: '' };
  });
const answer = (columns: SqlColumn[], rows: unknown[][]): SqlAnswer => ({
  columns,
  rows,
  hasMore: false,
  statistics: null,
});

describe('what suits', () => {
  it('is lines over time, one for each name', () => {
    const of = columns('minute timestamp', 'service text', 'name text', 'count bigint', 'p99 double');
    expect(chooseChart(of, {})).toEqual({ draw: 'lines', x: 0, y: [3], by: [1, 2] });
    expect(chooseChart(of, { by: ['0'] })).toEqual({ draw: 'lines', x: 0, y: [3, 4], by: [] });
    expect(chooseChart(of, { y: ['5'] })).toEqual({ draw: 'lines', x: 0, y: [4], by: [1, 2] });
    // What tells apart is not drawn, and positions that an answer has not do not count.
    expect(chooseChart(of, { y: ['4', '5', '9'], by: ['5'] })).toEqual({
      draw: 'lines',
      x: 0,
      y: [3],
      by: [4],
    });
  });

  it('is of one unit', () => {
    const of = columns('minute timestamp', 'max_ns bigint', 'count bigint', 'p50_ns double');
    expect(chooseChart(of, {})?.y).toEqual([1, 3]);
    expect(chooseChart(of, { y: ['2', '3'] })?.y).toEqual([1, 2]);
  });

  it('is bars where there is no time', () => {
    const bars = { draw: 'bars', x: 0, y: [1], by: [] };
    expect(chooseChart(columns('service text', 'count bigint'), {})).toEqual(bars);
    expect(chooseChart(columns('depth bigint', 'n integer'), {})).toEqual(bars);
    const timed = columns('minute timestamp', 'service text', 'count bigint');
    expect(chooseChart(timed, { draw: 'bars' })).toEqual({ draw: 'bars', x: 1, y: [2], by: [] });
  });

  it('is nothing without a number', () => {
    expect(chooseChart(columns('service text', 'name text'), {})).toBeNull();
    expect(chooseChart(columns('count bigint'), {})).toBeNull();
    expect(chooseChart([], {})).toBeNull();
  });
});

it('makes lines in order of time, and tells of those that are too many', () => {
  const of = columns('minute timestamp', 'service text', 'count bigint');
  const choice = { draw: 'lines', x: 0, y: [2], by: [1] } as const;
  const lines = (rows: unknown[][]) => linesOf(answer(of, rows), { ...choice, y: [2], by: [1] });
  const made = lines([
    ['20', 'b', '2'],
    ['10', 'b', '1'],
    ['10', 'a', null],
    [null, 'a', '5'],
  ]);
  expect(
    made.lines.map(({ label, points }) => [label, points.map(({ time, value }) => [time, value])]),
  ).toEqual([
    ['a', [[10n, null]]],
    [
      'b',
      [
        [10n, 1],
        [20n, 2],
      ],
    ],
  ]);
  expect(made.isRepeated).toBe(false);
  expect(spanOf(made.lines)).toEqual({ from: 10n, to: 20n });
  const many = Array.from({ length: MOST_LINES + 7 }, (_, at) => ['1', `s${at}`, '1']);
  expect(lines(many).hidden).toBe(7);
  expect(spanOf([])).toBeNull();
});

it('keeps what is not the same apart', () => {
  const of = columns('minute timestamp', 'n bigint', 'n bigint', 'service text');
  const row = ['1', '2', '3', null];
  const made = linesOf(answer(of, [row, ['1', '4', '5', ''], row]), {
    draw: 'lines',
    x: 0,
    y: [1, 2],
    by: [3],
  });
  expect(made.lines.map(({ label, points }) => [label, points.map(({ value }) => value)])).toEqual([
    [' · n', [4]],
    [' · n', [5]],
    ['NULL · n', [2, 2]],
    ['NULL · n', [3, 3]],
  ]);
  expect(made.isRepeated).toBe(true);
});
