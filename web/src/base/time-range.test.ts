import { describe, expect, it } from 'vitest';
import { type Nanos, nanos } from './nanos';
import {
  DEFAULT_RANGE,
  describeRange,
  PRESETS,
  rangeFromSearch,
  rangeToSearch,
  resolveRange,
} from './time-range';

describe('time ranges', () => {
  it('restore from links', () => {
    const absolute = {
      kind: 'absolute',
      from: nanos('1763726729123456789'),
      to: nanos('1763726729123456790'),
    } as const;
    for (const range of [
      DEFAULT_RANGE,
      absolute,
      ...PRESETS.map(({ length }) => ({ kind: 'last', length }) as const),
    ]) {
      expect(rangeFromSearch(rangeToSearch(range))).toEqual(range);
    }
  });

  it.each([
    { from: 'yesterday' },
    { from: '-0m' },
    { to: '2025-11-21' },
    { from: '2025-11-21' },
    { from: '2025-11-22', to: '2025-11-21' },
  ])('refuse %j', (search) => {
    expect(rangeFromSearch(search)).toBeNull();
  });

  it('resolve at a moment, open at the end', () => {
    const now = nanos('1763726729000000000');
    expect(resolveRange({ kind: 'last', length: PRESETS[0]!.length }, now)).toEqual({
      from: (now - 900_000_000_000n) as Nanos,
      to: null,
    });
  });

  it('describe themselves', () => {
    expect(describeRange(DEFAULT_RANGE, 'utc')).toBe('Last hour');
    expect(describeRange(rangeFromSearch({ from: '-30m' })!, 'utc')).toBe('Last 30 m');
    expect(describeRange(rangeFromSearch({ from: '2025-11-21 12:00', to: '2025-11-21 13:00' })!, 'utc')).toBe(
      '2025-11-21 12:00:00 – 13:00:00',
    );
  });
});
