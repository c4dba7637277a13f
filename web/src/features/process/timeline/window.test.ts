import { describe, expect, it } from 'vitest';
import { firstAfter, windowOf } from './window';

describe('windowOf', () => {
  it('asks for everything when everything is shown, or nearly', () => {
    expect(windowOf({ from: 0, to: 1_000 }, 1_000)).toBeNull();
    expect(windowOf({ from: 100, to: 900 }, 1_000)).toBeNull();
  });

  it('asks for more than is shown, on both sides, and stays within twice to five times as much', () => {
    for (const [from, to] of [
      [1e9, 1e9 + 10],
      [5e8, 5.1e8],
      [123_456_789, 123_999_999],
    ] as const) {
      const found = windowOf({ from, to }, 1e10)!;
      expect(found.from).toBeLessThan(from);
      expect(found.to).toBeGreaterThan(to);
      expect(found.to - found.from).toBeGreaterThanOrEqual(2 * (to - from));
      expect(found.to - found.from).toBeLessThanOrEqual(5 * (to - from));
    }
  });

  it('asks for the same again after a little panning or zooming', () => {
    const first = windowOf({ from: 1_100, to: 2_000 }, 1e6);
    expect(windowOf({ from: 1_150, to: 2_040 }, 1e6)).toEqual(first);
    expect(windowOf({ from: 1_200, to: 1_900 }, 1e6)).toEqual(first);
  });

  it('does not ask for what is before the beginning', () => {
    expect(windowOf({ from: 0, to: 10 }, 1e6)!.from).toBe(0);
  });
});

describe('firstAfter', () => {
  it('finds the first that is greater', () => {
    const values = Float64Array.from([1, 3, 3, 5]);
    expect([0, 1, 2, 3, 5, 9].map((value) => firstAfter(values, value))).toEqual([0, 1, 1, 3, 4, 4]);
  });
});
