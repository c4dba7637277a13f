import type { ServiceEdge, ServiceNode } from '@/api/services';

export const NODE_WIDTH = 184;
export const NODE_HEIGHT = 56;
const GAP_X = 88;
const GAP_Y = 20;
const MARGIN = 24;
/** Times that the order within the columns is made better. */
const SWEEPS = 6;

/** Where the nodes of a map stand, in pixels. */
export interface Layout {
  width: number;
  height: number;
  places: readonly { x: number; y: number }[];
}

/**
 * Callers stand left of what they call, as far as calls do not go in circles; within a column, nodes stand near those that
 * they are connected with.
 */
export function layoutOf(nodes: readonly ServiceNode[], edges: readonly ServiceEdge[]): Layout {
  const forward = withoutCycles(nodes.length, edges);
  const column = columnsOf(nodes.length, forward);
  const count = column.reduce((most, at) => Math.max(most, at + 1), 0);
  const columns: number[][] = Array.from({ length: count }, () => []);
  column.forEach((at, node) => {
    columns[at]!.push(node);
  });
  const order = new Float64Array(nodes.length);
  const number = () => {
    for (const list of columns) {
      list.forEach((node, at) => {
        order[node] = at - (list.length - 1) / 2;
      });
    }
  };
  number();
  const neighbours = (node: number, side: 'from' | 'to') =>
    forward.filter((edge) => edge[side] === node).map((edge) => edge[side === 'from' ? 'to' : 'from']);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const side = sweep % 2 === 0 ? 'to' : 'from';
    for (const list of columns) {
      const weight = new Map(
        list.map((node) => {
          const near = neighbours(node, side);
          const sum = near.reduce((sum, other) => sum + order[other]!, 0);
          return [node, near.length === 0 ? order[node]! : sum / near.length];
        }),
      );
      list.sort((a, b) => weight.get(a)! - weight.get(b)! || a - b);
    }
    number();
  }
  const tallest = columns.reduce((most, { length }) => Math.max(most, length), 1);
  const height = 2 * MARGIN + tallest * NODE_HEIGHT + (tallest - 1) * GAP_Y;
  const places = nodes.map((_, node) => ({
    x: MARGIN + column[node]! * (NODE_WIDTH + GAP_X),
    y: height / 2 + order[node]! * (NODE_HEIGHT + GAP_Y) - NODE_HEIGHT / 2,
  }));
  return {
    width: 2 * MARGIN + Math.max(count, 1) * NODE_WIDTH + Math.max(count - 1, 0) * GAP_X,
    height,
    places,
  };
}

/** The edges, those turned around that close a circle. */
function withoutCycles(count: number, edges: readonly ServiceEdge[]): { from: number; to: number }[] {
  const below: number[][] = Array.from({ length: count }, () => []);
  const called = new Uint8Array(count);
  for (const { from, to } of edges) {
    if (from === to) continue;
    below[from]!.push(to);
    called[to] = 1;
  }
  /** 0: not seen, 1: on the way, 2: done. */
  const state = new Uint8Array(count);
  const result: { from: number; to: number }[] = [];
  const starts = Array.from({ length: count }, (_, node) => node).sort((a, b) => called[a]! - called[b]!);
  for (const start of starts) {
    if (state[start] !== 0) continue;
    const stack = [{ node: start, next: 0 }];
    state[start] = 1;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const to = below[top.node]![top.next++];
      if (to === undefined) {
        state[top.node] = 2;
        stack.pop();
      } else if (state[to] === 1) result.push({ from: to, to: top.node });
      else {
        result.push({ from: top.node, to });
        if (state[to] === 0) {
          state[to] = 1;
          stack.push({ node: to, next: 0 });
        }
      }
    }
  }
  return result;
}

/** Each node's column: one behind the last of its callers. */
function columnsOf(count: number, edges: readonly { from: number; to: number }[]): number[] {
  const waiting = new Int32Array(count);
  for (const { to } of edges) waiting[to]!++;
  const column = new Array<number>(count).fill(0);
  const ready = Array.from({ length: count }, (_, node) => node).filter((node) => waiting[node] === 0);
  for (let node = ready.shift(); node !== undefined; node = ready.shift()) {
    for (const { from, to } of edges) {
      if (from !== node) continue;
      column[to] = Math.max(column[to]!, column[node]! + 1);
      if (--waiting[to]! === 0) ready.push(to);
    }
  }
  return column;
}
