import { describe, expect, it } from 'vitest';
import { type Duration, type Nanos, nanos } from '@/base/nanos';
import { nearestPoint, type Point, scaleFor } from './scatter-scale';

const from = nanos('1763726729000000000');
const to = (from + 900_000_000_000n) as Nanos;
const frame = { left: 50, top: 10, width: 900, height: 100 };
const point = (id: string, seconds: bigint, duration: bigint): Point => ({
  id,
  time: (from + seconds * 1_000_000_000n) as Nanos,
  duration: duration as Duration,
  failed: false,
  spans: 1,
});
const points = [point('a', 0n, 1_000_000n), point('b', 450n, 10_000_000n), point('c', 900n, 1_000_000_000n)];

describe('scatter scale', () => {
  const scale = scaleFor(points, from, to, frame);

  it('puts times and durations into the frame', () => {
    expect(scale.x(points[0]!.time)).toBe(50);
    expect(scale.x(points[1]!.time)).toBe(500);
    expect(scale.x(points[2]!.time)).toBe(950);
    const heights = points.map(({ duration }) => scale.y(duration));
    expect(heights[0]).toBeGreaterThan(heights[1]!);
    expect(heights[1]).toBeGreaterThan(heights[2]!);
    for (const y of heights) expect(y > 10 && y < 110).toBe(true);
    expect(scale.decades).toEqual([1_000_000n, 10_000_000n, 100_000_000n, 1_000_000_000n]);
  });

  it('is read back', () => {
    expect(scale.timeAt(500)).toBe(points[1]!.time);
    expect(Number(scale.durationAt(scale.y(points[1]!.duration)))).toBeCloseTo(10_000_000, -2);
  });

  it('finds what is under the pointer', () => {
    const y = scale.y(points[1]!.duration);
    expect(nearestPoint(points, scale, 503, y, 8)?.id).toBe('b');
    expect(nearestPoint(points, scale, 520, y, 8)).toBeNull();
  });

  it('stands with nothing, one point, and durations of zero', () => {
    for (const few of [[], [point('z', 1n, 0n)], [point('o', 1n, 5n)]]) {
      const small = scaleFor(few, from, to, frame);
      for (const { duration } of few) expect(Number.isFinite(small.y(duration))).toBe(true);
      expect(small.decades.length).toBeGreaterThan(0);
    }
  });
});
