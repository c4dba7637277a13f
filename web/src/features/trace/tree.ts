import type { Outline } from '@/api/outline';
import type { SpanKind } from '@/api/traces';
import { type Duration, fromDrawable, type Nanos } from '@/base/nanos';

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

/** The bits of {@link Marks} in `TraceTree.marks`. */
const FAILED = 1;
const OPEN = 2;
const EARLY = 4;
const CYCLIC = 8;

/** A row of the waterfall: a span, or the place of a parent that was not received. */
export interface TraceNode {
  /** Position in the tree. */
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
  spanId: string;
  /** `null` for a parent that spans name, but that is not here. */
  span: SpanShape | null;
}

/** A span as it is drawn. */
export interface SpanShape {
  service: string;
  name: string;
  kind: SpanKind;
  /** `null` while it is open. */
  duration: Duration | null;
  /** Nanoseconds from the start of the trace, for drawing. */
  events: readonly { time: number; name: string }[];
}

/** A trace as a tree in columns: parents before children, siblings in order of start. */
export class TraceTree {
  /** Nodes: spans and missing parents. */
  readonly count: number;
  /** Number of each node's span in the outline. */
  readonly numbers: Int32Array;
  readonly parents: Int32Array;
  readonly depths: Int32Array;
  readonly sizes: Int32Array;
  readonly childCounts: Int32Array;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  readonly marks: Uint8Array;
  /** Position of each span of the outline. */
  readonly positions: Int32Array;
  readonly start: Nanos;
  readonly duration: Duration;
  /** `duration`, for drawing; never 0. */
  readonly length: number;
  readonly depth: number;
  readonly services: readonly { service: string; spans: number; errors: number }[];
  /** Positions of the nodes with each peculiarity. */
  readonly failed: number[] = [];
  readonly open: number[] = [];
  readonly early: number[] = [];
  readonly cyclic: number[] = [];
  readonly roots: number[] = [];
  readonly missing: number[] = [];
  /** Those that were asked for: rows of the same node stay the same object. */
  private readonly nodes = new Map<number, TraceNode>();
  private lastAsked: { spanId: string; index: number | undefined } = { spanId: '', index: undefined };

