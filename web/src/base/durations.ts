import { DAY, type Duration, HOUR, MICROSECOND, MILLISECOND, MINUTE, SECOND } from './nanos';

const UNITS: readonly { size: Duration; name: string }[] = [
  { size: SECOND, name: 's' },
  { size: MILLISECOND, name: 'ms' },
  { size: MICROSECOND, name: 'µs' },
];

/** Three significant digits, for reading at a glance: `412 ns`, `1.53 ms`, `21.4 s`, `3 m 20 s`, `2 d 4 h`. */
export function formatDuration(length: Duration): string {
  if (length < 0n) return `−${formatDuration(-length as Duration)}`;
  if (length >= DAY) return twoUnits(length, DAY, 'd', HOUR, 'h');
  if (length >= HOUR) return twoUnits(length, HOUR, 'h', MINUTE, 'm');
  if (length >= MINUTE) return twoUnits(length, MINUTE, 'm', SECOND, 's');
  for (let i = 0; i < UNITS.length; i++) {
    const { size, name } = UNITS[i]!;
    if (length < size) continue;
    const value = Number(length) / Number(size);
    const text = value.toPrecision(3);
    // 999.6 µs rounds to four digits: it is 1 ms. Likewise 59.96 s stays "60.0 s".
    if (Number(text) >= 1000 && i > 0) return `1 ${UNITS[i - 1]!.name}`;
    return `${trimZeros(text)} ${name}`;
  }
  return `${length} ns`;
}

function twoUnits(length: Duration, large: Duration, largeName: string, small: Duration, smallName: string) {
  const rest = (length % large) / small;
  const whole = length / large;
  return rest === 0n ? `${whole} ${largeName}` : `${whole} ${largeName} ${rest} ${smallName}`;
}

function trimZeros(text: string): string {
  const value = Number(text);
  return text.includes('e') ? String(value) : text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** Every digit: `1.530042 ms`, `21.400000001 s`. */
export function formatExactDuration(length: Duration): string {
  if (length < 0n) return `−${formatExactDuration(-length as Duration)}`;
  for (const { size, name } of UNITS) {
    if (length < size) continue;
    const digits = size.toString().length - 1;
    const fraction = (length % size).toString().padStart(digits, '0').replace(/0+$/, '');
    return `${length / size}${fraction === '' ? '' : `.${fraction}`} ${name}`;
  }
  return `${length} ns`;
}

const SIZES: Readonly<Record<string, Duration>> = {
  ns: 1n as Duration,
  us: MICROSECOND,
  µs: MICROSECOND,
  μs: MICROSECOND,
  ms: MILLISECOND,
  s: SECOND,
  m: MINUTE,
  min: MINUTE,
  h: HOUR,
  d: DAY,
};

/** Reads what a person types: `250ms`, `1.5 s`, `2m`; a bare number is milliseconds. `null` when it is none. */
export function parseDuration(text: string): Duration | null {
  const match = /^\s*(\d+)(?:\.(\d+))?\s*([a-zµμ]*)\s*$/i.exec(text);
  if (match === null) return null;
  const [, whole, fraction = '', name] = match;
  const size = SIZES[name === '' ? 'ms' : name!.toLowerCase()];
  if (size === undefined) return null;
  const scale = 10n ** BigInt(fraction.length);
  const length = (BigInt(whole!) * size + (BigInt(fraction || '0') * size) / scale) as Duration;
  return length <= 9_223_372_036_854_775_807n ? length : null;
}

/** The shortest text that {@link parseDuration} reads back as the same length: `250ms`, `1.5s`. */
export function durationText(length: Duration): string {
  return formatExactDuration(length).replace(' ', '').replace('µ', 'u');
}
