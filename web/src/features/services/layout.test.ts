import { expect, it } from 'vitest';
import type { CallFigures, ServiceEdge, ServiceNode } from '@/api/services';
import { layoutOf } from './layout';

const figures: CallFigures = { count: 1, errors: 0, p50: null, p95: null, p99: null };
const nodes = (names: string): ServiceNode[] =>
  [...names].map((name) => ({ kind: 'service', name, requests: figures }));
const edges = (names: string, pairs: string): ServiceEdge[] =>
  pairs
    .split(' ')
    .filter(Boolean)
    .map((pair) => ({ from: names.indexOf(pair[0]!), to: names.indexOf(pair[1]!), calls: figures }));
/** The names by column, from the top. */
const shape = (names: string, pairs: string) => {
  const { places, width, height } = layoutOf(nodes(names), edges(names, pairs));
  const columns = [...new Set(places.map(({ x }) => x))].sort((a, b) => a - b);
  for (const { x, y } of places) {
    expect(x >= 0 && x < width).toBe(true);
    expect(y >= 0 && y < height).toBe(true);
  }
  return columns
    .map((column) =>
      [...names]
        .map((name, at) => ({ name, ...places[at]! }))
        .filter(({ x }) => x === column)
        .sort((a, b) => a.y - b.y)
        .map(({ name }) => name)
        .join(''),
    )
    .join('|');
};

it.each([
  ['a', '', 'a'],
  ['ab', '', 'ab'],
  ['abc', 'ab bc', 'a|b|c'],
  ['abc', 'ab bc ac', 'a|b|c'],
  ['cba', 'ab ac', 'a|cb'],
  // Circles are cut where they come back.
  ['abc', 'ab bc ca', 'a|b|c'],
  ['rab', 'ra ab ba', 'r|a|b'],
  ['ab', 'aa ab', 'a|b'],
  // What is called by the upper one stands above.
  ['abxy', 'ay bx', 'ab|yx'],
])('%s: %s', (names, pairs, expected) => {
  expect(shape(names, pairs)).toBe(expected);
});

it('stands without services', () => {
  expect(layoutOf([], []).places).toEqual([]);
});
