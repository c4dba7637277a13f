import { expect, it } from 'vitest';
import {
  type CellColumn,
  type CellType,
  compareCells,
  formatCell,
  momentOf,
  numberOf,
  unitOf,
} from './cells';

const column = (type: CellType, name = 'c'): CellColumn => ({ name, type });

it('shows values exactly', () => {
  expect(formatCell(column('timestamp'), '1769860800000000001', 'utc')).toContain('.000000001');
  expect(formatCell(column('bigint'), '9223372036854775807', 'utc')).toBe('9223372036854775807');
  expect(formatCell(column('map'), [{ key: 'k', value: '1' }], 'utc')).toBe('[{"key":"k","value":"1"}]');
  expect(formatCell(column('text'), null, 'utc')).toBe('NULL');
  expect(formatCell(column('text'), '', 'utc')).toBe('');
});

it('sorts numbers as numbers and puts what is missing last', () => {
  const sorted = (type: CellType, values: unknown[]) =>
    values.sort((a, b) => compareCells(column(type), a, b));
  expect(sorted('bigint', ['10', null, '9', '9223372036854775807', '9223372036854775806'])).toEqual([
    '9',
    '10',
    '9223372036854775806',
    '9223372036854775807',
    null,
  ]);
  expect(sorted('double', [2, 'NaN', 'Infinity', -1, '-Infinity'])).toEqual([
    '-Infinity',
    -1,
    2,
    'Infinity',
    'NaN',
  ]);
  expect(sorted('text', ['b', 'B', 'a'])).toEqual(['B', 'a', 'b']);
});

it('reads what is drawn', () => {
  expect(numberOf('12')).toBe(12);
  expect(numberOf('NaN')).toBeNull();
  expect(numberOf(null)).toBeNull();
  expect(momentOf(column('date'), '2026-01-31')).toBe(1_769_817_600_000_000_000n);
  expect(unitOf(column('double', 'p99_ns'))).toBe('ns');
  expect(unitOf(column('text', 'p99_ns'))).toBe('');
  expect(unitOf(column('bigint', 'body_bytes'))).toBe('By');
  expect(unitOf(column('bigint', 'count'))).toBe('');
});
