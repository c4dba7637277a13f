/** Values of an answer in SQL: how they are read, compared and drawn. */

import { formatExactDuration } from './durations';
import { type Duration, duration, nanos } from './nanos';
import { formatExact, type Zone } from './times';

/** How the values of a column are written in JSON; see `QueryValueType` of the API. */
export type CellType =
  | 'boolean'
  | 'integer'
  | 'bigint'
  | 'double'
  | 'decimal'
  | 'text'
  | 'timestamp'
  | 'duration'
  | 'date'
  | 'time'
  | 'interval'
  | 'binary'
  | 'list'
  | 'struct'
  | 'map'
  | 'null';

/** A value as JSON carries it. */
export type Cell = unknown;

export interface CellColumn {
  name: string;
  type: CellType;
}

const NUMBERS: ReadonlySet<CellType> = new Set(['integer', 'bigint', 'double', 'decimal', 'duration']);
const MOMENTS: ReadonlySet<CellType> = new Set(['timestamp', 'date']);

export const isNumeric = (type: CellType): boolean => NUMBERS.has(type);
export const isMoment = (type: CellType): boolean => MOMENTS.has(type);

/** What a length of time is called in tables: `duration_ns`. */
const isLength = ({ name, type }: CellColumn): boolean =>
  type === 'duration' || (isNumeric(type) && name.endsWith('_ns'));

/** The value as a person reads it. Nothing is rounded. */
export function formatCell({ type }: CellColumn, value: Cell, zone: Zone): string {
  if (value === null || value === undefined) return 'NULL';
  if (type === 'timestamp') return formatExact(nanos(String(value)), zone);
  if (type === 'duration') return formatExactDuration(duration(String(value)));
  return plainCell(value);
}

/** The value as it is copied: what SQL would print. */
export function plainCell(value: Cell): string {
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The value as a number to draw; `null` when it is none. */
export function numberOf(value: Cell): number | null {
  if (value === null || value === undefined || value === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}

/** The moment of a value, in nanoseconds; `null` when it is none. */
export function momentOf({ type }: CellColumn, value: Cell): bigint | null {
  if (typeof value !== 'string') return null;
  if (type === 'timestamp') return BigInt(value);
  const millis = Date.parse(`${value}T00:00:00Z`);
  return Number.isNaN(millis) ? null : BigInt(millis) * 1_000_000n;
}

/** What the numbers of a column are, told by its type and name. */
export type Unit = 'ns' | 'By' | '';

export function unitOf(column: CellColumn): Unit {
  if (isLength(column)) return 'ns';
  return /(^|_)bytes$/.test(column.name) ? 'By' : '';
}

/** A length of time that a whole number stands for; `null` when the column holds something else. */
export function lengthOf(column: CellColumn, value: Cell): Duration | null {
  return column.type === 'bigint' && isLength(column) && typeof value === 'string' ? duration(value) : null;
}

/** Orders the values of a column; what is missing comes last. */
export function compareCells({ type }: CellColumn, a: Cell, b: Cell): number {
  const missing = Number(a === null || a === undefined) - Number(b === null || b === undefined);
  if (missing !== 0 || a === null || a === undefined) return missing;
  if (type === 'bigint' || type === 'timestamp' || type === 'duration') {
    const [x, y] = [BigInt(String(a)), BigInt(String(b))];
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (isNumeric(type)) {
    const [x, y] = [Number(a), Number(b)];
    // NaN is neither less nor greater: it comes after the other numbers.
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return x - y;
  }
  const [x, y] = [plainCell(a), plainCell(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}
