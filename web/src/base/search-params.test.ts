import { expect, it } from 'vitest';
import { formatSearchParams, listParam, parseSearchParams, textParam } from './search-params';

it('round-trips what a link holds', () => {
  const params = {
    service: 'cart & co',
    from: '2026-01-31T12:00:00.000000001Z',
    attr: ['http.route=/cart/{id}', 'q=a=b&c+d', 'emoji=🏠'],
  };
  const text = formatSearchParams(params);
  expect(text).toContain('from=2026-01-31T12:00:00.000000001Z');
  expect(parseSearchParams(text)).toEqual(params);
});

it('keeps numbers as text and leaves out what is not there', () => {
  expect(parseSearchParams('?span=0012&n=1e5')).toEqual({ span: '0012', n: '1e5' });
  expect(formatSearchParams({ a: undefined, b: '' })).toBe('?b=');
  expect(formatSearchParams({})).toBe('');
  expect(formatSearchParams({ broken: '\ud800' })).toBe('?broken=%EF%BF%BD');
});

it('reads one or several', () => {
  expect(textParam(['a', 'b'])).toBe('a');
  expect(textParam('')).toBeUndefined();
  expect(textParam(5)).toBeUndefined();
  expect(listParam('a')).toEqual(['a']);
  expect(listParam(undefined)).toEqual([]);
});
