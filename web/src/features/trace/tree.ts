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
  /** Position of a span. */
  byId: ReadonlyMap<string, number>;
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

/** Builds the tree in one pass per step: O(n), but for sorting spans that did not come in order. */
export function buildTree(received: readonly Span[]): TraceTree {
  const { spans, duplicates } = distinct(received);
  const start = spans.reduce(
    (least, { start_time }) => (start_time < least ? start_time : least),
    spans[0]!.start_time,
  );
  const end = spans.reduce((most, span) => {
    const last = span.end_time ?? span.start_time;
    return last > most ? last : most;
  }, start);
  const duration = between(start, end);
  const length = Math.max(1, toDrawable(duration));

  // Numbers of spans, then of missing parents. Siblings are linked in the order of `spans`.
  const numbers = new Map(spans.map((span, number) => [span.span_id, number]));
  const ids = spans.map((span) => span.span_id);
  const parents = new Int32Array(spans.length).fill(-1);
  for (const [number, { parent_span_id }] of spans.entries()) {
    if (parent_span_id === null) continue;
    let parent = numbers.get(parent_span_id);
    if (parent === undefined) {
      parent = ids.push(parent_span_id) - 1;
      numbers.set(parent_span_id, parent);
    }
    parents[number] = parent;
  }
  const cyclic = cutCycles(parents);
  const children = ids.map((): number[] | null => null);
  const tops: number[] = [];
  for (let number = 0; number < spans.length; number++) {
    const parent = parents[number]!;
    if (parent < 0) tops.push(number);
    else if (children[parent] === null) {
      children[parent] = [number];
      // A missing parent stands where its first child would.
      if (parent >= spans.length) tops.push(parent);
    } else children[parent]!.push(number);
  }

  const nodes: TraceNode[] = [];
  const byId = new Map<string, number>();
  const found = { failed: [], open: [], early: [], cyclic: [], roots: [], missing: [] } as Record<
    'failed' | 'open' | 'early' | 'cyclic' | 'roots' | 'missing',
    number[]
  >;
  let depth = 0;
  // Depth first without recursion: a chain of 100,000 spans is legal.
  const stack: { number: number; parent: number }[] = [];
  for (let i = tops.length - 1; i >= 0; i--) stack.push({ number: tops[i]!, parent: -1 });
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { number, parent } = next;
    const span = spans[number] ?? null;
    const above = nodes[parent];
    const own = children[number] ?? [];
    const index = nodes.length;
    const from = toDrawable(between(start, (span ?? spans[own[0]!]!).start_time));
    const marks = {
      failed: span?.status_code === 'ERROR',
      open: span !== null && span.end_time === null,
      early: above?.span != null && span !== null && span.start_time < above.span.start_time,
      cyclic: cyclic.has(number),
    };
    const node: TraceNode = {
      span,
      spanId: ids[number]!,
      index,
      parent,
      depth: above === undefined ? 0 : above.depth + 1,
      size: 1,
      children: own.length,
      start: from,
      end: span === null ? from : span.end_time === null ? length : toDrawable(between(start, span.end_time)),
      marks,
    };
    nodes.push(node);
    byId.set(node.spanId, index);
    depth = Math.max(depth, node.depth);
    if (marks.failed) found.failed.push(index);
    if (marks.open) found.open.push(index);
    if (marks.early) found.early.push(index);
    if (marks.cyclic) found.cyclic.push(index);
    if (span === null) found.missing.push(index);
    else if (parent < 0) found.roots.push(index);
    for (let i = own.length - 1; i >= 0; i--) stack.push({ number: own[i]!, parent: index });
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
    byId,
    start,
    duration,
    length,
    depth,
    services: servicesOf(spans),
    spanCount: spans.length,
    duplicates,
    ...found,
  };
}

/** Each span once, in order of start, then of id. The complete record wins over the open one, else the later. */
function distinct(received: readonly Span[]): { spans: Span[]; duplicates: number } {
  const byId = new Map<string, Span>();
  for (const span of received) {
    const before = byId.get(span.span_id);
    if (before === undefined || before.end_time === null || span.end_time !== null)
      byId.set(span.span_id, span);
  }
  const spans = [...byId.values()];
  const inOrder = (a: Span, b: Span) =>
    a.start_time < b.start_time ? -1 : a.start_time > b.start_time ? 1 : a.span_id < b.span_id ? -1 : 1;
  if (!spans.every((span, at) => at === 0 || inOrder(spans[at - 1]!, span) < 0)) spans.sort(inOrder);
  return { spans, duplicates: received.length - spans.length };
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
