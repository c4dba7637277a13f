import type { TraceTree } from './tree';

/** Where the time of a trace went, for each node of its tree, in nanoseconds. */
export interface Analysis {
  /** Time in which a span ran and none of its children did. */
  self: Float64Array;
  /** Time in which a span was what the whole waited for. */
  critical: Float64Array;
  /** Stretches of the critical path by node, latest first. */
  stretches: ReadonlyMap<number, readonly Stretch[]>;
}

/** Nanoseconds from the start of the trace. */
export interface Stretch {
  from: number;
  to: number;
}

/** Analyses a tree whose critical path begins at the root given. */
export function analyse(tree: TraceTree, root: number): Analysis {
  const stretches = criticalPath(tree, root);
  const critical = new Float64Array(tree.count);
  for (const [index, parts] of stretches) {
    for (const { from, to } of parts) critical[index]! += to - from;
  }
  return { self: selfTimes(tree), critical, stretches };
}

/** A span's time without that of its children, where these overlap counted once. */
export function selfTimes(tree: TraceTree): Float64Array {
  const { parents, starts, ends } = tree;
  const self = new Float64Array(tree.count);
  /** Up to where the children seen so far cover their parent. */
  const covered = new Float64Array(tree.count);
  for (let index = 0; index < tree.count; index++) {
    const isMissing = tree.isMissing(index);
    self[index] = isMissing ? 0 : Math.max(0, ends[index]! - starts[index]!);
    covered[index] = starts[index]!;
    const parent = parents[index]!;
    if (parent < 0 || tree.isMissing(parent)) continue;
    // Siblings come in order of start, so that what is covered only grows.
    const from = Math.max(starts[index]!, covered[parent]!);
    const to = Math.min(ends[index]!, ends[parent]!);
    if (to <= from) continue;
    self[parent]! -= to - from;
    covered[parent] = to;
  }
  return self;
}

/**
 * What a trace waited for, from the end of the root backwards: of a span, the child that ended last before the present
 * moment was waited for, and the time between was the span's own. Children that end after their parent count up to its
 * end.
 */
export function criticalPath(tree: TraceTree, root: number): Map<number, Stretch[]> {
  const { starts, ends, sizes, childCounts } = tree;
  const path = new Map<number, Stretch[]>();
  const note = (index: number, from: number, to: number) => {
    if (to <= from) return;
    const known = path.get(index);
    if (known === undefined) path.set(index, [{ from, to }]);
    else known.push({ from, to });
  };
  const pending = [{ index: root, from: starts[root]!, to: ends[root]! }];
  for (let task = pending.pop(); task !== undefined; task = pending.pop()) {
    const { index, from } = task;
    let now = task.to;
    const children: number[] = [];
    if (childCounts[index]! > 0) {
      for (let child = index + 1; child < index + sizes[index]!; child += sizes[child]!) children.push(child);
      children.sort((a, b) => ends[b]! - ends[a]!);
    }
    for (const child of children) {
      const begun = Math.max(starts[child]!, from);
      // Whoever ends after the span is waited for until its end; whoever overlaps what is told already, is not.
      const ended = now === task.to ? Math.min(ends[child]!, now) : ends[child]!;
      if (ended > now || ended <= begun) continue;
      note(index, ended, now);
      pending.push({ index: child, from: begun, to: ended });
      now = begun;
      if (now <= from) break;
    }
    note(index, from, now);
  }
  return path;
}

/** The spans of an operation, or of a service, in sum. */
export interface Group {
  service: string;
  /** `null` for a whole service. */
  name: string | null;
  spans: number;
  errors: number;
  /** Nanoseconds: of the durations the sum and the greatest; of open spans, until the end of the trace. */
  total: number;
  longest: number;
  self: number;
  critical: number;
  /** The node that lasted longest. */
  example: number;
}

/** Spans by service, and by name too when `named`. */
export function groupsOf(tree: TraceTree, { self, critical }: Analysis, named: boolean): Group[] {
  const { outline } = tree;
  const groups = new Map<number, Group>();
  for (let index = 0; index < tree.count; index++) {
    const service = tree.serviceOf(index);
    if (service < 0) continue;
    const name = tree.nameOf(index);
    const key = named ? service * outline.names.length + name : service;
    const length = Math.max(0, tree.ends[index]! - tree.starts[index]!);
    let group = groups.get(key);
    if (group === undefined) {
      group = {
        service: outline.services[service]!,
        name: named ? outline.names[name]! : null,
        spans: 0,
        errors: 0,
        total: 0,
        longest: -1,
        self: 0,
        critical: 0,
        example: index,
      };
      groups.set(key, group);
    }
    group.spans++;
    if (tree.hasFailed(index)) group.errors++;
    group.total += length;
    group.self += self[index]!;
    group.critical += critical[index]!;
    if (length > group.longest) {
      group.longest = length;
      group.example = index;
    }
  }
  return [...groups.values()];
}

/** A frame of the flame graph: spans of one operation that were called along the same path. */
export interface Frame {
  /** Tells frames of a graph apart. */
  id: number;
  /** Positions in the outline; -1 for parents that are missing. */
  service: number;
  name: number;
  parent: Frame | null;
  depth: number;
  /** In the order in which they first came. */
  children: Frame[];
  spans: number;
  errors: number;
  /** Nanoseconds: time of its own, and with all that is above it; what ran side by side is added up. */
  self: number;
  value: number;
  /** Nanoseconds: sum of the durations. */
  total: number;
  /** The node that lasted longest. */
  example: number;
  longest: number;
}

/** The spans put together by path: equal siblings are one frame. */
export function flameGraph(tree: TraceTree, self: Float64Array): Frame {
  const { parents, starts, ends } = tree;
  const empty = { children: [], spans: 0, errors: 0, self: 0, value: 0, total: 0, longest: -1 };
  const top: Frame = {
    ...empty,
    id: 0,
    children: [],
    service: -1,
    name: -1,
    parent: null,
    depth: 0,
    example: -1,
  };
  const frames: Frame[] = [];
  const known = new Map<Frame, Map<number, Frame>>();
  const list: Frame[] = [];
  for (let index = 0; index < tree.count; index++) {
    const parent = parents[index]! < 0 ? top : frames[parents[index]!]!;
    const [service, name] = [tree.serviceOf(index), tree.nameOf(index)];
    const key = service < 0 ? -1 : service * tree.outline.names.length + name;
    let below = known.get(parent);
    if (below === undefined) {
      below = new Map();
      known.set(parent, below);
    }
    let frame = below.get(key);
    if (frame === undefined) {
      frame = {
        ...empty,
        id: list.length + 1,
        children: [],
        service,
        name,
        parent,
        depth: parent.depth + 1,
        example: index,
      };
      below.set(key, frame);
      parent.children.push(frame);
      list.push(frame);
    }
    frames[index] = frame;
    const length = Math.max(0, ends[index]! - starts[index]!);
    frame.spans++;
    if (tree.hasFailed(index)) frame.errors++;
    frame.self += self[index]!;
    frame.total += tree.isMissing(index) ? 0 : length;
    if (length > frame.longest) {
      frame.longest = length;
      frame.example = index;
    }
  }
  // Frames come after their parents.
  for (let at = list.length - 1; at >= 0; at--) {
    const frame = list[at]!;
    frame.value += frame.self;
    frame.parent!.value += frame.value;
  }
  return top;
}
