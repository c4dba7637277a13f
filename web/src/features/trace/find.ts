import { useQuery } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useMemo, useRef, useState } from 'react';
import { findSpansQuery } from '@/api/outline';
import type { TraceTree } from './tree';

/** How long typing rests before the server is asked. */
const REST_MS = 150;

/** Where a text was found. */
export interface Found {
  /** Positions in the tree, ascending; `null` when nothing is searched for, or not told yet. */
  positions: readonly number[] | null;
  /** Whether there are more than the server tells. */
  more: boolean;
  /** Whether the server is being asked. */
  pending: boolean;
  problem: Error | null;
}

/**
 * Searches a trace for spans that have all words: in the name, the service, the status message, an attribute
 * (`key=value`), or in the name or an attribute of an event.
 */
export function useFind(
  tree: TraceTree,
  text: string,
): Found & {
  /** Calls `then` with the positions, at once or when the server has told them. */
  whenFound: (then: (positions: readonly number[]) => void) => void;
} {
  const wanted = text.trim();
  const [rested, setRested] = useState(wanted);
  useEffect(() => {
    const timer = setTimeout(() => setRested(wanted), REST_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  const query = useQuery({ ...findSpansQuery(tree.traceId, rested), enabled: rested !== '' });
  const isCurrent = rested === wanted;
  const data = isCurrent && wanted !== '' ? query.data : undefined;
  const positions = useMemo(() => {
    if (data === undefined) return null;
    // Spans that came after the outline was loaded are not among them.
    const numbers = tree.outline.findAll(new Set(data.span_ids)).values();
    return Array.from(numbers, (number) => tree.positions[number]!).sort((a, b) => a - b);
  }, [tree, data]);
  // What was found before stays until the answer has come: else all spans would be shown between two letters.
  const [last, setLast] = useState<readonly number[] | null>(null);
  if (wanted === '' ? last !== null : positions !== null && positions !== last)
    setLast(wanted === '' ? null : positions);
  const waiting = useRef<{ wanted: string; then: (positions: readonly number[]) => void } | null>(null);
  const tell = useEffectEvent((found: readonly number[]) => {
    if (waiting.current?.wanted === wanted) waiting.current.then(found);
    waiting.current = null;
  });
  useEffect(() => {
    if (positions !== null) tell(positions);
  }, [positions]);
  const pending = wanted !== '' && (!isCurrent || query.isPending);
  return {
    positions: positions ?? (pending ? last : null),
    more: data?.more ?? false,
    pending,
    problem: isCurrent && wanted !== '' ? query.error : null,
    whenFound: (then) => {
      if (positions !== null) then(positions);
      else if (wanted !== '') waiting.current = { wanted, then };
    },
  };
}

/** The next position after (or before) one, round and round; `undefined` when there is none. */
export function stepFrom(positions: readonly number[], from: number, by: 1 | -1): number | undefined {
  if (positions.length === 0) return undefined;
  if (by > 0) return positions.find((position) => position > from) ?? positions[0];
  return positions.findLast((position) => position < from) ?? positions.at(-1);
}
