/** Round values for an axis. Plain numbers: for drawing only. */

/** About `count` round steps (1, 2 or 5 times a power of ten) that cover `from` to `to`. */
export function linearTicks(from: number, to: number, count: number): number[] {
  const span = to - from;
  if (!(span > 0) || count < 1) return [];
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.ceil(from / step); i * step <= to; i++) ticks.push(i * step);
  return ticks;
}

/** Seconds of steps that read well on a clock. */
const CLOCK_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800,
  604_800,
];

/** A step in seconds for an axis of clock times; below a second, a round fraction. */
export function clockStep(spanSeconds: number, count: number): number {
  const rough = spanSeconds / count;
  const found = CLOCK_STEPS.find((step) => step >= rough);
  if (rough >= 1 && found !== undefined) return found;
  if (rough > 1) return Math.ceil(rough / 604_800) * 604_800;
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
}
