import { expect, it } from 'vitest';
import { formatCount, formatShortCount, plural } from './numbers';
import { clockStep, linearTicks } from './ticks';

it.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1k'],
  [12_345, '12.3k'],
  [123_456, '123k'],
  [999_499, '999k'],
  [999_500, '1M'],
  [4_100_000, '4.1M'],
])('%s is short for %s', (count, expected) => {
  expect(formatShortCount(count)).toBe(expected);
});

it('groups thousands and counts in words', () => {
  expect(formatCount(1_234_567)).toBe('1,234,567');
  expect(plural(1, 'span')).toBe('1 span');
  expect(plural(2_000, 'span')).toBe('2,000 spans');
  expect(plural(2, 'process', 'processes')).toBe('2 processes');
});

it('has round ticks', () => {
  expect(linearTicks(0, 100, 5)).toEqual([0, 20, 40, 60, 80, 100]);
  expect(linearTicks(3, 11, 4)).toEqual([4, 6, 8, 10]);
  expect(linearTicks(5, 5, 4)).toEqual([]);
  expect(clockStep(900, 6)).toBe(300);
  expect(clockStep(0.01, 5)).toBeCloseTo(0.002);
});
