import { describe, expect, it } from 'vitest';
import { durationText, formatDuration, formatExactDuration, parseDuration } from './durations';
import type { Duration } from './nanos';

const of = (length: bigint) => length as Duration;

describe('formatDuration', () => {
  it.each([
    [0n, '0 ns'],
    [999n, '999 ns'],
    [1_000n, '1 µs'],
    [1_530n, '1.53 µs'],
    [999_400n, '999 µs'],
    [999_600n, '1 ms'],
    [1_500_000n, '1.5 ms'],
    [123_456_789n, '123 ms'],
    [999_999_999n, '1 s'],
    [1_000_000_000n, '1 s'],
    [59_960_000_000n, '60 s'],
    [60_000_000_000n, '1 m'],
    [200_000_000_000n, '3 m 20 s'],
    [3_600_000_000_000n, '1 h'],
    [187_200_000_000_000n, '2 d 4 h'],
    [-1_500_000n, '−1.5 ms'],
  ])('%s ns reads %s', (length, expected) => {
    expect(formatDuration(of(length))).toBe(expected);
  });
});

describe('formatExactDuration', () => {
  it.each([
    [0n, '0 ns'],
    [1_001n, '1.001 µs'],
    [1_530_042n, '1.530042 ms'],
    [21_400_000_001n, '21.400000001 s'],
    [-5n, '−5 ns'],
    [9_223_372_036_854_775_807n, '9223372036.854775807 s'],
  ])('%s ns reads %s', (length, expected) => {
    expect(formatExactDuration(of(length))).toBe(expected);
  });
});

describe('parseDuration', () => {
  it.each([
    ['250', 250_000_000n],
    ['250ms', 250_000_000n],
    [' 1.5 s ', 1_500_000_000n],
    ['7us', 7_000n],
    ['7µs', 7_000n],
    ['2m', 120_000_000_000n],
    ['1h', 3_600_000_000_000n],
    ['0.000000001s', 1n],
    ['', null],
    ['abc', null],
    ['5 parsecs', null],
    ['-5ms', null],
    ['99999999999999999999s', null],
  ])('%j is %s', (text, expected) => {
    expect(parseDuration(text)).toBe(expected);
  });

  it('reads back what durationText writes', () => {
    for (const length of [1n, 999n, 1_001n, 1_530_042n, 21_400_000_001n, 3_600_000_000_000n]) {
      expect(parseDuration(durationText(of(length)))).toBe(length);
    }
  });
});
