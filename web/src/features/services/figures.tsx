import type { CallFigures } from '@/api/services';
import { formatDuration } from '@/base/durations';
import { type Duration, type Nanos, toDrawable } from '@/base/nanos';

/** Calls a second over a time. */
export function rateOf(count: number, from: Nanos, to: Nanos): number {
  return count / Math.max(1e-9, toDrawable((to - from) as Duration) / 1e9);
}

/** `12.3/s`, `4.1/min`, `3/h`: whichever has a number that can be read. */
export function formatRate(perSecond: number): string {
  const [value, unit] =
    perSecond >= 1 || perSecond === 0
      ? [perSecond, 's']
      : perSecond * 60 >= 1
        ? [perSecond * 60, 'min']
        : [perSecond * 3_600, 'h'];
  return `${Number(value.toPrecision(3)).toLocaleString('en-GB')}/${unit}`;
}

/** `0 %`, `< 0.1 %`, `12.3 %` of the calls. */
export function formatErrors({ count, errors }: CallFigures): string {
  if (errors === 0) return '0 %';
  const percent = (errors / count) * 100;
  return percent < 0.1 ? '< 0.1 %' : `${Number(percent.toPrecision(3))} %`;
}

export function formatQuantile(length: Duration | null): string {
  return length === null ? '–' : formatDuration(length);
}

/** The share of errors, red when there are any. */
export function Errors({ calls }: { calls: CallFigures }) {
  return <span className={calls.errors > 0 ? 'text-error' : 'text-faint'}>{formatErrors(calls)}</span>;
}
