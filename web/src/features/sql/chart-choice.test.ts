import { describe, expect, it } from 'vitest';
import type { SqlAnswer, SqlColumn } from '@/api/sql';
import type { CellType } from '@/base/cells';
import { chooseChart, linesOf, MOST_LINES, NO_NAME, spanOf } from './chart-choice';

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
    const of = columns('minute timestamp', 'service text', 'count bigint', 'p99 double');
    expect(chooseChart(of, {})).toEqual({ draw: 'lines', x: 0, y: [2], by: 1 });
    expect(chooseChart(of, { by: NO_NAME })).toEqual({ draw: 'lines', x: 0, y: [2, 3], by: null });
    expect(chooseChart(of, { y: ['p99'] })).toEqual({ draw: 'lines', x: 0, y: [3], by: 1 });
  });

  it('is bars where there is no time', () => {
    expect(chooseChart(columns('service text', 'count bigint'), {})).toEqual({
      draw: 'bars',
      x: 0,
      y: [1],
      by: null,
    });
    expect(chooseChart(columns('depth bigint', 'n integer'), {})).toEqual({
      draw: 'bars',
      x: 0,
      y: [1],
      by: null,
    });
    const timed = columns('minute timestamp', 'service text', 'count bigint');
    expect(chooseChart(timed, { x: 'service' })).toEqual({ draw: 'bars', x: 1, y: [2], by: null });
  });

  it('is nothing without a number', () => {
    expect(chooseChart(columns('service text', 'name text'), {})).toBeNull();
    expect(chooseChart(columns('count bigint'), {})).toBeNull();
    expect(chooseChart([], {})).toBeNull();
  });
});

it('makes lines in order of time, and tells of those that are too many', () => {
  const of = columns('minute timestamp', 'service text', 'count bigint');
  const made = linesOf(
    answer(of, [
      ['20', 'b', '2'],
      ['10', 'b', '1'],
      ['10', 'a', null],
      [null, 'a', '5'],
    ]),
    { draw: 'lines', x: 0, y: [2], by: 1 },
  );
  expect(made.lines).toEqual([
    { label: 'a', points: [{ time: 10n, value: null }] },
    {
      label: 'b',
      points: [
        { time: 10n, value: 1 },
        { time: 20n, value: 2 },
      ],
    },
  ]);
  expect(spanOf(made.lines)).toEqual({ from: 10n, to: 20n });
  const many = Array.from({ length: MOST_LINES + 7 }, (_, at) => ['1', `s${at}`, '1']);
  expect(linesOf(answer(of, many), { draw: 'lines', x: 0, y: [2], by: 1 }).hidden).toBe(7);
  expect(spanOf([])).toBeNull();
});
