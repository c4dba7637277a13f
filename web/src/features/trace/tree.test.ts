import { describe, expect, it } from 'vitest';
import type { Span } from '@/api/traces';
import { nanos } from '@/base/nanos';
import { ancestorsOf, buildTree, rootOf, visibleNodes } from './tree';

/** A span from `id`, parent, start and end in nanoseconds after a common start. */
function span(
  id: string,
  parent: string | null,
  start: number,
  end: number | null,
  more: Partial<Span> = {},
): Span {
  return {
    trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
    span_id: id,
    parent_span_id: parent,
    process_id: '00000000-0000-0000-0000-000000000001',
    service_name: 'shop',
    name: id,
    kind: 'INTERNAL',
    start_time: nanos(String(1_763_726_729_000_000_000n + BigInt(start))),
    end_time: end === null ? null : nanos(String(1_763_726_729_000_000_000n + BigInt(end))),
    status_code: 'UNSET',
    status_message: '',
    scope_name: '',
    scope_version: '',
    trace_state: '',
    flags: 1,
    attributes: [],
    events: [],
    links: [],
    dropped_attributes_count: 0,
    dropped_events_count: 0,
    dropped_links_count: 0,
    ...more,
  };
}

/** The tree as text: `a(b(c)d)?x(e)`, where `?` stands before a missing parent. */
function shape(spans: Span[]): string {
  const { nodes } = buildTree(spans);
  const text = (index: number): string => {
    const node = nodes[index]!;
    let children = '';
    for (let at = index + 1; at < index + node.size; at += nodes[at]!.size) children += text(at);
    return `${node.span === null ? '?' : ''}${node.spanId}${children === '' ? '' : `(${children})`}`;
  };
  let all = '';
  for (let at = 0; at < nodes.length; at += nodes[at]!.size) all += text(at);
  return all;
}

describe('buildTree', () => {
  it.each<[string, Span[], string]>([
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

  it('keeps the complete record of a span that came twice', () => {
    const tree = buildTree([
      span('a', null, 0, null),
      span('a', null, 0, 10),
      span('a', null, 0, null),
      span('b', 'a', 1, 2, { name: 'first' }),
      span('b', 'a', 1, 3, { name: 'second' }),
    ]);
    expect(tree.duplicates).toBe(3);
    expect(tree.spanCount).toBe(2);
    expect(tree.nodes.map(({ span }) => [span?.name, span?.end_time === null])).toEqual([
      ['a', false],
      ['second', false],
    ]);
  });

  it('measures from the earliest start to the latest end', () => {
    const tree = buildTree([span('a', null, 100, 200), span('b', 'a', 40, 500), span('c', 'a', 150, null)]);
    expect(tree.duration).toBe(460n);
    expect(tree.start).toBe(1_763_726_729_000_000_040n);
    const at = (id: string) => tree.nodes[tree.indexOf(id)!]!;
    expect([at('a').start, at('a').end]).toEqual([60, 160]);
    expect([at('c').start, at('c').end]).toEqual([110, 460]);
    expect(tree.open).toEqual([at('c').index]);
    expect(tree.early).toEqual([at('b').index]);
    expect(at('c').marks).toEqual({ failed: false, open: true, early: false, cyclic: false });
  });

  it('gives a missing parent the time of its children', () => {
    const tree = buildTree([span('a', null, 0, 100), span('b', 'x', 20, 30), span('c', 'x', 40, 90)]);
    const missing = tree.nodes[tree.indexOf('x')!]!;
    expect([missing.start, missing.end, missing.span]).toEqual([20, 90, null]);
    expect(tree.missing).toEqual([missing.index]);
    expect(tree.roots).toEqual([0]);
    expect(rootOf(tree).span_id).toBe('a');
  });

  it('counts services and errors', () => {
    const failed = { status_code: 'ERROR', service_name: 'cart' } as const;
    const tree = buildTree([span('a', null, 0, 9), span('b', 'a', 1, 2), span('c', 'a', 2, 3, failed)]);
    expect(tree.services).toEqual([
      { service: 'shop', spans: 2, errors: 0 },
      { service: 'cart', spans: 1, errors: 1 },
    ]);
    expect(tree.failed).toEqual([2]);
  });

  it('stands spans without duration, and one with its end before its start', () => {
    const tree = buildTree([span('a', null, 5, 5), span('b', 'a', 5, 3)]);
    expect(tree.duration).toBe(0n);
    expect(tree.length).toBe(1);
  });

  it('is deep and wide without recursion', () => {
    const chain = Array.from({ length: 50_000 }, (_, i) =>
      span(`c${i}`, i === 0 ? null : `c${i - 1}`, i, 100_000),
    );
    const fan = Array.from({ length: 50_000 }, (_, i) => span(`f${i}`, 'c0', i, i + 1));
    const tree = buildTree([...chain, ...fan]);
    expect(tree.nodes).toHaveLength(100_000);
    expect(tree.depth).toBe(49_999);
    expect(tree.nodes[0]!.size).toBe(100_000);
    expect(ancestorsOf(tree, tree.indexOf('c49999')!)).toHaveLength(49_999);
  });
});

it('hides what is below a collapsed span', () => {
  const tree = buildTree([
    span('a', null, 0, 10),
    span('b', 'a', 1, 5),
    span('c', 'b', 2, 3),
    span('d', 'a', 6, 7),
    span('e', null, 8, 9),
  ]);
  const ids = (collapsed: string[]) =>
    [...visibleNodes(tree, new Set(collapsed.map((id) => tree.indexOf(id)!)))]
      .map((at) => tree.nodes[at]!.spanId)
      .join('');
  expect(ids([])).toBe('abcde');
  expect(ids(['b'])).toBe('abde');
  expect(ids(['a'])).toBe('ae');
  expect(ids(['a', 'b', 'e'])).toBe('ae');
});
