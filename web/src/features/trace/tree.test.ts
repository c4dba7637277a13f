import { describe, expect, it } from 'vitest';
import { longId, type MadeSpan, outlineOf, shortId, made as span } from './outline.fixture';
import { ancestorsOf, rootOf, TraceTree, visibleNodes } from './tree';

const treeOf = (spans: MadeSpan[]) => new TraceTree(outlineOf(spans));
const indexOf = (tree: TraceTree, id: string) => tree.indexOf(longId(id))!;

/** The tree as text: `a(b(c)d)?x(e)`, where `?` stands before a missing parent. */
function shape(spans: MadeSpan[]): string {
  const tree = treeOf(spans);
  const text = (index: number): string => {
    const node = tree.node(index)!;
    let children = '';
    for (let at = index + 1; at < index + node.size; at += tree.sizes[at]!) children += text(at);
    return `${node.span === null ? '?' : ''}${shortId(node.spanId)}${children === '' ? '' : `(${children})`}`;
  };
  let all = '';
  for (let at = 0; at < tree.count; at += tree.sizes[at]!) all += text(at);
  return all;
}

describe('TraceTree', () => {
  it.each<[string, MadeSpan[], string]>([
    ['one span', [span('a', null, 0, 10)], 'a'],
    [
      'children by start',
      [span('a', null, 0, 10), span('b', 'a', 5, 6), span('c', 'a', 1, 4), span('d', 'b', 5, 6)],
      'a(cb(d))',
    ],
    [
      'children that come first',
      [span('c', 'b', 2, 3), span('b', 'a', 1, 4), span('a', null, 0, 10)],
      'a(b(c))',
    ],
    ['equal starts by id', [span('b', 'a', 0, 1), span('c', 'a', 0, 1), span('a', null, 0, 1)], 'a(bc)'],
    ['several roots', [span('a', null, 0, 10), span('b', null, 5, 20), span('c', 'b', 6, 7)], 'ab(c)'],
    [
      'orphans share the parent that is missing',
      [span('a', null, 0, 10), span('b', 'x', 2, 3), span('c', 'x', 4, 5)],
      'a?x(bc)',
    ],
    ['only orphans', [span('b', 'x', 2, 3), span('c', 'y', 4, 5)], '?x(b)?y(c)'],
    ['a span that is its own parent', [span('a', 'a', 0, 10), span('b', 'a', 1, 2)], 'a(b)'],
    [
      'a ring',
      [span('a', 'c', 0, 1), span('b', 'a', 1, 2), span('c', 'b', 2, 3), span('d', 'c', 2, 3)],
      'a(b(c(d)))',
    ],
    ['a ring beside a tree', [span('r', null, 0, 9), span('p', 'q', 1, 2), span('q', 'p', 2, 3)], 'rp(q)'],
    [
      'a tail on a ring, tail first',
      [span('t', 'b', 0, 1), span('a', 'b', 1, 2), span('b', 'a', 2, 3)],
      'a(b(t))',
    ],
  ])('%s', (_, spans, expected) => {
    expect(shape(spans)).toBe(expected);
  });

  it('measures from the earliest start to the latest end', () => {
    const tree = treeOf([span('a', null, 100, 200), span('b', 'a', 40, 500), span('c', 'a', 150, null)]);
    expect(tree.duration).toBe(460n);
    expect(tree.start).toBe(1_763_726_729_000_000_040n);
    const at = (id: string) => tree.node(indexOf(tree, id))!;
    expect([at('a').start, at('a').end]).toEqual([60, 160]);
    expect([at('c').start, at('c').end]).toEqual([110, 460]);
    expect(tree.open).toEqual([at('c').index]);
    expect(tree.early).toEqual([at('b').index]);
    expect(at('c').marks).toEqual({ failed: false, open: true, early: false, cyclic: false });
  });

  it('gives a missing parent the time of its children', () => {
    const tree = treeOf([span('a', null, 0, 100), span('b', 'x', 20, 30), span('c', 'x', 40, 90)]);
    const missing = tree.node(indexOf(tree, 'x'))!;
    expect([missing.start, missing.end, missing.span]).toEqual([20, 90, null]);
    expect(tree.missing).toEqual([missing.index]);
    expect(tree.roots).toEqual([0]);
    expect(rootOf(tree).spanId).toBe(longId('a'));
  });

  it('counts services and errors', () => {
    const failed = { failed: true, service: 'cart' };
    const tree = treeOf([span('a', null, 0, 9), span('b', 'a', 1, 2), span('c', 'a', 2, 3, failed)]);
    expect(tree.services).toEqual([
      { service: 'shop', spans: 2, errors: 0 },
      { service: 'cart', spans: 1, errors: 1 },
    ]);
    expect(tree.failed).toEqual([2]);
  });

  it('stands spans without duration, and one with its end before its start', () => {
    const tree = treeOf([span('a', null, 5, 5), span('b', 'a', 5, 3)]);
    expect(tree.duration).toBe(0n);
    expect(tree.length).toBe(1);
  });

  it('is deep and wide without recursion', () => {
    const chain = Array.from({ length: 50_000 }, (_, i) =>
      span(`c${i}`, i === 0 ? null : `c${i - 1}`, i, 100_000),
    );
    const fan = Array.from({ length: 50_000 }, (_, i) => span(`f${i}`, 'c0', i, i + 1));
    const tree = treeOf([...chain, ...fan]);
    expect(tree.count).toBe(100_000);
    expect(tree.depth).toBe(49_999);
    expect(tree.node(0)!.size).toBe(100_000);
    expect(ancestorsOf(tree, indexOf(tree, 'c49999'))).toHaveLength(49_999);
  });
});

it('hides what is below a collapsed span', () => {
  const tree = treeOf([
    span('a', null, 0, 10),
    span('b', 'a', 1, 5),
    span('c', 'b', 2, 3),
    span('d', 'a', 6, 7),
    span('e', null, 8, 9),
  ]);
  const ids = (collapsed: string[]) =>
    [...visibleNodes(tree, new Set(collapsed.map((id) => indexOf(tree, id))))]
      .map((at) => shortId(tree.node(at)!.spanId))
      .join('');
  expect(ids([])).toBe('abcde');
  expect(ids(['b'])).toBe('abde');
  expect(ids(['a'])).toBe('ae');
  expect(ids(['a', 'b', 'e'])).toBe('ae');
});
