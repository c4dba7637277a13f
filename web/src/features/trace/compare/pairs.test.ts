import { expect, it } from 'vitest';
import { type MadeSpan, outlineOf, made as span } from '../outline.fixture';
import { TraceTree } from '../tree';
import { difference, differing, operationsThatDiffer, type Pair, pairsOf, rowsOf } from './pairs';

const treeOf = (spans: MadeSpan[]) => new TraceTree(outlineOf(spans));

const quick = treeOf([
  span('a', null, 0, 100, { name: 'checkout' }),
  span('b', 'a', 0, 40, { name: 'pay' }),
  span('c', 'a', 50, 60, { name: 'mail' }),
]);
const slow = treeOf([
  span('a', null, 1000, 1400, { name: 'checkout' }),
  span('b', 'a', 1000, 1040, { name: 'pay' }),
  span('c', 'a', 1050, 1350, { name: 'pay' }),
  span('d', 'c', 1100, 1300, { name: 'retry', failed: true }),
]);

const text = (pair: Pair) =>
  `${'.'.repeat(pair.depth)}${pair.name} ${pair.a?.spans ?? '-'}/${pair.b?.spans ?? '-'} ${difference(pair, 'total')}`;

it('puts the same paths beside each other, the greatest difference first', () => {
  const pairs = pairsOf(quick, slow);
  expect(rowsOf(pairs, new Set()).map(text)).toEqual([
    'checkout 1/1 300',
    '.pay 1/2 300',
    '..retry -/1 200',
    '.mail 1/- -10',
  ]);
  expect(rowsOf(pairs, new Set([pairs[0]!.children[0]!.id])).map(({ name }) => name)).toEqual([
    'checkout',
    'pay',
    'mail',
  ]);
});

it('tells which pairs differ, and those above them', () => {
  const names = (a: TraceTree, b: TraceTree) => {
    const pairs = pairsOf(a, b);
    const ids = differing(pairs);
    return rowsOf(pairs, new Set())
      .filter(({ id }) => ids.has(id))
      .map(({ name }) => name);
  };
  expect(names(quick, slow)).toEqual(['checkout', 'pay', 'retry', 'mail']);
  expect(names(quick, quick)).toEqual([]);
});

it('tells where the time went', () => {
  expect(operationsThatDiffer(pairsOf(quick, slow))).toEqual([
    { service: 'shop', name: 'retry', by: 200 },
    { service: 'shop', name: 'pay', by: 100 },
    { service: 'shop', name: 'checkout', by: 10 },
    { service: 'shop', name: 'mail', by: -10 },
  ]);
  expect(operationsThatDiffer(pairsOf(slow, slow))).toEqual([]);
});

it('keeps names apart that contain each other’s marks', () => {
  const one = treeOf([span('a', null, 0, 1, { name: 'x\u0001y' }), span('b', 'a', 0, 1, { name: 'z' })]);
  const other = treeOf([span('a', null, 0, 1, { name: 'x' }), span('b', 'a', 0, 1, { name: 'z' })]);
  expect(pairsOf(one, other)).toHaveLength(2);
});

it('is deep without holding each path', () => {
  const chain = treeOf(
    Array.from({ length: 20_000 }, (_, i) => span(`c${i}`, i === 0 ? null : `c${i - 1}`, i, 100_000)),
  );
  expect(rowsOf(pairsOf(chain, chain), new Set())).toHaveLength(20_000);
});