  /** O(n): the spans come in order of start. */
  constructor(readonly outline: Outline) {
    const { count: spans, starts, durations } = outline;
    const total = spans + outline.missing;
    let last = 0;
    for (let number = 0; number < spans; number++) {
      const length = durations[number]!;
      const end = starts[number]! + (Number.isNaN(length) ? 0 : length);
      if (end > last) last = end;
    }
    this.start = outline.start;
    this.duration = fromDrawable(last);
    this.length = Math.max(1, last);

    const above = outline.parents.slice();
    const cyclic = cutCycles(above);
    const family = linkChildren(above, total);
    this.numbers = new Int32Array(total);
    this.parents = new Int32Array(total);
    this.depths = new Int32Array(total);
    this.sizes = new Int32Array(total).fill(1);
    this.childCounts = new Int32Array(total);
    this.starts = new Float64Array(total);
    this.ends = new Float64Array(total);
    this.marks = new Uint8Array(total);
    this.positions = new Int32Array(total);
    let count = 0;
    let deepest = 0;
    const add = (number: number) => {
      const index = count++;
      const isHere = number < spans;
      const parentNumber = isHere ? above[number]! : -1;
      const parent = parentNumber < 0 ? -1 : this.positions[parentNumber]!;
      const start = starts[isHere ? number : family.first[number]!]!;
      const length = isHere ? durations[number]! : 0;
      const depth = parent < 0 ? 0 : this.depths[parent]! + 1;
      this.positions[number] = index;
      this.numbers[index] = number;
      this.parents[index] = parent;
      this.depths[index] = depth;
      this.childCounts[index] = family.count[number]!;
      this.starts[index] = start;
      this.ends[index] = Number.isNaN(length) ? this.length : start + length;
      if (depth > deepest) deepest = depth;
      if (!isHere) {
        this.missing.push(index);
        return;
      }
      if (parent < 0) this.roots.push(index);
      let marks = 0;
      if (outline.hasFailed(number)) {
        marks |= FAILED;
        this.failed.push(index);
      }
      if (Number.isNaN(length)) {
        marks |= OPEN;
        this.open.push(index);
      }
      if (parent >= 0 && parentNumber < spans && start < starts[parentNumber]!) {
        marks |= EARLY;
        this.early.push(index);
      }
      if (cyclic.has(number)) {
        marks |= CYCLIC;
        this.cyclic.push(index);
      }
      this.marks[index] = marks;
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
    for (let index = count - 1; index >= 0; index--) {
      const parent = this.parents[index]!;
      if (parent < 0) continue;
      this.sizes[parent]! += this.sizes[index]!;
      if (this.isMissing(parent)) {
        this.starts[parent] = Math.min(this.starts[parent]!, this.starts[index]!);
        this.ends[parent] = Math.max(this.ends[parent]!, this.ends[index]!);
      }
    }
    this.count = count;
    this.depth = deepest;
    this.services = servicesOf(outline);
  }

  get traceId(): string {
    return this.outline.traceId;
  }

  get spanCount(): number {
    return this.outline.count;
  }

  /** Whether a node stands for a parent that is not here. */
  isMissing(index: number): boolean {
    return this.numbers[index]! >= this.outline.count;
  }

  hasFailed(index: number): boolean {
    return (this.marks[index]! & FAILED) !== 0;
  }

  /** Position of a span's service in `outline.services`; -1 for a missing parent. */
  serviceOf(index: number): number {
    return this.isMissing(index) ? -1 : this.outline.serviceOf[this.numbers[index]!]!;
  }

  /** Position of a span's name in `outline.names`; -1 for a missing parent. */
  nameOf(index: number): number {
    return this.isMissing(index) ? -1 : this.outline.nameOf[this.numbers[index]!]!;
  }

  /** Position of a span; `undefined` when it is not here. */
  indexOf(spanId: string): number | undefined {
    if (this.lastAsked.spanId !== spanId) {
      const number = this.outline.numberOf(spanId);
      this.lastAsked = { spanId, index: number < 0 ? undefined : this.positions[number] };
    }
    return this.lastAsked.index;
  }

  /** Says where a span is, so that it is not looked for among a million. */
  remember(spanId: string, index: number) {
    this.lastAsked = { spanId, index };
  }

  /** A node with all that is drawn of it; `undefined` outside of the tree. */
  node(index: number | undefined): TraceNode | undefined {
    if (index === undefined || index < 0 || index >= this.count) return undefined;
    const known = this.nodes.get(index);
    if (known !== undefined) return known;
    const { outline } = this;
    const number = this.numbers[index]!;
    const marks = this.marks[index]!;
    const length = outline.durations[number]!;
    const node: TraceNode = {
      index,
      parent: this.parents[index]!,
      depth: this.depths[index]!,
      size: this.sizes[index]!,
      children: this.childCounts[index]!,
      start: this.starts[index]!,
      end: this.ends[index]!,
      marks: {
        failed: (marks & FAILED) !== 0,
        open: (marks & OPEN) !== 0,
        early: (marks & EARLY) !== 0,
        cyclic: (marks & CYCLIC) !== 0,
      },
      spanId: outline.idOf(number),
      span: this.isMissing(index)
        ? null
        : {
            service: outline.services[outline.serviceOf[number]!]!,
            name: outline.names[outline.nameOf[number]!]!,
            kind: outline.kindOf(number),
            duration: Number.isNaN(length) ? null : fromDrawable(length),
            events: outline.eventsOf(number),
          },
    };
    this.nodes.set(index, node);
    return node;
  }
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

function servicesOf(outline: Outline): TraceTree['services'] {
  const services = outline.services.map((service) => ({ service, spans: 0, errors: 0 }));
  for (let number = 0; number < outline.count; number++) {
    const entry = services[outline.serviceOf[number]!]!;
    entry.spans++;
    if (outline.hasFailed(number)) entry.errors++;
  }
  return services.sort((a, b) => b.spans - a.spans);
}

/** The node that speaks for the trace: the earliest span without a parent, else the earliest span. */
export function rootOf(tree: TraceTree): TraceNode & { span: SpanShape } {
  const { outline } = tree;
  const index =
    tree.roots.find((root) => outline.parents[tree.numbers[root]!] === -1) ??
    tree.roots[0] ??
    tree.positions[0]!;
  return tree.node(index) as TraceNode & { span: SpanShape };
}

/** Positions of the nodes whose parents are all expanded. */
export function visibleNodes(tree: TraceTree, collapsed: ReadonlySet<number>): Int32Array {
  const visible = new Int32Array(tree.count);
  let count = 0;
  for (let index = 0; index < tree.count; ) {
    visible[count++] = index;
    index += collapsed.has(index) ? tree.sizes[index]! : 1;
  }
  return visible.subarray(0, count);
}

/** Positions of all nodes above a node. */
export function ancestorsOf(tree: TraceTree, index: number): number[] {
  const above: number[] = [];
  for (let at = tree.parents[index]!; at >= 0; at = tree.parents[at]!) above.push(at);
  return above;
}
