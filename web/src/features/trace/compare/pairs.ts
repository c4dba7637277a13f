import { flameGraph, selfTimes } from '../analysis';
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
  /** Tells pairs apart. */
  id: number;
  /** `null` for spans that are missing. */
  service: string | null;
  name: string;
  depth: number;
  a: Side | null;
  b: Side | null;
  children: Pair[];
}

/** Pairs by service and name: `null` for spans that are missing. */
type Among = Map<string | null, Map<string, Pair>>;

/** Puts two traces beside each other: paths of the same services and names are the same. */
export function pairsOf(a: TraceTree, b: TraceTree): Pair[] {
  const tops: Among = new Map();
  const list: Pair[] = [];
  /** What is below each pair, while both traces are walked. */
  const below = new Map<Pair, Among>();
  let count = 0;
  const add = (tree: TraceTree, which: 'a' | 'b') => {
    const top = flameGraph(tree, selfTimes(tree));
    const pending = top.children.map((frame) => ({ frame, among: tops, list }));
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { frame, among } = next;
      const service = frame.service < 0 ? null : tree.outline.services[frame.service]!;
      const name = frame.name < 0 ? '' : tree.outline.names[frame.name]!;
      let ofService = among.get(service);
      if (ofService === undefined) {
        ofService = new Map();
        among.set(service, ofService);
      }
      let pair = ofService.get(name);
      if (pair === undefined) {
        pair = { id: count++, service, name, depth: frame.depth - 1, a: null, b: null, children: [] };
        ofService.set(name, pair);
        below.set(pair, new Map());
        next.list.push(pair);
      }
      const { spans, errors, total, self, example } = frame;
      pair[which] = { spans, errors, total, self, example };
      for (const child of frame.children)
        pending.push({ frame: child, among: below.get(pair)!, list: pair.children });
    }
  };
  add(a, 'a');
  add(b, 'b');
  sort(list);
  return list;
}

/** Pairs that differ in the number of spans or errors, and those above them. */
export function differing(pairs: readonly Pair[]): Set<number> {
  const ids = new Set<number>();
  const all = rowsOf(pairs, new Set());
  // From the last row back, a pair comes after all below it.
  for (const pair of all.reverse()) {
    const { a, b, children } = pair;
    if (a?.spans !== b?.spans || a?.errors !== b?.errors || children.some(({ id }) => ids.has(id)))
      ids.add(pair.id);
  }
  return ids;
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
export function rowsOf(pairs: readonly Pair[], collapsed: ReadonlySet<number>): Pair[] {
  const rows: Pair[] = [];
  const pending = [...pairs].reverse();
  for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
    rows.push(pair);
    if (collapsed.has(pair.id)) continue;
    for (let at = pair.children.length - 1; at >= 0; at--) pending.push(pair.children[at]!);
  }
  return rows;
}

/** Operations by how much time of their own they took more, or less, in the second trace: the greatest first. */
export function operationsThatDiffer(
  pairs: readonly Pair[],
): { service: string; name: string; by: number }[] {
  const operations = new Map<string, Map<string, { service: string; name: string; by: number }>>();
  for (const pair of rowsOf(pairs, new Set())) {
    if (pair.service === null) continue;
    const by = difference(pair, 'self');
    let ofService = operations.get(pair.service);
    if (ofService === undefined) {
      ofService = new Map();
      operations.set(pair.service, ofService);
    }
    const known = ofService.get(pair.name);
    if (known === undefined) ofService.set(pair.name, { service: pair.service, name: pair.name, by });
    else known.by += by;
  }
  return [...operations.values()]
    .flatMap((ofService) => [...ofService.values()])
    .filter(({ by }) => by !== 0)
    .sort((x, y) => Math.abs(y.by) - Math.abs(x.by));
}
