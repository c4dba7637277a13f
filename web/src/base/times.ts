import {
  between,
  DAY,
  type Duration,
  fromMillis,
  HOUR,
  MILLISECOND,
  MINUTE,
  type Nanos,
  SECOND,
} from './nanos';

/** The clock that times are shown and typed in. */
export type Zone = 'utc' | 'local';

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  /** 0 to 999,999,999. */
  nanosecond: number;
}

/** Rounds towards the past, also before 1970. */
function floorDiv(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

function partsOf(time: Nanos, zone: Zone): Parts {
  const seconds = floorDiv(time, SECOND);
  const date = new Date(Number(seconds) * 1000);
  const nanosecond = Number(time - seconds * SECOND);
  return zone === 'utc'
    ? {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        second: date.getUTCSeconds(),
        nanosecond,
      }
    : {
        year: date.getFullYear(),
        month: date.getMonth() + 1,
        day: date.getDate(),
        hour: date.getHours(),
        minute: date.getMinutes(),
        second: date.getSeconds(),
        nanosecond,
      };
}

const pad = (value: number, digits = 2) => String(value).padStart(digits, '0');

/** `2026-01-31` in the zone. */
export function formatDate(time: Nanos, zone: Zone): string {
  const parts = partsOf(time, zone);
  return `${pad(parts.year, 4)}-${pad(parts.month)}-${pad(parts.day)}`;
}

/** `12:05:29.123`, with this many digits after the second (none: without the point). */
export function formatClock(time: Nanos, zone: Zone, digits: number): string {
  const parts = partsOf(time, zone);
  const fraction = digits === 0 ? '' : `.${pad(parts.nanosecond, 9).slice(0, digits)}`;
  return `${pad(parts.hour)}:${pad(parts.minute)}:${pad(parts.second)}${fraction}`;
}

/** `2026-01-31 12:05:29.123456789`: every digit, in the zone. */
export function formatExact(time: Nanos, zone: Zone): string {
  return `${formatDate(time, zone)} ${formatClock(time, zone, 9)}`;
}

/** RFC 3339 in UTC with every digit that is needed: what links and copied times hold. */
export function formatRfc3339(time: Nanos): string {
  const [hms = '', fraction = ''] = formatClock(time, 'utc', 9).split('.');
  const digits = fraction.replace(/0+$/, '');
  return `${formatDate(time, 'utc')}T${hms}${digits === '' ? '' : `.${digits}`}Z`;
}

/** Minutes that the local clock is ahead of UTC at that moment, as `+02:00`. */
export function localOffset(time: Nanos): string {
  const minutes = -new Date(Number(floorDiv(time, MILLISECOND))).getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '−' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
}

/** How long ago, in one unit: `now`, `12 s ago`, `3 min ago`, `5 h ago`, `2 d ago`; `in 3 min` for the future. */
export function formatAge(time: Nanos, reference: Nanos): string {
  const age = between(time, reference);
  if (age < 0n) return -age < SECOND ? 'now' : `in ${oneUnit(-age as Duration)}`;
  return age < SECOND ? 'now' : `${oneUnit(age)} ago`;
}

function oneUnit(length: Duration): string {
  if (length < MINUTE) return `${length / SECOND} s`;
  if (length < HOUR) return `${length / MINUTE} min`;
  if (length < 2n * DAY) return `${length / HOUR} h`;
  return `${length / DAY} d`;
}

const TIME =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|[+-]\d{2}:\d{2})?$/i;

/**
 * Reads `2026-01-31`, `2026-01-31 12:05`, `2026-01-31T12:05:29.123456789Z` or `…+02:00`. Without an offset the
 * time is of `zone`. `null` when it is no time, such as 30 February.
 */
export function parseTime(text: string, zone: Zone): Nanos | null {
  const match = TIME.exec(text.trim());
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59) return null;
  if (day < 1 || day > new Date(Date.UTC(year, month, 0)).getUTCDate()) return null;
  const offset = match[8]?.toUpperCase();
  let milliseconds: number;
  if (offset === undefined && zone === 'local') {
    milliseconds = new Date(year, month - 1, day, hour, minute, second).getTime();
  } else {
    milliseconds = Date.UTC(year, month - 1, day, hour, minute, second);
    if (offset !== undefined && offset !== 'Z') {
      const size = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4, 6));
      milliseconds -= (offset.startsWith('-') ? -size : size) * 60_000;
    }
  }
  return (fromMillis(milliseconds) + BigInt((match[7] ?? '').padEnd(9, '0'))) as Nanos;
}
