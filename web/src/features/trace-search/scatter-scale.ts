import { between, type Duration, fromDrawable, type Nanos, toDrawable } from '@/base/nanos';

/** A trace in the scatter plot. */
export interface Point {
  id: string;
  time: Nanos;
  duration: Duration;
  failed: boolean;
  spans: number;
}

/** Where the drawing lies within the canvas. */
export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** From times and durations to pixels and back. Durations are on a logarithmic scale. */
export interface Scale {
  x: (time: Nanos) => number;
  y: (length: Duration) => number;
  timeAt: (x: number) => Nanos;
  durationAt: (y: number) => Duration;
  /** Powers of ten within the scale. */
  decades: Duration[];
}

/** A duration of nothing has no logarithm: it stands at one nanosecond. */
const logOf = (length: Duration) => Math.log10(Math.max(1, toDrawable(length)));

export function scaleFor(points: readonly Point[], from: Nanos, to: Nanos, frame: Frame): Scale {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const { duration } of points) {
    const value = logOf(duration);
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  if (points.length === 0) [least, greatest] = [6, 9];
  // Some air above and below, and never less than a decade.
  const air = Math.max(0.12, (1 - (greatest - least)) / 2);
  const low = Math.max(0, least - air);
  const high = Math.max(greatest + air, low + 1);
  const time = Math.max(1, toDrawable(between(from, to)));

  const decades: Duration[] = [];
  for (let power = Math.ceil(low); power <= high; power++) decades.push((10n ** BigInt(power)) as Duration);
  return {
    x: (at) => frame.left + (toDrawable(between(from, at)) / time) * frame.width,
    y: (length) => frame.top + (1 - (logOf(length) - low) / (high - low)) * frame.height,
    timeAt: (x) => (from + fromDrawable(((x - frame.left) / frame.width) * time)) as Nanos,
    durationAt: (y) => fromDrawable(10 ** (low + (1 - (y - frame.top) / frame.height) * (high - low))),
    decades,
  };
}

/** The point nearest to a place, at most `reach` pixels away. */
export function nearestPoint(
  points: readonly Point[],
  scale: Scale,
  x: number,
  y: number,
  reach: number,
): Point | null {
  let best: Point | null = null;
  let distance = reach * reach;
  for (const point of points) {
    const dx = scale.x(point.time) - x;
    if (dx > reach || dx < -reach) continue;
    const dy = scale.y(point.duration) - y;
    if (dx * dx + dy * dy <= distance) {
      best = point;
      distance = dx * dx + dy * dy;
    }
  }
  return best;
}

/** Radius of a point: larger traces are larger, slowly. */
export function radiusOf(point: Point): number {
  return Math.min(7, 2.6 + Math.log10(Math.max(1, point.spans)) * 0.9);
}
