/** Values of metrics as people read them: units in the form of OpenTelemetry (UCUM). Plain numbers: for reading only. */

import { formatBytes } from './sizes';

const LARGE: readonly (readonly [number, string])[] = [
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
];

/** Seconds that a unit of time has. */
const SECONDS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  ms: 1e-3,
  s: 1,
  min: 60,
  h: 3_600,
  d: 86_400,
};

const TIMES: readonly (readonly [number, string])[] = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
  [1e-3, 'ms'],
  [1e-6, 'µs'],
  [1e-9, 'ns'],
];

/** `1.53 MiB`, `12.3 ms`, `4.1k {request}` without the braces; `perSecond` for rates. */
export function formatMeasure(value: number, unit: string, perSecond = false): string {
  const rate = perSecond ? '/s' : '';
  const seconds = SECONDS[unit];
  if (seconds !== undefined && !perSecond) return scaled(value * seconds, TIMES);
  if (unit === 'By' || unit === 'byte' || unit === 'bytes') {
    return `${value < 0 ? '−' : ''}${formatBytes(Math.abs(value))}${rate}`;
  }
  if (unit === '%') return `${digits(value)} %${rate}`;
  const number = scaled(value, LARGE);
  const name = unit === '1' ? '' : unit.replaceAll(/[{}]/g, '');
  return name === '' ? `${number}${rate}` : `${number} ${name}${rate}`;
}

function scaled(value: number, units: readonly (readonly [number, string])[]): string {
  const size = Math.abs(value);
  const isTime = units === TIMES;
  const found = units.find(([unit]) => size >= unit) ?? (isTime && size > 0 ? units.at(-1) : undefined);
  if (found === undefined) return isTime ? '0 s' : digits(value);
  return `${digits(value / found[0])}${isTime ? ' ' : ''}${found[1]}`;
}

/** Three digits that count. */
function digits(value: number): string {
  if (value === 0) return '0';
  const text = Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
  return text.includes('e') ? String(Number(text)) : text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
