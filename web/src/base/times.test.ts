import { describe, expect, it } from 'vitest';
import { type Nanos, nanos } from './nanos';
import { formatAge, formatClock, formatExact, formatRfc3339, parseTime } from './times';

const moment = nanos('1763726729123456789');

describe('times', () => {
  it('keep every nanosecond', () => {
    expect(formatExact(moment, 'utc')).toBe('2025-11-21 12:05:29.123456789');
    expect(formatClock(moment, 'utc', 3)).toBe('12:05:29.123');
    expect(formatClock(moment, 'utc', 0)).toBe('12:05:29');
    expect(formatRfc3339(moment)).toBe('2025-11-21T12:05:29.123456789Z');
    expect(formatRfc3339(nanos('1763726729000000000'))).toBe('2025-11-21T12:05:29Z');
    expect(formatRfc3339(nanos('1763726729100000000'))).toBe('2025-11-21T12:05:29.1Z');
  });

  it('reach before 1970', () => {
    expect(formatExact(nanos('-1'), 'utc')).toBe('1969-12-31 23:59:59.999999999');
    expect(parseTime('1969-12-31T23:59:59.999999999Z', 'utc')).toBe(-1n);
  });

  it.each([
    ['2025-11-21T12:05:29.123456789Z', moment],
    ['2025-11-21 12:05:29.123456789', moment],
    ['2025-11-21T14:05:29.123456789+02:00', moment],
    ['2025-11-21T07:05:29.123456789-05:00', moment],
    ['2025-11-21', nanos('1763683200000000000')],
    ['2025-11-21 12:05', nanos('1763726700000000000')],
    ['2025-02-30', null],
    ['2025-13-01', null],
    ['2025-11-21 25:00', null],
    ['yesterday', null],
    ['', null],
  ])('reads %j', (text, expected) => {
    expect(parseTime(text, 'utc')).toBe(expected);
  });

  it('reads local times as it shows them', () => {
    expect(parseTime(formatExact(moment, 'local'), 'local')).toBe(moment);
  });

  it.each([
    [0n, 'now'],
    [12_000_000_000n, '12 s ago'],
    [200_000_000_000n, '3 min ago'],
    [18_000_000_000_000n, '5 h ago'],
    [864_000_000_000_000n, '10 d ago'],
    [-100n, 'now'],
    [-200_000_000_000n, 'in 3 min'],
  ])('age of %s', (age, expected) => {
    expect(formatAge((moment - age) as Nanos, moment)).toBe(expected);
  });
});
