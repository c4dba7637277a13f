import { expect, it } from 'vitest';
import { formatMeasure } from './measures';

it.each([
  [0, 'By', false, '0 B'],
  [512, 'By', false, '512 B'],
  [1_610_612_736, 'By', false, '1.5 GiB'],
  [2_048, 'By', true, '2 KiB/s'],
  [0.0123, 's', false, '12.3 ms'],
  [12.3, 'ms', false, '12.3 ms'],
  [90, 's', false, '1.5 min'],
  [0, 'ms', false, '0 s'],
  [1e-12, 's', false, '0.001 ns'],
  [12_345, '{request}', true, '12.3k request/s'],
  [0.5, '1', false, '0.5'],
  [-3.25, '', false, '-3.25'],
  [97.25, '%', false, '97.3 %'],
  [1234.5, '', false, '1.23k'],
  [250, '', false, '250'],
])('%d of %s, per second: %s, is %s', (value, unit, perSecond, expected) => {
  expect(formatMeasure(value, unit, perSecond)).toBe(expected);
});
