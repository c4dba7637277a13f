import { describe, expect, it } from 'vitest';
import { analyse, criticalPath, type Frame, flameGraph, groupsOf, selfTimes } from './analysis';
import { longId, type MadeSpan, outlineOf, shortId, made as span } from './outline.fixture';
import { TraceTree } from './tree';

const treeOf = (spans: MadeSpan[]) => new TraceTree(outlineOf(spans));

/** Numbers by the span's id. */
function byId(tree: TraceTree, numbers: Float64Array): Record<string, number> {
  return Object.fromEntries([...numbers].map((number, at) => [shortId(tree.node(at)!.spanId), number]));
}

describe('self times', () => {
  it('are what no child covers, where children overlap counted once', () => {
    const tree = treeOf([
      span('a', null, 0, 100),
      span('b', 'a', 10, 40),
      span('c', 'a', 30, 60),
      span('d', 'c', 35, 50),
      span('e', 'a', 45, 50),
      span('f', 'a', 90, 150),
    ]);
    expect(byId(tree, selfTimes(tree))).toEqual({ a: 40, b: 30, c: 15, d: 15, e: 5, f: 60 });
  });

  it('are never negative', () => {
    const tree = treeOf([span('a', null, 10, 20), span('b', 'a', 0, 15), span('c', 'a', 12, 5)]);
    expect(byId(tree, selfTimes(tree))).toEqual({ a: 5, b: 15, c: 0 });
  });

  it('of a missing parent are nothing', () => {
    const tree = treeOf([span('a', 'x', 0, 10)]);
    expect(byId(tree, selfTimes(tree))).toEqual({ x: 0, a: 10 });
  });
});

describe('the critical path', () => {
  const pathOf = (spans: MadeSpan[]) => {
    const tree = treeOf(spans);
    const told = [...criticalPath(tree, 0)].flatMap(([index, stretches]) =>
      stretches.map(({ from, to }) => ({ id: shortId(tree.node(index)!.spanId), from, to })),
    );
    return told
      .sort((a, b) => a.from - b.from)
      .map(({ id, from, to }) => `${id} ${from}-${to}`)
      .join(', ');
  };

  it.each<[string, MadeSpan[], string]>([
    ['one span', [span('a', null, 0, 10)], 'a 0-10'],
    [
      'one after the other',
      [span('a', null, 0, 100), span('b', 'a', 10, 40), span('c', 'a', 50, 90)],
      'a 0-10, b 10-40, a 40-50, c 50-90, a 90-100',
    ],
    [
      'the longer of two side by side',
      [span('a', null, 0, 100), span('b', 'a', 10, 90), span('c', 'a', 10, 60)],
      'a 0-10, b 10-90, a 90-100',
    ],
    [
      'within the child that was waited for',
      [span('a', null, 0, 100), span('b', 'a', 20, 100), span('c', 'b', 30, 70), span('d', 'c', 30, 70)],
      'a 0-20, b 20-30, d 30-70, b 70-100',
    ],
    [
      'a child that ends after its parent counts up to there',
      [span('a', null, 0, 100), span('b', 'a', 50, 200)],
      'a 0-50, b 50-100',
    ],
    [
      'a child that begins before its parent counts from there',
      [span('a', null, 10, 100), span('b', 'a', 0, 50)],
      // Times are told from the start of the earliest span.
      'b 10-50, a 50-100',
    ],
    ['an open span reaches the end', [span('a', null, 0, null), span('b', 'a', 10, 40)], 'a 0-10, b 10-40'],
  ])('%s', (_, spans, expected) => {
    expect(pathOf(spans)).toBe(expected);
  });

  it('adds up to the duration of the root, however deep', () => {
    const chain = Array.from({ length: 20_000 }, (_, i) =>
      span(`c${i}`, i === 0 ? null : `c${i - 1}`, i, 100_000 - i),
    );
    const tree = treeOf(chain);
    const { critical } = analyse(tree, 0);
    expect(critical.reduce((sum, length) => sum + length, 0)).toBe(100_000);
  });
});

it('groups spans by operation and by service', () => {
  const tree = treeOf([
    span('a', null, 0, 100, { name: 'job' }),
    span('b', 'a', 0, 30, { name: 'step', service: 'cart' }),
    span('c', 'a', 30, 90, { name: 'step', service: 'cart', failed: true }),
    span('d', 'x', 95, null, { name: 'late', service: 'cart' }),
  ]);
  const analysis = analyse(tree, 0);
  const step = groupsOf(tree, analysis, true).find(({ name }) => name === 'step')!;
  expect(step).toMatchObject({ service: 'cart', spans: 2, errors: 1, total: 90, longest: 60, self: 90 });
  expect(step.critical).toBe(90);
  expect(step.example).toBe(tree.indexOf(longId('c')));
  const services = groupsOf(tree, analysis, false).map(({ service, spans, total }) => [
    service,
    spans,
    total,
  ]);
  expect(services).toEqual([
    ['shop', 1, 100],
    ['cart', 3, 95],
  ]);
});

it('puts equal siblings of a flame graph together', () => {
  const tree = treeOf([
    span('a', null, 0, 100, { name: 'job' }),
    span('b', 'a', 0, 30, { name: 'step' }),
    span('c', 'a', 20, 60, { name: 'step', failed: true }),
    span('d', 'c', 20, 50, { name: 'load' }),
    span('e', 'y', 10, 20, { name: 'job' }),
  ]);
  const text = ({ name, service, children, spans, errors, value }: Frame): string =>
    `${service < 0 ? '?' : tree.outline.names[name]}×${spans}${errors > 0 ? '!' : ''}=${value}` +
    (children.length === 0 ? '' : `(${children.map(text).join(' ')})`);
  // Side by side counts twice: 40 of its own, and 30 and 40 of the steps.
  const top = flameGraph(tree, selfTimes(tree));
  expect(top.children.map(text)).toEqual(['job×1=110(step×2!=70(load×1=30))', '?×1=10(job×1=10)']);
  expect(top.value).toBe(120);
});
