import { isWhole, type Zoom } from '@/base/zoom';

/**
 * The part that is asked for to show a part: some more on both sides, so that panning finds what it needs, and at round
 * places, so that zooming a little asks for the same again. `null` for everything.
 */
export function windowOf(zoom: Zoom, length: number): Zoom | null {
  if (isWhole(zoom, length)) return null;
  const step = stepOf(zoom);
  const from = (Math.floor(zoom.from / step) - 1) * step;
  const to = (Math.ceil(zoom.to / step) + 1) * step;
  return from <= 0 && to >= length ? null : { from: Math.max(from, 0), to };
}

/** Half of the least power of two that is as long as a part. */
export function stepOf(zoom: Zoom): number {
  return 2 ** Math.ceil(Math.log2(Math.max(zoom.to - zoom.from, 1))) / 2;
}

/** Position of the first value that is greater, in values that grow. */
export function firstAfter(values: Float64Array, value: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}
