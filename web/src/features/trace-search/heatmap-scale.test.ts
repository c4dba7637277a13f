import { describe, expect, it } from 'vitest';
import type { Heatmap } from '@/api/spread';
import type { Duration, Nanos } from '@/base/nanos';
import { cellScale, selectionOf, slowest } from './heatmap-scale';

const bounds = [0n, 1n, 2n, 4n, 8n, 16n, 32n, 64n, 128n, 256n, 512n, 1024n] as Duration[];
const map = (cells: [time: bigint, row: number, spans: number][]): Heatmap => ({
  from: 1_000n as Nanos,
  to: 2_000n as Nanos,
  step: 100n as Duration,
  bounds,
  cells: cells.map(([time, row, spans]) => ({ time: time as Nanos, row, spans, errors: 0 })),
});
const frame = { left: 10, top: 20, width: 100, height: 60 };

describe('the scale', () => {
  it('shows a decade at least, and finds cells again', () => {
    const some = map([
      [1_000n, 4, 1],
      [1_500n, 6, 1],
    ]);
    const scale = cellScale(some, some.from, some.to, frame);
    expect(scale.high - scale.low + 1).toBeGreaterThanOrEqual(10);
    expect(scale.low).toBeLessThan(4);
    expect(scale.high).toBeGreaterThan(6);
    for (const { time, row } of some.cells) {
      const middle = (scale.y(row) + scale.y(row + 1)) / 2;
      expect(scale.at(scale.x(time) + 1, middle)).toEqual({ time, row });
    }
    expect(scale.at(-1e6 + 1e6 + 10, 1e6).row).toBe(scale.low);
  });

  it('stands without cells', () => {
    const scale = cellScale({ ...map([]), bounds: [], step: null }, 1_000n as Nanos, 2_000n as Nanos, frame);
    expect(scale.y(scale.low)).toBe(80);
    expect(scale.y(scale.high + 1)).toBe(20);
  });
});

it('selects whole cells, with open ends at the first and the last row', () => {
  const cell = (time: bigint, row: number) => ({ time: time as Nanos, row });
  expect(selectionOf(map([]), cell(1_500n, 6), cell(1_200n, 3))).toEqual({
    from: 1_200n,
    to: 1_600n,
    min: 4n,
    max: 63n,
  });
  expect(selectionOf(map([]), cell(1_200n, 0), cell(1_200n, 11))).toMatchObject({ min: null, max: null });
});

it('tells the slowest by rows', () => {
  const of = (cells: [bigint, number, number][]) => slowest(map(cells), 0.1)?.min;
  expect(
    of([
      [1_000n, 3, 90],
      [1_000n, 7, 6],
      [1_100n, 8, 4],
    ]),
  ).toBe(64n);
  // Fewer than asked for, when the next row is all the rest.
  expect(
    of([
      [1_000n, 3, 99],
      [1_000n, 8, 1],
    ]),
  ).toBe(128n);
  expect(of([[1_000n, 3, 5]])).toBeUndefined();
  expect(slowest(map([]), 0.1)).toBeNull();
});
