import type { Span } from '@/api/traces';
import { between, type Duration, type Nanos, toDrawable } from '@/base/nanos';

/** What is unusual about a span, each told on its row. */
export interface Marks {
  /** Status ERROR. */
  failed: boolean;
  /** No end was received. */
  open: boolean;
  /** It starts before its parent: the clocks of two computers differ, or the sender is wrong. */
  early: boolean;
  /** Its parents lead back to itself; it is shown as a root. */
  cyclic: boolean;
}

/** A row of the waterfall: a span, or the place of a parent that was not received. */
export interface TraceNode {
  /** `null` for a parent that spans name, but that is not here. */
  span: Span | null;
  spanId: string;
  /** Position in `TraceTree.nodes`. */
  index: number;
  /** Position of the parent; -1 for a root. */
  parent: number;
  depth: number;
  /** Nodes of the subtree, this one included: the subtree is `index` to `index + size`. */
  size: number;
  children: number;
  /** Nanoseconds from the start of the trace, for drawing. */
  start: number;
  /** The same for the end; an open span reaches the end of the trace. */
  end: number;
  marks: Marks;
}

/** A trace as a tree, parents before children, siblings in order of start. */
export interface TraceTree {
  nodes: TraceNode[];
  /** Position of a span; `undefined` when it is not here. */
  indexOf: (spanId: string) => number | undefined;
  start: Nanos;
  duration: Duration;
  /** `duration`, for drawing; never 0. */
  length: number;
  depth: number;
  services: readonly { service: string; spans: number; errors: number }[];
  spanCount: number;
  /** Positions of the nodes with each peculiarity. */
  failed: readonly number[];
  open: readonly number[];
  early: readonly number[];
  cyclic: readonly number[];
  roots: readonly number[];
  missing: readonly number[];
  /** Records of spans that were there already. */
  duplicates: number;
}

const NO_MARKS: Marks = { failed: false, open: false, early: false, cyclic: false };

/** Builds the tree in one pass per step: O(n), but for sorting spans that did not come in order. */
export function buildTree(received: readonly Span[]): TraceTree {
  const { spans, numbers } = distinct(received);
  const count = spans.length;
  const start = spans[0]!.start_time;
  let end = start;
  for (const { start_time, end_time } of spans) {
    const last = end_time ?? start_time;
    if (last > end) end = last;
  }
  const duration = between(start, end);
  const length = Math.max(1, toDrawable(duration));

  // Spans have the numbers of their order; parents that are missing, the numbers after.
  const ids = spans.map((span) => span.span_id);
  const parents = new Int32Array(count);
  for (let number = 0; number < count; number++) {
    const parentId = spans[number]!.parent_span_id;
    let parent = parentId === null ? -1 : numbers.get(parentId);
    if (parent === undefined) {
      parent = ids.push(parentId!) - 1;
      numbers.set(parentId!, parent);
    }
    parents[number] = parent;
  }
  const cyclic = cutCycles(parents);
  const family = linkChildren(parents, ids.length);

  const nodes: TraceNode[] = [];
  const positions = new Int32Array(ids.length);
  const found = { failed: [], open: [], early: [], cyclic: [], roots: [], missing: [] } as Record<
    'failed' | 'open' | 'early' | 'cyclic' | 'roots' | 'missing',
    number[]
  >;
  let depth = 0;
  const add = (number: number) => {
    const span = spans[number] ?? null;
    const parentNumber = parents[number] ?? -1;
    const parent = parentNumber < 0 ? -1 : positions[parentNumber]!;
    const above = nodes[parent];
    const index = nodes.length;
    const from = toDrawable(between(start, (span ?? spans[family.first[number]!]!).start_time));
    const node: TraceNode = {
      span,
      spanId: ids[number]!,
      index,
      parent,
      depth: above === undefined ? 0 : above.depth + 1,
      size: 1,
      children: family.count[number]!,
      start: from,
      end: span === null ? from : span.end_time === null ? length : toDrawable(between(start, span.end_time)),
      marks: span === null ? NO_MARKS : marksOf(span, above?.span ?? null, cyclic.has(number)),
    };
    nodes.push(node);
    positions[number] = index;
    if (node.depth > depth) depth = node.depth;
    if (span === null) found.missing.push(index);
    else if (parent < 0) found.roots.push(index);
    if (node.marks === NO_MARKS) return;
    for (const mark of ['failed', 'open', 'early', 'cyclic'] as const) {
      if (node.marks[mark]) found[mark].push(index);
    }
  };
  // Depth first without recursion: a chain of 100,000 spans is legal.
  for (const top of family.tops) {
    const stack = [top];
    for (let number = stack.pop(); number !== undefined; number = stack.pop()) {
      add(number);
      const sibling = family.next[number]!;
      const child = family.first[number]!;
      if (sibling >= 0) stack.push(sibling);
      if (child >= 0) stack.push(child);
    }
  }
  // Children come after their parents, so that sums flow upwards from the last node to the first.
  for (let index = nodes.length - 1; index >= 0; index--) {
    const node = nodes[index]!;
    const above = nodes[node.parent];
    if (above === undefined) continue;
    above.size += node.size;
    if (above.span === null) {
      above.start = Math.min(above.start, node.start);
      above.end = Math.max(above.end, node.end);
    }
  }
  return {
    nodes,
    indexOf: (spanId) => {
      const number = numbers.get(spanId);
      return number === undefined ? undefined : positions[number];
    },
    start,
    duration,
    length,
    depth,
    services: servicesOf(spans),
    spanCount: count,
    duplicates: received.length - count,
    ...found,
  };
}

