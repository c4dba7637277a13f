import { type Frame, flameGraph, selfTimes } from '../analysis';
import type { TraceTree } from '../tree';

/** What one of two traces did along a path. */
export interface Side {
  spans: number;
  errors: number;
  /** Nanoseconds: the sum of the durations, and of the time of their own. */
  total: number;
  self: number;
  /** The node that lasted longest. */
  example: number;
}

/** A path of calls, and what both traces did along it; `null` for a trace that did not take it. */
export interface Pair {
  /** The texts of the path. */
  key: string;
  /** `null` for spans that are missing. */
  service: string | null;
  name: string;
  depth: number;
  a: Side | null;
  b: Side | null;
  children: Pair[];
}

/** Puts two traces beside each other: paths of the same services and names are the same. */
export function pairsOf(a: TraceTree, b: TraceTree): Pair[] {
  const tops = new Map<string, Pair>();
  const add = (tree: TraceTree, which: 'a' | 'b') => {
    const top = flameGraph(tree, selfTimes(tree));
    const pending: { frame: Frame; among: Map<string, Pair>; above: string; list: Pair[] | null }[] =
      top.children.map((frame) => ({ frame, among: tops, above: '', list: null }));
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { frame, among, above, list } = next;
      const service = frame.service < 0 ? null : tree.outline.services[frame.service]!;
      const name = frame.name < 0 ? '' : tree.outline.names[frame.name]!;
      const key = `${above}\u0002${service ?? '\u0003'}\u0001${name}`;
      let pair = among.get(key);
      if (pair === undefined) {
        pair = { key, service, name, depth: frame.depth - 1, a: null, b: null, children: [] };
        among.set(key, pair);
        list?.push(pair);
      }
      const { spans, errors, total, self, example } = frame;
      pair[which] = { spans, errors, total, self, example };
      const below = new Map(pair.children.map((child) => [child.key, child]));
      for (const child of frame.children)
        pending.push({ frame: child, among: below, above: key, list: pair.children });
    }
  };
  add(a, 'a');
  add(b, 'b');
  const pairs = [...tops.values()];
  sort(pairs);
  return pairs;
}

/** How much longer the second trace was there. */
export function difference(pair: Pair, of: 'total' | 'self'): number {
  return (pair.b?.[of] ?? 0) - (pair.a?.[of] ?? 0);
}

/** The greatest differences first. */
function sort(tops: Pair[]) {
  const pending = [tops];
  for (let pairs = pending.pop(); pairs !== undefined; pairs = pending.pop()) {
    pairs.sort((x, y) => Math.abs(difference(y, 'total')) - Math.abs(difference(x, 'total')));
    for (const { children } of pairs) if (children.length > 0) pending.push(children);
  }
}

/** All pairs below and among these, parents first, but for what is collapsed. */
export function rowsOf(pairs: readonly Pair[], collapsed: ReadonlySet<string>): Pair[] {
  const rows: Pair[] = [];
  const pending = [...pairs].reverse();
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    rows.push(pair);
    if (collapsed.has(pair.key)) continue;
    for (let at = pair.children.length - 1; at >= 0; at--) pending.push(pair.children[at]!);
  }
  return rows;
}

/** Operations by how much time of their own they took more, or less, in the second trace: the greatest first. */
export function operationsThatDiffer(
  pairs: readonly Pair[],
): { service: string; name: string; by: number }[] {
  const operations = new Map<string, { service: string; name: string; by: number }>();
  for (const pair of rowsOf(pairs, new Set())) {
    if (pair.service === null) continue;
    const key = `${pair.service}\u0001${pair.name}`;
    const known = operations.get(key);
    const by = difference(pair, 'self');
    if (known === undefined) operations.set(key, { service: pair.service, name: pair.name, by });
    else known.by += by;
  }
  return [...operations.values()]
    .filter(({ by }) => by !== 0)
    .sort((x, y) => Math.abs(y.by) - Math.abs(x.by));
}
