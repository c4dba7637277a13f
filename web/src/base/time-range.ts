import { now as currentTime, DAY, type Duration, HOUR, MINUTE, type Nanos, SECOND } from './nanos';
import { formatClock, formatDate, formatRfc3339, parseTime, type Zone } from './times';

/** What a page looks at: the last so-and-so long, or from one moment to another. */
export type TimeRange =
  | { readonly kind: 'last'; readonly length: Duration }
  | { readonly kind: 'absolute'; readonly from: Nanos; readonly to: Nanos };

/** A time range at one moment. `to` is `null` for ranges that end now: what arrives meanwhile belongs to them. */
export interface ResolvedRange {
  from: Nanos;
  to: Nanos | null;
}

export const PRESETS: readonly { length: Duration; label: string }[] = [
  { length: (15n * MINUTE) as Duration, label: 'Last 15 minutes' },
  { length: HOUR, label: 'Last hour' },
  { length: (6n * HOUR) as Duration, label: 'Last 6 hours' },
  { length: DAY, label: 'Last 24 hours' },
  { length: (7n * DAY) as Duration, label: 'Last 7 days' },
];

export const DEFAULT_RANGE: TimeRange = { kind: 'last', length: HOUR };

const UNITS: readonly { size: Duration; name: string }[] = [
  { size: DAY, name: 'd' },
  { size: HOUR, name: 'h' },
  { size: MINUTE, name: 'm' },
  { size: SECOND, name: 's' },
];

/** As a link holds it: `from=-1h`, or `from=…Z&to=…Z`. The default range needs nothing. */
export function rangeToSearch(range: TimeRange): { from?: string; to?: string } {
  if (range.kind === 'absolute') return { from: formatRfc3339(range.from), to: formatRfc3339(range.to) };
  if (range.length === (DEFAULT_RANGE as { length: Duration }).length) return {};
  const { size, name } = UNITS.find((unit) => range.length % unit.size === 0n) ?? UNITS[3]!;
  return { from: `-${range.length / size}${name}` };
}

/** What a link holds; `null` when it cannot be read. */
export function rangeFromSearch(search: { from?: string; to?: string }): TimeRange | null {
  const { from, to } = search;
  if (from === undefined) return to === undefined ? DEFAULT_RANGE : null;
  const relative = /^-(\d{1,6})([smhd])$/.exec(from);
  if (relative !== null && (to === undefined || to === 'now')) {
    const size = UNITS.find((unit) => unit.name === relative[2])!.size;
    const length = (BigInt(relative[1]!) * size) as Duration;
    return length > 0n ? { kind: 'last', length } : null;
  }
  const start = parseTime(from, 'utc');
  const end = to === undefined ? null : parseTime(to, 'utc');
  return start !== null && end !== null && start < end ? { kind: 'absolute', from: start, to: end } : null;
}

export function resolveRange(range: TimeRange, now: Nanos = currentTime()): ResolvedRange {
  return range.kind === 'absolute'
    ? { from: range.from, to: range.to }
    : { from: (now - range.length) as Nanos, to: null };
}

/** `Last hour`, `21 Nov 12:05:00 – 12:20:00` as short as it can be told. */
export function describeRange(range: TimeRange, zone: Zone): string {
  if (range.kind === 'last') {
    const preset = PRESETS.find(({ length }) => length === range.length);
    if (preset !== undefined) return preset.label;
    const { size, name } = UNITS.find((unit) => range.length % unit.size === 0n) ?? UNITS[3]!;
    return `Last ${range.length / size} ${name}`;
  }
  const digits = range.to - range.from < 10n * SECOND ? 3 : 0;
  const day = formatDate(range.from, zone);
  const lastDay = formatDate(range.to, zone);
  const end = formatClock(range.to, zone, digits);
  return `${day} ${formatClock(range.from, zone, digits)} – ${day === lastDay ? end : `${lastDay} ${end}`}`;
}