function marksOf(span: Span, parent: Span | null, cyclic: boolean): Marks {
  const failed = span.status_code === 'ERROR';
  const open = span.end_time === null;
  const early = parent !== null && span.start_time < parent.start_time;
  return failed || open || early || cyclic ? { failed, open, early, cyclic } : NO_MARKS;
}

/** Each span once, in order of start, then of id. The complete record wins over the open one, else the later. */
function distinct(received: readonly Span[]): { spans: readonly Span[]; numbers: Map<string, number> } {
  const numbers = new Map<string, number>();
  let inOrder = true;
  for (let at = 0; at < received.length; at++) {
    numbers.set(received[at]!.span_id, at);
    inOrder &&= at === 0 || compare(received[at - 1]!, received[at]!) < 0;
  }
  if (inOrder && numbers.size === received.length) return { spans: received, numbers };
  const byId = new Map<string, Span>();
  for (const span of received) {
    const before = byId.get(span.span_id);
    if (before === undefined || before.end_time === null || span.end_time !== null)
      byId.set(span.span_id, span);
  }
  const spans = [...byId.values()].sort(compare);
  return { spans, numbers: new Map(spans.map((span, number) => [span.span_id, number])) };
}

function compare(a: Span, b: Span): number {
  if (a.start_time !== b.start_time) return a.start_time < b.start_time ? -1 : 1;
  return a.span_id < b.span_id ? -1 : 1;
}

/** Children of each number as a linked list in the order of the numbers, and the numbers without a parent. */
function linkChildren(parents: Int32Array, total: number) {
  const first = new Int32Array(total).fill(-1);
  const last = new Int32Array(total).fill(-1);
  const next = new Int32Array(total).fill(-1);
  const count = new Int32Array(total);
  const tops: number[] = [];
  for (let number = 0; number < parents.length; number++) {
    const parent = parents[number]!;
    if (parent < 0) {
      tops.push(number);
      continue;
    }
    if (first[parent]! < 0) {
      first[parent] = number;
      // A missing parent stands where its first child would.
      if (parent >= parents.length) tops.push(parent);
    } else next[last[parent]!] = number;
    last[parent] = number;
    count[parent]!++;
  }
  return { first, next, count, tops };
}

/** Makes the first span of each ring of parents a root. Returns those. */
function cutCycles(parents: Int32Array): Set<number> {
  const cut = new Set<number>();
  /** 0: not seen; otherwise the walk that saw it. */
  const seen = new Int32Array(parents.length);
  for (let first = 0; first < parents.length; first++) {
    let number = first;
    while (number >= 0 && number < parents.length && seen[number] === 0) {
      seen[number] = first + 1;
      number = parents[number]!;
    }
    if (number < 0 || number >= parents.length || seen[number] !== first + 1) continue;
    // The walk met itself: `number` is on a ring. Its earliest span becomes the root.
    let earliest = number;
    for (let at = parents[number]!; at !== number; at = parents[at]!) earliest = Math.min(earliest, at);
    parents[earliest] = -1;
    cut.add(earliest);
  }
  return cut;
}

function servicesOf(spans: readonly Span[]): TraceTree['services'] {
  const services = new Map<string, { service: string; spans: number; errors: number }>();
  for (const { service_name, status_code } of spans) {
    let entry = services.get(service_name);
    if (entry === undefined) {
      entry = { service: service_name, spans: 0, errors: 0 };
      services.set(service_name, entry);
    }
    entry.spans++;
    if (status_code === 'ERROR') entry.errors++;
  }
  return [...services.values()].sort((a, b) => b.spans - a.spans);
}

/** The root that speaks for the trace: the earliest span without a parent, else the earliest span. */
export function rootOf(tree: TraceTree): Span {
  const root = tree.roots.find((index) => tree.nodes[index]!.span?.parent_span_id === null) ?? tree.roots[0];
  return (tree.nodes[root ?? -1] ?? tree.nodes.find(({ span }) => span !== null))!.span!;
}

/** Positions of the nodes whose parents are all expanded. */
export function visibleNodes(tree: TraceTree, collapsed: ReadonlySet<number>): Int32Array {
  const visible = new Int32Array(tree.nodes.length);
  let count = 0;
  for (let index = 0; index < tree.nodes.length; ) {
    visible[count++] = index;
    index += collapsed.has(index) ? tree.nodes[index]!.size : 1;
  }
  return visible.subarray(0, count);
}

/** Positions of all nodes above a node. */
export function ancestorsOf(tree: TraceTree, index: number): number[] {
  const above: number[] = [];
  for (let at = tree.nodes[index]!.parent; at >= 0; at = tree.nodes[at]!.parent) above.push(at);
  return above;
}
