import { expect, it } from 'vitest';
import { readAttribute } from '@/base/trace-search';
import { suggestionsFor } from './suggestions';

const survey = [
  { key: 'http.route', values: ['/cart', '/api/cart', '/checkout'] },
  { key: 'customer.tier', values: ['gold', 'basic'] },
  { key: 'http.route', values: ['/cart'] },
  { key: 'note', values: ['', ' padded ', '"quoted"'] },
];
const texts = (typed: string) => suggestionsFor(typed, survey).map(({ text }) => text);

it('offers keys at first, each once', () => {
  expect(texts('')).toEqual(['http.route=', 'customer.tier=', 'note=']);
});

it('offers keys and values that contain what is typed, what begins with it first', () => {
  expect(texts('t')).toEqual([
    'http.route=',
    'customer.tier=',
    'note=',
    'http.route=/cart',
    'http.route=/api/cart',
    'http.route=/checkout',
    'note=""quoted""',
  ]);
  expect(texts('GOLD')).toEqual(['customer.tier=gold']);
  expect(texts('/cart')).toEqual(['http.route=/cart', 'http.route=/api/cart']);
});

it('offers the values of a key', () => {
  expect(texts('http.route=')).toEqual(['http.route=/cart', 'http.route=/api/cart', 'http.route=/checkout']);
  expect(texts(' http.route = /c')).toEqual([
    'http.route=/cart',
    'http.route=/checkout',
    'http.route=/api/cart',
  ]);
  expect(texts('unknown=')).toEqual([]);
});

it('offers values so that they are read back as they are', () => {
  for (const { text, key, value } of suggestionsFor('note=', survey))
    expect(readAttribute(text)).toEqual({ key, value });
});
