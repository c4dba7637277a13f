/** The part of a trace that is shown: nanoseconds from its start, for drawing. */
export interface Zoom {
  from: number;
  to: number;
}

/** Nothing narrower is shown: a nanosecond is as fine as it gets, and years are not told apart as finely. */
function leastOf(length: number): number {
  return Math.min(Math.max(10, length * 2 ** -46), length);
}

export const wholeOf = (length: number): Zoom => ({ from: 0, to: length });

export function isWhole(zoom: Zoom, length: number): boolean {
  return zoom.from <= 0 && zoom.to >= length;
}

/** Keeps the shown part within the trace and not too narrow. */
export function clampZoom({ from, to }: Zoom, length: number): Zoom {
  const width = Math.min(Math.max(to - from, leastOf(length)), length);
  const start = Math.min(Math.max(from, 0), length - width);
  return { from: start, to: start + width };
}

/** Shows `factor` times as much, around a place that stays where it is. */
export function zoomAround({ from, to }: Zoom, at: number, factor: number, length: number): Zoom {
  const share = (at - from) / (to - from);
  const width = Math.min(Math.max((to - from) * factor, leastOf(length)), length);
  return clampZoom({ from: at - share * width, to: at + (1 - share) * width }, length);
}

export function panBy({ from, to }: Zoom, by: number, length: number): Zoom {
  return clampZoom({ from: from + by, to: to + by }, length);
}

/** A little more than a span, so that its surroundings are seen. */
export function zoomTo(start: number, end: number, length: number): Zoom {
  const air = Math.max((end - start) * 0.08, leastOf(length) / 2);
  return clampZoom({ from: start - air, to: end + air }, length);
}

/** As links hold it; `undefined` for the whole trace. */
export function zoomText(zoom: Zoom, length: number): string | undefined {
  return isWhole(zoom, length) ? undefined : `${Math.round(zoom.from)}-${Math.round(zoom.to)}`;
}

export function zoomFromText(text: string | undefined, length: number): Zoom {
  const match = /^(\d+)-(\d+)$/.exec(text ?? '');
  if (match === null || Number(match[1]) >= Number(match[2])) return wholeOf(length);
  return clampZoom({ from: Number(match[1]), to: Number(match[2]) }, length);
}

/** A mark of the time axis: as fine as its step needs. `1.2345 s` for steps of 100 µs. */
export function formatOffset(offset: number, step: number): string {
  const [size, name] = (
    [
      [1e9, 's'],
      [1e6, 'ms'],
      [1e3, 'µs'],
    ] as const
  ).find(([unit]) => Math.abs(offset) >= unit) ?? [1, 'ns'];
  const digits = Math.min(9, Math.max(0, Math.ceil(Math.log10(size / step) - 1e-9)));
  return `${(offset / size).toFixed(digits)} ${name}`;
}
