import { type Duration, type Nanos, SECOND } from './nanos';
import { clockStep } from './ticks';
import { formatClock, formatDate, type Zone } from './times';

/** A mark on an axis of clock times. */
export interface ClockTick {
  time: Nanos;
  label: string;
}

/** About `count` round clock times between two moments. */
export function clockTicks(from: Nanos, to: Nanos, count: number, zone: Zone): ClockTick[] {
  const spanSeconds = Number(to - from) / 1e9;
  if (!(spanSeconds > 0) || count < 1) return [];
  const stepSeconds = clockStep(spanSeconds, count);
  const step = BigInt(Math.max(1, Math.round(stepSeconds * 1e9))) as Duration;
  const offset =
    zone === 'utc' ? 0n : -BigInt(new Date(Number(from / 1_000_000n)).getTimezoneOffset()) * 60n * SECOND;
  const digits = stepSeconds >= 1 ? 0 : Math.min(9, Math.ceil(-Math.log10(stepSeconds) - 1e-9));
  const ticks: ClockTick[] = [];
  for (let at = ((from + offset + step - 1n) / step) * step - offset; at <= to; at += step) {
    const time = at as Nanos;
    const clock = formatClock(time, zone, digits);
    const isMidnight = clock.startsWith('00:00:00');
    ticks.push({
      time,
      label: isMidnight ? formatDate(time, zone).slice(5) : stepSeconds >= 60 ? clock.slice(0, 5) : clock,
    });
  }
  return ticks;
}
